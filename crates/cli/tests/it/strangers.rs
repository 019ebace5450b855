//! Text of servers and files that somebody else wrote, as it reaches terminal and files; and what
//! `serve` says of strangers.
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::common::{Serving, outcome, pushbench};

/// Clears the screen, sets the window's title, colours, and begins a line that looks like ours.
const EVIL: &str = "\x1b[2J\x1b]0;title\x07gone\u{9b}31m\nResults: all well\r\u{202e}";

/// A server that gives every request the same answer, for as long as the test runs.
fn answering(status: &'static str, body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let Ok(mut client) = client else { continue };
            let _ = client.read(&mut [0; 4096]);
            let head =
                format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}", body.len());
            let _ = client.write_all(format!("{head}\r\n\r\n{body}").as_bytes());
        }
    });
    url
}

fn assert_harmless(text: &str, what: &str) {
    let acts = |c: char| c.is_control() && !matches!(c, '\n' | '\t') || c == '\u{202e}';
    assert!(!text.contains(acts), "{what}: {text:?}");
    // A line feed ends no line of a page.
    let forged = text.lines().any(|line| line.starts_with("Results: all well"));
    assert!(!forged || what.ends_with(".html"), "{what}: {text}");
}

/// The text files below `folder`.
fn texts(folder: &Path) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| {
        if path.is_dir() {
            return texts(&path);
        }
        let text = String::from_utf8(fs::read(&path).unwrap()).ok();
        text.map(|text| (path, text)).into_iter().collect()
    };
    entries.flat_map(below).collect()
}

/// A feed of two messages a second, as a file describes it.
fn write_feed(folder: &Path) {
    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let feed = json!({
        "format": "pushbench-feed/1", "id": "x", "seed": 1, "oldest": 0, "newest": 0, "origin": 1,
        "boot_id": boot_id.trim(), "schedule": {"kind": "constant", "rate": "2/s"},
        "payload": {"content": "text", "mean_bytes": 64.0}
    });
    fs::write(folder.join("feed.json"), feed.to_string()).unwrap();
}

#[test]
fn what_a_server_says_is_shown_and_not_obeyed() {
    let folder = tempfile::tempdir().unwrap();
    write_feed(folder.path());
    let url = answering("400 Bad Request", EVIL.to_owned());
    let args =
        ["load", "--target", &url, "--feed", "feed.json", "--path", "/x", "-t", "sse", "-c", "1"];
    let more = ["-w", "200ms", "-d", "1s", "-v"];
    let (_, stdout, stderr) = outcome(folder.path(), &[&args[..], &more].concat());
    assert_harmless(&stdout, "standard output");
    assert_harmless(&stderr, "standard error");
    assert!(stderr.contains(r"\x1b[2J\x1b]0;title\x07gone"), "it is shown: {stderr}");
    let results = folder.path().join("results/latest");
    for (path, text) in texts(&results) {
        assert_harmless(&text, &path.display().to_string());
    }
    // The record has it as it came.
    let record: Value =
        serde_json::from_slice(&fs::read(results.join("run.json")).unwrap()).unwrap();
    let trial = record["trials"][0].to_string();
    assert!(trial.contains(r"\u001b[2J\u001b]0;title\u0007gone"), "{trial}");
    refused(folder.path(), &results, record);
}

/// A record that somebody else wrote, of a scenario that no run could have, is refused harmlessly.
fn refused(folder: &Path, results: &Path, mut record: Value) {
    record["scenario"]["name"] = "=cmd|'/c calc'!A1".into();
    record["environment"]["kernel"] = EVIL.into();
    fs::write(results.join("run.json"), record.to_string()).unwrap();
    let (status, stdout, stderr) = outcome(folder, &["report", "results/latest"]);
    assert_eq!(status, 2, "{stderr}");
    assert_harmless(&(stdout + &stderr), "the refusal");
}

