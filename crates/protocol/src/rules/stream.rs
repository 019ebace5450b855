//! A stream of bytes in which messages follow each other, whatever the pieces that it comes in.
//!
//! Messages are taken out first. What lies between them is looked through apart for what is answered
//! or ignored, and it is never taken for a part of a message.

use pushbench_core::rules::{Pattern, Rules};
use regex::bytes::{Captures, Regex};

use super::scanner::{Scanner, ScannerError, Search};
use super::{Engine, Sink, whole};

/// The most bytes among which a match may be undecided.
const LONGEST_UNDECIDED: usize = 1 << 20;

#[derive(Debug)]
pub(super) struct StreamRules {
    /// Messages, or what goes before a payload.
    heads: Scanner,
    /// Texts that are answered, in the order of the rules, then those that are ignored.
    between: Option<Scanner>,
    ready: Option<Scanner>,
}

impl StreamRules {
    pub(super) fn new(rules: &Rules) -> Result<Self, ScannerError> {
        let heads: Vec<&Pattern> = rules.message_len.iter().chain(&rules.message).take(1).collect();
        let replies = rules.reply.iter().map(|reply| &reply.to);
        let between: Vec<&Pattern> = replies.chain(&rules.ignore).collect();
        Ok(Self {
            heads: Scanner::new(&heads)?,
            between: if between.is_empty() { None } else { Some(Scanner::new(&between)?) },
            ready: rules.ready.iter().map(|ready| Scanner::new(&[ready])).next().transpose()?,
        })
    }
}

/// The state of a stream.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// Bytes that came and are not decided.
    pending: Vec<u8>,
    search: Search,
    /// The length of the payload that has begun.
    payload: Option<usize>,
    between: Between,
    ready: Search,
}

impl Stream {
    /// How many bytes are not decided: they may be part of a message.
    pub(super) const fn undecided(&self) -> usize {
        self.pending.len()
    }

    /// Whether what a client waits for has come, with `piece`.
    pub(super) fn is_ready(&mut self, rules: &StreamRules, piece: &[u8]) -> bool {
        rules.ready.as_ref().is_some_and(|ready| ready.is_found(&mut self.ready, piece))
    }

    /// Takes a piece.
    pub(super) fn feed(
        &mut self,
        engine: &Engine,
        rules: &StreamRules,
        client: u32,
        piece: &[u8],
        sink: &mut impl Sink,
    ) {
        self.pending.extend_from_slice(piece);
        let pending = std::mem::take(&mut self.pending);
        let mut rest = &pending[..];
        let to = Place { engine, rules, client };
        while let Some(used) = self.next(&to, rest, sink) {
            rest = &rest[used..];
            self.search = Search::default();
        }
        let kept = rest.len();
        self.pending = pending;
        self.pending.drain(..self.pending.len() - kept);
    }

    /// Takes what is decided off the start of `rest`; `None` where nothing more is.
    fn next(&mut self, to: &Place<'_>, rest: &[u8], sink: &mut impl Sink) -> Option<usize> {
        if let Some(length) = self.payload {
            let payload = rest.get(..length)?;
            self.payload = None;
            to.payload(payload, sink);
            return Some(length);
        }
        if let Some((end, _)) = to.rules.heads.advance(&mut self.search, rest) {
            self.head(to, &rest[..end], sink);
            return Some(end);
        }
        let undecided = !to.rules.heads.is_idle(&self.search);
        if rest.is_empty() || (undecided && rest.len() <= LONGEST_UNDECIDED) {
            return None;
        }
        self.between.push(to, rest, sink);
        Some(rest.len())
    }

    /// `text` ends with a match, of which the start is looked for: the leftmost match that there is.
    fn head(&mut self, to: &Place<'_>, text: &[u8], sink: &mut impl Sink) {
        let regex = to.engine.length.as_ref().or(to.engine.message.as_ref());
        let Some(groups) = regex.and_then(|regex| regex.captures(text)) else { return };
        let Some(found) = groups.get(0) else { return };
        let group = groups.get(1);
        if to.engine.length.is_none() {
            self.between.end(to, &text[..found.start()], sink);
            return to.engine.read(group.unwrap_or(found).as_bytes(), sink);
        }
        match group.and_then(|digits| whole::length(digits.as_bytes())) {
            Some(length) => {
                self.between.end(to, &text[..found.start()], sink);
                self.payload = Some(length);
            }
            // It is none, so that what is in it was not announced by anything.
            None => self.between.push(to, text, sink),
        }
    }
}

