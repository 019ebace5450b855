//! Rules of an application at work, as pure functions: text goes in, messages come out, and what is
//! to be answered, and what no rule took.
//!
//! A [`Reader`] is one connection's. What a transport tells apart, such as the message of a
//! WebSocket, is a text of its own, or with `joined` a piece of one stream of bytes.

mod json;
mod number;
mod place;
mod scanner;
mod stream;
mod whole;

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use pushbench_core::Sender;
use pushbench_core::feed::message::Seq;
use pushbench_core::feed::stamp::{Stamp, StampClock, Stamped};
use pushbench_core::rules::{Pattern, Reply, Rules, StampUnit, Text, Values};
use regex::bytes::{Captures, Regex};

use self::place::Place;
pub use self::scanner::ScannerError;
use self::stream::{Stream, StreamRules};

/// The longest text that rules look at, and the longest payload that one announces, in bytes.
pub const LONGEST_TEXT: usize = 16 << 20;

/// The taker of what rules find.
pub trait Sink {
    /// A message, and its length in bytes.
    fn message(&mut self, message: Stamped, length: usize);

    /// The sender that is known by a name; `None` where there are too many.
    fn sender(&mut self, name: &[u8]) -> Option<Sender>;

    /// A message that cannot be counted, and why.
    fn unreadable(&mut self, fault: Fault, message: &[u8]);

    /// Something that no rule took, or more of what was told last.
    fn unmatched(&mut self, text: &[u8], more: bool);

    /// Something that is to be ignored.
    fn ignored(&mut self);

    /// A text to be sent, as the answer of that number among the rules.
    fn say(&mut self, reply: usize, text: Vec<u8>);

    /// The text that the client waited for has come.
    fn ready(&mut self);
}

/// A reason for which a message cannot be counted: the rule, and what is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    rule: &'static str,
    problem: &'static str,
}

/// The first and the last instant, in ns since 1970, that a wall clock is taken to say: 2000 to 2100.
const DATES: RangeInclusive<i64> = 946_684_800_000_000_000..=4_102_444_800_000_000_000;

impl Fault {
    /// An answer with messages does not say where the next poll goes on.
    pub const NO_CURSOR: Self = Self::of("--cursor", "nothing");

    /// A message that pushbench published has another number than a rule finds.
    pub const NOT_OURS: Self = Self::of(
        "--seq",
        "a number that is not the message's own: those are ten digits where it was published, and \
         re:(\\d{10}) finds them,",
    );

    const fn of(rule: &'static str, problem: &'static str) -> Self {
        Self { rule, problem }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} finds {}", self.rule, self.problem)
    }
}

/// Rules that are ready to be used, by all clients of a process.
#[derive(Debug)]
pub struct Engine {
    message: Option<Regex>,
    length: Option<Regex>,
    ignore: Option<Regex>,
    replies: Vec<Answer>,
    ready: Option<Regex>,
    seq: Option<Place>,
    stamp: Option<StampRule>,
    key: Option<Place>,
    cursor: Option<Place>,
    /// Messages were published by pushbench, and have their number in ten digits.
    is_ours: bool,
    /// Where all that comes is one stream.
    stream: Option<StreamRules>,
}

/// Where a message has its sender's instant, and how it is written.
#[derive(Debug)]
struct StampRule {
    place: Place,
    unit: StampUnit,
    clock: StampClock,
}

/// A text that is answered, and how.
#[derive(Debug)]
struct Answer {
    /// Its place among the answers.
    number: usize,
    to: Regex,
    text: Text,
}

impl Answer {
    fn say(&self, groups: &Captures<'_>, client: u32, sink: &mut impl Sink) {
        let groups: Vec<&[u8]> =
            groups.iter().map(|group| group.map_or(&[][..], |group| group.as_bytes())).collect();
        let mut said = Vec::new();
        self.text.render(&Values { client, groups: &groups, ..Values::default() }, &mut said);
        sink.say(self.number, said);
    }
}

