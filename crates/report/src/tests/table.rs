use pushbench_core::Contender;
use pushbench_core::scenario::Scenario;
use pushbench_metrics::judge::thresholds::{ThresholdStatus, judge};
use pushbench_metrics::record::RunRecord;
use pushbench_metrics::record::warning::{Invalid, Lag, Warning};

use crate::{charts, failures, fixture, html, markdown, terminal_table};

/// Of trials that are left out nothing is a median.
#[test]
fn the_footer_counts_the_trials_that_were_used() {
    let footer = |valid: u32| {
        let mut record = fixture::six();
        for trial in record.trials.iter_mut().filter(|trial| trial.id.contender == Contender::SSE) {
            if trial.id.round > valid {
                trial.invalid.push(Invalid::AuditUnbalanced);
            }
        }
        let table = terminal_table(&record, crate::Screen::NONE);
        table.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(footer(6).contains("Medians of 6 trials; [low–high] is a 95 % interval."));
    assert!(footer(0).contains("Medians of 6 trials; [low–high] is a 95 % interval."));
    assert!(footer(4).contains("Medians of 4 to 6 trials; [low–high] is a 95 % interval, and"));
}

/// The clients' kernel does not see what the server sends again, so only a capture may claim it.
#[test]
fn what_was_sent_again_is_claimed_as_far_as_it_was_seen() {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let all = |record: &RunRecord| {
        let captions = charts::charts(record).into_iter().map(|chart| chart.caption.into_owned());
        let page = html::page(record).unwrap();
        let texts = [terminal_table(record, crate::Screen::NONE), markdown(record), page]
            .into_iter()
            .chain(captions);
        texts.map(|text| plain(&text)).collect::<Vec<String>>().join("\n")
    };
    let missing = "What the server sent again is not in it";
    for of in [fixture::quick, fixture::payloads] {
        let kernel = all(&of());
        assert!(
            kernel.contains("TCP and IP, with ACKs and what the clients sent again."),
            "{kernel}"
        );
        assert!(kernel.contains(missing) && !kernel.contains("and what was sent again"));
        let captured = all(&fixture::captured(of()));
        assert!(captured.contains("TCP and IP, with ACKs and what was sent again."), "{captured}");
        assert!(!captured.contains(missing) && !captured.contains("clients sent again"));
        let socket = all(&fixture::without_tcpip(of()));
        assert!(!socket.contains(missing), "nothing of TCP is in it at all");
        assert!(socket.contains("payload + framing and HTTP; TCP and IP not counted."), "{socket}");
    }
}

/// Standard error has each, also where nobody asked to see the table.
#[test]
fn a_run_that_cannot_be_used_names_each_trial_and_threshold_in_a_line() {
    let mut record = fixture::quick();
    assert_eq!(
        failures(&record),
        [
            "invalid: quick: long-poll, round 3 of 3 (trial 10): the machine stalled for up to 240.0 ms; use \
          a machine with processors of its own, and see `pushbench doctor`"
        ]
    );
    // A server that dies is only out of reach in the repeat.
    let mut died = record.clone();
    let first = fixture::trial_mut(&mut died, Contender::LONG_POLL, 3);
    let mut repeat = first.clone();
    first.invalid = vec![Invalid::ServerDied { error: "it broke in two".to_owned() }];
    repeat.attempt = 2;
    died.trials.push(repeat);
    let lines = failures(&died);
    assert!(lines[0].contains("also when it was repeated"), "{lines:?}");
    assert!(lines[0].contains("its first attempt was invalid for another reason:"), "{lines:?}");
    assert!(lines[0].contains("it broke in two"), "{lines:?}");
    // The table says the same of it.
    let table =
        terminal_table(&died, crate::Screen::NONE).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(table.contains("(1 of 3 trials, also when it was repeated, left out)"), "{table}");
    let trial = fixture::trial_mut(&mut record, Contender::LONG_POLL, 3);
    trial.invalid = vec![Invalid::LoadDied { error: "it said\nseveral lines".to_owned() }];
    let text = "[thresholds]\n\"*.lost\" = \"< 1\"\n\"sse.payload_bytes_per_msg\" = \"< 10B\"";
    record.scenario.thresholds = Scenario::parse(text).unwrap().thresholds;
    let lines = failures(&record);
    assert!(lines[0].contains("it said several lines;"), "{lines:?}");
    assert_eq!(lines[1..], ["threshold broken: quick: sse.payload_bytes_per_msg < 10B: 64 B"]);
    // As the run judged them, if it did.
    record.thresholds = judge(&record);
    record.scenario.thresholds = Default::default();
    assert_eq!(failures(&record).len(), 2);
    record.thresholds.last_mut().unwrap().status = ThresholdStatus::NotJudged;
    assert!(failures(&record)[1].starts_with("threshold not judged: quick: sse.payload"));
    let sweep = fixture::sweep();
    let mut record = sweep.clone();
    record.trials.iter_mut().for_each(|trial| trial.invalid.push(Invalid::FeedChanged));
    let lines = failures(&record);
    assert!(lines.len() == sweep.trials.len() && lines[0].contains(" with 5 clients, round 1"));
}

#[test]
fn rows_are_marked_and_the_marks_explained() {
    let table = terminal_table(&fixture::quick(), crate::Screen::NONE);
    let parts = [
        "short-poll *",
        "long-poll !",
        "* short-poll: the publisher was 1.5 ms late or more in one of a hundred cases (2 of 3 trials) — ",
        "! long-poll: the machine stalled for up to 240.0 ms (1 of 3 trials left out) — ",
        "Medians of 2 to 3 trials; [low–high] is their range, as a 95 % interval needs six.",
        "Memory per client is the server's growth divided by clients; with few clients",
        "Lag of the instrument: publisher ",
    ];
    for part in parts {
        assert!(table.contains(part), "{part}\n{table}");
    }
    // A trial whose repeat was valid is no longer a doubt.
    assert!(!table.contains("sse !") && !table.contains("sse:"), "{table}");
    assert!(terminal_table(&fixture::six(), crate::Screen::NONE).contains("is a 95 % interval."));
}

#[test]
fn what_the_machine_did_to_several_transports_is_told_once() {
    let mut record = fixture::quick();
    let lag = |us| Warning::LoadLate(Lag { us, at_p99: true });
    for (us, trial) in (6_000_u32..).zip(&mut record.trials) {
        trial.warnings = vec![lag(us.into())];
        trial.invalid.clear();
    }
    let lost = fixture::trial_mut(&mut record, Contender::SSE, 1);
    lost.warnings = vec![lag(9_000.0), Warning::Lost { messages: 4 }];
    let lost = fixture::trial_mut(&mut record, Contender::WEBSOCKET, 2);
    lost.warnings = vec![Warning::Lost { messages: 5 }];
    let table = terminal_table(&record, crate::Screen::NONE).replace("\n  ", " ");
    let all = "* all transports: the load generator was 9.0 ms late or more in one of a hundred cases, which latencies from the 99th percentile on may hold (11 of 12 trials, the \
               worst with sse) — ";
    assert!(table.contains(all), "{table}");
    assert_eq!(table.matches("load generator was").count(), 1, "{table}");
    // What befell one transport stays its own.
    for own in ["* sse: 4 messages were lost", "* websocket: 5 messages were lost"] {
        assert!(table.contains(own), "{table}");
    }
    for row in ["short-poll *", "long-poll *", "sse *", "websocket *"] {
        assert!(table.contains(row), "{table}");
    }
}

#[test]
fn without_a_valid_trial_nothing_is_explained() {
    let mut record = fixture::quick();
    for trial in &mut record.trials {
        let worst = std::time::Duration::from_secs(1);
        trial.invalid = vec![Invalid::MachineStalled { worst, share: 0.12 }];
    }
    let table = terminal_table(&record, crate::Screen::NONE);
    assert!(table.contains("! all transports: the machine stalled for up to 1000.0 ms, in 12.0 % of the window altogether ("), "{table}");
    assert!(!table.contains("Bytes per message") && !table.contains("Memory"), "{table}");
}

#[test]
fn what_is_not_known_is_a_dash_and_what_is_left_out_is_shown() {
    let mut record = fixture::quick();
    for trial in record.trials.iter_mut().filter(|t| t.id.contender == Contender::WEBSOCKET) {
        trial.invalid.push(Invalid::LoadSaturated { share: 1.0 });
    }
    let table = terminal_table(&record, crate::Screen::NONE);
    let row = table.lines().find(|line| line.starts_with("websocket !")).unwrap();
    assert_eq!(row.matches('–').count(), 9, "{row}");
    assert!(!row.contains('0'), "{row}");
    assert!(table.contains("(3 of 3 trials left out)") && table.contains("– is not measured"));
}

#[test]
fn losses_stand_in_the_table() {
    let mut record = fixture::quick();
    let trial = fixture::trial_mut(&mut record, Contender::WEBSOCKET, 1);
    trial.measured.audit.lost = 3;
    trial.measured.audit.delivered -= 3;
    assert!(terminal_table(&record, crate::Screen::NONE).contains("99.93 % (3 lost)"));
}

#[test]
fn bytes_are_of_the_wire_where_all_of_it_was_counted() {
    let mut record = fixture::quick();
    let table = terminal_table(&record, crate::Screen::NONE);
    assert!(table.contains("170 B (64+106)"), "{table}");
    assert!(table.contains("Bytes per message are those on the wire, at the IP layer"), "{table}");
    fixture::without_tcpip_of(fixture::trial_mut(&mut record, Contender::LONG_POLL, 1));
    let table = terminal_table(&record, crate::Screen::NONE);
    assert!(table.contains("66 B (64+2)") && table.contains("TCP and IP not"), "{table}");
    assert!(table.contains("Bytes per message are those at the socket"), "{table}");
    // What of a trial that is left out was not counted does not matter.
    let mut record = fixture::quick();
    fixture::without_tcpip_of(fixture::trial_mut(&mut record, Contender::LONG_POLL, 3));
    assert!(terminal_table(&record, crate::Screen::NONE).contains("170 B (64+106)"));
}

/// A browser's bytes are counted by the server's kernel, which knows no layers above TCP.
#[test]
fn bytes_of_a_browser_are_told_without_their_layers() {
    let table = terminal_table(&fixture::browsed(100, 52), crate::Screen::NONE);
    assert!(table.contains(" 152 B ") && !table.contains("(64+"), "{table}");
    assert!(table.contains("Bytes per message are those on the wire, at the IP layer"), "{table}");
    assert!(table.contains("what the server sent again. What the browser"), "{table}");
}

#[test]
fn a_message_that_was_sent_again_explains_more_payload_than_it_has() {
    const AGAIN: &str = "Payload beyond a message's size was sent again";
    let again = |mut record: RunRecord| {
        for trial in record.trials.iter_mut().filter(|t| t.id.contender == Contender::SHORT_POLL) {
            trial.measured.counters.messages_in_window /= 10;
            trial.measured.counters.empty_responses = 5;
        }
        terminal_table(&record, crate::Screen::NONE)
    };
    assert!(again(fixture::latest()).contains(AGAIN));
    assert!(!terminal_table(&fixture::latest(), crate::Screen::NONE).contains(AGAIN));
    // Under `every` nothing is sent twice.
    assert!(!again(fixture::quick()).contains(AGAIN));
}

/// The page and report.md have room for it; a terminal keeps its width.
#[test]
fn p95_stands_between_the_median_and_p99_where_there_is_room() {
    let record = fixture::six();
    let report = markdown(&record);
    let header = report.lines().find(|line| line.contains("latency p99")).unwrap();
    let place = |name: &str| header.find(name).unwrap_or_else(|| panic!("{name}: {header}"));
    assert!(place("latency p50") < place("latency p95"), "{header}");
    assert!(place("latency p95") < place("latency p99"), "{header}");
    assert!(!terminal_table(&record, crate::Screen::NONE).contains("p95"));
}
