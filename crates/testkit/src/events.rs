//! An event stream's parser, written a second time.
//!
//! The load generator reads event streams with `protocol::sse`, and so a mistake that the
//! server's writer and that reader share would stay unseen. This one keeps what it reads, which
//! makes it the obvious translation of WHATWG HTML §9.2.6, and it knows `id`s.

/// One event, as an `EventSource` would dispatch it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// The last `id` of the stream up to this event.
    pub id: String,
    /// Its type; empty for a plain message.
    pub kind: String,
    /// Its data, lines joined by line feeds.
    pub data: Vec<u8>,
}

/// U+FEFF in UTF-8, which may begin a stream.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Collects a stream's bytes until they make events.
#[derive(Debug, Clone, Default)]
pub struct EventParser {
    buffer: Vec<u8>,
    /// The last byte was a carriage return.
    after_return: bool,
    /// There has been a line, before which a byte order mark may stand.
    begun: bool,
    id: String,
    kind: String,
    data: Option<Vec<u8>>,
    comments: usize,
}

impl EventParser {
    /// Takes bytes that have arrived, and gives the events that they complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for &byte in bytes {
            // Both together end one line.
            let after_return = std::mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => {
                    let line = std::mem::take(&mut self.buffer);
                    events.extend(self.line(&line));
                }
                _ => self.buffer.push(byte),
            }
        }
        events
    }

    /// How many comment lines have come.
    #[must_use]
    pub const fn comments(&self) -> usize {
        self.comments
    }

    /// Whether the stream stands between two events, where a proper end may be.
    #[must_use]
    pub fn is_between_events(&self) -> bool {
        self.buffer.is_empty() && self.data.is_none()
    }

    fn line(&mut self, line: &[u8]) -> Option<Event> {
        let mark = (!std::mem::replace(&mut self.begun, true)).then_some(BYTE_ORDER_MARK);
        let line = mark.and_then(|mark| line.strip_prefix(mark)).unwrap_or(line);
        if line.is_empty() {
            let kind = std::mem::take(&mut self.kind);
            let data = self.data.take()?;
            return Some(Event { id: self.id.clone(), kind, data });
        }
        let colon = line.iter().position(|&byte| byte == b':');
        let (name, value) = match colon {
            Some(at) => (&line[..at], &line[at + 1..]),
            None => (line, &b""[..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"" => self.comments += 1,
            b"id" if !value.contains(&0) => self.id = String::from_utf8_lossy(value).into_owned(),
            b"event" => self.kind = String::from_utf8_lossy(value).into_owned(),
            b"data" => match &mut self.data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => self.data = Some(value.to_vec()),
            },
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stream: &[u8], step: usize) -> Vec<Event> {
        let mut parser = EventParser::default();
        stream.chunks(step).flat_map(|piece| parser.push(piece)).collect()
    }

    #[test]
    fn events_read_alike_however_they_are_cut() {
        let stream = b": hello\n\nid: 7\ndata: one\ndata:two\r\ndata\n\nevent: gone\ndata: x\n\n";
        let event = |kind: &str, data: &[u8]| Event {
            id: "7".into(),
            kind: kind.into(),
            data: data.to_vec(),
        };
        let expected = [event("", b"one\ntwo\n"), event("gone", b"x")];
        for step in [1, 2, 5, 1000] {
            assert_eq!(read(stream, step), expected, "in pieces of {step}");
        }
    }

    #[test]
    fn an_event_without_data_is_none_and_takes_its_type_with_it() {
        let events = read(b"event: lost\n\ndata: kept\n\n", 3);
        assert_eq!(events.len(), 1);
        assert_eq!((events[0].kind.as_str(), events[0].data.as_slice()), ("", &b"kept"[..]));
    }

    #[test]
    fn a_stream_that_breaks_off_is_not_between_events() {
        let mut parser = EventParser::default();
        assert!(parser.is_between_events());
        parser.push(b"data: half\n");
        assert!(!parser.is_between_events());
        parser.push(b"\n:\n\n");
        assert!(parser.is_between_events());
        assert_eq!(parser.comments(), 1);
    }
}
