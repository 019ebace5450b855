//! Whether two runs measured the same thing: which settings differ, and which points match.
//!
//! Settings are compared as they are written down, so that one which an older build does not know
//! is not forgotten here.

use std::collections::{BTreeMap, BTreeSet};

use pushbench_core::scenario::{Agreement, Point, Setting};
use serde::Serialize;
use serde_json::Value;

use crate::record::RunRecord;

/// A setting that is not the same in two runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The setting, as a scenario spells it.
    pub key: String,
    /// Its value before.
    pub before: String,
    /// Its value after.
    pub after: String,
}

/// `duration (2s and 1s), feed.on (…)`.
pub(super) fn list(differences: &[Difference]) -> String {
    let each = differences.iter().map(|each| {
        let Difference { key, before, after } = each;
        format!("{key} ({before} and {after})")
    });
    each.collect::<Vec<_>>().join(", ")
}

/// The settings in which the scenarios differ, those that span points only `with_points`.
pub(super) fn differences(
    before: &RunRecord,
    after: &RunRecord,
    with_points: bool,
) -> Vec<Difference> {
    let [one, other] = [before, after].map(|record| leaves(&record.scenario));
    let matters = |key: &&String| match Setting::of(key)
        .map_or(Agreement::Whole, |setting| setting.agreement)
    {
        Agreement::Needless => false,
        Agreement::Whole => true,
        Agreement::ByPoint => with_points,
    };
    let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let differing = keys.into_iter().filter(matters).filter(|key| one.get(*key) != other.get(*key));
    let text = |value: Option<&Value>| match value {
        None => "not set".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    let difference = |key: &String| Difference {
        key: key.clone(),
        before: text(one.get(key)),
        after: text(other.get(key)),
    };
    let mut differences: Vec<Difference> = differing.map(difference).collect();
    if before.headers != after.headers && before.scenario.headers == after.scenario.headers {
        let name = &before.scenario.headers;
        differences.push(Difference {
            key: "the content of headers".to_owned(),
            before: name.clone(),
            after: format!("another {name}"),
        });
    }
    differences
}

/// Each setting by its key, `feed.on` within its table.
fn leaves(settings: &impl Serialize) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    // What can be written as a record can be written as a value.
    collect("", serde_json::to_value(settings).unwrap_or_default(), &mut found);
    found
}

fn collect(prefix: &str, value: Value, found: &mut BTreeMap<String, Value>) {
    let Value::Object(table) = value else {
        found.insert(prefix.to_owned(), value);
        return;
    };
    for (key, value) in table {
        let key = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
        collect(&key, value, found);
    }
}

/// The points of equal settings; with `any_settings` then those of equal label.
pub(super) fn matched<'a>(
    before: &'a RunRecord,
    after: &'a RunRecord,
    any_settings: bool,
) -> Vec<(&'a Point, &'a Point)> {
    let find = |point: &Point, is: &dyn Fn(&Point, &Point) -> bool| {
        after.points.iter().find(|other| is(point, other))
    };
    let pair = |point: &'a Point| {
        let same = find(point, &|one, other| settings(one) == settings(other));
        let alike = || find(point, &|one, other| any_settings && one.label == other.label);
        Some((point, same.or_else(alike)?))
    };
    before.points.iter().filter_map(pair).collect()
}

/// Whether there are points, and both of each pair have the same settings.
pub(super) fn all_equal(points: &[(&Point, &Point)]) -> bool {
    !points.is_empty() && points.iter().all(|(one, other)| settings(one) == settings(other))
}

/// All that a point is, but for its place in its run, and for who started the server: records of before
/// that was kept are of either kind.
pub(in crate::judge) fn settings(point: &Point) -> Point {
    Point { id: 0, label: String::new(), server_runs_already: false, ..point.clone() }
}
