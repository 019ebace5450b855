//! The sentences of a sweep: where it turns, who is ahead all along, and what cannot be told.

use pushbench_core::scenario::Axis;
use pushbench_core::{Contender, Figure};
use pushbench_metrics::judge::crossing::Finding;
use pushbench_metrics::judge::sweep::{Comparison, Cost, Reading, Sweep, sweeps};
use pushbench_metrics::record::RunRecord;

use super::{Told, amount, held, name, told};
use crate::rows::FACTOR_WORTH_TELLING;
use crate::{human, settings};

/// With more crossings than this, sentences name those of the first readings alone.
const CROSSINGS_SPOKEN_OF: usize = 8;

/// With more sweeps than this, sentences speak of the first ones.
const SWEEPS_SPOKEN_OF: usize = 3;

/// Of fewer points than this, each has a paragraph of its own that tells more than the sweep.
const POINTS_OF_A_SWEEP: usize = 3;

/// The sentences of a run's sweeps, a line for each; none where nothing is swept, where no two
/// contenders are compared, and where servers or programs of clients are, which is the question then.
pub(crate) fn sentences(record: &RunRecord) -> Vec<String> {
    let sweeps = sweeps(record);
    let is_spoken_of = |sweep: &&Sweep<'_>| {
        let compares_others =
            sweep.held.contains(&Axis::Subject) || sweep.held.contains(&Axis::Client);
        sweep.points.len() >= POINTS_OF_A_SWEEP && !sweep.comparisons.is_empty() && !compares_others
    };
    let spoken: Vec<&Sweep<'_>> = sweeps.iter().filter(is_spoken_of).collect();
    let mut lines: Vec<String> = Vec::new();
    for sweep in spoken.iter().take(SWEEPS_SPOKEN_OF) {
        lines.extend(of_sweep(record, sweep));
    }
    let more = spoken.len().saturating_sub(SWEEPS_SPOKEN_OF);
    if more > 0 {
        lines.push(format!("{} more: crossings.csv has them.", human::plural(more, "sweep")));
    }
    lines
}

/// The crossings between two points alone, to stand behind the sentences of these.
pub(crate) fn between_two(record: &RunRecord) -> Vec<String> {
    let sweeps = sweeps(record);
    let of_two = sweeps.iter().filter(|sweep| sweep.points.len() < POINTS_OF_A_SWEEP);
    let told = of_two.flat_map(told).filter(|told| is_worth_telling(told));
    told.take(CROSSINGS_SPOKEN_OF).map(|told| of_crossing(record, &told)).collect()
}

/// Whether it is told by itself: what a message costs crosses where what a client costs does.
const fn has_sentence(reading: Reading) -> bool {
    !matches!(reading, Reading::Of(Figure::ServerCpu | Figure::WireBytes))
}

fn is_worth_telling(told: &Told<'_>) -> bool {
    let (below, above) = told.crossing.factors;
    has_sentence(told.comparison.reading) && below.max(above) >= FACTOR_WORTH_TELLING
}

fn of_sweep(record: &RunRecord, sweep: &Sweep<'_>) -> Vec<String> {
    let comparisons: Vec<&Comparison> =
        sweep.comparisons.iter().filter(|it| has_sentence(it.reading)).collect();
    let told: Vec<Told<'_>> = told(sweep).filter(is_worth_telling).collect();
    let mut lines = vec![head(sweep)];
    lines.extend(told.iter().take(CROSSINGS_SPOKEN_OF).map(|it| of_crossing(record, it)));
    lines.extend(throughout(sweep, &comparisons));
    lines.extend(untold(&comparisons));
    let more = told.len().saturating_sub(CROSSINGS_SPOKEN_OF);
    lines.push(match more {
        0 => "What was compared is in crossings.csv, each point in summary.csv.".to_owned(),
        _ => format!("{more} more of them are in crossings.csv, each point in summary.csv."),
    });
    lines
}

/// `Sweep of messages per second, 0.5 to 20, 4 points:`
fn head(sweep: &Sweep<'_>) -> String {
    let values = sweep.values();
    let [least, most] =
        [values[0], values[values.len() - 1]].map(|it| settings::number(sweep.axis, it));
    let held = held(sweep);
    let comma = if held.is_empty() { "" } else { ", " };
    let (title, count) = (sweep.axis.title(), values.len());
    format!("Sweep of {title}, {least} to {most}, {count} points{comma}{held}:")
}

