//! Server-sent events (WHATWG HTML §9.2, "Parsing an event stream").

mod base64;

use std::io::Write as _;
use std::time::Duration;

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;

use pushbench_core::feed::message::{Content, Seq};

pub use self::base64::Base64Payload;

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

/// A piece of a stream by its meaning.
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
    /// The value of the current line, where its field is one of `id` and `retry`.
    value: Vec<u8>,
    /// The identifiers of events, where somebody wants to know them.
    ids: Option<Box<Ids>>,
    /// The last `retry` that was a number.
    retry: Option<Duration>,
    /// Whether this event has had a `data` field.
    has_data: bool,
    /// A piece that takes no bytes of the input and comes next.
    pending: Option<Pending>,
    /// The event was dispatched: its type is forgotten with the next byte.
    dispatched: bool,
    /// The last byte was a carriage return: a line feed now belongs to it.
    after_return: bool,
    /// Line feeds given out as data whose byte is still to be taken off the framing.
    owed: usize,
}

/// The last event ID buffer and the last event ID string of the standard.
#[derive(Debug, Clone, Default)]
struct Ids {
    buffer: Vec<u8>,
    last: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the stream's start, and how much of a byte order mark has come.
    Start(usize),
    Name,
    ValueStart(Field),
    Value(Field),
}

impl Default for State {
    fn default() -> Self {
        Self::Start(0)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Data,
    Event,
    Id,
    Retry,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pending {
    Newline,
    Dispatch,
}

/// U+FEFF in UTF-8, which may begin a stream and is no part of it.
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// Field names are cut here: no known one is longer.
const NAME_LIMIT: usize = 16;

/// The longest event type that is told from others, in bytes.
pub const EVENT_LIMIT: usize = 128;

/// The longest event identifier that is kept, in bytes: a request's head, in which it goes back
/// to the server, could hardly carry a longer one. Such a one is ignored.
pub const ID_LIMIT: usize = 8 << 10;

impl SseReader {
    /// A reader that also knows [`SseReader::last_id`].
    #[must_use]
    pub fn with_ids() -> Self {
        Self { ids: Some(Box::default()), ..Self::default() }
    }

    /// Begins a new stream of the same source. What its events were last identified by stays, as
    /// browsers have it.
    pub fn restart(&mut self) {
        let mut ids = self.ids.take();
        if let Some(ids) = &mut ids {
            ids.buffer.clone_from(&ids.last);
        }
        *self = Self { ids, ..Self::default() };
    }

    /// The type of the current event, or of the one just dispatched; empty for a plain message.
    /// One of more than [`EVENT_LIMIT`] bytes is cut a byte behind that.
    #[must_use]
    pub fn event(&self) -> &[u8] {
        &self.event
    }

    /// The `Last-Event-ID` of a new request (WHATWG HTML §9.2.4): the last event ID string,
    /// as it came. Empty where there is none.
    #[must_use]
    pub fn last_id(&self) -> &[u8] {
        self.ids.as_ref().map_or(&[], |ids| &ids.last)
    }

    /// The reconnection time that this stream has set last.
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

    #[inline]
    fn piece<'a>(&mut self, first: u8, input: &mut &'a [u8]) -> Piece<'a> {
        if let State::Start(length) = self.state
            && let Some(piece) = self.start(length, first, input)
        {
            return piece;
        }
        match self.state {
            State::Name | State::Start(_) => self.name(first, input),
            State::ValueStart(field) => {
                self.state = State::Value(field);
                if first != b' ' {
                    return self.value(field, input);
                }
                *input = &input[1..];
                if field == Field::Data || input.is_empty() {
                    return Piece::Framing(1);
                }
                match self.value(field, input) {
                    Piece::Framing(bytes) => Piece::Framing(1 + bytes),
                    other => other,
                }
            }
            State::Value(field) => self.value(field, input),
        }
    }

