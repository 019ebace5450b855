//! `load` against servers that speak as standards let them, by a feed that a file describes.
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_os::time::clock;
use serde_json::{Value, json};

use crate::common::outcome;

/// A message's period.
const PERIOD: Duration = Duration::from_millis(20);

/// Answers each request with `head`, and with the messages from the next one on as `write` says.
fn start(origin: MonoInstant, head: &'static str, write: fn(u64) -> Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || serve(&stream.unwrap(), origin, head, write));
        }
    });
    address
}

fn serve(mut stream: &TcpStream, origin: MonoInstant, head: &str, write: fn(u64) -> Vec<u8>) {
    let asked = BufReader::new(stream).lines().map_while(Result::ok);
    asked.take_while(|line| !line.is_empty()).for_each(drop);
    let _ = stream.write_all(head.as_bytes());
    let passed = clock::now().saturating_since(origin).as_millis() / PERIOD.as_millis();
    for number in passed as u64 + 2.. {
        clock::sleep_until(origin + PERIOD * u32::try_from(number - 1).unwrap());
        if stream.write_all(&write(number)).is_err() {
            return;
        }
    }
}

/// Measures such a server: exit status, record, standard error.
fn load(head: &'static str, write: fn(u64) -> Vec<u8>, args: &[&str]) -> (i32, Value, String) {
    let folder = tempfile::tempdir().unwrap();
    let origin = clock::now();
    let url = format!("http://{}", start(origin, head, write));
    let feed = json!({
        "format": "pushbench-feed/1", "id": "test", "seed": 1, "oldest": 0, "newest": 0,
        "origin": origin, "boot_id": clock::boot_id(),
        "schedule": {"kind": "constant", "rate": "50/s"},
        "payload": {"content": "text", "mean_bytes": 64.0},
    });
    fs::write(folder.path().join("feed.json"), feed.to_string()).unwrap();
    let common = ["load", "--target", &url, "--feed", "feed.json", "--path", "/x", "--json"];
    let times = ["-c", "2", "-w", "200ms", "-d", "1s"];
    let (status, stdout, stderr) = outcome(folder.path(), &[&common[..], &times, args].concat());
    (status, serde_json::from_str(&stdout).unwrap_or_default(), stderr)
}

const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";

fn price(number: u64) -> Vec<u8> {
    format!("event: price\ndata: {{ \"symbol-id\" : {number} }}\n\n").into_bytes()
}

#[test]
fn events_of_a_type_are_the_feed_where_the_user_says_so() {
    let (status, record, stderr) = load(STREAM, price, &["-t", "sse", "--event", "price"]);
    assert!(status == 0 || status == 3, "{stderr}");
    let audit = &record["trials"][0]["measured"]["audit"];
    assert_eq!((&audit["expected"], &audit["delivered"]), (&100.into(), &100.into()), "{audit}");
}

#[test]
fn events_of_another_type_are_named_with_the_remedy() {
    let (_, record, stderr) = load(STREAM, price, &["-t", "sse"]);
    let warnings = record["trials"][0]["warnings"].as_array().expect(&stderr);
    let told = warnings.iter().find(|warning| warning["kind"] == "other-events");
    assert_eq!(told.unwrap()["events"]["types"][0][0], "price", "{warnings:?}");
}

#[test]
fn a_coded_stream_is_invalid_and_never_lost() {
    const CODED: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\
        Content-Encoding: gzip\r\nContent-Length: 9\r\nETag: \"1\"\r\n\r\n";
    for profile in ["chromium", "minimal"] {
        let write = |_| vec![0x1f; 9];
        let args = ["-t", "long-poll", "--long-poll-timeout", "1s", "--headers", profile];
        let (status, record, stderr) = load(CODED, write, &args);
        assert_eq!(status, 3, "{stderr}");
        let reasons = record["trials"][0]["invalid"].to_string();
        for part in ["\"coded\"", "gzip", "GET /x", profile, "--headers minimal"] {
            assert!(reasons.contains(part), "{part} is not in {reasons}");
        }
    }
}
