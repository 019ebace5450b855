//! The main job, end to end: a tiny scenario, and every file that it leaves.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::common::{Serving, outcome, pushbench};

const TINY: &str = r#"
question = "Does it work?"
transports = [
  "short-poll", "short-poll-close", "short-poll-conditional", "long-poll", "sse", "websocket",
]
clients = 5
rate = "50/s"
poll_interval = "100ms"
warmup = "200ms"
duration = "400ms"
runs = 1
"#;

const COLUMNS: &str = "scenario,point,transport,clients,rate_hz,payload_bytes,poll_interval_ms,\
trials,valid,published,expected,delivered,lost,duplicated,reordered,superseded,latency_mean_us,\
latency_p50_us,latency_p50_lo_us,latency_p50_hi_us,latency_p90_us,latency_p99_us,latency_p999_us,\
latency_max_us,age_mean_us,connect_p50_us,requests,empty_responses,payload_bytes_per_msg,\
framing_bytes_per_msg,http_bytes_per_msg,tls_bytes_per_msg,tcpip_bytes_per_msg,\
wire_bytes_per_msg,server_cpu_us_per_msg,load_cpu_us_per_msg,server_rss_bytes_per_client,\
load_rss_bytes_per_client,latency_p50_min_us,latency_p50_max_us,clients_connected,errors,\
reconnects,warnings,age_max_us,late";

type Row = HashMap<String, String>;

fn rows(path: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(|row| row.unwrap()).collect()
}

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} is `{}`", row[column]))
}

fn folder_of(stdout: &str) -> PathBuf {
    let line = stdout.lines().find_map(|line| line.strip_prefix("Results: "));
    PathBuf::from(line.expect("the folder is printed"))
}

