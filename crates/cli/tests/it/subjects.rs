//! Servers that are somebody else's: measured like our own, named when they fail, run only with consent,
//! and nothing is left of them. Of one that is not installed the tests say so.

mod consent;
mod ends;

use std::fs;
use std::path::Path;

use pushbench_core::subject::Subject;
use pushbench_run::program;
use serde_json::Value;

use crate::common::{column, numbers, outcome};

/// Whether the subject of that name is installed; says so where it is not.
fn is_installed(name: &str) -> bool {
    let subject = Subject::built_in().find(|subject| subject.name.as_str() == name).unwrap();
    let missing = program::missing(&subject.program);
    if let Some(need) = missing {
        eprintln!("skipped: {name} is not installed; {}", need.hint);
    }
    missing.is_none()
}

/// Writes a file of the built-in subject `of` into `folder`, under another name, with `changes` in it.
fn mine(folder: &Path, name: &str, of: &str, changes: &[(&str, &str)]) -> String {
    let mut text = Subject::text(of).unwrap().to_owned();
    let renamed = (format!("name = \"{of}\""), format!("name = \"{name}\""));
    let changes = changes.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned()));
    for (from, to) in changes.chain([renamed]) {
        assert!(text.contains(&from), "{from}");
        text = text.replacen(&from, &to, 1);
    }
    fs::write(folder.join(format!("{name}.toml")), text).unwrap();
    format!("./{name}.toml")
}

/// How often a run is played at most of which a trial says nothing, since the machine kept a load process from
/// running: its window is short.
const TRIES: usize = 3;

/// A short run of `subjects` by `transports`: its exit status, record and words.
fn run(folder: &Path, subjects: &str, transports: &[&str]) -> (i32, Value, String) {
    let mut played = run_once(folder, subjects, transports);
    for _ in 1..TRIES {
        if played.0 != 3 || !played.2.contains("stood still for up to") {
            break;
        }
        played = run_once(folder, subjects, transports);
    }
    played
}

fn run_once(folder: &Path, subjects: &str, transports: &[&str]) -> (i32, Value, String) {
    let mut args = vec!["run", "--subject", subjects, "--trust", "-c", "3", "-R", "40/s"];
    args.extend(["-w", "100ms", "-d", "300ms", "--runs", "1", "--json"]);
    transports.iter().for_each(|transport| args.extend(["-t", transport]));
    let (status, stdout, errors) = outcome(folder, &args);
    let record = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {errors}"));
    (status, record, errors)
}

/// The trials of a subject in a record.
fn trials<'a>(record: &'a Value, subject: &str) -> Vec<&'a Value> {
    let points = record["points"].as_array().unwrap();
    let of_it = |point: &&Value| point["subject"].as_str().unwrap_or("pushbench") == subject;
    let ids: Vec<&Value> = points.iter().filter(of_it).map(|point| &point["id"]).collect();
    let all = record["trials"].as_array().unwrap().iter();
    all.filter(|trial| ids.contains(&&trial["id"]["point"])).collect()
}

#[test]
fn another_server_is_measured_beside_our_own_from_the_same_schedule() {
    if !is_installed("python-sse") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (status, record, errors) =
        run(folder.path(), "pushbench,python-sse", &["sse", "websocket"]);
    assert_eq!(status, 0, "{errors}");
    assert!(errors.contains("left out: websocket of python-sse"), "{errors}");
    assert_eq!(column(folder.path(), "subject"), ["pushbench", "pushbench", "python-sse"]);
    assert_eq!(column(folder.path(), "transport"), ["sse", "websocket", "sse"]);
    assert_eq!(column(folder.path(), "valid"), ["true"; 3]);
    assert_eq!(column(folder.path(), "delivered"), column(folder.path(), "expected"));
    for name in ["server_cpu_us_per_msg", "latency_p50_us", "delivered"] {
        assert!(numbers(folder.path(), name).iter().all(|value| *value > 0.0), "{name}");
    }
    let trial = trials(&record, "python-sse")[0];
    assert_eq!(trial["subject"]["name"], "python-sse");
    assert!(trial["subject"]["version"].as_str().unwrap().starts_with("3."), "{trial}");
    // What the publisher did is told, and is none of the server's.
    assert_eq!(trial["server"]["published"], trial["measured"]["audit"]["published"]);
    assert!(!trial["resources"]["publisher_cpu"].is_null());
    assert_eq!(record["subjects"][0]["name"], "python-sse");
    let parts = fs::read_to_string(folder.path().join("results/latest/report.md")).unwrap();
    assert!(parts.contains("mean latency"), "{parts}");
    let sentence = parts.replace('\\', "");
    assert!(sentence.contains("With sse:") && sentence.contains("python-sse"), "{sentence}");
}

