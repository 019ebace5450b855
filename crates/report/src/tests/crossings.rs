//! Sweeps whose costs are set by hand, so that it is known where they cross.

use std::time::Duration;

use pushbench_core::instant::saturating_nanos;
use pushbench_core::price::Price;
use pushbench_core::scenario::Axis;
use pushbench_core::{Contender, Figure};
use pushbench_metrics::judge::sweep::{Cost, Reading, further, sweeps};
use pushbench_metrics::record::{CpuTime, RunRecord};

use super::columns;
use crate::charts::charts;
use crate::{crossings, fixture, markdown, sentence};

const CPU: Reading = Reading::PerClientSecond(Cost::ServerCpu);

/// A sweep over rates whose server takes as many µs for each client in each second as `cost` says,
/// by contender and rate, some rounds more for both and each trial 2 % more or less.
fn rates(toml: &str, cost: impl Fn(Contender, f64) -> f64) -> RunRecord {
    let base = "clients = 10\nduration = \"2s\"\nruns = 6\nrate = [\"0.5/s\", \"1/s\", \"2/s\", \"4/s\", \
                \"8/s\", \"16/s\"]\ntransports = [\"short-poll\", \"websocket\"]\n";
    let mut record = fixture::run(&format!("{base}{toml}"));
    let points = record.points.clone();
    for trial in &mut record.trials {
        let rate = points[trial.id.point as usize - 1].rate.hz();
        let drift = 1.0 + 0.1 * f64::from(trial.id.round % 3);
        let order = trial.id.round + trial.id.point + u32::from(trial.id.contender.shape().asks());
        let noise = if order % 2 == 0 { 1.02 } else { 0.98 };
        let each = cost(trial.id.contender, rate) * drift * noise;
        let seconds = trial.window.duration().as_secs_f64() * f64::from(trial.connected);
        let total = Duration::from_secs_f64(each * seconds / 1e6);
        trial.resources.server_cpu = Some(CpuTime { total, ..CpuTime::default() });
    }
    record
}

/// A poll each second costs 40 µs; a push 6 µs and 10 for each message: equal at 3.4 messages/s.
fn crossing() -> RunRecord {
    rates("", |contender, rate| if contender.shape().asks() { 40.0 } else { 6.0 + 10.0 * rate })
}

#[test]
fn a_sweep_says_where_costs_cross_and_how_fresh_both_are_there() {
    let record = crossing();
    let text = sentence(&record);
    let head = text.lines().next().unwrap();
    assert_eq!(head, "Sweep of messages per second, 0.5 to 16, 6 points:");
    let line = text.lines().find(|line| line.contains("server CPU than")).unwrap();
    assert!(line.starts_with("short-poll takes less server CPU than websocket from 3."), "{line}");
    assert!(line.contains(" messages/s on [3.") && line.contains(" old there, and "), "{line}");
    assert!(text.ends_with("What was compared is in crossings.csv, each point in summary.csv."));
    assert!(!text.contains("With 0.5 messages/s"), "a paragraph of a point: {text}");
}

#[test]
fn the_file_has_the_place_and_the_costs_at_it() {
    let file = crossings::csv(&crossing()).unwrap();
    columns::check("crossings.csv", &file);
    let file = String::from_utf8(file).unwrap();
    let mut reader = ::csv::Reader::from_reader(file.as_bytes());
    let headers = reader.headers().unwrap().clone();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    let of = |row: &::csv::StringRecord, column: &str| {
        row[headers.iter().position(|it| it == column).unwrap()].to_owned()
    };
    let row = rows.iter().find(|row| of(row, "figure") == CPU.column()).unwrap();
    let number = |column| of(row, column).parse::<f64>().unwrap();
    assert_eq!((of(row, "axis"), of(row, "unit")), ("rate".to_owned(), "1/s".to_owned()));
    assert_eq!(
        (of(row, "finding"), of(row, "less_above")),
        ("crosses".into(), "short-poll".into())
    );
    assert!((number("at") - 3.4).abs() < 0.15, "{}", number("at"));
    assert!(number("at_lo") < 3.4 && 3.4 < number("at_hi"));
    assert_eq!((number("shown_below"), number("shown_above")), (2.0, 4.0));
    assert!((number("factor_below") - 40.0 / 26.0).abs() < 0.05, "{}", number("factor_below"));
    let [less, more] = ["less_above_value", "more_above_value"].map(number);
    assert!((less / more - 1.0).abs() < 0.05 && (40.0..50.0).contains(&less), "{less} {more}");
    assert_eq!(number("rounds"), 6.0);
}