    /// A byte order mark, or the start of one, which is the start of a name.
    #[cold]
    fn start(&mut self, length: usize, first: u8, input: &mut &[u8]) -> Option<Piece<'static>> {
        if BYTE_ORDER_MARK.get(length) == Some(&first) {
            *input = &input[1..];
            self.state = State::Start(length + 1);
            return Some(Piece::Framing(1));
        }
        self.state = State::Name;
        if length < BYTE_ORDER_MARK.len() {
            self.name.extend_from_slice(&BYTE_ORDER_MARK[..length]);
        }
        None
    }

    /// A field's name with its colon, or the blank line that ends an event.
    #[inline]
    fn name<'a>(&mut self, first: u8, input: &mut &'a [u8]) -> Piece<'a> {
        if self.name.is_empty() && matches!(first, b'\n' | b'\r') {
            self.take_line_end(input);
            self.end_event();
            return Piece::Framing(1);
        }
        let stop = input.iter().position(|byte| matches!(byte, b':' | b'\n' | b'\r'));
        let end = stop.unwrap_or(input.len());
        extend_limited(&mut self.name, &input[..end], NAME_LIMIT);
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
    #[inline]
    fn start_field(&mut self) -> Field {
        let field = match self.name.as_slice() {
            b"data" => Field::Data,
            b"event" => Field::Event,
            b"id" if self.ids.is_some() => Field::Id,
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
            Field::Id | Field::Retry => self.value.clear(),
            Field::Other => {}
        }
        field
    }

    /// A field's value up to its line end, or the line end.
    fn value<'a>(&mut self, field: Field, input: &mut &'a [u8]) -> Piece<'a> {
        let end = input.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let (value, rest) = input.split_at(end.unwrap_or(input.len()));
        if field == Field::Data && !value.is_empty() {
            *input = rest;
            return Piece::Data(value);
        }
        match field {
            Field::Event => extend_limited(&mut self.event, value, EVENT_LIMIT + 1),
            Field::Id | Field::Retry => extend_limited(&mut self.value, value, ID_LIMIT + 1),
            Field::Data | Field::Other => {}
        }
        *input = rest;
        if end.is_none() {
            return Piece::Framing(value.len());
        }
        self.take_line_end(input);
        self.state = State::Name;
        if matches!(field, Field::Id | Field::Retry) {
            self.end_field(field);
        }
        Piece::Framing(value.len() + 1)
    }

    /// Takes the value of a field that is known with its line's end only.
    #[cold]
    fn end_field(&mut self, field: Field) {
        match (field, &mut self.ids) {
            (Field::Id, Some(ids)) if self.value.len() <= ID_LIMIT && !self.value.contains(&0) => {
                std::mem::swap(&mut ids.buffer, &mut self.value);
            }
            (Field::Retry, _) => self.retry = milliseconds(&self.value).or(self.retry),
            _ => {}
        }
    }

    fn take_line_end(&mut self, input: &mut &[u8]) {
        self.after_return = input[0] == b'\r';
        *input = &input[1..];
    }

    /// A blank line: dispatches the event if it has data, and forgets its type if not. Either way
    /// it is now known by what it was identified.
    fn end_event(&mut self) {
        if let Some(ids) = &mut self.ids {
            ids.last.clone_from(&ids.buffer);
        }
        if self.has_data {
            self.pending = Some(Pending::Dispatch);
        }
        self.has_data = false;
        self.dispatched = true;
    }
}

/// A reconnection time: ASCII digits and nothing else.
fn milliseconds(value: &[u8]) -> Option<Duration> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let more =
        |number: u64, digit: &u8| number.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    digits.then(|| Duration::from_millis(value.iter().fold(0, more)))
}

fn extend_limited(text: &mut Vec<u8>, more: &[u8], limit: usize) {
    let room = limit.saturating_sub(text.len());
    text.extend_from_slice(&more[..more.len().min(room)]);
}

#[cfg(test)]
mod tests;
