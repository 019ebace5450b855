//! The book of a load process's rules: what all of its sessions share, and what they found.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pushbench_core::Sender;
use pushbench_core::rules::{Found, Rules, Secrets};
use pushbench_protocol::rules::{Engine, Fault};

/// The most counters that are told apart.
const MOST_COUNTERS: usize = 1 << 16;

/// The longest name of a counter, in bytes.
const LONGEST_NAME: usize = 256;

/// How much of a text is shown, in bytes.
const SHOWN: usize = 200;

/// How much more is looked at for secrets, so that none is cut where it is shown.
const LOOKED_AT: usize = 8 << 10;

/// The rules of a process, ready to be used, and what they have found.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) engine: Arc<Engine>,
    pub(super) rules: Rules,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    senders: HashMap<Box<[u8]>, Sender>,
    found: Found,
    /// How often each answer was given.
    replied: Vec<u64>,
    /// Texts that no rule took.
    unmatched: Samples,
    /// Messages that could not be read, each behind the words for why.
    unreadable: Samples,
}

/// The starts of the first of many texts, and of the last that is another.
#[derive(Debug, Default)]
struct Samples {
    first: Vec<u8>,
    other: Vec<u8>,
    /// The text that came last, and may go on; the first while it is the only one.
    last: Vec<u8>,
    count: u64,
}

impl Samples {
    /// Another text has begun.
    fn begin(&mut self) {
        match self.count {
            0 => {}
            1 => self.first = std::mem::take(&mut self.last),
            _ if self.last != self.first => std::mem::swap(&mut self.other, &mut self.last),
            _ => {}
        }
        self.last.clear();
        self.count += 1;
    }

    /// The text goes on.
    fn extend(&mut self, text: &[u8]) {
        let room = LOOKED_AT.saturating_sub(self.last.len());
        self.last.extend_from_slice(&text[..text.len().min(room)]);
    }

    /// The first, and the last that is another.
    fn both(&self) -> [Option<&[u8]>; 2] {
        let (first, last) = (self.first.as_slice(), self.last.as_slice());
        match self.count {
            0 => [None, None],
            1 => [Some(last), None],
            _ if last != first => [Some(first), Some(last)],
            _ => [Some(first), Some(self.other.as_slice()).filter(|it| !it.is_empty())],
        }
    }
}

impl Book {
    /// The book of these rules, for messages that pushbench published or for those of somebody else.
    ///
    /// # Panics
    ///
    /// Where an expression cannot be looked for in a stream, which is found before a process starts.
    pub(super) fn new(rules: &Rules, are_ours: bool) -> Arc<Self> {
        let engine = Engine::new(rules).expect("rules are checked before a process starts");
        let engine = if are_ours { engine.of_our_messages() } else { engine };
        let replied = vec![0; rules.reply.len()];
        let entries = Mutex::new(Entries { replied, ..Entries::default() });
        Arc::new(Self { engine: Arc::new(engine), rules: rules.clone(), entries })
    }

    /// The entries. A session that panicked while it held them leaves counts behind, no more.
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The findings so far.
    pub(super) fn found(&self) -> Found {
        let entries = self.entries();
        let mut found = entries.found.clone();
        let secrets = &self.rules.secrets;
        [found.first_unmatched, found.other_unmatched] =
            entries.unmatched.both().map(|text| Some(shown(text?, secrets)));
        [found.first_unreadable, found.other_unreadable] =
            entries.unreadable.both().map(|text| Some(format!("{}`", shown(text?, secrets))));
        (found.unmatched, found.unreadable) = (entries.unmatched.count, entries.unreadable.count);
        let replies = self.rules.reply.iter().map(|reply| reply.to.as_str().to_owned());
        found.replied = replies.zip(entries.replied.iter().copied()).collect();
        let mut names: Vec<_> = entries.senders.iter().collect();
        names.sort_by_key(|(_, sender)| **sender);
        let name = |name: &[u8]| self.rules.secrets.hide(&String::from_utf8_lossy(name));
        found.counters = names.into_iter().map(|(bytes, _)| name(bytes)).collect();
        found
    }

