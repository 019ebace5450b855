use std::io::Cursor;

use proptest::prelude::*;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Data, OpCode};

use super::*;

/// The messages and framing bytes of a stream read in pieces of `step` bytes.
fn read(wire: &[u8], step: usize) -> Result<(Vec<Vec<u8>>, usize), FrameError> {
    read_by(FrameReader::default(), wire, step)
}

fn read_by(
    mut reader: FrameReader,
    wire: &[u8],
    step: usize,
) -> Result<(Vec<Vec<u8>>, usize), FrameError> {
    let (mut messages, mut framing) = (Vec::new(), 0);
    let mut message = Vec::new();
    for mut piece in wire.chunks(step) {
        while let Some(part) = reader.next(&mut piece)? {
            match part {
                Piece::Framing(bytes) => framing += bytes,
                Piece::Data(data, last) => {
                    message.extend_from_slice(data);
                    if last {
                        messages.push(std::mem::take(&mut message));
                    }
                }
                Piece::Control(opcode) => {
                    messages.push([&[opcode as u8], reader.control()].concat());
                }
            }
        }
    }
    Ok((messages, framing))
}

/// RFC 6455 §5.2: two bytes up to 125, four up to 65,535, ten beyond.
#[test]
fn headers_are_as_long_as_the_standard_says() {
    let headers: [(usize, &[u8]); 4] = [
        (125, &[0x81, 125]),
        (126, &[0x81, 126, 0, 126]),
        (65_535, &[0x81, 126, 0xff, 0xff]),
        (65_536, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
    ];
    for (length, header) in headers {
        let payload = vec![b'x'; length];
        let frame = [header, &payload].concat();
        let header = header.len();
        for step in [1, 3, 1 << 20] {
            assert_eq!(read(&frame, step), Ok((vec![payload.clone()], header)), "{length}");
        }
    }
}

proptest! {
    /// Against headers that tungstenite writes.
    #[test]
    fn what_tungstenite_writes_is_read(
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 0..6),
        step in 1_usize..64,
    ) {
        let (mut wire, mut framing) = (Vec::new(), 0);
        for message in &messages {
            let opcode = OpCode::Data(Data::Binary);
            let header = FrameHeader { opcode, ..FrameHeader::default() };
            let before = wire.len();
            header.format(message.len() as u64, &mut wire).unwrap();
            framing += wire.len() - before;
            wire.extend_from_slice(message);
        }
        prop_assert_eq!(read(&wire, step), Ok((messages, framing)));
    }

    /// A client's frame, read by tungstenite and unmasked by hand (§5.3).
    #[test]
    fn a_masked_frame_reads_back(
        payload in prop::collection::vec(any::<u8>(), 0..=125), mask: [u8; 4],
    ) {
        let mut wire = Vec::new();
        push_control(&mut wire, Opcode::Pong, &payload, mask);
        let mut cursor = Cursor::new(&wire[..]);
        let (header, length) = FrameHeader::parse(&mut cursor).unwrap().unwrap();
        prop_assert_eq!((header.mask, length), (Some(mask), payload.len() as u64));
        prop_assert!(header.is_final && u8::from(header.opcode) == 10);
        let body = &wire[cursor.position() as usize..];
        let plain: Vec<u8> = body.iter().zip(mask.iter().cycle()).map(|(b, k)| b ^ k).collect();
        prop_assert_eq!(plain, payload);
    }

    #[test]
    fn nothing_that_arrives_makes_it_panic(
        wire in prop::collection::vec(any::<u8>(), 0..200), step in 1_usize..20,
    ) {
        let _ = read(&wire, step);
    }
}

#[test]
fn fragments_are_one_message_and_controls_may_come_between() {
    let wire = [&b"\x01\x02He"[..], b"\x89\x01p", b"\x00\x02ll", b"\x80\x01o"].concat();
    for step in 1..wire.len() {
        let (messages, framing) = read(&wire, step).unwrap();
        assert_eq!(messages, [b"\x09p".to_vec(), b"Hello".to_vec()]);
        assert_eq!(framing, wire.len() - 5);
    }
}

#[test]
fn what_a_server_must_not_send_is_refused() {
    let cases: [(&[u8], FrameError); 8] = [
        (b"\x81\x85\x00\x00\x00\x00hello", FrameError::Masked),
        (b"\xc1\x01x", FrameError::Reserved),
        (b"\x83\x01x", FrameError::Opcode(3)),
        (b"\x09\x01x", FrameError::Control),
        (b"\x89\x7e\x00\x80", FrameError::Control),
        (b"\x80\x01x", FrameError::Fragment),
        (b"\x01\x01x\x81\x01x", FrameError::Fragment),
        (b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", FrameError::Length),
    ];
    for (wire, error) in cases {
        for step in [1, 64] {
            assert_eq!(read(wire, step), Err(error), "{wire:x?}");
        }
    }
}

/// RFC 7692 §6: a message's first frame says whether it is compressed, and no other frame does.
#[test]
fn a_message_is_compressed_where_its_first_frame_says_so_and_that_was_agreed_on() {
    let wire = [&b"\x41\x01a"[..], b"\x89\x00", b"\x80\x01b", b"\x82\x01c", b"\xc2\x01d"].concat();
    for step in [1, 2, wire.len()] {
        let (mut reader, mut compressed) = (FrameReader::new(true), Vec::new());
        for mut piece in wire.chunks(step) {
            while let Some(part) = reader.next(&mut piece).unwrap() {
                if matches!(part, Piece::Data(..)) {
                    compressed.push(reader.is_compressed());
                }
            }
        }
        assert_eq!(compressed, [true, true, false, true], "in pieces of {step}");
    }
    let cases: [(&[u8], FrameError); 5] = [
        (b"\xc9\x00", FrameError::Compressed),
        (b"\xc8\x00", FrameError::Compressed),
        (b"\x41\x01a\xc0\x01b", FrameError::Compressed),
        (b"\xa1\x01a", FrameError::Reserved),
        (b"\xd1\x01a", FrameError::Reserved),
    ];
    for (wire, error) in cases {
        assert_eq!(read_by(FrameReader::new(true), wire, 1), Err(error), "{wire:x?}");
        assert_eq!(error.close_code(), 1002);
    }
    assert_eq!(read(b"\xc9\x00", 1), Err(FrameError::Reserved));
}
