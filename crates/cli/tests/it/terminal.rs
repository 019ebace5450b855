//! The output of a run for people: the answer first, in the width and the colours that they have.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::common::pushbench;

const TWO: &str = "question = \"?\"\ntransports = [\"sse\", \"short-poll-conditional+tls\"]\nclients = 3\n\
                   rate = \"50/s\"\npoll_interval = \"100ms\"\nwarmup = \"100ms\"\nduration = \"300ms\"\nruns = 1";

/// The output of such a run with more arguments, and these variables in its environment.
fn run(folder: &Path, args: &[&str], environment: &[(&str, &str)]) -> Output {
    fs::write(folder.join("two.toml"), TWO).unwrap();
    let mut command = pushbench(folder, &[&["run", "two.toml"], args].concat());
    for variable in ["COLUMNS", "NO_COLOR"] {
        command.env_remove(variable);
    }
    command.envs(environment.iter().copied()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The greatest number of characters in a line, but for that of the results' folder, whose path is not broken.
fn widest(text: &str) -> usize {
    let lines = text.lines().filter(|line| !line.starts_with("Results: "));
    lines.map(|line| line.chars().count()).max().unwrap_or(0)
}

#[test]
fn the_answer_stands_first_and_all_fits_the_width_that_is_asked_for() {
    let work = tempfile::tempdir().unwrap();
    for (width, has_table) in [("60", true), ("50", false)] {
        let output = run(work.path(), &[], &[("COLUMNS", width)]);
        let stdout = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{stdout}{}", text(&output.stderr));
        let answer = stdout.find("delivered in").expect("a sentence");
        let table = stdout.find(if has_table { "────" } else { "  latency p50" }).expect("a table");
        let notes = stdout.find("One trial: nothing is known of the spread").expect("notes");
        assert!(answer < table && table < notes, "{stdout}");
        assert!(widest(&stdout) <= width.parse().unwrap(), "{stdout}");
        assert!(stdout.trim_end().lines().last().unwrap().starts_with("Results: "), "{stdout}");
        assert!(!stdout.contains('\u{1b}'), "a pipe has no colours");
    }
}

#[test]
fn colours_are_there_where_they_are_wanted() {
    let work = tempfile::tempdir().unwrap();
    let coloured = |args: &[&str], environment: &[(&str, &str)]| {
        let output = run(work.path(), args, environment);
        text(&output.stdout).contains("\u{1b}[")
    };
    assert!(coloured(&["--color", "always"], &[]));
    assert!(coloured(&["--color", "always"], &[("NO_COLOR", "1")]), "a flag is said last");
    assert!(!coloured(&["--color", "never"], &[]));
    assert!(!coloured(&[], &[]));
}

/// The run's window is as long as a line takes to come.
#[test]
fn a_longer_run_tells_where_no_terminal_is_how_long_it_takes_and_how_far_it_is() {
    let work = tempfile::tempdir().unwrap();
    let lines = |args: &[&str]| {
        let output = run(work.path(), &[&["-t", "sse", "-d", "5500ms"], args].concat(), &[]);
        let stderr = text(&output.stderr);
        stderr.lines().filter(|line| line.contains("about ")).map(str::to_owned).collect::<Vec<_>>()
    };
    let told = lines(&[]);
    assert!(told[0].starts_with("two: 1 trial, about "), "{told:?}");
    assert!(
        told[1].contains(" %, about ") && told[1].contains(" left  round 1/1  sse"),
        "{told:?}"
    );
    for quiet in ["--no-progress", "-q"] {
        assert!(lines(&[quiet]).is_empty(), "{quiet}");
    }
}