#[test]
fn nchan_carries_each_of_its_transports_whole() {
    if !is_installed("nchan") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let transports = ["long-poll", "sse", "websocket"];
    let (status, record, errors) = run(folder.path(), "nchan", &transports);
    assert_eq!(status, 0, "{errors}");
    assert_eq!(column(folder.path(), "transport"), transports);
    assert_eq!(column(folder.path(), "delivered"), column(folder.path(), "expected"));
    assert!(numbers(folder.path(), "server_cpu_us_per_msg").iter().all(|cpu| *cpu > 0.0));
    assert_eq!(trials(&record, "nchan").len(), 3);
}

#[test]
fn node_takes_messages_by_post_and_by_websocket() {
    let installed: Vec<&str> =
        ["node-sse", "node-ws"].into_iter().filter(|name| is_installed(name)).collect();
    if installed.is_empty() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (status, _, errors) = run(folder.path(), &installed.join(","), &["sse", "websocket"]);
    assert_eq!(status, 0, "{errors}");
    assert_eq!(column(folder.path(), "subject"), installed);
    assert_eq!(column(folder.path(), "delivered"), column(folder.path(), "expected"));
}

/// A REST endpoint behind nginx has the newest value, of which each poll gets what stands there: what is
/// replaced between two polls is superseded, and nothing is lost.
#[test]
fn the_newest_value_behind_nginx_is_polled_beside_our_own() {
    if !is_installed("rest") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let args = ["-c", "3", "-R", "40/s", "--poll-interval", "100ms", "-w", "100ms", "-d", "600ms"];
    let asked = ["run", "--subject", "rest,pushbench", "-t", "short-poll", "--delivery", "latest"];
    let (status, _, errors) =
        outcome(folder.path(), &[&asked[..], &args, &["--runs", "1"]].concat());
    assert_eq!(status, 0, "{errors}");
    assert_eq!(column(folder.path(), "subject"), ["rest", "pushbench"]);
    assert_eq!(column(folder.path(), "valid"), ["true"; 2]);
    let counts = |name: &str| numbers(folder.path(), name);
    let (expected, delivered, superseded) =
        (counts("expected"), counts("delivered"), counts("superseded"));
    for at in 0..2 {
        assert!(delivered[at] > 0.0 && superseded[at] > 0.0, "{delivered:?}, {superseded:?}");
        assert_eq!(delivered[at] + superseded[at], expected[at]);
    }
    for name in ["age_mean_us", "latency_p50_us", "server_cpu_us_per_msg"] {
        assert!(counts(name).iter().all(|value| *value > 0.0), "{name}");
    }
}

/// Socket.IO wraps a message in an event of its own and asks each 2 s whether a client is there; NATS puts
/// several into one WebSocket message, or a part of one. Rules find each of them, by its number.
#[test]
fn servers_that_wrap_messages_are_measured_by_rules_from_the_same_schedule() {
    let installed: Vec<&str> =
        ["socket-io", "nats"].into_iter().filter(|name| is_installed(name)).collect();
    if installed.is_empty() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (status, _, errors) = run(folder.path(), &installed.join(","), &["websocket"]);
    assert_eq!(status, 0, "{errors}");
    assert_eq!(column(folder.path(), "subject"), installed);
    assert_eq!(column(folder.path(), "delivered"), column(folder.path(), "expected"));
    for faults in ["lost", "duplicated", "reordered", "errors", "reconnects"] {
        assert!(numbers(folder.path(), faults).iter().all(|count| *count == 0.0), "{faults}");
    }
    assert!(numbers(folder.path(), "latency_p50_us").iter().all(|us| *us > 0.0));
    assert!(column(folder.path(), "latency_from").iter().all(|from| from == "schedule"));
}

