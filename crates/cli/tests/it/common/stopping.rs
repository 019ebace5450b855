//! Stopping a process of a run, and having it go on.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use pushbench_core::MonoInstant;
use pushbench_os::time::clock;
use rustix::process::{Pid, Signal, kill_process};

/// How a run calls its server processes.
pub(crate) const SERVER: &str = "worker-server";

/// How it calls its load processes.
pub(crate) const LOAD: &str = "worker-load";

/// When a process stood still: surely, and at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopped {
    pub(crate) before: MonoInstant,
    pub(crate) from: MonoInstant,
    pub(crate) until: MonoInstant,
    pub(crate) after: MonoInstant,
}

/// The `count` children of a run that it calls `name`, in the order in which they were started,
/// once they are there.
pub(crate) fn children(run: u32, name: &str, count: usize) -> Vec<Pid> {
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        let all = fs::read_to_string(format!("/proc/{run}/task/{run}/children"));
        let all = all.unwrap_or_default();
        let named = |pid: &&str| {
            let command = fs::read(Path::new("/proc").join(pid).join("cmdline"));
            let is_it = |word: &[u8]| word == name.as_bytes();
            command.is_ok_and(|command| command.split(|&byte| byte == 0).any(is_it))
        };
        let found = all.split_whitespace().filter(named);
        let found: Vec<Pid> =
            found.map(|pid| Pid::from_raw(pid.parse().unwrap()).unwrap()).collect();
        if found.len() == count {
            return found;
        }
        thread::sleep(Duration::from_millis(2));
    }
    panic!("the run starts no {count} of {name}");
}

/// Stops a process for `length`, and has it go on.
pub(crate) fn stop(pid: Pid, length: Duration) -> Stopped {
    let before = clock::now();
    kill_process(pid, Signal::STOP).unwrap();
    while !is_stopped(pid) {
        assert!(clock::now() < before + Duration::from_secs(10), "the process does not stop");
        thread::yield_now();
    }
    let from = clock::now();
    clock::sleep_until(from + length);
    let until = clock::now();
    kill_process(pid, Signal::CONT).unwrap();
    Stopped { before, from, until, after: clock::now() }
}

/// Whether the process's state is `T` (proc(5)); its name, in brackets, holds no bracket.
fn is_stopped(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap();
    stat.split_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
}
