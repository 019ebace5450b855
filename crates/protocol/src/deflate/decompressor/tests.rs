use proptest::prelude::*;
use pushbench_core::deflate::{DeflateSettings, Level, MemLevel, WindowBits};

use super::*;
use crate::deflate::Compressor;

const LIMIT: usize = 1 << 20;

/// A message whose payload arrives in `pieces`, inflated `room` bytes at a time.
fn read(
    decompressor: &mut Decompressor,
    pieces: &[&[u8]],
    room: usize,
) -> Result<Vec<u8>, InflateError> {
    let (mut message, mut buffer) = (Vec::new(), vec![0; room]);
    for (at, piece) in pieces.iter().enumerate() {
        let (mut input, last) = (*piece, at + 1 == pieces.len());
        while let Some(data) = decompressor.next(&mut input, last, &mut buffer)? {
            message.extend_from_slice(data);
        }
    }
    Ok(message)
}

fn one(takeover: bool, payload: &[u8]) -> Result<Vec<u8>, InflateError> {
    read(&mut Decompressor::new(takeover, LIMIT), &[payload], 64)
}

/// The payloads of RFC 7692 §7.2.3: one block (.1), the same stored (.3), with BFINAL set (.4), and
/// in two blocks (.5).
const HELLOS: [&[u8]; 4] = [
    &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00],
    &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00],
    &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
    &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
];

#[test]
fn every_payload_that_rfc_7692_shows_is_read_in_whatever_fragments() {
    for takeover in [false, true] {
        let mut decompressor = Decompressor::new(takeover, LIMIT);
        for payload in HELLOS.into_iter().cycle().take(9) {
            for cut in 0..=payload.len() {
                let (first, second) = payload.split_at(cut);
                for room in [1, 4, 5, 64] {
                    let message = read(&mut decompressor, &[first, second], room);
                    assert_eq!(message.as_deref(), Ok(&b"Hello"[..]), "{payload:?} at {cut}");
                }
            }
        }
        assert_eq!(read(&mut decompressor, &[&[0]], 64).as_deref(), Ok(&b""[..]));
    }
}

#[test]
fn history_is_kept_with_takeover_and_not_without() {
    let second = [0xf2, 0x00, 0x11, 0x00, 0x00];
    let mut keeps = Decompressor::new(true, LIMIT);
    assert!(read(&mut keeps, &[HELLOS[0]], 64).is_ok());
    assert_eq!(read(&mut keeps, &[&second], 64).as_deref(), Ok(&b"Hello"[..]));
    let mut forgets = Decompressor::new(false, LIMIT);
    assert!(read(&mut forgets, &[HELLOS[0]], 64).is_ok());
    assert_eq!(read(&mut forgets, &[&second], 64), Err(InflateError::Invalid));
}

#[test]
fn what_is_no_deflate_is_1007() {
    for payload in [
        &[][..],
        // A block of the type that does not exist; lengths of a stored one that differ; a reference
        // to before the start.
        &[0x06, 0x00],
        &[0x00, 0x05, 0x00, 0x00, 0xff, 0x48],
        &[0xf2, 0x00, 0x11, 0x00, 0x00],
    ] {
        for takeover in [false, true] {
            let error = one(takeover, payload).unwrap_err();
            assert_eq!(error.close_code(), 1007, "{payload:?}");
        }
    }
}

#[test]
fn a_message_that_breaks_off_is_found_where_nothing_may_follow() {
    for cut in 1..HELLOS[0].len() {
        assert_eq!(one(false, &HELLOS[0][..cut]), Err(InflateError::Invalid), "at {cut}");
    }
}

#[test]
fn a_last_block_without_the_byte_behind_it_is_complete() {
    let bare = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    for takeover in [false, true] {
        let mut decompressor = Decompressor::new(takeover, LIMIT);
        for _ in 0..3 {
            assert_eq!(read(&mut decompressor, &[&bare], 64).as_deref(), Ok(&b"Hello"[..]));
        }
    }
}

#[test]
fn a_message_beyond_the_limit_is_1009_after_one_byte_too_many() {
    let mut payload = Vec::new();
    Compressor::new(DeflateSettings::default(), false).push(&vec![b'a'; 50_000_000], &mut payload);
    assert!(payload.len() < 60_000, "a bomb has {} bytes", payload.len());
    let (mut decompressor, mut buffer) = (Decompressor::new(false, 10_000), vec![0; 4096]);
    let (mut input, mut given) = (&payload[..], 0);
    let error = loop {
        match decompressor.next(&mut input, true, &mut buffer) {
            Ok(data) => given += data.expect("it is not complete").len(),
            Err(error) => break error,
        }
    };
    assert_eq!((error, error.close_code()), (InflateError::TooLarge(10_000), 1009));
    assert!(given <= 10_000, "{given} bytes were given");
    assert!(payload.len() - input.len() < 1000, "it read on: {} bytes are left", input.len());

    let mut exact = Decompressor::new(false, 50_000_000);
    assert_eq!(read(&mut exact, &[&payload], 1 << 16).unwrap().len(), 50_000_000);
}

fn settings() -> impl Strategy<Value = DeflateSettings> {
    (0_u8..=9, 9_u8..=15, 1_u8..=9).prop_map(|(level, window, memory)| DeflateSettings {
        level: Level::try_from(level).unwrap(),
        window: WindowBits::try_from(window).unwrap(),
        memory: MemLevel::try_from(memory).unwrap(),
    })
}

proptest! {
    #[test]
    fn messages_come_back_whatever_the_settings_and_the_fragments(
        settings in settings(),
        messages in prop::collection::vec("[a-e]{0,200}", 1..12),
        step in 1_usize..80,
        room in 1_usize..300,
        takeover: bool,
    ) {
        let mut compressor = Compressor::new(settings, takeover);
        let mut decompressor = Decompressor::new(takeover, LIMIT);
        for message in &messages {
            let mut payload = Vec::new();
            compressor.push(message.as_bytes(), &mut payload);
            let mut pieces: Vec<&[u8]> = payload.chunks(step).collect();
            // Fragments may be empty (RFC 6455 §5.4).
            pieces.push(&[]);
            let back = read(&mut decompressor, &pieces, room);
            prop_assert_eq!(back.as_deref(), Ok(message.as_bytes()));
        }
    }

    #[test]
    fn without_takeover_a_payload_does_not_depend_on_what_was_compressed_before(
        settings in settings(),
        before in prop::collection::vec("[a-e]{1,3000}", 1..6),
        message in "[a-e]{1,3000}",
    ) {
        let (mut used, mut payload) = (Compressor::new(settings, false), Vec::new());
        for earlier in &before {
            used.push(earlier.as_bytes(), &mut payload);
        }
        payload.clear();
        used.push(message.as_bytes(), &mut payload);
        let mut alone = Vec::new();
        Compressor::new(settings, false).push(message.as_bytes(), &mut alone);
        prop_assert_eq!(payload, alone);
    }
}
