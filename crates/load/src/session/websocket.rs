//! WebSocket: a handshake, then frames (RFC 6455).

mod asked;
mod clients;
mod fault;
mod said;

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pushbench_core::{Identity, Seq, random};
use pushbench_metrics::observe::ledger::Layer;
use pushbench_protocol::deflate::{Agreement, Offer};
use pushbench_protocol::frame::{
    FrameError, FrameReader, Opcode, Piece, close_payload, push_control, push_message,
};
use pushbench_protocol::http::ResponseHead;
use pushbench_protocol::utf8::Utf8Reader;
use pushbench_protocol::websocket::HandshakeError;
use tungstenite::handshake::derive_accept_key;

use self::asked::Asked;
pub(super) use self::clients::{answering, sessions};
use self::fault::{Fault, GONE, NO_CODE, NORMAL};
use self::said::push_said;
use super::error::ProtocolError;
use super::inflating::Inflating;
use super::output::{Ending, Note, Output, Wake};
use super::reading::{Reading, Said};
use super::request::{FeedRequest, RequestTarget};
use super::subscription::{Last, Next, Request, Subscription};

/// The stream of random numbers that keys and masks are drawn from.
const KEY_STREAM: u64 = 201;

/// One client with a WebSocket.
#[derive(Debug)]
pub(super) struct Websocket<R> {
    request: Arc<FeedRequest>,
    offer: Option<Offer>,
    state: State,
    frames: FrameReader,
    reading: R,
    text: Utf8Reader,
    /// Where the server compresses its messages.
    inflating: Option<Box<Inflating>>,
    /// Where the stream is to continue after a loss.
    cursor: Option<Seq>,
    /// Seeds this client's keys and masks, and how many were drawn.
    seed: u64,
    drawn: u64,
}

/// The state of a WebSocket (RFC 6455 §4.1, §7.1).
#[derive(Debug, Clone, Copy)]
enum State {
    /// No connection, or its handshake.
    Connecting,
    Open,
    /// This side has sent a close frame of its own accord, and waits for the server's.
    Closing,
    /// Both sides have sent one: nothing counts any more, and the server closes the connection
    /// (§7.1.1). Whether this side began.
    Closed {
        began: bool,
    },
}

impl<R: Reading> Websocket<R> {
    /// Client `client` of all; its keys and masks come from `seed`.
    fn new(asked: &Asked, reading: R, seed: u64, client: u32) -> Self {
        Self {
            request: asked.request.clone(),
            offer: asked.offer,
            state: State::Connecting,
            frames: FrameReader::default(),
            reading,
            text: Utf8Reader::default(),
            inflating: None,
            cursor: None,
            seed: random::bits(seed, KEY_STREAM, u64::from(client)),
            drawn: 0,
        }
    }

    /// Takes the agreement on compressed messages, which has to be what was asked for: another would
    /// have another contender measured.
    fn agree(&mut self, agreement: Option<Agreement>) -> Result<(), ProtocolError> {
        let Some(offer) = self.offer else { return Ok(()) };
        let request = || self.target().describe();
        let Some(Agreement { server, .. }) = agreement else {
            return Err(ProtocolError::NoDeflate(request()));
        };
        if server.takeover == offer.server_no_takeover {
            return Err(ProtocolError::NoTakeover(request()));
        }
        self.frames = FrameReader::new(true);
        self.inflating = Some(Box::new(Inflating::new(server)));
        Ok(())
    }

    /// The random bits that were drawn `back` draws ago.
    fn drawn(&self, back: u64) -> u64 {
        random::bits(self.seed, KEY_STREAM, self.drawn - back)
    }

    /// The key of the handshake, for which the last two draws were made: 16 random bytes in base64
    /// (RFC 6455 §4.1).
    fn key(&self) -> String {
        let nonce = u128::from(self.drawn(1)) << 64 | u128::from(self.drawn(0));
        STANDARD.encode(nonce.to_be_bytes())
    }

    fn push_control(&mut self, opcode: Opcode, payload: &[u8], out: &mut Output) {
        let mask = self.mask();
        out.send.push(Layer::Framing, |bytes| push_control(bytes, opcode, payload, mask));
    }

    /// The mask of the next frame.
    fn mask(&mut self) -> [u8; 4] {
        self.drawn += 1;
        let [a, b, c, d, ..] = self.drawn(0).to_be_bytes();
        [a, b, c, d]
    }

