use pushbench_core::scenario::Scenario;
use pushbench_core::{Contender, Figure};
use pushbench_metrics::judge::compare::{CompareError, Comparison, Rules, Verdict, compare};
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_metrics::observe::ledger::{Direction, Layer, Phase, Tally};
use pushbench_metrics::record::RunRecord;
use pushbench_metrics::record::warning::Invalid;
use pushbench_protocol::headers::HeaderProfile;

use crate::{
    Screen, comparison_csv, comparison_json, comparison_markdown, comparison_table, fixture,
};

const NAMES: [&str; 2] = ["one", "two"];

/// Six trials of two transports, whose latencies are `level` µs and a little more in each round.
fn six(level: u64) -> RunRecord {
    with("", level)
}

fn with(settings: &str, level: u64) -> RunRecord {
    let mut record = fixture::run(&format!(
        "clients = 5\nduration = \"1s\"\nruns = 6\ntransports = [\"sse\", \"websocket\"]\n{settings}"
    ));
    for trial in &mut record.trials {
        let mut latency = LatencyHistogram::default();
        let ns = (level + u64::from(trial.id.round)) * 1_000;
        (0..2_000).for_each(|_| latency.record_ns(ns));
        trial.measured.latency = latency;
    }
    record
}

fn compared(before: &RunRecord, after: &RunRecord) -> Comparison {
    compare(before, after, NAMES, Rules::default()).unwrap()
}

fn verdict(comparison: &Comparison, contender: Contender, figure: Figure) -> Option<Verdict> {
    let mut rows = comparison.rows.iter();
    let row = rows.find(|row| row.contender == contender && row.figure == figure);
    row.and_then(|row| row.change.verdict)
}

#[test]
fn a_run_that_became_slower_is_worse_and_another_like_it_is_not() {
    let slower = compared(&six(1_000), &six(2_000));
    for figure in [Figure::LatencyP50, Figure::LatencyP99] {
        assert_eq!(verdict(&slower, Contender::SSE, figure), Some(Verdict::Worse));
    }
    assert_eq!(verdict(&slower, Contender::SSE, Figure::WireBytes), Some(Verdict::NoneShown));
    assert_eq!(verdict(&slower, Contender::SSE, Figure::LatencyMean), None);
    assert_eq!((slower.worse_by(0.9).count(), slower.worse_by(1.1).count()), (4, 0));
    assert_eq!(compared(&six(1_000), &six(1_001)).with(Verdict::Worse).count(), 0);
    let faster = compared(&six(2_000), &six(1_000));
    assert_eq!((faster.with(Verdict::Better).count(), faster.worse_by(0.0).count()), (4, 0));
}

#[test]
fn other_settings_are_refused_by_name_and_other_trials_are_not() {
    let refused = |settings: &str| {
        compare(&six(1_000), &with(settings, 1_000), NAMES, Rules::default())
            .map_err(|e| e.to_string())
    };
    for (settings, parts) in [
        ("warmup = \"3s\"", ["warmup (2s and 3s)", "--ignore-settings"]),
        ("delivery = \"latest\"", ["delivery (every and latest)", "different settings"]),
        ("cookie_bytes = 5", ["cookie_bytes (0 and 5)", "different settings"]),
        ("headers = \"curl\"", ["headers (minimal and curl)", "different settings"]),
        ("rate = \"5/s\"", ["rate (10/s and 5/s)", "different settings"]),
        ("[feed]\nschedule = \"poisson\"", ["feed.schedule (constant and poisson)", "run both"]),
    ] {
        let error = refused(settings).unwrap_err();
        assert!(parts.iter().all(|part| error.contains(part)), "{settings}: {error}");
    }
    for settings in ["name = \"other\"", "seed = 9", "[thresholds]\n\"*.lost\" = \"< 1\""] {
        assert!(refused(settings).is_ok(), "{settings}");
    }
    let mut other = six(1_000);
    other.headers = HeaderProfile::built_in("chromium").unwrap();
    let error = compare(&six(1_000), &other, NAMES, Rules::default()).unwrap_err().to_string();
    assert!(error.contains("the content of headers (minimal and another minimal)"), "{error}");
    let anyway = compare(
        &six(1_000),
        &with("rate = \"5/s\"", 1_000),
        NAMES,
        Rules { any_settings: true, ..Rules::default() },
    )
    .unwrap();
    let noted = anyway.notes.iter().any(|note| note.contains("rate (10/s and 5/s)"));
    assert!(noted && !anyway.rows.is_empty(), "{:?}", anyway.notes);
}

