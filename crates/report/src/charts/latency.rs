//! The distribution of latency by transport, with room for the tail: a percentile axis.

use std::borrow::Cow;

use pushbench_core::figure::SAMPLES_BEYOND;
use pushbench_core::{Contender, Figure};
use pushbench_metrics::judge::stats;
use pushbench_metrics::observe::censored::Censored;
use pushbench_metrics::observe::histogram::LatencyHistogram;

use super::axes::{Frame, Scale};
use super::look::{self, colour, line_width};
use super::style::{Draw, Drawn, Spot, Told};
use super::{Key, Picture, Plot, interval, keys};
use crate::human;
use crate::rows::{Block, Row, Spread};
use crate::sentence::{SAME, are_within};

const CAPTION: &str = "Each line says how long the given share of a transport's \
    messages took at most; lower is better, and the rise at the right is the tail. A line \
    ends where fewer than ten samples lie beyond. The time axis is logarithmic. All valid trials are \
    added up, while the table has the median of each trial's own percentile: the tail of one bad trial \
    shows here and not there.";

const OF_MODELS: &str = "A thin line is what a model expects: of polls, waits spread evenly over the \
    poll interval; of pushes, one write after another, each at the server's CPU time for a message, \
    from the quickest on. Where the lines part, something else was at work.";

/// The percentiles that get a marker, where there are samples enough, and their figure of a trial.
const MARKED: [(f64, &str, Option<Figure>); 6] = [
    (0.5, "p50", Some(Figure::LatencyP50)),
    (0.9, "p90", Some(Figure::LatencyP90)),
    (0.99, "p99", Some(Figure::LatencyP99)),
    (0.999, "p99.9", Some(Figure::LatencyP999)),
    (0.9999, "p99.99", None),
    (0.99999, "p99.999", None),
];

/// Pieces of a model's line.
const MODEL_STEPS: u32 = 100;

/// The curves by transport.
pub(super) struct Curves(Vec<Curve>);

struct Curve {
    contender: Contender,
    /// Number of nines and µs, both rising.
    line: Vec<(f64, f64)>,
    marked: Vec<Marked>,
    /// As the model has it; empty where there is none.
    model: Vec<(f64, f64)>,
}

/// A percentile of all trials' samples together.
struct Marked {
    name: &'static str,
    nines: f64,
    us: f64,
    /// The same of each trial, whose median the table has.
    of_trials: Option<Spread>,
}

impl Marked {
    fn tell(&self) -> Told {
        let note = match &self.of_trials {
            Some(spread) if spread.trials > 1 => format!(
                "all trials added up; the median of each trial's own, as in the table: {}, {}",
                human::time(spread.middle),
                interval(spread, human::time)
            ),
            _ => String::new(),
        };
        let (at, value) = (self.name.to_owned(), human::time(self.us));
        Told { at, figure: "latency".to_owned(), value, note }
    }
}

