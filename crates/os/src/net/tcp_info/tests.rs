//! Literal structures, and real connections over loopback, which take no privilege.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::thread;
use std::time::Duration;

use super::*;

/// Both ends of a connection over loopback. `mss` bounds the payload of a segment.
pub(crate) fn connect(listener: &TcpListener, mss: Option<i32>) -> (TcpStream, TcpStream) {
    if let Some(mss) = mss {
        let (level, name) = (libc::IPPROTO_TCP, libc::TCP_MAXSEG);
        posix::set_socket_option(listener.as_fd(), level, name, mss).unwrap();
    }
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    for end in [&client, &server] {
        end.set_nodelay(true).unwrap();
        // A test that hangs tells nothing.
        end.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    }
    (client, server)
}

/// `count` times: a request of 100 bytes, and an answer of `size`.
pub(crate) fn ask(client: &mut TcpStream, server: &TcpStream, count: usize, size: usize) {
    let mut server = server.try_clone().unwrap();
    let answering = thread::spawn(move || {
        let (mut request, answer) = ([0; 100], vec![b'a'; size]);
        for _ in 0..count {
            server.read_exact(&mut request).unwrap();
            server.write_all(&answer).unwrap();
        }
    });
    let mut answer = vec![0; size];
    for _ in 0..count {
        client.write_all(&[b'q'; 100]).unwrap();
        client.read_exact(&mut answer).unwrap();
    }
    answering.join().unwrap();
}

/// Waits until nothing is under way, delayed ACKs neither; returns the readings of both ends.
pub(crate) fn quiesce(client: &TcpStream, server: &TcpStream) -> (TcpInfo, TcpInfo) {
    for _ in 0..10_000 {
        let (c, s) = (TcpInfo::of(client).unwrap(), TcpInfo::of(server).unwrap());
        let acked = |end: &TcpInfo| end.bytes_acked.unwrap();
        let sent = |end: &TcpInfo| end.bytes_sent.unwrap() - end.bytes_retransmitted.unwrap();
        // The client's SYN counts as a byte. Nothing is acknowledged before it was received.
        let settled = acked(&c) == sent(&c) + 1 && acked(&s) == sent(&s);
        // The last ACK was counted by its sender first, and by its receiver at once.
        if settled && c.segments_out == s.segments_in {
            return (c, s);
        }
        thread::sleep(Duration::from_millis(1));
    }
    panic!("the connection does not come to rest");
}

fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

#[test]
fn a_new_connection_has_counted_its_handshake() {
    let listener = listen();
    let (client, server) = connect(&listener, None);
    let (c, s) = quiesce(&client, &server);
    assert_eq!((c.segments_out, c.segments_in), (Some(2), Some(1)));
    assert_eq!((s.segments_out, s.segments_in), (Some(0), Some(2)));
    assert_eq!((c.bytes_acked, s.bytes_acked), (Some(1), Some(0)));
    assert_eq!((c.state, s.state), (TcpState::Open, TcpState::Open));
    assert_eq!((c.data_segments_out, c.data_segments_in), (Some(0), Some(0)));
}

#[test]
fn what_one_end_sends_the_other_receives() {
    // Requests, size of an answer, largest segment.
    let cases = [(1, 21, None), (100, 21, None), (3, 300_000, None), (20, 30_000, Some(1460))];
    for (count, size, mss) in cases {
        let listener = listen();
        let (mut client, server) = connect(&listener, mss);
        ask(&mut client, &server, count, size);
        let (c, s) = quiesce(&client, &server);
        let case = format!("{count} answers of {size} bytes, MSS {mss:?}");
        let (of_client, of_server) =
            (Segments::since_open(Side::Client, &c), Segments::since_open(Side::Server, &s));
        let (of_client, of_server) = (of_client.unwrap(), of_server.unwrap());
        assert_eq!(of_client.sent, of_server.received, "{case}");
        assert_eq!(of_client.received, of_server.sent, "{case}");
        assert_eq!(c.bytes_sent, Some(100 * count as u64), "{case}");
        assert_eq!(c.bytes_received, Some((size * count) as u64), "{case}");
        assert_eq!(c.data_segments_in, s.data_segments_out, "{case}");
        if let Some(mss) = mss {
            // Segments, although the kernel moved packets of up to 64 KiB.
            let least = (size * count) as u64 / mss as u64;
            assert!(u64::from(c.data_segments_in.unwrap()) >= least, "{case}");
        }
    }
}

#[test]
fn a_closing_connection_tells_its_stage() {
    let listener = listen();
    let (client, mut server) = connect(&listener, None);
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(server.read(&mut [0]).unwrap(), 0);
    assert_eq!(TcpInfo::of(&client).unwrap().state, TcpState::FinSent);
    let last = TcpInfo::of(&server).unwrap();
    assert_eq!((last.state, last.bytes_received), (TcpState::FinReceived, Some(1)));
    server.shutdown(Shutdown::Write).unwrap();
    let end = TcpInfo::of(&server).unwrap();
    assert!(matches!(end.state, TcpState::BothFins | TcpState::Closed), "{end:?}");
}

#[test]
fn only_tcp_sockets_tell() {
    let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    assert!(TcpInfo::of(&udp).is_err());
}

