use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

use crate::{fixture, hlog};

#[test]
fn other_tools_read_what_was_recorded() {
    let record = fixture::quick();
    let logs = hlog::logs(&record).unwrap();
    let names: Vec<&str> = logs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["1-short-poll.hlog", "1-long-poll.hlog", "1-sse.hlog", "1-websocket.hlog"]);

    let (_, log) = &logs[1];
    let mut intervals = Vec::new();
    for entry in IntervalLogIterator::new(log.as_bytes()) {
        match entry.unwrap() {
            LogEntry::StartTime(start) => assert_eq!(start.as_secs(), 1_769_860_800),
            LogEntry::BaseTime(_) => panic!("times are relative to the first window"),
            LogEntry::Interval(interval) => {
                let bytes = STANDARD.decode(interval.encoded_histogram()).unwrap();
                let counts: Histogram<u64> =
                    Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap();
                assert_eq!(interval.duration().as_secs(), 4);
                assert!((interval.max() / (counts.max() as f64 / 1e6) - 1.0).abs() < 1e-3);
                intervals.push((interval.tag().unwrap().as_str().to_owned(), counts));
            }
        }
    }
    let valid = record
        .trials
        .iter()
        .filter(|trial| trial.id.contender.name() == "long-poll" && trial.is_valid());
    let recorded: Vec<_> = valid
        .map(|trial| {
            let counts = trial.measured.latency.hdr().unwrap().clone();
            (format!("trial-{}", trial.id.round), counts)
        })
        .collect();
    assert_eq!(recorded.len(), 2);
    assert_eq!(intervals, recorded);
}

#[test]
fn a_log_says_which_messages_are_missing() {
    let mut record = fixture::quick();
    let trial = fixture::trial_mut(&mut record, pushbench_core::Contender::LONG_POLL, 1);
    trial.measured.audit.late = 7;
    let logs = hlog::logs(&record).unwrap();
    let told = |log: &str| log.lines().any(|line| line.starts_with("#[7 of "));
    assert!(told(&logs[1].1) && !told(&logs[0].1), "{}", logs[1].1);
    assert!(IntervalLogIterator::new(logs[1].1.as_bytes()).all(|entry| entry.is_ok()));
}
