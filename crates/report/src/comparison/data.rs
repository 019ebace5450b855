//! A comparison for programs: CSV and JSON, every number in the unit of its column's name.

use pushbench_metrics::judge::compare::{Comparison, Row, percent};
use serde_json::{Value, json};

use crate::csv::Sheet;
use crate::error::ReportError;
use crate::settings;

/// The first columns; the settings of the point follow.
const COLUMNS: [&str; 15] = [
    "point",
    "transport",
    "figure",
    "trials_before",
    "trials_after",
    "before",
    "after",
    "change",
    "change_lo",
    "change_hi",
    "change_percent",
    "p",
    "p_adjusted",
    "judged",
    "verdict",
];

/// A line for each figure. `point` is what sets a point apart, `figure` the column of
/// `summary.csv`, whose unit `before`, `after` and `change` have. Empty is "not measured" or, of
/// a verdict, "not judged".
#[must_use]
pub fn comparison_csv(comparison: &Comparison) -> String {
    let columns = COLUMNS.join(",");
    let mut sheet = Sheet::new(&[&columns, &settings::columns(0)]);
    comparison.rows.iter().for_each(|row| sheet.line(fields(row)));
    String::from_utf8(sheet.finish()).expect("each field is text")
}

fn fields(row: &Row) -> Vec<String> {
    let values = values(row);
    let fields = COLUMNS.iter().map(|column| plain(&values[*column]));
    fields.chain(settings::fields(Some(&row.point), row.contender)).collect()
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

fn values(row: &Row) -> Value {
    let (change, shift) = (&row.change, row.change.shift);
    let interval = shift.and_then(|shift| shift.interval);
    json!({
        "point": row.point.label,
        "transport": row.contender,
        "figure": row.figure.column(),
        "trials_before": change.trials[0],
        "trials_after": change.trials[1],
        "before": change.medians[0],
        "after": change.medians[1],
        "change": shift.map(|shift| shift.estimate),
        "change_lo": interval.map(|ends| ends.0),
        "change_hi": interval.map(|ends| ends.1),
        "change_percent": change.relative().map(|share| share * 100.0),
        "p": shift.map(|shift| shift.p),
        "p_adjusted": change.adjusted_p,
        "judged": change.verdict.is_some(),
        "verdict": change.verdict.map(super::verdict),
    })
}

/// The same as one JSON object, with the notes, and what came of the `threshold` where there is
/// one, a share of the figure before.
///
/// # Errors
///
/// [`ReportError::Encode`] where a figure cannot be written.
pub fn comparison_json(
    comparison: &Comparison,
    names: [&str; 2],
    threshold: Option<f64>,
) -> Result<String, ReportError> {
    let value = json!({
        "before": names[0],
        "after": names[1],
        "judged": comparison.power.judged,
        "least_p": comparison.power.least_p,
        "worth": comparison.worth,
        "lacking": comparison.lacking,
        "bounded": comparison.bounded,
        "threshold": threshold.map(|share| gate(comparison, share)),
        "figures": comparison.rows.iter().map(values).collect::<Vec<Value>>(),
        "notes": comparison.notes,
    });
    crate::document(serde_json::to_string_pretty(&value))
}

/// `met`, `broken` by the figures named, or `refused`, and why.
fn gate(comparison: &Comparison, share: f64) -> Value {
    let (verdict, broken, why) = match comparison.gate(share) {
        Ok(rows) if rows.is_empty() => ("met", Vec::new(), None),
        Ok(rows) => ("broken", rows.into_iter().map(Row::name).collect(), None),
        Err(unbreakable) => ("refused", Vec::new(), Some(unbreakable.to_string())),
    };
    json!({ "percent": percent(share), "verdict": verdict, "broken": broken, "why": why })
}
