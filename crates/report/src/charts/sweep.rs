//! Figures against the setting that a run varies.

mod table;

use std::borrow::Cow;
use std::collections::BTreeSet;

use pushbench_core::feed::stamp::LatencyFrom;
use pushbench_core::scenario::{Axis, AxisUnit, Point};
use pushbench_core::{Contender, Delivery, Figure, figure};
use pushbench_metrics::judge::stats;
use pushbench_metrics::judge::sweep::{Reading, sweeps};
use pushbench_metrics::record::RunRecord;

use self::table::{AGES, COSTS, GROWING, LATENCIES, OfCost, OfFigure, SHARED};
use super::axes::{Frame, NUMBER, Scale, UnitOf, Words};
use super::look::{self, colour, line_width};
use super::marks::{self, Mark};
use super::style::{DASHES, Draw, Drawn, FAINT, Spot, Told};
use super::{Chart, Key, Line, Picture, Plot, interval, lines, values};
use crate::rows::{Block, Reach, Row, Spread};
use crate::settings;
use crate::{floor, human};

/// How to read the bytes; over payload sizes, what the line of dashes is for.
fn bytes_caption(reach: Reach, over: Axis) -> String {
    let moved = match reach {
        Reach::Capture | Reach::Wire | Reach::Served => {
            "All that went over the wire for each message that arrived, \
            at the IP layer, both directions"
        }
        Reach::Socket => {
            "What the sockets moved for each message that arrived, both directions, \
            TCP and IP not counted"
        }
    };
    let payload = match over {
        Axis::Payload => {
            ". The line of dashes is the payload itself: what a transport adds stops \
            mattering where its line meets that one."
        }
        _ => ", payload included.",
    };
    format!(
        "{moved}{payload}{} The vertical axis is logarithmic, the horizontal one where its values \
         are spaced so.",
        reach.lacks()
    )
}

/// Lines over points.
pub(super) struct Sweep {
    over: Axis,
    lines: Vec<Line<Spread>>,
    /// The models of what is shown, where there are any.
    models: Vec<Line<f64>>,
    axis: &'static str,
    unit: UnitOf,
    /// The words for a value.
    words: Words,
    /// Something else to hold the lines against.
    dashes: Dashes,
    /// Where lines cross.
    marks: Vec<Mark>,
}

/// A line of dashes to hold the others against.
enum Dashes {
    None,
    /// Where both axes have the same value.
    Diagonal,
    /// The cost of bare loops at each point, and what they do.
    Floor(Vec<(f64, f64)>, &'static str),
}

impl Dashes {
    /// The line, over the axis' `values`.
    fn points(&self, values: &[f64]) -> Vec<(f64, f64)> {
        match self {
            Self::None => Vec::new(),
            Self::Diagonal => values.iter().map(|&value| (value, value)).collect(),
            Self::Floor(points, _) => points.clone(),
        }
    }

    const fn key(&self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Diagonal => Some(DIAGONAL),
            Self::Floor(_, key) => Some(key),
        }
    }
}

