//! WebSocket frames: what a server says, and what a client answers.

use std::io::{self, Read, Write};

use pushbench_protocol::frame::{
    FrameError, FrameReader, Opcode, Piece, close_payload, push_control,
};
use pushbench_protocol::utf8::{Utf8Error, Utf8Reader};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::protocol::{Message, Role, WebSocketConfig, WebSocketContext};

use super::however_cut;

/// A conversation up to its close or its first error.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    /// Messages and control frames, by their opcodes.
    said: Vec<(Opcode, Vec<u8>)>,
    /// The start of a message that is not complete.
    rest: Vec<u8>,
    framing: usize,
    error: Option<FrameError>,
}

impl Heard {
    fn is_closed(&self) -> bool {
        matches!(self.said.last(), Some((Opcode::Close, _)))
    }

    /// The conversation fails. What of a frame came before depends on the pieces.
    fn fail(mut self, error: FrameError) -> Self {
        assert!(matches!(error.close_code(), 1002 | 1007), "{error:?}");
        self.rest.clear();
        self.framing = 0;
        self.error = Some(error);
        self
    }
}

pub(super) fn holds(input: &[u8]) {
    let heard = however_cut(input, |pieces| hear(pieces, false));
    let agreed = however_cut(input, |pieces| hear(pieces, true));
    // What was agreed on changes nothing for who does not use it.
    assert!(heard.error == Some(FrameError::Reserved) || heard == agreed);
    if heard.error.is_none() && !heard.is_closed() {
        let messages = heard.said.iter().filter(|(opcode, _)| is_message(*opcode));
        let data: usize = messages.map(|(_, data)| data.len()).sum();
        assert_eq!(heard.framing + data + heard.rest.len(), input.len());
    }
    agrees_with_tungstenite(&heard, input);
    ping_is_understood(input);
}

const fn is_message(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::Text | Opcode::Binary)
}

/// What is said where messages may be compressed, or may not.
fn hear(pieces: &[&[u8]], deflate: bool) -> Heard {
    let (mut reader, mut utf8) = (FrameReader::new(deflate), Utf8Reader::default());
    let mut heard = Heard::default();
    for mut input in pieces.iter().copied() {
        loop {
            match reader.next(&mut input) {
                Ok(None) => break,
                Ok(Some(piece)) => {
                    if let Err(error) = heard.take(piece, &reader, &mut utf8) {
                        return heard.fail(error);
                    }
                }
                Err(error) => return heard.fail(error),
            }
            if heard.is_closed() {
                return heard;
            }
        }
    }
    heard
}

impl Heard {
    fn take(
        &mut self,
        piece: Piece<'_>,
        reader: &FrameReader,
        utf8: &mut Utf8Reader,
    ) -> Result<(), FrameError> {
        match piece {
            Piece::Framing(bytes) => self.framing += bytes,
            Piece::Data(data, last) => {
                if reader.is_text() && !reader.is_compressed() {
                    check(utf8, data, last).map_err(|_| FrameError::Text)?;
                }
                self.rest.extend_from_slice(data);
                if last {
                    let opcode = if reader.is_text() { Opcode::Text } else { Opcode::Binary };
                    self.said.push((opcode, std::mem::take(&mut self.rest)));
                }
            }
            Piece::Control(opcode) => {
                let payload = reader.control().to_vec();
                assert!(payload.len() <= 125, "a control frame of {} bytes", payload.len());
                if opcode == Opcode::Close {
                    let (code, reason) = close_payload(&payload)?;
                    let code = code.map(u16::to_be_bytes);
                    let again = [code.as_ref().map_or(&[][..], |code| code), reason.as_bytes()];
                    assert_eq!(again.concat(), payload);
                }
                self.said.push((opcode, payload));
            }
        }
        Ok(())
    }
}

fn check(utf8: &mut Utf8Reader, data: &[u8], last: bool) -> Result<(), Utf8Error> {
    utf8.push(data)?;
    if last { utf8.finish() } else { Ok(()) }
}

/// Another implementation has said the same, as far as it got: it looks at whole frames only.
fn agrees_with_tungstenite(heard: &Heard, input: &[u8]) {
    let mut context = context(Role::Client);
    let mut pipe = Pipe(input);
    for (opcode, payload) in &heard.said {
        let message = context.read(&mut pipe).unwrap_or_else(|error| panic!("{error}: {heard:?}"));
        assert_eq!(opcode_of(&message), *opcode);
        if *opcode == Opcode::Close {
            return;
        }
        assert_eq!(&message.into_data()[..], payload);
    }
    match context.read(&mut pipe) {
        Ok(Message::Close(_)) => assert!(matches!(heard.error, Some(FrameError::CloseCode(_)))),
        Ok(message) => panic!("{message:?} was not heard: {heard:?}"),
        Err(Error::Io(_) | Error::Capacity(_)) => {}
        Err(error) => assert!(heard.error.is_some(), "{error} was not heard: {heard:?}"),
    }
}

/// A server has a client's ping as it was sent.
fn ping_is_understood(input: &[u8]) {
    let (payload, mask) = (&input[..input.len().min(125)], input.first_chunk().copied());
    let mut wire = Vec::new();
    push_control(&mut wire, Opcode::Ping, payload, mask.unwrap_or_default());
    let message = context(Role::Server).read(&mut Pipe(&wire)).expect("a ping is taken");
    assert_eq!(message, Message::Ping(payload.to_vec().into()));
}

fn context(role: Role) -> WebSocketContext {
    let config = WebSocketConfig::default().max_frame_size(Some(1 << 20)).read_buffer_size(256);
    WebSocketContext::new(role, Some(config))
}

fn opcode_of(message: &Message) -> Opcode {
    match message {
        Message::Text(_) => Opcode::Text,
        Message::Binary(_) => Opcode::Binary,
        Message::Ping(_) => Opcode::Ping,
        Message::Pong(_) => Opcode::Pong,
        Message::Close(_) => Opcode::Close,
        Message::Frame(frame) => unreachable!("{frame} is not read as a message"),
    }
}

/// Input that has arrived; output goes nowhere.
struct Pipe<'a>(&'a [u8]);

impl Read for Pipe<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.0.read(buffer)
    }
}

impl Write for Pipe<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
