use pushbench_core::scenario::Scenario;
use pushbench_core::{Contender, Seq};
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_metrics::observe::measured::Measured;
use pushbench_metrics::record::warning::{Invalid, Warning};
use pushbench_metrics::record::{RunRecord, TrialRecord};

use crate::{fixture, sentence};

/// A run whose trials of each transport have the given median latencies, in µs.
fn with_medians(medians: &[(Contender, &[u64])]) -> RunRecord {
    let names: Vec<String> = medians.iter().map(|(t, _)| format!("\"{t}\"")).collect();
    let runs = medians[0].1.len();
    let toml = format!(
        "clients = 5\nduration = \"1s\"\nruns = {runs}\ntransports = [{}]",
        names.join(", ")
    );
    let mut record = fixture::run(&toml);
    for trial in &mut record.trials {
        let (_, medians) = medians.iter().find(|(t, _)| *t == trial.id.contender).unwrap();
        let mut latency = LatencyHistogram::default();
        (0..50).for_each(|_| latency.record_ns(medians[trial.id.round as usize - 1] * 1_000));
        trial.measured.latency = latency;
    }
    record
}

fn invalidate(record: &mut RunRecord, contender: Contender) {
    for trial in record.trials.iter_mut().filter(|trial| trial.id.contender == contender) {
        trial.invalid.push(Invalid::AuditUnbalanced);
    }
}

/// What a proxy refuses is no window that is too short.
#[test]
fn a_point_at_which_nobody_was_let_in_says_so() {
    let mut record = fixture::quick();
    for trial in &mut record.trials {
        (trial.connected, trial.window.last) = (0, Seq(trial.window.first.0 - 1));
    }
    assert!(sentence(&record).starts_with("No client was let in"), "{}", sentence(&record));
}

#[test]
fn a_transport_that_let_nobody_in_is_no_silent_gap() {
    let mut record = fixture::quick();
    let sse = |trial: &&mut TrialRecord| trial.id.contender == Contender::SSE;
    for trial in record.trials.iter_mut().filter(sse) {
        (trial.connected, trial.window.last) = (0, Seq(trial.window.first.0 - 1));
        (trial.measured.latency, trial.measured.late) = Default::default();
    }
    let said = sentence(&record);
    assert!(said.contains(" sse let no client in; the notes say why."), "{said}");
    assert!(!sentence(&fixture::quick()).contains("let no client in"));
}

#[test]
fn a_clear_difference_is_told_with_its_factor() {
    let record = with_medians(&[
        (Contender::SHORT_POLL, &[499_000, 500_000, 501_000]),
        (Contender::WEBSOCKET, &[390, 400, 410]),
    ]);
    assert_eq!(
        sentence(&record),
        "websocket delivered in 0.40 ms at the median with 170 bytes per message on the wire; \
         short-poll took 500 ms and 113 bytes (1,250 times as long, 33 % fewer bytes). \
         Each difference in time held in all 3 rounds, which is no proof: an interval needs six. \
         A response to short-poll brought 10 messages on average, which share its headers."
    );
}

/// Both drift by more than they differ: only the rounds tell them apart.
#[test]
fn rounds_show_what_ranges_hide_and_six_are_proof() {
    let drift = |offset: u64| (1..=6).map(|n| n * 1_000 + offset).collect::<Vec<u64>>();
    let record = with_medians(&[(Contender::SSE, &drift(400)), (Contender::WEBSOCKET, &drift(0))]);
    let text = sentence(&record);
    assert!(text.contains("; sse took 3.9 ms") && !text.contains("no proof"), "{text}");
    let mut other = drift(400);
    other[3] = 3_900;
    let record = with_medians(&[(Contender::SSE, &other), (Contender::WEBSOCKET, &drift(0))]);
    let text = sentence(&record);
    assert!(!text.contains("sse took"), "{text}");
}

