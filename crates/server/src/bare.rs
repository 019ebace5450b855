//! The least that a server of streams can do: write each message, encoded once, to every socket at its
//! instant. Where the plan has connections in TLS, it is sealed for each of them, in place.
//!
//! It takes the orders of a server process, so that a trial can be played with it and its cost be
//! read in the same way. Its cost of a message is the floor of all that write each message to
//! each client for itself.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use pushbench_core::MonoInstant;
use pushbench_core::feed::FeedSpec;
use pushbench_core::feed::message::Content;
use pushbench_metrics::observe::observer::Window;
use pushbench_metrics::record::control::{ServerMeasured, ServerNews, ServerOrder, ServerPlan};
use pushbench_os::time::clock;
use pushbench_tls::{Acceptor, MAX_RECORD, Sealer, Stream};
use rustix::io::Errno;
use rustix::net::{SendFlags, listen, send};
use tungstenite::handshake::derive_accept_key;

use crate::pace::{Due, Pace, Sink, Taken};
use crate::wire::Language;

/// How long a client may take over its handshake, or its good-bye.
const PATIENCE: Duration = Duration::from_secs(2);

/// Room for the head of an answer in a record.
const HEAD: usize = 512;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 4096;

/// Connections whose handshake is done, the last perhaps to be answered yet.
type Accepted = Arc<Mutex<Vec<Peer>>>;

/// A client that is written to.
#[derive(Debug)]
struct Peer {
    socket: TcpStream,
    sealer: Option<Sealer>,
    language: Language,
}

/// Serves the feed of `plan` until its window is over. `hear` waits for the next order.
///
/// # Errors
///
/// An address that cannot be listened on, a client that is gone or does not keep up, and an order
/// out of turn.
pub fn play(
    plan: &ServerPlan,
    mut hear: impl FnMut() -> io::Result<ServerOrder>,
    mut say: impl FnMut(ServerNews),
) -> io::Result<()> {
    let listener = TcpListener::bind(plan.place.listen)?;
    listen(&listener, BACKLOG)?;
    say(ServerNews::Listening { address: listener.local_addr()? });
    let acceptor = plan.security.as_ref().map(Acceptor::new).transpose();
    let acceptor = acceptor.map_err(io::Error::other)?.map(Acceptor::giving_keys_out);
    let accepted = Accepted::default();
    let shared = Arc::clone(&accepted);
    thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            // A client that is refused finds its connection closed, and says so.
            let _ = welcome(socket, acceptor.as_ref(), &shared);
        }
    });
    let (origin, window) = begin(&mut hear)?;
    let mut peers = std::mem::take(&mut *accepted.lock().expect("nobody panics with it"));
    let measured = write_all(plan, origin, window, &mut peers)?;
    // Whoever says good-bye is heard; whoever just goes, too.
    for mut peer in peers {
        let _ = peer.socket.read(&mut [0; 64]);
    }
    let ServerOrder::Stop = hear()? else { return Err(out_of_turn("the order to stop")) };
    say(ServerNews::Stopped(Box::new(measured)));
    Ok(())
}

/// The feed's zero and the window, in whichever order they come.
fn begin(hear: &mut impl FnMut() -> io::Result<ServerOrder>) -> io::Result<(MonoInstant, Window)> {
    match (hear()?, hear()?) {
        (ServerOrder::Start { origin }, ServerOrder::Measure { window })
        | (ServerOrder::Measure { window }, ServerOrder::Start { origin }) => Ok((origin, window)),
        _ => Err(out_of_turn("the feed's zero and the window")),
    }
}

fn out_of_turn(expected: &str) -> io::Error {
    io::Error::other(format!("expected {expected}"))
}

