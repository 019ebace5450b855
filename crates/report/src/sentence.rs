//! The sentence that a person can repeat.
//!
//! It compares each transport with the one that is best at the point, and claims a difference
//! only where the trials' ranges (from six trials on, their 95 % intervals) lie apart. That they
//! do not is no sameness: that is claimed only of middles that are near each other. Bytes are
//! counts that hardly vary from trial to trial, so their middles are compared as they are.

use std::fmt::Write as _;

use pushbench_metrics::figures::Figure;
use pushbench_metrics::record::RunRecord;

use crate::human;
use crate::rows::{Block, Row, Spread, blocks};

/// With more points than this, the sentence speaks of the first and the last.
const POINTS_SPOKEN_OF: usize = 3;

/// Several figures within this factor are told as one.
pub(crate) const NEAR: f64 = 1.05;

/// What trials do not tell apart is called about the same only within this factor.
pub(crate) const SAME: f64 = 1.1;

/// From this share on, responses without news are worth a sentence, in percent.
const EMPTY_PERCENT: f64 = 10.0;

/// What a person may repeat of the run: a line for each of up to three points.
#[must_use]
pub fn sentence(record: &RunRecord) -> String {
    let mut blocks = blocks(record);
    if blocks.is_empty() {
        return "No trial was finished, so there is nothing to compare.".to_owned();
    }
    let count = blocks.len();
    if count > POINTS_SPOKEN_OF {
        blocks.drain(1..count - 1);
    }
    let mut lines: Vec<String> = blocks.iter().map(line).collect();
    if count > POINTS_SPOKEN_OF {
        lines.push(format!("The {} points between are in summary.csv.", count - 2));
    }
    lines.join("\n")
}

fn line(block: &Block<'_>) -> String {
    let text = block_sentences(block);
    if block.heading.is_empty() { text } else { format!("With {}: {text}", block.heading) }
}

/// What a block's transports are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    /// The median latency.
    Latency,
    /// The mean age, where latencies speak only of what was not superseded.
    Age,
    /// Bytes alone, where the clocks do not allow more.
    Bytes,
}

impl Measure {
    fn of(block: &Block<'_>) -> Self {
        let has = |figure| block.rows.iter().any(|row| row.get(figure).is_some());
        match () {
            () if block.compares_ages() && has(Figure::AgeMean) => Self::Age,
            () if has(Figure::LatencyP50) => Self::Latency,
            () => Self::Bytes,
        }
    }

    fn spread(self, row: &Row<'_>) -> Option<Spread> {
        match self {
            Self::Latency => row.spread(Figure::LatencyP50),
            Self::Age => row.spread(Figure::AgeMean),
            Self::Bytes => row.bytes(),
        }
    }

    /// Whether `one` and `other` may be called different.
    fn is_apart(self, one: &Contender<'_>, other: &Contender<'_>) -> bool {
        match self {
            Self::Latency | Self::Age => one.spread.is_apart_from(&other.spread),
            Self::Bytes => !are_within(NEAR, [one.spread.middle, other.spread.middle]),
        }
    }
}

/// Whether the largest of `values` is at most `factor` times the smallest.
pub(crate) fn are_within(factor: f64, values: impl IntoIterator<Item = f64>) -> bool {
    let ends = values
        .into_iter()
        .fold((f64::INFINITY, 0.0_f64), |(least, most), each| (least.min(each), most.max(each)));
    ends.1 <= ends.0 * factor
}

/// A transport with what it is compared by.
struct Contender<'a> {
    row: &'a Row<'a>,
    name: &'static str,
    spread: Spread,
    bytes: Option<Spread>,
    /// Where messages were superseded, the share that arrived. Bytes for each of these cannot be
    /// compared then: who skips many divides by few.
    arrived: Option<String>,
}

