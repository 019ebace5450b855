//! Records that no run left: each is refused by name, or reported on in bounded time and memory.

use std::fs::{self, File};
use std::path::Path;

use pushbench_metrics::record::RunRecord;
use serde_json::{Value, json};

use crate::charts::charts;
use crate::{ReportError, csv, fixture, open};

const SWEEP: &str = "clients = [5, 10]\nduration = \"2s\"\nruns = 2\n\
                     transports = [\"sse\", \"short-poll\"]\npoll_interval = \"500ms\"";

/// Numbers that cannot be, or only just.
fn extremes() -> [Value; 11] {
    [
        json!(u64::MAX),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(1_u64 << 61),
        json!(-1),
        json!(0),
        json!(1e308),
        json!(-1e308),
        json!(1e17),
        json!(5e-324),
        Value::Null,
    ]
}

/// The place of each number and text of a record.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| places(value, &format!("{at}/{name}"), found));
        }
        // The others are as the first.
        Value::Array(list) => {
            let few = list.iter().enumerate().take(1);
            few.for_each(|(index, value)| places(value, &format!("{at}/{index}"), found));
        }
        Value::Number(_) | Value::String(_) => found.push(at.to_owned()),
        Value::Bool(_) | Value::Null => {}
    }
}

fn read(path: &Path, text: &str) -> Result<RunRecord, ReportError> {
    let file = path.join("run.json");
    fs::write(&file, text).unwrap();
    open(&file).map(|(_, record)| record)
}

/// Everything but pixels, which are drawn from the same places.
fn report(record: &RunRecord) {
    for table in [
        csv::summary(record),
        csv::trials(record),
        csv::bytes(record),
        csv::breakdown(record),
        csv::series(record),
        csv::models(record),
    ] {
        assert!(table.len() < 1 << 20);
    }
    assert!(crate::terminal_table(record, crate::Screen::NONE).len() < 1 << 16);
    assert!(crate::sentence(record).len() < 1 << 14);
    assert!(crate::markdown(record).len() < 1 << 18);
    for chart in charts(record) {
        assert!(chart.svg().unwrap().len() < 1 << 20);
    }
}

#[test]
fn any_number_anywhere_is_refused_or_reported_on() {
    let folder = tempfile::tempdir().unwrap();
    let whole: Value = serde_json::to_value(fixture::run(SWEEP)).unwrap();
    let mut found = Vec::new();
    places(&whole, "", &mut found);
    assert!(found.len() > 100, "{}", found.len());
    let mut accepted = 0;
    for (index, place) in found.iter().enumerate() {
        for extreme in extremes() {
            let mut wild = whole.clone();
            *wild.pointer_mut(place).unwrap() = extreme.clone();
            match read(folder.path(), &wild.to_string()) {
                // Drawing takes a while, and the places are many.
                Ok(record) if index % 7 == accepted % 7 => report(&record),
                Ok(_) => {}
                Err(error) => assert!(error.is_of_the_argument(), "{place} {extreme}: {error}"),
            }
            accepted += 1;
        }
    }
}

#[test]
fn what_no_run_comes_to_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let whole: Value = serde_json::to_value(fixture::run(SWEEP)).unwrap();
    let trial = "/trials/0";
    let cases = [
        ("/scenario/name", json!("=cmd|' /C calc'!A0"), "cannot name a folder"),
        ("/scenario/feed/speed", json!(1e17), "feed.speed"),
        ("/points/0/clients", json!(4_000_000_000_u32), "clients: 4000000000 is not within"),
        ("/points/0/rate_hz", json!(-5.0), "rate_hz: -5.0 is not within"),
        (&format!("{trial}/window/end"), json!(0), "a window from"),
        (&format!("{trial}/window/end"), json!(1_u64 << 60), "it has a day at most"),
        (&format!("{trial}/window/last"), json!(1_u64 << 63), "more than can be counted"),
        (&format!("{trial}/window/last"), json!(i64::MAX), "more than can be counted"),
        (&format!("{trial}/measured/audit/lost"), json!(u64::MAX), "more than can be counted"),
        (&format!("{trial}/measured/age/integral_s2"), json!(1e308), "1e308 is beyond any figure"),
        (&format!("{trial}/measured/latency/hdr"), json!("nonsense"), "histogram"),
        (&format!("{trial}/measured/latency/saturated"), json!(1_000_000_000), "histogram has"),
        (&format!("{trial}/id/point"), json!(77), "trial 1 is of no point"),
    ];
    for (place, value, part) in cases {
        let mut wild = whole.clone();
        let (parent, member) = place.rsplit_once('/').unwrap();
        wild.pointer_mut(parent).unwrap()[member] = value;
        let error = read(folder.path(), &wild.to_string()).unwrap_err().to_string();
        assert!(error.contains(part) && error.contains("run.json"), "{place}: {error}");
    }
}

#[test]
fn more_points_than_a_scenario_or_seconds_than_a_day_has_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut wild: Value = serde_json::to_value(fixture::run(SWEEP)).unwrap();
    wild["points"] = Value::Array(vec![wild["points"][0].clone(); 1_001]);
    let error = read(folder.path(), &wild.to_string()).unwrap_err().to_string();
    assert!(error.contains("1001 points, and a scenario spans at most 1000"), "{error}");
    let mut wild: Value = serde_json::to_value(fixture::run(SWEEP)).unwrap();
    let series = &mut wild["trials"][0]["measured"]["series"];
    let second = json!({"latency": {"hdr": ""}, "requests": 0, "bytes_up": 0, "bytes_down": 0});
    *series = Value::Array(vec![second; 86_401]);
    let error = read(folder.path(), &wild.to_string()).unwrap_err().to_string();
    assert!(error.contains("a series of 86401 seconds is longer than a day"), "{error}");
}

#[test]
fn a_file_larger_than_any_record_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["run.json", "headers.json"] {
        // It takes no room.
        let file = folder.path().join(name);
        File::create(&file).unwrap().set_len(1 << 40).unwrap();
        let error = crate::rebuild(&file).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(name) && text.contains("1099511627776 bytes"), "{text}");
        assert!(error.is_of_the_argument());
        fs::remove_file(&file).unwrap();
    }
}