/// A structure of the kernel, each field of which is its own offset.
fn structure(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    for at in (8..length - 3).step_by(4) {
        bytes[at..at + 4].copy_from_slice(&(at as u32).to_ne_bytes());
    }
    for at in [120, 128, 176, 184, 200, 208] {
        if at + 8 <= length {
            bytes[at..at + 8].copy_from_slice(&(at as u64).to_ne_bytes());
        }
    }
    bytes[0] = 1;
    bytes[5] = OPTION_TIMESTAMPS;
    bytes
}

#[test]
fn fields_stand_where_the_kernel_puts_them() {
    let info = TcpInfo::parse(&structure(SIZE)).unwrap();
    let expected = TcpInfo {
        state: TcpState::Open,
        segments_in: Some(140),
        segments_out: Some(136),
        data_segments_in: Some(152),
        data_segments_out: Some(156),
        bytes_acked: Some(120),
        bytes_received: Some(128),
        bytes_sent: Some(200),
        bytes_retransmitted: Some(208),
        retransmits: 100,
        timestamps: true,
        sack: false,
        rtt_us: 68,
        congestion_window: 80,
        slow_start_threshold: 76,
        receiver_limited_us: Some(176),
        buffer_limited_us: Some(184),
        min_rtt_us: Some(148),
        send_mss: 16,
        receive_mss: 20,
    };
    assert_eq!(info, expected);
}

#[test]
fn what_an_older_kernel_does_not_tell_is_none() {
    let linux_3_2 = TcpInfo::parse(&structure(104)).unwrap();
    assert_eq!(linux_3_2.retransmits, 100);
    assert_eq!(linux_3_2.segments_in, None);
    assert_eq!(Segments::since_open(Side::Client, &linux_3_2), None);
    assert_eq!(Segments::between(&linux_3_2, &linux_3_2), None);
    let linux_4_6 = TcpInfo::parse(&structure(160)).unwrap();
    assert_eq!((linux_4_6.segments_in, linux_4_6.data_segments_out), (Some(140), Some(156)));
    assert_eq!(linux_4_6.bytes_sent, None);
    assert_eq!(TcpInfo::parse(&structure(103)), None);
}

#[test]
fn headers_are_as_long_as_the_standards_say() {
    use IpVersion::{V4, V6};
    // Version, timestamps, a segment, a SYN.
    let cases = [(V4, true, 52, 60), (V4, false, 40, 52), (V6, true, 72, 80), (V6, false, 60, 72)];
    for (ip, timestamps, segment, syn) in cases {
        assert_eq!(header_bytes(ip, timestamps), segment, "{ip:?} {timestamps}");
        assert_eq!(syn_header_bytes(ip, timestamps), syn, "{ip:?} {timestamps}");
    }
    assert_eq!(IpVersion::of("127.0.0.1".parse().unwrap()), V4);
    assert_eq!(IpVersion::of("::ffff:127.0.0.1".parse().unwrap()), V4);
    assert_eq!(IpVersion::of("::1".parse().unwrap()), V6);
}

#[test]
fn opening_and_closing_cost_what_the_reference_says() {
    const ETHERNET: u64 = 14;
    let mut info = TcpInfo::parse(&structure(SIZE)).unwrap();
    (info.segments_out, info.segments_in) = (Some(2), Some(1));
    let open = Segments::since_open(Side::Client, &info).unwrap();
    let bytes = open.header_bytes(IpVersion::V4, true);
    assert_eq!(bytes, HeaderBytes { sent: 60 + 52, received: 60 });
    assert_eq!(bytes.sent + bytes.received + 3 * ETHERNET, 214);

    let close = Segments::of_close(&info, Parting::Silent);
    let bytes = close.header_bytes(IpVersion::V4, true);
    assert_eq!(bytes, HeaderBytes { sent: 104, received: 52 });
    // One more where the other end takes its time: 264.
    assert_eq!(bytes.sent + bytes.received + 3 * ETHERNET, 264 - 66);
    for (state, sent, received) in [
        (TcpState::Opening, 0, 0),
        (TcpState::FinSent, 1, 1),
        (TcpState::FinReceived, 1, 1),
        (TcpState::BothFins, 0, 1),
        (TcpState::Closed, 0, 0),
    ] {
        info.state = state;
        for parting in [Parting::Silent, Parting::First, Parting::Second] {
            let close = Segments::of_close(&info, parting);
            assert_eq!((close.sent, close.received), (sent, received), "{state:?} {parting:?}");
        }
    }
}

#[test]
fn counters_that_wrapped_around_still_tell_the_difference() {
    let mut earlier = TcpInfo::parse(&structure(SIZE)).unwrap();
    let mut later = earlier;
    (earlier.segments_out, later.segments_out) = (Some(u32::MAX - 1), Some(3));
    (earlier.segments_in, later.segments_in) = (Some(10), Some(12));
    let between = Segments::between(&earlier, &later).unwrap();
    assert_eq!(between, Segments { sent: 5, received: 2, ..Segments::default() });
    let bytes = between.header_bytes(IpVersion::V6, true);
    assert_eq!(bytes, HeaderBytes { sent: 360, received: 144 });
}
