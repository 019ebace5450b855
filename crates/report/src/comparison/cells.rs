//! The cells of a comparison, for people.

use pushbench_metrics::judge::compare::Row;

use crate::human::{self, NOTHING};

/// The names of the columns.
pub(super) const HEADER: [&str; 8] =
    ["transport", "figure", "before", "after", "change", "%", "[low, high] %", "verdict"];

/// The row's cells, in the order of [`HEADER`].
pub(super) fn cells(row: &Row) -> [String; 8] {
    let (change, shift) = (&row.change, row.change.shift);
    let quantity = |value| human::quantity(row.figure.unit(), value);
    let amount = |value: Option<f64>| value.map(quantity);
    let moved = shift.map(|shift| signed(shift.estimate, quantity));
    let percent = |amount| change.share_of_before(amount).map(percent);
    let interval = shift.and_then(|shift| {
        let (low, high) = shift.interval?;
        Some(format!("[{}, {}]", percent(low)?, percent(high)?))
    });
    let or_nothing = |cell: Option<String>| cell.unwrap_or_else(|| NOTHING.to_owned());
    [
        row.contender.to_string(),
        row.figure.label().to_owned(),
        or_nothing(amount(change.medians[0])),
        or_nothing(amount(change.medians[1])),
        or_nothing(moved),
        or_nothing(shift.and_then(|shift| percent(shift.estimate))),
        or_nothing(interval),
        change.verdict.map(super::verdict).unwrap_or_default().to_owned(),
    ]
}

/// `+1.2 ms`, `−3 B`, `0 B`.
fn signed(value: f64, words: impl Fn(f64) -> String) -> String {
    let sign = match value {
        _ if value > 0.0 => "+",
        _ if value < 0.0 => "−",
        _ => "",
    };
    format!("{sign}{}", words(value.abs()))
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let places = if percent.abs() < 10.0 { 10.0 } else { 1.0 };
    signed((percent * places).round() / places, |size| human::short_number(size, 3))
}
