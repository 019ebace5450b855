//! Thresholds and comparisons, end to end: what is refused, and which exit status says what.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use crate::common::{Serving, outcome};
use serde_json::Value;
use tempfile::TempDir;

const TINY: &str = r#"
transports = ["sse", "websocket"]
clients = 3
rate = "100/s"
warmup = "100ms"
duration = "200ms"
runs = 1
"#;

/// Runs the tiny scenario with more of it and more arguments: exit status, output, errors.
fn tiny(folder: &Path, more: &str, args: &[&str]) -> (i32, String, String) {
    fs::write(folder.join("tiny.toml"), format!("{TINY}{more}")).unwrap();
    outcome(folder, &[&["run", "tiny.toml"], args].concat())
}

#[test]
fn a_threshold_that_can_never_hold_is_refused_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    for (condition, part) in [
        ("sse.latency.p99", "is no condition"),
        ("sse.speed < 1", "unknown figure `speed`; the figures are latency.mean"),
        ("pigeon.lost < 1", "unknown transport `pigeon`"),
        ("short-poll.lost < 1", "is not among those run: sse, websocket"),
        ("sse.latency.p99 < 50", "write it like `500ms`"),
        ("sse.lost >= 0", "every value meets it"),
        ("*.delivered <= 100%", "every value meets it"),
        ("sse.errors < 0", "no value meets it"),
        ("*.latency.p999 < 1s", "needs 10000 latencies in a trial and will have about 60"),
    ] {
        let (code, stdout, stderr) = tiny(folder.path(), "", &["--threshold", condition]);
        assert_eq!((code, stdout.as_str()), (2, ""), "{condition}: {stderr}");
        assert!(stderr.contains(part), "{condition}: {stderr}");
        assert!(!folder.path().join("results").exists(), "{condition} left results behind");
    }
    let table = "[thresholds]\n\"sse.latency.p50\" = \"fast\"\n";
    let (code, _, stderr) = tiny(folder.path(), table, &[]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("tiny.toml") && stderr.contains("line 9"), "{stderr}");
}

#[test]
fn a_broken_threshold_ends_with_99_and_one_that_is_met_with_0() {
    let folder = tempfile::tempdir().unwrap();
    let table =
        "[thresholds]\n\"*.delivered\" = \">= 100%\"\n\"sse.payload_bytes_per_msg\" = \"< 10B\"\n";
    let (code, stdout, stderr) = tiny(folder.path(), table, &[]);
    assert_eq!(code, 99, "{stdout}{stderr}");
    for line in [
        "✓ *.delivered >= 100%: sse 100 %",
        "✓ *.delivered >= 100%: websocket 100 %",
        "✗ sse.payload_bytes_per_msg < 10B: 64 B",
    ] {
        assert!(stdout.lines().any(|said| said == line), "no `{line}` in {stdout}");
    }
    let page = fs::read_to_string(folder.path().join("results/latest/report.html")).unwrap();
    assert!(page.contains("✗ sse.payload_bytes_per_msg &lt; 10B: 64 B"));
    let record = fs::read_to_string(folder.path().join("results/latest/run.json")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["scenario"]["thresholds"]["*.delivered"], ">= 100%");
    let verdicts: Vec<_> = record["thresholds"].as_array().unwrap().iter().collect();
    let of = |index: usize, key: &str| verdicts[index][key].clone();
    assert_eq!((of(0, "transport"), of(0, "verdict")), ("sse".into(), "met".into()));
    assert_eq!(
        (of(2, "threshold"), of(2, "measured"), of(2, "verdict")),
        ("sse.payload_bytes_per_msg < 10B".into(), 64.0.into(), "broken".into())
    );
    let told = ["threshold broken: tiny: sse.payload_bytes_per_msg < 10B: 64 B"];
    assert_eq!(stderr.lines().collect::<Vec<_>>(), told);
    for quiet in ["-q", "--json"] {
        let (code, _, stderr) = tiny(folder.path(), table, &[quiet]);
        assert_eq!((code, stderr.lines().collect::<Vec<_>>()), (99, told.to_vec()), "{quiet}");
    }

    // A flag takes the place of what the scenario says of the same figure.
    let flag = ["-q", "--threshold", "sse.payload_bytes_per_msg <= 64B"];
    let (code, stdout, stderr) = tiny(folder.path(), table, &flag);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(stdout.contains("✓ sse.payload_bytes_per_msg <= 64B: 64 B"), "{stdout}");
}

/// A figure that was not measured is neither met nor broken: the run does not answer what was asked.
#[test]
fn a_threshold_on_what_was_not_measured_is_told_with_status_3() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..20).map(|n| format!("{},tick{n}\n", n * 10)).collect();
    fs::write(folder.path().join("few.csv"), format!("offset_ms,payload\n{rows}")).unwrap();
    let few = r#"
