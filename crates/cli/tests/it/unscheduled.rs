//! `load` against applications that it did not start, whose messages have no schedule: counted by
//! their numbers, timed by their stamps.
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::common::{Serving, column, outcome};

/// From one number of the application to the next, ms.
const GAP: u64 = 20;

/// Quirks of an application.
#[derive(Clone, Copy, Default)]
struct Quirks {
    /// Of 10 numbers the client of each second connection does not get one.
    loses: bool,
    /// For so many ms of each 2 s nothing is stamped.
    pauses: u64,
    /// So many ms are added to each stamp.
    ahead: u64,
    /// Stamps are cut to so many ms, if any.
    cut: u64,
    /// So many messages are kept back, if any, and written together.
    collects: u64,
}

fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// An application: a number each 20 ms of the wall clock, as server-sent events at `/events` and as
/// the newest of them at `/price`.
fn application(quirks: Quirks) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let connections = AtomicU64::new(0);
        for stream in listener.incoming() {
            let which = connections.fetch_add(1, Ordering::Relaxed);
            thread::spawn(move || drop(converse(&stream.unwrap(), which, quirks)));
        }
    });
    address
}

fn converse(mut stream: &TcpStream, which: u64, quirks: Quirks) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream).lines();
    while let Some(first) = lines.next().transpose()? {
        while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
        if first.starts_with("GET /events") {
            return publish(stream, which, quirks);
        }
        let body = message(now_ms() / GAP, quirks);
        let length = body.len();
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}")?;
    }
    Ok(())
}

fn publish(mut stream: &TcpStream, which: u64, quirks: Quirks) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")?;
    let mut number = now_ms() / GAP + 1;
    let mut kept = String::new();
    loop {
        thread::sleep(Duration::from_millis((number * GAP).saturating_sub(now_ms())));
        let lost = quirks.loses && which % 2 == 1 && number.is_multiple_of(10);
        if !lost && (number * GAP) % 2_000 >= quirks.pauses {
            kept.push_str(&format!("data: {}\n\n", message(number, quirks)));
        }
        number += 1;
        if number.checked_rem(quirks.collects).unwrap_or(0) == 0 {
            stream.write_all(kept.as_bytes())?;
            kept.clear();
        }
    }
}

