//! Links as a user of the binary meets them: distance that shows in each figure, losses that TCP mends,
//! and bad settings that are refused. Where the system gives this user no networks, the test that needs
//! them says so.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::common::{column, numbers, outcome};

/// The trials of a run over a link; `None` where there can be none here.
fn trials(folder: &Path, args: &[&str]) -> Option<Vec<Value>> {
    lasting(folder, ["200ms", "1s"], args)
}

/// The same with a warm-up and a window of one's own.
fn lasting(folder: &Path, [warmup, window]: [&str; 2], args: &[&str]) -> Option<Vec<Value>> {
    let common = ["-c", "3", "-w", warmup, "-d", window, "--runs", "1", "--json", "--allow-busy"];
    let (status, record, errors) = outcome(folder, &[&["run"], args, &common].concat());
    if status == 2 && errors.contains("namespace") {
        eprintln!("skipped: {errors}");
        return None;
    }
    assert_eq!(status, 0, "{errors}");
    let record: Value = serde_json::from_str(&record).unwrap();
    Some(record["trials"].as_array().unwrap().clone())
}

/// The sum of a figure over what the router saw, by direction and phase.
fn seen(trial: &Value, pointer: &str) -> u64 {
    let rows = trial["router"]["link"]["rows"].as_array().unwrap();
    rows.iter().filter_map(|row| row.pointer(pointer)?.as_u64()).sum()
}

#[test]
fn distance_shows_in_latency_and_in_connecting() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["-t", "websocket", "-t", "sse", "-R", "20/s", "--delay", "30ms:10ms"];
    let Some(trials) = trials(folder.path(), &args) else { return };
    // A message goes down, and a round trip is both: one opens the connection, one is the request and
    // the head of its answer.
    for (name, least_us) in
        [("latency_p50_us", 30e3), ("connect_p50_us", 40e3), ("ready_p50_us", 80e3)]
    {
        let figures = numbers(folder.path(), name);
        assert!(figures.len() == 2 && figures.iter().all(|us| *us >= least_us), "{figures:?}");
    }
    assert_eq!(numbers(folder.path(), "delay_ms"), [20.0; 2], "the mean of both ways");
    assert_eq!(column(folder.path(), "link"), ["own"; 2]);
    for trial in &trials {
        assert_eq!(seen(trial, "/tally/dropped/0/packets"), 0);
        assert_eq!(seen(trial, "/tally/tcp/retransmitted_bytes"), 0);
        // Where it ran, and how it went before others there.
        assert!(trial["router"]["attendance"]["precedence"].is_string(), "{}", trial["router"]);
        let pinned = &trial["resources"]["pinned"];
        assert_eq!(pinned.is_null(), pinned["router"].is_null(), "{pinned}");
        let rows = trial["measured"]["ledger"]["tcpip"].as_array().unwrap();
        assert!(rows.iter().any(|row| row["source"] == "captured"), "{rows:?}");
    }
}

#[test]
fn every_message_comes_though_packets_are_lost() {
    let folder = tempfile::tempdir().unwrap();
    let args =
        ["-t", "websocket", "-t", "long-poll", "-R", "40/s", "--delay", "5ms", "--loss", "10%"];
    let Some(trials) = trials(folder.path(), &args) else { return };
    assert_eq!(numbers(folder.path(), "lost"), [0.0; 2]);
    assert_eq!(numbers(folder.path(), "expected"), numbers(folder.path(), "delivered"));
    for trial in &trials {
        assert!(seen(trial, "/tally/dropped/0/packets") > 0, "nothing was lost");
        assert!(seen(trial, "/tally/retransmitted_segments") > 0, "nothing was sent again");
    }
}

#[test]
fn a_link_by_its_name_has_its_settings_but_those_that_are_given() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["-t", "sse", "-R", "20/s", "--link", "4g,lan", "--delay", "2ms", "--jitter", "1ms"];
    let Some(trials) = trials(folder.path(), &args) else { return };
    assert_eq!(trials.len(), 2);
    assert_eq!(column(folder.path(), "link"), ["4g", "lan"]);
    assert_eq!(numbers(folder.path(), "delay_ms"), [2.0; 2]);
    assert_eq!(column(folder.path(), "down_bits_per_s")[0], "9000000");
}

/// A header of 40 bytes in place of 20, and of TCP 32 each with timestamps; and no packet but those of the
/// clients, as IPv6 would have of itself.
#[test]
fn over_ipv6_each_packet_has_the_longer_header_and_there_are_no_others() {
    if !Path::new("/proc/net/if_inet6").exists() {
        return eprintln!("skipped: this kernel has no IPv6");
    }
    let folder = tempfile::tempdir().unwrap();
    let args = ["-t", "sse", "-R", "20/s", "--delay", "5ms", "--ip-version", "ipv4,ipv6"];
    let Some(mut trials) = trials(folder.path(), &args) else { return };
    trials.sort_by_key(|trial| trial["id"]["point"].as_u64());
    assert_eq!(column(folder.path(), "ip_version"), ["ipv4", "ipv6"]);
    assert_eq!(numbers(folder.path(), "expected"), numbers(folder.path(), "delivered"));
    for (trial, header) in trials.iter().zip([20 + 32, 40 + 32]) {
        let link = &trial["router"]["link"];
        assert_eq!(link["strays"], Value::Array(Vec::new()));
        assert_eq!(seen(trial, "/tally/other/packets"), 0);
        let window = |row: &&Value| row["phase"] == "window";
        let rows = || link["rows"].as_array().unwrap().iter().filter(window);
        assert_eq!(rows().count(), 2, "{link}");
        for row in rows() {
            let tcp = &row["tally"]["tcp"];
            let [packets, bytes] =
                ["packets", "header_bytes"].map(|name| tcp[name].as_u64().unwrap());
            assert_eq!(bytes, packets * header, "{tcp}");
        }
        let told = trial["measured"]["ledger"]["tcpip"].as_array().unwrap().iter();
        let told = told.filter(window).filter(|row| row["source"] == "captured");
        let told = told.filter_map(|row| row["tally"]["header_bytes"].as_u64());
        assert_eq!(
            told.sum::<u64>(),
            rows().filter_map(|row| row["tally"]["tcp"]["header_bytes"].as_u64()).sum::<u64>(),
            "the ledger has the router's count"
        );
    }
}

