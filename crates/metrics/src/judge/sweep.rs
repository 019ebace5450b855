//! Sweeps: that which the points of a run over one numeric setting say together, for each two contenders.
//!
//! All of it comes from the trials: a round's two trials at a point make a pair, so that whatever
//! disturbed the round disturbs no comparison.

mod further;
mod reading;
mod table;

use std::collections::BTreeSet;

use pushbench_core::Contender;
use pushbench_core::price::Currency;
use pushbench_core::scenario::{Axis, AxisUnit, Point};

pub use self::further::{Further, further};
pub use self::reading::{Cost, Reading};
use self::table::Table;
use crate::judge::crossing::scale::Scale;
use crate::judge::crossing::{self, Crossing, Finding};
use crate::judge::stats;
use crate::record::RunRecord;

/// A run's points over a setting, where all others that do not follow from it are held.
#[derive(Debug, Clone)]
pub struct Sweep<'a> {
    /// The setting.
    pub axis: Axis,
    /// The settings that other sweeps of the run have other values of.
    pub held: Vec<Axis>,
    /// How its values are spaced.
    pub scale: Scale,
    /// The points, each with another value, from the least on.
    pub points: Vec<&'a Point>,
    /// The findings on each two contenders in each reading, readings in their order.
    pub comparisons: Vec<Comparison>,
    table: Table<'a>,
}

/// Two contenders in a reading of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The figure.
    pub reading: Reading,
    /// The first of the two.
    pub one: Contender,
    /// The second.
    pub other: Contender,
    /// The finding that can be told.
    pub finding: Finding,
}

impl Comparison {
    /// The contender that is the lesser where `lesser` says so, and the one beside it.
    #[must_use]
    pub const fn ordered(&self, lesser: crossing::Lesser) -> (Contender, Contender) {
        match lesser {
            crossing::Lesser::One => (self.one, self.other),
            crossing::Lesser::Other => (self.other, self.one),
        }
    }

    /// The crossings, where there are any.
    #[must_use]
    pub fn crossings(&self) -> &[Crossing] {
        match &self.finding {
            Finding::Crosses(crossings) => crossings,
            Finding::Throughout(_) | Finding::Untold(_) => &[],
        }
    }
}

impl Sweep<'_> {
    /// The value of the setting at each point.
    #[must_use]
    pub fn values(&self) -> Vec<f64> {
        self.points.iter().map(|point| self.axis.value(point)).collect()
    }

    /// The reading of a contender at a value of the setting, on the line between the medians of the
    /// points beside it; `None` outside of them, and where one has none.
    #[must_use]
    pub fn level(&self, reading: Reading, contender: Contender, at: f64) -> Option<f64> {
        let values = self.values();
        let above = values.iter().position(|value| *value >= at)?.max(1);
        let (below, above) = (above - 1, values.get(above).map(|_| above)?);
        let median = |place: usize| self.table.median(place, contender, reading);
        let (from, to) = (median(below)?, median(above)?);
        let [low, high, at] = [values[below], values[above], at].map(|it| self.scale.place(it));
        let share = (at - low) / (high - low);
        let level = match from > 0.0 && to > 0.0 {
            true => (from.ln() + (to.ln() - from.ln()) * share).exp(),
            false => from + (to - from) * share,
        };
        (0.0..=1.0).contains(&share).then_some(level)
    }

    /// The least and the greatest of a contender's medians of a reading, over the points.
    #[must_use]
    pub fn range(&self, reading: Reading, contender: Contender) -> Option<(f64, f64)> {
        let places = 0..self.points.len();
        let medians = places.filter_map(|place| self.table.median(place, contender, reading));
        stats::range(&medians.collect::<Vec<_>>())
    }

    /// The currency of money; `None` without prices.
    #[must_use]
    pub fn currency(&self) -> Option<Currency> {
        self.table.price?.currency()
    }

    fn compare(&mut self, record: &RunRecord) {
        let contenders = self.table.contenders();
        let (supersedes, is_priced) = (self.table.supersedes(), self.table.price.is_some());
        for reading in Reading::all(record.scenario.delivery, supersedes, is_priced) {
            for (place, &one) in contenders.iter().enumerate() {
                for &other in &contenders[place + 1..] {
                    if !matters(self.axis, one) && !matters(self.axis, other) {
                        continue;
                    }
                    let pairs = self.table.pairs(&self.values(), reading, one, other);
                    let finding = crossing::find(&pairs, self.scale);
                    self.comparisons.extend(finding.map(|finding| Comparison {
                        reading,
                        one,
                        other,
                        finding,
                    }));
                }
            }
        }
    }
}

