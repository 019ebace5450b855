//! A figure over many runs, end to end.

use std::fs;

use serde_json::Value;

use crate::common::outcome;

#[test]
fn a_change_that_the_trials_show_is_marked_in_the_run_that_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let settings =
        ["-t", "sse", "-c", "3", "-R", "100/s", "-w", "100ms", "-d", "300ms", "--runs", "6"];
    for (name, delay) in [("one", "0ms"), ("two", "0ms"), ("three", "60ms")] {
        let args = [&["run", "--publish-delay", delay, "--out", name], &settings[..]].concat();
        assert_eq!(outcome(path, &args).0, 0);
    }
    let runs = ["three/latest", "one/latest", "two/latest"];
    let args = [&["history", "--figure", "latency.p50", "--json"], &runs[..]].concat();
    let (code, stdout, stderr) = outcome(path, &args);
    assert_eq!(code, 0, "{stderr}");
    let told: Value = serde_json::from_str(&stdout).unwrap();
    let figures = told["figures"].as_array().unwrap();
    let of = |key: &str| figures.iter().map(|figure| figure[key].clone()).collect::<Vec<Value>>();
    assert_eq!(of("run"), ["one/latest", "two/latest", "three/latest"]);
    assert_eq!((of("trials"), of("figure")), (vec![6.into(); 3], vec!["latency_p50_us".into(); 3]));
    assert_eq!((&of("verdict")[0], &of("verdict")[2]), (&Value::Null, &"worse".into()));
    assert_eq!(of("verdict_since_first")[2], "worse");
    assert!(of("change_percent")[2].as_f64().unwrap() > 100.0, "{stdout}");

    let (_, table, _) =
        outcome(path, &[&["history", "--figure", "payload_bytes_per_msg"], &runs[..]].concat());
    assert!(
        table.contains("payload/msg of sse") && table.contains("64 B") && table.contains("none"),
        "{table}"
    );
    let (_, csv, _) = outcome(path, &[&["history", "--format", "csv"], &runs[..]].concat());
    assert!(csv.starts_with("run,started,point,transport,figure,value,trials,noise,"), "{csv}");
}

#[test]
fn runs_that_cannot_be_compared_are_shown_and_not_marked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for (name, window) in [("one", "200ms"), ("two", "300ms")] {
        let args =
            ["run", "-t", "sse", "-c", "2", "-w", "0", "-r", "1", "--out", name, "-d", window];
        assert_eq!(outcome(path, &args).0, 0);
    }
    let (code, stdout, stderr) =
        outcome(path, &["history", "one/latest", "two/latest", "one/latest"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stdout.contains("not compared") && stdout.contains("different settings: duration"),
        "{stdout}"
    );
    assert_eq!(stdout.lines().filter(|line| line.starts_with("one/latest")).count(), 1, "{stdout}");

    let (code, _, stderr) = outcome(path, &["history", "one/latest", "-t", "websocket"]);
    assert!(code == 2 && stderr.contains("none of the runs measured that"), "{stderr}");
    let (code, _, stderr) = outcome(path, &["history", "one/latest", "--figure", "speed"]);
    assert!(code == 2 && stderr.contains("latency.p99"), "{stderr}");
    fs::create_dir(path.join("empty")).unwrap();
    let (code, _, stderr) = outcome(path, &["history", "one/latest", "empty"]);
    assert!(code == 2 && stderr.contains("has no run.json"), "{stderr}");
}