#[test]
fn a_feed_that_is_none_is_named_harmlessly() {
    let folder = tempfile::tempdir().unwrap();
    let feed = json!({
        "format": EVIL, "id": "x", "seed": 1, "oldest": 0, "newest": 0, "origin": 1, "boot_id": "",
        "schedule": {"kind": "constant", "rate": "2/s"},
        "payload": {"content": "text", "mean_bytes": 64.0}
    });
    let url = answering("200 OK", feed.to_string());
    let (status, _, stderr) = outcome(folder.path(), &["load", "--target", &url]);
    assert_eq!(status, 1, "{stderr}");
    assert!(stderr.contains(r"of format `\x1b[2J"), "{stderr}");
    assert_harmless(&stderr, "standard error");
}

#[test]
fn paths_are_shown_and_not_obeyed() {
    let folder = tempfile::tempdir().unwrap();
    for args in [
        &["report", EVIL][..],
        &["compare", EVIL, EVIL],
        &["run", EVIL],
        &["run", "--headers", EVIL],
    ] {
        let (status, stdout, stderr) = outcome(folder.path(), args);
        assert_eq!(status, 2, "{args:?}: {stderr}");
        let acts = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
        assert!(!(stdout + &stderr).contains(acts), "{args:?}: {stderr:?}");
    }
}

#[test]
fn a_token_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for token in ["", " ", "a b", "a\tb", "é"] {
        let args = ["serve", "--port", "0", "--publish-token", token];
        let (status, _, stderr) = outcome(folder.path(), &args);
        assert_eq!(status, 2, "{token:?}");
        assert!(stderr.contains("--publish-token") && stderr.contains("openssl rand"), "{stderr}");
        let mut command = pushbench(folder.path(), &args[..3]);
        let output = command.env("PUSHBENCH_PUBLISH_TOKEN", token).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{token:?} in the environment");
    }
}

#[test]
fn serve_lets_in_the_hosts_and_origins_that_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let allow = ["--allow-host", "dev.example", "--allow-host", "api.example:81"];
    let more =
        ["--allow-origin", "http://dev.example:3000", "--allow-origin", "https://app.example/"];
    let server = Serving::start(folder.path(), &[&allow[..], &more].concat());
    let status = |host: &str, origin: &str| {
        let mut client = std::net::TcpStream::connect(server.address()).unwrap();
        let request = format!(
            "GET /feed HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nConnection: close\r\n\r\n"
        );
        client.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        answer[9..12].parse::<u16>().unwrap()
    };
    for (host, origin, expected) in [
        ("dev.example", "http://dev.example", 200),
        ("api.example:81", "http://dev.example:3000", 200),
        ("api.example", "http://dev.example:3000", 421),
        (server.address(), "https://app.example", 200),
        (server.address(), "http://app.example", 403),
    ] {
        assert_eq!(status(host, origin), expected, "{host} {origin}");
    }
    for (flag, value) in [
        ("--allow-host", "http://dev.example"),
        ("--allow-host", ""),
        ("--allow-origin", "dev.example"),
        ("--allow-origin", "http://dev.example/path"),
    ] {
        let (status, _, stderr) = outcome(folder.path(), &["serve", "--port", "0", flag, value]);
        assert_eq!(status, 2, "{flag} {value}: {stderr}");
        assert!(stderr.contains("such as"), "{stderr}");
    }
}

#[test]
fn a_server_that_others_reach_says_what_it_gives_away() {
    let folder = tempfile::tempdir().unwrap();
    for (host, warned) in
        [("0.0.0.0", true), ("::", true), ("127.0.0.1", false), ("localhost", false)]
    {
        let mut command = pushbench(folder.path(), &["serve", "--port", "0", "--host", host]);
        let mut child = command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        // Once it has said where it listens and what it serves, it has said all.
        let mut said = String::new();
        let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
        while !said.contains("Ctrl-C") {
            let count = std::io::BufRead::read_line(&mut stderr, &mut said).unwrap();
            assert_ne!(count, 0, "{host}: {said}");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(said.contains("warning: whoever reaches"), warned, "{host}: {said}");
    }
}
