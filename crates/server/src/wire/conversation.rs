//! The conversation with a WebSocket client beside the feed: control frames, the close handshake,
//! and messages that are accepted and ignored (RFC 6455 §5.4, §5.5).
//!
//! The engine is tungstenite's, used without I/O: it is lent the bytes that have arrived, and
//! its answers go to the stream's control bytes, which are written between whole messages. It
//! exists only for clients that have said something.

use std::io::{self, Read, Write};

use pushbench_protocol::deflate::Side;
use tungstenite::error::ProtocolError;
use tungstenite::protocol::frame::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tungstenite::{Error, Message};

use super::compressed::Compressed;

/// The largest message of a client, in one frame or in several.
pub(crate) const MAX_MESSAGE: usize = 64 << 10;

/// Bytes that the engine takes at a time; a larger frame grows it for as long as it lasts.
const READ_BUFFER: usize = 256;

/// The conversation with one client.
#[derive(Debug)]
pub(crate) struct Conversation {
    context: WebSocketContext,
    /// Where the client may compress its messages.
    compressed: Option<Compressed>,
}

/// The state of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConversationState {
    /// It goes on.
    Open,
    /// Both sides have said close, or the client broke the protocol and has been told: the
    /// connection ends once everything is written.
    Over,
}

/// Lends arrived bytes to the engine, and collects what it says.
struct Pipe<'a> {
    input: &'a [u8],
    output: &'a mut Vec<u8>,
}

impl Read for Pipe<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.input.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.input.read(buffer)
    }
}

impl Write for Pipe<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Conversation {
    pub(crate) fn new(compressed: Option<Side>) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(MAX_MESSAGE))
            .max_frame_size(Some(MAX_MESSAGE));
        let context = WebSocketContext::new(Role::Server, Some(config));
        Self { context, compressed: compressed.map(Compressed::new) }
    }

    /// Takes bytes from the client, and appends the answers to them.
    pub(crate) fn receive(&mut self, input: &[u8], output: &mut Vec<u8>) -> ConversationState {
        let unmarked = self.compressed.as_mut().map(|compressed| compressed.unmark(input));
        let mut pipe = Pipe { input: unmarked.as_deref().unwrap_or(input), output };
        loop {
            match self.context.read(&mut pipe) {
                Ok(message) => {
                    if let Err((code, reason)) = self.check(&message) {
                        self.close(code, &reason, pipe.output);
                        return ConversationState::Over;
                    }
                }
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                    return ConversationState::Open;
                }
                Err(error) => {
                    if let Some((code, reason)) = complaint(&error) {
                        self.close(code, &reason, pipe.output);
                    }
                    return ConversationState::Over;
                }
            }
        }
    }

    /// Looks at a message of the client, which means nothing to the feed.
    fn check(&mut self, message: &Message) -> Result<(), (CloseCode, String)> {
        match (&mut self.compressed, message) {
            (Some(compressed), Message::Text(_) | Message::Binary(_)) => {
                compressed.check(&message.clone().into_data())
            }
            _ => Ok(()),
        }
    }

    /// Says close, unless that has been said.
    pub(crate) fn close(&mut self, code: CloseCode, reason: &str, output: &mut Vec<u8>) {
        let frame = CloseFrame { code, reason: reason.into() };
        // A Vec takes every byte, so the only failure is that the conversation is over.
        let _ = self.context.close(&mut Pipe { input: &[], output }, Some(frame));
    }
}

/// The close code and reason for what a client did wrong (RFC 6455 §7.4.1).
fn complaint(error: &Error) -> Option<(CloseCode, String)> {
    let code = match error {
        Error::Utf8(_) => CloseCode::Invalid,
        Error::Capacity(_) => CloseCode::Size,
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => return None,
        _ => CloseCode::Protocol,
    };
    let mut reason = error.to_string();
    // A control frame holds 125 bytes, two of them the code (RFC 6455 §5.5).
    let end = (0..=reason.len().min(123)).rev().find(|&end| reason.is_char_boundary(end));
    reason.truncate(end.unwrap_or(0));
    Some((code, reason))
}

#[cfg(test)]
mod tests {
    use pushbench_core::deflate::{DeflateSettings, WindowBits};
    use pushbench_protocol::deflate::Compressor;