/// Writes each message that is due before the window's end to each socket, in the language of the
/// first; how late it was in the window.
fn write_all(
    plan: &ServerPlan,
    origin: MonoInstant,
    window: Window,
    peers: &mut [Peer],
) -> io::Result<ServerMeasured> {
    let mut pace = Pace::new(&plan.feed, origin, Duration::ZERO, window.end);
    let language = peers.first().map_or(Language::Frames, |peer| peer.language);
    let (measured, record) = (ServerMeasured::default(), vec![0; MAX_RECORD].into());
    let mut writer = Writer { feed: &plan.feed, window, peers, language, record, measured };
    while let Some((due, at)) = pace.next() {
        let message = writer.prepare(&due);
        clock::sleep_until(at);
        match pace.hand_over(&mut writer, message, &due) {
            // The readers go when the window is over, also where the last round of writes is not.
            Err(_) if clock::now() >= window.end => break,
            written => written?,
        };
    }
    Ok(writer.measured)
}

/// The sockets that each message is written to.
struct Writer<'a> {
    feed: &'a FeedSpec,
    window: Window,
    peers: &'a mut [Peer],
    language: Language,
    /// Room for a record.
    record: Box<[u8]>,
    measured: ServerMeasured,
}

impl Sink for Writer<'_> {
    type Message = Bytes;
    type Error = io::Error;

    fn prepare(&mut self, due: &Due) -> Bytes {
        let payload = self.feed.payload.render(self.feed.seed, due.seq);
        self.language.encode(due.seq, Content::Text, &payload)
    }

    fn take(&mut self, message: Bytes, due: &Due) -> io::Result<Taken> {
        let at = clock::now();
        if due.at >= self.window.start {
            self.measured.published += 1;
            self.measured.publish_lag.record(at.saturating_since(due.at));
        }
        for Peer { socket, sealer, .. } in &mut *self.peers {
            match sealer {
                None => write(socket, &message)?,
                Some(sealer) => {
                    let length = sealer.seal(&message, &mut self.record)?;
                    write(socket, &self.record[..length])?;
                }
            }
        }
        Ok(Taken { at, bytes: message.len() })
    }

    fn flush(&mut self, _: MonoInstant) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a message with one call.
#[inline]
fn write(socket: &TcpStream, message: &[u8]) -> io::Result<()> {
    match send(socket, message, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
        Ok(written) if written == message.len() => Ok(()),
        Ok(_) | Err(Errno::AGAIN) => Err(io::Error::other("a client's socket is full")),
        Err(error) => Err(error.into()),
    }
}

/// Takes a client in, secured if there is an `acceptor`.
fn welcome(socket: TcpStream, acceptor: Option<&Acceptor>, accepted: &Accepted) -> io::Result<()> {
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let Some(acceptor) = acceptor else {
        let mut socket = socket;
        let (language, head) = answer(&mut socket)?;
        return keep(accepted, Peer { socket, sealer: None, language }, &head);
    };
    let mut stream = Stream::open(acceptor.layer(), socket)?;
    let (language, head) = answer(&mut stream)?;
    let (socket, mut sealer, _) = stream.into_bare()?;
    let mut record = [0; HEAD];
    let length = sealer.seal(&head, &mut record)?;
    keep(accepted, Peer { socket, sealer: Some(sealer), language }, &record[..length])
}

/// Answers a client once it is among those that are written to.
fn keep(accepted: &Accepted, peer: Peer, head: &[u8]) -> io::Result<()> {
    let mut accepted = accepted.lock().expect("nobody panics with it");
    accepted.push(peer);
    accepted.last_mut().map_or(Ok(()), |peer| peer.socket.write_all(head))
}

/// Reads a request, and says what it is to be answered: a WebSocket's handshake has a key.
fn answer(stream: &mut impl io::Read) -> io::Result<(Language, Vec<u8>)> {
    let (mut request, mut piece) = (Vec::new(), [0; 1024]);
    while !request.ends_with(b"\r\n\r\n") {
        let length = stream.read(&mut piece)?;
        if length == 0 {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        request.extend_from_slice(&piece[..length]);
    }
    let request = String::from_utf8_lossy(&request);
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
    let Some(key) = key else {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\
                    Transfer-Encoding: chunked\r\nETag: \"0\"\r\n\r\n";
        return Ok((Language::Events, head.into()));
    };
    let accept = derive_accept_key(key.as_bytes());
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {accept}\r\nETag: \"0\"\r\n\r\n"
    );
    Ok((Language::Frames, head.into()))
}