#[test]
fn points_are_matched_by_their_settings_and_what_is_in_one_run_only_is_named() {
    let sweep = |clients: &str| {
        fixture::run(&format!(
            "clients = {clients}\nduration = \"1s\"\nruns = 4\ntransports = [\"sse\"]"
        ))
    };
    let (before, after) = (sweep("[5, 10]"), sweep("[10, 20]"));
    let comparison = compared(&before, &after);
    assert!(comparison.rows.iter().all(|row| row.point.clients == 10), "point 2 and point 1");
    let notes = comparison.notes.join("\n");
    assert!(
        notes.contains("Only in one: clients=5.") && notes.contains("Only in two: clients=20.")
    );
    let apart =
        compare(&sweep("5"), &sweep("20"), NAMES, Rules::default()).unwrap_err().to_string();
    assert!(apart.contains("clients (5 and 20)"), "{apart}");
}

#[test]
fn what_differs_around_the_runs_is_noted() {
    let (before, mut after) = (six(1_000), six(1_000));
    after.environment.kernel = "7.0.0".to_owned();
    after.version = "9.9.9".to_owned();
    after.partial = true;
    let trial = fixture::trial_mut(&mut after, Contender::SSE, 1);
    trial.invalid.push(Invalid::AuditUnbalanced);
    let trial = fixture::trial_mut(&mut after, Contender::WEBSOCKET, 1);
    trial.measured.audit.lost = 2;
    let text = comparison_table(&compared(&before, &after), NAMES, Screen::NONE);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "7.0.0)",
        "and 9.9.9)",
        "two is partial",
        "Invalid trials are left out of sse in two:",
        "Lost: 2 of ",
        "messages of websocket in two.",
    ] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    let same = comparison_table(&compared(&before, &before), NAMES, Screen::NONE);
    assert!(same.contains("Both are the same run"), "{same}");
}

#[test]
fn nothing_valid_or_nothing_in_common_is_refused_and_not_a_table_of_zeros() {
    let (good, mut bad) = (six(1_000), six(1_000));
    bad.trials.iter_mut().for_each(|trial| trial.invalid.push(Invalid::AuditUnbalanced));
    let error = compare(&good, &bad, NAMES, Rules::default()).unwrap_err();
    assert_eq!(error, CompareError::NoTrial("two".to_owned()));
    bad.trials.clear();
    let error = compare(&bad, &good, NAMES, Rules::default()).unwrap_err();
    assert_eq!(error, CompareError::NoTrial("one".to_owned()));
    let mut other = six(1_000);
    other.trials.retain(|trial| trial.id.contender == Contender::SSE);
    let mut without = six(1_000);
    without.trials.retain(|trial| trial.id.contender == Contender::WEBSOCKET);
    let error = compare(&other, &without, NAMES, Rules::default()).unwrap_err();
    assert_eq!(error, CompareError::NothingInCommon);
}

#[test]
fn three_trials_say_that_they_are_too_few_and_how_many_it_takes() {
    let three = |level| {
        let mut record = six(level);
        record.trials.retain(|trial| trial.id.round <= 3);
        record
    };
    let text = comparison_table(&compared(&three(1_000), &three(5_000)), NAMES, Screen::NONE);
    assert!(!text.contains(" worse\n"), "{text}");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("too few trials") && text.contains("p is 0.1 at the least"), "{text}");
    assert!(text.contains("--runs 4 or more") && text.contains("with --runs 6"), "{text}");
    assert!(text.contains("0 worse, 0 better"), "{text}");
}