#[test]
fn overlapping_ranges_are_no_difference() {
    let record = with_medians(&[
        (Contender::LONG_POLL, &[900, 1_000, 1_100]),
        (Contender::SSE, &[300, 450, 600]),
        (Contender::WEBSOCKET, &[390, 400, 410]),
    ]);
    let sentence = sentence(&record);
    assert!(
        sentence.starts_with(
            "websocket and sse delivered in 0.40 ms and 0.45 ms at the median, with no \
             difference that these 3 trials can show, with 170 bytes and 192 bytes per message on the wire (sse 1.1 times the \
             bytes of websocket); long-poll took 1.0 ms"
        ),
        "{sentence}"
    );
    assert!(
        sentence.contains("(2.5 times as long as websocket, 3.1 times its bytes)"),
        "{sentence}"
    );
}

#[test]
fn neighbours_that_cannot_be_told_apart_are_told_together() {
    let record = with_medians(&[
        (Contender::SHORT_POLL, &[499_000, 500_000, 501_000]),
        (Contender::SHORT_POLL_CLOSE, &[498_000, 500_500, 502_000]),
        (Contender::WEBSOCKET, &[390, 400, 410]),
    ]);
    let sentence = sentence(&record);
    assert!(sentence.contains("; short-poll and short-poll-close took 500 ms"), "{sentence}");
}

#[test]
fn a_difference_too_small_to_matter_is_none() {
    let record = with_medians(&[
        (Contender::SSE, &[1_020, 1_021, 1_022]),
        (Contender::WEBSOCKET, &[1_000, 1_001, 1_002]),
    ]);
    assert!(sentence(&record).contains("about equally fast, in 1.0 ms at the median"));
}

#[test]
fn one_trial_supports_only_large_factors() {
    let record = with_medians(&[(Contender::SSE, &[600]), (Contender::WEBSOCKET, &[400])]);
    let near = sentence(&record);
    assert_eq!(
        near,
        "websocket and sse delivered in 0.40 ms and 0.60 ms at the median, with 174 bytes and 196 \
         bytes per message on the wire (sse 1.1 times the bytes of websocket). That is one trial \
         each: differences in time below a factor of two are not claimed."
    );
    let record =
        with_medians(&[(Contender::SHORT_POLL, &[500_000]), (Contender::WEBSOCKET, &[400])]);
    assert!(sentence(&record).contains("1,250 times as long"));
}

#[test]
fn superseded_messages_make_it_a_matter_of_age() {
    let sentence = sentence(&fixture::latest());
    assert!(
        sentence.starts_with("What clients held was about 51 ms old on average with "),
        "{sentence}"
    );
    // Who skips nine of ten messages has their bytes divided by the tenth that arrived.
    assert!(
        sentence.contains("with short-poll it was 551 ms (11 times as old as with ")
            && sentence.contains("), at 528 bytes for each message that arrived (10.0 % of them)"),
        "{sentence}"
    );
    assert!(!sentence.contains("median") && !sentence.contains("times the bytes"), "{sentence}");
    assert!(!sentence.contains("its bytes") && !sentence.contains("fewer bytes"), "{sentence}");
}

#[test]
fn superseded_messages_without_a_common_clock_have_no_ratio() {
    let mut record = fixture::latest();
    for trial in &mut record.trials {
        let measured = &trial.measured;
        let (ledger, counters, audit) =
            (measured.ledger.clone(), measured.counters, measured.audit);
        trial.measured = Measured { ledger, counters, audit, ..Measured::default() };
    }
    let sentence = sentence(&record);
    let part = "short-poll moved 528 bytes for each message that arrived (10.0 % of them)";
    assert!(sentence.contains(part) && !sentence.contains("times"), "{sentence}");
}

