use proptest::prelude::*;

use super::*;

type Events = Vec<(String, Vec<u8>)>;

/// The events with their types, and the bytes that were framing, read in pieces of `step`.
fn read(stream: &[u8], step: usize) -> (Events, usize) {
    let (mut reader, mut events, mut framing) = (SseReader::default(), Events::new(), 0);
    let mut data = Vec::new();
    for mut piece in stream.chunks(step) {
        while let Some(part) = reader.next(&mut piece) {
            match part {
                Piece::Framing(bytes) => framing += bytes,
                Piece::Data(bytes) => data.extend_from_slice(bytes),
                Piece::Dispatch => {
                    let event = String::from_utf8(reader.event().to_vec()).unwrap();
                    events.push((event, std::mem::take(&mut data)));
                }
            }
        }
    }
    (events, framing)
}

proptest! {
    #[test]
    fn messages_read_back_however_they_are_cut(
        payloads in prop::collection::vec("[a-z\n: ]{0,40}", 0..6), step in 1_usize..50,
    ) {
        let mut stream = Vec::new();
        for (payload, seq) in payloads.iter().zip(1..) {
            push(&mut stream, Seq(seq), Content::Text, payload.as_bytes());
        }
        let (events, framing) = read(&stream, step);
        let data: Vec<&[u8]> = events.iter().map(|(_, data)| data.as_slice()).collect();
        prop_assert_eq!(data, payloads.iter().map(String::as_bytes).collect::<Vec<_>>());
        let payload: usize = payloads.iter().map(String::len).sum();
        prop_assert_eq!(framing + payload, stream.len());
    }

    #[test]
    fn binary_travels_as_base64(payload in prop::collection::vec(any::<u8>(), 1..200)) {
        let mut stream = Vec::new();
        push(&mut stream, Seq(1), Content::Binary, &payload);
        let (events, _) = read(&stream, 7);
        prop_assert_eq!(events.len(), 1);
        prop_assert_eq!(&events[0].0, BINARY_EVENT);
        prop_assert_eq!(STANDARD.decode(&events[0].1).unwrap(), payload);
    }
}

#[test]
fn an_event_around_one_line_adds_eight_bytes_beside_its_id() {
    let mut stream = Vec::new();
    push(&mut stream, Seq(7), Content::Text, b"0000000007");
    assert_eq!(stream, b"id: 7\ndata: 0000000007\n\n");
    assert_eq!(stream.len() - "id: 7\n".len() - 10, 8);
}

/// The examples of WHATWG HTML §9.2.6.
#[test]
fn the_standards_examples_read_as_it_says() {
    let cases: [(&[u8], &[&str]); 4] = [
        (b"data: YHOO\ndata: +2\ndata: 10\n\n", &["YHOO\n+2\n10"]),
        (b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
         &["first event", "second event", " third event"]),
        (b"data\n\ndata\ndata\n\ndata:", &["", "\n"]),
        (b"data:test\r\n\r\ndata: test\r\r", &["test", "test"]),
    ];
    for (stream, expected) in cases {
        for step in [1, 2, 3, 100] {
            let (events, _) = read(stream, step);
            let data: Vec<_> = events.iter().map(|(_, d)| str::from_utf8(d).unwrap()).collect();
            assert_eq!(data, expected, "in pieces of {step}");
        }
    }
}

#[test]
fn an_events_type_is_its_own() {
    let stream = b"event: gone\ndata: 5\n\nevent: none\n\ndata: x\n\n";
    let (events, _) = read(stream, 100);
    assert_eq!(events, [("gone".into(), b"5".to_vec()), (String::new(), b"x".to_vec())]);
}

/// The reader of a stream that has been read in pieces of `step` bytes.
fn after(stream: &[u8], step: usize) -> SseReader {
    let mut reader = SseReader::with_ids();
    for mut piece in stream.chunks(step) {
        while reader.next(&mut piece).is_some() {}
    }
    reader
}

