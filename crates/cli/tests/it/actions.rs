//! The job of docs/CI.md, as it is written there: its steps in a shell, with what a runner gives them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::common::outcome;

/// The `run:` block of the step of that name, without its indentation.
fn step(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/CI.md");
    let page = fs::read_to_string(path).unwrap();
    let (_, rest) = page.split_once(&format!("- name: {name}\n")).expect("the page has the step");
    let (_, block) = rest.split_once("run: |\n").expect("the step has commands");
    let indent = "          ";
    let lines = block.lines().map_while(|line| line.strip_prefix(indent));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Runs commands as a runner does: `bash -e`, the binary in the path, files for summary and outputs.
fn actions(folder: &Path, commands: &str) -> Output {
    let binary = Path::new(env!("CARGO_BIN_EXE_pushbench")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    Command::new("bash")
        .args(["-e", "-o", "pipefail", "-c", commands])
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", binary.display()))
        .env("GITHUB_STEP_SUMMARY", folder.join("step-summary.md"))
        .env("GITHUB_OUTPUT", folder.join("step-output"))
        .output()
        .expect("bash starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn has_jq() -> bool {
    let there = Command::new("jq").arg("--version").output().is_ok();
    if !there {
        eprintln!("skipped: jq is not installed; apt install jq");
    }
    there
}

/// The record at `ci/baseline` with its bytes of framing in each trial of WebSockets changed by one message's.
fn with_less_framing(folder: &Path) {
    let path = folder.join("ci/baseline/run.json");
    let mut record: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for trial in record["trials"].as_array_mut().unwrap() {
        if trial["id"]["transport"] != "websocket" {
            continue;
        }
        let messages = trial["measured"]["counters"]["messages_in_window"].as_u64().unwrap();
        let framing = &mut trial["measured"]["ledger"]["phases"][2]["down"][1];
        let less = framing.as_u64().unwrap() - messages;
        *framing = less.into();
    }
    fs::write(path, record.to_string()).unwrap();
}

#[test]
fn the_job_passes_fails_and_abstains_for_what_such_a_machine_can_judge() {
    if !has_jq() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let (measure, compare) = (step("Measure"), step("Compare with the stored run"));

    let measured = actions(path, &measure);
    assert!(measured.status.success(), "{}{}", text(&measured.stdout), text(&measured.stderr));
    let read = |name: &str| fs::read_to_string(path.join(name)).unwrap();
    assert_eq!(read("step-output"), "measured=yes\n");
    let summary = read("step-summary.md");
    assert!(summary.contains("# pushbench: quick") && summary.contains("✓"), "{summary}");
    assert!(!summary.contains("!["), "a picture that is not there: {summary}");

    fs::create_dir_all(path.join("ci/baseline")).unwrap();
    fs::copy(path.join("results/latest/run.json"), path.join("ci/baseline/run.json")).unwrap();
    let same = actions(path, &compare);
    assert!(same.status.success(), "{}{}", text(&same.stdout), text(&same.stderr));
    assert!(read("step-summary.md").contains("| transport | figure |"));

    with_less_framing(path);
    let worse = actions(path, &compare);
    let said = text(&worse.stdout);
    assert!(!worse.status.success(), "{said}{}", text(&worse.stderr));
    assert!(said.contains("::error::more bytes: websocket framing_bytes_per_msg"), "{said}");

    let broken = actions(path, &measure.replace("< 5B", "< 1B"));
    let said = text(&broken.stdout);
    assert!(
        broken.status.code() == Some(1) && said.contains("::error::a threshold is broken"),
        "{said}"
    );
}

/// Slower by far is told and fails nothing: on such a machine it may be the neighbours.
#[test]
fn a_latency_that_rose_is_a_notice() {
    if !has_jq() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let settings =
        ["-t", "sse", "-c", "5", "-R", "50/s", "-w", "100ms", "-d", "500ms", "--runs", "6"];
    let run = |more: &[&str]| outcome(path, &[&["run"], &settings[..], more].concat());
    assert_eq!(run(&[]).0, 0);
    fs::create_dir_all(path.join("ci/baseline")).unwrap();
    fs::copy(path.join("results/latest/run.json"), path.join("ci/baseline/run.json")).unwrap();
    assert_eq!(run(&["--publish-delay", "100ms"]).0, 0);
    let told = actions(path, &step("Compare with the stored run"));
    let said = text(&told.stdout);
    assert!(told.status.success(), "{said}{}", text(&told.stderr));
    assert!(
        said.contains("::notice::not judged on a shared machine: sse latency_p50_us"),
        "{said}"
    );
}
