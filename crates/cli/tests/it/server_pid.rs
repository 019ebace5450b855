//! `load --server-pid`: the cost of a server that runs already, whatever processes it is made of.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::common::outcome;
use pushbench_metrics::record::warning::Warning;
use pushbench_metrics::record::{RunRecord, TrialRecord};
use rustix::process::{Pid, Signal, kill_process_group};

/// A shell and all that it starts, ended when dropped.
struct Shell {
    child: Child,
    /// The first line that was said.
    said: String,
}

impl Shell {
    fn start(script: &str) -> Self {
        use std::os::unix::process::CommandExt as _;
        let mut child = Command::new("sh")
            .args(["-c", script, env!("CARGO_BIN_EXE_pushbench")])
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        Self { child, said: said.trim().to_owned() }
    }

    fn pid(&self) -> String {
        self.child.id().to_string()
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}

/// A master that only waits, and a worker that serves.
const SERVER: &str = "\"$0\" serve --port 0 --rate 50/s & wait";

/// A master whose workers work for a while each, one behind the other.
const WORKERS: &str =
    "echo up; while :; do (i=0; while [ $i -lt 9999 ]; do i=$((i+1)); done); done";

/// A trial against `target` with the cost of `pids`.
fn trial(folder: &Path, target: &str, pids: &[String]) -> TrialRecord {
    let args = format!("load --json -t websocket -c 5 -d 1s -w 300ms --target {target}");
    let mut args: Vec<&str> = args.split(' ').collect();
    pids.iter().for_each(|pid| args.extend(["--server-pid", pid]));
    let (status, stdout, stderr) = outcome(folder, &args);
    assert!(status == 0 || status == 3, "{stderr}");
    serde_json::from_str::<RunRecord>(&stdout).unwrap().trials.swap_remove(0)
}

fn server_cpu(trial: &TrialRecord) -> Duration {
    trial.resources.server_cpu.expect("the server's CPU is known").total
}

#[test]
fn workers_count_for_their_master_new_ones_and_ended_ones_too() {
    let folder = tempfile::tempdir().unwrap();
    let server = Shell::start(SERVER);
    let alone = trial(folder.path(), &server.said, &[server.pid()]);
    assert!(server_cpu(&alone) > Duration::ZERO, "the master did nothing, its worker did");
    assert!(alone.resources.server_rss_growth.is_some());
    let unknown =
        |warning: &Warning| matches!(warning, Warning::ServerUnknown | Warning::ServerEnded { .. });
    assert!(!alone.warnings.iter().any(unknown), "{:?}", alone.warnings);

    let workers = Shell::start(WORKERS);
    let both = trial(folder.path(), &server.said, &[server.pid(), workers.pid()]);
    let (both, alone) = (server_cpu(&both), server_cpu(&alone));
    assert!(both > alone * 3, "{both:?} with those who work, {alone:?} without");
}

#[test]
fn each_process_has_to_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let here = std::process::id().to_string();
    let args = [
        "load",
        "--target",
        "http://127.0.0.1:9",
        "--server-pid",
        &here,
        "--server-pid",
        "4194305",
    ];
    let (status, _, stderr) = outcome(folder.path(), &args);
    assert_eq!(status, 2, "{stderr}");
    assert!(stderr.contains("--server-pid 4194305"), "{stderr}");
}