    use super::*;

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [1, 2, 3, 4];
        let mut frame = vec![first];
        match u8::try_from(payload.len()) {
            Ok(len @ 0..126) => frame.push(0x80 | len),
            _ => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&u16::try_from(payload.len()).unwrap().to_be_bytes());
            }
        }
        frame.extend_from_slice(&mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
        frame
    }

    /// The answer to `input`, in pieces of `step` bytes.
    fn answer(input: &[u8], step: usize) -> (Vec<u8>, ConversationState) {
        answer_as_agreed(None, input, step)
    }

    fn answer_as_agreed(
        client: Option<Side>,
        input: &[u8],
        step: usize,
    ) -> (Vec<u8>, ConversationState) {
        let (mut conversation, mut output) = (Conversation::new(client), Vec::new());
        for piece in input.chunks(step) {
            if conversation.receive(piece, &mut output) == ConversationState::Over {
                return (output, ConversationState::Over);
            }
        }
        (output, ConversationState::Open)
    }

    fn close_code(output: &[u8]) -> u16 {
        assert_eq!(output[0], 0x88, "not a close frame: {output:?}");
        assert_eq!(output.len(), 2 + usize::from(output[1]));
        u16::from_be_bytes([output[2], output[3]])
    }

    #[test]
    fn a_ping_gets_its_pong_however_it_arrives() {
        for step in [1, 3, 100] {
            let (output, state) = answer(&masked(0x89, b"beat"), step);
            assert_eq!((&output[..], state), (&b"\x8a\x04beat"[..], ConversationState::Open));
        }
    }

    #[test]
    fn messages_are_taken_and_ignored() {
        let input = [masked(0x81, b"text"), masked(0x02, b"in "), masked(0x80, b"parts")].concat();
        assert_eq!(answer(&input, 5), (Vec::new(), ConversationState::Open));
    }

    #[test]
    fn a_close_is_answered_with_its_code() {
        let (output, state) = answer(&masked(0x88, &[0x03, 0xe8]), 100);
        assert_eq!((close_code(&output), state), (1000, ConversationState::Over));
        let (output, state) = answer(&masked(0x88, &[]), 100);
        assert_eq!((&output[..], state), (&b"\x88\x00"[..], ConversationState::Over));
    }

    #[test]
    fn what_breaks_the_protocol_is_told_why() {
        let too_large = [0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 1, 1, 2, 3, 4];
        let in_parts = [masked(0x02, &[0; 40_000]), masked(0x80, &[0; 40_000])].concat();
        let cases: [(&str, Vec<u8>, u16); 9] = [
            ("unmasked", b"\x81\x02hi".to_vec(), 1002),
            ("reserved bit", masked(0xc1, b"hi"), 1002),
            ("reserved opcode", masked(0x83, b"hi"), 1002),
            ("continuation of nothing", masked(0x80, b"hi"), 1002),
            ("fragmented ping", masked(0x09, b"hi"), 1002),
            ("close of one byte", masked(0x88, b"x"), 1002),
            ("text that is none", masked(0x81, b"\xff\xfe"), 1007),
            ("too large", too_large.to_vec(), 1009),
            ("too large in parts", in_parts, 1009),
        ];
        for (what, input, code) in cases {
            let (output, state) = answer(&input, 1000);
            assert_eq!((close_code(&output), state), (code, ConversationState::Over), "{what}");
        }
    }

    /// The example of RFC 7692 §7.2.3.1.
    const HELLO: [u8; 7] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];

    #[test]
    fn compressed_messages_are_taken_and_ignored_however_they_arrive() {
        let input = [
            masked(0xc1, &HELLO),
            masked(0x41, &HELLO[..3]),
            masked(0x89, b"beat"),
            masked(0x80, &HELLO[3..]),
            masked(0x81, b"clear"),
            masked(0xc2, &[0x00]),
            masked(0xc2, &HELLO),
        ];
        for takeover in [false, true] {
            let client = Side { takeover, window: WindowBits::MAX };
            for step in [1, 5, 100] {
                let (output, state) = answer_as_agreed(Some(client), &input.concat(), step);
                let expected = (&b"\x8a\x04beat"[..], ConversationState::Open);
                assert_eq!((&output[..], state), expected, "takeover {takeover}, step {step}");
            }
        }
    }

    /// Its second message is the second example of RFC 7692 §7.2.3.2: it refers to the first.
    #[test]
    fn a_message_that_refers_to_those_before_it_needs_context_takeover() {
        let input = [masked(0xc1, &HELLO), masked(0xc1, &[0xf2, 0x00, 0x11, 0x00, 0x00])].concat();
        for (takeover, state) in [(true, ConversationState::Open), (false, ConversationState::Over)]
        {
            let client = Side { takeover, window: WindowBits::MAX };
            let (output, found) = answer_as_agreed(Some(client), &input, 100);
            assert_eq!(found, state, "takeover {takeover}");
            assert!(takeover || close_code(&output) == 1007);
        }
    }

    #[test]
    fn a_compressed_message_that_must_not_be_so_is_told_why() {
        let client = Some(Side { takeover: false, window: WindowBits::MAX });
        let (mut not_text, mut bomb) = (Vec::new(), Vec::new());
        let mut compressor = Compressor::new(DeflateSettings::default(), false);
        compressor.push(b"\xff\xfe", &mut not_text);
        compressor.push(&vec![0; MAX_MESSAGE + 1], &mut bomb);
        assert!(bomb.len() < 200);
        let cases: [(&str, Option<Side>, Vec<u8>, u16); 7] = [
            ("without agreement", None, masked(0xc1, &HELLO), 1002),
            ("control frame", client, masked(0xc9, b"beat"), 1002),
            ("continuation", client, [masked(0x41, &HELLO), masked(0xc0, b"")].concat(), 1002),
            ("another reserved bit", client, masked(0xe1, &HELLO), 1002),
            ("no DEFLATE", client, masked(0xc2, &[0xff, 0xff]), 1007),
            ("text that is none", client, masked(0xc1, &not_text), 1007),
            ("too large", client, masked(0xc2, &bomb), 1009),
        ];
        for (what, client, input, code) in cases {
            let (output, state) = answer_as_agreed(client, &input, 1000);
            assert_eq!((close_code(&output), state), (code, ConversationState::Over), "{what}");
        }
    }

    #[test]
    fn our_close_waits_for_the_clients() {
        let (mut conversation, mut output) = (Conversation::new(None), Vec::new());
        conversation.close(CloseCode::Away, "the server stops", &mut output);
        assert_eq!(close_code(&output), 1001);
        let sent = output.len();
        assert_eq!(
            conversation.receive(&masked(0x89, b"late"), &mut output),
            ConversationState::Open
        );
        assert_eq!(
            conversation.receive(&masked(0x88, &[0x03, 0xe9]), &mut output),
            ConversationState::Over
        );
        assert_eq!(output.len(), sent, "nothing follows a close");
    }
}
