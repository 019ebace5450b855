//! The search for capacity, end to end.

use std::fs;
use std::path::Path;

use crate::common::outcome;
use serde_json::Value;

const SMALL: &str = r#"
transports = ["short-poll", "websocket"]
clients = 3
rate = "50/s"
poll_interval = "500ms"
warmup = "100ms"
duration = "300ms"
"#;

/// Looks for the capacity of the small scenario: exit status, output, errors.
fn search(folder: &Path, args: &[&str]) -> (i32, String, String) {
    fs::write(folder.join("small.toml"), SMALL).unwrap();
    outcome(folder, &[&["capacity", "small.toml"], args].concat())
}

/// A file of the search's folder, as CSV.
fn lines(folder: &Path, name: &str) -> Vec<csv::StringRecord> {
    let file = folder.join("results/latest").join(name);
    let mut reader = csv::Reader::from_path(file).expect("the search leaves it");
    reader.records().map(|line| line.expect("a line")).collect()
}

#[test]
fn a_poll_that_waits_has_no_capacity_and_a_stream_holds_to_the_end_of_the_search() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--objective", "latency.p99 < 300ms", "--to", "2", "--export-json", "here.json"];
    let (code, stdout, stderr) = search(folder.path(), &args);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(stdout.starts_with("The most clients with latency.p99 < 300ms:\n"), "{stdout}");
    for part in [
        "at 1 client already, by its principle: it polls each 500ms.",
        "websocket: at least 2 clients; no more was tried.",
        "holds\n",
        "fails: its principle\n",
    ] {
        assert!(stdout.contains(part), "no `{part}` in: {stdout}");
    }
    assert!(stderr.contains("websocket    2 clients: holds"), "{stderr}");
    let found = lines(folder.path(), "capacity.csv");
    let of = |line: &csv::StringRecord| [1, 3, 4, 6].map(|at| line[at].to_owned()).join(" ");
    let found: Vec<String> = found.iter().map(of).collect();
    assert_eq!(found, ["short-poll misses  principle", "websocket at-least 2 asked"]);
    let steps = lines(folder.path(), "capacity_steps.csv");
    let loads: Vec<&str> =
        steps.iter().filter(|line| &line[1] == "websocket").map(|line| &line[3]).collect();
    assert_eq!(loads, ["1", "2"]);
    let record = folder.path().join("results/latest/run.json");
    let record: Value = serde_json::from_str(&fs::read_to_string(record).unwrap()).unwrap();
    assert_eq!(record["partial"], false);
    let exported = fs::read_to_string(folder.path().join("here.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&exported).unwrap(), record);
    let trials = record["trials"].as_array().unwrap().len() as u64;
    let counted: u64 = found_trials(folder.path());
    assert_eq!(trials, counted);
    // What is rebuilt from the record is the same.
    let before = fs::read(folder.path().join("results/latest/capacity.csv")).unwrap();
    fs::remove_file(folder.path().join("results/latest/capacity.csv")).unwrap();
    let (code, ..) = outcome(folder.path(), &["report", "results/latest"]);
    assert_eq!(code, 0);
    assert_eq!(fs::read(folder.path().join("results/latest/capacity.csv")).unwrap(), before);
}

fn found_trials(folder: &Path) -> u64 {
    lines(folder, "capacity.csv").iter().map(|line| line[10].parse::<u64>().unwrap()).sum()
}

#[test]
fn a_dry_run_says_what_will_be_tried_and_for_how_long() {
    let folder = tempfile::tempdir().unwrap();
    let args =
        ["--objective", "latency.p99 < 300ms", "--over", "rate", "--to", "5k/s", "--dry-run"];
    let (code, stdout, stderr) = search(folder.path(), &args);
    assert_eq!(code, 0, "{stderr}");
    for part in [
        "capacity over rate",
        "objective   latency.p99 < 300ms",
        "to 5000 messages/s at most",
        "time ",
    ] {
        assert!(stdout.contains(part), "no `{part}` in: {stdout}");
    }
    let (code, stdout, stderr) = search(folder.path(), &[&args[..], &["--json"]].concat());
    assert_eq!(code, 0, "{stderr}");
    let planned: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&planned["over"], &planned["most"]), (&"rate".into(), &5_000.0.into()));
    assert_eq!(planned["transports"], serde_json::json!(["short-poll", "websocket"]));
    assert_eq!(planned["objectives"], serde_json::json!(["latency.p99 < 300ms"]));
    assert!(planned["estimate_seconds"].as_f64().is_some_and(|seconds| seconds > 1.0));
    assert!(!folder.path().join("results").exists());
}

