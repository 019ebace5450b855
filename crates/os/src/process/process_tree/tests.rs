use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use super::*;

/// A shell that runs `script`, which talks by lines.
struct Shell {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Shell {
    fn start(script: &str) -> Self {
        let mut child = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        Self { child, said }
    }

    /// Has it go on.
    fn go(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    /// Waits for what it says next.
    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Counts so far that it takes several ticks on any machine.
const BURN: &str = "burn() { i=0; while [ $i -lt 150000 ]; do i=$((i+1)); done; }; ";

/// The least that takes: a tick.
fn a_tick() -> Duration {
    procfs::ticks(1)
}

#[test]
fn a_worker_that_begins_and_ends_between_two_readings_counts() {
    let mut shell = Shell::start(&format!("{BURN} read a; (burn); (burn); echo done; read b"));
    let mut tree = ProcessTree::of(&[shell.child.id()]).unwrap();
    let before = tree.read();
    shell.go();
    assert_eq!(shell.hear(), "done");
    let spent = tree.read().since(&before);
    assert!(spent.total.unwrap().total >= 2 * a_tick(), "{spent:?}");
    assert_eq!(spent.ended, 0, "none that was seen");
}

#[test]
fn a_worker_that_was_seen_and_ended_is_not_lost() {
    let script = format!("{BURN} (burn; echo up; read a; burn) & read b; wait; echo done; read c");
    // A background job reads nothing, unless told to read the script's own input.
    let mut shell =
        Shell::start(&script.replace("(burn; echo up", "exec 3<&0; (exec <&3; burn; echo up"));
    assert_eq!(shell.hear(), "up");
    let mut tree = ProcessTree::of(&[shell.child.id()]).unwrap();
    assert_eq!(tree.pids().len(), 2);
    let before = tree.read();
    shell.go();
    shell.go();
    assert_eq!(shell.hear(), "done");
    let spent = tree.read().since(&before);
    assert_eq!(spent.ended, 1);
    assert!(spent.total.unwrap().total >= a_tick(), "{spent:?}");
}

#[test]
fn a_new_worker_that_lives_is_found_with_its_own_workers() {
    let script = "read a; sh -c 'sleep 60 & echo up; wait' & read b; kill $!";
    let mut shell = Shell::start(script);
    let mut tree = ProcessTree::of(&[shell.child.id()]).unwrap();
    assert_eq!(tree.pids(), [shell.child.id()]);
    shell.go();
    assert_eq!(shell.hear(), "up");
    tree.read();
    let pids = tree.pids();
    assert_eq!(pids.len(), 3, "shell, worker and its sleeper");
    let memory = tree.memory().unwrap();
    assert_eq!(memory.processes, 3);
    assert!(memory.rss_bytes > 0 && memory.pss_bytes.is_none_or(|pss| pss <= memory.rss_bytes));
    for pid in pids.iter().filter(|&&pid| pid != shell.child.id()) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(*pid).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    }
}

#[test]
fn a_root_that_is_gone_leaves_nothing_to_tell() {
    let mut shell = Shell::start("read a");
    let pid = shell.child.id();
    let mut tree = ProcessTree::of(&[pid, pid]).unwrap();
    let before = tree.read();
    assert_eq!(tree.pids(), [pid], "named twice, counted once");
    shell.child.kill().unwrap();
    shell.child.wait().unwrap();
    assert_eq!(tree.read().since(&before).total, None);
    assert_eq!(tree.memory(), None);
    assert_eq!(ProcessTree::of(&[pid]).unwrap_err().kind(), io::ErrorKind::NotFound);
}

fn time(members: &[(u32, u64, u64)]) -> TreeTime {
    let cpu = |ms| CpuTime { total: Duration::from_millis(ms), ..CpuTime::default() };
    let member =
        |&(pid, own, reaped)| ((pid, 7), MemberTime { own: cpu(own), reaped: cpu(reaped) });
    TreeTime { roots: vec![(1, 7)], members: members.iter().map(member).collect() }
}

#[test]
fn what_nobody_waited_for_is_not_known() {
    const MS: Duration = Duration::from_millis(1);
    let before = time(&[(1, 100, 0), (2, 500, 0)]);
    let reaped = time(&[(1, 110, 520)]).since(&before);
    let total = CpuTime { total: MS * 30, ..CpuTime::default() };
    assert_eq!((reaped.total, reaped.ended), (Some(total), 1));
    let ignored = time(&[(1, 110, 0)]).since(&before);
    assert_eq!((ignored.total, ignored.ended), (None, 1));
    let new = time(&[(1, 110, 0), (2, 500, 0), (3, 90, 0)]).since(&before);
    assert_eq!(new.total.map(|total| total.total), Some(MS * 100));
    assert_eq!(new.busiest.total, MS * 90);
}

/// One way of counting for both edges, whichever both have.
#[test]
fn memory_grows_by_what_both_readings_tell_alike() {
    let memory = |processes, rss_bytes, pss_bytes| TreeMemory { processes, rss_bytes, pss_bytes };
    let shared = memory(2, 2_000, Some(1_100));
    assert_eq!(memory(3, 3_500, Some(1_300)).growth_since(shared), 200);
    assert_eq!(memory(3, 3_500, None).growth_since(shared), 1_500);
    let alone = memory(1, 2_000, Some(1_900));
    assert_eq!(memory(1, 2_500, Some(2_300)).growth_since(alone), 500);
}