    /// The sender that is known by a name; `None` where there are too many.
    pub(super) fn sender(&self, name: &[u8]) -> Option<Sender> {
        let senders = &mut self.entries().senders;
        if let Some(sender) = senders.get(name) {
            return Some(*sender);
        }
        if senders.len() >= MOST_COUNTERS || name.len() > LONGEST_NAME {
            return None;
        }
        let sender = Sender(u32::try_from(senders.len()).ok()?);
        senders.insert(name.into(), sender);
        Some(sender)
    }

    pub(super) fn unmatched(&self, text: &[u8], more: bool) {
        let unmatched = &mut self.entries().unmatched;
        if !more {
            unmatched.begin();
        }
        unmatched.extend(text);
    }

    pub(super) fn replied(&self, reply: usize) {
        if let Some(count) = self.entries().replied.get_mut(reply) {
            *count += 1;
        }
    }

    pub(super) fn ignored(&self) {
        self.entries().found.ignored += 1;
    }

    #[cold]
    pub(super) fn unreadable(&self, fault: Fault, message: &[u8]) {
        let unreadable = &mut self.entries().unreadable;
        unreadable.begin();
        unreadable.extend(format!("{fault} in `").as_bytes());
        unreadable.extend(message);
    }
}

/// The start of a text, without secrets; what is no text as bytes.
fn shown(text: &[u8], secrets: &Secrets) -> String {
    let mut words = String::new();
    for chunk in text.utf8_chunks() {
        words.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| {
            // Writing to a String cannot fail.
            let _ = write!(words, "\\x{byte:02x}");
        });
    }
    let hidden = secrets.hide(&words);
    let end = hidden.char_indices().map(|(at, _)| at).find(|&at| at >= SHOWN);
    end.map_or_else(|| hidden.clone(), |end| format!("{}…", &hidden[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(secrets: &[&str]) -> Arc<Book> {
        let mut rules = Rules { no_seq: true, ..Rules::default() };
        secrets.iter().for_each(|secret| rules.secrets.add(secret));
        Book::new(&rules, false)
    }

    #[test]
    fn the_first_of_what_no_rule_took_is_shown_without_secrets_and_all_are_counted() {
        let book = book(&["s3cret"]);
        book.unmatched(b"token=s3", false);
        book.unmatched(b"cret \xff!", true);
        book.unmatched(b"other", false);
        let found = book.found();
        assert_eq!(found.unmatched, 2);
        assert_eq!(found.first_unmatched.as_deref(), Some("token=*** \\xff!"));
        assert_eq!(found.other_unmatched.as_deref(), Some("other"));
    }

    /// A greeting comes to each client, and says nothing of what follows it.
    #[test]
    fn beside_the_first_the_last_that_is_another_is_shown() {
        let book = book(&[]);
        book.unmatched(b"hello", false);
        book.unmatched(b"hello", false);
        assert_eq!(book.found().other_unmatched, None);
        for text in [&b"price 1"[..], b"price 2", b"hello"] {
            book.unmatched(text, false);
            book.unreadable(Fault::NO_CURSOR, text);
        }
        let found = book.found();
        assert_eq!((found.unmatched, found.unreadable), (5, 3));
        assert_eq!(found.first_unmatched.as_deref(), Some("hello"));
        assert_eq!(found.other_unmatched.as_deref(), Some("price 2"));
        let unreadable = [found.first_unreadable, found.other_unreadable];
        let expected = ["price 1", "hello"].map(|it| format!("--cursor finds nothing in `{it}`"));
        assert_eq!(unreadable, expected.map(Some));
    }

    #[test]
    fn a_secret_that_begins_before_the_end_of_what_is_shown_is_not_cut() {
        let book = book(&["abcdefghij"]);
        let text = format!("{}abcdefghij", "x".repeat(SHOWN - 5));
        book.unmatched(text.as_bytes(), false);
        let shown = book.found().first_unmatched.unwrap();
        assert!(!shown.contains("abc"), "{shown}");
    }

    #[test]
    fn counters_have_a_sender_each_by_name_in_the_order_of_their_first_messages() {
        let book = book(&[]);
        let sender = |name: &str| book.sender(name.as_bytes()).unwrap();
        assert_eq!([sender("b"), sender("a"), sender("b")], [Sender(0), Sender(1), Sender(0)]);
        assert_eq!(book.found().counters, ["b", "a"]);
        for other in 2..MOST_COUNTERS {
            sender(&other.to_string());
        }
        assert_eq!(book.sender(b"one more"), None);
        assert_eq!(book.sender(b"a"), Some(Sender(1)));
    }
}
