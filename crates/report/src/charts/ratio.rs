//! Polling against how often there is news: measured points on the lines of the models.
//!
//! What polling misses, wastes and costs depends on the poll interval P and the publish interval
//! T by their ratio alone, so the pictures have P/T as their axis.

use pushbench_core::scenario::{Axis, Point, ScheduleKind};
use pushbench_core::{Contender, Delivery};
use pushbench_metrics::judge::models::Law;
use pushbench_metrics::judge::stats;
use pushbench_metrics::judge::sweep::{Cost, Reading, sweeps};
use pushbench_metrics::record::{RunRecord, TrialRecord};

use super::axes::{Frame, NUMBER, PER_CENT, Scale};
use super::look::{self, colour};
use super::marks::{self, Mark};
use super::style::{Draw, Drawn, Spot, Told};
use super::{Chart, Key, Line, Picture, Plot, lines, values};
use crate::human;
use crate::rows::{Block, Row};

const AGE: &str = "How old what a client holds is, on average. Points are measured; the thin line \
    is what polling at this ratio must give: half of both intervals together (of a Poisson feed the \
    publish interval and half the poll interval), and for a push half the publish interval (the \
    whole), each with the way of the message on top.";
const MISSED: &str = "The share of the messages that a client never gets, since a newer one is \
    there at its next poll. Points are measured; the thin line is the model: nothing is missed up \
    to P = T, then 1 − T/P; of a Poisson feed 1 − (T/P)(1 − e^(−P/T)). A push misses none.";
const EMPTY: &str = "The share of the responses that bring nothing new. Points are measured; the \
    thin line is the model: 1 − P/T, nothing from P = T on; of a Poisson feed e^(−P/T).";
const CPU: &str = "CPU time of the server in each second for each client, whatever arrives: a poll \
    costs also where there is no news, a push costs each message also where it is soon superseded. \
    Where the lines cross, the cheaper transport changes. No model: a line joins the points.";

const CPU_READING: Reading = Reading::PerClientSecond(Cost::ServerCpu);

/// Points of a model's line.
const STEPS: u32 = 160;

/// Measured points and model lines over P/T.
pub(super) struct Ratio {
    measured: Vec<Line<f64>>,
    models: Vec<(Contender, Vec<(f64, f64)>)>,
    /// Whether lines join the points, in want of a model.
    joined: bool,
    /// Where lines cross.
    marks: Vec<Mark>,
    axis: &'static str,
    is_share: bool,
}

/// The pictures, where a run goes through several ratios under `latest`; none otherwise.
pub(super) fn charts(record: &RunRecord, blocks: &[Block<'_>]) -> Vec<Chart> {
    let Some(points) = ByRatio::of(record, blocks) else { return Vec::new() };
    let law = match points.law {
        ScheduleKind::Poisson => "a Poisson feed",
        _ => "an evenly spaced feed",
    };
    let pictures = [
        ("sweep-age", AGE, "Mean age of information", points.ages()),
        ("sweep-missed", MISSED, "Messages that polling misses", points.missed()),
        ("sweep-empty", EMPTY, "Responses that bring nothing new", points.empty()),
        ("sweep-cpu", CPU, "What a client costs the server", points.cpu()),
    ];
    let chart = |(name, caption, what, ratio): (&str, &'static str, &str, Ratio)| {
        let title = format!("{what} against poll interval ÷ publish interval");
        ratio.chart(name, caption, title, format!("{law}, delivery latest; medians over trials"))
    };
    pictures.into_iter().filter_map(chart).collect()
}

const fn polls(contender: Contender) -> bool {
    contender.shape().asks()
}

fn quotient(part: u64, whole: u64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "counts are below 2⁵³")]
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// A run's points by their ratio.
struct ByRatio<'a> {
    record: &'a RunRecord,
    blocks: &'a [Block<'a>],
    law: ScheduleKind,
    ratios: Vec<f64>,
    /// One of the points, and which of P and T all have in common with it.
    first: &'a Point,
    same_gap: bool,
}