fn of_crossing(record: &RunRecord, told: &Told<'_>) -> String {
    let reading = told.comparison.reading;
    let (lesser, greater) = told.ordered();
    let mut text = format!("{lesser} {} {greater} from {}", less(reading), told.place());
    if let Some(ratio) = told.ratio(record) {
        text.push_str(&format!(", {} messages to a poll", human::short_number(ratio, 2)));
    }
    if matches!(reading, Reading::PerClientSecond(_) | Reading::PerClientMonth) {
        text.push_str(&freshness(told));
    }
    text + "."
}

/// Both freshnesses that a cost buys, of the lesser first, for as far as they were measured.
fn freshness(told: &Told<'_>) -> String {
    let both = |reading: Reading| {
        let (one, two) = told.levels(reading)?;
        Some([one, two].map(|level| amount(told.sweep, reading, level)))
    };
    let Some([one, two]) = both(Reading::FRESHNESS) else { return String::new() };
    let greater = told.ordered().1;
    let mut text = format!("; what a client holds is {one} old there, and {two} with {greater}");
    if let Some([one, two]) = both(Reading::FRESH_P99) {
        text.push_str(&format!(", and fresh p99 is {one} and {two}"));
    }
    text
}

/// `takes fewer bytes than`.
fn less(reading: Reading) -> String {
    match reading {
        Reading::PerClientSecond(Cost::ServerCpu) => "takes less server CPU than".to_owned(),
        Reading::PerClientSecond(Cost::WireBytes) => "takes fewer bytes than".to_owned(),
        Reading::PerClientMonth => "costs less than".to_owned(),
        Reading::FRESHNESS => "keeps clients fresher than".to_owned(),
        Reading::Of(_) => format!("has a lower {} than", name(reading)),
    }
}

/// The contenders that are ahead at each point, a line for each reading that has some.
fn throughout(sweep: &Sweep<'_>, comparisons: &[&Comparison]) -> Vec<String> {
    let line = |reading: Reading| {
        let of: Vec<&Comparison> =
            comparisons.iter().copied().filter(|it| it.reading == reading).collect();
        let ahead = ahead(&of)?;
        let ranges = ahead.iter().filter_map(|it| sweep.range(reading, *it));
        let (low, high) = ranges.reduce(|one, two| (one.0.min(two.0), one.1.max(two.1)))?;
        let names: Vec<&str> = ahead.iter().map(|it| it.name()).collect();
        let (verb, unit) = most(reading, names.len() > 1);
        let [low, high] = [low, high].map(|value| amount(sweep, reading, value));
        let range = if low == high { low } else { format!("{low} to {high}") };
        Some(format!("At each point {} {verb}, {range}{unit}.", human::list(&names)))
    };
    readings(comparisons).into_iter().filter_map(line).collect()
}

/// Those that are the lesser, at each point, of each that is not among them, and of which no other is shown to
/// be the lesser at any point; `None` where that is nobody, or everyone.
fn ahead(comparisons: &[&Comparison]) -> Option<Vec<Contender>> {
    let mut all: Vec<Contender> = Vec::new();
    for contender in comparisons.iter().flat_map(|it| [it.one, it.other]) {
        if !all.contains(&contender) {
            all.push(contender);
        }
    }
    let throughout = |one: Contender, than: Contender| {
        comparisons.iter().any(|it| match it.finding {
            Finding::Throughout(lesser) => it.ordered(lesser) == (one, than),
            _ => false,
        })
    };
    let somewhere = |one: Contender, than: Contender| {
        comparisons.iter().any(|it| match it.finding {
            Finding::Throughout(lesser) | Finding::Untold(Some(lesser)) => {
                it.ordered(lesser) == (one, than)
            }
            Finding::Crosses(_) | Finding::Untold(None) => false,
        })
    };
    // Of two that cross, each is the greater on one side.
    let crosses = |contender: Contender| {
        let of_it = |it: &&&Comparison| it.one == contender || it.other == contender;
        comparisons.iter().filter(of_it).any(|it| !it.crossings().is_empty())
    };
    let is_beaten = |it: Contender| crosses(it) || all.iter().any(|other| somewhere(*other, it));
    let (behind, ahead): (Vec<Contender>, Vec<Contender>) =
        all.iter().copied().partition(|it| is_beaten(*it));
    let is_clear = behind.iter().all(|than| ahead.iter().all(|it| throughout(*it, *than)));
    (!behind.is_empty() && !ahead.is_empty() && is_clear).then_some(ahead)
}

