//! Crossings of a run's sweeps, as people read them: in sentences, in a list, in `crossings.csv`.

mod sentence;
mod sheet;

use pushbench_core::figure::Unit;
use pushbench_core::scenario::{Axis, Point};
use pushbench_core::{Contender, Delivery, Figure, text};
use pushbench_metrics::judge::crossing::Crossing;
use pushbench_metrics::judge::sweep::{Comparison, Cost, Reading, Sweep, sweeps};
use pushbench_metrics::record::RunRecord;

pub(crate) use self::sentence::{between_two, sentences};
pub(crate) use self::sheet::csv;
use crate::{human, settings};

/// A crossing of a sweep.
#[derive(Clone, Copy)]
pub(crate) struct Told<'a> {
    pub(crate) sweep: &'a Sweep<'a>,
    pub(crate) comparison: &'a Comparison,
    pub(crate) crossing: &'a Crossing,
}

/// The crossings of `sweep`, those of a reading together.
pub(crate) fn told<'a>(sweep: &'a Sweep<'a>) -> impl Iterator<Item = Told<'a>> {
    sweep.comparisons.iter().flat_map(move |comparison| {
        let of = move |crossing| Told { sweep, comparison, crossing };
        comparison.crossings().iter().map(of)
    })
}

impl Told<'_> {
    /// Whichever is the lesser above it, and the one beside it.
    fn ordered(&self) -> (Contender, Contender) {
        self.comparison.ordered(self.crossing.lesser_above)
    }

    /// `3.1 messages/s on [2.8–3.5]`.
    fn place(&self) -> String {
        let Crossing { at, low, high, .. } = *self.crossing;
        let axis = self.sweep.axis;
        let [low, high] = [low, high].map(|value| settings::number(axis, value));
        let interval = if low == high { String::new() } else { format!(" [{low}–{high}]") };
        format!("{} on{interval}", settings::worded(axis, at))
    }

    /// A reading of both at the crossing, that of the lesser above first; both or none.
    pub(crate) fn levels(&self, reading: Reading) -> Option<(f64, f64)> {
        let level = |contender| self.sweep.level(reading, contender, self.crossing.at);
        let (lesser, greater) = self.ordered();
        level(lesser).zip(level(greater))
    }

    /// The poll interval over the publish interval at the crossing, where that decides what polls
    /// miss and waste.
    fn ratio(&self, record: &RunRecord) -> Option<f64> {
        let polls = [self.comparison.one, self.comparison.other];
        let is_ratio = record.scenario.delivery == Delivery::Latest
            && polls.iter().any(|contender| contender.shape().asks());
        let point = self.sweep.points.first().filter(|_| is_ratio)?;
        let poll_s = |point: &Point| point.poll_interval.0.as_secs_f64();
        match self.sweep.axis {
            Axis::Rate if Axis::Rate.is_known_at(point) => Some(self.crossing.at * poll_s(point)),
            Axis::PollInterval => Some(self.crossing.at / 1e6 * point.rate_hz),
            _ => None,
        }
        .filter(|ratio| *ratio > 0.0)
    }
}

/// A reading as the subject of a list: `server CPU per client and second`.
pub(crate) const fn name(reading: Reading) -> &'static str {
    match reading {
        Reading::PerClientSecond(Cost::ServerCpu) => "server CPU per client and second",
        Reading::PerClientSecond(Cost::WireBytes) => "bytes per client and second",
        Reading::PerClientMonth => "cost per client and month",
        Reading::FRESHNESS => "mean age",
        Reading::Of(Figure::LatencyP50) => "median latency",
        Reading::Of(Figure::LatencyP99) => "p99 latency",
        Reading::Of(Figure::ServerCpu) => "server CPU per message",
        Reading::Of(Figure::WireBytes) => "bytes per message",
        Reading::Of(figure) => figure.label(),
    }
}

fn amount(sweep: &Sweep<'_>, reading: Reading, value: f64) -> String {
    let currency = || sweep.currency().map(|it| it.to_string()).unwrap_or_default();
    match reading.unit() {
        None => format!("{} {}", human::short_number(value, 2), currency()),
        Some(Unit::Micros) => human::time(value),
        Some(unit) => human::quantity(unit, value),
    }
}

/// The header of [`rows`].
pub(crate) const HEADER: [&str; 7] =
    ["figure", "less above", "than", "from", "95 % interval", "mean age there", "fresh p99 there"];

/// The rows of a table of all crossings, below [`HEADER`].
pub(crate) fn rows(record: &RunRecord) -> Vec<Vec<String>> {
    let all = sweeps(record);
    let rows = all.iter().flat_map(|sweep| told(sweep).map(move |told| (sweep, told)));
    let row = |(sweep, told): (&Sweep<'_>, Told<'_>)| {
        let (lesser, greater) = told.ordered();
        let Crossing { at, low, high, .. } = *told.crossing;
        let [low, high] = [low, high].map(|it| settings::number(sweep.axis, it));
        let both = |reading: Reading| {
            let levels = told.levels(reading).map(|(one, two)| {
                let [one, two] = [one, two].map(|level| amount(sweep, reading, level));
                format!("{one}, {two}")
            });
            levels.unwrap_or_else(|| human::NOTHING.to_owned())
        };
        let held = held(sweep);
        let comma = if held.is_empty() { "" } else { "; " };
        vec![
            name(told.comparison.reading).to_owned(),
            lesser.to_string(),
            greater.to_string(),
            format!("{}{comma}{held}", settings::worded(sweep.axis, at)),
            format!("{low}–{high}"),
            both(Reading::FRESHNESS),
            both(Reading::FRESH_P99),
        ]
    };
    rows.map(row).collect()
}

/// The settings that a sweep holds and others of the run have otherwise, in words.
fn held(sweep: &Sweep<'_>) -> String {
    let Some(first) = sweep.points.first() else { return String::new() };
    let words = sweep.held.iter().map(|axis| settings::words(*axis, first));
    words.collect::<Vec<_>>().join(", ")
}

/// A list of them for `report.html`, below a heading; empty without any.
pub(crate) fn page_section(record: &RunRecord) -> String {
    let rows = rows(record);
    if rows.is_empty() {
        return String::new();
    }
    let item = |row: &Vec<String>| {
        let [figure, lesser, greater, from, interval, ..] = &row[..] else { return String::new() };
        let words = format!("{figure}: {lesser} below {greater} from {from} on [{interval}]");
        format!("<li>{}</li>\n", text::html(&words))
    };
    let items: String = rows.iter().map(item).collect();
    format!("<h2 id=\"crossings\">Crossings</h2>\n<ul>\n{items}</ul>\n")
}