/// A queue of 300 ms before a line that a download fills: a message waits in it, and what it costs in
/// bytes is what it costs on an empty line.
#[test]
fn a_download_fills_the_queue_and_is_in_books_of_its_own() {
    const LINE: f64 = 5e6;
    let folder = tempfile::tempdir().unwrap();
    let scenario = "transports = [\"websocket\"]\nrate = \"10/s\"\n[link]\nscope = \"shared\"\n\
                    delay = \"10ms\"\ndown = \"5Mbit/s\"\nqueue = \"300ms\"\nload_down = [0, 1]\n";
    fs::write(folder.path().join("loaded.toml"), scenario).unwrap();
    // Some three seconds until the queue is full, and then losses and what comes of them.
    let Some(trials) = lasting(folder.path(), ["9s", "4s"], &["loaded.toml"]) else { return };
    assert_eq!(column(folder.path(), "load_down"), ["0", "1"]);
    let latencies = numbers(folder.path(), "latency_p50_us");
    assert!(latencies[1] - latencies[0] >= 150e3, "{latencies:?}");
    let goodputs = column(folder.path(), "cross_down_bits_per_s");
    assert_eq!(goodputs[0], "");
    let goodput: f64 = goodputs[1].parse().unwrap();
    assert!((0.85 * LINE..LINE).contains(&goodput), "{goodput}");
    for layer in ["payload", "framing", "http"] {
        let bytes = column(folder.path(), &format!("{layer}_bytes_per_msg"));
        assert_eq!(bytes[0], bytes[1], "{layer}");
    }
    // Some of the feed's packets find the queue full, and are sent again.
    let headers = numbers(folder.path(), "tcpip_bytes_per_msg");
    assert!((0.7..1.5).contains(&(headers[1] / headers[0])), "{headers:?}");
    let books = |trial: &Value| trial["router"]["link"].get("cross").is_some();
    // The order of trials is drawn.
    assert_eq!(trials.iter().filter(|trial| books(trial)).count(), 1);
}

#[test]
fn more_packets_than_a_router_moves_are_refused_with_what_would_do() {
    let folder = tempfile::tempdir().unwrap();
    let plan = ["-t", "sse", "-c", "100", "-R", "10/s", "--delay", "1ms", "--router-packets", "1k"];
    let (status, _, errors) = outcome(folder.path(), &[&["run"], &plan[..]].concat());
    if errors.contains("namespace") {
        return eprintln!("skipped: {errors}");
    }
    // A thousand messages in a second, and what acknowledges them.
    let part = "some 2000 a second, and a router moves 1000 here; pass at most `--clients 50`, or at most \
                `--rate 5/s`";
    assert!(status == 2 && errors.contains(part), "{status}: {errors}");
    assert!(errors.lines().count() == 1 && !folder.path().join("results").exists(), "{errors}");
}

#[test]
fn a_flag_says_whose_lines_they_are_whatever_the_scenario_does() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("own.toml"), "[link]\nscope = \"shared\"\ndown = \"1Mbit/s\"\n")
        .unwrap();
    let shared = |args: &[&str]| {
        let (status, plan, errors) =
            outcome(folder.path(), &[&["run", "-t", "sse", "--dry-run"], args].concat());
        assert_eq!(status, 0, "{errors}");
        plan.contains("a line that all share")
    };
    assert!(shared(&["own.toml"]) && !shared(&["own.toml", "--scope", "client"]));
    assert!(shared(&["--scope", "shared", "--down", "1Mbit/s", "--load-down", "1"]));
    let args = ["run", "-t", "sse", "--delay", "1ms", "--scope", "all"];
    let (status, _, errors) = outcome(folder.path(), &args);
    assert!(status == 2 && errors.contains("expected `client` or `shared`"), "{errors}");
}

#[test]
fn settings_that_cannot_be_are_refused_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    for (args, part) in [
        (&["--delay", "11s"][..], "link.delay: 11s is too long"),
        (&["--loss", "100%"], "link.loss"),
        (&["--down", "0Mbit/s"], "it must be above zero"),
        (&["--ip-version", "6"], "expected `ipv4` or `ipv6`"),
        (&["--jitter", "10ms"], "link.jitter: 10ms"),
        (&["--link", "5g"], "no link is called `5g`; there are lan"),
        (&["--queue", "1s"], "link.queue: nothing waits"),
        (&["--delay", "1ms", "--capture"], "--capture: a link's router sees every packet"),
        (&["--load-down", "1"], "link.load_down: nothing fills a line without a rate; set `down`"),
        (&["--up", "1Mbit/s", "--load-up", "1"], "link.load_up: it takes a line that all share"),
        (&["--delay", "1ms", "-c", "9M"], "clients: 9000000 are too many"),
    ] {
        let (status, _, errors) = outcome(folder.path(), &[&["run", "-t", "sse"], args].concat());
        assert!(status == 2 && errors.contains(part), "{args:?}: {status}, {errors}");
    }
    assert!(!folder.path().join("results").exists());
}
