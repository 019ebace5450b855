//! Links and the system: what an ordinary user may have, what is said where the system gives nothing, and
//! what is left of a run that is killed.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::common::stopping::{LOAD, SERVER, children};
use crate::common::{numbers, outcome, pushbench};

/// A user who is nobody.
const NOBODY: u32 = 65_534;

/// The name by which a run calls the router of its link.
const LINK: &str = "worker-link";

/// A short run over a link, or a long one.
fn arguments(length: &'static str) -> Vec<&'static str> {
    let args = ["run", "-t", "websocket", "-c", "2", "-R", "20/s", "-w", "100ms", "--runs", "1"];
    [&args[..], &["--delay", "10ms", "--no-progress", "-d", length]].concat()
}

/// Whether this user may have networks here; says why where not.
fn has_networks(folder: &Path) -> bool {
    let (status, _, errors) = outcome(folder, &arguments("500ms"));
    let refused = status == 2 && errors.contains("namespace");
    if refused {
        eprintln!("skipped: {errors}");
    }
    !refused
}

/// A copy of the binary that anybody may start.
fn for_all(folder: &Path) -> std::path::PathBuf {
    let copy = folder.join("pushbench");
    fs::copy(env!("CARGO_BIN_EXE_pushbench"), &copy).unwrap();
    copy
}

#[test]
fn an_ordinary_user_has_links_where_namespaces_are_free() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: every other test is an ordinary user's");
    }
    let folder = tempfile::tempdir().unwrap();
    chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    let mut command = Command::new(for_all(folder.path()));
    command.args(arguments("500ms")).current_dir(folder.path()).stdin(Stdio::null());
    command.env("PUSHBENCH_ALLOW_BUSY", "1").env_remove("HOME").uid(NOBODY).gid(NOBODY);
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(2) && errors.contains("namespace") {
        return eprintln!("skipped: {errors}");
    }
    assert_eq!(output.status.code(), Some(0), "{errors}");
    assert!(numbers(folder.path(), "latency_p50_us")[0] >= 10e3);
}

/// Namespaces are used up inside a user namespace of the test's own: the machine keeps its.
#[test]
fn a_system_without_namespaces_refuses_links_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let script = "echo 0 > /proc/sys/user/max_user_namespaces || exit 77; \
                  exec setpriv --bounding-set=-all --inh-caps=-all \"$0\" \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "sh", "-c", script]);
    command.arg(for_all(folder.path())).args(arguments("500ms")).current_dir(folder.path());
    let Ok(output) = command.stdin(Stdio::null()).output() else {
        return eprintln!("skipped: there is no unshare");
    };
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    if !errors.starts_with("error: ") {
        return eprintln!("skipped: {errors}");
    }
    assert_eq!(output.status.code(), Some(2), "{errors}");
    let begin = "error: cannot make a user namespace: user.max_user_namespaces allows no more";
    assert!(errors.starts_with(begin), "{errors}");
    for part in ["`sudo sysctl -w user.max_user_namespaces=", "all else works without a link"] {
        assert!(errors.contains(part), "{errors}");
    }
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(!folder.path().join("results").exists());
}

/// Devices of this network, and networks with a name.
fn visible() -> [String; 2] {
    let devices = fs::read_to_string("/proc/net/dev").unwrap();
    let devices = devices.lines().filter_map(|line| Some(line.split_once(':')?.0.to_owned()));
    let named = fs::read_dir("/run/netns").into_iter().flatten().flatten();
    [devices.collect(), named.map(|entry| format!("{:?} ", entry.file_name())).collect()]
}

/// The number of a process's network.
fn network(folder: &Path) -> Option<u64> {
    Some(fs::metadata(folder.join("ns/net")).ok()?.ino())
}

fn networks() -> Vec<u64> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes.filter_map(|process| network(&process.path())).collect()
}

#[test]
fn nothing_is_left_of_a_run_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    if !has_networks(folder.path()) {
        return;
    }
    let before = visible();
    let mut run = pushbench(folder.path(), &arguments("60s"));
    let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // The router last: one that came before the server's only tried whether there can be a link.
    let processes: Vec<Pid> =
        [SERVER, LOAD, LINK].iter().flat_map(|name| children(run.id(), name, 1)).collect();
    let own = network(Path::new("/proc/self")).unwrap();
    let folder_of = |pid: &Pid| format!("/proc/{}", pid.as_raw_nonzero());
    let handles: Vec<_> =
        processes.iter().map(|pid| pidfd_open(*pid, PidfdFlags::empty()).unwrap()).collect();
    let entered = || -> Vec<u64> {
        processes.iter().filter_map(|pid| network(Path::new(&folder_of(pid)))).collect()
    };
    while entered().iter().filter(|inode| **inode != own).count() < 2 {
        assert!(run.try_wait().unwrap().is_none(), "the run has ended");
        std::thread::yield_now();
    }
    let inside: Vec<u64> = entered().into_iter().filter(|inode| *inode != own).collect();
    run.kill().unwrap();
    run.wait().unwrap();
    for handle in &handles {
        let patience = Timespec { tv_sec: 20, tv_nsec: 0 };
        let mut ends = [PollFd::new(handle, PollFlags::IN)];
        assert_eq!(poll(&mut ends, Some(&patience)).unwrap(), 1, "a process lives on");
    }
    assert!(!networks().iter().any(|inode| inside.contains(inode)), "a network is left");
    assert_eq!(visible(), before, "devices and named networks");
}