/// Waits of a contender's 2,000 messages in ms: of polls each second all phases, of which each tenth was
/// overtaken by a newer one; of pushes 1 to 3 ms.
fn waits_ms(contender: Contender) -> Vec<f64> {
    let longest = if contender.shape().asks() { (0.0, 1_000.0) } else { (1.0, 2.0) };
    (1..=2_000).map(|at| longest.0 + longest.1 * f64::from(at) / 2_000.0).collect()
}

/// The wait that 99 of 100 keep to, by counting: 990 ms of polls, 2.98 of pushes; latencies alone, from which
/// the longest are missing, would be 891 ms.
#[test]
fn fresh_p99_of_a_sweep_counts_what_a_newer_message_overtook() {
    let mut record = crossing();
    for trial in &mut record.trials {
        let measured = &mut trial.measured;
        (measured.latency, measured.late) = Default::default();
        measured.fresh = Default::default();
        let overtaken = if trial.id.contender.shape().asks() { 200 } else { 0 };
        let audit = &mut measured.audit;
        (audit.superseded, audit.reordered, audit.lost) = (overtaken, 0, 0);
        for (at, ms) in waits_ms(trial.id.contender).into_iter().enumerate() {
            let is_overtaken = at as u64 >= 2_000 - overtaken;
            let of =
                if is_overtaken { &mut measured.fresh.overtaken } else { &mut measured.latency };
            of.record_ns(saturating_nanos(Duration::from_secs_f64(ms / 1e3)));
        }
    }
    let counted = |contender| {
        let mut waits = waits_ms(contender);
        waits.sort_by(f64::total_cmp);
        waits[2_000 * 99 / 100 - 1] * 1e3
    };
    let (poll, push) = (counted(Contender::SHORT_POLL), counted(Contender::WEBSOCKET));
    assert_eq!((poll.round(), push.round()), (990e3, 2_980.0));
    let near = |text: &str, us: f64| (text.parse::<f64>().unwrap() / us - 1.0).abs() < 0.005;
    let lines = |file: &[u8]| -> Vec<std::collections::HashMap<String, String>> {
        ::csv::Reader::from_reader(file).deserialize().map(Result::unwrap).collect()
    };
    let summary = lines(&crate::csv::summary(&record));
    assert_eq!(summary.len(), 12, "six points of two contenders");
    for line in &summary {
        let us = if line["transport"] == "short-poll" { poll } else { push };
        assert!(near(&line["fresh_p99_us"], us), "{line:?}");
    }
    let crossings = lines(&crossings::csv(&record).unwrap());
    let cpu = crossings.iter().find(|line| line["figure"] == CPU.column()).unwrap();
    assert!(near(&cpu["less_above_fresh_p99_us"], poll), "{cpu:?}");
    assert!(near(&cpu["more_above_fresh_p99_us"], push), "{cpu:?}");
}

/// At 0.36 USD for a vCPU-hour a µs of CPU each second is 730 × 0.36e-6 USD a month: 40 µs are 0.0105 USD,
/// and money crosses where CPU does.
#[test]
fn with_prices_money_crosses_where_what_is_charged_does() {
    let mut record = crossing();
    let toml = "name = 'p'\nas_of = '2026-01'\nsource = 's'\ncpu = '0.36 USD/vCPU-hour'";
    record.price = Some(Price::parse(toml).unwrap());
    let text = sentence(&record);
    let line = text.lines().nth(1).unwrap();
    assert!(line.starts_with("short-poll costs less than websocket from 3."), "{line}");
    assert!(line.contains(" old there, and "), "{line}");
    let file = String::from_utf8(crossings::csv(&record).unwrap()).unwrap();
    let row = file.lines().find(|line| line.contains(",cost_per_client_month,crosses,")).unwrap();
    let fields: Vec<&str> = row.split(',').collect();
    let less: f64 = fields[16].parse().unwrap();
    assert!((0.0105..0.0117).contains(&less), "{less}: {row}");
    record.price = None;
    assert!(!sentence(&record).contains(" costs "), "{text}");
}

#[test]
fn what_a_message_costs_is_compared_where_each_client_gets_each() {
    let of_message = Reading::Of(Figure::ServerCpu);
    let has_it = |record: &RunRecord| {
        sweeps(record)[0].comparisons.iter().any(|it| it.reading == of_message)
    };
    let costs =
        |contender: Contender, rate| if contender.shape().asks() { 40.0 } else { 10.0 * rate };
    assert!(has_it(&rates("", costs)));
    let latest = rates("delivery = \"latest\"", costs);
    assert!(!has_it(&latest));
    let line = sentence(&latest);
    assert!(
        line.contains(", 4 messages to a poll;") || line.contains(", 3.9 messages to a poll;"),
        "{line}"
    );
}

