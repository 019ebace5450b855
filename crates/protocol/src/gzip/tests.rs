use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};
use proptest::prelude::*;

use super::*;

const LIMIT: u64 = 1 << 20;

fn writer() -> GzipWriter {
    GzipWriter::new(DeflateSettings::default())
}

/// A body as this reader has it, in pieces of `step` bytes, inflated `room` bytes at a time.
fn read(body: &[u8], step: usize, room: usize) -> Result<Vec<u8>, GzipError> {
    let (mut reader, mut text, mut buffer) = (GzipReader::new(LIMIT), Vec::new(), vec![0; room]);
    for mut piece in body.chunks(step) {
        while let Some(data) = reader.next(&mut piece, &mut buffer)? {
            text.extend_from_slice(data);
        }
    }
    reader.finish().map(|()| text)
}

/// A body as another implementation has it.
fn independent(body: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    MultiGzDecoder::new(body).read_to_end(&mut text).expect("it is gzip");
    text
}

fn body(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    writer().push_body(text, &mut out);
    out
}

proptest! {
    #[test]
    fn a_client_that_joins_anywhere_gets_one_valid_member(
        events in prop::collection::vec("[a-z ]{0,300}", 1..12),
        join in 0_usize..12,
        stored in any::<u16>(),
        step in 1_usize..90,
        room in 1_usize..200,
    ) {
        let join = join.min(events.len());
        let (mut writer, mut stream) = (writer(), HEADER.to_vec());
        let (mut all, mut own, mut joined) = (Sum::default(), Sum::default(), Sum::default());
        for (at, event) in events.iter().enumerate() {
            let mut block = Vec::new();
            let sum = match stored >> at & 1 {
                0 => writer.push_block(event.as_bytes(), &mut block),
                _ => push_stored(event.as_bytes(), &mut block),
            };
            if at == join {
                joined = all;
            }
            all = all.then(sum);
            if at >= join {
                stream.extend_from_slice(&block);
                own = own.then(sum);
            }
        }
        if join < events.len() {
            prop_assert_eq!(all.since(joined), own);
        }
        push_trailer(own, &mut stream);
        let text = events[join..].concat();
        prop_assert_eq!(independent(&stream), text.as_bytes());
        prop_assert_eq!(read(&stream, step, room), Ok(text.into_bytes()));
    }

    #[test]
    fn bodies_come_back_member_after_member(
        texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 1..5),
        step in 1_usize..90,
        room in 1_usize..200,
    ) {
        let (mut writer, mut wire) = (writer(), Vec::new());
        texts.iter().for_each(|text| writer.push_body(text, &mut wire));
        prop_assert_eq!(independent(&wire), texts.concat());
        prop_assert_eq!(read(&wire, step, room), Ok(texts.concat()));
    }
}

#[test]
fn a_block_is_the_same_bytes_whatever_came_before_and_is_read_when_it_arrives() {
    let (mut used, mut reader, mut buffer) = (writer(), GzipReader::new(LIMIT), [0; 4096]);
    reader.next(&mut &HEADER[..], &mut buffer).unwrap();
    for number in 0..100 {
        let event = format!("id: {number}\ndata: a message of a feed, much like the last\n\n");
        let (mut block, mut alone) = (Vec::new(), Vec::new());
        used.push_block(event.as_bytes(), &mut block);
        writer().push_block(event.as_bytes(), &mut alone);
        assert_eq!(block, alone);
        let data = reader.next(&mut &block[..], &mut buffer).unwrap();
        assert_eq!(data, Some(event.as_bytes()));
    }
}

#[test]
fn what_is_stored_is_read_however_long_it_is() {
    for length in [0, 1, 65_535, 65_536, 200_000] {
        let (text, mut stream) = (vec![b'x'; length], HEADER.to_vec());
        let sum = push_stored(&text, &mut stream);
        assert_eq!(stream.len(), HEADER.len() + length + 5 * length.div_ceil(65_535));
        push_trailer(sum, &mut stream);
        assert_eq!(independent(&stream), text);
    }
}

#[test]
fn optional_fields_of_a_header_are_passed_over() {
    let mut wire = Vec::new();
    GzBuilder::new()
        .filename("feed.json")
        .comment("of today")
        .extra(vec![7; 300])
        .mtime(1)
        .read(&b"Hello"[..], Compression::new(6))
        .read_to_end(&mut wire)
        .unwrap();
    // A header with its own checksum (RFC 1952 §2.3.1, FHCRC).
    let mut checked = vec![0x1f, 0x8b, 8, 0x02, 0, 0, 0, 0, 0, 255];
    let crc = Sum::of(&checked).crc().to_le_bytes();
    checked.extend_from_slice(&crc[..2]);
    checked.extend_from_slice(&body(b" World")[HEADER.len()..]);
    wire.extend_from_slice(&checked);
    for step in [1, 2, 7, wire.len()] {
        assert_eq!(read(&wire, step, 64).as_deref(), Ok(&b"Hello World"[..]));
    }
}

#[test]
fn a_body_that_is_damaged_or_ends_early_is_refused() {
    let whole = body(b"Hello");
    for cut in 0..whole.len() {
        assert_eq!(read(&whole[..cut], 3, 64), Err(GzipError::CutShort), "at {cut}");
    }
    // Magic, method, a reserved flag, checksum, length.
    for at in [0, 1, 2, 3, whole.len() - 8, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x80;
        assert_eq!(read(&damaged, 3, 64), Err(GzipError::Invalid), "at {at}");
    }
    let mut behind = whole;
    behind.extend_from_slice(b"HTTP/1.1");
    assert_eq!(read(&behind, 3, 64), Err(GzipError::Invalid));
}

#[test]
fn a_body_beyond_its_limit_is_refused_after_one_byte_too_many() {
    let bomb = body(&vec![0; 20_000_000]);
    let (mut reader, mut buffer, mut input) = (GzipReader::new(5000), [0; 1024], &bomb[..]);
    let mut given = 0;
    let error = loop {
        match reader.next(&mut input, &mut buffer) {
            Ok(data) => given += data.expect("there is more").len(),
            Err(error) => break error,
        }
    };
    assert_eq!(error, GzipError::TooLarge(5000));
    assert!(given <= 5000 && input.len() > bomb.len() / 2, "{given} bytes were given");
}
