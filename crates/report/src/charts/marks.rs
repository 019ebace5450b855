//! Marks of crossings: where two lines of a sweep's chart cross, with the interval of the place.

use plotters::style::WHITE;
use pushbench_core::scenario::{Axis, Point};
use pushbench_metrics::judge::sweep::{Reading, Sweep};

use super::axes::Frame;
use super::style::{Anchor, DASHES, Draw, Drawn, FAINT, Font, INK, TICK, pixel};
use crate::crossings;

/// Half the height of an interval's ends, and the radius of the ring in it.
const CAP: i32 = 7;
const RING: f64 = 8.0;

/// The explanation in the legend.
pub(super) const KEY: &str = "where two cross, and its 95 % interval";

/// A crossing in a chart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mark {
    at: f64,
    low: f64,
    high: f64,
    /// The value of both, at the crossing.
    value: f64,
    label: String,
}

impl Mark {
    /// The same on an axis whose values are so many times as large.
    pub(super) fn scaled(self, factor: f64, words: impl Fn(f64) -> String) -> Self {
        let [at, low, high] = [self.at, self.low, self.high].map(|value| value * factor);
        Self { at, low, high, label: words(at), ..self }
    }
}

/// The marks of a reading over `over`, in the sweep that `point` is of.
pub(super) fn of(
    sweeps: &[Sweep<'_>],
    (over, point): (Axis, &Point),
    reading: Reading,
) -> Vec<Mark> {
    let is_shown = |sweep: &&Sweep<'_>| {
        sweep.axis == over && sweep.points.iter().any(|other| other.id == point.id)
    };
    let sweeps = sweeps.iter().filter(is_shown);
    let told = sweeps.flat_map(|sweep| crossings::told(sweep).map(move |told| (sweep, told)));
    let mark = |(sweep, told): (&Sweep<'_>, crossings::Told<'_>)| {
        let (comparison, crossing) = (told.comparison, told.crossing);
        let is_of_it = comparison.reading == reading;
        let (one, other) = told.levels(reading).filter(|_| is_of_it)?;
        Some(Mark {
            at: crossing.at,
            low: crossing.low,
            high: crossing.high,
            value: (one * other).sqrt(),
            label: crate::settings::tick(sweep.axis, crossing.at),
        })
    };
    told.filter_map(mark).collect()
}

/// Draws them over the lines; of labels that would meet, the first.
pub(super) fn draw(marks: &[Mark], frame: &Frame, area: &impl Draw) -> Drawn {
    let font = Font { bold: true, ..Font::new(TICK, INK) };
    let mut labels: Vec<(i32, i32, i32)> = Vec::new();
    for mark in marks {
        let [at, low, high] = [mark.at, mark.low, mark.high].map(|it| frame.at(it, mark.value));
        area.dashes(&[at, (at.0, frame.bottom())], &DASHES, FAINT, 1)?;
        interval(area, low, high)?;
        ring(area, at)?;
        let half = area.width_of(&mark.label, font) / 2;
        let place = (at.0, at.1 - 24);
        let meets = |&(x, y, other): &(i32, i32, i32)| {
            (x - place.0).abs() < half + other + 8 && (y - place.1).abs() < 24
        };
        if !labels.iter().any(meets) {
            area.text(&mark.label, place, font, Anchor::Middle)?;
            labels.push((place.0, place.1, half));
        }
    }
    Ok(())
}

/// A mark as the legend shows it.
pub(super) fn draw_key(area: &impl Draw, (x, y): (i32, i32), width: i32) -> Drawn {
    interval(area, (x, y), (x + width, y))?;
    ring(area, (x + width / 2, y))
}

fn interval(area: &impl Draw, low: (i32, i32), high: (i32, i32)) -> Drawn {
    area.path(vec![low, high], INK, 3)?;
    [low, high]
        .into_iter()
        .try_for_each(|(x, y)| area.path(vec![(x, y - CAP), (x, y + CAP)], INK, 2))
}

fn ring(area: &impl Draw, (x, y): (i32, i32)) -> Drawn {
    let corners: Vec<(i32, i32)> = (0..=16)
        .map(|n| (f64::from(n) / 16.0 * std::f64::consts::TAU).sin_cos())
        .map(|(sine, cosine)| (x + pixel(cosine * RING), y + pixel(sine * RING)))
        .collect();
    area.polygon(corners.clone(), WHITE)?;
    area.path(corners, INK, 3)
}
