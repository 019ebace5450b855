//! A recorded feed: the rows of a CSV file with `offset_ms,payload`.

use crate::feed::message::SEQ_DIGITS;
use crate::feed::payload::MAX_PAYLOAD;
use crate::feed::schedule::MAX_EVENTS;

/// The last instant of a trace, in milliseconds: ten years.
pub const MAX_OFFSET_MS: f64 = 315_576_000_000.0;

/// The most bytes of a trace's file.
pub const MAX_TRACE_BYTES: u64 = 256 << 20;

/// The largest payload that fits a message beside its sequence number, in bytes.
const LARGEST: usize = MAX_PAYLOAD - SEQ_DIGITS;

/// A trace that cannot be replayed, with the line at fault, from 1, and what stands there.
#[derive(Debug, Clone, thiserror::Error, PartialEq)]
pub enum TraceError {
    /// The first line is not `offset_ms,payload`.
    #[error("line 1: the header is `{0}`, but a trace begins with `offset_ms,payload`")]
    Header(String),
    /// A row that the CSV reader refuses, in its words.
    #[error("line {0}: {1}; a row is `offset_ms,payload`, quoted where it holds a comma")]
    Row(u64, String),
    /// An offset that is not a number of milliseconds.
    #[error("line {0}: `{1}` is not an offset in milliseconds, a number from 0")]
    Offset(u64, String),
    /// An offset below the one before it.
    #[error("line {0}: the offset {1} ms is before the row above it; sort by time")]
    Unsorted(u64, String),
    /// A payload with more bytes than fit a message beside its sequence number.
    #[error("line {0}: the payload has {1} bytes, and at most {LARGEST} fit a message")]
    TooLarge(u64, usize),
    /// More rows than are replayed.
    #[error("line {0}: a trace has at most {MAX_EVENTS} rows; leave out what is not replayed")]
    TooMany(u64),
    /// No rows at all.
    #[error("the trace has no rows; it needs at least one under `offset_ms,payload`")]
    Empty,
}

/// A trace, sorted by time, with at least one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Nanoseconds of each event since the trace's zero, ascending.
    pub offsets_ns: Vec<u64>,
    /// The payload of each event, without a number.
    pub payloads: Vec<String>,
}

impl Trace {
    /// Reads a trace from the text of its CSV file.
    ///
    /// # Errors
    ///
    /// The first row that is malformed, unsorted or too large, by its line; or that there is none.
    pub fn parse(text: &str) -> Result<Self, TraceError> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| row_error(&error))?;
        if header.iter().map(str::trim).ne(["offset_ms", "payload"]) {
            return Err(TraceError::Header(header.iter().collect::<Vec<_>>().join(",")));
        }
        let mut trace = Self { offsets_ns: Vec::new(), payloads: Vec::new() };
        for row in reader.records() {
            trace.push(&row.map_err(|error| row_error(&error))?)?;
        }
        if trace.payloads.is_empty() {
            return Err(TraceError::Empty);
        }
        Ok(trace)
    }

    /// The text of a CSV file that reads back as this trace: to the nanosecond up to eleven days, beyond as
    /// far as numbers of milliseconds go.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut line = |offset: &str, payload: &str| {
            writer.write_record([offset, payload]).expect("a Vec takes it all, two fields each");
        };
        line("offset_ms", "payload");
        for (nanos, payload) in self.offsets_ns.iter().zip(&self.payloads) {
            line(&format!("{}.{:06}", nanos / 1_000_000, nanos % 1_000_000), payload);
        }
        let bytes = writer.into_inner().expect("nothing is left to be written");
        String::from_utf8(bytes).expect("each field is text")
    }

    fn push(&mut self, row: &csv::StringRecord) -> Result<(), TraceError> {
        let line = row.position().map_or(0, csv::Position::line);
        let (offset, payload) = (row[0].trim(), &row[1]);
        let nanos = offset_ns(offset).ok_or_else(|| TraceError::Offset(line, offset.to_owned()))?;
        if self.offsets_ns.last().is_some_and(|&before| nanos < before) {
            return Err(TraceError::Unsorted(line, offset.to_owned()));
        }
        if self.offsets_ns.len() >= MAX_EVENTS {
            return Err(TraceError::TooMany(line));
        }
        if payload.len() > LARGEST {
            return Err(TraceError::TooLarge(line, payload.len()));
        }
        self.offsets_ns.push(nanos);
        self.payloads.push(payload.to_owned());
        Ok(())
    }
}

/// Milliseconds, perhaps with a fraction, as nanoseconds. At most [`MAX_OFFSET_MS`].
fn offset_ns(text: &str) -> Option<u64> {
    let millis = text.parse::<f64>().ok()?;
    let in_range = (0.0..=MAX_OFFSET_MS).contains(&millis);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "range checked")]
    in_range.then(|| (millis * 1e6).round() as u64)
}

fn row_error(error: &csv::Error) -> TraceError {
    let line = error.position().map_or(0, csv::Position::line);
    let reason = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("the row has {len} fields instead of {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "the row is not UTF-8".to_owned(),
        _ => error.to_string(),
    };
    TraceError::Row(line, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_with_their_quotes_resolved() {
        let trace = Trace::parse("offset_ms,payload\n0,\"{\"\"a\"\":1}\"\n1.5,b\n").unwrap();
        assert_eq!(trace.offsets_ns, [0, 1_500_000]);
        assert_eq!(trace.payloads, ["{\"a\":1}", "b"]);
    }

    #[test]
    fn a_trace_reads_back_as_it_was_written() {
        let payloads = ["{\"a\":1,\"b\":\"x\"}", "two\nlines", "", "plain"].map(str::to_owned);
        let offsets_ns = vec![0, 1, 1_500_000, 999_999_999_999_999];
        let trace = Trace { offsets_ns, payloads: payloads.to_vec() };
        assert_eq!(Trace::parse(&trace.to_csv()).unwrap(), trace);
    }

    #[test]
    fn a_bad_row_is_named_by_its_line() {
        let cases = [
            ("time,what\n0,a\n", "line 1: the header is `time,what`"),
            ("offset_ms,payload\n0,a\n5\n", "line 3: the row has 1 fields"),
            ("offset_ms,payload\n0,a\nsoon,b\n", "line 3: `soon`"),
            ("offset_ms,payload\n-1,a\n", "line 2: `-1`"),
            ("offset_ms,payload\nNaN,a\n", "line 2: `NaN`"),
            ("offset_ms,payload\n9,a\n8,b\n", "line 3: the offset 8 ms is before"),
            ("offset_ms,payload\n", "no rows"),
            ("", "header"),
        ];
        for (text, part) in cases {
            let error = Trace::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text:?} gave: {error}");
        }
    }

    #[test]
    fn a_payload_must_fit_a_message() {
        let fits = "x".repeat(MAX_PAYLOAD - SEQ_DIGITS);
        assert!(Trace::parse(&format!("offset_ms,payload\n0,{fits}\n")).is_ok());
        let error = Trace::parse(&format!("offset_ms,payload\n0,{fits}x\n")).unwrap_err();
        assert!(matches!(error, TraceError::TooLarge(2, _)), "{error}");
    }
}
