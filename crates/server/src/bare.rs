//! The least that a server of WebSockets can do: write each message, encoded once, to every
//! socket at its instant.
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
use rustix::io::Errno;
use rustix::net::{SendFlags, listen, send};
use tungstenite::handshake::derive_accept_key;

use crate::pace::{Due, Pace, Sink, Taken};
use crate::wire::frame;

/// How long a client may take over its handshake, or its good-bye.
const PATIENCE: Duration = Duration::from_secs(2);

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 4096;

/// Connections whose handshake is done, the last perhaps to be answered yet.
type Accepted = Arc<Mutex<Vec<TcpStream>>>;

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
    let accepted = Accepted::default();
    let shared = Arc::clone(&accepted);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // A client that is refused finds its connection closed, and says so.
            let _ = welcome(stream, &shared);
        }
    });
    let (origin, window) = begin(&mut hear)?;
    let streams = std::mem::take(&mut *accepted.lock().expect("nobody panics with it"));
    let measured = write_all(plan, origin, window, &streams)?;
    // Whoever says good-bye is heard; whoever just goes, too.
    for mut stream in streams {
        let _ = stream.read(&mut [0; 64]);
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

/// Writes each message that is due before the window's end to each socket, as one frame; how late
/// it was in the window.
fn write_all(
    plan: &ServerPlan,
    origin: MonoInstant,
    window: Window,
    streams: &[TcpStream],
) -> io::Result<ServerMeasured> {
    let mut pace = Pace::new(&plan.feed, origin, Duration::ZERO, window.end);
    let measured = ServerMeasured::default();
    let mut writer = Writer { feed: &plan.feed, window, streams, measured };
    while let Some((due, at)) = pace.next() {
        let frame = writer.prepare(&due);
        clock::sleep_until(at);
        match pace.hand_over(&mut writer, frame, &due) {
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
    streams: &'a [TcpStream],
    measured: ServerMeasured,
}

impl Sink for Writer<'_> {
    type Message = Bytes;
    type Error = io::Error;

    fn prepare(&mut self, due: &Due) -> Bytes {
        frame(Content::Text, &self.feed.payload.render(self.feed.seed, due.seq))
    }

    fn take(&mut self, frame: Bytes, due: &Due) -> io::Result<Taken> {
        let at = clock::now();
        if due.at >= self.window.start {
            self.measured.published += 1;
            self.measured.publish_lag.record(at.saturating_since(due.at));
        }
        self.streams.iter().try_for_each(|stream| write(stream, &frame))?;
        Ok(Taken { at, bytes: frame.len() })
    }

    fn flush(&mut self, _: MonoInstant) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a frame with one call.
#[inline]
fn write(stream: &TcpStream, frame: &[u8]) -> io::Result<()> {
    match send(stream, frame, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
        Ok(written) if written == frame.len() => Ok(()),
        Ok(_) | Err(Errno::AGAIN) => Err(io::Error::other("a client's socket is full")),
        Err(error) => Err(error.into()),
    }
}

/// Answers a client's handshake, once it is among those that are written to.
fn welcome(mut stream: TcpStream, accepted: &Accepted) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
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
    let key = key.ok_or_else(|| io::Error::other("a handshake has no key"))?;
    let accept = derive_accept_key(key.as_bytes());
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {accept}\r\nETag: \"0\"\r\n\r\n"
    );
    let mut accepted = accepted.lock().expect("nobody panics with it");
    accepted.push(stream);
    accepted.last_mut().map_or(Ok(()), |stream| stream.write_all(head.as_bytes()))
}