/// The sweeps of a run: over each quantity that varies and does not follow from another, for each
/// combination of the rest.
#[must_use]
pub fn sweeps(record: &RunRecord) -> Vec<Sweep<'_>> {
    let points: Vec<&Point> = record.points.iter().collect();
    let varying = varying(&points);
    let quantities = varying.iter().copied().filter(|axis| is_quantity(*axis, &points));
    let follows = |other: Axis, from: Axis| {
        let both = distinct(&points, |point| (from.text(point), other.text(point)));
        both == distinct(&points, |point| from.text(point))
    };
    let mut swept: Vec<Axis> = Vec::new();
    for axis in quantities {
        if !swept.iter().any(|first| follows(axis, *first) && follows(*first, axis)) {
            swept.push(axis);
        }
    }
    let mut all = Vec::new();
    for axis in swept {
        let held: Vec<Axis> =
            varying.iter().copied().filter(|other| !follows(*other, axis)).collect();
        all.extend(groups(&points, axis, &held).into_iter().map(|group| {
            let scale = Scale::of(&group.iter().map(|it| axis.value(it)).collect::<Vec<_>>());
            let table = Table::of(record, &group);
            let comparisons = Vec::new();
            let held = held.clone();
            let mut sweep = Sweep { axis, held, scale, points: group, comparisons, table };
            sweep.compare(record);
            sweep
        }));
    }
    all
}

/// The axes in which `points` differ.
#[must_use]
pub fn varying(points: &[&Point]) -> Vec<Axis> {
    let varies = |axis: &Axis| distinct(points, |point| axis.text(point)) > 1;
    Axis::ALL.into_iter().filter(varies).collect()
}

fn distinct<T: Ord>(points: &[&Point], of: impl Fn(&Point) -> T) -> usize {
    points.iter().map(|point| of(point)).collect::<BTreeSet<T>>().len()
}

fn is_quantity(axis: Axis, points: &[&Point]) -> bool {
    let has_value = |point: &&Point| axis.is_known_at(point) && axis.value(point).is_finite();
    axis.unit() != AxisUnit::Name && points.iter().all(has_value)
}

/// The points that agree on `held`, by rising `axis`; none that stands alone.
fn groups<'a>(points: &[&'a Point], axis: Axis, held: &[Axis]) -> Vec<Vec<&'a Point>> {
    let key = |point: &Point| held.iter().map(|other| other.text(point)).collect::<Vec<_>>();
    let mut groups: Vec<(Vec<String>, Vec<&Point>)> = Vec::new();
    for &point in points {
        let key = key(point);
        match groups.iter_mut().find(|group| group.0 == key) {
            Some(group) => group.1.push(point),
            None => groups.push((key, vec![point])),
        }
    }
    let mut groups: Vec<Vec<&Point>> = groups.into_iter().map(|group| group.1).collect();
    for group in &mut groups {
        group.sort_by(|one, two| axis.value(one).total_cmp(&axis.value(two)));
        group.dedup_by(|one, two| axis.text(one) == axis.text(two));
    }
    groups.retain(|group| group.len() > 1);
    groups
}

/// Whether a contender behaves otherwise with another value of `axis`. Of two that do not, a sweep
/// repeats one comparison.
fn matters(axis: Axis, contender: Contender) -> bool {
    match axis {
        Axis::PollInterval => contender.shape().asks(),
        Axis::LongPollTimeout => contender.shape().waits(),
        _ => axis.is_read_by(contender),
    }
}
