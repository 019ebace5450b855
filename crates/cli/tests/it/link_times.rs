//! Times over a link, as its delay and the protocols have them: round trips until a client is ready, the
//! way down of each message, the message that misses a long poll. A bound from below is what no machine
//! can undercut. One from above leaves a busy machine less than the next round trip, and what it may still
//! spoil is tried again.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pushbench_metrics::judge::breakdown::Part;
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_metrics::record::RunRecord;

use crate::common::{numbers, outcome};

/// The delay each way.
const DELAY: &str = "50ms";
const DELAY_US: f64 = 50e3;

/// How often what a busy machine may have spoilt is tried.
const ATTEMPTS: u32 = 4;

/// One of them is held by a run, so that few of them wait for another's processor.
static LANES: [Mutex<()>; 2] = [Mutex::new(()), Mutex::new(())];

/// A lane that is free, or the first that will be so.
fn lane() -> MutexGuard<'static, ()> {
    let free = LANES.iter().find_map(|lane| lane.try_lock().ok());
    free.unwrap_or_else(|| LANES[0].lock().unwrap_or_else(PoisonError::into_inner))
}

/// A run over a link, whose results are in `folder`; `false` where there can be none here.
fn runs(folder: &Path, args: &[&str]) -> bool {
    let common = ["-w", "500ms", "--runs", "1", "--allow-busy", "--no-progress"];
    let _lane = lane();
    let (status, _, errors) = outcome(folder, &[&["run"], args, &common].concat());
    if status == 2 && errors.contains("namespace") {
        eprintln!("skipped: {errors}");
        return false;
    }
    assert_eq!(status, 0, "{errors}");
    true
}

/// Its record.
fn record(folder: &Path) -> RunRecord {
    let record = fs::read(folder.join("results/latest/run.json")).unwrap();
    serde_json::from_slice(&record).unwrap()
}

/// Whether each of `figures` takes less than a round trip more than so many delays of one way, than which
/// none is less.
fn takes(figures: &[f64], delays: f64) -> bool {
    let (least, most) = (delays * DELAY_US, (delays + 2.0) * DELAY_US);
    assert!(!figures.is_empty() && figures.iter().all(|us| *us >= least), "{delays}: {figures:?}");
    figures.iter().all(|us| *us < most)
}

/// Whether all is well in one of several attempts, each of which tells what it saw.
fn once(attempt: impl Fn(&Path) -> Option<(bool, String)>) {
    let mut told = Vec::new();
    for _ in 0..ATTEMPTS {
        let folder = tempfile::tempdir().unwrap();
        match attempt(folder.path()) {
            None | Some((true, _)) => return,
            Some((false, figures)) => told.push(figures),
        }
    }
    panic!("{told:?}");
}

#[test]
fn a_stream_delivers_after_the_delay_alone() {
    once(|folder| {
        let args = ["-c", "2", "-R", "10/s", "-d", "2s", "-t", "websocket", "-t", "sse"];
        if !runs(folder, &[&args[..], &["--delay", "0ms,50ms"]].concat()) {
            return None;
        }
        let medians = numbers(folder, "latency_p50_us");
        assert_eq!(numbers(folder, "delay_ms"), [0.0, 0.0, 50.0, 50.0]);
        let (near, far) = medians.split_at(2);
        assert!(far.iter().all(|us| *us >= DELAY_US), "{medians:?}");
        let added = near.iter().zip(far).map(|(near, far)| far - near);
        let fits = added.clone().all(|us| (us - DELAY_US).abs() < 5e3);
        Some((fits, format!("{medians:?}")))
    });
}

#[test]
fn a_round_trip_opens_tcp_one_asks_and_tls_takes_its_own() {
    for (security, versions, delays) in
        [("", "1.3", 4.0), ("+tls", "1.3", 6.0), ("+tls", "1.2", 8.0)]
    {
        let transports = ["websocket", "sse", "short-poll"].map(|name| format!("{name}{security}"));
        let mut args = vec!["-c", "1", "-R", "10/s", "-d", "500ms", "--delay", DELAY];
        args.extend(["--poll-interval", "500ms"]);
        args.extend(transports.iter().flat_map(|name| ["-t", name]));
        if !security.is_empty() {
            args.extend(["--tls-versions", versions]);
        }
        once(|folder| {
            if !runs(folder, &args) {
                return None;
            }
            let [tcp, ready] = ["connect_p50_us", "ready_p50_us"].map(|name| numbers(folder, name));
            let told = format!("{security} {versions}: {tcp:?}, {ready:?}");
            Some((takes(&tcp, 2.0) && takes(&ready, delays), told))
        });
    }
}