/// One trial of each run shows what headers grew to, but not where their number is chance's.
#[test]
fn bytes_at_the_socket_are_judged_by_one_trial_unless_timing_makes_batches() {
    let run = |batch: u64, http: u64| {
        let mut record = fixture::run(
            "clients = 5\nduration = \"1s\"\nruns = 1\ntransports = [\"short-poll\", \"long-poll\"]",
        );
        for trial in &mut record.trials {
            let measured = &mut trial.measured;
            let mut more = Tally::default();
            more.add(Direction::Up, Layer::Http, http);
            measured.ledger.add(Phase::Window, &more);
            measured.counters.requests = measured.counters.messages_in_window / batch;
            measured.counters.empty_responses = 0;
        }
        record
    };
    let http =
        |comparison: &Comparison, contender| verdict(comparison, contender, Figure::HttpBytes);
    let grown = compared(&run(1, 0), &run(1, 90_000));
    assert_eq!(http(&grown, Contender::LONG_POLL), Some(Verdict::Worse));
    assert_eq!(http(&grown, Contender::SHORT_POLL), Some(Verdict::Worse));
    let batches = compared(&run(1, 0), &run(2, 90_000));
    assert_eq!(http(&batches, Contender::LONG_POLL), Some(Verdict::TooFew));
    assert_eq!(http(&batches, Contender::SHORT_POLL), Some(Verdict::Worse));
    // As many polls, but of a feed in which other numbers are due.
    let mut denser = run(1, 90_000);
    let trials = denser.trials.iter_mut();
    trials.for_each(|trial| trial.measured.audit.published += 1);
    let seeds = compared(&run(1, 0), &denser);
    assert_eq!(http(&seeds, Contender::SHORT_POLL), Some(Verdict::TooFew));
    assert_eq!(http(&seeds, Contender::LONG_POLL), Some(Verdict::Worse));
    assert_eq!(grown.gate(0.05).unwrap().len(), 2);
    let text = comparison_table(&grown, NAMES, Screen::NONE);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("Of 14 judged figures: 2 worse, 0 better"), "{text}");
    assert!(text.contains("Payload, framing and HTTP bytes have no noise"), "{text}");
}

/// A threshold below what is called a difference otherwise must be one that can be broken.
#[test]
fn a_small_threshold_is_what_a_change_has_to_exceed() {
    let rules = Rules::default().with_threshold(0.01);
    let compared = |rules| compare(&six(100_000), &six(101_500), NAMES, rules).unwrap();
    assert!(compared(Rules::default()).gate(0.01).unwrap().is_empty());
    assert_eq!(compared(rules).gate(0.01).unwrap().len(), 4);
    let text = comparison_table(&compared(rules), NAMES, Screen::NONE);
    assert!(text.contains("above 1 %"), "{text}");
}

#[test]
fn superseded_messages_leave_latency_unjudged() {
    let latest = fixture::latest();
    let comparison = compared(&latest, &latest);
    assert_eq!(verdict(&comparison, Contender::SHORT_POLL, Figure::LatencyP50), None);
    assert!(verdict(&comparison, Contender::SHORT_POLL, Figure::AgeMean).is_some());
}

