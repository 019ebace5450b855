//! The ledger's TCP and IP part against a capture of the same connections, which needs
//! `CAP_NET_RAW`, and says so where it is missing.

use pushbench_core::security::{ClientSecurity, Trust};
use pushbench_core::tls::Tls;
use pushbench_metrics::observe::ledger::{Ledger, Source};
use pushbench_os::net::capture::{Capture, CaptureError, Packet, PortFilter};
use pushbench_os::net::tcp_info::{IpVersion, header_bytes};

use super::server::{poll_and_part, start_at};
use super::*;
use crate::channel::tests::peer::CREDENTIALS;

const BOTH: [(&str, IpVersion); 2] = [("127.0.0.1:0", IpVersion::V4), ("[::1]:0", IpVersion::V6)];

/// A capture of what goes to and from a port.
struct Watch {
    port: u16,
    capture: Capture,
    packets: Receiver<Packet>,
}

impl Watch {
    /// `None`, with a line that says why, where this machine cannot capture.
    fn start(target: SocketAddr) -> Option<Self> {
        let (sender, packets) = channel();
        let filter = PortFilter::new(&[target.port()]).unwrap();
        match Capture::start(&filter, move |packet| _ = sender.send(*packet)) {
            Ok(capture) => Some(Self { port: target.port(), capture, packets }),
            Err(error @ CaptureError::Privilege { .. }) => {
                eprintln!("SKIPPED, no comparison with packets: {error}");
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Segments and bytes of headers, from the clients and to them, once nothing is under way.
    /// ACKs' words on data that came twice are left out of the headers.
    fn stop(self) -> [(u64, u64); 2] {
        // Longer than any ACK is delayed.
        thread::sleep(Duration::from_millis(150));
        let report = self.capture.stop().unwrap();
        assert!(report.is_complete(), "{report:?}");
        let packets: Vec<Packet> = self.packets.iter().collect();
        [true, false].map(|up| {
            let those = packets.iter().filter(|packet| (packet.to.port() == self.port) == up);
            those.fold((0, 0), |(segments, bytes), p| {
                // Where this machine stalls, data is sent again, and ACKs that say so are 12 bytes
                // longer or more (RFC 2883), of which the client's kernel keeps no count.
                let usual = header_bytes(p.ip(), true);
                let each = u64::from(p.header_bytes);
                let each = if p.flags.syn() { each } else { each.min(usual) };
                let count = u64::from(p.segments);
                (segments + count, bytes + count * each)
            })
        })
    }
}

fn cell(ledger: &Ledger, phase: Phase, direction: Direction, source: Source) -> (u64, u64) {
    let is = |p, d, s| (p, d, s) == (phase, direction, source);
    let row = ledger.tcpip().find(|row| is(row.phase, row.direction, row.source));
    row.map_or((0, 0), |row| (row.tally.packets, row.tally.header_bytes))
}

/// Segments and bytes of headers of all phases and sources, up and down.
fn totals(ledger: &Ledger) -> [(u64, u64); 2] {
    Direction::ALL.map(|direction| {
        let rows = ledger.tcpip().filter(|row| row.direction == direction);
        rows.fold((0, 0), |(packets, bytes), row| {
            (packets + row.tally.packets, bytes + row.tally.header_bytes)
        })
    })
}

#[test]
fn kept_connections_are_counted_to_the_segment() {
    for (address, ip) in BOTH {
        let Some((target, shared)) =
            start_at(address, |_, stream, shared| websocket(stream, shared, |n| Some(vec![n])))
        else {
            eprintln!("SKIPPED, {address} cannot be listened at");
            continue;
        };
        let watch = Watch::start(target);
        // No more than a listener takes at once, so that no SYN is sent again.
        let clients = 100;
        let load = trial(plan(target, Contender::WEBSOCKET, clients), &shared, LONG);
        let (ledger, clients) = (&load.measured.ledger, u64::from(clients));
        let segment = header_bytes(ip, true);

        // SYN and SYN/ACK, 8 bytes longer, are of the connect phase alone.
        for phase in Phase::ALL {
            let syns = if phase == Phase::Connect { clients } else { 0 };
            for direction in Direction::ALL {
                let (packets, bytes) = cell(ledger, phase, direction, Source::Kernel);
                assert_eq!(bytes, packets * segment + syns * 8, "{phase:?} {direction:?}");
            }
        }
        // At least SYN, ACK, request; SYN/ACK, answer. The first message, due at the edge itself,
        // may have come before a connection is read.
        let up = cell(ledger, Phase::Connect, Direction::Up, Source::Kernel).0;
        let down = cell(ledger, Phase::Connect, Direction::Down, Source::Kernel).0;
        assert!(up >= 3 * clients && down >= 2 * clients, "{up} {down}");
        // One segment for each message, and its ACK; where the machine is busy, the kernel puts
        // some into one. A message is of the phase in which it was read, and its segment of that in
        // which the kernel had it: of all phases together they are the same. Beside them a connection
        // has SYN/ACK and answer, and at its end some six either way.
        let of_kernel = |direction| {
            let packets = |phase: &Phase| cell(ledger, *phase, direction, Source::Kernel).0;
            Phase::ALL.iter().map(packets).sum::<u64>()
        };
        let payload = |phase: &Phase| ledger.phase(*phase).get(Direction::Down, Layer::Payload);
        let messages = Phase::ALL.iter().map(payload).sum::<u64>() / 64;
        let (packets, acks) = (of_kernel(Direction::Down), of_kernel(Direction::Up));
        let expected = messages / 4..=messages + messages / 10 + 8 * clients;
        assert!(expected.contains(&packets), "{packets} for {messages} messages");
        assert!(acks > packets / 4 && acks <= packets + 8 * clients, "{acks} for {packets}");
        // Whatever comes after the last reading is of the close phase.
        for phase in &Phase::ALL[..4] {
            let modelled = |direction| cell(ledger, *phase, direction, Source::Modelled).0;
            assert_eq!(Direction::ALL.map(modelled), [0, 0], "{phase:?}");
        }
        let close = |source| cell(ledger, Phase::Close, Direction::Up, source).0;
        assert_eq!(close(Source::Modelled), clients);
        assert!(close(Source::Kernel) >= clients, "the close frames");

        if let Some(watch) = watch {
            let seen = watch.stop();
            eprintln!("{ip:?}: ledger {:?}, capture {seen:?}", totals(ledger));
            assert_eq!(totals(ledger), seen, "{ip:?}");
        }
    }
}

#[test]
fn connections_that_open_and_close_within_a_phase_are_counted_there() {
    let (target, shared) = start(|_, stream, shared| polls(stream, shared, Duration::ZERO, 1));
    let watch = Watch::start(target);
    let load = trial(plan(target, Contender::SHORT_POLL_CLOSE, 100), &shared, LONG);
    let (ledger, requests) = (&load.measured.ledger, load.measured.counters.requests);
    // Each poll of the window: SYN, ACK, request; SYN/ACK, answer; and closing.
    let up = cell(ledger, Phase::Window, Direction::Up, Source::Kernel);
    let down = cell(ledger, Phase::Window, Direction::Down, Source::Kernel);
    assert!(up.0 >= 3 * (requests - 20), "{up:?} {requests}");
    assert!(down.0 >= 2 * (requests - 20), "{down:?} {requests}");
    let closing = cell(ledger, Phase::Window, Direction::Up, Source::Modelled);
    assert!(closing.0 >= requests - 20, "{closing:?} {requests}");
    if let Some(watch) = watch {
        let seen = watch.stop();
        eprintln!("ledger {:?}, capture {seen:?}", totals(ledger));
        for ((packets, bytes), (segments, headers)) in totals(ledger).into_iter().zip(seen) {
            // The close is modelled: FINs may cross, and the busy answer with one ACK more.
            assert!(packets.abs_diff(segments) * 50 <= segments, "{packets} {segments}");
            assert!(bytes.abs_diff(headers) * 50 <= headers, "{bytes} {headers}");
        }
    }
}

#[test]
fn a_server_that_has_said_good_bye_resets_a_connection_whose_client_has_too() {
    let (target, shared) = start(|_, stream, shared| poll_and_part(stream, shared));
    let Some(watch) = Watch::start(target) else { return };
    let clients = 10;
    let contender = "short-poll-close+tls".parse().unwrap();
    let trust = Trust::Authorities(CREDENTIALS.certificates.clone());
    let (host, tls) = ("localhost".to_owned(), Tls::default());
    let security = Some(ClientSecurity { host, trust, tls, key_log: None });
    let plan = LoadPlan { security, ..plan(target, contender, clients) };
    let load = trial(plan, &shared, LONG);
    let (ledger, polls) = (totals(&load.measured.ledger), load.measured.counters.requests);
    let seen = watch.stop();
    eprintln!("ledger {ledger:?}, capture {seen:?}");
    assert!(polls >= 3 * u64::from(clients), "{polls}");
    for ((packets, _), (segments, _)) in ledger.into_iter().zip(seen) {
        // On those that the trial's end may cut, a packet or two differ.
        let unsure = 2 * u64::from(clients);
        assert!(packets.abs_diff(segments) <= unsure, "{packets} {segments}, {polls} polls");
    }
}

#[test]
fn an_attempt_that_came_to_nothing_is_no_connection() {
    let target = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut plan = plan(target, Contender::SSE, 3);
    plan.connect_timeout = Duration::from_millis(60);
    let running = Running::start(plan);
    assert_eq!(running.connect().0, 0);
    let load = running.run(&Shared::default(), SHORT);
    assert_eq!(load.measured.ledger.tcpip().count(), 0);
}