impl Engine {
    /// Makes rules ready.
    ///
    /// # Errors
    ///
    /// An expression that cannot be looked for in a stream.
    pub fn new(rules: &Rules) -> Result<Self, ScannerError> {
        let compile = |pattern: &Option<Pattern>| pattern.as_ref().map(Pattern::compile);
        // In a stream there is no end that an answer could be anchored to.
        let answer = |(number, reply): (usize, &Reply)| Answer {
            number,
            to: if rules.joined { reply.to.compile() } else { reply.to.compile_whole() },
            text: reply.text.clone(),
        };
        Ok(Self {
            message: compile(&rules.message),
            length: compile(&rules.message_len),
            ignore: compile(&rules.ignore),
            replies: rules.reply.iter().enumerate().map(answer).collect(),
            ready: compile(&rules.ready),
            seq: rules.seq.as_ref().map(Place::new),
            stamp: rules.stamp.as_ref().map(|stamp| StampRule {
                place: Place::new(&stamp.place),
                unit: stamp.unit,
                clock: stamp.clock,
            }),
            key: rules.key.as_ref().map(Place::new),
            cursor: rules.cursor.as_ref().map(Place::new),
            is_ours: false,
            stream: if rules.joined { Some(StreamRules::new(rules)?) } else { None },
        })
    }

    /// The same of messages that pushbench publishes: a number that a rule finds has to be theirs, and no
    /// counter of who hands them on, which may be one off.
    #[must_use]
    pub fn of_our_messages(self) -> Self {
        Self { is_ours: true, ..self }
    }

    /// Whether clients are connected only once something has come.
    pub const fn waits(&self) -> bool {
        self.ready.is_some()
    }

    /// Whether answers say where the next poll goes on.
    pub const fn is_paged(&self) -> bool {
        self.cursor.is_some()
    }

    /// The place from which the next poll goes on, where an answer's body says it.
    pub fn cursor<'a>(&self, body: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        self.cursor.as_ref()?.text(body)
    }

    /// Reads a message.
    fn read(&self, message: &[u8], sink: &mut impl Sink) {
        match self.stamped(message, sink) {
            Ok(stamped) => sink.message(stamped, message.len()),
            Err(fault) => sink.unreadable(fault, message),
        }
    }

    fn stamped(&self, message: &[u8], sink: &mut impl Sink) -> Result<Stamped, Fault> {
        let mut seq = None;
        if let Some(place) = &self.seq {
            let raw = place.raw(message).ok_or(Fault::of("--seq", "nothing"))?;
            let number = number::whole(raw);
            let number = number.ok_or(Fault::of("--seq", "no whole number from 0 to 2^64 - 1"))?;
            if self.is_ours && !carries(message, raw, number) {
                return Err(Fault::NOT_OURS);
            }
            seq = Some(Seq(number));
        }
        let mut stamp = None;
        if let Some(rule) = &self.stamp {
            let raw = rule.place.raw(message).ok_or(Fault::of("--stamp", "nothing"))?;
            stamp = Some(instant(raw, rule.unit, rule.clock)?);
        }
        let mut sender = Sender::FEED;
        if let Some(place) = &self.key {
            let name = place.text(message).ok_or(Fault::of("--key", "nothing"))?;
            sender = sink.sender(&name).ok_or(Fault::of("--key", "more counters than are kept"))?;
        }
        Ok(Stamped { sender, seq, stamp })
    }
}

/// Whether a message has `number` in ten digits, as pushbench writes it; most often that is what was found,
/// `raw`.
fn carries(message: &[u8], raw: &[u8], number: u64) -> bool {
    let digits = format!("{number:010}");
    raw == digits.as_bytes() || message.windows(digits.len()).any(|part| part == digits.as_bytes())
}

