//! Runs that are repeated from what they left, and what of a record is not run without consent.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::common::{Serving, outcome};

/// A header profile of nobody's.
const PROFILE: &str = r#"
name = "mine"
about = "of a test"
request = { headers = [["Host", "{host}"], ["X-Mine", "1"]] }
"#;

fn record(folder: &Path, run: &str) -> Value {
    serde_json::from_slice(&fs::read(folder.join(run).join("run.json")).unwrap()).unwrap()
}

/// The folders of runs under `results`, in the order of their names.
fn runs(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder.join("results")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != "latest").collect();
    names.sort();
    names.iter().map(|name| format!("results/{name}")).collect()
}

/// The request that a run came from.
fn asked(record: &Value) -> [Value; 5] {
    ["scenario", "points", "headers", "flags", "price"].map(|key| record[key].clone())
}

/// Which trials ran, in their order, without repeats of those that the machine disturbed.
fn order(record: &Value) -> Vec<Value> {
    let trials = record["trials"].as_array().unwrap().iter();
    trials.filter(|trial| trial["attempt"] == 1).map(|trial| trial["id"].clone()).collect()
}

/// Whether a run went through, valid or not: what it was asked for does not hang on the machine.
fn ran(code: i32) -> bool {
    [0, 3].contains(&code)
}

/// A trace and a header profile, which flags name.
fn write_files(path: &Path) {
    fs::write(
        path.join("feed.csv"),
        "offset_ms,payload\n0,\"a,b\"\n40.5,c\n120,\"d\"\"e\"\n200,f\n",
    )
    .unwrap();
    fs::write(path.join("mine.toml"), PROFILE).unwrap();
}

#[test]
fn a_run_is_repeated_from_its_folder_with_all_that_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_files(path);
    let args = "run --trace feed.csv --speed 2 -t websocket,short-poll -c 2,3 -w 0 -d 300ms -r 1 \
                --seed 18446744073709551615 --headers mine.toml --poll-interval 50ms --publish-delay 1ms \
                --load-processes 2 --server-processes 2 --no-pin --no-stamps --allow-busy --price gcp-e2";
    let threshold = ["--threshold", "*.lost < 1"];
    let args: Vec<&str> = args.split_whitespace().chain(threshold).collect();
    let (code, _, stderr) = outcome(path, &args);
    assert!(ran(code), "{stderr}");
    let first = runs(path).remove(0);
    let before = record(path, &first);
    for (flag, value) in [("load_processes", 2), ("server_processes", 2)] {
        assert_eq!(before["flags"][flag], value, "{flag}");
    }
    for flag in ["no_pin", "no_stamps", "allow_busy"] {
        assert_eq!(before["flags"][flag], true, "{flag}");
    }

    // The folder alone has what is needed.
    fs::remove_file(path.join("feed.csv")).unwrap();
    fs::remove_file(path.join("mine.toml")).unwrap();
    fs::rename(path.join(&first), path.join("kept")).unwrap();
    let (code, _, stderr) = outcome(path, &["run", "kept"]);
    assert!(ran(code), "{stderr}");
    let after = record(path, "results/latest");
    assert_eq!(asked(&after), asked(&before));
    assert_eq!(order(&after), order(&before));
    let published = |record: &Value| record["trials"][0]["measured"]["audit"]["published"].clone();
    assert_eq!(published(&after), published(&before));

    // What is changed beside it is changed alone.
    let (code, _, stderr) = outcome(path, &["run", "kept", "-c", "4", "--dry-run"]);
    assert_eq!(code, 0, "{stderr}");
    let (code, stdout, _) = outcome(path, &["run", "kept/run.json", "-c", "4", "--dry-run"]);
    assert!(
        code == 0 && stdout.contains("4 clients") && stdout.contains("replay schedule"),
        "{stdout}"
    );
}

#[test]
fn the_settings_of_a_run_are_a_scenario() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let args = [
        "run",
        "ticker",
        "-c",
        "3",
        "-t",
        "sse",
        "-w",
        "0",
        "-d",
        "200ms",
        "-r",
        "1",
        "--load-processes",
        "2",
    ];
    assert!(ran(outcome(path, &args).0));
    let text = fs::read_to_string(path.join("results/latest/scenario.toml")).unwrap();
    assert!(text.starts_with("# The settings of a run") && text.contains("--load-processes 2."));
    let before = record(path, "results/latest");
    fs::write(path.join("mine.toml"), text).unwrap();
    assert!(ran(outcome(path, &["run", "mine.toml"]).0));
    assert_eq!(record(path, "results/latest")["scenario"], before["scenario"]);
}

