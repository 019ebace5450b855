//! Handshakes: who is let in, who is told why not, and what they may cost others.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use pushbench_server::ServerConfig;

use crate::client::{Running, get, manual};

const OUTCOMES: &str = "pushbench_tls_handshakes_total{outcome=";

fn failed(server: &Running) -> f64 {
    server.metric(&format!("{OUTCOMES}\"failed\"}}"))
}

#[test]
fn http_in_clear_is_told_where_it_is() {
    let server = Running::start();
    let mut socket = TcpStream::connect(server.address).unwrap();
    socket.write_all(get("/").as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    assert!(answer.contains("https://"), "{answer}");
    assert!((failed(&server) - 1.0).abs() < 0.1);
}

#[test]
fn a_handshake_that_does_not_end_is_cut_like_a_slow_request() {
    let request_timeout = Duration::from_millis(200);
    let server = Running::with(ServerConfig { request_timeout, ..manual() });
    let mut silent = TcpStream::connect(server.address).unwrap();
    let mut halved = TcpStream::connect(server.address).unwrap();
    // The beginning of a record of a handshake (RFC 8446 §5.1).
    halved.write_all(&[0x16, 3, 1, 2, 0, 1]).unwrap();
    for socket in [&mut silent, &mut halved] {
        assert_eq!(socket.read(&mut [0; 9]).unwrap_or(0), 0, "nothing is left to say");
    }
    server.until("both are counted", |server| failed(server) > 1.5);
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn a_client_that_is_not_understood_gets_an_alert() {
    let server = Running::start();
    let mut socket = TcpStream::connect(server.address).unwrap();
    // A handshake record that holds no known message (RFC 8446 §4).
    socket.write_all(&[0x16, 3, 1, 0, 4, 99, 0, 0, 0]).unwrap();
    let mut alert = Vec::new();
    socket.read_to_end(&mut alert).unwrap();
    // A fatal alert (RFC 8446 §6), and then the end.
    assert_eq!((alert.len(), alert[0], alert[5]), (7, 0x15, 2), "{alert:?}");
}

#[test]
fn who_leaves_within_a_handshake_is_forgotten() {
    let server = Running::start();
    let before = server.metric("pushbench_connections_open{kind=\"http\"}");
    drop(TcpStream::connect(server.address).unwrap());
    server.until("it is gone", |server| {
        let open = server.metric("pushbench_connections_open{kind=\"http\"}");
        failed(server) > 0.5 && (open - before).abs() < 0.1
    });
}

#[test]
fn who_has_left_before_its_turn_costs_no_handshake() {
    let server = Running::start();
    let mut hello = Vec::new();
    crate::secured().unwrap().write_tls(&mut hello).unwrap();
    let sockets: Vec<_> = std::iter::repeat_with(|| {
        let mut socket = TcpStream::connect(server.address).unwrap();
        socket.write_all(&hello).unwrap();
        socket.shutdown(Shutdown::Write).unwrap();
        socket
    })
    .take(200)
    .collect();
    let unanswered = sockets.into_iter().filter(|mut socket| {
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).unwrap();
        answer.is_empty()
    });
    // Some may have had their turn at once.
    assert!(unanswered.count() > 0);
    server.until("all are counted", |server| failed(server) > 199.5);
    assert_eq!(server.get("/healthz").status, 200);
}
