//! Figures against the setting that a run varies.

use plotters_backend::DrawingBackend;
use pushbench_core::Transport;
use pushbench_core::scenario::Point;
use pushbench_metrics::figures::Figure;
use pushbench_metrics::record::RunRecord;

use super::axes::{Frame, Scale};
use super::style::{Area, Draw as _, Drawn, colour, line_width};
use super::{Chart, Key, Picture, Plot};
use crate::human;
use crate::rows::{Block, Row, Spread};
use crate::settings::Setting;

const LATENCY: &str = "The median over the trials, and as a vertical bar where the trials put \
    it. The vertical axis is logarithmic, the horizontal one where its values span enough.";

const BYTES: &str = "What the sockets moved for each message that arrived, both directions, \
    payload included. The vertical axis is logarithmic, the horizontal one where its values span \
    enough.";

/// Lines over points.
pub(super) struct Sweep {
    setting: Setting,
    lines: Vec<(Transport, Vec<(f64, Spread)>)>,
    axis: &'static str,
    words: fn(f64) -> String,
}

/// The pictures over the points; none where there is only one.
pub(super) fn charts(record: &RunRecord, blocks: &[Block<'_>]) -> Vec<Chart> {
    let Some((setting, held)) = swept(&record.points) else { return Vec::new() };
    let Some(first) = record.points.first() else { return Vec::new() };
    let is_ours = |block: &&Block<'_>| {
        held.iter().all(|other| other.value(&block.point) == other.value(first))
    };
    let blocks: Vec<&Block<'_>> = blocks.iter().filter(is_ours).collect();
    let held = if held.is_empty() {
        String::new()
    } else {
        let words: Vec<String> = held.iter().map(|setting| setting.words(first)).collect();
        format!("; {}", words.join(", "))
    };
    let ages = blocks.iter().any(|block| block.compares_ages());
    let (figure, what, axis) = if ages {
        (Figure::AgeMean, "Mean age of information", "mean age (logarithmic)")
    } else {
        (Figure::LatencyP50, "Median latency", "median latency (logarithmic)")
    };
    let latency = Sweep {
        setting,
        lines: lines(&blocks, setting, |row| row.spread(figure)),
        axis,
        words: human::short_time,
    };
    let bytes = Sweep {
        setting,
        lines: lines(&blocks, setting, |row| row.socket_bytes()),
        axis: "bytes per message (logarithmic)",
        words: human::size,
    };
    let subtitle = format!("Each point is the median over its trials{held}");
    let parts = [
        ("sweep-latency", LATENCY, latency, what),
        ("sweep-bytes", BYTES, bytes, "Bytes per message at the socket"),
    ];
    let shown = parts.into_iter().filter(|(.., sweep, _)| !sweep.lines.is_empty());
    shown
        .map(|(name, caption, sweep, what)| Chart {
            name: name.to_owned(),
            caption,
            picture: Picture {
                title: format!("{what} against {}", setting.axis()),
                subtitle: subtitle.clone(),
                keys: sweep.lines.iter().map(|line| Key::Transport(line.0)).collect(),
                height: 680,
                plot: Plot::Sweep(sweep),
            },
        })
        .collect()
}

/// The varying setting with the most values, and the other varying ones, which are held.
fn swept(points: &[Point]) -> Option<(Setting, Vec<Setting>)> {
    let varying = Setting::varying(points);
    let values = |setting: &Setting| {
        let mut values: Vec<f64> = points.iter().map(|point| setting.value(point)).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        values.len()
    };
    // Of several with as many values the first: `max_by_key` would give the last.
    let swept = varying.iter().rev().copied().max_by_key(values)?;
    Some((swept, varying.into_iter().filter(|setting| *setting != swept).collect()))
}

fn lines(
    blocks: &[&Block<'_>],
    setting: Setting,
    spread: impl Fn(&Row<'_>) -> Option<Spread>,
) -> Vec<(Transport, Vec<(f64, Spread)>)> {
    let line = |transport: Transport| {
        let mut points: Vec<(f64, Spread)> = blocks
            .iter()
            .filter_map(|block| {
                let row = block.rows.iter().find(|row| row.transport() == transport)?;
                Some((setting.value(&block.point), spread(row)?))
            })
            .collect();
        points.sort_by(|one, two| one.0.total_cmp(&two.0));
        (!points.is_empty()).then_some((transport, points))
    };
    Transport::ALL.into_iter().filter_map(line).collect()
}

impl Sweep {
    pub(super) fn draw<DB: DrawingBackend>(&self, area: &Area<DB>, top: i32, height: i32) -> Drawn {
        let points = || self.lines.iter().flat_map(|line| &line.1);
        let mut values: Vec<f64> = points().map(|point| point.0).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let x = Scale::of_values(&values, self.setting.axis(), |value| self.setting.tick(value));
        let ends = points().flat_map(|(_, spread)| [spread.low, spread.high]);
        let y = Scale::logarithmic(ends, self.axis, self.words);
        let frame = Frame::new(x, y, top, height);
        frame.draw(area)?;
        let all: Vec<Transport> = self.lines.iter().map(|line| line.0).collect();
        for (transport, points) in &self.lines {
            let line = points.iter().map(|(x, spread)| frame.at(*x, spread.middle)).collect();
            area.path(line, colour(*transport), line_width(*transport, &all))?;
            for (x, spread) in points {
                let (low, high) = (frame.at(*x, spread.low), frame.at(*x, spread.high));
                area.path(vec![low, high], colour(*transport), 2)?;
                area.marker(*transport, frame.at(*x, spread.middle))?;
            }
        }
        Ok(())
    }
}
