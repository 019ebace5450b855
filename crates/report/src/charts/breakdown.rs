//! Where latency is spent: the parts of its mean, each transport's own as a whole.

use pushbench_metrics::judge::breakdown::{Breakdown, Part};

use super::bars::{self, Bar, Bars, Group};
use super::style::part_colour;
use super::{Key, Picture};
use crate::breakdown::{name, whole};
use crate::human;
use crate::rows::{Block, Row};

/// The picture of a block, where messages were stamped along their way.
pub(super) fn picture(block: &Block<'_>, conditions: &str) -> Option<Picture> {
    let rows: Vec<(&Row<'_>, Breakdown)> =
        block.rows.iter().filter_map(|row| Some((row, whole(row)?))).collect();
    let groups = rows.iter().filter_map(|(row, breakdown)| group(row, breakdown)).collect();
    // Five keys and no transport among them.
    let bars =
        Bars { groups, axis: "share of the mean latency", unit: |_| (1.0, "%"), words: percent };
    let keys = Part::ALL.iter().map(|&part| Key::Area(part_colour(part), name(part))).collect();
    bars.picture(title(&rows), format!("Where the mean latency is spent: {conditions}"), keys)
}

fn percent(share: f64) -> String {
    format!("{} %", human::short_number(share, 3))
}

/// Shares of the mean, in per cent: transports differ by so much that no axis of time shows the
/// parts of all. The mean itself stands beside them.
fn group(row: &Row<'_>, breakdown: &Breakdown) -> Option<Group> {
    let shares = shares(breakdown)?;
    let part = |(part, length): (Part, f64)| bars::Part {
        name: name(part),
        length,
        colour: part_colour(part),
    };
    let parts = Part::ALL.into_iter().zip(shares).map(part).collect();
    let value = human::time(breakdown.latency.mean_us()?);
    let bar = Bar { parts, value, note: String::new() };
    Some(Group { contender: row.contender(), bars: vec![bar] })
}

/// The shares of the parts, in per cent, one that the clocks' doubt made negative as nothing.
fn shares(breakdown: &Breakdown) -> Option<[f64; Part::ALL.len()]> {
    let means = Part::ALL.map(|part| breakdown.part(part).mean_us().unwrap_or(0.0).max(0.0));
    let sum: f64 = means.iter().sum();
    (sum > 0.0).then(|| means.map(|mean| mean / sum * 100.0))
}

/// The part that takes the most of the slowest transport, and of the fastest.
fn title(rows: &[(&Row<'_>, Breakdown)]) -> String {
    let mut told: Vec<(f64, String)> = rows
        .iter()
        .filter_map(|(row, breakdown)| {
            let shares = shares(breakdown)?;
            let most = Part::ALL.into_iter().zip(shares).max_by(|a, b| a.1.total_cmp(&b.1))?;
            // All but a trace is not all.
            let share = if most.1 < 100.0 { most.1.min(99.0) } else { 100.0 };
            let words = format!("{} {}, {share:.0} %", row.contender(), name(most.0));
            Some((breakdown.latency.mean_us()?, words))
        })
        .collect();
    told.sort_by(|one, two| one.0.total_cmp(&two.0));
    match told.as_slice() {
        [] => "Where the mean latency is spent".to_owned(),
        [(_, only)] => format!("Largest part of the latency: {only}"),
        [(_, fastest), .., (_, slowest)] => {
            format!("Largest part of the latency: {slowest}; {fastest}")
        }
    }
}