impl OfCost {
    fn chart(
        &self,
        blocks: &[&Block<'_>],
        over: Axis,
        (held, marks): (&str, Vec<Mark>),
    ) -> Option<Chart> {
        let reading = Reading::PerClientSecond(self.cost);
        let at = |block: &Block<'_>| over.value(&block.point);
        let sweep = Sweep {
            over,
            lines: lines(blocks.iter().copied(), at, |row| row.reading(reading)),
            models: Vec::new(),
            axis: self.axis,
            unit: self.unit,
            words: self.words,
            dashes: Dashes::None,
            marks,
        };
        let title = format!("{} against {}", self.what, over.title());
        sweep.chart(self.name, self.caption, title, format!("Each point is {MEDIAN}{held}"))
    }
}

const DIAGONAL: &str = "the payload itself";

const MEDIAN: &str = "the median over its trials";

/// The pictures over the points; none where there is only one.
pub(super) fn charts(record: &RunRecord, blocks: &[Block<'_>]) -> Vec<Chart> {
    let Some((over, held)) = swept(&record.points) else { return Vec::new() };
    let Some(first) = record.points.first() else { return Vec::new() };
    let is_ours =
        |block: &&Block<'_>| held.iter().all(|other| other.text(&block.point) == other.text(first));
    let blocks: Vec<&Block<'_>> = blocks.iter().filter(is_ours).collect();
    let words: Vec<String> = held.iter().map(|axis| settings::words(*axis, first)).collect();
    let held = if held.is_empty() { String::new() } else { format!("; {}", words.join(", ")) };
    let sweeps = sweeps(record);
    let marks = |reading: Reading| marks::of(&sweeps, (over, first), reading);
    let chart = |chart: &OfFigure| {
        let marks = marks(Reading::Of(chart.1));
        of_figure(record, chart, &blocks, over, (&held, marks))
    };
    let ages = blocks.iter().any(|block| block.compares_ages());
    let latencies = chart(if ages { &AGES } else { &LATENCIES });
    let of_bytes = bytes(&blocks, over, (&held, marks(Reading::Of(Figure::WireBytes))));
    let mut charts: Vec<Chart> = latencies.into_iter().chain(of_bytes).collect();
    if record.scenario.delivery == Delivery::Latest {
        let cost = |it: &OfCost| {
            it.chart(&blocks, over, (&held, marks(Reading::PerClientSecond(it.cost))))
        };
        charts.extend(COSTS.iter().filter_map(cost));
    }
    if over == Axis::Rate {
        charts.extend(SHARED.iter().filter_map(chart));
    }
    if over == Axis::Clients {
        // No latencies where messages were superseded.
        let told = |chart: &&OfFigure| !ages || chart.1 != Figure::LatencyP99;
        charts.extend(GROWING.iter().filter(told).filter_map(chart));
    }
    charts
}

fn of_figure(
    record: &RunRecord,
    &(name, figure, what, axis, caption): &OfFigure,
    blocks: &[&Block<'_>],
    over: Axis,
    (held, marks): (&str, Vec<Mark>),
) -> Option<Chart> {
    let at = |block: &Block<'_>| over.value(&block.point);
    let models = match figure {
        Figure::LatencyP50 => lines(blocks.iter().copied(), at, expected_median),
        _ => Vec::new(),
    };
    let lines = lines(blocks.iter().copied(), at, |row| row.spread(figure));
    let dashes = floors(record, blocks, figure);
    let (unit, words): (UnitOf, Words) = match figure.unit() {
        figure::Unit::Micros => (human::time_unit, human::time),
        figure::Unit::Mean => (|_| NUMBER, |value| human::short_number(value, 3)),
        _ => (human::decimal_unit, human::size),
    };
    let sweep = Sweep { over, lines, models, axis, unit, words, dashes, marks };
    let from = blocks.first().map_or(LatencyFrom::Schedule, |block| block.latency_from());
    let what = what.replace("latency", from.latency());
    let title = format!("{what} against {}", over.title());
    sweep.chart(name, caption, title, format!("Each point is {MEDIAN}{held}"))
}

/// The median that the models of a row's trials expect.
fn expected_median(row: &Row<'_>) -> Option<f64> {
    let models = row.trials.iter().filter_map(|trial| trial.check.latency);
    stats::median(&models.map(|model| model.quantile(0.5)).collect::<Vec<_>>())
}

/// The cost of bare loops in place of `figure`, where that was measured.
fn floors(record: &RunRecord, blocks: &[&Block<'_>], figure: Figure) -> Dashes {
    let clients = |block: &&Block<'_>| Axis::Clients.value(&block.point);
    let floor = |block| Some((clients(block), floor::of(record, block.point.id, figure)?));
    let mut points: Vec<(f64, f64)> = blocks.iter().filter_map(floor).collect();
    points.sort_by(|one, two| one.0.total_cmp(&two.0));
    let key = match (figure == Figure::ServerCpu, floor::stands_beside_others(record)) {
        (true, false) => "floor: a bare loop of writes",
        (false, false) => "floor: a bare loop of reads",
        (true, true) => "floor, in clear: a bare loop of writes",
        (false, true) => "floor, in clear: a bare loop of reads",
    };
    if points.is_empty() { Dashes::None } else { Dashes::Floor(points, key) }
}

/// Bytes per message, and over payload sizes the payload itself.
fn bytes(blocks: &[&Block<'_>], over: Axis, (held, marks): (&str, Vec<Mark>)) -> Option<Chart> {
    let reach = blocks.first()?.reach;
    let sweep = Sweep {
        over,
        lines: lines(blocks.iter().copied(), |block| over.value(&block.point), Row::bytes),
        models: Vec::new(),
        axis: "bytes per message",
        unit: human::decimal_unit,
        words: human::size,
        dashes: if over == Axis::Payload { Dashes::Diagonal } else { Dashes::None },
        marks,
    };
    // At the socket, part of what is added was not counted.
    let finding = sweep.finding().filter(|_| reach.is_wire());
    let title = finding.unwrap_or_else(|| format!("Bytes per message against {}", over.title()));
    let subtitle = format!("Bytes per message {}; each point is {MEDIAN}{held}", reach.place());
    sweep.chart("sweep-bytes", bytes_caption(reach, over), title, subtitle)
}

/// The varying quantity with the most values, and the other varying ones, which are held; one that
/// follows from the first, as a rate may from the number of clients, goes along with it.
fn swept(points: &[Point]) -> Option<(Axis, Vec<Axis>)> {
    let varying = settings::varying(points);
    let distinct = |values: &dyn Fn(&Point) -> [String; 2]| {
        points.iter().map(values).collect::<BTreeSet<_>>().len()
    };
    let values = |over: &Axis| distinct(&|point| [over.text(point), String::new()]);
    // Names have no order to draw a line along.
    let quantities = varying.iter().rev().copied().filter(|axis| axis.unit() != AxisUnit::Name);
    // Of several with as many values the first: `max_by_key` would give the last.
    let swept = quantities.max_by_key(values)?;
    let follows =
        |other: &Axis| distinct(&|point| [swept.text(point), other.text(point)]) == values(&swept);
    Some((swept, varying.into_iter().filter(|over| !follows(over)).collect()))
}

/// A transport that adds at most this much to the payload is told as adding little.
const LITTLE: f64 = 0.1;

impl Sweep {
    /// From which payload on every transport adds little to it, as a title; `None` where that is
    /// none of those tried, or the smallest already.
    fn finding(&self) -> Option<String> {
        let is_diagonal = matches!(self.dashes, Dashes::Diagonal);
        let points = || self.lines.iter().flat_map(Line::points);
        let adds_much = |(payload, spread): &&(f64, Spread)| spread.high > payload * (1.0 + LITTLE);
        let most = points().filter(adds_much).map(|point| point.0).reduce(f64::max)?;
        let above = points().map(|point| point.0).filter(|payload| *payload > most);
        let from = settings::tick(self.over, above.reduce(f64::min).filter(|_| is_diagonal)?);
        let percent = human::short_number(LITTLE * 100.0, 2);
        Some(format!("From {from} on, no transport adds more than {percent} % to the payload"))
    }

    /// The chart, where there is a line to show.
    fn chart(
        self,
        name: &str,
        caption: impl Into<Cow<'static, str>>,
        title: String,
        subtitle: String,
    ) -> Option<Chart> {
        if self.lines.is_empty() {
            return None;
        }
        let lines = self.lines.iter().map(|line| Key::Contender(line.contender));
        let model = (!self.models.is_empty()).then_some(Key::Thin("thin: model"));
        let marks = (!self.marks.is_empty()).then_some(Key::Crossings);
        let keys = lines.chain(self.dashes.key().map(Key::Dashes)).chain(model).chain(marks);
        let keys = keys.collect();
        let picture = Picture { title, subtitle, keys, height: 680, plot: Plot::Sweep(self) };
        Some(Chart { name: name.to_owned(), caption: caption.into(), picture })
    }

    pub(super) fn draw(&self, area: &impl Draw, top: i32, height: i32) -> Drawn {
        let points = || self.lines.iter().flat_map(Line::points);
        let values = values(points().map(|point| point.0));
        let unit = settings::unit(self.over, &values);
        let x = Scale::of_values(&values, self.over.title(), unit);
        let ends = points().flat_map(|(_, spread)| [spread.low, spread.high]);
        let dashes = self.dashes.points(&values);
        let models = self.models.iter().flat_map(Line::points);
        let ends = ends.chain(dashes.iter().chain(models).map(|point| point.1));
        let y = Scale::logarithmic(ends, self.axis, self.unit);
        let frame = Frame::new(x, y, top, (area.width(), height));
        frame.draw(area)?;
        let dashes: Vec<_> = dashes.iter().map(|point| frame.at(point.0, point.1)).collect();
        area.dashes(&dashes, &DASHES, FAINT, 2)?;
        for Line { contender, stretches } in &self.models {
            for stretch in stretches {
                let line = stretch.iter().map(|&(x, value)| frame.at(x, value)).collect();
                area.of(*contender, || area.path(line, colour(*contender), 1))?;
            }
        }
        let all: Vec<Contender> = self.lines.iter().map(|line| line.contender).collect();
        self.lines.iter().try_for_each(|line| {
            area.of(line.contender, || {
                draw_line(line, &all, &frame, area)?;
                line.points().try_for_each(|(x, spread)| {
                    let spot = Spot::At(frame.at(*x, spread.middle));
                    area.tell(spot, || self.tell(*x, spread))
                })
            })
        })?;
        marks::draw(&self.marks, &frame, area)
    }

    fn tell(&self, x: f64, spread: &Spread) -> Told {
        Told {
            at: format!("{}: {}", self.over.title(), settings::tick(self.over, x)),
            figure: self.axis.to_owned(),
            value: (self.words)(spread.middle),
            note: interval(spread, self.words),
        }
    }
}

/// Draws one transport's stretches, bars and markers.
fn draw_line(
    Line { contender, stretches }: &Line<Spread>,
    all: &[Contender],
    frame: &Frame,
    area: &impl Draw,
) -> Drawn {
    for stretch in stretches {
        let line = stretch.iter().map(|(x, spread)| frame.at(*x, spread.middle)).collect();
        look::line(area, *contender, line, line_width(*contender, all))?;
    }
    for (x, spread) in stretches.iter().flatten() {
        let (low, high) = (frame.at(*x, spread.low), frame.at(*x, spread.high));
        area.path(vec![low, high], colour(*contender), 2)?;
        look::marker(area, *contender, frame.at(*x, spread.middle))?;
    }
    Ok(())
}
