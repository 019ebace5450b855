//! Clients that are tabs of a browser. Where no Chromium is installed the tests say so.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use pushbench_run::player::browser;
use serde_json::Value;

use crate::common::{column, numbers, outcome};

fn is_installed() -> bool {
    let lacking = browser::lacking(None);
    if let Some(lacking) = &lacking {
        eprintln!("skipped: {lacking}");
    }
    lacking.is_none()
}

/// A short run in eight tabs of the browser `chromium`: its exit status, record and words.
fn run(folder: &Path, chromium: &str, transports: &[&str]) -> (i32, Value, String) {
    let mut args = vec!["run", "--client", "chromium", "--chromium", chromium, "-c", "8", "--json"];
    args.extend(["-R", "20/s", "-w", "200ms", "-d", "1s", "--poll-interval", "100ms", "-r", "1"]);
    transports.iter().for_each(|transport| args.extend(["-t", transport]));
    let (status, stdout, errors) = outcome(folder, &args);
    let record = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {errors}"));
    (status, record, errors)
}

#[test]
fn tabs_receive_the_feed_and_those_without_a_connection_are_a_finding() {
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let transports = ["short-poll", "long-poll", "sse", "websocket"];
    let (status, record, errors) = run(folder.path(), "chromium", &transports);
    assert_eq!(status, 0, "{errors}");
    assert_eq!(column(folder.path(), "client"), ["chromium"; 4]);
    let (delivered, lost) = (numbers(folder.path(), "delivered"), numbers(folder.path(), "lost"));
    assert_eq!((delivered, lost), (vec![160.0, 160.0, 120.0, 160.0], vec![0.0; 4]));
    assert_eq!(numbers(folder.path(), "clients_connected"), [8.0, 8.0, 6.0, 8.0]);
    // By layer nobody has counted them, and the server's kernel has by connection: a payload of 64 bytes
    // and the headers of a segment at least.
    assert_eq!(column(folder.path(), "payload_bytes_per_msg"), [""; 4]);
    let wire = numbers(folder.path(), "wire_bytes_per_msg");
    let headers = numbers(folder.path(), "tcpip_bytes_per_msg");
    for (wire, headers) in wire.iter().zip(&headers) {
        assert!(*headers >= 40.0 && wire - headers >= 64.0, "{wire} {headers}");
    }
    // Polls carry the browser's own header fields.
    assert!(wire[0] > 2.0 * wire[3], "{wire:?}");
    for trial in record["trials"].as_array().unwrap() {
        let (browser, warnings) = (&trial["browser"], trial["warnings"].to_string());
        assert_eq!((&browser["hidden"], &browser["torn"]), (&0.into(), &false.into()));
        assert!(browser["empty_cpu"].is_object(), "{browser}");
        let is_stream = trial["id"]["transport"] == "sse";
        assert_eq!(warnings.contains("tabs-wait"), is_stream, "{warnings}");
    }
}

/// As users leave them: what they poll for comes late, and a stream's messages come as ever.
#[test]
fn tabs_out_of_sight_poll_once_a_second_and_that_is_a_finding() {
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let args =
        ["run", "--client", "chromium-hidden", "-c", "2", "-R", "20/s", "-w", "200ms", "-d", "4s"];
    let rest = ["--poll-interval", "100ms", "-r", "1", "-t", "short-poll,websocket", "--json"];
    let (status, stdout, errors) = outcome(folder.path(), &[&args[..], &rest].concat());
    assert_eq!(status, 0, "{errors}");
    let record: Value = serde_json::from_str(&stdout).unwrap();
    for trial in record["trials"].as_array().unwrap() {
        assert_eq!(trial["browser"]["hidden"], 2);
        assert!(trial["warnings"].to_string().contains("tabs-hidden"), "{}", trial["warnings"]);
    }
    // Two tabs in four seconds, at most once a second each and not each 100 ms.
    let requests = numbers(folder.path(), "requests")[0];
    assert!((4.0..=12.0).contains(&requests), "{requests}");
    assert_eq!(numbers(folder.path(), "lost"), [0.0, 0.0]);
}

/// Its own log of the network has each connection that it tried.
#[test]
fn a_browser_connects_to_nobody_but_the_server() {
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (script, log) = (folder.path().join("browser"), folder.path().join("net.json"));
    let text = format!("#!/bin/sh\nexec chromium \"$@\" --log-net-log={}\n", log.display());
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, Permissions::from_mode(0o755)).unwrap();
    let (status, _, errors) = run(folder.path(), script.to_str().unwrap(), &["websocket"]);
    assert_eq!(status, 0, "{errors}");
    let log = fs::read_to_string(log).unwrap();
    let (constants, events) = log.split_once('\n').unwrap();
    let constants: Value =
        serde_json::from_str(&format!("{}}}", constants.trim_end_matches(','))).unwrap();
    let kind = |name: &str| constants["constants"]["logEventTypes"][name].as_u64().unwrap();
    let (attempt, sent) = (kind("TCP_CONNECT_ATTEMPT"), kind("UDP_BYTES_SENT"));
    let events = events.lines().filter_map(|line| {
        serde_json::from_str::<Value>(line.trim_end_matches([',', ']', '}']).trim())
            .ok()
            .or_else(|| serde_json::from_str(line.trim_end_matches(',')).ok())
    });
    let mut attempts = 0;
    for event in events {
        assert_ne!(event["type"], sent, "{event}");
        let Some(address) = event["params"]["address"].as_str() else { continue };
        if event["type"] == attempt {
            assert!(address.starts_with("127.0.0.1:"), "{event}");
            attempts += 1;
        }
    }
    assert!(attempts >= 8, "{attempts} connections of 8 tabs");
}

#[test]
fn a_browser_that_is_missing_or_not_asked_for_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (args, part) in [
        (&["--client", "chromium", "--chromium", "/no/such"][..], "--chromium PATH"),
        (&["--chromium", "chromium"], "add --client native,chromium"),
        (&["--client", "chromium", "-t", "sse+tls"], "cannot play `sse+tls`"),
        (&["--client", "firefox"], "chromium"),
    ] {
        let (status, _, errors) = outcome(folder.path(), &[&["run"], args].concat());
        assert_eq!(status, 2, "{errors}");
        assert!(errors.contains(part), "{args:?}: {errors}");
    }
}