    /// Bytes of a message.
    #[inline]
    fn message(&mut self, data: &[u8], last: bool, out: &mut Output) -> Result<(), Fault> {
        out.count(Layer::Payload, data.len());
        if self.frames.is_compressed() {
            return self.inflate(data, last, out);
        }
        self.check_text(data)?;
        if !last {
            self.reading.push(data, out);
            return Ok(());
        }
        self.ended(data, out)
    }

    /// Bytes of a compressed message, apart, so that others do not pay for it.
    #[inline(never)]
    fn inflate(&mut self, data: &[u8], last: bool, out: &mut Output) -> Result<(), Fault> {
        // The frames' reader takes compressed ones only where they were agreed on.
        let Some(mut inflating) = self.inflating.take() else { return Ok(()) };
        let mut bench = std::mem::take(&mut out.bench);
        let inflated = inflating.inflate(data, last, &mut bench, |piece| {
            self.check_text(piece)?;
            self.reading.push(piece, out);
            Ok::<_, Fault>(())
        });
        out.bench = bench;
        let inflated = inflated?;
        self.inflating = Some(inflating);
        out.saved(inflated, data.len());
        if last { self.ended(&[], out) } else { Ok(()) }
    }

    /// Looks at bytes of a message that may be text.
    #[inline]
    fn check_text(&mut self, data: &[u8]) -> Result<(), FrameError> {
        if self.frames.is_text() {
            self.text.push(data).map_err(|_| FrameError::Text)?;
        }
        Ok(())
    }

    /// A message ends with `data`.
    #[inline]
    fn ended(&mut self, data: &[u8], out: &mut Output) -> Result<(), Fault> {
        self.text.finish().map_err(|_| FrameError::Text)?;
        if R::SPEAKS {
            self.reading.is_of(if self.frames.is_text() { Opcode::Text } else { Opcode::Binary });
        }
        let message = self.reading.last(data, out);
        self.arrived(message, out);
        if R::SPEAKS {
            self.talk(out);
        }
        Ok(())
    }

    /// A control frame is complete. Behind the server's close frame nothing counts (§1.4), and the
    /// rest of the `input` is no frame.
    #[cold]
    fn control(
        &mut self,
        opcode: Opcode,
        input: &mut &[u8],
        out: &mut Output,
    ) -> Result<(), FrameError> {
        let payload = self.frames.control().to_vec();
        match opcode {
            // None is owed once a close frame has been sent (§5.5.2, §5.5.1).
            Opcode::Ping if matches!(self.state, State::Open) => {
                self.push_control(Opcode::Pong, &payload, out);
            }
            Opcode::Close => {
                self.closed_by_server(&payload, out)?;
                out.count(Layer::Framing, std::mem::take(input).len());
            }
            _ => {}
        }
        Ok(())
    }

    /// Answers a close frame with its own code (RFC 6455 §5.5.1), unless it is itself an answer.
    /// The server then closes the connection (§7.1.1).
    fn closed_by_server(&mut self, payload: &[u8], out: &mut Output) -> Result<(), FrameError> {
        let (code, reason) = close_payload(payload)?;
        let began = matches!(self.state, State::Closing);
        self.state = State::Closed { began };
        out.note(Note::Closing);
        if began {
            return Ok(());
        }
        self.push_control(Opcode::Close, payload.get(..2).unwrap_or(&[]), out);
        out.note(Note::Failed(if code == Some(GONE) && !self.request.is_foreign() {
            self.gone(reason)
        } else {
            let (code, reason) = (code.unwrap_or(NO_CODE), reason.to_owned());
            ProtocolError::Closed { request: self.target().describe(), code, reason }
        }));
        Ok(())
    }

    /// Fails the connection for what the server sent (§7.1.7): with a close frame that says so,
    /// unless one has been sent.
    #[cold]
    fn fail(&mut self, source: Fault, out: &mut Output) -> ProtocolError {
        if matches!(self.state, State::Open) {
            self.push_control(Opcode::Close, &source.close_code().to_be_bytes(), out);
        }
        let request = self.target().describe();
        match source {
            Fault::Frame(source) => ProtocolError::Frame { request, source },
            Fault::Inflate(source) => ProtocolError::Inflate { request, source },
        }
    }