impl<'a> ByRatio<'a> {
    fn of(record: &'a RunRecord, blocks: &'a [Block<'a>]) -> Option<Self> {
        let law = record.scenario.feed.schedule;
        let fits = record.scenario.delivery == Delivery::Latest
            && matches!(law, ScheduleKind::Constant | ScheduleKind::Poisson)
            && record.scenario.contenders.iter().copied().any(polls);
        let first = &blocks.first().filter(|_| fits)?.point;
        if !Axis::Rate.is_known_at(first) {
            return None;
        }
        let mut ratios: Vec<f64> = blocks.iter().map(|block| ratio(&block.point)).collect();
        ratios.sort_by(f64::total_cmp);
        ratios.dedup_by(|one, other| (*one / *other - 1.0).abs() < 1e-9);
        // Other settings that vary would put several points at one ratio.
        let same_gap = blocks.iter().all(|block| block.point.rate == first.rate);
        let same_poll = blocks.iter().all(|block| block.point.poll_interval == first.poll_interval);
        let alone = ratios.len() == blocks.len() && (same_gap || same_poll);
        (ratios.len() > 1 && alone).then_some(Self { record, blocks, law, ratios, first, same_gap })
    }

    fn ages(&self) -> Ratio {
        let model = |law: Law, poll_us, polls, way_us| {
            if polls { law.poll_age_us(poll_us, way_us) } else { law.push_age_us(way_us) }
        };
        Ratio {
            measured: self.points(|trial, _| trial.measured.age.mean_us()),
            models: self.models(|_| true, model),
            joined: false,
            marks: self.marks(Reading::FRESHNESS),
            axis: "mean age",
            is_share: false,
        }
    }

    fn missed(&self) -> Ratio {
        let missed = |trial: &TrialRecord, _| {
            let audit = &trial.measured.audit;
            quotient(audit.superseded, audit.delivered + audit.superseded)
        };
        Ratio {
            measured: self.points(missed),
            models: self.models(polls, |law, poll_us, _, _| law.missed(poll_us)),
            joined: false,
            marks: Vec::new(),
            axis: "messages missed",
            is_share: true,
        }
    }

    fn empty(&self) -> Ratio {
        let empty = |trial: &TrialRecord, contender| {
            let counters = &trial.measured.counters;
            quotient(counters.empty_responses, counters.requests).filter(|_| polls(contender))
        };
        Ratio {
            measured: self.points(empty),
            models: self.models(polls, |law, poll_us, _, _| law.empty(poll_us)),
            joined: false,
            marks: Vec::new(),
            axis: "responses without news",
            is_share: true,
        }
    }

    fn cpu(&self) -> Ratio {
        let each = |row: &Row<'_>| Some(row.reading(CPU_READING)?.middle);
        Ratio {
            measured: lines(self.blocks.iter(), |block| ratio(&block.point), each),
            models: Vec::new(),
            joined: true,
            marks: self.marks(CPU_READING),
            axis: "server CPU for each client and second",
            is_share: false,
        }
    }

    /// The median over the trials of each transport at each ratio.
    fn points(&self, value: impl Fn(&TrialRecord, Contender) -> Option<f64>) -> Vec<Line<f64>> {
        lines(
            self.blocks.iter(),
            |block| ratio(&block.point),
            |row| {
                let trials = row.trials.iter().filter_map(|trial| value(trial, row.contender()));
                stats::median(&trials.collect::<Vec<_>>())
            },
        )
    }

    /// The lines of the transports that `has_model` names: `model` gets the law, the poll
    /// interval, whether the transport polls, and how long a message is on its way.
    fn models(
        &self,
        has_model: impl Fn(Contender) -> bool,
        model: impl Fn(Law, f64, bool, f64) -> f64,
    ) -> Vec<(Contender, Vec<(f64, f64)>)> {
        let way = |trial: &TrialRecord, contender: Contender| {
            let check = &trial.check;
            if polls(contender) { Some(check.latency?.min_us()) } else { check.mean_us() }
        };
        let lines = self.points(way).into_iter().filter(|line| has_model(line.contender));
        lines
            .filter_map(|line| {
                let contender = line.contender;
                let ways: Vec<f64> = line.points().map(|point| point.1).collect();
                let (way_us, polls) = (stats::median(&ways)?, polls(contender));
                let at = |ratio: f64| {
                    let (gap_us, poll_us) = self.intervals(ratio);
                    let law = match self.law {
                        ScheduleKind::Poisson => Law::Poisson { gap_us },
                        _ => Law::Constant { gap_us },
                    };
                    (ratio, model(law, poll_us, polls, way_us))
                };
                Some((contender, self.steps().map(at).collect()))
            })
            .collect()
    }

    /// Where the lines of a reading cross. Of the two intervals one varies, and the ratio with it.
    fn marks(&self, reading: Reading) -> Vec<Mark> {
        let over = if self.same_gap { Axis::PollInterval } else { Axis::Rate };
        let factor = ratio(self.first) / over.value(self.first);
        let words = |ratio: f64| format!("P/T {}", human::short_number(ratio, 2));
        let marks = marks::of(&sweeps(self.record), (over, self.first), reading);
        marks.into_iter().map(|mark| mark.scaled(factor, words)).collect()
    }

    /// T and P at a ratio, µs.
    fn intervals(&self, ratio: f64) -> (f64, f64) {
        let (gap_us, poll_us) = (gap_us(self.first), poll_us(self.first));
        if self.same_gap { (gap_us, gap_us * ratio) } else { (poll_us / ratio, poll_us) }
    }

    /// Ratios from the least to the greatest, evenly on a logarithmic axis.
    fn steps(&self) -> impl Iterator<Item = f64> + use<> {
        let (least, most) = (self.ratios[0], self.ratios[self.ratios.len() - 1]);
        (0..=STEPS).map(move |n| least * (most / least).powf(f64::from(n) / f64::from(STEPS)))
    }
}

fn gap_us(point: &Point) -> f64 {
    1e6 / point.rate_hz
}

fn poll_us(point: &Point) -> f64 {
    point.poll_interval.0.as_secs_f64() * 1e6
}

fn ratio(point: &Point) -> f64 {
    poll_us(point) / gap_us(point)
}

impl Ratio {
    fn chart(
        self,
        name: &str,
        caption: &'static str,
        title: String,
        subtitle: String,
    ) -> Option<Chart> {
        if self.measured.is_empty() {
            return None;
        }
        let lines = self.measured.iter().map(|line| Key::Contender(line.contender));
        let model = (!self.models.is_empty()).then_some(Key::Thin("thin: model"));
        let marks = (!self.marks.is_empty()).then_some(Key::Crossings);
        let keys = lines.chain(model).chain(marks).collect();
        let picture = Picture { title, subtitle, keys, height: 600, plot: Plot::Ratio(self) };
        Some(Chart { name: name.to_owned(), caption: caption.into(), picture })
    }

