//! Further points of a sweep, which say more about its crossings than those that it has.

use pushbench_core::Figure;
use pushbench_core::scenario::{Axis, Point};

use super::{Reading, Sweep, sweeps};
use crate::judge::crossing::Crossing;
use crate::record::RunRecord;

/// A crossing that is known this well, by the ratio of its interval's ends, needs no more points.
const KNOWN_WELL: f64 = 1.02;

/// Where a gap between two points is narrower than this many intervals, noise is what is left.
const GAPS_AN_INTERVAL: f64 = 0.5;

/// A factor below this on both sides of a crossing is nobody's reason to look closer.
const FACTOR_WORTH_A_LOOK: f64 = 1.05;

/// A setting to be measured next.
#[derive(Debug, Clone, PartialEq)]
pub struct Further<'a> {
    /// The setting.
    pub axis: Axis,
    /// The point that all else is as in.
    pub like: &'a Point,
    /// The value, half the way between two points, in the unit of the axis.
    pub value: f64,
    /// The values of these.
    pub between: (f64, f64),
}

/// The points that halve the gaps in which contenders cross, those of the first readings first.
///
/// A gap is left as it is where its crossing is known well, where noise decides its
/// interval and not the gap, and where no round value is inside.
#[must_use]
pub fn further(record: &RunRecord) -> Vec<Further<'_>> {
    let mut wanted: Vec<Further<'_>> = Vec::new();
    for sweep in sweeps(record) {
        for comparison in sweep.comparisons.iter().filter(|it| is_of_its_own(it.reading)) {
            for crossing in comparison.crossings() {
                let is_new = |it: &Further<'_>| {
                    wanted.iter().all(|other| (other.axis, other.like.id) != (it.axis, it.like.id))
                };
                let window_s = record.scenario.duration.0.as_secs_f64();
                wanted.extend(halved(&sweep, crossing, window_s).filter(is_new));
            }
        }
    }
    wanted
}

/// Whether it crosses where no other reading does: what a message costs crosses where a client does.
const fn is_of_its_own(reading: Reading) -> bool {
    !matches!(reading, Reading::Of(Figure::ServerCpu | Figure::WireBytes))
}

fn halved<'a>(sweep: &Sweep<'a>, crossing: &Crossing, window_s: f64) -> Option<Further<'a>> {
    let Crossing { at, low, high, factors, .. } = *crossing;
    let is_known = high <= low * KNOWN_WELL || factors.0.max(factors.1) < FACTOR_WORTH_A_LOOK;
    if is_known || !sweep.axis.takes_further_values() {
        return None;
    }
    let values = sweep.values();
    let above = values.iter().position(|value| *value >= at)?.max(1);
    let (from, to) = (values[above - 1], *values.get(above)?);
    let length = |from, to| sweep.scale.place(to) - sweep.scale.place(from);
    if length(from, to) < GAPS_AN_INTERVAL * length(low, high) {
        return None;
    }
    let middle = sweep.scale.middle(from, to);
    let value = match sweep.axis {
        // A window that holds few messages holds a whole number of them.
        Axis::Rate => (middle * window_s).round() / window_s,
        _ => middle,
    };
    let value = sweep.axis.round(value);
    let (axis, like) = (sweep.axis, sweep.points[above - 1]);
    (from < value && value < to).then_some(Further { axis, like, value, between: (from, to) })
}