#[test]
fn what_cannot_be_looked_for_is_refused_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let p99 = ["--objective", "latency.p99 < 300ms"];
    let cases: [(&[&str], &str); 18] = [
        (&[], "say what has to hold, such as --objective"),
        (&["--objective", "latency < 5ms"], "unknown figure `latency`"),
        (&["--objective", "sse.latency.p99 < 5ms"], "not among those run: short-poll, websocket"),
        (&["--objective", "latency.p99"], "write it like `latency.p99 < 50ms`"),
        (&["--objective", "latency.p99 < soon"], "`soon` is not a duration"),
        (&["--objective", "fan_out.p99 < 5ms"], "measured where clients talk; see --talk"),
        (&["--objective", "proxy_cpu_per_msg < 5us"], "measured behind a proxy; see --via"),
        (&["--objective", "back.p50 < 1s"], "measured where clients come and go"),
        (&["--objective", "cross.down > 1Mbit/s"], "measured with traffic beside the feed"),
        (&["--objective", "lost >= 0"], "every value meets it"),
        (&["--threshold", "*.lost < 1"], "write --objective here"),
        (&[p99[0], p99[1], "--payload", "64B,128B"], "one value of each setting"),
        (&[p99[0], p99[1], "--refine"], "--refine is of a sweep"),
        (&[p99[0], p99[1], "--export-json", "no/such/folder"], "cannot write the export"),
        (&[p99[0], p99[1], "--runs", "6"], "as many trials as it needs"),
        (&[p99[0], p99[1], "--from", "9", "--to", "3"], "--from is more than --to"),
        (&[p99[0], p99[1], "--over", "rate", "--total-rate", "300/s"], "total_rate sets the rate"),
        (&[p99[0], p99[1], "--over", "colour"], "possible values: clients, rate, payload"),
    ];
    for (args, part) in cases {
        let (code, stdout, stderr) = search(folder.path(), args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}: {stderr}");
        assert!(stderr.contains(part), "{args:?}: {stderr}");
        assert!(!folder.path().join("results").exists(), "{args:?} left results behind");
    }
}

#[test]
fn the_scenarios_thresholds_are_the_objectives_where_none_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let more = "runs = 1\n[thresholds]\n\"websocket.delivered\" = \">= 50%\"\n";
    fs::write(folder.path().join("more.toml"), format!("{SMALL}{more}")).unwrap();
    let args = ["capacity", "more.toml", "--to", "1", "--json"];
    let (code, stdout, stderr) = outcome(folder.path(), &args);
    assert_eq!(code, 0, "{stderr}");
    let record: Value = serde_json::from_str(&stdout).unwrap();
    let capacity = &record["capacity"];
    assert_eq!(capacity["objectives"][0], "websocket.delivered >= 50%");
    // The other transport has none, and is not run.
    let searches = capacity["searches"].as_array().unwrap();
    assert_eq!(searches.len(), 1);
    assert_eq!(searches[0]["transport"], "websocket");
    assert_eq!(searches[0]["verdict"]["kind"], "at-least");
}

/// The search ends where this system has no descriptors for more, and says so.
#[test]
fn an_objective_that_is_met_everywhere_is_at_least_what_this_system_has_room_for() {
    use std::process::Command;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("small.toml"), SMALL).unwrap();
    let program = env!("CARGO_BIN_EXE_pushbench");
    let limited = format!(
        "ulimit -n 160 && exec {program} capacity small.toml -t websocket --rate 20/s \
         --objective 'latency.p99 < 5s' --load-processes 1"
    );
    let output = Command::new("sh")
        .args(["-c", &limited])
        .current_dir(folder.path())
        .env("PUSHBENCH_ALLOW_BUSY", "1")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{stdout}{stderr}");
    for part in ["websocket: at least ", "a limit of this system gives out first", "open files"] {
        assert!(stdout.contains(part), "no `{part}` in: {stdout}{stderr}");
    }
    let found = lines(folder.path(), "capacity.csv");
    assert_eq!(found[0][6], *"system", "{stdout}");
    let holds: f64 = found[0][4].parse().unwrap();
    assert!((16.0..160.0).contains(&holds), "{holds}");
}
