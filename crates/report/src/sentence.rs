//! The sentence that a person can repeat.
//!
//! It compares each transport with the one that is best at the point, and claims a difference
//! only where the rounds that both ran show one: from six rounds on, where the 95 % interval of
//! the differences leaves out zero; with fewer, where each round has the same sign, and then it
//! says that this is all. That they show none is no sameness: that is claimed only of middles
//! that are near each other. Bytes are counts that hardly vary from trial to trial, so their
//! middles are compared as they are.

mod findings;
mod measure;
mod security;
mod words;

use std::fmt::Write as _;

use pushbench_core::Figure;
use pushbench_metrics::record::{RunRecord, TrialRecord};

use self::measure::{Contender, Measure};
pub(crate) use self::measure::{NEAR, SAME, are_within};
use self::words::{against, arrived_bytes, bounded, delivered_in, with_bytes};
use crate::rows::{Block, blocks, by_server};
use crate::{capacity, cost, crossings, human, life};

/// With more points than this, the sentence speaks of the first and the last.
const POINTS_SPOKEN_OF: usize = 3;

/// The sentences that a person may repeat of the run: a line for each of up to three points.
#[must_use]
pub fn sentence(record: &RunRecord) -> String {
    if let Some(capacity) = &record.capacity {
        return capacity::sentence(capacity);
    }
    let mut blocks = by_server(record, blocks(record));
    if blocks.is_empty() {
        return "No trial was finished, so there is nothing to compare.".to_owned();
    }
    let of_sweeps = crossings::sentences(record);
    if !of_sweeps.is_empty() {
        return of_sweeps.join("\n");
    }
    let count = blocks.len();
    if count > POINTS_SPOKEN_OF {
        blocks.drain(1..count - 1);
    }
    let mut lines: Vec<String> = blocks.iter().map(line).collect();
    if count > POINTS_SPOKEN_OF {
        lines.push(format!("The {} points between are in summary.csv.", count - 2));
    }
    lines.extend(crossings::between_two(record));
    lines.join("\n")
}

/// The same where standard error says of each trial why it cannot be used: where that is all there is to say,
/// the reasons stand there, once, and not here.
#[must_use]
pub fn answer(record: &RunRecord) -> String {
    if !is_void(record) {
        return sentence(record);
    }
    "No trial was valid, so there is nothing to compare.".to_owned()
}

/// Whether a run has trials, and not a single valid one, so that a table would be of dashes alone.
#[must_use]
pub fn is_void(record: &RunRecord) -> bool {
    let mut trials = record.standing().peekable();
    record.capacity.is_none() && trials.peek().is_some() && trials.all(|trial| !trial.is_valid())
}

fn line(block: &Block<'_>) -> String {
    let text = block_sentences(block);
    if block.heading.is_empty() {
        return text;
    }
    let mut rest = text.chars();
    let first = rest.next().map(|c| c.to_ascii_lowercase());
    let first = first.map(String::from).unwrap_or_default();
    format!("{}: {first}{}", place(&block.heading), rest.as_str())
}

/// The settings of a point as a sentence begins with them.
fn place(heading: &str) -> String {
    match heading.split_once(' ') {
        Some(("via", rest)) => format!("Via {rest}"),
        Some(("over", rest)) => format!("Over {rest}"),
        _ => format!("With {heading}"),
    }
}

