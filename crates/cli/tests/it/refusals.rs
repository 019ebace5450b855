//! Refusals before anything starts, with their words and exit status.

use std::fs;
use std::net::TcpListener;

use crate::common::{Serving, outcome};

/// Runs each line's arguments and expects `status` and a part of standard error.
fn expect(status: i32, cases: &[(&[&str], &str)]) {
    let folder = tempfile::tempdir().unwrap();
    for (args, part) in cases {
        let (code, stdout, stderr) = outcome(folder.path(), args);
        assert_eq!(code, status, "{args:?}: {stderr}");
        assert!(stderr.contains(part), "{args:?} said: {stderr}");
        assert_eq!(stdout, "", "{args:?}");
        assert!(!folder.path().join("results").exists(), "{args:?} left results behind");
    }
}

/// A target whose feed is in a file that is not there.
fn with_feed<'a>(path: &'a str, contender: &'a str) -> [&'a str; 9] {
    let target = "http://127.0.0.1:1";
    ["load", "--target", target, "--feed", "nonsuch.json", "--path", path, "-t", contender]
}

#[test]
fn bad_arguments_end_with_status_2() {
    expect(
        2,
        &[
            (&["run", "nonsuch"], "unknown scenario `nonsuch`"),
            (&["run", "nonsuch.toml"], "cannot read scenario nonsuch.toml"),
            (&["run", "-t", "pigeon"], "unknown transport `pigeon`"),
            (&["run", "-t", "sse+deflate"], "those of its kind are sse, sse+gzip, sse+tls"),
            (&["run", "-c", "0"], "at least one client"),
            (&["run", "-c=-5"], "is not a count"),
            (&["run", "-R", "fast"], "is not a rate"),
            (&["run", "-R", "0/s"], "must be above zero"),
            (&["run", "-d", "10x"], "`x` is not one of ns, us, "),
            (&["run", "--payload", "3B"], "too small"),
            (&["run", "--payload", "2MiB"], "too large; a message has at most 1MiB"),
            (&["run", "--runs", "0"], "runs"),
            (&["run", "-c", "-5"], "is not a count"),
            (&["run", "-R", "0.1/s", "-d", "1s"], "lengthen it with `--duration`"),
            (&["run", "--trace", "nonsuch.csv"], "cannot read trace nonsuch.csv"),
            (&["run", "--on", "1s"], "add `--schedule burst`"),
            (&["run", "--speed", "2"], "add `--trace`"),
            (&["run", "earthquakes", "-R", "5/s"], "use `--speed`"),
            (&["run", "earthquakes", "--payload", "1KiB"], "the trace's own"),
            (&["serve", "--schedule", "replay"], "also --trace"),
            (&["serve", "--host", "example.com"], "0.0.0.0 for all"),
            (&["compare", "a", "b", "--threshold", "5"], "without `%` it is at most 1"),
            (&["run", "--out", "/proc/nowhere"], "/proc/nowhere"),
            (&["run", "-c", "1000k"], "pass `--clients"),
            (&["run", "quick", "idle", "--json"], "name one scenario"),
            (&["doctor", "-d", "10ms"], "from 500ms to 10m"),
            (&["load", "--target", "http://127.0.0.1:1", "--event", "x"], "`-t sse` alone"),
            (
                &["load", "--target", "http://127.0.0.1:1", "--event", "", "-t", "sse"],
                "a type is one line of 1 to 128 bytes",
            ),
            (
                &["load", "--target", "http://127.0.0.1:1", "--event", "a\nb", "-t", "sse"],
                "--event a\\nb",
            ),
            (&["load", "--target", "127.0.0.1:1"], "write it like http://"),
            (&["load", "--target", "http://127.0.0.1:1", "--path", "/ws"], "--feed, --seq or"),
            (&with_feed("ws", "websocket"), "it begins with `/`"),
            (&with_feed("/poll", "short-poll"), "long-poll, sse or websocket"),
            (&with_feed("/ws", "websocket"), "cannot read the feed nonsuch.json"),
            (&["serve", "--payload", "1B"], "too small"),
            (&["serve", "--headers", "netscape"], "unknown header profile `netscape`"),
            (&["run", "--headers", "netscape"], "built in are minimal, kaazing-2009, curl,"),
            (&["run", "--headers", "nonsuch.toml"], "cannot read header profile nonsuch.toml"),
            (&["run", "--cookie-bytes", "20k"], "cookie_bytes: 20000 are too many"),
            (&["run", "--headers", "firefox", "--cookie-bytes", "12k"], "with profile firefox"),
            (&["headers", "--profile", "netscape"], "unknown header profile `netscape`"),
            (&["headers", "--payload", "10B"], "11B to 1MiB"),
            (&["headers", "--payload", "2MiB"], "11B to 1MiB"),
            (&["headers", "--cookie-bytes", "0,12k"], "cookie_bytes: 12000 with profile"),
            (&["headers", "-t", "pigeon"], "unknown transport `pigeon`"),
            (&["headers", "-t", "sse+tls+gzip"], "with --tls in TLS; name sse"),
            (&["headers", "--out", "/proc/nowhere"], "/proc/nowhere"),
            (&["scenarios", "show", "nonsuch"], "unknown scenario `nonsuch`"),
        ],
    );
}

