//! Consent to what a subject's file runs, refusals before anything starts, secrets, and the list.

use std::fs;

use pushbench_core::subject::Subject;
use serde_json::Value;

use super::{is_installed, mine};
use crate::common::{numbers, outcome, pushbench};

#[test]
fn what_is_not_there_or_cannot_be_is_refused_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |args: &[&str]| {
        let (status, _, errors) = outcome(folder.path(), &[&["run"], args].concat());
        assert_eq!(status, 2, "{args:?}: {errors}");
        errors
    };
    let told = refused(&["--subject", "squid"]);
    assert!(told.contains("pushbench, nchan, node-ws"), "{told}");
    let told = refused(&["--subject", "node-sse,node-sse"]);
    assert!(told.contains("named twice") || told.contains("not installed"), "{told}");
    let missing = ("command = \"python3\"", "command = \"no-such-python\"");
    let file = mine(folder.path(), "mine", "python-sse", &[missing]);
    let told = refused(&["--subject", &file, "--trust"]);
    assert!(told.contains("`no-such-python` is not installed; apt install python3"), "{told}");
    let file = mine(folder.path(), "mine", "python-sse", &[]);
    for (args, part) in [
        (
            &["-t", "websocket"][..],
            "it offers none of the transports with delivery `every`; it has sse",
        ),
        (&["-t", "sse", "--delivery", "latest"], "with delivery `latest`; it has sse"),
        (&["-t", "sse", "--payload-kind", "binary"], "is given text alone"),
        (&["-t", "sse", "--server-processes", "2"], "--server-processes"),
    ] {
        let told = refused(&[&["--subject", &file, "--trust"], args].concat());
        assert!(told.contains(part) || told.contains("not installed"), "{part}: {told}");
    }
}

/// A server that lets nobody in without a token, which the file names by a variable.
#[test]
fn a_token_goes_to_the_server_and_into_no_file() {
    if !is_installed("python-sse") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let read = "await reader.readuntil(b\"\\r\\n\\r\\n\")";
    let guard = format!(
        "head = {read}\n        if b\"Bearer s3cret-\" b\"of-mine\" not in head:\n            return"
    );
    let of = |header: &str| {
        let rules = format!(
            "path = \"/feed\"\nrules = {{ seq = 're:(\\d{{10}})', header = [\"{header}\"] }}"
        );
        let changes = [(read, guard.as_str()), ("path = \"/feed\"", rules.as_str())];
        mine(folder.path(), "guarded", "python-sse", &changes)
    };
    let ran = |file: &str, token: Option<&str>| {
        let args = ["run", "--subject", file, "--trust", "-t", "sse", "-c", "3", "-R", "40/s"];
        let short = ["-w", "100ms", "-d", "300ms", "--runs", "1"];
        let mut command = pushbench(folder.path(), &[&args[..], &short].concat());
        let output = command.envs(token.map(|token| ("MINE_TOKEN", token))).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (status, told) = ran(&of("Authorization: Bearer s3cret-of-mine"), None);
    assert!(status == Some(2) && told.contains("which no file keeps"), "{told}");
    let file = of("Authorization: Bearer ${MINE_TOKEN}");
    let (status, told) = ran(&file, None);
    assert!(status == Some(2) && told.contains("${MINE_TOKEN}: no such variable"), "{told}");
    let (status, told) = ran(&file, Some("s3cret-of-mine"));
    assert_eq!(status, Some(0), "{told}");
    assert_eq!(numbers(folder.path(), "delivered"), [36.0], "{told}");
    for entry in fs::read_dir(folder.path().join("results/latest")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains("s3cret-of-mine"), "{}", path.display());
        }
    }
}

/// Standard input is no terminal here, so that nobody can be asked.
#[test]
fn a_file_runs_nothing_without_consent() {
    let folder = tempfile::tempdir().unwrap();
    let probe = ("command = \"python3\"", "probe = [\"touch\", \"ran\"], command = \"python3\"");
    let file = mine(folder.path(), "mine", "python-sse", &[probe]);
    let (status, _, errors) = outcome(folder.path(), &["run", "--subject", &file, "--dry-run"]);
    assert!(status == 2 && errors.contains("--trust"), "{errors}");
    assert!(errors.contains("touch ran") && errors.contains("python3 {dir}/server.py"), "{errors}");
    assert!(!folder.path().join("ran").exists());
}

#[test]
fn subjects_are_listed_with_what_to_type() {
    let folder = tempfile::tempdir().unwrap();
    let (status, text, _) = outcome(folder.path(), &["subjects"]);
    assert!(status == 0 && Subject::built_in().all(|it| text.contains(it.name.as_str())), "{text}");
    let mut nothing = pushbench(folder.path(), &["subjects", "--json"]);
    let listed = nothing.env("PATH", "/nowhere").output().unwrap().stdout;
    let listed: Vec<Value> = serde_json::from_slice(&listed).unwrap();
    let node = listed.iter().find(|it| it["name"] == "node-sse").unwrap();
    assert!(node["installed"] == false && node["hint"] == "apt install nodejs", "{node}");
    let (_, shown, _) = outcome(folder.path(), &["subjects", "show", "nchan"]);
    assert_eq!(Some(shown.as_str()), Subject::text("nchan"));
}
