//! Coordinated omission: a server that stands still is found, on every transport, at its full
//! length, though it sends nothing meanwhile.
//!
//! The test of wrk2's README: the server is stopped for S within a window of W seconds, while
//! messages fall due at a steady rate. Those due during the stop wait for its end, so latency
//! falls from S to nothing over it, the largest is at least S less one period, and a hundredth of
//! the window's messages exceeds S − W / 100. Counted from when each message was *sent* there is
//! nothing to see, which shows that this test can fail.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use crate::common::pushbench;
use crate::common::stopping::{SERVER, Stopped, children, stop};
use pushbench_core::Contender;
use pushbench_metrics::record::warning::Warning;
use pushbench_metrics::record::{RunRecord, TrialRecord};
use pushbench_os::time::clock;

/// The window's length.
const WINDOW: Duration = Duration::from_secs(6);

/// How long the server is stopped, about.
const STOP: Duration = Duration::from_millis(1_400);

/// From the server's start until it is stopped: connecting, half a second of warm-up, and far
/// enough from both ends of the window for a machine that is busy.
const LEAD: Duration = Duration::from_millis(2_500);

/// The period of publishing.
const PERIOD: Duration = Duration::from_millis(10);

/// A machine whose canary wakes later than this cannot be relied on to tell the server's delay to
/// 5 %; nor can one on which others are busy.
const BUSY: Duration = Duration::from_millis(25);

/// Trials of one transport at most, where the machine is busy.
const ATTEMPTS: u32 = 4;

#[test]
fn a_stalled_server_shows_on_every_transport_at_its_full_length() {
    thread::scope(|scope| {
        for contender in Contender::basic() {
            scope.spawn(move || stall(contender));
        }
    });
}

fn stall(contender: Contender) {
    for attempt in 1.. {
        let (trial, stopped) = trial(contender);
        let Err(problem) = check(&trial, stopped) else { return };
        // What failed while the machine was busy may be the machine.
        let late = trial.resources.canary_worst.is_none_or(|worst| worst > BUSY);
        let disturbed = |warning: &Warning| {
            matches!(
                warning,
                Warning::OthersBusy(_) | Warning::ShortStalls { .. } | Warning::TimeStolen { .. }
            )
        };
        let busy = late || trial.warnings.iter().any(disturbed);
        assert!(busy && attempt < ATTEMPTS, "{contender}, attempt {attempt}: {problem}");
    }
}

/// The fault of a trial's figures, where there is one.
fn check(trial: &TrialRecord, stopped: Stopped) -> Result<(), String> {
    let claim = |holds: bool, problem: String| if holds { Ok(()) } else { Err(problem) };
    claim(trial.is_valid(), format!("a stall is a finding: {:?}", trial.invalid))?;
    let window = trial.window;
    claim(
        window.start < stopped.before && stopped.after + WINDOW / 10 < window.end,
        format!("the stop is not within the window: {stopped:?} in {window:?}"),
    )?;
    let least = stopped.until.saturating_since(stopped.from).as_secs_f64() * 1e6;
    let most = stopped.after.saturating_since(stopped.before).as_secs_f64() * 1e6;
    let share = WINDOW.as_secs_f64() * 1e6 / 100.0;
    let expected = (least - share) * 0.95..(most - share) * 1.05;
    let breakdown = trial.breakdown.as_ref().unwrap();
    for latency in [&trial.measured.latency, &breakdown.latency.histogram] {
        let (max, p99) = (latency.max_us().unwrap(), latency.percentile_us(0.99).unwrap());
        let period = PERIOD.as_secs_f64() * 1e6;
        claim(max >= least - period, format!("max {max} of {least} µs"))?;
        claim(expected.contains(&p99), format!("p99 {p99}, not in {expected:?} µs"))?;
    }
    // From the instant of sending: the same trial, the same messages, and no stall.
    let sent = breakdown.since_written.percentile_us(0.99).unwrap();
    claim(sent < least / 10.0, format!("p99 since sending is {sent} of {least} µs"))?;
    let (max, p99) = (trial.measured.latency.max_us(), trial.measured.latency.percentile_us(0.99));
    eprintln!(
        "{:<22} stopped for {least:.0} to {most:.0} µs: max {:.0}, p99 {:.0} of {:.0} expected, \
         since it was sent {sent:.0} µs",
        trial.id.contender,
        max.unwrap(),
        p99.unwrap(),
        least - share
    );
    let stamped = breakdown.since_written.count() > 9 * breakdown.coverage.arrivals / 10;
    claim(stamped, format!("{:?}", breakdown.coverage))
}

/// Runs a trial and stops its server on the way.
fn trial(contender: Contender) -> (TrialRecord, Stopped) {
    let work = tempfile::tempdir().unwrap();
    let (window, rate) = (format!("{WINDOW:?}"), format!("{}/s", 1_000 / PERIOD.as_millis()));
    let args = [
        "run",
        "--json",
        "--no-progress",
        "-t",
        contender.name(),
        "-c",
        "2",
        "-d",
        &window,
        "--rate",
        &rate,
        "-w",
        "500ms",
        "--runs",
        "1",
        "--poll-interval",
        "20ms",
    ];
    let mut command = pushbench(work.path(), &args);
    let output = fs::File::create(work.path().join("record.json")).unwrap();
    let mut child = command.stdout(output).stderr(Stdio::null()).spawn().unwrap();
    let server = children(child.id(), SERVER, 1)[0];
    clock::sleep_until(clock::now() + LEAD);
    let stopped = stop(server, STOP);
    child.wait().unwrap();
    let text = fs::read_to_string(work.path().join("record.json")).unwrap();
    let mut record: RunRecord = serde_json::from_str(&text).unwrap();
    (record.trials.swap_remove(0), stopped)
}