/// The rules of a stream, and whose it is.
struct Place<'a> {
    engine: &'a Engine,
    rules: &'a StreamRules,
    client: u32,
}

impl Place<'_> {
    /// A payload whose length was announced.
    fn payload(&self, payload: &[u8], sink: &mut impl Sink) {
        if self.engine.message.is_none() {
            return self.engine.read(payload, sink);
        }
        let mut has_message = false;
        whole::matches(self.engine, payload, |_, message| {
            has_message = true;
            self.engine.read(message, sink);
        });
        if !has_message {
            whole::left(self.engine, payload, sink);
        }
    }

    /// The match of the expression with this number, among those between messages, that `text` ends
    /// with.
    fn between<'t>(&self, number: usize, text: &'t [u8]) -> Option<Captures<'t>> {
        let answers = self.engine.replies.get(number).map(|reply| &reply.to);
        let regex: Option<&Regex> = answers.or(self.engine.ignore.as_ref());
        regex?.captures(text)
    }
}

/// The bytes between two messages, as far as they have come.
#[derive(Debug, Default)]
struct Between {
    pending: Vec<u8>,
    search: Search,
    /// The bytes before these were told as unmatched.
    in_run: bool,
}

impl Between {
    /// More of it comes.
    fn push(&mut self, to: &Place<'_>, more: &[u8], sink: &mut impl Sink) {
        let Some(scanner) = &to.rules.between else { return self.unmatched(more, sink) };
        self.pending.extend_from_slice(more);
        self.take(to, scanner, false, sink);
        if scanner.is_idle(&self.search) || self.pending.len() > LONGEST_UNDECIDED {
            self.give_up(sink);
        }
    }

    /// The rest of it comes, and a message follows.
    fn end(&mut self, to: &Place<'_>, rest: &[u8], sink: &mut impl Sink) {
        self.push(to, rest, sink);
        if let Some(scanner) = &to.rules.between {
            self.take(to, scanner, true, sink);
            self.give_up(sink);
        }
        self.in_run = false;
    }

    /// Takes all matches that are decided; at the end each is.
    fn take(&mut self, to: &Place<'_>, scanner: &Scanner, at_end: bool, sink: &mut impl Sink) {
        let pending = std::mem::take(&mut self.pending);
        let mut rest = &pending[..];
        loop {
            let found = scanner.advance(&mut self.search, rest);
            let found = found.or_else(|| self.search.best().filter(|_| at_end));
            let Some((end, number)) = found else { break };
            self.matched(to, number, &rest[..end], sink);
            rest = &rest[end..];
            self.search = Search::default();
        }
        let kept = rest.len();
        self.pending = pending;
        self.pending.drain(..self.pending.len() - kept);
    }

    /// `text` ends with a match of the expression with this number.
    fn matched(&mut self, to: &Place<'_>, number: usize, text: &[u8], sink: &mut impl Sink) {
        let Some(groups) = to.between(number, text) else { return };
        self.unmatched(&text[..groups.get(0).map_or(0, |found| found.start())], sink);
        self.in_run = false;
        match to.engine.replies.get(number) {
            Some(reply) => reply.say(&groups, to.client, sink),
            None => sink.ignored(),
        }
    }

    /// Nothing matches what is pending.
    fn give_up(&mut self, sink: &mut impl Sink) {
        let pending = std::mem::take(&mut self.pending);
        self.unmatched(&pending, sink);
        self.search = Search::default();
    }

    /// Tells of what no rule took, a run of it at a time. Blanks before it say nothing.
    fn unmatched(&mut self, text: &[u8], sink: &mut impl Sink) {
        let text = if self.in_run { text } else { text.trim_ascii_start() };
        if !text.is_empty() {
            sink.unmatched(text, self.in_run);
            self.in_run = true;
        }
    }
}
