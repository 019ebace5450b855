//! Help, lists and generated files: what a user reads before the first run.

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
