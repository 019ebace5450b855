use std::net::SocketAddr;

use proptest::prelude::*;

use super::*;

fn at(nanos: u64) -> MonoInstant {
    MonoInstant(nanos)
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// A message that was due at 1000, published at 1010 and written at 1030; the kernel had it at
/// 1060 and the client at 1100.
fn server() -> ServerStamps {
    ServerStamps {
        published: vec![(Seq(5), at(1_010)), (Seq(6), at(2_010))],
        peers: vec![address(40_000)],
        written: vec![
            Written { peer: 0, first: Seq(5), more: 0, at: at(1_030), requested: None },
            Written { peer: 0, first: Seq(6), more: 0, at: at(2_030), requested: None },
        ],
        without_room: 0,
        clock_bound_ns: 0,
    }
}

fn received() -> Received {
    Received {
        connection: 0,
        seq: Seq(5),
        last: Seq(5),
        due: at(1_000),
        asked: at(7),
        kernel: Some(at(1_060)),
        at: at(1_100),
    }
}

fn load(received: Vec<Received>) -> LoadStamps {
    let connections = vec![(3, address(40_000))];
    LoadStamps { connections, received, clock_bound_ns: 5, ..LoadStamps::default() }
}

fn sums(breakdown: &Breakdown) -> [i64; 5] {
    Part::ALL.map(|part| breakdown.part(part).sum_ns)
}

#[test]
fn each_part_lies_between_two_stamps() {
    let breakdown = Breakdown::join(&[server()], &[load(vec![received()])], true);
    assert_eq!(sums(&breakdown), [10, 0, 20, 30, 40]);
    assert_eq!((breakdown.latency.sum_ns, breakdown.coverage.samples), (100, 1));
    assert_eq!(breakdown.without_load.percentile_us(1.0), Some(0.06));
    assert_eq!(breakdown.since_written.percentile_us(1.0), Some(0.07));
}

#[test]
fn a_poll_that_came_after_the_message_was_waited_for() {
    let polled = Received { asked: at(1_025), ..received() };
    let breakdown = Breakdown::join(&[server()], &[load(vec![polled])], true);
    assert_eq!(sums(&breakdown), [10, 15, 5, 30, 40]);
}

/// Over a link a request is under way too: what of that the message waits for is the network's.
#[test]
fn the_way_of_a_request_is_the_networks() {
    let parts = |asked, requested| {
        let mut server = server();
        server.written[0].requested = Some(at(requested));
        let polled = Received { asked: at(asked), ..received() };
        sums(&Breakdown::join(&[server], &[load(vec![polled])], true))
    };
    // Asked for behind the message, and as it was under way: published at 1010, written at 1030.
    assert_eq!(parts(1_012, 1_022), [10, 2, 8, 10 + 30, 40]);
    assert_eq!(parts(1_000, 1_025), [10, 0, 5, 15 + 30, 40]);
    // There long before, as of a long poll that waits.
    assert_eq!(parts(7, 90), [10, 0, 20, 30, 40]);
}

/// A sample without a stamp of its own borrows the way down, of which a request's way up is no part.
#[test]
fn the_way_of_a_request_is_not_lent() {
    let mut server = server();
    server.written[1].requested = Some(at(2_025));
    let both = [received(), Received { seq: Seq(6), due: at(2_000), ..received() }].map(|it| {
        Received { asked: at(7), last: Seq(6), kernel: Some(at(2_060)), at: at(2_100), ..it }
    });
    let breakdown = Breakdown::join(&[server], &[load(both.to_vec())], true);
    assert_eq!(sums(&breakdown)[Part::Network as usize], 30 + (15 + 30));
}

#[test]
fn a_stamp_speaks_for_what_was_written_together() {
    // Two writes in one read: the stamp is of the second.
    let both = [received(), Received { seq: Seq(6), due: at(2_000), ..received() }]
        .map(|it| Received { last: Seq(6), kernel: Some(at(2_060)), at: at(2_100), ..it });
    let breakdown = Breakdown::join(&[server()], &[load(both.to_vec())], true);
    let Coverage { arrivals, samples, borrowed, .. } = breakdown.coverage;
    assert_eq!((arrivals, samples, borrowed), (2, 2, 1));
    // The first borrows the second's 30 ns on the network: the rest of its time it waited for the
    // client.
    assert_eq!(sums(&breakdown), [10 + 10, 0, 20 + 20, 30 + 30, 1_040 + 40]);
    // None that lends.
    let first = both[0];
    let coverage = Breakdown::join(&[server()], &[load(vec![first])], true).coverage;
    assert_eq!((coverage.samples, coverage.shared_read), (0, 1));
    // One write of both: it speaks for both.
    let mut server = server();
    server.written =
        vec![Written { peer: 0, first: Seq(5), more: 1, at: at(2_030), requested: None }];
    let breakdown = Breakdown::join(&[server], &[load(both.to_vec())], true);
    assert_eq!(breakdown.coverage.samples, 2);
    assert_eq!(breakdown.latency.sum_ns, 1_100 + 100);
}

#[test]
fn what_has_not_all_its_stamps_is_counted_and_left_out() {
    let unstamped = Received { kernel: None, ..received() };
    let unwritten = Received { seq: Seq(7), last: Seq(7), ..received() };
    let twice = Received { at: at(1_200), ..received() };
    let mut load = load(vec![unstamped, unwritten]);
    load.without_room = 2;
    let coverage = Breakdown::join(&[server()], &[load], true).coverage;
    assert_eq!((coverage.arrivals, coverage.samples), (4, 0));
    assert_eq!((coverage.no_kernel_stamp, coverage.no_write, coverage.without_room), (1, 1, 2));
    let coverage =
        Breakdown::join(&[server()], &[self::load(vec![received(), twice])], true).coverage;
    assert_eq!((coverage.arrivals, coverage.samples), (1, 1), "the first of two is the sample");
}

#[test]
fn a_port_that_is_used_again_is_another_connection() {
    let mut server = server();
    server.peers.push(address(40_000));
    server.written.push(Written {
        peer: 1,
        first: Seq(5),
        more: 0,
        at: at(1_500),
        requested: None,
    });
    let second =
        Received { asked: at(1_400), kernel: Some(at(1_560)), at: at(1_600), ..received() };
    let mut load = load(vec![received(), Received { connection: 1, ..second }]);
    load.connections.push((4, address(40_000)));
    let breakdown = Breakdown::join(&[server], &[load], true);
    assert_eq!(sums(&breakdown), [20, 390, 20 + 100, 30 + 60, 40 + 40]);
}

#[test]
fn a_negative_part_is_kept_and_one_beyond_the_clocks_doubt_is_a_fault() {
    let early = |kernel| Received { kernel: Some(at(kernel)), ..received() };
    let within = Breakdown::join(&[server()], &[load(vec![early(1_026)])], true);
    assert_eq!(sums(&within), [10, 0, 20, -4, 74]);
    assert_eq!((within.latency.sum_ns, within.coverage.impossible), (100, 0));
    let beyond = Breakdown::join(&[server()], &[load(vec![early(1_024)])], true);
    assert_eq!((beyond.part(Part::Network).sum_ns, beyond.coverage.impossible), (-6, 1));
    assert_eq!(beyond.part(Part::Network).histogram.percentile_us(1.0), Some(0.0));
}

#[test]
fn of_another_ones_server_the_clients_part_remains() {
    let stamps = [load(vec![received()])];
    let breakdown = Breakdown::join(&[], &stamps, true);
    assert_eq!(sums(&breakdown), [0, 0, 0, 0, 40]);
    assert!(breakdown.part(Part::Server).histogram.is_empty());
    assert_eq!(breakdown.latency.sum_ns, 100);
    let foreign = Breakdown::join(&[], &stamps, false);
    assert_eq!((foreign.part(Part::Load).sum_ns, foreign.latency.sum_ns), (40, 0));
}

/// A poll brings what has fallen due since the one before: what waited longest is part of it.
#[test]
fn of_another_ones_server_each_message_of_a_read_counts() {
    let due = |seq: u64| Received { seq: Seq(seq), due: at(seq * 200), ..received() };
    let read = (1..=5).map(|seq| Received { last: Seq(5), ..due(seq) }).collect();
    let breakdown = Breakdown::join(&[], &[load(read)], true);
    let Coverage { arrivals, samples, borrowed, shared_read, .. } = breakdown.coverage;
    assert_eq!((arrivals, samples, borrowed, shared_read), (5, 5, 4, 0));
    assert_eq!(breakdown.latency.sum_ns, 900 + 700 + 500 + 300 + 100);
    assert_eq!(breakdown.part(Part::Load).sum_ns, 5 * 40);
    assert_eq!(breakdown.without_load.count(), 5);
}

#[test]
fn a_breakdown_survives_json_and_merges() {
    let one = Breakdown::join(&[server()], &[load(vec![received()])], true);
    let json = serde_json::to_string(&one).unwrap();
    assert_eq!(serde_json::from_str::<Breakdown>(&json).unwrap(), one);
    let mut two = one.clone();
    two.merge(&one);
    assert_eq!(sums(&two), [20, 0, 40, 60, 80]);
    assert_eq!((two.coverage.samples, two.part(Part::Load).mean_us()), (2, Some(0.04)));
}

proptest! {
    #[test]
    fn the_parts_of_every_sample_add_up_to_its_latency(
        due in 0..1_u64 << 62,
        stamps in prop::array::uniform5(0..1_u64 << 62),
        requested in prop::option::of(0..1_u64 << 62),
    ) {
        let [published, asked, written, kernel, arrived] = stamps.map(at);
        let (due, requested) = (at(due), requested.map(at));
        let stamps =
            MessageStamps { due, published, asked, requested, written, kernel, at: arrived };
        prop_assert_eq!(stamps.parts().iter().sum::<i64>(), stamps.latency());
        if published >= stamps.due {
            prop_assert!(stamps.parts()[..2].iter().all(|&part| part >= 0));
        }
    }

    #[test]
    fn sums_of_parts_are_the_sum_of_latencies(
        ways in prop::collection::vec((0..10_000_u64, prop::array::uniform5(0..1_000_000_u64)), 1..50),
    ) {
        let (mut server, mut load) = (ServerStamps::default(), load(Vec::new()));
        server.peers.push(address(40_000));
        for (seq, (due, steps)) in (1..).map(Seq).zip(ways) {
            let mut clock = due;
            let [published, asked, written, kernel, arrived] = steps.map(|step| {
                clock += step;
                at(clock)
            });
            server.published.push((seq, published));
            server.written.push(Written { peer: 0, first: seq, more: 0, at: written, requested: None });
            let kernel = Some(kernel);
            load.received.push(Received {
                connection: 0, seq, last: seq, due: at(due), asked, kernel, at: arrived,
            });
        }
        let samples = load.received.len() as u64;
        let breakdown = Breakdown::join(&[server], &[load], true);
        prop_assert_eq!(breakdown.coverage.samples, samples);
        prop_assert_eq!(sums(&breakdown).iter().sum::<i64>(), breakdown.latency.sum_ns);
        for part in Part::ALL {
            prop_assert_eq!(breakdown.part(part).histogram.count(), samples);
        }
    }
}
