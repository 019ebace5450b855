//! Server-sent events (WHATWG HTML §9.2, "Parsing an event stream").

use std::io::Write as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::message::{Content, Seq};

/// The type of an event whose data is base64, since an event stream is UTF-8 text.
pub const BINARY_EVENT: &str = "binary";

/// The type of the event that ends a stream whose cursor has fallen off the ring.
pub const GONE_EVENT: &str = "gone";

/// A line that clients pass over and that keeps a silent stream open.
pub const KEEP_ALIVE: &[u8] = b":\n\n";

/// Appends a message as one event: its `id`, and its `data`, a line for each of its own.
pub fn push(stream: &mut Vec<u8>, seq: Seq, content: Content, payload: &[u8]) {
    // Writing to a Vec cannot fail.
    let _ = writeln!(stream, "id: {seq}");
    match content {
        Content::Text => push_data(stream, payload),
        Content::Binary => {
            let _ = writeln!(stream, "event: {BINARY_EVENT}");
            push_data(stream, STANDARD.encode(payload).as_bytes());
        }
    }
    stream.push(b'\n');
}

/// Appends an event of type `event` with one line of data and no `id`.
pub fn push_named(stream: &mut Vec<u8>, event: &str, data: &str) {
    let _ = write!(stream, "event: {event}\ndata: {data}\n\n");
}

fn push_data(stream: &mut Vec<u8>, data: &[u8]) {
    for line in data.split(|&byte| byte == b'\n') {
        stream.extend_from_slice(b"data: ");
        stream.extend_from_slice(line);
        stream.push(b'\n');
    }
}

/// What a piece of a stream turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Bytes of field names, line ends, comments, and fields other than `data`.
    Framing(usize),
    /// Bytes of the event's data; the line feed between two `data` fields is one of them.
    Data(&'a [u8]),
    /// The event is complete; its type is [`SseReader::event`]. Takes no bytes.
    Dispatch,
}

/// Reads an event stream as it arrives in pieces.
#[derive(Debug, Clone, Default)]
pub struct SseReader {
    state: State,
    /// Start of the current line's field name.
    name: Vec<u8>,
    /// The current event's type, empty for a plain message.
    event: Vec<u8>,
    /// Whether this event has had a `data` field.
    has_data: bool,
    /// A piece that takes no bytes of the input and comes next.
    pending: Option<Pending>,
    /// The event was dispatched: its type is forgotten with the next byte.
    dispatched: bool,
    /// The last byte was a carriage return: a line feed now belongs to it.
    after_return: bool,
    /// The value of the current `retry` field; `None` once it is no number.
    digits: Option<u64>,
    /// The last `retry` field that was one.
    retry: Option<Duration>,
    /// Line feeds given out as data whose byte is still to be taken off the framing.
    owed: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Name,
    ValueStart(Field),
    Value(Field),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Data,
    Event,
    Retry,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pending {
    Newline,
    Dispatch,
}

/// Field names and event types are cut here: no known one is longer.
const NAME_LIMIT: usize = 16;

impl SseReader {
    /// The type of the current event, or of the one just dispatched; empty for a plain message.
    #[must_use]
    pub fn event(&self) -> &[u8] {
        &self.event
    }

    /// The reconnection time that the stream has set last, in its `retry` field.
    #[must_use]
    pub const fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// Takes the next piece off the front of `input`; `None` once it is used up.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Option<Piece<'a>> {
        if let Some(pending) = self.pending.take() {
            return Some(match pending {
                Pending::Newline => Piece::Data(b"\n"),
                Pending::Dispatch => Piece::Dispatch,
            });
        }
        let first = *input.first()?;
        if std::mem::take(&mut self.dispatched) {
            self.event.clear();
        }
        let piece = if std::mem::take(&mut self.after_return) && first == b'\n' {
            *input = &input[1..];
            Piece::Framing(1)
        } else {
            self.piece(first, input)
        };
        Some(match piece {
            Piece::Framing(bytes) => {
                let paid = bytes.min(self.owed);
                self.owed -= paid;
                Piece::Framing(bytes - paid)
            }
            other => other,
        })
    }

