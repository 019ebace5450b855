//! Ends of servers and runs: one that is killed is named, and nothing is left of any.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{is_installed, mine, trials};
use crate::common::{column, outcome, pushbench};

/// The longest that a test waits for something that is to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// The processes that have this variable in their environment.
fn marked(mark: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| Some(entry.ok()?.path()));
    let has_it = |path: &std::path::PathBuf| {
        let all = fs::read(path.join("environ")).unwrap_or_default();
        all.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    };
    processes.filter(has_it).map(|path| path.display().to_string()).collect()
}

/// An app is killed behind the nginx that goes on before it, and one that is the whole of its server.
#[test]
fn a_server_that_is_killed_in_mid_run_is_named_and_nothing_is_left_of_it() {
    if !is_installed("rest") || !is_installed("python-sse") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mark = format!("PUSHBENCH_TEST=killed-{}", std::process::id());
    let (name, value) = mark.split_once('=').unwrap();
    let marks = format!("[program.environment]\n{name} = \"{value}\"\n\n[program.files]");
    let marks = ("[program.files]", marks.as_str());
    let kill = "import os; os.kill(os.getpid(), 9)";
    let on_post =
        format!("if Price.newest[:18].endswith(b\"20\"): {kill}\n        self.answer(204)");
    let behind =
        [marks, ("self.answer(204)\n\n    def answer", &format!("{on_post}\n\n    def answer"))];
    let on_line = format!("number += 1\n        if number > 20: {kill}");
    let alone = [marks, ("number += 1", on_line.as_str())];
    let files = [
        mine(folder.path(), "behind", "rest", &behind),
        mine(folder.path(), "alone", "python-sse", &alone),
    ];
    for (file, told, more) in [
        (&files[0], "behind failed", &["-t", "short-poll", "--delivery", "latest"][..]),
        (&files[1], "alone failed: `python3` ended by itself (signal: 9", &["-t", "sse"]),
    ] {
        let subjects = format!("{file},pushbench");
        let args =
            ["run", "--subject", &subjects, "--trust", "-c", "3", "-R", "40/s", "-w", "100ms"];
        let rest = ["-d", "1s", "--runs", "1", "--poll-interval", "100ms", "--json"];
        let (status, stdout, errors) = outcome(folder.path(), &[&args[..], more, &rest].concat());
        assert_eq!(status, 3, "{errors}");
        assert_eq!(column(folder.path(), "valid"), ["false", "true"], "{errors}");
        let record: Value = serde_json::from_str(&stdout).unwrap();
        let of_it = trials(&record, told.split_once(' ').unwrap().0);
        assert_eq!(of_it.len(), 2, "it is tried once more");
        for trial in of_it {
            assert!(format!("{errors}{}", trial["invalid"]).contains(told), "{errors} {trial}");
        }
        assert_eq!(marked(&mark), Vec::<String>::new(), "{told}");
    }
}

/// The processes that descend from `pid`.
fn descendants(pid: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let children = text.split_whitespace().map(|pid| pid.parse().unwrap());
    children.flat_map(|child| [vec![child], descendants(child)].concat()).collect()
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what} within {PATIENCE:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn nothing_is_left_of_a_server_whose_run_was_killed() {
    if !is_installed("python-sse") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let args = ["run", "--subject", "python-sse", "-t", "sse", "-d", "60s", "-q"];
    let mut run = pushbench(folder.path(), &args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let command =
        |pid: &u32| fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let is_server =
        |pid: &u32| command(pid).contains("server.py") && !command(pid).contains("worker");
    // Guardian, program, publisher and load generator.
    wait_until("the trial starts", || {
        let all = descendants(run.id());
        all.len() >= 4 && all.iter().any(is_server)
    });
    let all = descendants(run.id());
    kill_process(Pid::from_child(&run), Signal::KILL).unwrap();
    run.wait().unwrap();
    wait_until("all of it ends", || {
        !all.iter().any(|pid| Path::new(&format!("/proc/{pid}/exe")).exists())
    });
}