/// The message with a number, which says when it was to be.
fn message(number: u64, quirks: Quirks) -> String {
    let at = number * GAP + quirks.ahead;
    let at = at - at.checked_rem(quirks.cut).unwrap_or(0);
    format!(r#"{{"type":"price","data":{{"n":{number},"at":{at}}}}}"#)
}

const BY_STAMP: [&str; 4] = ["--seq", "/data/n", "--stamp", "/data/at:ms"];

/// The status of a `load`, and its record.
fn load(folder: &Path, target: &str, args: &[&str]) -> (i32, Value) {
    let all = ["load", "--target", target, "-w", "200ms", "--json"];
    let (status, stdout, stderr) = outcome(folder, &[&all, args].concat());
    assert!(status == 0 || status == 3, "{stderr}");
    (status, serde_json::from_str(&stdout).unwrap())
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no count"))
}

fn warnings(trial: &Value) -> Vec<String> {
    let all = trial["warnings"].as_array().unwrap();
    all.iter().filter_map(|warning| Some(warning["what"].as_str()?.to_owned())).collect()
}

/// Whether the trial is valid, but for a machine on which other tests are at work.
fn invalid(trial: &Value) -> Vec<&str> {
    let kinds = trial["invalid"].as_array().unwrap().iter();
    let kinds = kinds.map(|reason| reason["kind"].as_str().unwrap());
    kinds.filter(|kind| !kind.contains("stalled") && *kind != "machine-busy").collect()
}

#[test]
fn a_stranger_is_counted_by_numbers_and_timed_by_stamps() {
    let folder = tempfile::tempdir().unwrap();
    let target = format!("http://{}", application(Quirks { loses: true, ..Quirks::default() }));
    let args = ["-t", "sse", "-c", "2", "-d", "1s", "--path", "/events", "--load-processes", "2"];
    let (_, record) = load(folder.path(), &target, &[&args[..], &BY_STAMP].concat());
    let trial = &record["trials"][0];
    let audit = &trial["measured"]["audit"];
    assert_eq!(invalid(trial), Vec::<&str>::new());
    // 50 numbers are stamped in a second, and one client lacks each tenth.
    let counts = ["published", "expected", "delivered", "lost"].map(|key| number(&audit[key]));
    assert_eq!(counts, [50, 100, 95, 5]);
    assert_eq!(trial["latency_from"], "stamp");
    assert_eq!(trial["measured"]["senders"]["stamps"]["unit_ns"], 1_000_000);
    assert!(number(&trial["stamp_offset"]["bound_ns"]) < 1_000_000);
}

#[test]
fn a_poll_for_the_newest_is_as_old_as_its_stamp() {
    let folder = tempfile::tempdir().unwrap();
    let target = format!("http://{}", application(Quirks::default()));
    let args = ["-t", "short-poll", "-c", "2", "-d", "1s", "--path", "/price"];
    let more = ["--poll-interval", "100ms", "--delivery", "latest"];
    let (_, record) = load(folder.path(), &target, &[&args[..], &more, &BY_STAMP].concat());
    let trial = &record["trials"][0];
    assert_eq!(invalid(trial), Vec::<&str>::new());
    let audit = &trial["measured"]["audit"];
    assert_eq!(number(&audit["lost"]), 0, "{audit}");
    // Ten polls a second of fifty numbers.
    let delivered = number(&audit["delivered"]);
    assert!((16..=20).contains(&delivered), "{audit}");
    let age = &trial["measured"]["age"];
    let mean_s = age["integral_s2"].as_f64().unwrap() / (number(&age["observed_ns"]) as f64 / 1e9);
    // Half a poll interval, and half a gap; no more than both, were the machine always late.
    assert!(mean_s > 0.04, "{mean_s}");
}

#[test]
fn a_time_in_which_nothing_was_stamped_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let target = format!("http://{}", application(Quirks { pauses: 700, ..Quirks::default() }));
    let args = ["-t", "sse", "-c", "1", "-d", "2s", "--path", "/events"];
    let (_, record) = load(folder.path(), &target, &[&args[..], &BY_STAMP].concat());
    let trial = &record["trials"][0];
    assert!(warnings(trial).contains(&"stood-still".to_owned()), "{}", trial["warnings"]);
    let still = &trial["measured"]["senders"]["stillness"];
    let usual = number(&still["usual"]["nanos"]);
    assert_eq!(usual, GAP * 1_000_000);
}

/// Five messages are written together, each 100 ms: held back where they were stamped one by one, and the
/// sender's own way where five have one stamp.
#[test]
fn messages_that_are_held_back_are_told_but_not_a_sender_s_own_bursts() {
    let folder = tempfile::tempdir().unwrap();
    let told = |quirks: Quirks| {
        let target = format!("http://{}", application(quirks));
        let args = ["-t", "sse", "-c", "2", "-d", "2s", "--path", "/events"];
        let (_, record) = load(folder.path(), &target, &[&args[..], &BY_STAMP].concat());
        let trial = &record["trials"][0];
        assert_eq!(invalid(trial), Vec::<&str>::new());
        let all = trial["warnings"].as_array().unwrap().iter();
        all.filter(|warning| warning["what"] == "held-back").cloned().collect::<Vec<Value>>()
    };
    let held_back = told(Quirks { collects: 5, ..Quirks::default() });
    assert_eq!(held_back.len(), 1);
    let (messages, each) = (&held_back[0]["messages"], &held_back[0]["each"]["nanos"]);
    assert!((4.5..5.5).contains(&messages.as_f64().unwrap()), "{held_back:?}");
    assert!((90_000_000..110_000_000).contains(&number(each)), "{held_back:?}");
    assert_eq!(told(Quirks { collects: 5, cut: 100, ..Quirks::default() }), [Value::Null; 0]);
    assert_eq!(told(Quirks::default()), [Value::Null; 0]);
}

