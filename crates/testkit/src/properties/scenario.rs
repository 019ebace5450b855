//! Scenarios.

use pushbench_core::feed::trace::Trace;
use pushbench_core::scenario::{MAX_POINTS, Scenario};

use super::survives_json;

/// Whatever scenario is read spans points that can be run, and not too many.
pub(super) fn holds(input: &[u8]) {
    let Some(scenario) =
        std::str::from_utf8(input).ok().and_then(|text| Scenario::parse(text).ok())
    else {
        return;
    };
    survives_json(&scenario);
    let trace =
        Trace { offsets_ns: vec![0, 1_000_000_000], payloads: vec!["a".into(), "b".into()] };
    let points = scenario.points(scenario.feed.trace.is_some().then_some(&trace));
    assert!((1..=MAX_POINTS).contains(&points.len()), "{} points", points.len());
    for point in &points {
        point.check().unwrap_or_else(|problem| panic!("{problem}: {point:?}"));
    }
    points.first().into_iter().chain(points.last()).for_each(survives_json);
}
