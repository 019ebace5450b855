use std::io::{self, Read, Write};

use proptest::prelude::*;
use tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tungstenite::{Error, Message};

use super::*;
use crate::frame::client::header::unmask;

const LIMIT: usize = 1000;

/// Something that was said, kept.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kept {
    Message(bool, Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    Close(Option<u16>),
    Failed(u16),
}

fn read(input: &[u8], step: usize) -> Vec<Kept> {
    let (mut reader, mut said) = (ClientReader::default(), Vec::new());
    for piece in input.chunks(step) {
        let mut piece = piece.to_vec();
        let mut rest = &mut piece[..];
        loop {
            match reader.next(&mut rest, LIMIT) {
                Ok(None) => break,
                Ok(Some(Said::Message { is_text, payload })) => {
                    said.push(Kept::Message(is_text, payload.to_vec()));
                }
                Ok(Some(Said::Ping(payload))) => said.push(Kept::Ping(payload.to_vec())),
                Ok(Some(Said::Pong)) => said.push(Kept::Pong),
                Ok(Some(Said::Close(code))) => {
                    said.push(Kept::Close(code));
                    return said;
                }
                Err(error) => {
                    said.push(Kept::Failed(error.close_code()));
                    return said;
                }
            }
        }
        assert!(rest.is_empty(), "all is taken");
    }
    said
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

/// The same by another reader; of what breaks the protocol only that it does.
fn read_by_tungstenite(input: &[u8]) -> Vec<Kept> {
    let config =
        WebSocketConfig::default().max_message_size(Some(LIMIT)).max_frame_size(Some(LIMIT));
    let mut context = WebSocketContext::new(Role::Server, Some(config));
    let (mut pipe, mut said) = (Pipe(input), Vec::new());
    loop {
        said.push(match context.read(&mut pipe) {
            Ok(Message::Text(text)) => Kept::Message(true, text.as_bytes().to_vec()),
            Ok(Message::Binary(bytes)) => Kept::Message(false, bytes.to_vec()),
            Ok(Message::Ping(payload)) => Kept::Ping(payload.to_vec()),
            Ok(Message::Pong(_)) => Kept::Pong,
            Ok(Message::Close(frame)) => {
                said.push(Kept::Close(frame.map(|frame| frame.code.into())));
                return said;
            }
            Ok(Message::Frame(_)) => unreachable!("frames are read as messages"),
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return said,
            Err(Error::Utf8(_)) => Kept::Failed(1007),
            Err(Error::Capacity(_)) => Kept::Failed(1009),
            Err(_) => Kept::Failed(1002),
        });
        if matches!(said.last(), Some(Kept::Failed(_))) {
            return said;
        }
    }
}

fn push(out: &mut Vec<u8>, first: u8, payload: &[u8], mask: [u8; 4]) {
    out.push(first);
    match payload.len() {
        length @ 0..126 => out.push(0x80 | length as u8),
        length => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
    }
    out.extend_from_slice(&mask);
    let start = out.len();
    out.extend_from_slice(payload);
    unmask(&mut out[start..], mask);
}

prop_compose! {
    fn frame()(
        first in prop_oneof![
            9 => prop::sample::select(vec![0x81_u8, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8a]),
            1 => any::<u8>(),
        ],
        payload in prop_oneof![
            4 => "[a-zé€😀]{0,60}".prop_map(String::into_bytes),
            1 => prop::collection::vec(any::<u8>(), 0..400),
        ],
        mask in any::<[u8; 4]>(),
    ) -> Vec<u8> {
        let mut out = Vec::new();
        push(&mut out, first, &payload, mask);
        out
    }
}

proptest! {
    #[test]
    fn it_agrees_with_tungstenite_on_frames_however_they_are_cut(
        frames in prop::collection::vec(frame(), 0..8), step in 1_usize..40,
    ) {
        let input = frames.concat();
        let (own, other) = (read(&input, step), read_by_tungstenite(&input));
        // Text and headers are refused here as soon as they are none, and there once all of them is
        // there; and there a close whose code must not be sent is one.
        match own.split_last() {
            Some((Kept::Failed(_), before)) => {
                let rest = other.strip_prefix(before);
                let agrees = matches!(rest, Some([] | [Kept::Failed(_) | Kept::Close(_)]));
                prop_assert!(agrees, "{:?}, {:?}", own, other);
            }
            _ => prop_assert_eq!(own, other),
        }
    }

    #[test]
    fn bytes_never_panic_and_mean_the_same_however_they_are_cut(
        input in prop::collection::vec(any::<u8>(), 0..300), step in 1_usize..300,
    ) {
        prop_assert_eq!(read(&input, step), read(&input, 300));
    }

    #[test]
    fn a_mask_that_is_put_on_twice_is_off(
        data in prop::collection::vec(any::<u8>(), 0..70), mask in any::<[u8; 4]>(),
    ) {
        let mut masked = data.clone();
        unmask(&mut masked, mask);
        for (index, (masked, clear)) in masked.iter().zip(&data).enumerate() {
            prop_assert_eq!(*masked, clear ^ mask[index % 4]);
        }
        unmask(&mut masked, mask);
        prop_assert_eq!(masked, data);
    }
}

#[test]
fn a_message_has_its_bound_in_one_frame_or_in_many() {
    let (mut whole, mut parts, mut said) = (Vec::new(), Vec::new(), Vec::new());
    push(&mut whole, 0x82, &[0; LIMIT], [1, 2, 3, 4]);
    assert_eq!(read(&whole, 100), [Kept::Message(false, vec![0; LIMIT])]);
    push(&mut said, 0x82, &[0; LIMIT + 1], [0; 4]);
    assert_eq!(read(&said[..8], 100), [Kept::Failed(1009)], "before any of it is there");
    push(&mut parts, 0x02, &[0; LIMIT], [0; 4]);
    push(&mut parts, 0x00, &[], [0; 4]);
    assert_eq!(read(&parts, 100), []);
    push(&mut parts, 0x80, &[0], [0; 4]);
    assert_eq!(read(&parts, 100), [Kept::Failed(1009)]);
    let gibibyte = [0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4];
    assert_eq!(read(&gibibyte, 100), [Kept::Failed(1009)]);
}

#[test]
fn text_is_refused_as_soon_as_it_is_none() {
    let mut frame = Vec::new();
    push(&mut frame, 0x01, b"abc\xed\xa0", [0; 4]);
    assert_eq!(read(&frame, 1), [Kept::Failed(1007)]);
    frame.truncate(frame.len() - 1);
    assert_eq!(read(&frame, 1), []);
}

#[test]
fn nothing_is_held_of_a_message_once_the_next_thing_is_asked_for() {
    let (mut input, mut reader) = (Vec::new(), ClientReader::default());
    push(&mut input, 0x02, &[7; 500], [1, 2, 3, 4]);
    push(&mut input, 0x80, &[7; 400], [1, 2, 3, 4]);
    let mut rest = &mut input[..];
    let said = reader.next(&mut rest, LIMIT);
    assert!(matches!(said, Ok(Some(Said::Message { payload, .. })) if payload.len() == 900));
    assert!(reader.held() >= 900);
    assert_eq!(reader.next(&mut rest, LIMIT), Ok(None));
    assert_eq!(reader.held(), 0);
}