    pub(super) fn draw(&self, area: &impl Draw, top: i32, height: i32) -> Drawn {
        let measured = || self.measured.iter().flat_map(Line::points);
        let models = self.models.iter().flat_map(|line| &line.1);
        let ratios = values(measured().map(|point| point.0));
        let title = "poll interval ÷ publish interval, P/T (logarithmic)";
        let x = Scale::of_values(&ratios, title, NUMBER);
        let y = if self.is_share {
            Scale::from_zero(1.0, self.axis, |_| PER_CENT)
        } else {
            Scale::time(measured().chain(models).map(|point| point.1), self.axis)
        };
        let frame = Frame::new(x, y, top, (area.width(), height));
        frame.draw(area)?;
        for (contender, line) in &self.models {
            let line = line.iter().map(|&(ratio, value)| frame.at(ratio, value)).collect();
            area.of(*contender, || area.path(line, colour(*contender), 1))?;
        }
        self.measured
            .iter()
            .try_for_each(|line| area.of(line.contender, || self.draw_line(area, line, &frame)))?;
        marks::draw(&self.marks, &frame, area)
    }

    fn draw_line(&self, area: &impl Draw, line: &Line<f64>, frame: &Frame) -> Drawn {
        let contender = line.contender;
        for stretch in &line.stretches {
            let places: Vec<_> = stretch.iter().map(|&(x, it)| frame.at(x, it)).collect();
            if self.joined {
                look::line(area, contender, places.clone(), 3)?;
            }
            for (place, &(ratio, value)) in places.into_iter().zip(stretch) {
                look::marker(area, contender, place)?;
                area.tell(Spot::At(place), || self.tell(ratio, value))?;
            }
        }
        Ok(())
    }

    fn tell(&self, ratio: f64, value: f64) -> Told {
        let value = if self.is_share {
            format!("{} %", human::short_number(value * 100.0, 3))
        } else {
            human::time(value)
        };
        Told {
            at: format!("P/T: {}", human::short_number(ratio, 3)),
            figure: self.axis.to_owned(),
            value,
            note: "median over the trials".to_owned(),
        }
    }
}