transports = ["sse", "websocket"]
clients = 3
warmup = "100ms"
duration = "200ms"
runs = 1
[feed]
schedule = "replay"
trace = "few.csv"
[thresholds]
"*.lost" = "< 1"
"sse.latency.p90" = "< 10s"
"#;
    fs::write(folder.path().join("few.toml"), few).unwrap();
    for quiet in ["--no-progress", "-q", "--json"] {
        let (code, stdout, stderr) = outcome(folder.path(), &["run", "few.toml", quiet]);
        assert_eq!(code, 3, "{quiet}: {stdout}{stderr}");
        let told = ["threshold not judged: few: sse.latency.p90 < 10s: – (not measured)"];
        // A machine that stood still has a trial repeated, which is said too.
        let lines = stderr.lines().filter(|line| !line.starts_with("repeated: "));
        assert_eq!(lines.collect::<Vec<_>>(), told, "{quiet}");
    }
    // The report that is rebuilt from the record says the same.
    let page = || fs::read_to_string(folder.path().join("results/latest/report.html")).unwrap();
    let before = page();
    let (code, _, stderr) = outcome(folder.path(), &["report", "results/latest"]);
    assert_eq!((code, page()), (0, before), "{stderr}");
}

/// A record of six trials whose server CPU is `factor` s, made from one of a real run.
fn made_slower(folder: &Path, name: &str, factor: u64) {
    made(folder, name, 6, |_, _| factor);
}

/// A record of `rounds` trials, made from one of a real run: each of them changed, and its server
/// CPU as many seconds as `change` says.
fn made(folder: &Path, name: &str, rounds: u64, change: impl Fn(u64, &mut Value) -> u64) {
    let text = fs::read_to_string(folder.join("results/latest/run.json")).unwrap();
    let mut record: Value = serde_json::from_str(&text).unwrap();
    let trials = record["trials"].as_array().unwrap().clone();
    let change = &change;
    let repeated = (1..=rounds).flat_map(|round| {
        trials.iter().cloned().map(move |mut trial| {
            trial["id"]["round"] = round.into();
            trial["order"] = round.into();
            let factor = change(round, &mut trial);
            let total = &mut trial["resources"]["server_cpu"]["total"];
            *total = serde_json::json!({ "secs": factor, "nanos": round * 1_000_000 });
            trial
        })
    });
    record["trials"] = repeated.collect();
    fs::create_dir(folder.join(name)).unwrap();
    fs::write(folder.join(name).join("run.json"), record.to_string()).unwrap();
}

/// A folder with a run of the tiny scenario, which several tests share.
fn after_a_run() -> TempDir {
    static RECORD: LazyLock<String> = LazyLock::new(|| {
        let work = tempfile::tempdir().unwrap();
        let (code, _, stderr) = tiny(work.path(), "", &[]);
        assert_eq!(code, 0, "{stderr}");
        fs::read_to_string(work.path().join("results/latest/run.json")).unwrap()
    });
    let work = tempfile::tempdir().unwrap();
    let folder = work.path().join("results/latest");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("run.json"), &*RECORD).unwrap();
    work
}

