//! `pushbench doctor`, and what a run makes of a busy machine.

use std::process::{Child, Command, Stdio};

use crate::common::{outcome, pushbench};

#[test]
fn the_doctor_names_each_thing_and_ends_well() {
    let work = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = outcome(work.path(), &["doctor", "-d", "500ms"]);
    assert_eq!(code, 0, "{stderr}");
    for name in ["clock source", "wake-ups, core", "round trip", "receive timestamps", "open files"]
    {
        assert!(stdout.contains(name), "{name}: {stdout}");
    }
    assert!(stdout.contains("Smallest difference of latencies to trust here: "), "{stdout}");
    assert!(stdout.contains("Most clients to trust here: "), "{stdout}");
    assert!(stderr.contains("measuring for 500ms"), "{stderr}");
    assert_eq!(std::fs::read_dir(work.path()).unwrap().count(), 0, "it leaves nothing behind");
}

#[test]
fn for_machines_the_doctor_prints_json_and_nothing_else() {
    let work = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = outcome(work.path(), &["doctor", "-d", "500ms", "--json"]);
    assert_eq!(code, 0, "{stderr}");
    let findings: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let verdicts = ["ok", "limited", "cannot"];
    for check in findings["checks"].as_array().unwrap() {
        let verdict = check["verdict"].as_str().unwrap();
        assert!(verdicts.contains(&verdict), "{check}");
        assert_eq!(check["remedy"].is_null(), verdict == "ok", "{check}");
    }
    assert!(findings["trust"]["median_us"].as_f64().unwrap() > 0.0);
    // It is the run's own limit: one client more is refused before anything starts.
    let trust = &findings["trust"];
    if ["open files of a process", "local ports of an address"]
        .iter()
        .any(|b| trust["bound_by"] == *b)
    {
        let more = (trust["clients"].as_u64().unwrap() + 1).to_string();
        let (code, _, stderr) = outcome(work.path(), &["run", "-c", &more]);
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains(&format!("cannot open {more} connections")), "{stderr}");
    }
}

/// Processes that compute without end, ended when dropped.
struct Spinners(Vec<Child>);

impl Spinners {
    /// `each` of them for each core that there is.
    fn start(each: usize) -> Self {
        let cores = std::thread::available_parallelism().unwrap().get();
        let one = |_| {
            let mut command = Command::new("sh");
            command.args(["-c", "while :; do :; done"]).stdin(Stdio::null());
            command.spawn().unwrap()
        };
        Self((0..cores * each).map(one).collect())
    }
}

impl Drop for Spinners {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn a_machine_kept_busy_makes_a_trial_invalid_which_is_repeated_once() {
    let work = tempfile::tempdir().unwrap();
    let spinners = Spinners::start(6);
    let args = [
        "run",
        "quick",
        "-t",
        "websocket",
        "-r",
        "1",
        "-d",
        "2s",
        "-R",
        "200/s",
        "-c",
        "200",
        "-q",
    ];
    let mut command = pushbench(work.path(), &args);
    let output = command.env("PUSHBENCH_ALLOW_BUSY", "0").output().unwrap();
    drop(spinners);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(3), "{stdout}{stderr}");
    let told = "invalid: quick: websocket, round 1 of 1 (trial 1, also when it was repeated): other processes took";
    assert!(stderr.lines().count() == 1 && stderr.starts_with(told), "{stderr}");
    assert!(stderr.contains("leave the machine idle but for the run"), "{stderr}");
    let record = std::fs::read_to_string(work.path().join("results/latest/run.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    let trials = record["trials"].as_array().unwrap();
    assert_eq!(trials.iter().map(|t| t["attempt"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2]);
    for trial in trials {
        let kinds: Vec<_> =
            trial["invalid"].as_array().unwrap().iter().map(|i| &i["kind"]).collect();
        assert!(kinds.iter().any(|kind| *kind == "machine-busy"), "{kinds:?}");
        let others = trial["resources"]["disturbance"]["others"]["share"].as_f64().unwrap();
        assert!(others > 0.5, "six spinners a core had {others} of the processor");
    }
    let report = std::fs::read_to_string(work.path().join("results/latest/report.md")).unwrap();
    assert!(report.contains("other processes took"), "{report}");
}
