//! Figures over an axis, a line for each transport.

use pushbench_core::Contender;

use crate::rows::{Block, Row};

/// A transport's points over an axis, from the left on.
pub(super) struct Line<T> {
    pub(super) contender: Contender,
    /// Broken where it has no figure at a point that was played: between the two beside that nothing
    /// was measured.
    pub(super) stretches: Vec<Vec<(f64, T)>>,
}

impl<T> Line<T> {
    pub(super) fn points(&self) -> impl Iterator<Item = &(f64, T)> {
        self.stretches.iter().flatten()
    }
}

/// The transports' lines over the axis whose values `at` tells, of what `value` finds.
pub(super) fn lines<'a, T>(
    blocks: impl Iterator<Item = &'a Block<'a>>,
    at: impl Fn(&Block<'a>) -> f64,
    value: impl Fn(&Row<'a>) -> Option<T>,
) -> Vec<Line<T>> {
    let mut blocks: Vec<&Block<'_>> = blocks.collect();
    blocks.sort_by(|one, two| at(one).total_cmp(&at(two)));
    let line = |contender: Contender| {
        let of = |block: &&'a Block<'a>| {
            let row = block.rows.iter().find(|row| row.contender() == contender);
            Some((at(block), value(row?)?))
        };
        let points: Vec<Option<(f64, T)>> = blocks.iter().map(of).collect();
        let stretches = stretches(points);
        (!stretches.is_empty()).then_some(Line { contender, stretches })
    };
    Contender::all().filter_map(line).collect()
}

/// Things that stand together, without what is missing.
fn stretches<T>(points: Vec<Option<T>>) -> Vec<Vec<T>> {
    let mut stretches = vec![Vec::new()];
    for point in points {
        match point {
            Some(point) => stretches.last_mut().expect("there is one at first").push(point),
            None => stretches.push(Vec::new()),
        }
    }
    stretches.retain(|stretch| !stretch.is_empty());
    stretches
}

/// The values of an axis that any of `points` has, each once and rising.
pub(super) fn values(points: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = points.collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}
