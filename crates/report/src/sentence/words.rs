//! The clauses of the sentence.

use pushbench_core::feed::stamp::LatencyFrom;

use super::measure::{Contender, Measure, NEAR, SAME, are_within};
use crate::human;
use crate::rows::{Block, Row, Spread};
use crate::stamps;

/// `websocket delivered in 0.4 ms at the median`.
pub(super) fn delivered_in(measure: Measure, ahead: &[&Contender<'_>]) -> String {
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
            let least = middles().into_iter().fold(f64::INFINITY, f64::min);
            let unit = stamps::resolution(ahead[0].row, least);
            let resolution = unit.map(|unit| format!(" ± {}", unit.name)).unwrap_or_default();
            let of = of_latency(ahead[0].row);
            format!("{names} delivered{equally} in {times}{resolution}{of} at the median{doubt}")
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

/// ` of latency (from stamp)`, where that must be said: it is another quantity than one from the
/// instant at which a message was due.
fn of_latency(row: &Row<'_>) -> String {
    match row.latency_from() {
        LatencyFrom::Schedule | LatencyFrom::Nothing => String::new(),
        from @ LatencyFrom::Stamp => format!(" of {}", from.latency()),
    }
}

/// `, with no difference that these 3 trials can show`; of a single trial each the findings speak.
fn untold(measure: Measure, ahead: &[&Contender<'_>]) -> String {
    let trials = ahead.iter().map(|each| each.spread.trials);
    let most = trials.clone().max().unwrap_or(0);
    if ahead.len() < 2 || most < 2 {
        return String::new();
    }
    let equal = trials.min() == Some(most);
    let trials = if equal { format!("{most} trials") } else { "trials".to_owned() };
    let pairs = ahead.iter().flat_map(|one| ahead.iter().map(move |two| (one, two)));
    if pairs.into_iter().any(|(one, two)| measure.is_apart(one, two)) {
        return format!(", none of which these {trials} can tell from {}", ahead[0].name);
    }
    format!(", with no difference that these {trials} can show")
}

/// `sse took more than 1.2 s at the median.`, of each transport some of whose trials know no more
/// than that of theirs, and which therefore is not compared.
pub(super) fn bounded(measure: Measure, block: &Block<'_>) -> Option<String> {
    let figure = measure.figure()?;
    let rows = block.rows.iter().filter(|row| row.spread(figure).is_none());
    let clauses: Vec<String> = rows
        .filter_map(|row| {
            let more = if row.get(figure).is_some() { "" } else { "more than " };
            let us = row.get(figure).or(row.at_least(figure))?;
            let (name, time, of) = (row.contender(), human::spoken_time(us), of_latency(row));
            Some(format!("{name} took {more}{time}{of} at the median"))
        })
        .collect();
    (!clauses.is_empty()).then(|| format!("{}.", clauses.join("; ")))
}

/// Adds `with 75 bytes per message`, where known and not said already.
pub(super) fn with_bytes(measure: Measure, text: &str, of: &[&Contender<'_>]) -> String {
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
pub(super) fn arrived_bytes(of: &[&Contender<'_>]) -> Option<String> {
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
pub(super) fn against(
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