#[test]
fn sameness_is_claimed_only_of_middles_near_each_other() {
    let near = with_medians(&[
        (Contender::SSE, &[1_000, 1_080, 1_100]),
        (Contender::WEBSOCKET, &[1_010, 1_000, 1_090]),
    ]);
    let near = sentence(&near);
    assert!(near.contains("delivered about equally fast, in 1.0 ms and 1.1 ms"), "{near}");
    let far = with_medians(&[
        (Contender::LONG_POLL, &[4_000, 6_600, 9_000]),
        (Contender::SSE, &[8_000, 8_500, 9_000]),
        (Contender::WEBSOCKET, &[4_500, 5_200, 7_000]),
    ]);
    let far = sentence(&far);
    assert!(
        far.starts_with(
            "websocket and long-poll delivered in 5.2 ms and 6.6 ms at the median, with no \
             difference that these 3 trials can show, with 170 bytes and 528 bytes per message on the wire (long-poll \
             3.1 times the bytes of websocket); sse took 8.5 ms and 192 bytes (1.6 times as long \
             as websocket, 1.1 times its bytes)."
        ),
        "{far}"
    );
    assert!(!far.contains("equally") && !far.contains("same"), "{far}");
}

#[test]
fn a_window_without_messages_is_told_as_such() {
    let mut record = with_medians(&[(Contender::SSE, &[400]), (Contender::WEBSOCKET, &[400])]);
    for trial in &mut record.trials {
        trial.window.first = Seq(1);
        trial.window.last = Seq::NONE;
        trial.measured = Measured::default();
    }
    assert_eq!(
        sentence(&record),
        "No message was due in the window of any trial; lengthen it with --duration."
    );
}

#[test]
fn what_is_invalid_is_named_as_left_out() {
    let mut record = with_medians(&[
        (Contender::SHORT_POLL, &[499_000, 500_000, 501_000]),
        (Contender::SSE, &[390, 400, 410]),
        (Contender::WEBSOCKET, &[390, 400, 410]),
    ]);
    invalidate(&mut record, Contender::SSE);
    let some = sentence(&record);
    assert!(some.starts_with("websocket delivered in 0.40 ms"), "{some}");
    let left_out = " sse is left out: no trial was valid (the delivery audit does not balance).";
    assert!(some.ends_with(left_out), "{some}");
    invalidate(&mut record, Contender::SHORT_POLL);
    invalidate(&mut record, Contender::WEBSOCKET);
    let none = sentence(&record);
    assert_eq!(
        none,
        "No trial was valid, so there is nothing to compare: the delivery audit does not balance."
    );
}

#[test]
fn one_transport_is_told_alone() {
    let record = with_medians(&[(Contender::WEBSOCKET, &[390, 400, 410])]);
    let alone = sentence(&record);
    assert_eq!(
        alone,
        "websocket delivered in 0.40 ms at the median with 170 bytes per message on the wire."
    );
    let socket = sentence(&fixture::without_tcpip(record));
    assert_eq!(socket, "websocket delivered in 0.40 ms at the median with 66 bytes per message.");
}

#[test]
fn without_a_common_clock_bytes_are_compared() {
    let mut record = with_medians(&[
        (Contender::LONG_POLL, &[900, 1_000, 1_100]),
        (Contender::WEBSOCKET, &[390, 400, 410]),
    ]);
    for trial in &mut record.trials {
        let (ledger, counters) = (trial.measured.ledger.clone(), trial.measured.counters);
        trial.measured = Measured { ledger, counters, ..Measured::default() };
    }
    assert_eq!(
        sentence(&record),
        "websocket moved 170 bytes per message on the wire; long-poll 528 bytes (3.1 times the \
         bytes). Latency was not measured."
    );
    assert_eq!(
        sentence(&fixture::without_tcpip(record)),
        "websocket moved 66 bytes per message; long-poll 372 bytes (5.6 times the bytes). Latency \
         was not measured."
    );
}