#[test]
fn a_server_that_fails_is_named_and_the_others_stand() {
    if !is_installed("python-sse") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let tired = ("number += 1", "number += 1\n        if number > 8: sys.exit(\"tired\")");
    let broken = ("import asyncio", "import asynco");
    let html = ("Content-Type: text/event-stream", "Content-Type: text/html");
    let not_there = ("publish = \"stdin\"", "publish = { websocket = { path = \"/in\" } }");
    let cases = [
        (
            "tired",
            tired,
            "tired failed: `python3` ended by itself (exit status: 1); its last words: ",
        ),
        ("broken", broken, "No module named 'asynco'"),
        ("html", html, "text/html"),
        ("not-there", not_there, "not-there failed: GET /in was answered 200"),
    ];
    let files = cases.map(|(name, change, _)| mine(folder.path(), name, "python-sse", &[change]));
    let subjects = format!("pushbench,{}", files.join(","));
    let (status, record, errors) = run(folder.path(), &subjects, &["sse"]);
    assert_eq!(status, 3, "{errors}");
    assert_eq!(column(folder.path(), "valid"), ["true", "false", "false", "false", "false"]);
    for (name, _, told) in cases {
        let invalid = &trials(&record, name)[0]["invalid"];
        let said = format!("{errors}{invalid}");
        assert!(said.contains(told), "{name}: {said}");
    }
}

/// A server that counts its messages itself, from another number on than pushbench, would seem to be late by as
/// many messages: only the number with which a message was published says when it was due.
#[test]
fn a_server_s_own_counter_is_not_taken_for_the_number_of_a_message() {
    if !is_installed("python-sse") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let wrapped = |counted: &str| {
        (
            "event = chunk(number, line.rstrip(b\"\\n\"))".to_owned(),
            format!(
                "event = chunk(number, b'{{\"id\":%d,\"m\":%s}}' % ({counted}, line.rstrip(b\"\\n\")))"
            ),
        )
    };
    let file = |name: &str, counted: &str, seq: &str| {
        let (from, to) = wrapped(counted);
        let rules = format!("path = \"/feed\"\nrules = {{ seq = \"{seq}\" }}");
        let changes = [(from.as_str(), to.as_str()), ("path = \"/feed\"", rules.as_str())];
        mine(folder.path(), name, "python-sse", &changes)
    };
    let files = [
        file("inner", "number - 1", "/m/seq"),
        file("same", "number", "/id"),
        file("behind", "number - 1", "/id"),
    ];
    let (status, record, errors) = run(folder.path(), &files.join(","), &["sse"]);
    assert_eq!(status, 3, "{errors}");
    assert_eq!(column(folder.path(), "valid"), ["true", "true", "false"], "{errors}");
    let told = trials(&record, "behind")[0]["invalid"].to_string();
    assert!(told.contains("is not the message's own") && told.contains("re:("), "{told}");
}

/// A message that a server gave to nobody is one that it lost: the run published it.
#[test]
fn messages_that_a_server_drops_for_all_are_lost() {
    if !is_installed("python-sse") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let drops = ("number += 1", "number += 1\n        if number % 4 == 0: continue");
    let file = mine(folder.path(), "drops", "python-sse", &[drops]);
    let (status, _, errors) = run(folder.path(), &file, &["sse"]);
    assert_eq!(status, 0, "{errors}");
    // Of twelve messages to three clients.
    assert_eq!(
        (numbers(folder.path(), "expected")[0], numbers(folder.path(), "lost")[0]),
        (36.0, 9.0)
    );
}