    /// Says what is due now that the WebSocket is open.
    fn open(&mut self, out: &mut Output) {
        self.reading.opened(out);
        self.talk(out);
    }

    /// Says what is due, and once that the subscription stands: what is waited for has come. Behind a
    /// close frame of its own a client says nothing (RFC 6455 §5.5.1).
    #[cold]
    fn talk(&mut self, out: &mut Output) {
        for Said { kind, payload } in self.reading.said() {
            if matches!(self.state, State::Open) {
                let mask = self.mask();
                out.send.push(Layer::Framing, |bytes| push_message(bytes, kind, &payload, mask));
            }
        }
        if self.reading.stands() {
            out.note(Note::Subscribed);
        }
    }

    /// Takes the frames in the input.
    #[inline]
    fn take(&mut self, mut input: &[u8], out: &mut Output) -> Result<(), Fault> {
        while let Some(piece) = self.frames.next(&mut input)? {
            match piece {
                Piece::Framing(bytes) => out.count(Layer::Framing, bytes),
                Piece::Data(data, last) => self.message(data, last, out)?,
                Piece::Control(opcode) => self.control(opcode, &mut input, out)?,
            }
        }
        Ok(())
    }
}

impl<R: Reading> Subscription for Websocket<R> {
    const FEED: u16 = 101;
    const STREAMS: bool = true;
    // Of whatever was answered in its place.
    const FIELD: Option<&'static str> = Some("Content-Type");

    fn expected(&self) -> &'static str {
        "101"
    }

    fn request(&mut self) -> Request<'_> {
        self.state = State::Connecting;
        (self.frames, self.inflating) = (FrameReader::default(), None);
        self.reading.restart();
        self.text = Utf8Reader::default();
        self.drawn += 2;
        let key = Cow::Owned(self.key().into_bytes());
        Request { target: self.target(), field: Some(("Sec-WebSocket-Key", key)) }
    }

    fn target(&self) -> RequestTarget<'_> {
        self.request.after(self.cursor)
    }

    fn begun(
        &mut self,
        head: &ResponseHead,
        _field: Option<&[u8]>,
        out: &mut Output,
    ) -> Result<(), ProtocolError> {
        let accept = derive_accept_key(self.key().as_bytes());
        let upgrade = head.upgrade.as_ref().ok_or(HandshakeError::Upgrade);
        let checked = upgrade.and_then(|upgrade| {
            upgrade.check(&accept, self.offer.as_ref(), self.reading.subprotocols())
        });
        let agreement = checked.map_err(|source| ProtocolError::Handshake {
            request: self.target().describe(),
            source,
        })?;
        self.agree(agreement)?;
        self.stands(head)?;
        self.state = State::Open;
        self.open(out);
        Ok(())
    }

    #[inline]
    fn data(&mut self, data: &[u8], out: &mut Output) -> Result<(), ProtocolError> {
        if matches!(self.state, State::Closed { .. }) {
            out.count(Layer::Framing, data.len());
            return Ok(());
        }
        self.take(data, out).map_err(|source| self.fail(source, out))
    }

    fn say(&mut self, text: &[u8], out: &mut Output) -> bool {
        if !matches!(self.state, State::Open) {
            return false;
        }
        let mask = self.mask();
        push_said(text, mask, &mut out.send);
        true
    }

    fn woken(&mut self, wake: Wake, out: &mut Output) {
        if matches!(self.state, State::Open) && self.reading.woken(wake, out) {
            self.talk(out);
        }
    }

    fn closed(&mut self, _last: Last, _out: &mut Output) -> Ending {
        self.reading.restart();
        match self.state {
            State::Closing | State::Closed { began: true } => Ending::Done,
            State::Connecting | State::Open | State::Closed { began: false } => Ending::Broken,
        }
    }

    fn close(&mut self, out: &mut Output) -> Next {
        match self.state {
            State::Open => {
                self.push_control(Opcode::Close, &NORMAL.to_be_bytes(), out);
                self.state = State::Closing;
                Next::Rest
            }
            // The server is about to close it.
            State::Closing | State::Closed { .. } => Next::Rest,
            State::Connecting => Next::Leave,
        }
    }

    fn cursor(&mut self) -> &mut Option<Seq> {
        &mut self.cursor
    }

    #[inline]
    fn place(&self, message: Identity, before: Seq) -> Seq {
        self.reading.place(message, before)
    }
}

#[cfg(test)]
mod tests;
