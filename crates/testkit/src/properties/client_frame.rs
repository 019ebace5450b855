//! WebSocket frames that a client says, as the server reads them.

use std::io::{self, Read, Write};

use pushbench_protocol::frame::client::{ClientReader, Said};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::protocol::{Message, Role, WebSocketConfig, WebSocketContext};

use super::however_cut;

/// The most bytes of a message.
const LIMIT: usize = 1000;

/// Something that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Heard {
    Message {
        is_text: bool,
        payload: Vec<u8>,
    },
    Ping(Vec<u8>),
    Pong,
    Close(Option<u16>),
    /// The protocol is broken: the code of the close that says so.
    Failed(u16),
}

/// Frames mean the same however they are cut, and the same as to another reader, as far as that gets: it
/// looks at whole frames and texts only, and takes a close whose code must not be sent for one.
pub(super) fn holds(input: &[u8]) {
    let heard = however_cut(input, hear);
    let other = hear_by_tungstenite(input);
    let Some((Heard::Failed(_), before)) = heard.split_last() else {
        return assert_eq!(heard, other);
    };
    let rest = other.strip_prefix(before);
    let agrees = matches!(rest, Some([] | [Heard::Failed(_) | Heard::Close(_)]));
    assert!(agrees, "{heard:?}, to another reader {other:?}");
}

fn hear(pieces: &[&[u8]]) -> Vec<Heard> {
    let (mut reader, mut heard) = (ClientReader::default(), Vec::new());
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut input = &mut piece[..];
        loop {
            heard.push(match reader.next(&mut input, LIMIT) {
                Ok(None) => break,
                Ok(Some(Said::Message { is_text, payload })) => {
                    Heard::Message { is_text, payload: payload.to_vec() }
                }
                Ok(Some(Said::Ping(payload))) => Heard::Ping(payload.to_vec()),
                Ok(Some(Said::Pong)) => Heard::Pong,
                Ok(Some(Said::Close(code))) => Heard::Close(code),
                Err(error) => Heard::Failed(error.close_code()),
            });
            if matches!(heard.last(), Some(Heard::Close(_) | Heard::Failed(_))) {
                return heard;
            }
        }
        assert!(input.is_empty(), "all is taken");
    }
    heard
}

struct Pipe<'a>(&'a [u8]);

impl Read for Pipe<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() { Err(io::ErrorKind::WouldBlock.into()) } else { self.0.read(buffer) }
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

fn hear_by_tungstenite(input: &[u8]) -> Vec<Heard> {
    let limit = Some(LIMIT);
    let config = WebSocketConfig::default().max_message_size(limit).max_frame_size(limit);
    let mut context = WebSocketContext::new(Role::Server, Some(config));
    let (mut pipe, mut heard) = (Pipe(input), Vec::new());
    loop {
        heard.push(match context.read(&mut pipe) {
            Ok(Message::Text(text)) => {
                Heard::Message { is_text: true, payload: text.as_bytes().to_vec() }
            }
            Ok(Message::Binary(bytes)) => {
                Heard::Message { is_text: false, payload: bytes.to_vec() }
            }
            Ok(Message::Ping(payload)) => Heard::Ping(payload.to_vec()),
            Ok(Message::Pong(_)) => Heard::Pong,
            Ok(Message::Close(frame)) => Heard::Close(frame.map(|frame| frame.code.into())),
            Ok(Message::Frame(_)) => unreachable!("frames are read as messages"),
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return heard,
            Err(Error::Utf8(_)) => Heard::Failed(1007),
            Err(Error::Capacity(_)) => Heard::Failed(1009),
            Err(_) => Heard::Failed(1002),
        });
        if matches!(heard.last(), Some(Heard::Close(_) | Heard::Failed(_))) {
            return heard;
        }
    }
}