#[test]
fn a_header_profile_that_is_wrong_is_refused_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let start = "name = \"mine\"\n[request]\nheaders = [\n";
    for (line, part) in [
        ("[\"Bad Name\", \"x\"]", "is no header name"),
        ("[\"Content-Length\", \"5\"]", "belongs to the transport"),
        ("[\"Sec-WebSocket-Key\", \"5\"]", "belongs to the transport"),
    ] {
        fs::write(folder.path().join("mine.toml"), format!("{start}{line}]\n")).unwrap();
        let (code, _, stderr) = outcome(folder.path(), &["run", "--headers", "mine.toml"]);
        assert_eq!(code, 2);
        assert!(stderr.contains("mine.toml: line 4") && stderr.contains(part), "{stderr}");
    }
    fs::write(
        folder.path().join("mine.toml"),
        "name = \"m\"\nbody_bytes = 5\n[request]\nheaders = []\n",
    )
    .unwrap();
    let (code, _, stderr) = outcome(folder.path(), &["run", "--profile", "mine.toml"]);
    assert!(code == 2 && stderr.contains("mine.toml: line 2: body_bytes"), "{stderr}");
}

#[test]
fn a_scenario_with_an_unknown_key_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bad.toml"), "clients = 5\nclints = 6\n").unwrap();
    let (code, _, stderr) = outcome(folder.path(), &["run", "bad.toml"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("bad.toml") && stderr.contains("line 2"), "{stderr}");
    assert!(stderr.contains("clints"), "{stderr}");
}

#[test]
fn a_trace_with_a_bad_row_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    for (rows, part) in [("5,a\n4,b\n", "line 3"), ("x,a\n", "line 2"), ("", "no rows")] {
        fs::write(folder.path().join("t.csv"), format!("offset_ms,payload\n{rows}")).unwrap();
        let (code, _, stderr) = outcome(folder.path(), &["run", "--trace", "t.csv"]);
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains("t.csv") && stderr.contains(part), "{stderr}");
    }
}

#[test]
fn a_port_in_use_ends_with_status_1_and_names_the_address() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port().to_string();
    let folder = tempfile::tempdir().unwrap();
    let (code, _, stderr) = outcome(folder.path(), &["serve", "--port", &port]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains(&format!("127.0.0.1:{port}")), "{stderr}");
}

#[test]
fn a_target_that_is_not_there_or_no_pushbench_ends_with_status_1() {
    let folder = tempfile::tempdir().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{closed}");
    let (code, _, stderr) = outcome(folder.path(), &["load", "--target", &url]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("Connection refused"), "{stderr}");
    assert!(stderr.contains(&url) && stderr.contains("expected a pushbench server"), "{stderr}");

    let manual = Serving::start(folder.path(), &["--schedule", "manual"]);
    let (code, _, stderr) = outcome(folder.path(), &["load", "--target", &manual.url]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("published by hand"), "{stderr}");
}

#[test]
fn a_damaged_or_missing_run_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, stderr) = outcome(folder.path(), &["report", "nowhere"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("nowhere"), "{stderr}");
    fs::create_dir(folder.path().join("run")).unwrap();
    fs::write(folder.path().join("run/run.json"), "{\"format\": 1,").unwrap();
    let (code, _, stderr) = outcome(folder.path(), &["report", "run"]);
    assert_eq!(code, 2, "{stderr}");
    assert_eq!(stderr.matches("line 1").count(), 1, "{stderr}");
    assert!(stderr.contains("damaged"), "{stderr}");
}