#[test]
fn a_tiny_run_leaves_every_file_and_they_agree() {
    let work = tempfile::tempdir().unwrap();
    fs::write(work.path().join("tiny.toml"), TINY).unwrap();
    let (code, stdout, stderr) = outcome(work.path(), &["run", "tiny.toml", "--no-progress"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    // A busy machine disturbs a trial, which is played again.
    let told = stderr.lines().find(|line| !line.starts_with("repeated: "));
    assert_eq!(told, None, "nothing happened that is to be told");
    let folder = work.path().join(folder_of(&stdout));
    assert!(folder.file_name().unwrap().to_string_lossy().ends_with("-tiny"));
    assert_eq!(
        fs::canonicalize(work.path().join("results/latest")).unwrap(),
        fs::canonicalize(&folder).unwrap()
    );
    check_summary(&folder);
    check_ledger(&folder);
    check_record(&folder);
    check_pictures(&folder);
    rebuild_changes_nothing(&folder);
}

fn check_summary(folder: &Path) {
    let text = fs::read_to_string(folder.join("summary.csv")).unwrap();
    assert!(text.starts_with(COLUMNS), "{text}");
    let summary = rows(&folder.join("summary.csv"));
    assert_eq!(summary.len(), 6);
    for row in &summary {
        assert_eq!(row["valid"], "true", "{row:?}");
        assert!(number(row, "delivered") > 0.0, "{row:?}");
        let accounted: f64 = ["delivered", "lost", "late", "superseded"]
            .iter()
            .map(|column| number(row, column))
            .sum();
        assert_eq!(accounted, number(row, "expected"), "{row:?}");
        assert_eq!(number(row, "expected"), number(row, "published") * 5.0, "{row:?}");
        for column in ["lost", "duplicated", "reordered", "errors", "reconnects"] {
            assert_eq!(number(row, column), 0.0, "{column} of {row:?}");
        }
        assert_eq!(number(row, "payload_bytes_per_msg"), 64.0, "{row:?}");
        assert_eq!(row["latency_p50_lo_us"], "", "an interval needs six trials: {row:?}");
        let layers = ["payload", "framing", "http", "tls", "tcpip"];
        let sum: f64 = layers.iter().map(|l| number(row, &format!("{l}_bytes_per_msg"))).sum();
        assert!((sum - number(row, "wire_bytes_per_msg")).abs() < 0.05, "{row:?}");
        assert!(number(row, "tcpip_bytes_per_msg") > 0.0, "{row:?}");
        assert!(number(row, "server_cpu_us_per_msg") > 0.0, "{row:?}");
        assert!(number(row, "load_cpu_us_per_msg") > 0.0, "{row:?}");
    }
    let trials = rows(&folder.join("trials.csv"));
    let invalid: Vec<_> = trials.iter().map(|row| &row["invalid"]).collect();
    assert_eq!(trials.len(), 6, "some were repeated: {invalid:?}");
    assert!(!rows(&folder.join("series.csv")).is_empty());
}

/// Bytes that follow from the formats alone.
fn check_ledger(folder: &Path) {
    let ledger = rows(&folder.join("bytes.csv"));
    let bytes = |contender: &str, direction: &str, layer: &str| -> f64 {
        let matching = ledger.iter().filter(|row| {
            row["transport"] == contender
                && row["phase"] == "window"
                && row["direction"] == direction
                && row["layer"] == layer
        });
        matching.map(|row| number(row, "bytes")).sum()
    };
    // A header of two bytes before each message of 64, and not a byte of HTTP.
    assert_eq!(bytes("websocket", "down", "framing") * 32.0, bytes("websocket", "down", "payload"));
    assert_eq!(bytes("websocket", "down", "http"), 0.0);
    assert_eq!(bytes("sse", "up", "http"), 0.0);
    assert!(bytes("short-poll", "up", "http") > 0.0);
    assert!(bytes("short-poll", "up", "payload") == 0.0);
}

fn check_record(folder: &Path) {
    let text = fs::read_to_string(folder.join("run.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(record["partial"], false);
    assert_eq!(record["trials"].as_array().unwrap().len(), 6);
    assert_eq!(record["scenario"]["name"], "tiny");
    let hlogs = fs::read_dir(folder.join("histograms")).unwrap().count();
    assert_eq!(hlogs, 6);
}

fn check_pictures(folder: &Path) {
    let page = fs::read_to_string(folder.join("report.html")).unwrap();
    for contender in ["short-poll-close", "long-poll", "sse", "websocket"] {
        assert!(page.contains(contender));
    }
    assert!(fs::read_to_string(folder.join("report.md")).unwrap().contains("| websocket"));
    for entry in fs::read_dir(folder.join("charts")).unwrap() {
        let path = entry.unwrap().path();
        let start = fs::read(&path).unwrap();
        let is_png = start.starts_with(b"\x89PNG\r\n\x1a\n");
        let is_svg = start.starts_with(b"<svg") || start.starts_with(b"<?xml");
        assert!(is_png || is_svg, "{}", path.display());
    }
}

fn rebuild_changes_nothing(folder: &Path) {
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    let names = ["summary.csv", "bytes.csv", "report.html", "report.md", "charts/latency.svg"];
    let before: Vec<_> = names.iter().map(|name| read(name)).collect();
    let (code, _, stderr) = outcome(folder, &["report", "."]);
    assert_eq!(code, 0, "{stderr}");
    for (name, before) in names.iter().zip(before) {
        assert!(read(name) == before, "{name} differs after `pushbench report`");
    }
}

#[test]
fn json_is_the_record_and_nothing_else() {
    let work = tempfile::tempdir().unwrap();
    fs::write(work.path().join("tiny.toml"), TINY).unwrap();
    let args = ["run", "tiny.toml", "-t", "websocket", "--json", "-c", "2"];
    let (code, stdout, stderr) = outcome(work.path(), &args);
    assert_eq!(code, 0, "{stderr}");
    let record: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(record["points"][0]["clients"], 2);
}

#[test]
fn captured_packets_replace_the_kernels_count_and_leave_cpu_empty() {
    let work = tempfile::tempdir().unwrap();
    fs::write(work.path().join("tiny.toml"), TINY).unwrap();
    let args = ["run", "tiny.toml", "-t", "websocket,short-poll-close", "--capture"];
    let (code, stdout, stderr) = outcome(work.path(), &args);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let folder = work.path().join(folder_of(&stdout));
    let ledger = rows(&folder.join("bytes.csv"));
    let source = ledger.iter().find(|row| row["layer"] == "tcpip").unwrap()["source"].clone();
    if stderr.contains("falling back") {
        eprintln!("SKIPPED: no privilege to capture packets: {stderr}");
        assert_eq!(source, "kernel");
        return;
    }
    assert_eq!(source, "captured");
    for row in rows(&folder.join("summary.csv")) {
        assert_eq!(row["server_cpu_us_per_msg"], "", "{row:?}");
        assert_eq!(row["load_cpu_us_per_msg"], "", "{row:?}");
    }
}

/// Packets of several servers and client addresses are told apart, and come to what the kernel
/// counts of the same messages. ACKs of their own, which come as the machine pleases, make the
/// rest.
#[test]
fn packets_of_several_processes_are_all_captured() {
    let work = tempfile::tempdir().unwrap();
    fs::write(work.path().join("tiny.toml"), TINY).unwrap();
    let run = |more: &[&str]| {
        let args = ["run", "tiny.toml", "-t", "websocket,long-poll", "--server-processes", "2"];
        let args = [&args[..], &["--load-processes", "4"], more].concat();
        let (code, stdout, stderr) = outcome(work.path(), &args);
        assert_eq!(code, 0, "{stdout}{stderr}");
        let summary = rows(&work.path().join(folder_of(&stdout)).join("summary.csv"));
        let bytes = summary.iter().map(|row| number(row, "tcpip_bytes_per_msg"));
        (bytes.collect::<Vec<f64>>(), stderr)
    };
    let (captured, stderr) = run(&["--capture"]);
    if stderr.contains("falling back") {
        return eprintln!("SKIPPED: no privilege to capture packets: {stderr}");
    }
    for (captured, kernel) in captured.into_iter().zip(run(&[]).0) {
        assert!((captured / kernel - 1.0).abs() < 0.25, "{captured} and {kernel}");
    }
}

#[test]
fn a_list_spans_points_and_latest_supersedes() {
    let work = tempfile::tempdir().unwrap();
    fs::write(work.path().join("tiny.toml"), TINY).unwrap();
    let args = ["run", "tiny.toml", "-t", "short-poll", "--delivery", "latest", "-c", "2,4"];
    let (code, stdout, stderr) = outcome(work.path(), &args);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let summary = rows(&work.path().join(folder_of(&stdout)).join("summary.csv"));
    assert_eq!(summary.iter().map(|row| row["clients"].as_str()).collect::<Vec<_>>(), ["2", "4"]);
    for row in &summary {
        // Five messages are due in each period, and a poll brings one of them.
        assert!(number(row, "superseded") > number(row, "delivered"), "{row:?}");
        assert_eq!(number(row, "lost"), 0.0, "{row:?}");
    }
}

#[test]
fn ctrl_c_leaves_finished_trials_readable_and_marked_partial() {
    let work = tempfile::tempdir().unwrap();
    fs::write(work.path().join("tiny.toml"), TINY).unwrap();
    let args = ["run", "tiny.toml", "-t", "websocket", "--runs", "1000", "--verbose"];
    let mut child = pushbench(work.path(), &args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    await_trials(work.path(), 2);
    // SIGINT to the process that this test started, and to no other.
    let pid = i32::try_from(child.id()).unwrap();
    let killed = std::process::Command::new("kill").args(["-INT", &pid.to_string()]).status();
    assert!(killed.unwrap().success());
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    let latest = work.path().join("results/latest");
    let text = fs::read_to_string(latest.join("run.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(record["partial"], true);
    assert!(record["trials"].as_array().unwrap().len() >= 2);
    assert!(
        fs::read_to_string(latest.join("report.html")).unwrap().contains("This run is partial")
    );
}

/// Waits until some run's record below `work` holds `count` trials.
fn await_trials(work: &Path, count: usize) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        let folders = fs::read_dir(work.join("results")).into_iter().flatten().flatten();
        for folder in folders {
            let text = fs::read_to_string(folder.path().join("run.json")).unwrap_or_default();
            let record: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            if record["trials"].as_array().is_some_and(|trials| trials.len() >= count) {
                return;
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("no record with {count} trials within a minute");
}

#[test]
fn load_measures_a_server_that_runs_already() {
    let work = tempfile::tempdir().unwrap();
    let server = Serving::start(work.path(), &["--rate", "50/s"]);
    let pid = server.pid().to_string();
    let args = [
        "load",
        "--target",
        &server.url,
        "-t",
        "websocket",
        "-t",
        "short-poll",
        "-c",
        "5",
        "-d",
        "500ms",
        "-w",
        "200ms",
        "--poll-interval",
        "100ms",
        "--server-pid",
        &pid,
    ];
    let (code, stdout, stderr) = outcome(work.path(), &args);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let summary = rows(&work.path().join(folder_of(&stdout)).join("summary.csv"));
    assert_eq!(summary.len(), 2);
    for row in &summary {
        assert_eq!(row["valid"], "true", "{row:?}");
        assert_eq!(number(row, "delivered"), number(row, "expected"), "{row:?}");
        assert_eq!(number(row, "rate_hz"), 50.0, "{row:?}");
        assert!(number(row, "server_cpu_us_per_msg") > 0.0, "{row:?}");
    }
}