/// A stamp in whole seconds says no latency below a second.
#[test]
fn stamps_that_are_coarser_than_the_latency_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let target = format!("http://{}", application(Quirks { cut: 1_000, ..Quirks::default() }));
    let args = ["-t", "sse", "-c", "1", "-d", "2s", "--path", "/events"];
    let (_, record) = load(folder.path(), &target, &[&args[..], &BY_STAMP].concat());
    let trial = &record["trials"][0];
    assert_eq!(trial["measured"]["senders"]["stamps"]["unit_ns"], 1_000_000_000);
    assert!(warnings(trial).contains(&"coarse-stamps".to_owned()), "{}", trial["warnings"]);
}

#[test]
fn without_a_stamp_latency_is_empty() {
    let folder = tempfile::tempdir().unwrap();
    let target = format!("http://{}", application(Quirks::default()));
    let args = ["load", "--target", &target, "-t", "sse", "-d", "1s", "-w", "200ms", "-c", "2"];
    let more = ["--path", "/events", "--seq", "/data/n"];
    let (status, _, stderr) = outcome(folder.path(), &[&args[..], &more].concat());
    assert!(status == 0 || status == 3, "{stderr}");
    for figure in ["latency_p50_us", "latency_max_us", "age_mean_us"] {
        assert_eq!(column(folder.path(), figure), [""], "{figure}");
    }
    assert_eq!(column(folder.path(), "latency_from"), ["nothing"]);
    assert_eq!(column(folder.path(), "rate_hz"), [""]);
}

#[test]
fn stamps_of_the_future_make_a_trial_invalid() {
    let folder = tempfile::tempdir().unwrap();
    let target = format!("http://{}", application(Quirks { ahead: 700, ..Quirks::default() }));
    let args = ["-t", "sse", "-c", "1", "-d", "300ms", "--path", "/events"];
    let (status, record) = load(folder.path(), &target, &[&args[..], &BY_STAMP].concat());
    assert_eq!(status, 3);
    let trial = &record["trials"].as_array().unwrap().last().unwrap();
    assert!(invalid(trial).contains(&"stamped-ahead"), "{}", trial["invalid"]);
}

#[test]
fn where_rules_find_nothing_the_first_that_came_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let target = format!("http://{}", application(Quirks::default()));
    let args = ["-t", "sse", "-c", "1", "-d", "300ms", "--path", "/events", "--seq", "/number"];
    let (status, record) = load(folder.path(), &target, &args);
    assert_eq!(status, 3);
    let trials = record["trials"].as_array().unwrap();
    assert_eq!(trials.len(), 1, "a repeat would find nothing either");
    let reasons = trials[0]["invalid"].to_string();
    assert!(
        reasons.contains("nothing-found") && reasons.contains(r#"\"type\":\"price\""#),
        "{reasons}"
    );
}

/// The first digit of a counter is the same for days, and a feed of one message is no feed.
#[test]
fn a_number_that_messages_share_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let target = format!("http://{}", application(Quirks::default()));
    let digit = r#"re:"n":(\d)"#;
    let rules = ["-t", "sse", "-c", "2", "-d", "1s", "--path", "/events", "--seq", digit];
    for stamp in [&[][..], &["--stamp", "/data/at:ms"]] {
        let (status, record) = load(folder.path(), &target, &[&rules[..], stamp].concat());
        let trials = record["trials"].as_array().unwrap();
        assert_eq!((status, trials.len()), (3, 1), "a repeat would find the same");
        assert_eq!(invalid(&trials[0]), ["shared-numbers"], "{stamp:?}: {}", trials[0]["invalid"]);
    }
}

