//! `load --server-pid`: the cost of a server that runs already, whatever processes it is made of.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::common::outcome;
use pushbench_core::MonoInstant;
use pushbench_metrics::record::warning::Warning;
use pushbench_metrics::record::{RunRecord, TrialRecord};
use pushbench_os::time::clock;
use pushbench_run::program;
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
    // It grew by its clients, or had room for them from before, which is not that they took nothing.
    assert_ne!(alone.resources.server_rss_growth, Some(0));
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

/// A cluster of Node's: a primary that hands connections on to two workers, which take a millisecond for each
/// answer.
const CLUSTER: &str = r#"
const cluster = require("node:cluster");
if (cluster.isPrimary) {
  let up = 0;
  cluster.on("listening", (_, at) => { if (++up === 2) console.log(`http://127.0.0.1:${at.port}`); });
  cluster.fork();
  cluster.fork();
} else {
  require("node:http").createServer((_, response) => {
    const begun = performance.now();
    while (performance.now() - begun < 1);
    response.end(String(begun));
  }).listen(0, "127.0.0.1");
}
"#;

/// A process and all that descend from it.
fn tree(pid: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let children = text.split_whitespace().flat_map(|pid| tree(pid.parse().unwrap()));
    std::iter::once(pid).chain(children).collect()
}

/// Nanoseconds on a processor, by the scheduler's own books of each thread (`schedstat` in proc(5)), which
/// the instrument does not read them from.
fn on_processor(pids: &[u32]) -> u64 {
    let threads = pids.iter().flat_map(|pid| fs::read_dir(format!("/proc/{pid}/task")).unwrap());
    let books = threads.map(|thread| fs::read_to_string(thread.unwrap().path().join("schedstat")));
    let spent = books.map(|book| book.unwrap().split(' ').next().unwrap().parse::<u64>().unwrap());
    spent.sum()
}

/// The time in those books at an instant, between the two readings beside it.
fn at(readings: &[(MonoInstant, u64)], instant: MonoInstant) -> f64 {
    let next = readings.partition_point(|(when, _)| *when < instant);
    let ((from, before), (to, after)) = (readings[next - 1], readings[next]);
    let part = (instant.0 - from.0) as f64 / (to.0 - from.0) as f64;
    before as f64 + part * (after - before) as f64
}

/// The CPU of the window by the instrument, beside that of the same time by the scheduler's books.
fn assert_equal_books(server: &Shell, url: &str, polls: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (pids, over) = (tree(server.child.id()), AtomicBool::new(false));
    assert!(pids.len() >= 3, "a master and two workers: {pids:?}");
    let (record, readings) = thread::scope(|scope| {
        let readings = scope.spawn(|| {
            let mut readings = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let before = clock::now();
                let spent = on_processor(&pids);
                readings.push((before + clock::now().saturating_since(before) / 2, spent));
                thread::sleep(Duration::from_millis(1));
            }
            readings
        });
        let args = format!(
            "load --json -t short-poll --no-seq -w 300ms -d 2s --target {url} --server-pid {} {polls}",
            server.pid()
        );
        let (_, stdout, stderr) = outcome(folder.path(), &args.split(' ').collect::<Vec<_>>());
        over.store(true, Ordering::Relaxed);
        let record = serde_json::from_str::<RunRecord>(&stdout);
        (record.unwrap_or_else(|error| panic!("{error}: {stderr}")), readings.join().unwrap())
    });
    let trial = record.trials.last().unwrap();
    let theirs = at(&readings, trial.window.end) - at(&readings, trial.window.start);
    let ours = server_cpu(trial).as_secs_f64() * 1e9;
    assert!(ours > 1e8, "it worked for {ours} ns");
    assert!((ours / theirs - 1.0).abs() < 0.02, "{ours} ns, by the scheduler's books {theirs} ns");
}

#[test]
fn a_cluster_costs_what_the_scheduler_has_of_all_its_processes() {
    if program::find("node").is_none() {
        return eprintln!("skipped: node is not installed; apt install nodejs");
    }
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("cluster.cjs");
    fs::write(&script, CLUSTER).unwrap();
    let server = Shell::start(&format!("exec node {}", script.display()));
    assert_equal_books(&server, &server.said, "-c 10 --poll-interval 50ms");
}

#[test]
fn two_workers_of_nginx_cost_what_the_scheduler_has_of_all_its_processes() {
    if program::find("nginx").is_none() {
        return eprintln!("skipped: nginx is not installed; apt install nginx");
    }
    let folder = tempfile::tempdir().unwrap();
    let (dir, port) = (folder.path().display(), crate::common::free_port());
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {dir}/{name};"))
        .concat();
    let config = format!(
        "daemon off; pid {dir}/nginx.pid; worker_processes 2; events {{}} http {{ access_log off; \
         keepalive_requests 1000000; {temporary} \
         server {{ listen 127.0.0.1:{port}; location / {{ return 200 $request_id; }} }} }}"
    );
    fs::write(folder.path().join("nginx.conf"), config).unwrap();
    let nginx = program::find("nginx").unwrap();
    // It says nothing itself; that it takes connections is tried until it does.
    let script = format!(
        "{} -e stderr -c {dir}/nginx.conf & \
         until (exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null; do sleep 0.02; done; echo up; wait",
        nginx.display()
    );
    let server = Shell::start(&format!("exec bash -c '{script}'"));
    assert_equal_books(&server, &format!("http://127.0.0.1:{port}"), "-c 100 --poll-interval 20ms");
}
