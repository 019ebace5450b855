//! What another program wrote: files and answers that cannot be, which are refused at once and by
//! name instead of being walked, loaded or drawn.
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::thread;

use crate::common::outcome;
use serde_json::{Value, json};

/// A description of a feed that began with this machine, with other members in it.
fn feed(members: Value) -> String {
    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let mut feed = json!({
        "format": "pushbench-feed/1", "id": "x", "seed": 1, "origin": 0, "boot_id": boot_id.trim(),
        "oldest": 0, "newest": 0, "schedule": {"kind": "constant", "rate": "20/s"},
        "payload": {"content": "text", "mean_bytes": 64.0},
    });
    feed.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    feed.to_string()
}

/// The words and the status of `load` on a feed in a file. Nobody listens where it would go.
fn load_file(work: &Path, feed: &str) -> (i32, String) {
    fs::write(work.join("feed.json"), feed).unwrap();
    let target = ["--target", "http://127.0.0.1:9", "--path", "/x", "-t", "sse"];
    let args = [&["load", "--feed", "feed.json"], &target[..]].concat();
    let (status, _, stderr) = outcome(work, &args);
    (status, stderr)
}

/// The words of `load` on a server that answers every request with `body`.
fn load_answer(work: &Path, body: String) -> (i32, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut head = BufReader::new(client.try_clone().unwrap()).lines();
        while head.next().is_some_and(|line| !line.unwrap().is_empty()) {}
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        // A client that refuses to read it all goes away.
        let _ = client.write_all(head.as_bytes()).and_then(|()| client.write_all(body.as_bytes()));
    });
    let (status, _, stderr) = outcome(work, &["load", "--target", &target]);
    server.join().unwrap();
    (status, stderr)
}

#[test]
fn a_feed_that_cannot_be_is_refused_by_its_member() {
    let work = tempfile::tempdir().unwrap();
    let schedule = |schedule: Value| json!({ "schedule": schedule });
    let cases = [
        (
            schedule(json!({"kind": "burst", "rate": "10/s", "on": "0s", "off": "0s"})),
            "on: 0s is not within 1ms and 1h",
        ),
        (
            schedule(json!({"kind": "replay", "speed": -1.0, "offsets_ns": [0, 100_000_000]})),
            "speed: -1.0 is not within",
        ),
        (schedule(json!({"kind": "replay", "speed": 1.0, "offsets_ns": []})), "at least one event"),
        (schedule(json!({"kind": "constant", "rate": 1e300})), "is not a rate: it is too large"),
        (schedule(json!({"kind": "poisson", "rate": "0/s"})), "it must be above zero"),
        (json!({"payload": {"content": "text", "mean_bytes": 1e300}}), "payload.mean_bytes: 1e300"),
        (json!({"newest": u64::MAX}), "newest: 18446744073709551615 is beyond"),
        (json!({"format": "other/7"}), "it is of format `other/7`"),
    ];
    for (members, part) in cases {
        let (status, stderr) = load_file(work.path(), &feed(members.clone()));
        assert!(status == 2 && stderr.contains(part), "{members}: {status} {stderr}");
        let (status, stderr) = load_answer(work.path(), feed(members.clone()));
        assert!(status == 1 && stderr.contains(part), "{members}: {status} {stderr}");
    }
    assert!(!work.path().join("results").exists());
}

/// Neither the gaps of years are added up, nor an instant waited for that does not come.
#[test]
fn a_feed_that_began_too_long_ago_or_has_not_begun_is_refused() {
    let work = tempfile::tempdir().unwrap();
    // As long as this machine may run, another has run for longer.
    let fast = json!({"kind": "poisson", "rate": "1000k/s"});
    let elsewhere = json!({"schedule": fast, "boot_id": "another", "newest": 600_000_000_000_u64});
    let cases = [
        (elsewhere, "start the server afresh"),
        (json!({"origin": u64::MAX}), "as its `origin` has it"),
        (
            json!({"schedule": fast, "checkpoint": {"passed": 1_000_000_000_000_000_u64, "elapsed_ns": 1e18}}),
            "is still to come",
        ),
    ];
    for (members, part) in cases {
        let (status, stderr) = load_file(work.path(), &feed(members.clone()));
        assert!(status == 2 && stderr.contains(part), "{members}: {status} {stderr}");
    }
}

#[test]
fn files_larger_than_any_of_their_kind_are_not_read() {
    let work = tempfile::tempdir().unwrap();
    for name in ["huge.toml", "huge.csv", "huge.json"] {
        // They take no room.
        File::create(work.path().join(name)).unwrap().set_len(1 << 40).unwrap();
    }
    fs::create_dir(work.path().join("huge")).unwrap();
    fs::hard_link(work.path().join("huge.json"), work.path().join("huge/run.json")).unwrap();
    let foreign = ["--path", "/x", "-t", "sse", "--feed", "huge.json"];
    let cases = [
        ["run", "huge.toml"].to_vec(),
        ["run", "quick", "--headers", "huge.toml"].to_vec(),
        ["run", "--trace", "huge.csv"].to_vec(),
        ["serve", "--trace", "huge.csv"].to_vec(),
        ["report", "huge"].to_vec(),
        ["compare", "huge", "huge"].to_vec(),
        [&["load", "--target", "http://127.0.0.1:9"], &foreign[..]].concat(),
    ];
    for args in cases {
        let (status, _, stderr) = outcome(work.path(), &args);
        assert_eq!(status, 2, "{args:?}: {stderr}");
        assert!(stderr.contains("1099511627776 bytes"), "{args:?}: {stderr}");
    }
}

#[test]
fn more_than_a_trial_can_hold_is_refused_before_it() {
    let work = tempfile::tempdir().unwrap();
    fs::write(work.path().join("fast.csv"), "offset_ms,payload\n0,a\n0.001,b\n").unwrap();
    for (args, part) in [
        (["run", "quick", "-R", "1000k/s", "-d", "1h"].as_slice(), "messages are due in one trial"),
        (&["run", "--trace", "fast.csv", "--speed", "1000"], "at most 1000k/s"),
        (&["serve", "--trace", "fast.csv", "--speed", "1000"], "at most 1000k/s"),
    ] {
        let (status, _, stderr) = outcome(work.path(), args);
        assert!(status == 2 && stderr.contains(part), "{args:?}: {status} {stderr}");
    }
}