#[test]
fn the_last_id_is_that_of_the_last_event_that_is_complete() {
    let cases: [(&[u8], &[u8]); 10] = [
        (b"id: 17:0\ndata: x\n\n", b"17:0"),
        (b"id: 1\n\nid: 2\ndata: never dispatched\n", b"1"),
        (b"id: 1\ndata: x\n\ndata: y\n\n", b"1"),
        (b"id: 1\n\nid\n\n", b""),
        (b"id: 1\n\nid:\n\n", b""),
        (b"id: 1\n\nid: a\0b\n\n", b"1"),
        (b"id: 1\rid:  2 \r\n\r\n", b" 2 "),
        (b"ID: 1\n\n", b""),
        ("id: grün\n\n".as_bytes(), "grün".as_bytes()),
        (b":\n\n", b""),
    ];
    for (stream, id) in cases {
        for step in [1, 2, 3, 100] {
            assert_eq!(after(stream, step).last_id(), id, "{} by {step}", stream.escape_ascii());
        }
    }
    let overlong = [b"id: 1\n\nid: ".to_vec(), vec![b'9'; ID_LIMIT + 1], b"\n\n".to_vec()].concat();
    assert_eq!(after(&overlong, 1000).last_id(), b"1");
    let longest = [b"id: ".to_vec(), vec![b'9'; ID_LIMIT], b"\n\n".to_vec()].concat();
    assert_eq!(after(&longest, 1000).last_id().len(), ID_LIMIT);
}

#[test]
fn a_new_stream_of_the_source_keeps_its_last_id_and_nothing_else() {
    let mut reader = after(b"id: 1\nretry: 5\ndata: x\n\nid: 2\nevent: half\ndata: y", 4);
    reader.restart();
    assert_eq!((reader.last_id(), reader.event(), reader.retry()), (&b"1"[..], &b""[..], None));
    let mut input = &b"\xef\xbb\xbfdata: z\n\n"[..];
    let pieces: Vec<_> = std::iter::from_fn(|| reader.next(&mut input)).collect();
    assert!(pieces.contains(&Piece::Data(b"z")) && pieces.contains(&Piece::Dispatch), "{pieces:?}");
    assert_eq!(reader.last_id(), b"1");
}

#[test]
fn only_digits_set_the_reconnection_time() {
    let cases: [(&[u8], Option<u64>); 8] = [
        (b"retry: 1500\n", Some(1500)),
        (b"retry:007\n", Some(7)),
        (b"retry: 1.5\n", None),
        (b"retry: -1\n", None),
        (b"retry\n", None),
        (b"retry: 10\nretry: soon\n", Some(10)),
        (b"retry: 10\n\nretry: 20\n", Some(20)),
        (b"retry: 99999999999999999999999\n", Some(u64::MAX)),
    ];
    for (stream, retry) in cases {
        for step in [1, 100] {
            let retry = retry.map(Duration::from_millis);
            assert_eq!(after(stream, step).retry(), retry, "{}", stream.escape_ascii());
        }
    }
}

/// One byte order mark at the very start is no part of the stream (§9.2.5).
#[test]
fn a_byte_order_mark_is_passed_over_once() {
    for step in [1, 2, 100] {
        let (events, framing) = read("\u{feff}data: x\n\n".as_bytes(), step);
        assert_eq!((events.len(), framing), (1, 11));
        for stream in ["\u{feff}\u{feff}data: x\n\n", "\n\u{feff}data: x\n\n"] {
            assert_eq!(read(stream.as_bytes(), step).0, [], "the field has another name");
        }
        let half = read(b"\xef\xbbdata: x\n\ndata: y\n\n", step).0;
        assert_eq!(half, [(String::new(), b"y".to_vec())]);
    }
}

#[test]
fn fields_are_what_the_standard_calls_them() {
    let cases: [(&[u8], &str, &[u8]); 8] = [
        (b"event: message\ndata: x\n\n", "message", b"x"),
        (b"event: a\nevent: b\ndata: x\n\n", "b", b"x"),
        (b"event: a\nevent\ndata: x\n\n", "", b"x"),
        (b"data: x\nevent: late\n\n", "late", b"x"),
        (b"event:\tx \ndata:  x\n\n", "\tx ", b" x"),
        (b"Data: no\nDATA: no\ndata : no\n data: no\ndata: x\n\n", "", b"x"),
        (b"data:x:y\r\rdata: cut", "", b"x:y"),
        (b"dataset: no\ndata: x\n:data: no\n\n", "", b"x"),
    ];
    for (stream, event, data) in cases {
        for step in [1, 2, 5, 100] {
            let expected = [(event.to_owned(), data.to_vec())];
            assert_eq!(read(stream, step).0, expected, "{} by {step}", stream.escape_ascii());
        }
    }
}

#[test]
fn types_that_differ_in_their_last_byte_are_told_apart() {
    let long = "e".repeat(EVENT_LIMIT);
    let event = |name: &str| read(format!("event: {name}\ndata\n\n").as_bytes(), 7).0[0].0.clone();
    assert_eq!(event(&long), long);
    assert_ne!(event(&(long.clone() + "x")), long);
}
