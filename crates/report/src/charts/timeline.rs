//! Latency second by second: drift, stalls, a warm-up that was too short.

use pushbench_core::Contender;
use pushbench_metrics::observe::series::Series;

use super::axes::{Frame, Scale};
use super::look::{self, colour, line_width};
use super::style::{Draw, Drawn, Spot, Told};
use super::{Key, Picture, Plot, keys};
use crate::human;
use crate::rows::{Block, Row};

pub(crate) const CAPTION: &str = "Messages by the second of the window in which they were due, \
    all valid trials added up: the median as a line, and dashed the 99th percentile where a \
    second has samples enough. A level line is a steady system.";

/// The lines by transport.
pub(super) struct Lines {
    lines: Vec<Line>,
    seconds: f64,
}

struct Line {
    contender: Contender,
    /// Seconds and µs.
    median: Vec<(f64, f64)>,
    p99: Vec<(f64, f64)>,
}

/// The picture of a block, where there is a latency.
pub(super) fn picture(block: &Block<'_>, conditions: &str) -> Option<Picture> {
    let lines: Vec<Line> = block.rows.iter().filter_map(line).collect();
    let windows = block.rows.iter().flat_map(|row| &row.trials);
    let seconds = windows.map(|trial| trial.window.duration().as_secs_f64()).fold(0.0, f64::max);
    if lines.is_empty() {
        return None;
    }
    let mut keys = keys(block, |contender| lines.iter().any(|line| line.contender == contender));
    if lines.iter().any(|line| !line.p99.is_empty()) {
        keys.push(Key::Dashes("99th percentile"));
    }
    Some(Picture {
        title: format!("Median {}, second by second", block.latency_from().latency()),
        subtitle: format!("Over the measured window: {conditions}"),
        keys,
        height: 640,
        plot: Plot::Timeline(Lines { lines, seconds }),
    })
}

fn line(row: &Row<'_>) -> Option<Line> {
    let mut series = Series::default();
    row.trials.iter().for_each(|trial| series.merge(&trial.measured.series));
    #[expect(clippy::cast_precision_loss, reason = "a window has few seconds")]
    let rows: Vec<_> = series.rows().map(|row| (row.second as f64 + 0.5, row)).collect();
    let median: Vec<_> =
        rows.iter().filter_map(|(at, row)| Some((*at, row.latency_p50_us?))).collect();
    let p99 = rows.iter().filter_map(|(at, row)| Some((*at, row.latency_p99_us?))).collect();
    (!median.is_empty()).then_some(Line { contender: row.contender(), median, p99 })
}

impl Line {
    /// The median of a second, and the 99th percentile beside it where there is one.
    fn tell(&self, &(at, us): &(f64, f64)) -> Told {
        let p99 = self.p99.iter().find(|(second, _)| *second == at);
        Told {
            at: format!("second {}", human::short_number(at + 0.5, 6)),
            figure: "median latency".to_owned(),
            value: human::time(us),
            note: p99.map(|(_, us)| format!("p99 {}", human::time(*us))).unwrap_or_default(),
        }
    }
}

impl Lines {
    pub(super) fn draw(&self, area: &impl Draw, top: i32, height: i32) -> Drawn {
        let points = self.lines.iter().flat_map(|line| line.median.iter().chain(&line.p99));
        let y = Scale::time(points.map(|point| point.1), "latency, all trials added up");
        let x = Scale::from_zero(self.seconds, "time in the window", |_| (1.0, "s"));
        let frame = Frame::new(x, y, top, (area.width(), height));
        frame.draw(area)?;
        let place = |&(second, us): &(f64, f64)| frame.at(second, us);
        let all: Vec<Contender> = self.lines.iter().map(|line| line.contender).collect();
        for line in &self.lines {
            let p99: Vec<_> = line.p99.iter().map(place).collect();
            let median = line.median.iter().map(place).collect();
            area.of(line.contender, || {
                area.dashes(&p99, look::dashes(line.contender), colour(line.contender), 2)?;
                look::line(area, line.contender, median, line_width(line.contender, &all))
            })?;
        }
        // A marker for each of sixty seconds is a marker; one for each of six hundred is a smear.
        let each = (line_length(&self.lines) / 30).max(1);
        self.lines.iter().try_for_each(|line| {
            area.of(line.contender, || {
                line.median.iter().step_by(each).try_for_each(|point| {
                    look::marker(area, line.contender, place(point))?;
                    area.tell(Spot::At(place(point)), || line.tell(point))
                })
            })
        })
    }
}

fn line_length(lines: &[Line]) -> usize {
    lines.iter().map(|line| line.median.len()).max().unwrap_or(0)
}
