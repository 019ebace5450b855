//! The conversation with a WebSocket client: what it says is heard, pings are answered, and close is
//! said once by each side (RFC 6455 §5.5, §7.1).
//!
//! It exists only for clients that have said something. The answers go to the stream's control bytes,
//! which are written between whole messages.

use pushbench_core::feed::message::Content;
use pushbench_protocol::deflate::{Compressor, Side};
use pushbench_protocol::frame::client::{ClientReader, Said};
use pushbench_protocol::frame::{Opcode, push_unmasked};

use super::{Back, Coding, Ears, Parting};

/// The longest reason of a close: a control frame holds 125 bytes, two of them the code (RFC 6455
/// §5.5).
const MAX_REASON: usize = 123;

/// The conversation with one client.
#[derive(Debug)]
pub(super) struct Conversation {
    reader: ClientReader,
    /// Nothing follows a close.
    has_said_close: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConversationState {
    /// It goes on.
    Open,
    /// The server has said close, and the client is to answer it.
    Closing,
    /// Both sides have said close, or the client broke the protocol and has been told: the
    /// connection ends once everything is written.
    Over,
}

impl Conversation {
    /// With a client that may compress its messages within these bounds, or may not.
    pub(super) fn new(client: Option<Side>) -> Self {
        Self { reader: ClientReader::new(client), has_said_close: false }
    }

    /// Bytes of memory that an unfinished message takes.
    pub(super) const fn held(&self) -> usize {
        self.reader.held()
    }

    /// Takes bytes from the client, and appends the answers to them, messages in a coding if there is
    /// one.
    pub(super) fn receive(
        &mut self,
        mut input: &mut [u8],
        (coding, compressor): (Coding, &mut Option<Compressor>),
        output: &mut Vec<u8>,
        ears: &mut dyn Ears,
    ) -> ConversationState {
        loop {
            match self.reader.next(&mut input, ears.longest()) {
                Ok(None) => return self.state(),
                Ok(Some(Said::Close(code))) => {
                    if !self.has_said_close {
                        self.answer_close(code, output);
                    }
                    return ConversationState::Over;
                }
                Ok(Some(_)) if self.has_said_close => {}
                Ok(Some(Said::Message { is_text, payload })) => {
                    let content = if is_text { Content::Text } else { Content::Binary };
                    let back = Back { coding, compressor: compressor.as_mut(), out: output };
                    if let Err(Parting { code, reason }) = ears.hear(content, payload, back) {
                        self.close(code, &reason, output);
                    }
                }
                Ok(Some(Said::Ping(payload))) => {
                    push_unmasked(output, Opcode::Pong, false, payload);
                }
                Ok(Some(Said::Pong)) => {}
                Err(error) => {
                    self.close(error.close_code(), &error.to_string(), output);
                    return ConversationState::Over;
                }
            }
        }
    }

    const fn state(&self) -> ConversationState {
        if self.has_said_close { ConversationState::Closing } else { ConversationState::Open }
    }

    /// Answers the client's close with its code (RFC 6455 §5.5.1).
    fn answer_close(&mut self, code: Option<u16>, output: &mut Vec<u8>) {
        match code {
            Some(code) => self.close(code, "", output),
            None => {
                self.has_said_close = true;
                push_unmasked(output, Opcode::Close, false, &[]);
            }
        }
    }

    /// Says close, unless that has been said.
    pub(super) fn close(&mut self, code: u16, reason: &str, output: &mut Vec<u8>) {
        if std::mem::replace(&mut self.has_said_close, true) {
            return;
        }
        let longest = reason.len().min(MAX_REASON);
        let end = (0..=longest).rev().find(|&end| reason.is_char_boundary(end)).unwrap_or(0);
        let payload = [&code.to_be_bytes(), &reason.as_bytes()[..end]].concat();
        push_unmasked(output, Opcode::Close, false, &payload);
    }
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
        let (output, state, _) = heard(client, input, step);
        (output, state)
    }

    /// The same, and the messages that were heard.
    fn heard(
        client: Option<Side>,
        input: &[u8],
        step: usize,
    ) -> (Vec<u8>, ConversationState, Messages) {
        let (mut conversation, mut output) = (Conversation::new(client), Vec::new());
        let mut ears = Listener(Vec::new());
        for piece in input.chunks(step) {
            let state = receive(&mut conversation, piece, &mut output, &mut ears);
            if state != ConversationState::Open {
                return (output, state, ears.0);
            }
        }
        (output, ConversationState::Open, ears.0)
    }