fn block_sentences(block: &Block<'_>) -> String {
    let mut valid = block.rows.iter().flat_map(|row| &row.trials).peekable();
    let any = valid.peek().is_some();
    if any && valid.clone().all(|trial| trial.connected == 0) {
        return "No client was let in, so there is nothing to compare; the notes say why."
            .to_owned();
    }
    let none_due =
        |trial: &&TrialRecord| trial.window.is_empty() && trial.measured.audit.expected == 0;
    if any && valid.all(none_due) {
        return "No message was due in the window of any trial; lengthen it with --duration."
            .to_owned();
    }
    let measure = Measure::of(block);
    let mut contenders: Vec<Contender<'_>> = block
        .rows
        .iter()
        .filter_map(|row| {
            let (name, bytes) = (row.name(), row.bytes());
            let arrived = block.compares_ages().then(|| row.share_arrived());
            Some(Contender { row, name, spread: measure.spread(row)?, bytes, arrived })
        })
        .collect();
    contenders.sort_by(|one, two| one.spread.middle.total_cmp(&two.spread.middle));
    let mut text = match contenders.as_slice() {
        [] if let Some(bounded) = bounded(measure, block) => bounded,
        [] if any => return "No message arrived, so there is nothing to compare.".to_owned(),
        [] => {
            let why = findings::reasons(block).map(|reasons| format!(": {reasons}"));
            let why = why.unwrap_or_default();
            return format!("No trial was valid, so there is nothing to compare{why}.");
        }
        several if measure == Measure::Bytes && block.compares_ages() => moved(several),
        [only] => alone(measure, only),
        several => compared(measure, several),
    };
    let more = bounded(measure, block).filter(|_| !contenders.is_empty());
    more.iter().for_each(|more| text.push_str(&format!(" {more}")));
    findings::push(&mut text, block, measure, &contenders);
    cost::sentence(block).iter().for_each(|cost| text.push_str(&format!(" {cost}")));
    match life::sentence(block) {
        Some(first) => format!("{first} {text}"),
        None => text,
    }
}

fn alone(measure: Measure, only: &Contender<'_>) -> String {
    let (p99, bound) = (only.row.get(Figure::LatencyP99), only.row.at_least(Figure::LatencyP99));
    let p99 = p99.map(human::spoken_time);
    let p99 = p99.or_else(|| Some(format!("more than {}", human::spoken_time(bound?))));
    let p99 = p99.filter(|_| measure == Measure::Latency);
    let p99 = p99.map(|p99| format!(" and {p99} at p99")).unwrap_or_default();
    let what = format!("{}{p99}", delivered_in(measure, &[only]));
    format!("{}.", with_bytes(measure, &what, &[only]))
}

/// Bytes side by side, where they are of different shares of the messages.
fn moved(contenders: &[Contender<'_>]) -> String {
    let each = contenders.iter().map(|each| {
        let bytes = arrived_bytes(&[each]).unwrap_or_default();
        format!("{} moved {bytes}", each.name)
    });
    format!("{}.", each.collect::<Vec<_>>().join("; "))
}

/// The best, those that the trials cannot tell from it, and then the others beside it.
fn compared(measure: Measure, contenders: &[Contender<'_>]) -> String {
    let fastest = &contenders[0];
    let (others, ahead): (Vec<_>, Vec<_>) =
        contenders.iter().partition(|each| measure.is_apart(each, fastest));
    // Of these the one with the fewest bytes is what the others are held against, if all of them
    // are apart from it too.
    let is_apart_from_others =
        |each: &&Contender<'_>| others.iter().all(|other| measure.is_apart(other, each));
    let bytes = |each: &&Contender<'_>| each.bytes.map_or(f64::INFINITY, |bytes| bytes.middle);
    let best = ahead.iter().copied().filter(is_apart_from_others);
    let best = best.min_by(|one, two| bytes(one).total_cmp(&bytes(two))).unwrap_or(fastest);
    let mut text = with_bytes(measure, &delivered_in(measure, &ahead), &ahead);
    for group in groups(measure, &others) {
        let _ = write!(text, "; {}", against(measure, group, best, ahead.len() > 1));
    }
    text.push('.');
    text
}

/// Neighbours that the trials cannot tell from the first of their group.
fn groups<'a, 'b>(
    measure: Measure,
    others: &'b [&'a Contender<'a>],
) -> impl Iterator<Item = &'b [&'a Contender<'a>]> {
    let mut rest = others;
    std::iter::from_fn(move || {
        let first = rest.first()?;
        let apart = |each: &&Contender<'_>| measure.is_apart(each, first);
        let (group, after) = rest.split_at(rest.iter().position(apart).unwrap_or(rest.len()));
        rest = after;
        Some(group)
    })
}
