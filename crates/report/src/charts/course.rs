//! The course of a window in which connections end because that was asked for, a tenth of a second at a
//! time: messages that arrive, connections that are begun, what the server is busy with.

use std::time::Duration;

use pushbench_core::{Contender, Figure};
use pushbench_metrics::observe::away::{TENTH, Tenth};

use super::axes::{Frame, NUMBER, Scale};
use super::look::{self, line_width};
use super::style::{Draw, Drawn, Spot, Told};
use super::{Picture, Plot, keys};
use crate::human;
use crate::rows::{Block, Row};

/// One line on how to read each of the pictures.
pub(crate) const ARRIVALS: &str = "Messages that arrived at all clients together, by the tenth of a \
    second in which they did, of the mean trial: a gap is a feed that stood still, a peak behind it what \
    was caught up on.";
pub(crate) const OPENINGS: &str = "Connections that clients began, by the tenth of a second, of the mean \
    trial, attempts included that came to nothing: the storm that a server meets which comes back.";
pub(crate) const CORES: &str = "The server's CPU time by the tenth of a second, as cores, of the mean \
    trial.";

/// The lines by transport.
pub(super) struct Lines {
    /// Seconds and values.
    lines: Vec<(Contender, Vec<(f64, f64)>)>,
    seconds: f64,
    title: &'static str,
}

/// The messages that arrive.
pub(super) fn arrivals(block: &Block<'_>, conditions: &str) -> Option<Picture> {
    let lines = lines(block, |row| tenths(row, |tenth| tenth.arrived));
    let title = match most(block, Figure::BackMax) {
        Some((contender, us)) if block.point.life.restart.is_some() => {
            format!(
                "Feed back at all clients {} after the server went, with {contender}",
                human::time(us)
            )
        }
        _ => "Messages that arrive, by the tenth of a second".to_owned(),
    };
    picture(block, (title, conditions), lines, "messages per second")
}

/// The connections that are begun.
pub(super) fn openings(block: &Block<'_>, conditions: &str) -> Option<Picture> {
    let lines = lines(block, |row| tenths(row, |tenth| tenth.opened));
    let title = most(block, Figure::OpenedPeak).map_or_else(
        || "Connections begun, by the tenth of a second".to_owned(),
        |(name, rate)| {
            let rate = human::short_number(rate, 3);
            format!("At the most {rate} connections per second are begun, with {name}")
        },
    );
    picture(block, (title, conditions), lines, "connections per second")
}

/// The cores that the server is busy with.
pub(super) fn cores(block: &Block<'_>, conditions: &str) -> Option<Picture> {
    let lines = lines(block, cores_of);
    let title = most(block, Figure::ServerPeak).map_or_else(
        || "CPU time of the server, by the tenth of a second".to_owned(),
        |(name, cores)| {
            format!(
                "The server is busy with up to {} cores, with {name}",
                human::short_number(cores, 2)
            )
        },
    );
    picture(block, (title, conditions), lines, "cores")
}

/// The transport with the most of a figure, and how much.
fn most<'a>(block: &'a Block<'_>, figure: Figure) -> Option<(&'a str, f64)> {
    let all = block.rows.iter().filter_map(|row| Some((row.name(), row.get(figure)?)));
    all.max_by(|one, other| one.1.total_cmp(&other.1))
}

fn lines(
    block: &Block<'_>,
    values: impl Fn(&Row<'_>) -> Vec<(f64, f64)>,
) -> Vec<(Contender, Vec<(f64, f64)>)> {
    let of_row = |row: &Row<'_>| (row.contender(), values(row));
    block.rows.iter().map(of_row).filter(|(_, line)| !line.is_empty()).collect()
}

/// A count of each tenth, as a rate, at its middle.
fn tenths(row: &Row<'_>, count: fn(&Tenth) -> u64) -> Vec<(f64, f64)> {
    let trials: Vec<_> =
        row.trials.iter().filter_map(|trial| trial.measured.away.as_ref()).collect();
    let longest = trials.iter().map(|away| away.tenths.len()).max().unwrap_or_default();
    let (width, number) = (TENTH.as_secs_f64(), trials.len() as f64);
    let of_tenth = |at: usize| trials.iter().filter_map(move |away| away.tenths.get(at)).map(count);
    let rate = |at| of_tenth(at).sum::<u64>() as f64 / number / width;
    (0..longest).map(|at| ((at as f64 + 0.5) * width, rate(at))).collect()
}

fn cores_of(row: &Row<'_>) -> Vec<(f64, f64)> {
    let trials: Vec<_> = row.trials.iter().filter_map(|trial| trial.course.as_ref()).collect();
    let ends = trials.iter().filter_map(|course| course.cpu.last()).map(|last| last.at);
    let end = ends.max().unwrap_or_default();
    let mut line = Vec::new();
    let mut at = TENTH / 2;
    while at < end {
        let values: Vec<f64> = trials.iter().filter_map(|course| course.cores_at(at)).collect();
        if !values.is_empty() {
            line.push((at.as_secs_f64(), values.iter().sum::<f64>() / values.len() as f64));
        }
        at += TENTH;
    }
    line
}

fn picture(
    block: &Block<'_>,
    (title, conditions): (String, &str),
    lines: Vec<(Contender, Vec<(f64, f64)>)>,
    axis: &'static str,
) -> Option<Picture> {
    let windows = block.rows.iter().flat_map(|row| &row.trials);
    let longest = windows.map(|trial| trial.window.duration()).max().unwrap_or(Duration::ZERO);
    if lines.is_empty() || !block.point.life.is_eventful() {
        return None;
    }
    Some(Picture {
        title,
        subtitle: format!("Over the measured window: {conditions}"),
        keys: keys(block, |contender| lines.iter().any(|line| line.0 == contender)),
        height: 480,
        plot: Plot::Course(Lines { lines, seconds: longest.as_secs_f64(), title: axis }),
    })
}

/// The values of a line that readers may point at, at most: they are no further apart than eyes tell.
const MOST_TOLD: usize = 150;

impl Lines {
    fn tell(&self, at: f64, value: f64) -> Told {
        Told {
            at: format!("{} s", human::short_number(at, 4)),
            figure: self.title.to_owned(),
            value: human::short_number(value, 4),
            note: "of the mean trial".to_owned(),
        }
    }

    pub(super) fn draw(&self, area: &impl Draw, top: i32, height: i32) -> Drawn {
        let inside = |line: &[(f64, f64)]| -> Vec<(f64, f64)> {
            line.iter().copied().filter(|(at, _)| *at <= self.seconds).collect()
        };
        let values = self.lines.iter().flat_map(|(_, line)| inside(line));
        let most = values.map(|(_, value)| value).fold(0.0, f64::max);
        let y = Scale::from_zero(most, self.title, |_| NUMBER);
        let x = Scale::from_zero(self.seconds, "time in the window", |_| (1.0, "s"));
        let frame = Frame::new(x, y, top, (area.width(), height));
        frame.draw(area)?;
        let all: Vec<Contender> = self.lines.iter().map(|(contender, _)| *contender).collect();
        for (contender, line) in &self.lines {
            let line = inside(line);
            let places = line.iter().map(|&(at, value)| frame.at(at, value)).collect();
            let each = line.len().div_ceil(MOST_TOLD).max(1);
            area.of(*contender, || {
                look::line(area, *contender, places, line_width(*contender, &all))?;
                line.iter().step_by(each).try_for_each(|&(at, value)| {
                    area.tell(Spot::At(frame.at(at, value)), || self.tell(at, value))
                })
            })?;
        }
        Ok(())
    }
}
