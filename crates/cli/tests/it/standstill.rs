//! An instrument that stood still measured itself: a load process or the run's parent that is
//! stopped within the window makes the trial invalid, whatever the machine is allowed, while a
//! server that is stopped is a finding.

use std::fs;
use std::thread;
use std::time::Duration;

use crate::common::pushbench;
use crate::common::stopping::{LOAD, SERVER, Stopped, children, stop};
use pushbench_metrics::observe::instrument::Process;
use pushbench_metrics::record::warning::Invalid;
use pushbench_metrics::record::{RunRecord, TrialRecord};
use pushbench_os::time::clock;
use rustix::process::Pid;

/// The window's length.
const WINDOW: &str = "4s";

/// Behind which it begins.
const WARMUP: &str = "1s";

/// From the load processes' start until one is stopped: connecting, the warm-up, and far enough
/// from both ends of the window for a machine that is busy.
const LEAD: Duration = Duration::from_millis(2_400);

/// How long.
const STOP: Duration = Duration::from_millis(1_400);

/// Who is stopped in a trial.
#[derive(Debug, Clone, Copy)]
enum Whom {
    Parent,
    Server,
    /// The load process of this index.
    Load(usize),
}

/// The outcome of a run.
struct Outcome {
    status: i32,
    record: RunRecord,
    /// Its output, results first.
    said: String,
    stops: Vec<Stopped>,
}

/// Plays a run of one trial, and stops `whom`, `lead` after the start of its load processes, in as
/// many of its attempts as `attempts` says.
fn play(whom: Whom, loads: usize, attempts: u32, lead: Duration) -> Outcome {
    let work = tempfile::tempdir().unwrap();
    let count = loads.to_string();
    let args = [
        "run",
        "-t",
        "websocket",
        "-c",
        "4",
        "-R",
        "100/s",
        "--runs",
        "1",
        "-d",
        WINDOW,
        "-w",
        WARMUP,
        "--load-processes",
        &count,
        "--server-processes",
        "1",
    ];
    let (out, err) = (work.path().join("out"), work.path().join("err"));
    let mut command = pushbench(work.path(), &args);
    command.stdout(fs::File::create(&out).unwrap()).stderr(fs::File::create(&err).unwrap());
    let mut child = command.spawn().unwrap();
    let (mut stops, mut known) = (Vec::new(), Vec::new());
    for _ in 0..attempts {
        let crew = new_crew(child.id(), loads, &known);
        clock::sleep_until(clock::now() + lead);
        let pid = match whom {
            Whom::Parent => Pid::from_child(&child),
            Whom::Server => children(child.id(), SERVER, 1)[0],
            Whom::Load(index) => crew[index],
        };
        stops.push(stop(pid, STOP));
        known.extend(crew);
    }
    let status = child.wait().unwrap().code().unwrap();
    let text = fs::read_to_string(work.path().join("results/latest/run.json")).unwrap();
    let said = [out, err].map(|path| fs::read_to_string(path).unwrap()).concat();
    Outcome { status, record: serde_json::from_str(&text).unwrap(), said, stops }
}

/// The load processes of the next attempt.
fn new_crew(run: u32, count: usize, known: &[Pid]) -> Vec<Pid> {
    loop {
        let crew = children(run, LOAD, count);
        if !crew.iter().any(|pid| known.contains(pid)) {
            return crew;
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Who stood still in a trial, and for how long, as its verdict has it.
fn named(trial: &TrialRecord) -> Vec<(Process, Duration)> {
    let stalled = |invalid: &Invalid| match *invalid {
        Invalid::InstrumentStalled(own) => Some((own.who, own.worst)),
        _ => None,
    };
    trial.invalid.iter().filter_map(stalled).collect()
}

/// That the stop was within the window, and that the verdict has `who` and its length.
fn expect_named(trial: &TrialRecord, stopped: Stopped, who: Process) {
    let window = trial.window;
    assert!(window.start < stopped.before && stopped.after < window.end, "{stopped:?}, {window:?}");
    let [(process, worst)] = named(trial)[..] else { panic!("{:?}", trial.invalid) };
    assert_eq!(process, who);
    // A look is planned for each 10 ms, a canary's for 20 ms at the most.
    let least = stopped.until.saturating_since(stopped.from) - Duration::from_millis(21);
    assert!(worst >= least, "{worst:?} of {least:?}");
}

#[test]
fn a_load_process_that_stands_still_again_and_again_ends_with_status_3() {
    let outcome = play(Whom::Load(0), 1, 2, LEAD);
    assert_eq!((outcome.status, outcome.record.trials.len()), (3, 2), "{}", outcome.said);
    for (trial, &stopped) in outcome.record.trials.iter().zip(&outcome.stops) {
        expect_named(trial, stopped, Process::Load { number: 1, of: 1 });
    }
    let told = "the load process stood still for up to 1";
    assert!(outcome.said.contains(told), "{}", outcome.said);
}

#[test]
fn one_of_two_load_processes_is_named_and_the_repeat_stands() {
    let outcome = play(Whom::Load(1), 2, 1, LEAD);
    assert_eq!((outcome.status, outcome.record.trials.len()), (0, 2), "{}", outcome.said);
    expect_named(&outcome.record.trials[0], outcome.stops[0], Process::Load { number: 2, of: 2 });
    assert!(outcome.record.trials[1].is_valid());
    let told = "repeated: websocket, round 1: load process 2 of 2 stood still";
    assert!(outcome.said.contains(told), "{}", outcome.said);
}

#[test]
fn the_parent_is_not_taken_for_the_machine() {
    let outcome = play(Whom::Parent, 1, 1, LEAD);
    assert_eq!((outcome.status, outcome.record.trials.len()), (0, 2), "{}", outcome.said);
    expect_named(&outcome.record.trials[0], outcome.stops[0], Process::Parent);
    assert_eq!(outcome.record.trials[0].invalid.len(), 1);
}

#[test]
fn a_server_that_stands_still_is_a_finding() {
    let outcome = play(Whom::Server, 1, 1, LEAD);
    assert_eq!((outcome.status, outcome.record.trials.len()), (0, 1), "{}", outcome.said);
    let max = outcome.record.trials[0].measured.latency.max_us().unwrap();
    assert!(max > STOP.as_secs_f64() * 0.9e6, "{max}");
}

/// Before the window begins nothing is measured, so that nothing can be false.
#[test]
fn a_load_process_that_stands_still_in_warm_up_harms_nobody() {
    let work = tempfile::tempdir().unwrap();
    let args = "run --json -t websocket -c 4 -R 100/s --runs 1 -d 1s -w 4s";
    let out = work.path().join("out");
    let mut command = pushbench(work.path(), &args.split(' ').collect::<Vec<_>>());
    let mut child = command.stdout(fs::File::create(&out).unwrap()).spawn().unwrap();
    let load = children(child.id(), LOAD, 1)[0];
    clock::sleep_until(clock::now() + LEAD / 2);
    let stopped = stop(load, STOP / 2);
    child.wait().unwrap();
    let record: RunRecord = serde_json::from_str(&fs::read_to_string(out).unwrap()).unwrap();
    assert!(stopped.after < record.trials[0].window.start, "{stopped:?}");
    assert_eq!(record.trials[0].invalid, []);
}