/// A subject in a record from somewhere: its commands are shown, and run with consent alone.
#[test]
fn a_record_runs_no_command_without_consent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let tiny = ["run", "-t", "sse", "-c", "2", "-w", "0", "-d", "200ms", "-r", "1"];
    assert!(ran(outcome(path, &tiny).0));
    let file = path.join("results/latest/run.json");
    let mut record: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    record["scenario"]["subject"] = "evil".into();
    record["points"][0]["subject"] = "evil".into();
    record["subjects"] = serde_json::json!([{
        "name": "evil", "about": "of somebody", "publish": "stdin",
        "transports": { "sse": { "path": "/" } },
        "program": { "command": ["touch", "owned"], "ports": { "port": 0 } },
    }]);
    fs::write(&file, record.to_string()).unwrap();
    for args in [&["run", "results/latest"][..], &["run", "results/latest/run.json", "--dry-run"]] {
        let (code, _, stderr) = outcome(path, args);
        assert_eq!(code, 2, "{stderr}");
        assert!(
            stderr.contains("subject evil of the record runs commands on this machine; --trust"),
            "{stderr}"
        );
        assert!(stderr.contains("  touch owned"), "{stderr}");
    }
    assert!(!path.join("owned").exists());
    // The scenario beside it names the subject, and has no command.
    assert_eq!(outcome(path, &["report", "results/latest"]).0, 0);
    let text = fs::read_to_string(path.join("results/latest/scenario.toml")).unwrap();
    assert!(text.contains("subject = \"evil\"") && !text.contains("touch"), "{text}");
}

#[test]
fn load_on_a_server_is_repeated_with_consent_and_a_secret_from_its_variable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let server = Serving::start(path, &["--rate", "50/s"]);
    let args = [
        "load",
        "--target",
        &server.url,
        "--path",
        "/feed/sse",
        "-t",
        "sse",
        "--seq",
        r"re:(\d{10})",
        "--header",
        "Authorization: Bearer hunter2hunter2",
        "-c",
        "2",
        "-w",
        "0",
        "-d",
        "200ms",
    ];
    let (code, _, stderr) = outcome(path, &args);
    assert!(ran(code), "{stderr}");
    let first = runs(path).remove(0);
    fs::rename(path.join(&first), path.join("kept")).unwrap();

    let (code, _, stderr) = outcome(path, &["run", "kept"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("kept puts load on a server; --trust says that it may"), "{stderr}");
    assert!(stderr.contains("pushbench load --target") && !stderr.contains("hunter2"), "{stderr}");
    let (code, _, stderr) = outcome(path, &["run", "kept", "--trust"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("put it into the variable PUSHBENCH_AUTHORIZATION"), "{stderr}");
    let mut command = crate::common::pushbench(path, &["run", "kept", "--trust"]);
    let output = command.env("PUSHBENCH_AUTHORIZATION", "Bearer hunter2hunter2").output().unwrap();
    let code = output.status.code().unwrap_or(-1);
    assert!(ran(code), "{}", String::from_utf8_lossy(&output.stderr));
    let again = record(path, "results/latest");
    assert_eq!(again["command_line"], record(path, "kept")["command_line"]);
    assert!(!again.to_string().contains("hunter2"));

    let (code, _, stderr) = outcome(path, &["run", "kept", "--trust", "-c", "3"]);
    assert!(code == 2 && stderr.contains("repeated as it was typed"), "{stderr}");
}

#[test]
fn results_are_exported_where_they_are_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let tiny = [
        "run",
        "-t",
        "sse",
        "-c",
        "2",
        "-w",
        "0",
        "-d",
        "200ms",
        "-r",
        "1",
        "--threshold",
        "sse.lost < 1",
    ];
    let more =
        ["--export-json", "a.json", "--export-csv", "b.csv", "--export-markdown", "c.md", "--json"];
    let (code, stdout, stderr) = outcome(path, &[&tiny[..], &more].concat());
    assert_eq!(code, 0, "{stderr}");
    let read = |name: &str| fs::read_to_string(path.join(name)).unwrap();
    let kept = read("results/latest/run.json");
    assert_eq!((read("a.json"), read("b.csv")), (kept.clone(), read("results/latest/summary.csv")));
    assert_eq!(stdout, kept);
    let record: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(record["thresholds"][0]["verdict"], "met");
    let pasted = read("c.md");
    assert!(pasted.starts_with("# pushbench: quick") && !pasted.contains("!["), "{pasted}");

    let before = runs(path);
    for (args, part) in [
        (&["--export-csv", "no/such/b.csv"][..], "cannot write the export no/such/b.csv"),
        (&["--export-csv", "x", "--export-json", "x"], "two exports would be in one file"),
        (&["ticker", "--export-csv", "x"], "an export is of one run"),
    ] {
        let args = [&tiny[..1], &["quick"], args, &tiny[1..]].concat();
        let (code, _, stderr) = outcome(path, &args);
        assert!(code == 2 && stderr.contains(part), "{args:?}: {stderr}");
    }
    assert_eq!(runs(path), before, "what was refused left results behind");
}