fn block_sentences(block: &Block<'_>) -> String {
    let mut valid = block.rows.iter().flat_map(|row| &row.trials).peekable();
    let any = valid.peek().is_some();
    if any && valid.all(|trial| trial.window.is_empty()) {
        return "No message was due in the window of any trial; lengthen it with --duration."
            .to_owned();
    }
    let measure = Measure::of(block);
    let mut contenders: Vec<Contender<'_>> = block
        .rows
        .iter()
        .filter_map(|row| {
            let (name, bytes) = (row.transport().name(), row.bytes());
            let arrived = block.compares_ages().then(|| row.share_arrived());
            Some(Contender { row, name, spread: measure.spread(row)?, bytes, arrived })
        })
        .collect();
    contenders.sort_by(|one, two| one.spread.middle.total_cmp(&two.spread.middle));
    let mut text = match contenders.as_slice() {
        [] if any => return "No message arrived, so there is nothing to compare.".to_owned(),
        [] => return "No trial was valid, so there is nothing to compare.".to_owned(),
        several if measure == Measure::Bytes && block.compares_ages() => moved(several),
        [only] => alone(measure, only),
        several => compared(measure, several),
    };
    push_findings(&mut text, block, measure);
    text
}

fn alone(measure: Measure, only: &Contender<'_>) -> String {
    let p99 = only.row.get(Figure::LatencyP99).filter(|_| measure == Measure::Latency);
    let p99 = p99.map(|us| format!(" and {} at p99", human::spoken_time(us))).unwrap_or_default();
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

/// `websocket delivered in 0.4 ms at the median`.
fn delivered_in(measure: Measure, ahead: &[&Contender<'_>]) -> String {
    let names = names(ahead);
    let middles = || ahead.iter().map(|each| each.spread.middle).collect::<Vec<f64>>();
    let several = ahead.len() > 1;
    let same = several && are_within(SAME, middles());
    let doubt = if same { String::new() } else { untold(measure, ahead) };
    let per_message = ahead[0].row.reach.per_message();
    match measure {
        Measure::Latency => {
            let equally = if same { " about equally fast," } else { "" };
            let times = told(middles(), human::spoken_time);
            format!("{names} delivered{equally} in {times} at the median{doubt}")
        }
        Measure::Age => {
            let alike = if same { " alike" } else { "" };
            let times = told(middles(), human::spoken_time);
            format!("What clients held was {times} old on average with {names}{alike}{doubt}")
        }
        Measure::Bytes => {
            let verb = if several { "moved about as many bytes," } else { "moved" };
            format!("{names} {verb} {} {per_message}", told(middles(), human::spoken_size))
        }
    }
}

/// `, which 3 trials cannot tell apart`; of a single trial each [`push_findings`] speaks.
fn untold(measure: Measure, ahead: &[&Contender<'_>]) -> String {
    let trials = ahead.iter().map(|each| each.spread.trials);
    let most = trials.clone().max().unwrap_or(0);
    if ahead.len() < 2 || most < 2 {
        return String::new();
    }
    let equal = trials.min() == Some(most);
    let trials = if equal { format!("{most} trials") } else { "the trials".to_owned() };
    let pairs = ahead.iter().flat_map(|one| ahead.iter().map(move |two| (one, two)));
    if pairs.into_iter().any(|(one, two)| measure.is_apart(one, two)) {
        return format!(", none of which {trials} can tell from {}", ahead[0].name);
    }
    format!(", which {trials} cannot tell apart")
}

/// Adds `with 75 bytes per message`, where known and not said already.
fn with_bytes(measure: Measure, text: &str, of: &[&Contender<'_>]) -> String {
    let bytes: Option<Vec<f64>> = of.iter().map(|each| Some(each.bytes?.middle)).collect();
    let Some(bytes) = bytes.filter(|_| measure != Measure::Bytes) else {
        return text.to_owned();
    };
    if let Some(bytes) = arrived_bytes(of) {
        return format!("{text}, at {bytes}");
    }
    let sizes = told(bytes, human::spoken_size);
    let per_message = of[0].row.reach.per_message();
    let more = more_bytes(of);
    match measure {
        Measure::Age => format!("{text}, at {sizes} {per_message}{more}"),
        _ if of.len() > 1 => format!("{text}, with {sizes} {per_message}{more}"),
        _ => format!("{text} with {sizes} {per_message}"),
    }
}

/// `528 bytes for each message that arrived (4 % of them)`, where messages were superseded.
fn arrived_bytes(of: &[&Contender<'_>]) -> Option<String> {
    let bytes: Option<Vec<f64>> = of.iter().map(|each| Some(each.bytes?.middle)).collect();
    let shares: Option<Vec<&str>> = of.iter().map(|each| each.arrived.as_deref()).collect();
    let (sizes, mut shares) = (told(bytes?, human::spoken_size), shares?);
    shares.dedup();
    Some(format!("{sizes} for each message that arrived ({} of them)", human::list(&shares)))
}

/// ` (sse 1.1 times the bytes of websocket)`, of those whose times are not told apart.
fn more_bytes(of: &[&Contender<'_>]) -> String {
    let bytes = || of.iter().filter_map(|each| Some((each.name, each.bytes?.middle)));
    let Some((least, few)) = bytes().min_by(|one, two| one.1.total_cmp(&two.1)) else {
        return String::new();
    };
    let more = bytes().filter(|(_, many)| few > 0.0 && !are_within(NEAR, [few, *many]));
    let more: Vec<String> =
        more.map(|(name, many)| format!("{name} {} times", human::factor(many / few))).collect();
    if more.is_empty() {
        return String::new();
    }
    format!(" ({} the bytes of {least})", human::list(&more))
}

/// `0.4 ms`, `0.4 ms and 0.5 ms` in the order of the names, `about 0.4 ms` of several that are
/// near each other, or `0.4 ms to 0.6 ms`.
fn told(mut values: Vec<f64>, words: fn(f64) -> String) -> String {
    let mut texts: Vec<String> = values.iter().map(|&value| words(value)).collect();
    if texts.iter().all(|text| *text == texts[0]) {
        return texts.swap_remove(0);
    }
    if texts.len() == 2 {
        return human::list(&texts);
    }
    values.sort_by(f64::total_cmp);
    let (least, most) = (values[0], values[values.len() - 1]);
    if most < least * NEAR {
        return format!("about {}", words(values[values.len() / 2]));
    }
    format!("{} to {}", words(least), words(most))
}

/// `short-poll took 500 ms and 590 bytes (1,200 times as long, 7.9 times the bytes)`.
fn against(
    measure: Measure,
    group: &[&Contender<'_>],
    best: &Contender<'_>,
    of_several: bool,
) -> String {
    let names = names(group);
    let middles: Vec<f64> = group.iter().map(|each| each.spread.middle).collect();
    let (said, unit, than) = match measure {
        Measure::Latency => {
            let time = told(middles, human::spoken_time);
            (format!("{names} took {time}"), "times as long", "as")
        }
        Measure::Age => {
            let time = told(middles, human::spoken_time);
            (format!("with {names} it was {time}"), "times as old", "as with")
        }
        Measure::Bytes => {
            let sizes = told(middles, human::spoken_size);
            (format!("{names} {sizes}"), "times the bytes", "of")
        }
    };
    let ratio = ratio(group.iter().map(|each| each.spread), &best.spread, unit);
    let than = if of_several { format!(" {than} {}", best.name) } else { String::new() };
    let bytes: Option<Vec<Spread>> = group.iter().map(|each| each.bytes).collect();
    let Some(bytes) = bytes.filter(|_| measure != Measure::Bytes) else {
        return format!("{said} ({ratio}{than})");
    };
    if let Some(bytes) = arrived_bytes(group) {
        return format!("{said} ({ratio}{than}), at {bytes}");
    }
    let join = if group.len() > 1 { ", and" } else { " and" };
    let sizes = told(bytes.iter().map(|bytes| bytes.middle).collect(), human::spoken_size);
    let whose = if of_several { "its" } else { "the" };
    let more = best.bytes.map(|best| format!(", {}", bytes_ratio(&bytes, &best, whose)));
    format!("{said}{join} {sizes} ({ratio}{than}{})", more.unwrap_or_default())
}

fn names(group: &[&Contender<'_>]) -> String {
    human::list(&group.iter().map(|each| each.name).collect::<Vec<_>>())
}

/// `7.9 times the bytes`, of several `7.9 to 12 times the bytes`.
fn ratio(others: impl Iterator<Item = Spread>, best: &Spread, unit: &str) -> String {
    if best.middle <= 0.0 {
        return "no ratio to zero".to_owned();
    }
    let ratios = others.map(|other| other.middle / best.middle);
    let (least, most) = ratios
        .fold((f64::INFINITY, 0.0_f64), |(least, most), each| (each.min(least), each.max(most)));
    let (low, high) = (human::factor(least), human::factor(most));
    match () {
        () if low == high => format!("{low} {unit}"),
        () if most < least * NEAR => format!("about {low} {unit}"),
        () => format!("{low} to {high} {unit}"),
    }
}

/// `7.9 times the bytes`, `about the same bytes`, `33 % fewer bytes`.
fn bytes_ratio(others: &[Spread], best: &Spread, whose: &str) -> String {
    let middles = || others.iter().map(|other| other.middle);
    if middles().all(|middle| are_within(NEAR, [middle, best.middle])) {
        return "about the same bytes".to_owned();
    }
    if middles().all(|middle| !are_within(NEAR, [middle, best.middle]) && middle < best.middle) {
        let fewer = middles().map(|middle| (1.0 - middle / best.middle) * 100.0);
        let (least, most) = fewer.fold((f64::INFINITY, 0.0_f64), |(least, most), each| {
            (each.min(least), each.max(most))
        });
        let (least, most) = (format!("{least:.0}"), format!("{most:.0}"));
        let fewer = if least == most { least } else { format!("{least} to {most}") };
        return format!("{fewer} % fewer bytes");
    }
    ratio(others.iter().copied(), best, &format!("times {whose} bytes"))
}

/// What else is worth saying: losses, polls in vain, transports left out, a single trial.
fn push_findings(text: &mut String, block: &Block<'_>, measure: Measure) {
    for row in &block.rows {
        let (name, counts) = (row.transport(), &row.summary.counts);
        if counts.lost > 0 {
            let (lost, all) = (human::count(counts.lost), human::count(counts.expected));
            let _ = write!(text, " {name} lost {lost} of {all} messages.");
        }
    }
    if let Some((name, share)) = in_vain(block) {
        let _ = write!(text, " {share} of the responses to {name} brought nothing new.");
    }
    let left_out: Vec<&str> = block
        .rows
        .iter()
        .filter(|row| !row.has_figures())
        .map(|row| row.transport().name())
        .collect();
    if !left_out.is_empty() {
        let (names, verb) = (human::list(&left_out), if left_out.len() > 1 { "are" } else { "is" });
        let _ = write!(text, " {names} {verb} left out: no trial was valid.");
    }
    if measure == Measure::Bytes && block.trials() > 0 {
        text.push_str(" Latency was not measured.");
    }
    if block.trials() == 1 && block.rows.len() > 1 && measure != Measure::Bytes {
        text.push_str(
            " That is one trial each: differences in time below a factor of two are not claimed.",
        );
    }
}

/// The first polling transport whose responses were often empty, and how often.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2⁵³")]
fn in_vain(block: &Block<'_>) -> Option<(&'static str, String)> {
    let polls = block.rows.iter().filter(|row| row.transport().polls_on_a_period());
    let shares = polls.map(|row| {
        let counts = &row.summary.counts;
        let percent = counts.empty_responses as f64 / counts.requests.max(1) as f64 * 100.0;
        (row.transport().name(), percent)
    });
    let (name, percent) = shares.into_iter().find(|(_, percent)| *percent >= EMPTY_PERCENT)?;
    Some((name, format!("{percent:.0} %")))
}
