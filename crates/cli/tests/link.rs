//! Links as a user of the binary meets them: distance that shows in each figure, losses that TCP mends,
//! and bad settings that are refused. Where the system gives this user no networks, the test that needs
//! them says so.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::path::Path;

use serde_json::Value;

use crate::common::{column, numbers, outcome};

/// The trials of a run over a link; `None` where there can be none here.
fn trials(folder: &Path, args: &[&str]) -> Option<Vec<Value>> {
    let common = ["-c", "3", "-w", "200ms", "-d", "1s", "--runs", "1", "--json", "--allow-busy"];
    let (status, record, errors) = outcome(folder, &[&["run"], args, &common].concat());
    if status == 2 && errors.contains("namespace") {
        eprintln!("skipped: {errors}");
        return None;
    }
    assert_eq!(status, 0, "{errors}");
    let record: Value = serde_json::from_str(&record).unwrap();
    Some(record["trials"].as_array().unwrap().clone())
}

/// The sum of a figure over what the router saw, by direction and phase.
fn seen(trial: &Value, pointer: &str) -> u64 {
    let rows = trial["router"]["link"]["rows"].as_array().unwrap();
    rows.iter().filter_map(|row| row.pointer(pointer)?.as_u64()).sum()
}

#[test]
fn distance_shows_in_latency_and_in_connecting() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["-t", "websocket", "-t", "sse", "-R", "20/s", "--delay", "30ms:10ms"];
    let Some(trials) = trials(folder.path(), &args) else { return };
    // A message goes down, and a round trip is both: one opens the connection, one is the request and
    // the head of its answer.
    for (name, least_us) in
        [("latency_p50_us", 30e3), ("connect_p50_us", 40e3), ("ready_p50_us", 80e3)]
    {
        let figures = numbers(folder.path(), name);
        assert!(figures.len() == 2 && figures.iter().all(|us| *us >= least_us), "{figures:?}");
    }
    assert_eq!(numbers(folder.path(), "delay_ms"), [20.0; 2], "the mean of both ways");
    assert_eq!(column(folder.path(), "link"), ["own"; 2]);
    for trial in &trials {
        assert_eq!(seen(trial, "/tally/dropped/0/packets"), 0);
        assert_eq!(seen(trial, "/tally/tcp/retransmitted_bytes"), 0);
        let ledger = trial["measured"]["ledger"].to_string();
        assert!(ledger.contains("captured") && !ledger.contains("kernel"), "{ledger}");
    }
}

#[test]
fn every_message_comes_though_packets_are_lost() {
    let folder = tempfile::tempdir().unwrap();
    let args =
        ["-t", "websocket", "-t", "long-poll", "-R", "40/s", "--delay", "5ms", "--loss", "10%"];
    let Some(trials) = trials(folder.path(), &args) else { return };
    assert_eq!(numbers(folder.path(), "lost"), [0.0; 2]);
    assert_eq!(numbers(folder.path(), "expected"), numbers(folder.path(), "delivered"));
    for trial in &trials {
        assert!(seen(trial, "/tally/dropped/0/packets") > 0, "nothing was lost");
        assert!(seen(trial, "/tally/retransmitted_segments") > 0, "nothing was sent again");
    }
}

#[test]
fn a_link_by_its_name_has_its_settings_but_those_that_are_given() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["-t", "sse", "-R", "20/s", "--link", "4g,lan", "--delay", "2ms", "--jitter", "1ms"];
    let Some(trials) = trials(folder.path(), &args) else { return };
    assert_eq!(trials.len(), 2);
    assert_eq!(column(folder.path(), "link"), ["4g", "lan"]);
    assert_eq!(numbers(folder.path(), "delay_ms"), [2.0; 2]);
    assert_eq!(column(folder.path(), "down_bits_per_s")[0], "9000000");
}

#[test]
fn settings_that_cannot_be_are_refused_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    for (args, part) in [
        (&["--delay", "11s"][..], "link.delay: 11s is too long"),
        (&["--loss", "100%"], "link.loss"),
        (&["--down", "0Mbit/s"], "it must be above zero"),
        (&["--jitter", "10ms"], "link.jitter: 10ms"),
        (&["--link", "5g"], "no link is called `5g`; there are lan"),
        (&["--queue", "1s"], "link.queue: nothing waits"),
        (&["--delay", "1ms", "-c", "9M"], "clients: 9000000 are too many"),
    ] {
        let (status, _, errors) = outcome(folder.path(), &[&["run", "-t", "sse"], args].concat());
        assert!(status == 2 && errors.contains(part), "{args:?}: {status}, {errors}");
    }
    assert!(!folder.path().join("results").exists());
}
