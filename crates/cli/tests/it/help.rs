//! Help, lists and generated files: what a user reads before the first run.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::common::outcome;

fn says(args: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = outcome(folder.path(), args);
    assert_eq!(code, 0, "{args:?}: {stderr}");
    stdout
}

/// The whole help of each command beside the files in `snapshots/`.
#[test]
fn every_command_says_what_it_did() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let commands = [
        "",
        "run",
        "advise",
        "serve",
        "load",
        "link",
        "enter",
        "headers",
        "compare",
        "capacity",
        "doctor",
        "report",
        "scenarios",
        "completions",
        "man",
    ];
    for command in commands {
        let args: &[&str] = if command.is_empty() { &["--help"] } else { &[command, "--help"] };
        let help = says(args);
        // Where nobody has written an example there is none to start from.
        assert!(help.contains("Example") && !help.contains("worker"), "{command}: {help}");
        let name = if command.is_empty() { "pushbench" } else { command };
        settings.bind(|| insta::assert_snapshot!(name, help));
    }
}

#[test]
fn help_offers_nothing_that_the_command_refuses() {
    for command in ["capacity", "advise"] {
        let help = says(&[command, "--help"]);
        let words = help.split_whitespace().collect::<Vec<&str>>().join(" ");
        assert!(words.contains("--delay") && !words.contains("may be a list"), "{help}");
    }
    let help = says(&["capacity", "--help"]);
    assert!(!help.contains("--threshold <") && !help.contains("--runs"), "{help}");
}

#[test]
fn built_in_scenarios_are_listed_with_their_question_and_can_be_shown() {
    let list = says(&["scenarios"]);
    for name in ["quick", "ticker", "idle", "burst", "earthquakes", "high-rate"] {
        assert!(list.contains(name), "{list}");
        let shown = says(&["scenarios", "show", name]);
        let question = shown.lines().find(|line| line.starts_with("question")).unwrap();
        let asked = question.split('"').nth(1).unwrap();
        assert!(list.contains(asked), "{asked}");
    }
}

#[test]
fn a_dry_run_prints_points_and_time_and_starts_nothing() {
    let plan = says(&["run", "--dry-run", "-R", "1/s,10/s", "-c", "10,1k", "--runs", "2"]);
    assert!(plan.contains("32 = 4 points × 4 transports × 2 runs"), "{plan}");
    assert!(plan.contains("1000 clients, 10 messages/s of 64 B"), "{plan}");
    assert!(plan.contains("constant schedule") && plan.contains("time"), "{plan}");
    let plan = says(&["run", "--dry-run", "--cookie-bytes", "0,400", "-t", "sse", "-r", "1"]);
    assert!(plan.contains("400 B of cookies") && plan.contains("× 1 transport × 1 run,"), "{plan}");
}

#[test]
fn completions_and_man_page_are_generated() {
    assert!(says(&["completions", "bash"]).contains("_pushbench"));
    let page = says(&["man"]);
    assert!(page.contains(".TH pushbench 1") && page.contains("long\\-poll\\-timeout"), "{page}");
    assert!(page.contains("PUSHBENCH HEADERS") && page.contains("reproduce"), "{page}");
}

/// The words that a shell offers for them.
#[test]
fn shells_complete_the_values_that_have_names() {
    for shell in ["bash", "zsh", "fish"] {
        let script = says(&["completions", shell]);
        let values = [
            "websocket+tls+deflate-takeover",
            "earthquakes",
            "transatlantic",
            "nginx-default",
            "kaazing-2009",
            "node-sse",
        ];
        for value in values {
            assert!(script.contains(value), "{shell}: {value}");
        }
    }
    assert!(
        !says(&["run", "--help"]).contains("possible values: short-poll"),
        "help is not so long"
    );
}

#[test]
fn a_dry_run_is_json_where_that_is_asked_for() {
    let args =
        ["run", "--dry-run", "--json", "-R", "1/s,10/s", "-t", "ws,sse", "-r", "2", "-d", "5"];
    let plan: Value = serde_json::from_str(&says(&args)).unwrap();
    assert_eq!(plan["scenario"]["duration"], "5s", "a bare time is seconds");
    assert_eq!(plan["points"].as_array().unwrap().len(), 2);
    let trials = plan["trials"].as_array().unwrap();
    assert_eq!(trials.len(), 2 * 2 * 2, "{plan}");
    let names: BTreeSet<&str> = trials.iter().map(|it| it["transport"].as_str().unwrap()).collect();
    assert_eq!(names, BTreeSet::from(["sse", "websocket"]), "an alias is a name for the same");
    // Eight windows of 5 s, each after a warm-up.
    assert!(plan["estimate_seconds"].as_f64().unwrap() > 40.0, "{plan}");
}

#[test]
fn units_read_as_users_of_other_tools_write_them() {
    let args = ["run", "--dry-run", "--json", "-t", "sse", "-r", "1", "-d", "1m30s"];
    let more = ["--payload", "1KB,1KiB", "-c", "1k,0.002M"];
    let plan: Value = serde_json::from_str(&says(&[&args[..], &more].concat())).unwrap();
    assert_eq!(plan["scenario"]["duration"], "90s");
    let points = plan["points"].as_array().unwrap();
    let of =
        |key: &str| points.iter().map(|point| point[key].as_f64().unwrap()).collect::<Vec<_>>();
    assert_eq!(of("payload_bytes"), [1000.0, 1024.0, 1000.0, 1024.0]);
    assert_eq!(of("clients"), [1000.0, 1000.0, 2000.0, 2000.0]);
}

#[test]
fn a_slip_is_told_with_the_name_that_is_like_it() {
    let folder = tempfile::tempdir().unwrap();
    for (args, meant) in [
        (&["run", "tickr"][..], "did you mean `ticker`?"),
        (&["run", "-t", "websoket"], "did you mean `websocket`?"),
        (&["run", "--headers", "chromum"], "did you mean `chromium`?"),
        (&["run", "--link", "transatlantik"], "did you mean `transatlantic`?"),
        (&["run", "--via", "ngnix"], "did you mean `nginx`?"),
        (&["run", "--subject", "nchn"], "did you mean `nchan`?"),
        (&["run", "--threshold", "sse.latency.p9 < 1s"], "did you mean `latency.p9"),
        (&["scenarios", "show", "idel"], "did you mean `idle`?"),
        (&["sceanrios"], "'scenarios'"),
    ] {
        let (code, _, stderr) = outcome(folder.path(), args);
        assert_eq!(code, 2, "{args:?}: {stderr}");
        assert!(stderr.contains(meant), "{args:?}: {stderr}");
    }
}

#[test]
fn a_comparison_says_which_run_is_which() {
    let help = says(&["compare", "--help"]);
    assert!(help.contains("<BEFORE> <AFTER>"), "{help}");
}