#[test]
fn polls_in_vain_and_losses_are_told() {
    let mut record =
        fixture::run("clients = 5\nrate = \"1/s\"\npoll_interval = \"250ms\"\nruns = 3");
    let trial = fixture::trial_mut(&mut record, Contender::SSE, 1);
    trial.measured.audit.lost = 2;
    trial.measured.audit.delivered -= 2;
    let sentence = sentence(&record);
    assert!(sentence.contains(" sse lost 2 of 150 messages."), "{sentence}");
    assert!(
        sentence.contains(" 75 % of the responses to short-poll brought nothing new."),
        "{sentence}"
    );
}

/// Has messages still be under way at the end of each trial of `contender`, 50 ms and more after
/// they were due.
fn leave_under_way(record: &mut RunRecord, contender: Contender, messages: u64) {
    for trial in record.trials.iter_mut().filter(|trial| trial.id.contender == contender) {
        trial.measured.late.record_many_ns(50_000_000, messages);
        trial.measured.audit.late = messages;
    }
}

#[test]
fn what_late_messages_could_move_is_told_as_a_bound() {
    let medians: [(Contender, &[u64]); 2] =
        [(Contender::SSE, &[600, 610, 620]), (Contender::WEBSOCKET, &[390, 400, 410])];
    let mut record = with_medians(&medians);
    leave_under_way(&mut record, Contender::SSE, 10);
    let few = sentence(&record);
    assert!(few.contains("sse took 0.61 ms"), "{few}");
    assert!(few.contains(" Of 150 messages 30 were still under way to sse at the end."), "{few}");

    leave_under_way(&mut record, Contender::SSE, 100);
    let text = sentence(&record);
    assert!(text.starts_with("websocket delivered in 0.40 ms"), "{text}");
    assert!(text.contains(" sse took more than 50 ms at the median."), "{text}");
    let text = "[thresholds]\n\"sse.latency.p50\" = \"< 60ms\"";
    record.scenario.thresholds = Scenario::parse(text).unwrap().thresholds;
    let lines = crate::threshold_lines(&record);
    assert_eq!(lines, ["✗ sse.latency.p50 < 60ms: more than 50.0 ms"]);
    let table = crate::terminal_table(&record, crate::Screen::NONE);
    assert!(table.contains("> 50.0 ms") && table.contains("300 late"), "{table}");

    let mut record = with_medians(&medians[1..]);
    leave_under_way(&mut record, Contender::WEBSOCKET, 100);
    let alone = sentence(&record);
    assert!(alone.starts_with("websocket took more than 50 ms at the median."), "{alone}");
}

#[test]
fn trials_that_know_their_median_do_not_speak_for_one_that_does_not() {
    let mut record = with_medians(&[
        (Contender::SSE, &[600, 610, 620]),
        (Contender::WEBSOCKET, &[390, 400, 410]),
    ]);
    let trial = fixture::trial_mut(&mut record, Contender::SSE, 2);
    trial.measured.late.record_many_ns(50_000_000, 100);
    trial.measured.audit.late = 100;
    // Of 0.6 ms, more than 50 ms and 0.62 ms the median is known, and the range is not.
    let text = sentence(&record);
    assert!(text.contains("on the wire. sse took 0.62 ms at the median."), "{text}");
    let table = crate::terminal_table(&record, crate::Screen::NONE);
    assert!(table.contains(" 620 µs ") && !table.contains("[600–620]"), "{table}");
}

#[test]
fn broken_protocols_are_told_with_the_first_breach() {
    let mut record = with_medians(&[(Contender::WEBSOCKET, &[390, 400, 410])]);
    let trial = fixture::trial_mut(&mut record, Contender::WEBSOCKET, 2);
    trial.measured.counters.protocol_errors = 12;
    let first = Some("client 3: a frame is masked".to_owned());
    trial.warnings.push(Warning::ProtocolErrors { count: 12, first });
    let text = sentence(&record);
    let told = " websocket had 12 protocol errors, the first: client 3: a frame is masked.";
    assert!(text.ends_with(told), "{text}");
}
