//! WebSocket: a handshake, then frames (RFC 6455).

use std::io::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pushbench_core::number::{NumberError, NumberReader};
use pushbench_core::{Seq, random};
use pushbench_metrics::observe::ledger::Layer;
use pushbench_protocol::utf8::Utf8Reader;
use tungstenite::handshake::derive_accept_key;

use super::Session;
use super::body::{Said, oldest_in};
use super::error::{HandshakeError, ProtocolError};
use super::http::{Head, Part, RequestHead, ResponseReader};
use super::output::{Demand, Ending, Note, Output};
use super::poll::before;
use pushbench_protocol::frame::{
    FrameError, FrameReader, Opcode, Piece, close_payload, push_control,
};

/// The stream of random numbers that keys and masks are drawn from.
const KEY_STREAM: u64 = 201;

/// Headers that ask for a WebSocket (RFC 6455 §4.1); the key comes behind them.
pub(super) const UPGRADE: [(&str, &str); 3] =
    [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13")];

/// The close code of a client that is done (RFC 6455 §7.4.1).
const NORMAL: u16 = 1000;

/// What a close frame without a code means (RFC 6455 §7.1.5).
const NO_CODE: u16 = 1005;

/// The close code of a pushbench server for a cursor that fell off its ring.
const GONE: u16 = 4410;

/// One client with a WebSocket.
#[derive(Debug)]
pub(super) struct Websocket {
    request: Arc<RequestHead>,
    stage: Stage,
    frames: FrameReader,
    number: NumberReader,
    text: Utf8Reader,
    /// Where the stream is to continue after a loss.
    cursor: Option<Seq>,
    /// Seeds this client's keys and masks, and how many were drawn.
    seed: u64,
    drawn: u64,
}

#[derive(Debug)]
enum Stage {
    /// No connection, or its handshake.
    Handshake(Box<Handshake>),
    Open,
    /// This side has sent a close frame of its own accord, and waits for the server's.
    Closing,
    /// Both sides have sent one: nothing counts any more, and the server closes the connection
    /// (RFC 6455 §7.1.1). Whether this side began.
    Closed {
        asked: bool,
    },
}

#[derive(Debug, Default)]
struct Handshake {
    http: ResponseReader,
    /// What the server has to answer the key with.
    accept: String,
    /// The status of an answer that refuses.
    refused: Option<u16>,
    said: Said,
}

impl Websocket {
    /// Client `client` of all; its keys and masks come from `seed`.
    pub(super) fn new(request: Arc<RequestHead>, seed: u64, client: u32) -> Self {
        Self {
            request,
            stage: Stage::Handshake(Box::default()),
            frames: FrameReader::default(),
            number: NumberReader::default(),
            text: Utf8Reader::default(),
            cursor: None,
            seed: random::bits(seed, KEY_STREAM, u64::from(client)),
            drawn: 0,
        }
    }

    fn asked(&self) -> String {
        self.request.describe(self.cursor)
    }

    fn draw(&mut self) -> u64 {
        self.drawn += 1;
        random::bits(self.seed, KEY_STREAM, self.drawn)
    }

    /// 16 random bytes in base64 (RFC 6455 §4.1).
    fn key(&mut self) -> String {
        let nonce = u128::from(self.draw()) << 64 | u128::from(self.draw());
        STANDARD.encode(nonce.to_be_bytes())
    }

    fn push_control(&mut self, opcode: Opcode, payload: &[u8], out: &mut Output) {
        let [a, b, c, d, ..] = self.draw().to_be_bytes();
        out.send.push(Layer::Framing, |bytes| push_control(bytes, opcode, payload, [a, b, c, d]));
    }

    /// Takes the handshake's part of the input.
    fn shake(&mut self, input: &mut &[u8], out: &mut Output) -> Result<(), ProtocolError> {
        while let Stage::Handshake(handshake) = &mut self.stage {
            match handshake.http.next(input, out) {
                Ok(Some(Part::Head(head))) if head.status == 101 => self.upgraded(&head, out)?,
                Ok(Some(Part::Head(head))) => {
                    handshake.refused = Some(head.status);
                    handshake.said.begin(&head);
                }
                Ok(Some(Part::Data(data))) => {
                    out.count(Layer::Http, data.len());
                    handshake.said.extend(data);
                }
                Ok(Some(Part::End)) => return Err(self.refused()),
                Ok(None) => return Ok(()),
                Err(error) => return Err(error.of(self.asked())),
            }
        }
        Ok(())
    }

    fn upgraded(&mut self, head: &Head, out: &mut Output) -> Result<(), ProtocolError> {
        let Stage::Handshake(handshake) = &self.stage else { return Ok(()) };
        let upgrade = head.upgrade.as_ref().ok_or(HandshakeError::Upgrade);
        if let Err(source) = upgrade.and_then(|upgrade| upgrade.check(&handshake.accept)) {
            return Err(ProtocolError::Handshake { request: self.asked(), source });
        }
        self.cursor = self.cursor.max(self.request.start_of(head));
        if self.cursor.is_none() {
            return Err(ProtocolError::NoCursor(self.asked()));
        }
        self.stage = Stage::Open;
        out.note(Note::Subscribed);
        Ok(())
    }

    /// The server answered with something else than an upgrade.
    fn refused(&mut self) -> ProtocolError {
        let request = self.asked();
        let Stage::Handshake(handshake) = &mut self.stage else {
            return ProtocolError::Unasked(request);
        };
        let (status, said) = (handshake.refused.unwrap_or(0), handshake.said.take());
        if status == 410 && !self.request.is_foreign() {
            return self.gone(&said);
        }
        ProtocolError::Status { status, request, expected: "101", said }
    }

    /// The cursor fell off the ring: the next connection starts from the oldest message.
    fn gone(&mut self, said: &str) -> ProtocolError {
        let (request, oldest) = (self.asked(), oldest_in(said));
        let after = self.cursor.unwrap_or(Seq::NONE);
        self.cursor = oldest.map(before);
        ProtocolError::Gone { request, after, oldest }
    }

    /// Bytes of a message.
    #[inline]
    fn data(&mut self, data: &[u8], last: bool, out: &mut Output) -> Result<(), FrameError> {
        out.count(Layer::Payload, data.len());
        if self.frames.is_text() {
            self.text.push(data).map_err(|_| FrameError::Text)?;
        }
        if !last {
            self.number.push(data);
            return Ok(());
        }
        self.text.finish().map_err(|_| FrameError::Text)?;
        match self.number.last(data) {
            Ok(seq) => {
                self.cursor = Some(seq).max(self.cursor);
                out.messages.push(seq);
            }
            Err(source) => self.unnumbered(source, out),
        }
        Ok(())
    }

    /// A message without a number. The stream is in order, and the next one may have one.
    #[cold]
    fn unnumbered(&self, source: NumberError, out: &mut Output) {
        let request = self.asked();
        out.note(Note::Failed(ProtocolError::NoSequence { request, source }));
    }

    #[cold]
    fn control(&mut self, opcode: Opcode, out: &mut Output) -> Result<(), FrameError> {
        let payload = self.frames.control().to_vec();
        match opcode {
            // None is owed once a close frame has been sent (§5.5.2, §5.5.1).
            Opcode::Ping if matches!(self.stage, Stage::Open) => {
                self.push_control(Opcode::Pong, &payload, out);
            }
            Opcode::Close => return self.closed_by_server(&payload, out),
            _ => {}
        }
        Ok(())
    }

    /// Answers a close frame with its own code (RFC 6455 §5.5.1), unless it is itself an answer.
    /// The server then closes the connection (§7.1.1).
    fn closed_by_server(&mut self, payload: &[u8], out: &mut Output) -> Result<(), FrameError> {
        let (code, reason) = close_payload(payload)?;
        let asked = matches!(self.stage, Stage::Closing);
        self.stage = Stage::Closed { asked };
        out.note(Note::Closing);
        if asked {
            return Ok(());
        }
        self.push_control(Opcode::Close, payload.get(..2).unwrap_or(&[]), out);
        out.note(Note::Failed(if code == Some(GONE) && !self.request.is_foreign() {
            self.gone(reason)
        } else {
            let (code, reason) = (code.unwrap_or(NO_CODE), reason.to_owned());
            ProtocolError::Closed { request: self.asked(), code, reason }
        }));
        Ok(())
    }

    /// Fails the connection for what the server sent (§7.1.7): with a close frame that says so,
    /// unless one has been sent.
    #[cold]
    fn fail(&mut self, source: FrameError, out: &mut Output) -> ProtocolError {
        if matches!(self.stage, Stage::Open) {
            self.push_control(Opcode::Close, &source.close_code().to_be_bytes(), out);
        }
        ProtocolError::Frame { request: self.asked(), source }
    }

    /// Takes the next piece of the input; whether there may be more.
    #[inline]
    fn frame(&mut self, input: &mut &[u8], out: &mut Output) -> Result<bool, FrameError> {
        match self.frames.next(input)? {
            Some(Piece::Framing(bytes)) => out.count(Layer::Framing, bytes),
            Some(Piece::Data(data, last)) => self.data(data, last, out)?,
            Some(Piece::Control(opcode)) => self.control(opcode, out)?,
            None => return Ok(false),
        }
        Ok(true)
    }
}

impl Session for Websocket {
    fn opened(&mut self, out: &mut Output) {
        let key = self.key();
        let accept = derive_accept_key(key.as_bytes());
        self.stage = Stage::Handshake(Box::new(Handshake { accept, ..Handshake::default() }));
        self.frames = FrameReader::default();
        (self.number, self.text) = (NumberReader::default(), Utf8Reader::default());
        out.send.push(Layer::Http, |bytes| {
            self.request.render(bytes, self.cursor, |bytes| {
                // Writing to a Vec cannot fail.
                let _ = write!(bytes, "Sec-WebSocket-Key: {key}\r\n");
            });
        });
        out.note(Note::Request);
    }

    fn receive(&mut self, mut input: &[u8], out: &mut Output) -> Result<(), ProtocolError> {
        match self.stage {
            Stage::Handshake(_) => self.shake(&mut input, out)?,
            Stage::Closed { .. } => {
                out.count(Layer::Framing, input.len());
                return Ok(());
            }
            Stage::Open | Stage::Closing => {}
        }
        loop {
            match self.frame(&mut input, out) {
                // Behind the server's close frame nothing counts (§1.4).
                Ok(true) if matches!(self.stage, Stage::Closed { .. }) => {
                    out.count(Layer::Framing, input.len());
                    return Ok(());
                }
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(source) => return Err(self.fail(source, out)),
            }
        }
    }

    fn closed(&mut self, out: &mut Output) -> Ending {
        match &mut self.stage {
            Stage::Closing | Stage::Closed { asked: true } => Ending::Done,
            Stage::Handshake(handshake) => {
                let complete = handshake.http.finish() == Ok(Some(Part::End));
                if complete && handshake.refused.is_some() {
                    let error = self.refused();
                    out.note(Note::Failed(error));
                }
                Ending::Broken
            }
            Stage::Open | Stage::Closed { asked: false } => Ending::Broken,
        }
    }

    fn close(&mut self, out: &mut Output) {
        match self.stage {
            Stage::Open => {
                self.push_control(Opcode::Close, &NORMAL.to_be_bytes(), out);
                self.stage = Stage::Closing;
            }
            // The server is about to close it.
            Stage::Closing | Stage::Closed { .. } => {}
            Stage::Handshake(_) => out.demand = Demand::Close,
        }
    }
}

#[cfg(test)]
mod tests;