/// How to read the picture.
pub(super) fn caption(block: &Block<'_>) -> Cow<'static, str> {
    let has_model = |row: &Row<'_>| row.trials.iter().any(|trial| trial.check.latency.is_some());
    if block.rows.iter().any(has_model) {
        format!("{CAPTION} {OF_MODELS}").into()
    } else {
        CAPTION.into()
    }
}

/// The picture of a block, where there is a latency.
pub(super) fn picture(block: &Block<'_>, conditions: &str) -> Option<Picture> {
    let curves: Vec<Curve> = block.rows.iter().filter_map(curve).collect();
    if curves.is_empty() {
        return None;
    }
    let which = if block.compares_ages() { "of what was not superseded, " } else { "" };
    let mut keys = keys(block, |contender| curves.iter().any(|curve| curve.contender == contender));
    if curves.iter().any(|curve| !curve.model.is_empty()) {
        keys.push(Key::Thin("thin: model"));
    }
    let latency = block.latency_from().title();
    Some(Picture {
        title: title(block),
        subtitle: format!("{latency} {which}by percentile: {conditions}"),
        keys,
        height: 720,
        plot: Plot::Latency(Curves(curves)),
    })
}

fn curve(row: &Row<'_>) -> Option<Curve> {
    let (mut known, mut late) = (LatencyHistogram::default(), LatencyHistogram::default());
    for trial in &row.trials {
        known.merge(&trial.measured.latency);
        late.merge(&trial.measured.late);
    }
    let latency = Censored::new(&known, &late);
    let line = supported(&latency);
    let marked = |(quantile, name, figure): (f64, &'static str, Option<Figure>)| {
        let us = exact(&latency, quantile)?;
        let of_trials = figure.and_then(|figure| row.spread(figure));
        Some(Marked { name, nines: nines(quantile), us, of_trials })
    };
    let marked = MARKED.into_iter().filter_map(marked).collect();
    let end = line.last()?.0;
    let model = model(row, end).unwrap_or_default();
    (!line.is_empty()).then_some(Curve { contender: row.contender(), line, marked, model })
}

/// The latencies that the model expects up to `end`, a number of nines: the median over the trials'
/// models.
fn model(row: &Row<'_>, end: f64) -> Option<Vec<(f64, f64)>> {
    let models: Vec<_> = row.trials.iter().filter_map(|trial| trial.check.latency).collect();
    let at = |step: u32| {
        let nines = end * f64::from(step) / f64::from(MODEL_STEPS);
        let quantiles: Vec<f64> =
            models.iter().map(|model| model.quantile(1.0 - 10_f64.powf(-nines))).collect();
        Some((nines, stats::median(&quantiles)?))
    };
    (0..=MODEL_STEPS).map(at).collect()
}

/// The percentile, where it is known.
fn exact(latency: &Censored<'_, 3>, quantile: f64) -> Option<f64> {
    latency.supported_percentile_us(quantile)?.exact()
}

/// The curve up to the last percentile with ten samples beyond it, which the table shows too, or
/// to where messages that were still under way begin to count.
fn supported(latency: &Censored<'_, 3>) -> Vec<(f64, f64)> {
    let mut curve = latency.at_least().curve();
    curve.retain(|(q, _)| exact(latency, *q).is_some());
    #[expect(clippy::cast_precision_loss, reason = "counts are below 2⁵³")]
    let end = 1.0 - SAMPLES_BEYOND / latency.at_least().count() as f64;
    if curve.last().is_some_and(|(q, _)| *q < end) {
        curve.extend(exact(latency, end).map(|us| (end, us)));
    }
    curve.into_iter().map(|(q, us)| (nines(q), us)).collect()
}

fn nines(quantile: f64) -> f64 {
    -(1.0 - quantile).log10()
}

/// So many transports beside the fastest are named in a title; of more it says how many.
const NAMED: usize = 2;

/// The fastest and the slowest median, if the trials put them apart.
fn title(block: &Block<'_>) -> String {
    let medians = block.ranked(|row| row.spread(Figure::LatencyP50));
    let time = |spread: &Spread| human::spoken_time(spread.middle);
    let is_apart = |row: &Row<'_>, other| row.is_apart_from(other, Figure::LatencyP50);
    match medians.as_slice() {
        _ if block.compares_ages() => "Latency of the messages that arrived".to_owned(),
        [(only, median)] => format!("{}: {} at the median", only.contender(), time(median)),
        [(fastest, least), .., (slowest, most)] if is_apart(slowest, fastest) => {
            let near = |median: &Spread| are_within(SAME, [median.middle, least.middle]);
            let equals =
                medians.iter().filter(|(row, median)| !is_apart(row, fastest) && near(median));
            let mut names: Vec<String> = equals.map(|(row, _)| row.name().to_owned()).collect();
            let others = names.len() - 1;
            if others > NAMED {
                names.truncate(1);
                names.push(format!("{others} others"));
            }
            let (verb, about) = if others > 0 { ("deliver", "about ") } else { ("delivers", "") };
            format!(
                "{} {verb} in {about}{} at the median, {} in {}",
                human::list(&names),
                time(least),
                slowest.contender(),
                time(most)
            )
        }
        [(_, least), .., (_, most)] if are_within(SAME, [least.middle, most.middle]) => {
            "At the median the transports are about equally fast".to_owned()
        }
        [(fastest, least), .., (slowest, most)] => format!(
            "{} took {} at the median, {} {}: not told apart",
            fastest.contender(),
            time(least),
            slowest.contender(),
            time(most)
        ),
        [] => "Latency".to_owned(),
    }
}

impl Curves {
    pub(super) fn draw(&self, area: &impl Draw, top: i32, height: i32) -> Drawn {
        let points = || self.0.iter().flat_map(|curve| curve.line.iter().chain(&curve.model));
        let nines = points().map(|point| point.0).fold(0.0, f64::max);
        let y = Scale::time(points().map(|point| point.1), "latency, all trials added up");
        let frame = Frame::new(Scale::percentiles(nines), y, top, (area.width(), height));
        frame.draw(area)?;
        let all: Vec<Contender> = self.0.iter().map(|curve| curve.contender).collect();
        for Curve { contender, line, .. } in &self.0 {
            let line = line.iter().map(|&(nines, us)| frame.at(nines, us)).collect();
            let width = line_width(*contender, &all);
            area.of(*contender, || look::line(area, *contender, line, width))?;
        }
        for Curve { contender, model, .. } in &self.0 {
            let model = model.iter().map(|&(nines, us)| frame.at(nines, us)).collect();
            area.of(*contender, || area.path(model, colour(*contender), 1))?;
        }
        self.0.iter().try_for_each(|curve| {
            area.of(curve.contender, || {
                curve.marked.iter().try_for_each(|marked| {
                    let place = frame.at(marked.nines, marked.us);
                    look::marker(area, curve.contender, place)?;
                    area.tell(Spot::At(place), || marked.tell())
                })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_ends_where_ten_samples_lie_beyond() {
        let end = |samples: u64| {
            let mut latency = LatencyHistogram::default();
            (1..=samples).for_each(|us| latency.record_ns(us * 1_000));
            *supported(&Censored::new(&latency, &LatencyHistogram::default())).last().unwrap()
        };
        let (at, us) = end(10_000);
        assert!((at - 3.0).abs() < 1e-9 && (us / 9_990.0 - 1.0).abs() < 2e-3, "{at} {us}");
        let (at, us) = end(1_500);
        assert!((at - nines(1.0 - 1.0 / 150.0)).abs() < 1e-9, "{at}");
        assert!((us / 1_490.0 - 1.0).abs() < 2e-3, "{us}");
        // Of few the median is all that is known.
        assert!((end(15).0 - nines(0.5)).abs() < 1e-9);
        let none = LatencyHistogram::default();
        assert!(supported(&Censored::new(&none, &none)).is_empty());
    }

    #[test]
    fn a_curve_ends_where_messages_were_still_under_way() {
        let (mut known, mut late) = (LatencyHistogram::default(), LatencyHistogram::default());
        (1..=900).for_each(|us| known.record_ns(us * 1_000));
        late.record_many_ns(5_000_000, 100);
        let line = supported(&Censored::new(&known, &late));
        let (at, us) = *line.last().unwrap();
        assert!(at <= nines(0.9) && us <= 901.0, "{line:?}");
        let (at, us) = line[0];
        assert!(at == 0.0 && us < 2.0, "{line:?}");
    }
}
