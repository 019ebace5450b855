//! `load` against servers that refuse: how often they are asked, and what the user is told.
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::{Value, json};

use crate::common::outcome;

/// A server that answers each request with `answer`; its URL, and how many connections it has seen.
fn server(answer: &'static str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(AtomicUsize::new(0));
    let connections = seen.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            connections.fetch_add(1, Ordering::Relaxed);
            thread::spawn(move || {
                let mut stream = stream.unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let mut ends = lines.map_while(Result::ok).filter(String::is_empty);
                while ends.next().is_some() && stream.write_all(answer.as_bytes()).is_ok() {}
            });
        }
    });
    (url, seen)
}

/// `load` with 50 clients of a feed that a file describes; its status, record and last words.
fn load(folder: &Path, url: &str, contender: &str) -> (i32, Value) {
    let feed = json!({
        "format": "pushbench-feed/1", "id": "x", "seed": 1, "oldest": 0, "newest": 0, "origin": 1,
        "boot_id": fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap().trim(),
        "schedule": {"kind": "constant", "rate": "20/s"},
        "payload": {"content": "text", "mean_bytes": 64.0},
    });
    fs::write(folder.join("feed.json"), feed.to_string()).unwrap();
    let args = ["load", "--target", url, "--feed", "feed.json", "--path", "/x", "-t", contender];
    let rest = ["-c", "50", "-w", "200ms", "-d", "500ms", "--json"];
    let (status, stdout, stderr) = outcome(folder, &[&args[..], &rest].concat());
    (status, serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stdout} {stderr}")))
}

#[test]
fn a_server_that_asks_to_be_left_alone_is_and_the_user_is_told_why() {
    let refused =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n";
    for contender in ["sse", "websocket", "long-poll"] {
        let folder = tempfile::tempdir().unwrap();
        let (url, connections) = server(refused);
        let (status, record) = load(folder.path(), &url, contender);
        assert_eq!(status, 3);
        // Not even the repeat of an invalid trial comes sooner than the server asks for.
        assert_eq!(connections.load(Ordering::Relaxed), 50, "{contender}");
        let invalid = &record["trials"][0]["invalid"][0];
        assert_eq!(invalid["kind"], "attempts-used", "{invalid}");
        assert_eq!((&invalid["clients"], &invalid["of"]), (&50.into(), &50.into()));
        assert_eq!((&invalid["status"], &invalid["retry_after_s"]), (&503.into(), &60.into()));
        let report = fs::read_to_string(folder.path().join("results/latest/report.md")).unwrap();
        let told = "50 of 50 clients have no attempt left: the server answered 503 Service \
                    Unavailable with Retry-After: 60 s";
        assert!(report.contains(told), "{report}");
    }
}

#[test]
fn a_final_answer_is_asked_for_once_and_the_trial_is_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let (url, connections) = server("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    let (status, record) = load(folder.path(), &url, "sse");
    assert_eq!((status, connections.load(Ordering::Relaxed)), (3, 50));
    assert_eq!(record["trials"].as_array().unwrap().len(), 1);
    let invalid = &record["trials"][0]["invalid"][0];
    assert_eq!((&invalid["status"], &invalid["browser_stops"]), (&404.into(), &50.into()));
}

#[test]
fn the_feed_is_asked_for_once() {
    let folder = tempfile::tempdir().unwrap();
    let (url, connections) =
        server("HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n");
    let (status, _, stderr) = outcome(folder.path(), &["load", "--target", &url]);
    assert_eq!((status, connections.load(Ordering::Relaxed)), (1, 1), "{stderr}");
    assert!(stderr.contains("503"), "{stderr}");
}