/// An instant as it is written.
fn instant(raw: &[u8], unit: StampUnit, clock: StampClock) -> Result<Stamp, Fault> {
    let nanos = match unit {
        StampUnit::Number { exponent } => number::nanos(raw, exponent)
            .filter(|nanos| clock == StampClock::Monotonic || DATES.contains(nanos))
            .ok_or_else(|| Fault::of("--stamp", misfit(raw, clock))),
        StampUnit::Rfc3339 => std::str::from_utf8(raw)
            .ok()
            .and_then(|text| text.parse::<jiff::Timestamp>().ok())
            .and_then(|instant| i64::try_from(instant.as_nanosecond()).ok())
            .ok_or(Fault::of("--stamp", "no date and time as RFC 3339 has them")),
    };
    nanos.map(Stamp)
}

/// Why a text is no instant: most often it is one in another unit.
fn misfit(raw: &[u8], clock: StampClock) -> &'static str {
    const UNITS: [(u8, &str); 4] = [
        (9, "no date of this century, which with :s it would be,"),
        (6, "no date of this century, which with :ms it would be,"),
        (3, "no date of this century, which with :us it would be,"),
        (0, "no date of this century, which with :ns it would be,"),
    ];
    if clock == StampClock::Monotonic {
        return "no number, or one of other units than it says";
    }
    let is_date = |exponent| number::nanos(raw, exponent).is_some_and(|it| DATES.contains(&it));
    let unit = UNITS.into_iter().find(|(exponent, _)| is_date(*exponent));
    unit.map_or("no number that is a date of this century", |(_, words)| words)
}

/// Reads what one connection brings.
#[derive(Debug)]
pub struct Reader {
    engine: Arc<Engine>,
    /// The number of its client.
    client: u32,
    ready: bool,
    /// The text that has begun.
    text: Vec<u8>,
    stream: Stream,
}

impl Reader {
    /// For a client with this number.
    pub fn new(engine: Arc<Engine>, client: u32) -> Self {
        let ready = !engine.waits();
        Self { engine, client, ready, text: Vec::new(), stream: Stream::default() }
    }

    /// The rules.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// How many of the bytes that were taken may yet become part of a message.
    pub fn undecided(&self) -> usize {
        self.text.len() + self.stream.undecided()
    }

    /// Another connection begins.
    pub fn restart(&mut self) {
        self.drop_text();
        (self.ready, self.stream) = (!self.engine.waits(), Stream::default());
    }

    /// The text that has begun is none that is looked at.
    pub fn drop_text(&mut self) {
        self.text.clear();
    }

    /// Takes a piece of a text.
    pub fn push(&mut self, piece: &[u8], sink: &mut impl Sink) {
        if self.engine.stream.is_some() {
            return self.flow(piece, sink);
        }
        // One byte more than is looked at tells that it is too long.
        let room = (LONGEST_TEXT + 1).saturating_sub(self.text.len());
        self.text.extend_from_slice(&piece[..piece.len().min(room)]);
    }

    /// Takes the last piece of a text, most often its only one.
    pub fn last(&mut self, piece: &[u8], sink: &mut impl Sink) {
        if self.engine.stream.is_some() {
            return self.flow(piece, sink);
        }
        if self.text.is_empty() {
            return self.whole(piece, sink);
        }
        self.push(piece, sink);
        let text = std::mem::take(&mut self.text);
        self.whole(&text, sink);
        self.text = text;
        self.text.clear();
    }

    fn flow(&mut self, piece: &[u8], sink: &mut impl Sink) {
        let engine = &self.engine;
        let Some(rules) = &engine.stream else { return };
        if !self.ready && self.stream.is_ready(rules, piece) {
            self.ready = true;
            sink.ready();
        }
        self.stream.feed(engine, rules, self.client, piece, sink);
    }

    fn whole(&mut self, text: &[u8], sink: &mut impl Sink) {
        let engine = &self.engine;
        if !self.ready && engine.ready.as_ref().is_some_and(|ready| ready.is_match(text)) {
            self.ready = true;
            sink.ready();
        }
        whole::read(engine, self.client, text, sink);
    }
}

#[cfg(test)]
mod tests;