/// Four messages in two seconds of 2.24/s: what a push costs in the long run is not that of two a second.
#[test]
fn a_window_that_holds_a_fraction_of_a_message_less_does_not_make_a_push_cheaper() {
    let record = fixture::run(
        "clients = 10\nduration = \"2s\"\nruns = 3\nrate = [\"1/s\", \"2.24/s\"]\n\
         transports = [\"short-poll\", \"websocket\"]",
    );
    let sweeps = sweeps(&record);
    let level = |reading: Reading| sweeps[0].level(reading, Contender::WEBSOCKET, 2.24).unwrap();
    let bytes = level(Reading::PerClientSecond(Cost::WireBytes));
    let each = level(Reading::Of(Figure::WireBytes));
    assert!((bytes / each - 2.24).abs() < 0.01, "{bytes} {each}");
}

#[test]
fn costs_that_are_equal_cross_nowhere() {
    let record = rates("", |_, _| 40.0);
    let text = sentence(&record);
    assert!(!text.contains("less server CPU"), "{text}");
    let untold = text.lines().find(|line| line.starts_with("No crossing can be told")).unwrap();
    assert!(untold.contains("between short-poll and websocket in server CPU"), "{untold}");
}

#[test]
fn one_that_is_cheaper_all_along_is_told_once() {
    let record =
        rates("", |contender, rate| if contender.shape().asks() { 400.0 } else { 10.0 * rate });
    let line = sentence(&record);
    let line = line.lines().find(|line| line.contains("least server CPU")).unwrap();
    assert!(line.starts_with("At each point websocket takes the least server CPU, 5"), "{line}");
    assert!(line.ends_with(" µs for each client and second."), "{line}");
}

/// Those that do not poll have no reason to differ by the poll interval.
#[test]
fn pushes_are_not_compared_over_the_poll_interval() {
    let record = fixture::run(
        "runs = 3\npoll_interval = [\"100ms\", \"200ms\", \"400ms\"]\n\
         transports = [\"short-poll\", \"sse\", \"websocket\"]",
    );
    let sweeps = sweeps(&record);
    assert_eq!(sweeps.len(), 1);
    assert!(sweeps[0].comparisons.iter().all(|it| it.one == Contender::SHORT_POLL));
}

#[test]
fn each_combination_of_the_other_settings_has_a_sweep_of_its_own() {
    let record = fixture::run("runs = 3\nclients = [2, 4]\nrate = [\"1/s\", \"2/s\", \"4/s\"]");
    let swept: Vec<(Axis, usize)> =
        sweeps(&record).iter().map(|sweep| (sweep.axis, sweep.points.len())).collect();
    let clients = (Axis::Clients, 2);
    assert_eq!(swept, [clients, clients, clients, (Axis::Rate, 3), (Axis::Rate, 3)]);
    // A rate that follows from the clients is no setting of its own.
    let swept: Vec<Axis> = sweeps(&fixture::scale()).iter().map(|sweep| sweep.axis).collect();
    assert_eq!(swept, [Axis::Clients]);
}

#[test]
fn charts_and_reports_show_it() {
    let record = crossing();
    let charts = charts(&record);
    let svg = |name: &str| charts.iter().find(|it| it.name == name).unwrap().svg().unwrap();
    let cpu = svg("sweep-server-cpu");
    assert!(cpu.contains("where two cross, and its 95 % interval"));
    assert!(cpu.contains("\n3.4/s\n") || cpu.contains("\n3.3") || cpu.contains("\n3.4"), "a label");
    assert!(!svg("sweep-latency").contains("where two cross"));
    assert!(markdown(&record).contains("## Crossings\n"));
    let page = crate::html::page(&record).unwrap();
    assert!(
        page.contains("id=\"crossings\"") && page.contains("short-poll below websocket from 3.")
    );
    assert!(!markdown(&fixture::quick()).contains("Crossings"));
}

#[test]
fn a_crossing_that_is_not_known_well_has_its_gap_halved() {
    let record = crossing();
    let wanted = further(&record);
    let wanted: Vec<_> = wanted.iter().map(|it| (it.axis, it.value, it.between)).collect();
    // Six messages in a window of two seconds: 2.83 would be a fraction of one more or less.
    assert_eq!(wanted, [(Axis::Rate, 3.0, (2.0, 4.0))]);
    assert!(further(&rates("", |_, _| 40.0)).is_empty());
}
