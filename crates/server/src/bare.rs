//! The least that a server of streams can do: write each message, encoded once, to every socket at its
//! instant. Where the plan has connections in TLS, it is sealed for each of them, in place; where it has
//! context takeover, it is compressed for each of them before that.
//!
//! It takes the orders of a server process, so that a trial can be played with it and its cost be
//! read in the same way. Its cost of a message is the floor of all that write each message to
//! each client for itself. Where clients talk, `talk` is the least that it can do.

mod talk;

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use pushbench_core::MonoInstant;
use pushbench_core::compression::CompressionTerms;
use pushbench_core::deflate::DeflateSettings;
use pushbench_core::feed::FeedSpec;
use pushbench_core::feed::message::Content;
use pushbench_metrics::observe::observer::Window;
use pushbench_metrics::record::control::{
    ServerMeasured, ServerNews, ServerOrder, ServerPlan, ServerPlayer,
};
use pushbench_os::time::clock;
use pushbench_protocol::deflate::{Compressor, Policy};
use pushbench_tls::{Acceptor, MAX_RECORD, Sealer, Stream};
use rustix::io::Errno;
use rustix::net::{SendFlags, listen, send};
use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::pace::{Due, Pace, Sink, Taken};
use crate::wire::Language;

/// How long a client may take over its handshake, or its good-bye.
const PATIENCE: Duration = Duration::from_secs(2);

/// Room for the head of an answer in a record.
const HEAD: usize = 512;

/// Room for the header of a frame before its payload (RFC 6455 §5.2).
const HEADER: usize = 10;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 4096;

/// Connections whose handshake is done, the last perhaps to be answered yet.
type Accepted = Arc<Mutex<Vec<Peer>>>;

/// A client that is written to.
#[derive(Debug)]
struct Peer {
    socket: TcpStream,
    sealer: Option<Sealer>,
    terms: Terms,
}

/// The form in which a client has asked for the messages.
#[derive(Debug)]
struct Terms {
    language: Language,
    /// A compressor of its own, where the plan's terms have one for each.
    compressor: Option<Compressor>,
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
    let host = Host { acceptor, compression: plan.compression, accepted: Arc::clone(&accepted) };
    thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            // A client that is refused finds its connection closed, and says so.
            let _ = host.welcome(socket);
        }
    });
    let (origin, window) = begin(&mut hear)?;
    let mut peers = std::mem::take(&mut *accepted.lock().expect("nobody panics with it"));
    let measured = if let ServerPlayer::BareTalk(pattern) = plan.player {
        let sockets = peers.into_iter().map(|peer| peer.socket).collect();
        talk::play(pattern, sockets, window.end)?;
        ServerMeasured::default()
    } else {
        let measured = write_all(plan, origin, window, &mut peers)?;
        // Whoever says good-bye is heard; whoever just goes, too.
        for mut peer in peers {
            let _ = peer.socket.read(&mut [0; 64]);
        }
        measured
    };
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
    let language = peers.first().map_or(Language::Frames, |peer| peer.terms.language);
    let (record, frame) = (vec![0; MAX_RECORD].into(), Vec::new());
    let measured = ServerMeasured::default();
    let mut writer = Writer { feed: &plan.feed, window, peers, language, record, frame, measured };
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
    /// Room for a frame of what was compressed.
    frame: Vec<u8>,
    measured: ServerMeasured,
}

