//! Heartbeats of a silent stream: what they are and cost, and what cuts a connection that has none. Where
//! nginx is not installed the test says so.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::{Serving, column, free_port, numbers, outcome};

/// The longest that a test waits for something that is to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// nginx of the test's own before a server, which cuts connections on which nothing came for two seconds. It
/// has one process, ended when dropped.
struct Nginx(Child);

impl Nginx {
    /// Starts it on a free port, which it says; `None` where it is not installed.
    fn start(folder: &Path, server: &str) -> Option<(Self, String)> {
        let port = free_port();
        let dir = folder.display();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {dir}/{name};"))
            .concat();
        let config = format!(
            "daemon off; master_process off; pid {dir}/nginx.pid; events {{}} \
             http {{ access_log off; {temporary} server {{ listen 127.0.0.1:{port}; location / {{ \
             proxy_pass http://{server}; proxy_http_version 1.1; proxy_buffering off; \
             proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; \
             proxy_set_header Host $http_host; proxy_read_timeout 2s; }} }} }}"
        );
        fs::write(folder.join("nginx.conf"), config).unwrap();
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
        let mut nginx = Command::new("nginx");
        nginx.env("PATH", path).args(["-e", "stderr", "-c"]).arg(folder.join("nginx.conf"));
        let Ok(child) = nginx.stderr(Stdio::null()).spawn() else {
            eprintln!("skipped: nginx is not installed; apt install nginx");
            return None;
        };
        let started = Self(child);
        let deadline = Instant::now() + PATIENCE;
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "nginx takes connections");
            thread::sleep(Duration::from_millis(10));
        }
        Some((started, format!("http://127.0.0.1:{port}")))
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Streams through that nginx of a feed that is silent for three seconds at a time: the record's trials.
fn through_nginx(heartbeat: &str) -> Option<Vec<Value>> {
    let folder = tempfile::tempdir().unwrap();
    let feed = ["--schedule", "burst", "--on", "200ms", "--off", "3s", "-R", "20/s"];
    let server = Serving::start(folder.path(), &[&feed[..], &["--heartbeat", heartbeat]].concat());
    let (_nginx, url) = Nginx::start(folder.path(), server.address())?;
    let clients = ["-t", "sse", "-t", "websocket", "-c", "2", "-w", "200ms", "-d", "5s"];
    let (status, stdout, errors) =
        outcome(folder.path(), &[&["load", "--target", &url, "--json"], &clients[..]].concat());
    assert_eq!(status, 0, "{errors}");
    let record: Value = serde_json::from_str(&stdout).unwrap();
    Some(record["trials"].as_array().unwrap().clone())
}

fn warnings<'a>(trial: &'a Value, kind: &str) -> Vec<&'a Value> {
    let all = trial["warnings"].as_array().unwrap();
    all.iter().filter(|warning| warning["what"] == kind).collect()
}

#[test]
fn a_time_out_that_cuts_silent_streams_is_named_and_a_heartbeat_is_the_remedy() {
    let both = thread::scope(|scope| {
        let both = ["0", "500ms"].map(|heartbeat| scope.spawn(move || through_nginx(heartbeat)));
        both.map(|trials| trials.join().unwrap())
    });
    let [Some(without), Some(with)] = both else { return };
    for trial in without {
        let found = warnings(&trial, "cut-when-quiet");
        assert_eq!(found.len(), 1, "{}", trial["warnings"]);
        assert!(found[0]["connections"].as_u64().unwrap() >= 2, "{}", found[0]);
        let seconds = found[0]["least"]["secs"].as_u64().unwrap();
        assert!((1..=2).contains(&seconds), "{}", found[0]);
    }
    for trial in with {
        assert_eq!(trial["measured"]["counters"]["connections_lost"], 0, "{}", trial["warnings"]);
        assert!(warnings(&trial, "cut-when-quiet").is_empty());
    }
}

/// The bytes of a layer in the window, by transport and direction.
fn bytes(folder: &Path, transport: &str, direction: &str, layer: &str) -> u64 {
    let path = folder.join("results/latest/bytes.csv");
    let mut reader = csv::Reader::from_path(path).unwrap();
    let rows = reader.records().map(Result::unwrap);
    let of_it = rows.filter(|row| {
        (&row[1], &row[2], &row[3], &row[4]) == (transport, "window", direction, layer)
    });
    of_it.map(|row| row[6].parse::<u64>().unwrap()).sum()
}

#[test]
fn heartbeats_are_framing_of_streams_alone() {
    let folder = tempfile::tempdir().unwrap();
    // Two messages of the window leave silences of a second.
    let base = ["run", "-R", "1/s", "-c", "2", "-w", "100ms", "-d", "2s", "--runs", "1"];
    let transports = ["-t", "sse", "-t", "websocket", "-t", "long-poll"];
    let framing = |heartbeat: &str| {
        let more = ["--heartbeat", heartbeat];
        let (status, _, errors) = outcome(folder.path(), &[&base[..], &transports, &more].concat());
        assert_eq!(status, 0, "{errors}");
        let of = |transport, direction| bytes(folder.path(), transport, direction, "framing");
        let polls = of("long-poll", "down") + of("long-poll", "up");
        (of("sse", "down"), of("websocket", "down"), of("websocket", "up"), polls)
    };
    let without = framing("0");
    assert_eq!(column(folder.path(), "heartbeat_ms"), ["", "", ""]);
    let with = framing("200ms");
    let set = column(folder.path(), "heartbeat_ms");
    assert_eq!(set, ["", "200", "200"], "long polls have none");
    assert_eq!(numbers(folder.path(), "lost"), [0.0; 3]);
    assert_eq!((without.2, with.3), (0, without.3));
    // A chunk with a comment has 8 bytes; a ping 2, and its pong a mask beside them.
    let (comments, pings, pongs) = (with.0 - without.0, with.1 - without.1, with.2 - without.2);
    assert!(comments > 0 && comments % 8 == 0, "{comments}");
    assert!(pings > 0 && pings % 2 == 0 && pongs > 0 && pongs % 6 == 0, "{pings} {pongs}");
}