#[test]
fn runs_are_compared_and_what_is_worse_breaks_a_threshold() {
    let work = after_a_run();
    let folder = work.path();
    made_slower(folder, "before", 1);
    made_slower(folder, "after", 2);
    let compare = |args: &[&str]| outcome(folder, &[&["compare"], args].concat());

    let (code, table, stderr) = compare(&["before", "after"]);
    assert_eq!(code, 0, "{stderr}");
    let worse: Vec<&str> = table.lines().filter(|line| line.ends_with("  worse")).collect();
    assert!(worse.len() == 2 && worse.iter().all(|l| l.contains("server CPU/msg")), "{table}");
    assert!(!table.contains('\u{1b}'), "colour only on a terminal: {table}");

    let (code, _, stderr) = compare(&["before", "after/run.json", "--threshold", "5%"]);
    assert_eq!(code, 99, "{stderr}");
    assert!(stderr.contains("worse by more than 5 %: sse server_cpu_us_per_msg"), "{stderr}");
    for args in [["after", "before"], ["before", "before"]] {
        let (code, _, stderr) = compare(&[&args[..], &["--threshold", "5%"]].concat());
        assert_eq!(code, 0, "{stderr}");
    }
    let (_, json, _) = compare(&["before", "after", "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    // Five figures of two transports, but for the p99 of so few latencies.
    assert_eq!(json["judged"], 8);
}

/// Few trials can show nothing of what has noise, so a gate on it would hold whatever happened.
#[test]
fn a_gate_that_no_change_could_break_is_refused_unless_another_figure_breaks_it() {
    let work = after_a_run();
    let folder = work.path();
    let more_payload = |_, trial: &mut Value| {
        // Phases and layers are in the order of the ledger's columns: window, down, payload.
        let payload = &mut trial["measured"]["ledger"]["phases"][2]["down"][0];
        *payload = (payload.as_u64().unwrap() * 2).into();
        1
    };
    for (rounds, beside) in [(1_u64, None), (3, Some(11)), (4, Some(7))] {
        let name = |what: &str| format!("{what}-{rounds}");
        made(folder, &name("before"), rounds, |_, _| 1);
        made(folder, &name("slow"), rounds, |_, _| 3);
        made(folder, &name("large"), rounds, more_payload);
        let gate = |after: &str| {
            let args = ["compare", &name("before"), &name(after), "--threshold", "5%"];
            outcome(folder, &args)
        };
        // Three times the CPU, and no difference could be shown.
        let (code, stdout, stderr) = gate("slow");
        assert_eq!(code, 2, "{rounds}: {stdout}{stderr}");
        let beside = beside.map(|more| format!(", or the second with --runs {more} beside"));
        for part in [
            "error: --threshold 5% could not be broken by sse latency_p50_us",
            "websocket server_cpu_us_per_msg",
            &format!("with {rounds} and {rounds} trials"),
            &format!("run both with --runs 6{}", beside.unwrap_or_default()),
        ] {
            assert!(stderr.contains(part), "{rounds}: no `{part}` in {stderr}");
        }
        let (code, _, stderr) = gate("large");
        assert_eq!(code, 99, "{rounds}: {stderr}");
        for contender in ["sse", "websocket"] {
            let line = format!("worse by more than 5 %: {contender} payload_bytes_per_msg (64.00 ");
            assert!(stderr.lines().any(|said| said.starts_with(&line)), "{rounds}: {stderr}");
        }
        let args = ["compare", &name("before"), &name("slow")];
        assert_eq!(outcome(folder, &args).0, 0, "without a threshold there is no gate");
    }
}

/// A figure that was to be measured in both runs and is in one of them held nothing.
#[test]
fn a_gate_does_not_pass_what_one_of_the_runs_did_not_measure() {
    let work = after_a_run();
    let folder = work.path();
    made(folder, "whole", 6, |_, _| 1);
    let invalid = |_, trial: &mut Value| {
        if trial["id"]["transport"] == "sse" {
            trial["invalid"] = serde_json::json!([{ "kind": "audit-unbalanced" }]);
        }
        1
    };
    made(folder, "half", 6, invalid);
    let without_bytes = |_, trial: &mut Value| {
        trial["measured"]["ledger"]["tcpip"] = serde_json::json!([]);
        1
    };
    made(folder, "bare", 6, without_bytes);
    for (after, part) in [
        ("half", "only one of the runs has a valid trial of sse (whole)"),
        ("bare", "only one of the runs has sse wire_bytes_per_msg (whole)"),
    ] {
        let (code, _, stderr) = outcome(folder, &["compare", "whole", after, "--threshold", "5%"]);
        assert_eq!(code, 2, "{after}: {stderr}");
        assert!(stderr.contains(part), "{after}: {stderr}");
    }
}

#[test]
fn a_run_that_cannot_be_compared_is_named_with_status_2() {
    let work = after_a_run();
    let folder = work.path();
    let good = fs::read_to_string(folder.join("results/latest/run.json")).unwrap();
    let mut other: Value = serde_json::from_str(&good).unwrap();
    other["scenario"]["duration"] = "9s".into();
    let mut empty = other.clone();
    empty["trials"] = serde_json::json!([]);
    for (name, text) in [
        ("damaged", good[..good.len() / 2].to_owned()),
        ("newer", "{\"format\": 999}".to_owned()),
        ("other", other.to_string()),
        ("empty", empty.to_string()),
    ] {
        fs::create_dir(folder.join(name)).unwrap();
        fs::write(folder.join(name).join("run.json"), text).unwrap();
    }
    fs::create_dir(folder.join("folder")).unwrap();
    for (run, part) in [
        ("nowhere", "nowhere does not exist"),
        ("folder", "has no run.json"),
        ("damaged", "is damaged at line"),
        ("newer", "is of format 999"),
        ("other", "duration (200ms and 9s)"),
        ("empty", "empty has no valid trial"),
    ] {
        let (code, stdout, stderr) = outcome(folder, &["compare", "results/latest", run]);
        assert_eq!((code, stdout.as_str()), (2, ""), "{run}: {stderr}");
        assert!(stderr.contains(part), "{run}: {stderr}");
    }
    let (code, stdout, stderr) =
        outcome(folder, &["compare", "results/latest", "other", "--ignore-settings"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("different settings"), "{stdout}");
}

#[test]
fn a_threshold_on_what_is_not_known_of_a_running_server_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(folder.path(), &["--rate", "50/s"]);
    let args = ["load", "--target", &server.url, "-t", "sse", "-c", "2", "-d", "200ms"];
    let load =
        |condition| outcome(folder.path(), &[&args[..], &["--threshold", condition]].concat());
    let (code, _, stderr) = load("sse.server_cpu_per_msg < 1s");
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("is not measured where --server-pid is not given"), "{stderr}");
    let (code, _, stderr) = load("sse.latency.p90 < 1s");
    assert_eq!(code, 2, "the target's rate gives 20 latencies: {stderr}");
    assert!(stderr.contains("needs 100 latencies in a trial and will have about 20"), "{stderr}");
    assert!(!folder.path().join("results").exists());
}