impl Sink for Writer<'_> {
    /// A payload, and all of the message as it is.
    type Message = (Bytes, Bytes);
    type Error = io::Error;

    fn prepare(&mut self, due: &Due) -> Self::Message {
        let payload = self.feed.payload.render(self.feed.seed, due.seq);
        let message = self.language.encode(due.seq, Content::Text, &payload);
        (payload, message)
    }

    fn take(&mut self, (payload, message): Self::Message, due: &Due) -> io::Result<Taken> {
        let at = clock::now();
        if due.at >= self.window.start {
            self.measured.published += 1;
            self.measured.publish_lag.record(at.saturating_since(due.at));
        }
        for Peer { socket, sealer, terms } in &mut *self.peers {
            let bytes = match &mut terms.compressor {
                None => &*message,
                Some(compressor) => compress(compressor, &payload, &mut self.frame)?,
            };
            match sealer {
                None => write(socket, bytes)?,
                Some(sealer) => {
                    let length = sealer.seal(bytes, &mut self.record)?;
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

/// A message as a frame, compressed behind those that `compressor` has had (RFC 7692 §6.1).
#[inline]
fn compress<'a>(
    compressor: &mut Compressor,
    payload: &[u8],
    frame: &'a mut Vec<u8>,
) -> io::Result<&'a [u8]> {
    frame.clear();
    frame.resize(HEADER, 0);
    compressor.push(payload, frame);
    let opcode = OpCode::Data(Data::Text);
    let header = FrameHeader { rsv1: true, opcode, ..FrameHeader::default() };
    let length = (frame.len() - HEADER) as u64;
    let start = HEADER - header.len(length);
    header.format(length, &mut &mut frame[start..HEADER]).map_err(io::Error::other)?;
    Ok(&frame[start..])
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

/// A part that takes clients in.
#[derive(Debug)]
struct Host {
    acceptor: Option<Acceptor>,
    compression: Option<CompressionTerms>,
    accepted: Accepted,
}

impl Host {
    /// Takes a client in, secured if that is how connections are.
    fn welcome(&self, socket: TcpStream) -> io::Result<()> {
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let Some(acceptor) = &self.acceptor else {
            let mut socket = socket;
            let (terms, head) = self.answer(&read_request(&mut socket)?)?;
            return self.keep(Peer { socket, sealer: None, terms }, &head);
        };
        let mut stream = Stream::open(acceptor.layer(), socket)?;
        let (terms, head) = self.answer(&read_request(&mut stream)?)?;
        let (socket, mut sealer, _) = stream.into_bare()?;
        let mut record = [0; HEAD];
        let length = sealer.seal(&head, &mut record)?;
        self.keep(Peer { socket, sealer: Some(sealer), terms }, &record[..length])
    }

    /// Answers a client once it is among those that are written to.
    fn keep(&self, peer: Peer, head: &[u8]) -> io::Result<()> {
        let mut accepted = self.accepted.lock().expect("nobody panics with it");
        accepted.push(peer);
        accepted.last_mut().map_or(Ok(()), |peer| peer.socket.write_all(head))
    }

    /// The answer to a request, and the terms that it sets: a WebSocket's handshake has a key.
    fn answer(&self, request: &str) -> io::Result<(Terms, Vec<u8>)> {
        let field = |name: &str| request.lines().find_map(|line| line.strip_prefix(name));
        let Some(key) = field("Sec-WebSocket-Key: ") else {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\
                        Connection: close\r\nTransfer-Encoding: chunked\r\nETag: \"0\"\r\n\r\n";
            let terms = Terms { language: Language::Events, compressor: None };
            return Ok((terms, head.into()));
        };
        let offers = field("Sec-WebSocket-Extensions: ").unwrap_or_default();
        let (compressor, extensions) = self.agree(offers)?.unzip();
        let accept = derive_accept_key(key.as_bytes());
        let extensions = extensions.unwrap_or_default();
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {accept}\r\n{extensions}ETag: \"0\"\r\n\r\n"
        );
        Ok((Terms { language: Language::Frames, compressor }, head.into()))
    }

    /// A compressor of a client's own, and the line that says so, where that is offered and among the
    /// terms. What clients share is not: there is no loop that compresses for all of them.
    fn agree(&self, offers: &str) -> io::Result<Option<(Compressor, String)>> {
        let Some(terms) = self.compression else { return Ok(None) };
        let policy = Policy { takeover: terms.takeover, window: terms.deflate.window };
        let accepted = policy.choose(offers).map_err(io::Error::other)?;
        let own = accepted.filter(|accepted| accepted.agreement.server.takeover);
        Ok(own.map(|accepted| {
            let window = accepted.agreement.server.window;
            let settings = DeflateSettings { window, ..terms.deflate };
            let line = format!("Sec-WebSocket-Extensions: {}\r\n", accepted.answer);
            (Compressor::new(settings, true), line)
        }))
    }
}

fn read_request(stream: &mut impl io::Read) -> io::Result<String> {
    let (mut request, mut piece) = (Vec::new(), [0; 1024]);
    while !request.ends_with(b"\r\n\r\n") {
        let length = stream.read(&mut piece)?;
        if length == 0 {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        request.extend_from_slice(&piece[..length]);
    }
    Ok(String::from_utf8_lossy(&request).into_owned())
}

#[cfg(test)]
mod tests {
    use flate2::{Decompress, FlushDecompress};

    use super::*;

    const REQUEST: &str = "GET /feed/ws HTTP/1.1\r\nSec-WebSocket-Key: key\r\n\
                           Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

    fn answer(takeover: bool) -> (Option<Compressor>, String) {
        let compression = Some(CompressionTerms { takeover, ..CompressionTerms::default() });
        let host = Host { acceptor: None, compression, accepted: Accepted::default() };
        let (terms, head) = host.answer(REQUEST).unwrap();
        assert_eq!(terms.language, Language::Frames);
        (terms.compressor, String::from_utf8(head).unwrap())
    }

    #[test]
    fn whoever_has_a_context_gets_text_frames_that_inflate_in_it() {
        let (compressor, head) = answer(true);
        assert!(head.contains("\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"), "{head}");
        let (mut compressor, mut frame) = (compressor.unwrap(), Vec::new());
        let (mut context, mut sizes) = (Decompress::new(false), Vec::new());
        for _ in 0..2 {
            let frame = compress(&mut compressor, REQUEST.as_bytes(), &mut frame).unwrap();
            // The last frame of a text, compressed (RFC 6455 §5.2, RFC 7692 §6.1).
            assert_eq!((frame[0], usize::from(frame[1])), (0xc1, frame.len() - 2));
            let (sent, mut text) = ([&frame[2..], &[0, 0, 0xff, 0xff]].concat(), Vec::new());
            text.reserve(2 * REQUEST.len());
            context.decompress_vec(&sent, &mut text, FlushDecompress::Sync).unwrap();
            assert_eq!(text, REQUEST.as_bytes());
            sizes.push(sent.len());
        }
        assert!(sizes[1] < sizes[0] / 2, "the second refers to the first: {sizes:?}");
    }

    #[test]
    fn what_clients_would_share_is_declined() {
        let (compressor, head) = answer(false);
        assert!(compressor.is_none() && !head.contains("Extensions"), "{head}");
    }
}
