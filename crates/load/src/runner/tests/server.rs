//! Servers that follow a script, each connection in a thread of its own.

use std::io::{Read, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_os::time::clock;
use pushbench_protocol::batch;
use rustls::{ServerConnection, Stream};

use crate::channel::tests::peer::config;
use crate::session::tests::{frame, payload, response, upgrade};

/// Messages a second of every scripted feed.
pub(super) const RATE: f64 = 100.0;

/// A message's period.
pub(super) const PERIOD: Duration = Duration::from_millis(10);

/// The state that a scripted server shares with the test.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// When the feed's first message is due.
    pub(super) origin: OnceLock<MonoInstant>,
    /// The first line of each request, in the order of arrival.
    pub(super) requests: Mutex<Vec<String>>,
}

impl Shared {
    pub(super) fn noted(&self, request: &str) {
        self.requests.lock().unwrap().push(request.lines().next().unwrap_or("").to_owned());
    }

    /// The feed's newest message now.
    pub(super) fn newest(&self) -> u64 {
        let Some(&origin) = self.origin.get() else { return 0 };
        let now = clock::now();
        if now < origin {
            0
        } else {
            1 + now.saturating_since(origin).as_nanos() as u64 / 10_000_000
        }
    }
}

/// Starts a server that has `play` handle each connection, told its number from 0.
pub(super) fn start(
    play: impl Fn(u32, TcpStream, &Shared) + Send + Sync + 'static,
) -> (SocketAddr, Arc<Shared>) {
    start_at("127.0.0.1:0", play).unwrap()
}

/// As [`start`], at an address of this machine's; `None` where it has none such.
pub(super) fn start_at(
    address: &str,
    play: impl Fn(u32, TcpStream, &Shared) + Send + Sync + 'static,
) -> Option<(SocketAddr, Arc<Shared>)> {
    let listener = TcpListener::bind(address).ok()?;
    let address = listener.local_addr().unwrap();
    let (shared, play) = (Arc::new(Shared::default()), Arc::new(play));
    let of_server = shared.clone();
    thread::spawn(move || {
        for (stream, number) in listener.incoming().zip(0..) {
            let (shared, play, stream) = (of_server.clone(), play.clone(), stream.unwrap());
            thread::spawn(move || play(number, stream, &shared));
        }
    });
    Some((address, shared))
}

/// The next request's head; `None` at the connection's end.
pub(super) fn request(stream: &mut impl Read, shared: &Shared) -> Option<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    shared.noted(&head);
    Some(head)
}

/// The cursor in a request, or the newest message.
pub(super) fn cursor(request: &str, shared: &Shared) -> u64 {
    let after = request.split_once("after=").map(|(_, rest)| rest.split(' ').next().unwrap());
    after.map_or_else(|| shared.newest(), |after| after.parse().unwrap())
}

/// Opens a WebSocket and sends, when message *n* is due, the messages that `script` says.
pub(super) fn websocket(
    mut stream: TcpStream,
    shared: &Shared,
    script: impl Fn(u64) -> Option<Vec<u64>>,
) {
    let Some(request) = request(&mut stream, shared) else { return };
    let after = cursor(&request, shared);
    stream.write_all(&upgrade(&request, after)).unwrap();
    close_when_asked(&stream);
    let origin = *shared.origin.wait();
    for seq in after + 1.. {
        clock::sleep_until(origin + PERIOD * u32::try_from(seq - 1).unwrap());
        let Some(seqs) = script(seq) else {
            let _ = stream.shutdown(Shutdown::Both);
            return;
        };
        let wire: Vec<u8> = seqs.iter().flat_map(|&seq| frame(0x81, &payload(seq, 64))).collect();
        if stream.write_all(&wire).is_err() {
            return;
        }
    }
}

/// Closes the connection when the client sends something: these send nothing but close frames.
fn close_when_asked(stream: &TcpStream) {
    let mut stream = stream.try_clone().unwrap();
    thread::spawn(move || {
        let _ = stream.read(&mut [0; 64]);
        let _ = stream.shutdown(Shutdown::Both);
    });
}

/// Answers polls, each `delay` after it came, until the client is gone or `times` have been.
pub(super) fn polls(mut stream: TcpStream, shared: &Shared, delay: Duration, times: usize) {
    for _ in 0..times {
        let Some(request) = request(&mut stream, shared) else { return };
        thread::sleep(delay);
        if stream.write_all(&answer(&request, shared)).is_err() {
            return;
        }
    }
}

/// The answer to a poll.
fn answer(request: &str, shared: &Shared) -> Vec<u8> {
    let (after, newest) = (cursor(request, shared), shared.newest());
    let mut body = Vec::new();
    (after + 1..=newest).for_each(|seq| batch::push(&mut body, &payload(seq, 64)));
    let status = if body.is_empty() { "204 No Content" } else { "200 OK" };
    response(status, newest.max(after), &body)
}

/// Answers a poll in TLS, says good-bye, and closes some time after the client has too, whose
/// good-bye it does not read.
pub(super) fn poll_and_part(mut socket: TcpStream, shared: &Shared) {
    let mut tls = ServerConnection::new(Arc::new(config())).unwrap();
    let mut stream = Stream::new(&mut tls, &mut socket);
    let Some(request) = request(&mut stream, shared) else { return };
    if stream.write_all(&answer(&request, shared)).is_err() {
        return;
    }
    tls.send_close_notify();
    if tls.write_tls(&mut socket).is_ok() && socket.peek(&mut [0]).is_ok() {
        // Less than after which a FIN is sent again that nobody acknowledges.
        thread::sleep(Duration::from_millis(1));
    }
}
