//! Texts that are whole: what a transport tells apart is looked at by itself.

use std::ops::Range;

use super::{Engine, LONGEST_TEXT, Sink, number};

/// Reads a text: messages are taken out, and what is left is answered, ignored or told.
pub(super) fn read(engine: &Engine, client: u32, text: &[u8], sink: &mut impl Sink) {
    if text.len() > LONGEST_TEXT {
        return sink.unmatched(text, false);
    }
    let is_answered = answer(engine, client, text, sink);
    let mut behind = 0;
    let mut rest = |until: usize, after: usize, sink: &mut _| {
        if !is_answered {
            left(engine, &text[behind..until], sink);
        }
        behind = after;
    };
    messages(engine, text, sink, |taken, message, sink| {
        rest(taken.start, taken.end, sink);
        engine.read(message, sink);
    });
    rest(text.len(), text.len(), sink);
}

/// Says what is answered to a text, if anything is.
fn answer(engine: &Engine, client: u32, text: &[u8], sink: &mut impl Sink) -> bool {
    for reply in &engine.replies {
        if let Some(groups) = reply.to.captures(text) {
            reply.say(&groups, client, sink);
            return true;
        }
    }
    false
}

/// Something between messages. Blanks and line ends say nothing.
pub(super) fn left(engine: &Engine, text: &[u8], sink: &mut impl Sink) {
    let text = text.trim_ascii();
    if text.is_empty() {
        return;
    }
    if ignores(engine, text) {
        return sink.ignored();
    }
    sink.unmatched(text, false);
}

/// Whether a text is named as to be ignored.
fn ignores(engine: &Engine, text: &[u8]) -> bool {
    engine.ignore.as_ref().is_some_and(|ignore| ignore.is_match(text.trim_ascii()))
}

/// Gives `each` message, and the part of the text that it takes.
fn messages<S: Sink>(
    engine: &Engine,
    text: &[u8],
    sink: &mut S,
    mut each: impl FnMut(Range<usize>, &[u8], &mut S),
) {
    match (&engine.length, &engine.message) {
        (Some(_), _) => counted(engine, text, |taken, message| each(taken, message, sink)),
        (None, Some(_)) => matches(engine, text, |taken, message| each(taken, message, sink)),
        // No rule says what a message is, so that a name for what is none takes nothing from one.
        (None, None) if text.is_empty() || ignores(engine, text) => {}
        (None, None) => each(0..text.len(), text, sink),
    }
}

/// Messages that an expression finds.
pub(super) fn matches(engine: &Engine, text: &[u8], mut each: impl FnMut(Range<usize>, &[u8])) {
    let Some(regex) = &engine.message else { return };
    if regex.captures_len() == 1 {
        return regex.find_iter(text).for_each(|found| each(found.range(), found.as_bytes()));
    }
    for groups in regex.captures_iter(text) {
        // Group 0 is the match; the first may have no part in it.
        let Some(taken) = groups.get(0) else { continue };
        let message = groups.get(1).unwrap_or(taken);
        each(taken.range(), message.as_bytes());
    }
}

/// Payloads behind their lengths. One that is cut is left over, and one without a message.
fn counted(engine: &Engine, text: &[u8], mut each: impl FnMut(Range<usize>, &[u8])) {
    let Some(regex) = &engine.length else { return };
    let mut at = 0;
    while let Some(groups) = regex.captures_at(text, at) {
        let Some(head) = groups.get(0) else { return };
        let length = groups.get(1).and_then(|digits| length(digits.as_bytes()));
        let end = length.map_or(usize::MAX, |length| head.end() + length);
        let Some(payload) = text.get(head.end()..end) else { return };
        if engine.message.is_none() {
            each(head.start()..end, payload);
        }
        // With the first of its messages all of the payload is taken.
        let mut from = head.start();
        matches(engine, payload, |_, message| {
            each(from..end, message);
            from = end;
        });
        at = end;
    }
}

/// A length that goes before a payload.
pub(super) fn length(digits: &[u8]) -> Option<usize> {
    let length = number::whole(digits).and_then(|length| usize::try_from(length).ok())?;
    (length <= LONGEST_TEXT).then_some(length)
}
