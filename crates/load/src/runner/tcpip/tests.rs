//! The account without sockets: what is counted where.

use pushbench_os::net::tcp_info::TcpState;

use super::*;

/// A reading with these segments out and in.
fn reading(out: u32, into: u32) -> TcpInfo {
    TcpInfo {
        state: TcpState::Open,
        segments_in: Some(into),
        segments_out: Some(out),
        data_segments_in: None,
        data_segments_out: None,
        bytes_acked: None,
        bytes_received: None,
        bytes_sent: None,
        bytes_retransmitted: Some(0),
        retransmits: 0,
        timestamps: true,
        sack: true,
        rtt_us: 0,
        congestion_window: 10,
        slow_start_threshold: 100,
        receiver_limited_us: None,
        buffer_limited_us: None,
        min_rtt_us: None,
        send_mss: 1_460,
        receive_mss: 1_460,
    }
}

type Row = (Phase, Direction, Source, u64, u64, u64);

fn rows(account: &Tcpip) -> Vec<Row> {
    let row = |(phase, way, source, t): (_, _, _, TcpipTally)| {
        (phase, way, source, t.packets, t.header_bytes, t.retransmitted_bytes)
    };
    account.rows().map(row).collect()
}

#[test]
fn a_connection_is_counted_once_whatever_phases_it_spans() {
    use Direction::{Down, Up};
    use Source::{Kernel, Modelled};
    let (mut account, mut last) = (Tcpip::new(IpVersion::V4), None);
    account.read(Phase::Connect, Some(&reading(3, 2)), &mut last, None);
    let again = TcpInfo { bytes_retransmitted: Some(70), ..reading(5, 12) };
    account.read(Phase::Window, Some(&again), &mut last, None);
    account.read(Phase::Close, Some(&again), &mut last, None);
    account.closed(Phase::Close, &again, Parting::Silent);
    let expected = [
        (Phase::Connect, Up, Kernel, 3, 60 + 2 * 52, 0),
        (Phase::Connect, Down, Kernel, 2, 60 + 52, 0),
        (Phase::Window, Up, Kernel, 2, 104, 70),
        (Phase::Window, Down, Kernel, 10, 520, 0),
        (Phase::Close, Up, Modelled, 2, 104, 0),
        (Phase::Close, Down, Modelled, 1, 52, 0),
    ];
    assert_eq!(rows(&account), expected);
}

#[test]
fn words_of_parting_are_met_by_resets() {
    use TcpState::{Closed, Open};
    // Packets and bytes of headers, up and down, of the last reading and of the model.
    let cases = [
        (Open, Parting::Silent, [(7, 8 + 7 * 52), (6, 8 + 6 * 52), (2, 104), (1, 52)]),
        (Open, Parting::First, [(7, 8 + 7 * 52), (6, 8 + 6 * 52), (2, 52 + 40), (1, 52)]),
        (Open, Parting::Second, [(7, 8 + 7 * 52), (6, 8 + 6 * 52), (1, 52), (1, 52)]),
        (Closed, Parting::First, [(7, 8 + 7 * 52), (6, 8 + 6 * 52), (0, 0), (0, 0)]),
        (Closed, Parting::Second, [(7, 8 + 7 * 52), (6, 8 + 5 * 52 + 40), (0, 0), (0, 0)]),
    ];
    for (state, parting, expected) in cases {
        let (mut account, mut last) = (Tcpip::new(IpVersion::V4), None);
        let info = TcpInfo { state, ..reading(7, 6) };
        account.read(Phase::Window, Some(&info), &mut last, Some(parting));
        account.closed(Phase::Window, &info, parting);
        let rows = rows(&account);
        let cells = [Source::Kernel, Source::Modelled].into_iter().flat_map(|source| {
            let rows = &rows;
            Direction::ALL.map(move |way| {
                let row = rows.iter().find(|row| (row.1, row.2) == (way, source));
                row.map_or((0, 0), |row| (row.3, row.4))
            })
        });
        assert!(cells.eq(expected), "{state:?} {parting:?}: {rows:?}");
    }
}

#[test]
fn a_syn_that_was_sent_again_is_as_long_as_the_first() {
    let (mut account, mut last) = (Tcpip::new(IpVersion::V4), None);
    account.read(
        Phase::Connect,
        Some(&TcpInfo { retransmits: 2, ..reading(5, 2) }),
        &mut last,
        None,
    );
    let up = (Phase::Connect, Direction::Up, Source::Kernel, 5, 3 * 60 + 2 * 52, 0);
    assert_eq!(rows(&account)[0], up);
}

#[test]
fn counters_that_wrap_around_go_on() {
    let (mut account, mut last) = (Tcpip::new(IpVersion::V6), None);
    account.read(Phase::Connect, Some(&reading(2, 1)), &mut last, None);
    last = Some(Reading { sent: u32::MAX, received: u32::MAX - 1, retransmitted: u32::MAX });
    let wrapped = TcpInfo { bytes_retransmitted: Some((5 << 32) + 9), ..reading(1, 1) };
    account.read(Phase::Window, Some(&wrapped), &mut last, None);
    let up = (Phase::Window, Direction::Up, Source::Kernel, 2, 2 * 72, 10);
    let down = (Phase::Window, Direction::Down, Source::Kernel, 3, 3 * 72, 0);
    assert_eq!(rows(&account)[2..], [up, down]);
}

#[test]
fn a_kernel_that_does_not_tell_leaves_no_rows() {
    let missing = [
        Some(TcpInfo { segments_in: None, ..reading(4, 4) }),
        Some(TcpInfo { segments_out: None, ..reading(4, 4) }),
        Some(TcpInfo { bytes_retransmitted: None, ..reading(4, 4) }),
        None,
    ];
    for info in missing {
        let (mut account, mut last) = (Tcpip::new(IpVersion::V4), None);
        account.read(Phase::Connect, Some(&reading(3, 2)), &mut last, None);
        assert_eq!(rows(&account).len(), 2);
        account.read(Phase::Window, info.as_ref(), &mut last, None);
        account.closed(Phase::Close, &reading(4, 4), Parting::Silent);
        assert_eq!(rows(&account), [], "{info:?}");
    }
}

#[test]
fn who_has_not_had_its_turn_belongs_to_the_phase_that_has_ended() {
    let mut account = Tcpip::new(IpVersion::V4);
    let (before, edge, now) = (MonoInstant(9), MonoInstant(10), Phase::Window);
    assert_eq!(account.phase_of(7, before, now), now);
    account.sweep = Some(Sweep { ended: Phase::Warmup, at: edge, next: 7 });
    assert_eq!(account.phase_of(7, before, now), Phase::Warmup);
    assert_eq!(account.phase_of(6, before, now), now);
    // A connection of its own, opened since.
    assert_eq!(account.phase_of(7, edge, now), now);
}
