//! The talk of a run's clients, in words.

use pushbench_core::Figure;

use crate::human;
use crate::rows::Block;

/// A line that says what latency and bytes are of where clients talk, and how long a message took from
/// its first hearer to its last, where that is one point's; nothing where clients only listen.
pub(crate) fn legend(blocks: &[Block<'_>]) -> Option<String> {
    let talks = || blocks.iter().filter_map(|block| block.point.talk);
    talks().next()?;
    let meaning = if talks().any(|talk| talk.pattern.is_heard()) {
        "Clients talk: latency is from the instant at which a message was to be said until a hearer had it, \
         and its bytes are those of hearing it and a hearer's share of saying it."
    } else {
        "Clients upload: it is the server that hears, and counts. Latency is from the instant at which a \
         message was to be said until the server had read it, and its bytes are all that clients and server \
         sent meanwhile."
    };
    let [block] = blocks else { return Some(meaning.to_owned()) };
    let fan_outs: Vec<String> = block
        .rows
        .iter()
        .filter_map(|row| {
            let us = row.get(Figure::FanOutP50)?;
            Some(format!("{} {}", row.name(), human::time(us)))
        })
        .collect();
    if fan_outs.is_empty() || block.point.talk.is_some_and(|talk| talk.room_size == 1) {
        return Some(meaning.to_owned());
    }
    let fan_outs = human::list(&fan_outs);
    Some(format!("{meaning} From its first hearer to its last, at the median: {fan_outs}."))
}