    fn receive(
        conversation: &mut Conversation,
        input: &[u8],
        output: &mut Vec<u8>,
        ears: &mut Listener,
    ) -> ConversationState {
        conversation.receive(&mut input.to_vec(), (Coding::None, &mut None), output, ears)
    }

    /// The most bytes of a message.
    const MAX_MESSAGE: usize = 64 << 10;

    type Messages = Vec<(Content, Vec<u8>)>;

    /// Keeps what it hears.
    struct Listener(Messages);

    impl Ears for Listener {
        fn longest(&self) -> usize {
            MAX_MESSAGE
        }

        fn hear(&mut self, content: Content, payload: &[u8], _: Back<'_>) -> Result<(), Parting> {
            if payload == b"leave" {
                return Err(Parting { code: 1008, reason: "x".repeat(200) });
            }
            self.0.push((content, payload.to_vec()));
            Ok(())
        }
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
    fn messages_are_heard_however_they_arrive() {
        let input = [
            masked(0x81, b"text"),
            masked(0x02, b"in "),
            masked(0x89, b"beat"),
            masked(0x80, b"parts"),
            masked(0x82, b""),
        ];
        let messages = [(Content::Text, &b"text"[..]), (Content::Binary, b"in parts")];
        let messages = messages.into_iter().chain([(Content::Binary, &b""[..])]);
        let messages: Vec<_> = messages.map(|(content, it)| (content, it.to_vec())).collect();
        for step in [1, 2, 5, 7, 100] {
            let (output, state, heard) = heard(None, &input.concat(), step);
            assert_eq!((&output[..], state), (&b"\x8a\x04beat"[..], ConversationState::Open));
            assert_eq!(heard, messages, "step {step}");
        }
    }

    #[test]
    fn whoever_is_not_heard_any_more_is_told_why_and_answers() {
        let input = [masked(0x81, b"leave"), masked(0x81, b"late"), masked(0x89, b"beat")].concat();
        let (output, state, heard) = heard(None, &input, 1000);
        assert_eq!((close_code(&output), state), (1008, ConversationState::Closing));
        assert_eq!(output.len(), 127, "a control frame has at most 125 bytes");
        assert!(heard.is_empty(), "what comes behind is not heard");
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
    fn compressed_messages_are_heard_however_they_arrive() {
        let input = [
            masked(0xc1, &HELLO),
            masked(0x41, &HELLO[..3]),
            masked(0x89, b"beat"),
            masked(0x80, &HELLO[3..]),
            masked(0x81, b"clear"),
            masked(0xc2, &[0x00]),
            masked(0xc2, &HELLO),
        ];
        let messages: [(Content, &[u8]); 5] = [
            (Content::Text, b"Hello"),
            (Content::Text, b"Hello"),
            (Content::Text, b"clear"),
            (Content::Binary, b""),
            (Content::Binary, b"Hello"),
        ];
        for takeover in [false, true] {
            let client = Side { takeover, window: WindowBits::MAX };
            for step in [1, 5, 100] {
                let (output, state, heard) = heard(Some(client), &input.concat(), step);
                let expected = (&b"\x8a\x04beat"[..], ConversationState::Open);
                assert_eq!((&output[..], state), expected, "takeover {takeover}, step {step}");
                let heard: Vec<_> = heard.iter().map(|(content, it)| (*content, &it[..])).collect();
                assert_eq!(heard, messages, "takeover {takeover}, step {step}");
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
        let mut ears = Listener(Vec::new());
        conversation.close(1001, "the server stops", &mut output);
        assert_eq!(close_code(&output), 1001);
        let sent = output.len();
        let late = [masked(0x89, b"late"), masked(0x81, b"late")].concat();
        let state = receive(&mut conversation, &late, &mut output, &mut ears);
        assert_eq!(state, ConversationState::Closing);
        let state =
            receive(&mut conversation, &masked(0x88, &[0x03, 0xe9]), &mut output, &mut ears);
        assert_eq!(state, ConversationState::Over);
        assert_eq!(output.len(), sent, "nothing follows a close");
        assert!(ears.0.is_empty());
    }
}
