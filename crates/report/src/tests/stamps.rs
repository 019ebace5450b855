//! Latency that is counted from a stamp is called so wherever it is told.

use pushbench_core::feed::stamp::{LatencyFrom, StampClock, StampOffset};
use pushbench_core::{Contender, Figure};
use pushbench_metrics::judge::compare::{Rules, compare};
use pushbench_metrics::observe::audit::AuditTotals;
use pushbench_metrics::observe::seen::{Senders, StampsSeen, Stillness};
use pushbench_metrics::record::RunRecord;
use pushbench_metrics::record::warning::{Finding, Warning};

use crate::charts::charts;
use crate::{csv, fixture, hlog, markdown, sentence, terminal_table};

/// Six trials of an application whose messages have stamps in whole milliseconds.
fn stamped() -> RunRecord {
    let mut record =
        fixture::run("clients = 5\nduration = \"2s\"\nruns = 6\ntransports = [\"websocket\"]");
    for trial in &mut record.trials {
        trial.latency_from = LatencyFrom::Stamp;
        trial.stamp_offset =
            Some(StampOffset { clock: StampClock::Wall, ahead_ns: 5, bound_ns: 40 });
        let stamps = StampsSeen { stamped: 9, unit_ns: 1_000_000, ..StampsSeen::default() };
        trial.measured.senders = Some(Senders { stamps, ..Senders::default() });
    }
    record
}

#[test]
fn each_output_says_that_latency_is_from_a_stamp() {
    let record = stamped();
    let name = "latency (from stamp)";
    let table = terminal_table(&record, crate::Screen::NONE);
    assert!(table.contains(name) && table.contains("p50 [low–high]"), "{table}");
    assert!(
        table.contains("known to 40 ns beside") && table.contains("in whole ms of the wall clock")
    );
    // No more digits are claimed than stamps in whole ms have.
    assert!(table.contains("419 µs ± 1 ms"), "{table}");
    assert!(sentence(&record).contains(" ± 1 ms of latency (from stamp)"), "{}", sentence(&record));
    let widest = table.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(120), "{table}");
    assert!(sentence(&record).contains(&format!("of {name} at the median")));
    assert!(markdown(&record).contains(name));
    let drawn = charts(&record);
    let latency = drawn.iter().find(|chart| chart.name == "latency").unwrap();
    assert!(latency.svg().unwrap().contains("Latency (from stamp) by percentile"));
    let timeline = drawn.iter().find(|chart| chart.name == "timeline").unwrap();
    assert!(timeline.title().contains(name));
    assert!(hlog::logs(&record).unwrap()[0].1.contains(name));
    let summary = String::from_utf8(csv::summary(&record)).unwrap();
    let mut lines = summary.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let column = lines.next().unwrap().iter().position(|&name| name == "latency_from").unwrap();
    assert_eq!(lines.next().unwrap()[column], "stamp");
    // Where there is a schedule nothing of it is said.
    let plain = terminal_table(&fixture::quick(), crate::Screen::NONE);
    assert!(!plain.contains("stamp)"), "{plain}");
}

#[test]
fn latencies_from_a_stamp_are_not_judged_against_those_from_a_schedule() {
    let mut scheduled = stamped();
    scheduled.trials.iter_mut().for_each(|trial| trial.latency_from = LatencyFrom::Schedule);
    let names = ["one", "two"];
    let judged = |before: &RunRecord, after: &RunRecord| {
        let comparison = compare(before, after, names, Rules::default()).unwrap();
        let rows = comparison.rows.iter();
        let mut rows = rows.filter(|row| row.contender == Contender::WEBSOCKET);
        let row = rows.find(|row| row.figure == Figure::LatencyP50).unwrap();
        let note = comparison.notes.iter().any(|note| note.contains("counted from the schedule"));
        (row.change.verdict.is_some(), row.label(), note)
    };
    let (is_judged, label, is_told) = judged(&scheduled, &stamped());
    assert!(!is_judged && is_told);
    assert_eq!(label, "latency (from stamp) p50");
    let (is_judged, _, is_told) = judged(&stamped(), &stamped());
    assert!(is_judged && !is_told);
}

#[test]
fn findings_of_different_kinds_are_different_notes() {
    let mut record = stamped();
    let still = Stillness {
        longest: std::time::Duration::from_millis(1_400),
        at: std::time::Duration::from_millis(500),
        usual: std::time::Duration::from_millis(100),
        between_arrivals: false,
    };
    for trial in &mut record.trials {
        trial.warnings.push(Warning::Found(Finding::StoodStill(still)));
        let unmatched =
            Finding::Unmatched { count: 3, first: Some("ping".to_owned()), other: None };
        trial.warnings.push(Warning::Found(unmatched));
    }
    let table = terminal_table(&record, crate::Screen::NONE);
    assert!(table.contains("nothing was stamped for 1.4 s"), "{table}");
    assert!(table.contains("3 times, the first: ping"), "{table}");
}

#[test]
fn of_messages_without_a_number_nothing_is_said_of_those_that_did_not_come() {
    let mut record = stamped();
    for trial in &mut record.trials {
        let count = trial.measured.audit.delivered;
        trial.measured.audit = AuditTotals {
            clients: 5,
            expected: count,
            delivered: count,
            unnumbered: count,
            ..AuditTotals::default()
        };
    }
    let summary = csv::summary(&record);
    let mut reader = ::csv::Reader::from_reader(&summary[..]);
    let head = reader.headers().unwrap().clone();
    let line = reader.records().next().unwrap().unwrap();
    let field = |name: &str| &line[head.iter().position(|head| head == name).unwrap()];
    for column in ["published", "lost", "duplicated", "reordered", "superseded", "late"] {
        assert_eq!(field(column), "", "{column}");
    }
    assert_ne!(field("delivered"), "");
    let table = terminal_table(&record, crate::Screen::NONE);
    assert!(!table.contains("100 %"), "{table}");
}