/// A latency of which only a bound is known has not held.
#[test]
fn a_threshold_does_not_pass_what_late_messages_keep_from_being_known() {
    let late = |level: u64| {
        let mut record = six(level);
        let sse = record.trials.iter_mut().filter(|trial| trial.id.contender == Contender::SSE);
        sse.for_each(|trial| trial.measured.late.record_many_ns(2_000_000, 100));
        record
    };
    assert_eq!(compared(&six(1_000), &six(1_000)).gate(0.05).unwrap().len(), 0);
    for (before, after, of) in
        [(late(1_000), late(1_000), "both"), (six(1_000), late(1_000), "two")]
    {
        let comparison = compared(&before, &after);
        assert_eq!(verdict(&comparison, Contender::SSE, Figure::LatencyP99), None);
        let refused = comparison.gate(0.05).unwrap_err().to_string();
        let part = format!("still under way leave but a bound of sse latency_p99_us ({of});");
        assert!(refused.contains(&part) && !refused.contains("p50"), "{refused}");
        let text = comparison_table(&comparison, NAMES, Screen::NONE);
        assert!(
            text.contains(&format!("at the end of trials: sse latency_p99_us ({of})")),
            "{text}"
        );
    }
    let worse = compared(&late(1_000), &late(1_100));
    assert!(worse.gate(0.05).is_ok_and(|broken| !broken.is_empty()), "the median is known");
}

#[test]
fn every_format_holds_the_same_figures() {
    let comparison = compared(&six(1_000), &six(2_000));
    let csv = comparison_csv(&comparison);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), comparison.rows.len());
    let json: serde_json::Value =
        serde_json::from_str(&comparison_json(&comparison, NAMES, Some(0.9)).unwrap()).unwrap();
    let gate = &json["threshold"];
    assert_eq!((&gate["percent"], &gate["verdict"]), (&90.0.into(), &"broken".into()));
    assert_eq!(gate["broken"].as_array().unwrap().len(), 4, "{gate}");
    let p50 = &json["figures"][1];
    assert_eq!((&p50["figure"], &p50["verdict"]), (&"latency_p50_us".into(), &"worse".into()));
    assert!((p50["change_percent"].as_f64().unwrap() - 99.6).abs() < 1.0, "{p50}");
    assert_eq!(rows[1].get(14), Some("worse"));
    let markdown = comparison_markdown(&comparison, NAMES);
    let pipes: Vec<usize> =
        markdown.lines().filter(|l| l.starts_with('|')).map(|l| l.matches('|').count()).collect();
    assert!(pipes.len() > 10 && pipes.iter().all(|count| *count == pipes[0]), "{markdown}");
}

#[test]
fn only_a_coloured_table_has_escape_sequences_and_they_shift_nothing() {
    let comparison = compared(&six(1_000), &six(2_000));
    let plain = comparison_table(&comparison, NAMES, Screen::NONE);
    let coloured = comparison_table(&comparison, NAMES, Screen::NONE.with_colours(true));
    assert!(!plain.contains('\u{1b}') && coloured.contains("\u{1b}[31mworse\u{1b}[0m"));
    let mut bare = coloured;
    for code in ["\u{1b}[31m", "\u{1b}[32m", "\u{1b}[2m", "\u{1b}[0m"] {
        bare = bare.replace(code, "");
    }
    assert_eq!(bare, plain);
}

#[test]
fn thresholds_are_held_against_each_transport_at_each_point_and_shown() {
    let mut record = six(1_000);
    let text =
        "[thresholds]\n\"*.latency.p50\" = [\"< 1005us\", \"> 1us\"]\n\"sse.lost\" = \"< 1\"";
    record.scenario.thresholds = Scenario::parse(text).unwrap().thresholds;
    let lines = crate::threshold_lines(&record);
    assert_eq!(lines.len(), 5, "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line.starts_with('✓')).count(), 5, "{lines:?}");
    assert!(lines[4].starts_with("✓ sse.lost < 1: 0"), "{lines:?}");
    fixture::trial_mut(&mut record, Contender::SSE, 2).measured.audit.lost = 3;
    let markdown = crate::markdown(&record);
    assert!(markdown.contains("- ✗ `sse.lost < 1`: 3"), "{markdown}");
    let none = RunRecord { trials: record.trials[..0].to_vec(), ..record.clone() };
    assert!(crate::threshold_lines(&none).is_empty());
    record.trials.iter_mut().for_each(|trial| trial.invalid.push(Invalid::AuditUnbalanced));
    let lines = crate::threshold_lines(&record);
    assert!(lines.iter().all(|line| line.starts_with('✗') && line.contains("not measured")));
}
