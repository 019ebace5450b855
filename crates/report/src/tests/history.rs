//! Many runs: what is marked in which of them.

use pushbench_core::{Contender, Figure};
use pushbench_metrics::judge::compare::{Rules, Verdict};
use pushbench_metrics::judge::history::{Entry, Mark, Noise, Run, Series, history};
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_metrics::record::RunRecord;

use crate::{fixture, history_json, history_markdown, history_table};

/// Six trials of two transports, whose latencies are `level` µs and `apart` more in each round.
fn six(level: u64, apart: u64) -> RunRecord {
    let toml = "clients = 5\nduration = \"1s\"\nruns = 6\ntransports = [\"sse\", \"websocket\"]";
    let mut record = fixture::run(toml);
    for trial in &mut record.trials {
        let mut latency = LatencyHistogram::default();
        let ns = (level + apart * u64::from(trial.id.round)) * 1_000;
        (0..2_000).for_each(|_| latency.record_ns(ns));
        trial.measured.latency = latency;
    }
    record
}

fn over(records: &[RunRecord]) -> Vec<Series> {
    let names = ["one", "two", "three", "four"];
    let runs = names.iter().zip(records).map(|(name, record)| Run { name, record });
    history(&runs.collect::<Vec<_>>(), &[Figure::LatencyP50], Rules::default())
}

fn verdicts(series: &Series, of: fn(&Entry) -> &Mark) -> Vec<Option<Verdict>> {
    let said = series.entries.iter().map(|entry| match of(entry) {
        Mark::Change(_, verdict) => *verdict,
        Mark::Nothing | Mark::Refused(_) => None,
    });
    said.collect()
}

#[test]
fn a_change_is_marked_where_it_came_and_a_slow_drift_since_the_first_run() {
    use Verdict::{Better, NoneShown, Worse};
    let all = over(&[six(1_000, 1), six(1_001, 1), six(2_000, 1), six(1_000, 1)]);
    assert_eq!(all.len(), 2);
    assert_eq!((all[0].contender, all[1].contender), (Contender::SSE, Contender::WEBSOCKET));
    let since_last = verdicts(&all[0], |entry| &entry.since_last);
    assert_eq!(since_last, [None, Some(NoneShown), Some(Worse), Some(Better)]);
    let since_first = verdicts(&all[0], |entry| &entry.since_first);
    assert_eq!(since_first, [None, None, Some(Worse), Some(NoneShown)]);
    // Steps of 1.5 % are below what is worth telling; three of them are not.
    let all = over(&[six(1_000, 1), six(1_015, 1), six(1_030, 1), six(1_045, 1)]);
    let since_last = verdicts(&all[0], |entry| &entry.since_last);
    assert_eq!(since_last, [None, Some(NoneShown), Some(NoneShown), Some(NoneShown)]);
    assert_eq!(verdicts(&all[0], |entry| &entry.since_first)[3], Some(Worse));
}

#[test]
fn each_run_says_how_noisy_it_was_and_what_is_not_compared_why() {
    let mut other = six(1_000, 200);
    other.scenario.duration = "9s".parse().unwrap();
    let records = [six(1_000, 1), other];
    let all = over(&records);
    let noise: Vec<Noise> = all[0].entries.iter().map(|entry| entry.noise).collect();
    assert_eq!(noise, [Noise::Quiet, Noise::Wild]);
    assert!(
        matches!(&all[0].entries[1].since_last, Mark::Refused(why) if why.contains("duration"))
    );
    let runs = ["o\u{1b}ne", "two"].iter().zip(&records).map(|(name, record)| Run { name, record });
    let runs: Vec<Run<'_>> = runs.collect();
    let table = history_table(&all, &runs);
    for part in
        ["latency p50 of sse", "quiet", "wild", "not compared", "Not compared: the runs are of"]
    {
        assert!(table.contains(part), "{part}: {table}");
    }
    assert!(!table.contains('\u{1b}'), "{table}");
    assert!(history_markdown(&all, &runs).contains("| two |"));
    let json: serde_json::Value =
        serde_json::from_str(&history_json(&all, &runs).unwrap()).unwrap();
    assert_eq!(json["figures"].as_array().unwrap().len(), 4);
    assert!(json["notes"][0].as_str().unwrap().contains("duration"));
}