/// The superlative of a reading for one or `several`, and what stands behind its value.
fn most(reading: Reading, several: bool) -> (String, &'static str) {
    const EACH: &str = " for each client and second";
    let verb =
        |one: &str, many: &str, what: &str| format!("{} {what}", if several { many } else { one });
    match reading {
        Reading::PerClientSecond(Cost::ServerCpu) => {
            (verb("takes", "take", "the least server CPU"), EACH)
        }
        Reading::PerClientSecond(Cost::WireBytes) => {
            (verb("takes", "take", "the fewest bytes"), EACH)
        }
        Reading::PerClientMonth => {
            (verb("costs", "cost", "the least"), " for each client and month")
        }
        Reading::FRESHNESS => (verb("keeps", "keep", "clients freshest"), " old on average"),
        Reading::Of(_) => (verb("has", "have", &format!("the lowest {}", name(reading))), ""),
    }
}

fn readings(comparisons: &[&Comparison]) -> Vec<Reading> {
    let mut readings: Vec<Reading> = Vec::new();
    for comparison in comparisons {
        if !readings.contains(&comparison.reading) {
            readings.push(comparison.reading);
        }
    }
    readings
}

/// The contenders of which no crossing can be told and none ruled out.
fn untold(comparisons: &[&Comparison]) -> Option<String> {
    let mut pairs: Vec<(String, Vec<&str>)> = Vec::new();
    for comparison in comparisons.iter().filter(|it| matches!(it.finding, Finding::Untold(_))) {
        let pair = format!("{} and {}", comparison.one, comparison.other);
        match pairs.iter_mut().find(|it| it.0 == pair) {
            Some(known) => known.1.push(name(comparison.reading)),
            None => pairs.push((pair, vec![name(comparison.reading)])),
        }
    }
    let each =
        pairs.iter().map(|(pair, names)| format!("between {pair} in {}", human::list(names)));
    let each: Vec<String> = each.collect();
    (!each.is_empty()).then(|| format!("No crossing can be told {}.", each.join("; ")))
}

#[cfg(test)]
mod tests {
    use pushbench_metrics::judge::crossing::{Crossing, Lesser};

    use super::*;

    #[test]
    fn who_is_shown_to_take_more_at_a_point_is_not_among_those_that_take_least_at_each() {
        let reading = Reading::PerClientSecond(Cost::ServerCpu);
        let [poll, long, push] =
            [Contender::SHORT_POLL, Contender::LONG_POLL, Contender::WEBSOCKET];
        let of = |one, other, finding| Comparison { reading, one, other, finding };
        let all = |polls| {
            [
                of(poll, long, Finding::Untold(None)),
                of(poll, push, polls),
                of(long, push, Finding::Throughout(Lesser::Other)),
            ]
        };
        let throughout = all(Finding::Throughout(Lesser::Other));
        assert_eq!(ahead(&throughout.each_ref()), Some(vec![push]));
        let somewhere = all(Finding::Untold(Some(Lesser::Other)));
        assert_eq!(ahead(&somewhere.each_ref()), None, "polls may take less at a point");
        let nowhere = [
            of(poll, long, Finding::Untold(None)),
            of(poll, push, Finding::Untold(None)),
            of(long, push, Finding::Throughout(Lesser::Other)),
        ];
        assert_eq!(ahead(&nowhere.each_ref()), None, "nothing is shown of polls");
        let both = [
            of(poll, long, Finding::Throughout(Lesser::One)),
            of(poll, push, Finding::Untold(None)),
            of(long, push, Finding::Throughout(Lesser::Other)),
        ];
        assert_eq!(ahead(&both.each_ref()), Some(vec![poll, push]));
    }

    /// Polls take less than a push from a rate on, which nobody else need be shown to do.
    #[test]
    fn who_takes_more_beyond_a_crossing_does_not_take_the_least_at_each_point() {
        let reading = Reading::PerClientSecond(Cost::ServerCpu);
        let [poll, long, push] =
            [Contender::SHORT_POLL, Contender::LONG_POLL, Contender::WEBSOCKET];
        let of = |one, other, finding| Comparison { reading, one, other, finding };
        let crossing = Crossing {
            at: 13.5,
            low: 9.7,
            high: 19.5,
            shown: (8.5, 20.0),
            factors: (1.4, 1.4),
            lesser_above: Lesser::One,
            rounds: 3,
        };
        let all = [
            of(poll, long, Finding::Untold(Some(Lesser::Other))),
            of(poll, push, Finding::Crosses(vec![crossing])),
            of(long, push, Finding::Throughout(Lesser::Other)),
        ];
        assert_eq!(ahead(&all.each_ref()), None);
    }
}
