//! Bytes of connections over a window, held against what their other ends sent, got and counted.

use std::time::Duration;

use pushbench_core::{IpVersion, Seq};
use pushbench_metrics::observe::observer::Window;
use pushbench_metrics::observe::served::ServedBytes;
use pushbench_os::net::tcp_info::{Segments, Side, TcpInfo, TcpState};
use pushbench_os::time::clock;
use pushbench_server::ServerConfig;

use crate::client::{Client, PATIENCE, Running, get, manual};

/// Long enough for all that a test does, and for the last acknowledgement, which may take 40 ms.
const WINDOW: Duration = Duration::from_secs(1);

/// Bytes above TCP that an end of its own sent and got.
#[derive(Debug, Default, PartialEq, Eq)]
struct Moved {
    up: u64,
    down: u64,
}

/// The count of a server while `act` is done within a window of its.
fn counted(act: impl FnOnce(&Running)) -> Option<ServedBytes> {
    let server = Running::with(ServerConfig { counts_bytes: true, ..manual() });
    let start = clock::now();
    server.handle.measure(Window { start, end: start + WINDOW, first: Seq(1), last: Seq::NONE });
    act(&server);
    server.until("the window is over", |_| clock::now() > start + WINDOW);
    server.stop().served
}

/// A poll on a connection, whose bytes are added to `moved`.
fn poll(client: &mut Client, moved: &mut Moved) {
    let request = get("/feed/poll");
    client.send(&request);
    let head = client.take_until("\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 204 "), "{head}");
    moved.up += request.len() as u64;
    moved.down += head.len() as u64;
}

fn above_tcp(bytes: &ServedBytes) -> Moved {
    Moved { up: bytes.up.socket_bytes, down: bytes.down.socket_bytes }
}

/// Bytes of headers that the kernel of the other end tells of a connection that is open.
fn headers(clients: &[Client]) -> (u64, u64) {
    let each = clients.iter().map(|client| {
        let info = TcpInfo::of(&client.socket).unwrap();
        let segments = Segments::since_open(Side::Client, &info).unwrap();
        let headers = segments.header_bytes(IpVersion::V4, info.timestamps);
        (headers.sent, headers.received)
    });
    each.fold((0, 0), |(up, down), (sent, received)| (up + sent, down + received))
}

#[test]
fn bytes_above_tcp_are_those_that_the_other_ends_sent_and_got() {
    let (mut moved, mut clients) = (Moved::default(), Vec::new());
    let bytes = counted(|server| {
        clients.extend([server.connect(), server.connect()]);
        for _ in 0..3 {
            clients.iter_mut().for_each(|client| poll(client, &mut moved));
        }
    });
    let bytes = bytes.expect("the window was whole");
    assert_eq!(bytes.connections, 2);
    assert_eq!(above_tcp(&bytes), moved);
}

#[test]
fn headers_of_open_connections_are_those_that_their_other_ends_count() {
    let mut expected = (0, 0);
    let bytes = counted(|server| {
        let mut clients = [server.connect(), server.connect()];
        let mut moved = Moved::default();
        clients.iter_mut().for_each(|client| poll(client, &mut moved));
        // Until the acknowledgements of the last answers have been sent, which are all that is to come.
        server.until("all is acknowledged", |_| {
            let mut infos = clients.iter().map(|client| TcpInfo::of(&client.socket).unwrap());
            infos.all(|info| info.state == TcpState::Open && info.segments_out >= Some(4))
        });
        expected = headers(&clients);
        // Open until the server has counted.
        std::mem::forget(clients);
    });
    let bytes = bytes.expect("the window was whole");
    assert_eq!((bytes.up.tcpip.header_bytes, bytes.down.tcpip.header_bytes), expected);
}

#[test]
fn connections_that_end_within_the_window_count_once_and_what_was_before_it_does_not() {
    let server = Running::with(ServerConfig { counts_bytes: true, ..manual() });
    let mut before = server.connect();
    poll(&mut before, &mut Moved::default());
    let start = clock::now();
    server.handle.measure(Window { start, end: start + WINDOW, first: Seq(1), last: Seq::NONE });
    let mut moved = Moved::default();
    for _ in 0..4 {
        let mut client = server.connect();
        poll(&mut client, &mut moved);
        poll(&mut client, &mut moved);
    }
    poll(&mut before, &mut moved);
    server.until("the window is over", |_| clock::now() > start + WINDOW);
    let bytes = server.stop().served.expect("the window was whole");
    assert_eq!((bytes.connections, above_tcp(&bytes)), (4, moved));
    // SYN, ACK, two requests, FIN and the ACK of a FIN of each, and a request.
    assert!(bytes.up.tcpip.packets > 4 * 6, "{bytes:?}");
}

#[test]
fn a_window_that_is_not_over_or_not_asked_for_has_no_bytes() {
    let server = Running::with(ServerConfig { counts_bytes: true, ..manual() });
    let start = clock::now();
    server.handle.measure(Window { start, end: start + PATIENCE, first: Seq(1), last: Seq::NONE });
    poll(&mut server.connect(), &mut Moved::default());
    assert_eq!(server.stop().served, None);

    let server = Running::start();
    server.handle.measure(Window { start, end: start, first: Seq(1), last: Seq::NONE });
    poll(&mut server.connect(), &mut Moved::default());
    assert_eq!(server.stop().served, None);
}
