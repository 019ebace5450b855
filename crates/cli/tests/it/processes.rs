//! Runs over several processes, cores and local addresses.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::outcome;
use serde_json::Value;

const SMALL: &str = r#"
    name = "small"
    transports = ["short-poll", "long-poll", "sse", "websocket"]
    clients = 20
    rate = "50/s"
    poll_interval = "100ms"
    warmup = "200ms"
    duration = "500ms"
    runs = 1
"#;

/// The trials of a run of [`SMALL`] that stand, with more arguments.
fn trials(args: &[&str]) -> Vec<Value> {
    let work = tempfile::tempdir().unwrap();
    fs::write(work.path().join("small.toml"), SMALL).unwrap();
    let all = [&["run", "small.toml", "--json"], args].concat();
    let (code, stdout, stderr) = outcome(work.path(), &all);
    assert_eq!(code, 0, "{args:?}: {stdout}{stderr}");
    standing(&stdout)
}

/// The trials of a record that were not repeated.
fn standing(record: &str) -> Vec<Value> {
    let record: Value = serde_json::from_str(record).unwrap();
    let trials = record["trials"].as_array().unwrap().iter();
    trials.filter(|trial| trial["invalid"].as_array().unwrap().is_empty()).cloned().collect()
}

fn expect_all_delivered(trial: &Value, clients: u64) {
    let audit = &trial["measured"]["audit"];
    assert_eq!(audit["clients"], clients, "{}", trial["id"]);
    assert_eq!(audit["delivered"], audit["expected"], "{}", trial["id"]);
    let published = audit["published"].as_u64().unwrap();
    assert!(published > 0);
    assert_eq!(audit["expected"].as_u64().unwrap(), published * clients);
    assert_eq!(trial["server"]["published"], published);
}

#[test]
fn clients_are_split_over_processes_and_nothing_is_lost() {
    let trials = trials(&["--load-processes", "6", "--server-processes", "3"]);
    assert_eq!(trials.len(), 4);
    for trial in &trials {
        expect_all_delivered(trial, 20);
        let resources = &trial["resources"];
        assert_eq!(
            (&resources["load_processes"], &resources["server_processes"]),
            (&6.into(), &3.into())
        );
        assert!(resources["server_cpu"]["total"]["nanos"].as_u64() > Some(0));
    }
}

#[test]
fn processes_are_kept_apart_unless_told_otherwise() {
    let kept = trials(&["-t", "websocket"]);
    let pinned = &kept[0]["resources"]["pinned"];
    let cores = std::thread::available_parallelism().unwrap().get();
    if cores < 2 {
        assert!(pinned.is_null());
    } else {
        assert_eq!(pinned["server"].as_array().unwrap().len(), 1);
        assert_ne!(pinned["server"][0], pinned["load"][0]);
    }
    let free = trials(&["-t", "websocket", "--no-pin"]);
    assert!(free[0]["resources"]["pinned"].is_null());
}

/// Bare loops read what was written, over as many processes and addresses as the trial beside them.
#[test]
fn the_floor_is_played_at_each_point() {
    let work = tempfile::tempdir().unwrap();
    fs::write(work.path().join("floor.toml"), format!("floor = true\n{SMALL}")).unwrap();
    let args = "run floor.toml -t sse -c 10,20 --load-processes 2 --server-processes 2 --json";
    let (code, stdout, stderr) = outcome(work.path(), &args.split(' ').collect::<Vec<_>>());
    assert_eq!(code, 0, "{stdout}{stderr}");
    let record: Value = serde_json::from_str(&stdout).unwrap();
    let floors = record["floors"].as_array().unwrap();
    // One that a busy machine spoiled is played again.
    let is_valid = |floor: &&Value| floor["invalid"].as_array().unwrap().is_empty();
    let floors: Vec<&Value> = floors.iter().filter(is_valid).collect();
    assert_eq!(floors.len(), 2);
    for (floor, (point, clients)) in floors.iter().zip([(1, 10), (2, 20)]) {
        assert_eq!(floor["point"], Value::from(point));
        // 25 fall due in the window; one that is read late may count for the time behind it.
        let messages = floor["messages"].as_u64().unwrap();
        assert!((clients * 20..=clients * 30).contains(&messages), "{floor}");
        for cpu in ["server_cpu", "load_cpu"] {
            assert!(floor[cpu]["total"]["nanos"].as_u64() > Some(0), "{floor}");
        }
    }
    let csv = fs::read_to_string(work.path().join("results/latest/floor.csv")).unwrap();
    assert!(csv.lines().count() >= 3, "{csv}");
}

/// 300 connections a second that each leave a port waiting for a minute.
#[test]
fn connections_that_come_and_go_have_several_addresses() {
    let trials = trials(&["-t", "short-poll-close", "-c", "30"]);
    expect_all_delivered(&trials[0], 30);
    assert!(trials[0]["resources"]["source_addresses"].as_u64() > Some(1));
}

/// Runs the binary in `folder` under a limit of open files.
fn limited(folder: &Path, files: u32, args: &str) -> (i32, String, String) {
    let script = format!("ulimit -n {files} && exec \"$0\" {args}");
    let output = Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_pushbench")])
        .current_dir(folder)
        .env("PUSHBENCH_ALLOW_BUSY", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

#[test]
fn more_clients_than_one_process_may_have_open_take_two() {
    let work = tempfile::tempdir().unwrap();
    fs::write(work.path().join("small.toml"), SMALL).unwrap();
    let args = "run small.toml -t websocket -c 300 -R 10/s --json";
    let (code, stdout, stderr) = limited(work.path(), 250, args);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let trial = &standing(&stdout)[0];
    expect_all_delivered(trial, 300);
    let resources = &trial["resources"];
    assert_eq!(
        (&resources["load_processes"], &resources["server_processes"]),
        (&2.into(), &2.into())
    );
}

#[test]
fn what_does_not_fit_is_refused_with_what_would() {
    let work = tempfile::tempdir().unwrap();
    let cases = [
        (
            "run -c 300 --load-processes 1",
            "cannot open 300 connections: the limit of open files is 250; raise it with \
             `ulimit -n` or pass `--clients 180`",
        ),
        ("run -c 30k", "the limit of open files is 250 in each of 64 processes"),
        ("run -c 300 --load-processes 5 --server-processes 2", "pass `--load-processes 6`"),
        ("run --load-processes 65", "65 is not in 1..=64"),
        ("load --target http://127.0.0.1:9 -c 30k", "the limit of open files is 250 in each"),
    ];
    for (args, part) in cases {
        let (code, stdout, stderr) = limited(work.path(), 250, args);
        assert_eq!(code, 2, "{args}: {stderr}");
        assert!(stderr.contains(part), "{args} said: {stderr}");
        assert_eq!(stdout, "", "{args}");
    }
}