/// A poll on a connection of its own takes a round trip for TCP, one for the answer, and those of TLS:
/// more than a short period, of which every second tick then finds it outstanding, and less than a
/// longer one.
#[test]
fn a_session_that_is_resumed_saves_a_round_trip_of_tls_1_2() {
    for (versions, resumption, interval, each) in [
        ("1.3", "true", "290ms", 2.0),
        ("1.3", "true", "370ms", 1.0),
        ("1.2", "true", "290ms", 2.0),
        ("1.2", "true", "370ms", 1.0),
        ("1.2", "false", "370ms", 2.0),
    ] {
        once(|folder| {
            let args = [
                ["-t", "short-poll-close+tls"],
                ["-c", "2"],
                ["-R", "10/s"],
                ["-d", "4s"],
                ["--delay", DELAY],
                ["--poll-interval", interval],
                ["--tls-versions", versions],
                ["--tls-resumption", resumption],
            ];
            if !runs(folder, &args.concat()) {
                return None;
            }
            let period_ms: f64 = interval.trim_end_matches("ms").parse().unwrap();
            let expected = 2.0 * 4e3 / (period_ms * each);
            let requests = numbers(folder, "requests")[0];
            let told = format!("{versions}, {resumption}, {interval}: {requests}, not {expected}");
            // A round trip of TCP, and one of TLS.
            let is_secured =
                resumption == "false" || takes(&numbers(folder, "resumed_p50_us"), 4.0);
            Some((is_secured && (requests / expected - 1.0).abs() < 0.3, told))
        });
    }
}

/// RFC 6202 §2.2: a message ε behind another waits until the answer with that is down, and the next
/// request up.
#[test]
fn a_long_poll_delivers_the_second_of_two_after_three_ways() {
    let mut trace = "offset_ms,payload\n".to_owned();
    for pair in 0..20 {
        let first = pair * 500;
        writeln!(trace, "{first},first\n{},second", first + 5).unwrap();
    }
    once(|folder| {
        fs::write(folder.join("pairs.csv"), &trace).unwrap();
        let args = ["-t", "long-poll", "-c", "3", "-d", "4s", "--schedule", "replay"];
        if !runs(folder, &[&args[..], &["--trace", "pairs.csv", "--delay", DELAY]].concat()) {
            return None;
        }
        let trial = &record(folder).trials[0];
        // Of two modes as many samples are in each, so these are the medians of both.
        let latency = &trial.measured.latency;
        let [first, second] = [0.25, 0.75].map(|share| latency.percentile_us(share).unwrap());
        assert!(first >= DELAY_US, "{first}");
        // A publisher that was late with the second has it wait less.
        let after = second - (3.0 * DELAY_US - 5e3);
        let expected = trial.check.mean_us().unwrap();
        let mean = latency.mean_us().unwrap();
        let fits = first < DELAY_US + 5e3 && after.abs() < 5e3 && (mean - expected).abs() < 5e3;
        Some((fits, format!("{first}, {second}; mean {mean}, expected {expected}")))
    });
}

/// The time between the two kernels is the network's: the way down, and of a poll that a message waits for
/// the way up before it. None of it is the server's.
#[test]
fn the_networks_part_is_the_delay_of_the_ways_that_a_message_waits_for() {
    once(|folder| {
        let args =
            ["-t", "websocket", "-t", "long-poll", "-t", "short-poll", "-t", "short-poll+tls"];
        let feed = ["-c", "3", "-R", "4/s", "-d", "2s", "--poll-interval", "500ms"];
        if !runs(folder, &[&args[..], &feed, &["--delay", DELAY]].concat()) {
            return None;
        }
        let (mut fits, mut told) = (true, String::new());
        for trial in record(folder).trials {
            let breakdown = trial.breakdown.unwrap();
            let [network, server] =
                [Part::Network, Part::Server].map(|part| &breakdown.part(part).histogram);
            let of = |histogram: &LatencyHistogram, share| histogram.percentile_us(share).unwrap();
            // A histogram has three digits.
            let least = of(network, 0.0) * 1.001;
            assert!(least >= DELAY_US, "{}: {least}", trial.id.contender);
            assert_eq!(breakdown.coverage.impossible, 0);
            let ways = if trial.id.contender.shape().asks() { 2.0 } else { 1.0 };
            let [network, server] = [network, server].map(|histogram| of(histogram, 0.5));
            write!(told, "{}: {network}, {server}; ", trial.id.contender).unwrap();
            fits &= (network / (ways * DELAY_US) - 1.0).abs() < 0.25 && server < DELAY_US / 4.0;
        }
        Some((fits, told))
    });
}

/// The mean latency of polls and streams is what their model says, though none of it is fitted.
#[test]
fn means_are_those_of_the_models() {
    for schedule in ["constant", "poisson"] {
        once(|folder| {
            let args = ["-t", "long-poll", "-t", "short-poll-close", "-t", "sse", "-c", "12"];
            let feed = ["-R", "20/s", "--schedule", schedule, "--poll-interval", "150ms"];
            let rest = ["-d", "4s", "--delay", DELAY];
            if !runs(folder, &[&args[..], &feed, &rest].concat()) {
                return None;
            }
            let figures = record(folder).trials.into_iter().map(|trial| {
                let [mean, age] = [trial.measured.latency.mean_us(), trial.measured.age.mean_us()];
                [mean, trial.check.mean_us(), age, trial.check.age_mean_us].map(Option::unwrap)
            });
            let figures: Vec<[f64; 4]> = figures.collect();
            // A round trip more or less is a third at least; a busy machine, on which two messages come to
            // go with one answer, is half of that.
            let close = |one: f64, other: f64| (one / other - 1.0).abs() < 0.25;
            let fits = |row: &[f64; 4]| close(row[0], row[1]) && close(row[2], row[3]);
            Some((figures.len() == 3 && figures.iter().all(fits), format!("{figures:?}")))
        });
    }
}
