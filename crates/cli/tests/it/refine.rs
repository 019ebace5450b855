//! `--refine`: points that are added to a sweep where two transports cross.

use std::collections::{BTreeSet, HashMap};
use std::fs;

use serde_json::Value;

use crate::common::outcome;

/// A poll each 50 ms is about 400 bytes, a message over a WebSocket about 170: they cross near 50
/// messages a second, far from both 10 and 200.
const SWEEP: [&str; 19] = [
    "run",
    "--rate",
    "10/s,200/s",
    "--poll-interval",
    "50ms",
    "--delivery",
    "latest",
    "-t",
    "short-poll",
    "-t",
    "websocket",
    "-c",
    "5",
    "-d",
    "500ms",
    "-w",
    "100ms",
    "-r",
    "3",
];

#[test]
fn points_are_added_where_transports_cross_and_are_kept_as_the_others_are() {
    let work = tempfile::tempdir().unwrap();
    let args = [&SWEEP[..], &["--refine"]].concat();
    let (code, stdout, stderr) = outcome(work.path(), &args);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(stderr.contains("refining: 44 messages/s, between 10 messages/s and 200"), "{stderr}");
    let folder = work.path().join("results/latest");
    let record = fs::read(folder.join("run.json")).unwrap();
    let record: Value = serde_json::from_slice(&record).unwrap();
    assert_eq!(record["partial"], false);
    let points = record["points"].as_array().unwrap();
    assert!((3..=8).contains(&points.len()), "{} points", points.len());
    for (place, point) in points.iter().enumerate() {
        let rate = point["rate_hz"].as_f64().unwrap();
        let is_listed = rate == 10.0 || rate == 200.0;
        assert_eq!(point["id"], place + 1);
        assert!(is_listed == (place < 2) && (10.0..=200.0).contains(&rate), "{point}");
    }
    let trials = record["trials"].as_array().unwrap();
    let orders: BTreeSet<u64> = trials.iter().map(|it| it["order"].as_u64().unwrap()).collect();
    let expected: BTreeSet<u64> = (1..=points.len() as u64 * 6).collect();
    assert_eq!(orders, expected, "each point has three rounds of both");

    let mut reader = csv::Reader::from_path(folder.join("crossings.csv")).unwrap();
    let rows: Vec<HashMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    let of_bytes = |row: &&HashMap<String, String>| row["figure"] == "wire_bytes_per_client_s";
    let row = rows.iter().find(of_bytes).unwrap();
    assert_eq!((&*row["finding"], &*row["less_above"]), ("crosses", "short-poll"), "{row:?}");
    let [low, high] = ["at_lo", "at_hi"].map(|column| row[column].parse::<f64>().unwrap());
    // Of the two points alone it would be all between them.
    assert!(10.0 < low && low < high && high < 200.0 && high / low < 4.0, "{row:?}");
    assert!(stdout.contains("short-poll takes fewer bytes than websocket from "), "{stdout}");
}

#[test]
fn the_plan_says_how_long_it_may_take() {
    let work = tempfile::tempdir().unwrap();
    let args = [&SWEEP[..], &["--refine", "--dry-run"]].concat();
    let (code, stdout, stderr) = outcome(work.path(), &args);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("\n  refine      at most 6 points more, at most "), "{stdout}");
}

#[test]
fn what_cannot_be_refined_is_refused() {
    let work = tempfile::tempdir().unwrap();
    for (args, words) in [
        (&["run", "--refine"][..], "--refine goes with a list of numbers"),
        (&["run", "--refine", "--rate", "1/s,2/s", "-t", "sse"], "name another with `-t`"),
        (
            &["run", "--refine", "--loss", "1%,2%"],
            "--refine adds no values of link.loss, only of clients",
        ),
    ] {
        let (code, _, stderr) = outcome(work.path(), args);
        assert_eq!(code, 2, "{args:?}: {stderr}");
        assert!(stderr.contains(words), "{args:?}: {stderr}");
    }
    assert!(!work.path().join("results").exists());
}