    fn piece<'a>(&mut self, first: u8, input: &mut &'a [u8]) -> Piece<'a> {
        match self.state {
            State::Name => self.name(first, input),
            State::ValueStart(field) => {
                self.state = State::Value(field);
                if first != b' ' {
                    return self.value(field, input);
                }
                *input = &input[1..];
                Piece::Framing(1)
            }
            State::Value(field) => self.value(field, input),
        }
    }

    /// A field's name with its colon, or the blank line that ends an event.
    fn name<'a>(&mut self, first: u8, input: &mut &'a [u8]) -> Piece<'a> {
        if self.name.is_empty() && matches!(first, b'\n' | b'\r') {
            self.take_line_end(input);
            self.end_event();
            return Piece::Framing(1);
        }
        let stop = input.iter().position(|byte| matches!(byte, b':' | b'\n' | b'\r'));
        let end = stop.unwrap_or(input.len());
        extend_limited(&mut self.name, &input[..end]);
        let Some(stop) = stop else {
            *input = &[];
            return Piece::Framing(end);
        };
        let field = self.start_field();
        self.state = State::ValueStart(field);
        // A name without a colon has an empty value, which ends at the same line end.
        let used = stop + usize::from(input[stop] == b':');
        *input = &input[used..];
        Piece::Framing(used)
    }

    /// Tells fields apart by the name just read. A comment is a field with an empty name.
    fn start_field(&mut self) -> Field {
        let field = match self.name.as_slice() {
            b"data" => Field::Data,
            b"event" => Field::Event,
            b"retry" => Field::Retry,
            _ => Field::Other,
        };
        self.name.clear();
        match field {
            Field::Data if self.has_data => {
                self.pending = Some(Pending::Newline);
                self.owed += 1;
            }
            Field::Data => self.has_data = true,
            Field::Event => self.event.clear(),
            Field::Retry => self.digits = Some(0),
            Field::Other => {}
        }
        field
    }

    /// A field's value up to its line end, or the line end.
    fn value<'a>(&mut self, field: Field, input: &mut &'a [u8]) -> Piece<'a> {
        let end = input.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let (value, rest) = input.split_at(end.unwrap_or(input.len()));
        if value.is_empty() {
            self.take_line_end(input);
            self.state = State::Name;
            if field == Field::Retry {
                self.retry = self.digits.take().map(Duration::from_millis).or(self.retry);
            }
            return Piece::Framing(1);
        }
        *input = rest;
        match field {
            Field::Data => return Piece::Data(value),
            Field::Event => extend_limited(&mut self.event, value),
            Field::Retry => self.digits = value.iter().fold(self.digits, add_digit),
            Field::Other => {}
        }
        Piece::Framing(value.len())
    }

    fn take_line_end(&mut self, input: &mut &[u8]) {
        self.after_return = input[0] == b'\r';
        *input = &input[1..];
    }

    /// A blank line: dispatches the event if it has data, and forgets its type if not.
    fn end_event(&mut self) {
        if self.has_data {
            self.pending = Some(Pending::Dispatch);
        }
        self.has_data = false;
        self.dispatched = true;
    }
}

/// A number with one more ASCII digit behind it; `None` for anything else.
fn add_digit(number: Option<u64>, digit: &u8) -> Option<u64> {
    let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
    Some(number?.saturating_mul(10).saturating_add(digit))
}

fn extend_limited(text: &mut Vec<u8>, more: &[u8]) {
    let room = NAME_LIMIT.saturating_sub(text.len());
    text.extend_from_slice(&more[..more.len().min(room)]);
}

#[cfg(test)]
mod tests {
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

    /// WHATWG HTML §9.2.6: only a field of nothing but ASCII digits counts.
    #[test]
    fn a_stream_says_how_long_to_wait_before_reconnecting() {
        let cases: [(&str, Option<u64>); 6] = [
            ("retry: 2500\n", Some(2_500)),
            ("retry:10\r\nretry: soon\r\n\r\n", Some(10)),
            ("retry: 10\nretry: 1.5\nretry: -3\nretry: 7 \nretries: 8\n", Some(10)),
            ("retry: 10\nretry: 20\n", Some(20)),
            ("retry: 99999999999999999999999\n", Some(u64::MAX)),
            ("retry: 15", None),
        ];
        for (stream, expected) in cases {
            for step in [1, 100] {
                let mut reader = SseReader::default();
                for mut piece in stream.as_bytes().chunks(step) {
                    while reader.next(&mut piece).is_some() {}
                }
                assert_eq!(reader.retry(), expected.map(Duration::from_millis), "{stream}");
            }
        }
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
}