/// pushbench's own server says in `GET /feed` when each message is due, and with `--stamp` in each
/// message too.
#[test]
fn our_own_server_is_the_same_measured_as_a_stranger() {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(folder.path(), &["--rate", "50/s", "--stamp"]);
    let clients = ["-t", "websocket", "-c", "3", "-d", "1s"];
    let by_rules = ["--path", "/feed/ws", "--seq", "/seq", "--stamp", "/at:us"];
    let both = [&clients[..], &[&clients[..], &by_rules].concat()].map(|args| {
        let (_, record) = load(folder.path(), &server.url, args);
        let trial = record["trials"][0].clone();
        assert_eq!(invalid(&trial), Vec::<&str>::new());
        let counts = ["expected", "delivered", "lost"];
        let counts = counts.map(|key| number(&trial["measured"]["audit"][key]));
        (counts, bytes_a_message(folder.path()))
    });
    assert_eq!(both[0].0, [150, 150, 0]);
    assert_eq!(both[0], both[1]);
    // Numbers alone say what arrived, and not when it was due.
    let target = ["load", "--target", &server.url, "-w", "200ms", "--path", "/feed/ws"];
    let args = [&target[..], &clients, &["--seq", "/seq"]].concat();
    let (status, _, stderr) = outcome(folder.path(), &args);
    assert!(status == 0 || status == 3, "{stderr}");
    assert_eq!(bytes_a_message(folder.path()), both[0].1);
    for figure in ["latency_mean_us", "latency_p50_us", "latency_max_us", "age_mean_us"] {
        assert_eq!(column(folder.path(), figure), [""], "{figure}");
    }
}

/// Payload and framing of a message, of the newest run.
fn bytes_a_message(folder: &Path) -> [Vec<String>; 2] {
    ["payload_bytes_per_msg", "framing_bytes_per_msg"].map(|figure| column(folder, figure))
}

/// An envelope that an application puts around its messages is none of them.
#[test]
fn the_envelope_of_a_message_is_framing() {
    let folder = tempfile::tempdir().unwrap();
    let target = format!("http://{}", application(Quirks::default()));
    let args = ["load", "--target", &target, "-d", "1s", "-w", "200ms", "-c", "2"];
    let rules = ["--message", r#""data":(\{.*\})\}"#, "--seq", "/n", "--stamp", "/at:ms"];
    let message = message(now_ms() / GAP, Quirks::default());
    let inner = message.len() - r#"{"type":"price","data":}"#.len();
    for more in [["-t", "sse", "--path", "/events"], ["-t", "short-poll", "--path", "/price"]] {
        let (status, _, stderr) = outcome(folder.path(), &[&args[..], &more, &rules].concat());
        assert!(status == 0 || status == 3, "{stderr}");
        let [payload, framing] = bytes_a_message(folder.path());
        if more[1] == "sse" {
            assert_eq!(payload, [format!("{inner}.00")], "{framing:?}");
        }
        let around: f64 = framing[0].parse().unwrap();
        assert!(around >= (message.len() - inner) as f64, "{around}");
    }
}

/// A fault of what was typed is told from the first attempt: another would come to the same.
#[test]
fn what_no_repeat_changes_is_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let target = format!("http://{}", application(Quirks::default()));
    let rules = ["--seq", "/data/n", "-c", "1", "-d", "300ms"];
    for (more, said) in [
        (&["-t", "websocket", "--path", "/events"][..], "try -t sse"),
        (&["-t", "sse", "--path", "/price"], "text/event-stream alone"),
        (&["-t", "short-poll", "--path", "/events"], "try -t sse"),
    ] {
        let (status, record) = load(folder.path(), &target, &[&rules[..], more].concat());
        let trials = record["trials"].as_array().unwrap();
        assert_eq!((status, trials.len()), (3, 1), "{more:?}");
        let reasons = trials[0]["invalid"].to_string();
        assert!(reasons.contains(said), "{reasons}");
    }
    // Whoever waits is connected before there is an answer, which may be another the next time.
    let waits = ["-t", "long-poll", "--path", "/events"];
    let (status, record) = load(folder.path(), &target, &[&rules[..], &waits].concat());
    let reasons = record["trials"][0]["invalid"].to_string();
    assert!(status == 3 && reasons.contains("try -t sse"), "{reasons}");
}
