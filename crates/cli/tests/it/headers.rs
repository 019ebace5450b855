//! `pushbench headers`: the published poll to the byte, over real sockets.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use crate::common::outcome;

/// The user that systems keep for those without rights.
const NOBODY: u32 = 65_534;

type Row = HashMap<String, String>;

fn rows(folder: &Path) -> Vec<Row> {
    let path = folder.join("results/latest/headers.csv");
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}

fn number(row: &Row, column: &str) -> u64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} is `{}`", row[column]))
}

/// The figures of Lubbers and Greco (2010), and what they are on the wire; an ACK more than usual
/// is counted and adds 52 bytes to IP and 66 to Ethernet.
fn check_published(rows: &[Row]) {
    let [poll, push] = rows else { panic!("a poll and a push: {rows:?}") };
    assert_eq!((&*poll["transport"], &*push["transport"]), ("short-poll", "websocket"));
    let exact = [
        ("request_characters", 692),
        ("response_characters", 179),
        ("added_characters", 871),
        ("request_bytes", 716),
        ("response_bytes", 193),
        ("added_bytes", 909),
        ("payload_bytes", 21),
        ("tcp_bytes", 930),
    ];
    for (column, expected) in exact {
        assert_eq!(number(poll, column), expected, "{column}");
    }
    assert_eq!(number(push, "added_bytes"), 2);
    for (row, frames, packets) in [(poll, 1128, 1086), (push, 155, 127)] {
        let extra = number(row, "pure_acks") - 1;
        assert_eq!(number(row, "ethernet_bytes"), frames + 66 * extra, "{row:?}");
        assert_eq!(number(row, "ip_bytes"), packets + 52 * extra, "{row:?}");
        assert_eq!(number(row, "open_ethernet_bytes"), 214, "{row:?}");
    }
    // Four segments, or three where a FIN and the ACK of the other are one.
    assert!([198, 264].contains(&number(poll, "close_ethernet_bytes")), "{poll:?}");
}

#[test]
fn the_published_poll_comes_out_to_the_byte() {
    let work = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) =
        outcome(work.path(), &["headers", "--profile", "kaazing-2009", "-t", "short-poll"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    check_published(&rows(work.path()));
    assert!(stdout.contains("435:1 by characters of headers, 454:1 by their bytes"), "{stdout}");
    assert!(stdout.contains("692+179 (716+193)"), "{stdout}");
    for file in
        ["headers.json", "headers.md", "report.html", "charts/headers.svg", "charts/headers.png"]
    {
        assert!(work.path().join("results/latest").join(file).exists(), "{file}");
    }
}

#[test]
fn without_the_privilege_to_capture_the_kernel_counts_the_same() {
    let work = tempfile::tempdir().unwrap();
    fs::set_permissions(work.path(), fs::Permissions::from_mode(0o777)).unwrap();
    // Where the checkout lies, another user may not look.
    let binary = work.path().join("pushbench");
    fs::copy(env!("CARGO_BIN_EXE_pushbench"), &binary).unwrap();
    let mut command = Command::new(&binary);
    command.args(["headers", "--profile", "kaazing-2009", "-t", "short-poll"]);
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.current_dir(work.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let rows = rows(work.path());
    check_published(&rows);
    if rows.iter().all(|row| row["source"] == "kernel") {
        assert!(said.contains("falling back to what the kernel counts"), "{said}");
        assert!(rows.iter().all(|row| row["packets"].is_empty()), "{rows:?}");
    } else {
        // A container may give everybody the privilege.
        assert!(rows.iter().all(|row| row["source"] == "captured"), "{rows:?}");
    }
}

#[test]
fn cookies_and_payload_add_what_they_are_and_ipv6_its_header() {
    let work = tempfile::tempdir().unwrap();
    let args = ["headers", "--profile", "curl", "--cookie-bytes", "0,400", "--payload", "1KiB"];
    let (code, stdout, stderr) = outcome(work.path(), &[&args[..], &["-q", "--ipv6"]].concat());
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert_eq!(stdout.lines().filter(|line| line.starts_with("With the headers")).count(), 2);
    let rows = rows(work.path());
    assert_eq!(rows.len(), 12, "two sizes of cookies by six transports");
    let (plain, cookies) = rows.split_at(6);
    for (plain, cookies) in plain.iter().zip(cookies) {
        assert_eq!(number(plain, "payload_bytes"), 1024, "{plain:?}");
        // A WebSocket header of four bytes (RFC 6455 §5.2).
        if plain["transport"] == "websocket" {
            assert_eq!(number(plain, "tcp_bytes"), 1028);
        }
        let more = number(cookies, "request_bytes") - number(plain, "request_bytes");
        let asks = number(plain, "request_bytes") > 0;
        assert_eq!(more, if asks { 400 + "Cookie: \r\n".len() as u64 } else { 0 }, "{plain:?}");
        // Headers of 40 bytes of IPv6 and 32 of TCP, and two of its SYNs 8 more.
        if !plain["open_segments"].is_empty() {
            assert_eq!(number(plain, "open_ethernet_bytes"), 3 * (14 + 72) + 16, "{plain:?}");
            let headers = number(plain, "ip_bytes") - number(plain, "tcp_bytes");
            assert_eq!(headers, 72 * number(plain, "segments"), "{plain:?}");
        }
    }
}

/// Bytes at the socket of TLS 1.3 (RFC 8446 §5.2, §4.6.1, §6.1).
#[test]
fn in_tls_each_record_adds_its_bytes_and_a_session_that_is_resumed_shows_no_certificate() {
    let work = tempfile::tempdir().unwrap();
    let args = ["headers", "--tls", "--profile", "minimal", "-q"];
    let (code, stdout, stderr) = outcome(work.path(), &args);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let rows = rows(work.path());
    assert_eq!(rows.len(), 6);
    for row in &rows {
        let at = |column| number(row, column);
        let plaintext = at("added_bytes") + at("payload_bytes");
        assert_eq!(at("tcp_bytes"), plaintext + at("tls_bytes"), "{row:?}");
        let records = if at("request_bytes") > 0 { 2 } else { 1 };
        assert_eq!(at("tls_record_bytes"), records * 22, "{row:?}");
        // A change of cipher spec of 6 bytes, and a record with 4 + 32 bytes of a Finished.
        assert_eq!(at("first_tls_client_finished_bytes"), 6 + 22 + 36, "{row:?}");
        // The client's half of X25519MLKEM768.
        assert!(at("first_tls_client_hello_bytes") > 1216, "{row:?}");
        if row["transport"] == "short-poll-close+tls" {
            let server = "tls_server_handshake_bytes";
            assert!(at(server) + 400 < at("first_tls_server_handshake_bytes"), "{row:?}");
            assert_eq!(at("tls_ticket_bytes"), at("first_tls_ticket_bytes"), "{row:?}");
            assert_eq!(at("tls_alert_bytes"), 2 * 24, "{row:?}");
        } else {
            assert_eq!(at("tls_bytes"), at("tls_record_bytes"), "{row:?}");
        }
    }
}

/// Rows and record over a link; `None` where there can be none here.
fn over_a_link(args: &[&str]) -> Option<(Vec<Row>, serde_json::Value)> {
    let work = tempfile::tempdir().unwrap();
    let common = ["headers", "--json", "--delay", "5ms"];
    let (code, stdout, stderr) = outcome(work.path(), &[&common, args].concat());
    if code == 2 && stderr.contains("namespace") {
        eprintln!("skipped: {stderr}");
        return None;
    }
    assert_eq!(code, 0, "{stderr}");
    Some((rows(work.path()), serde_json::from_str(&stdout).unwrap()))
}

/// Two counts that know nothing of each other: of the clients' kernel, and of the link's router. Of what is
/// published nothing goes over the link.
fn check_router(record: &serde_json::Value) {
    let over = &record["cases"][0]["over_link"];
    assert_eq!(over["router"], over["kernel"], "{over}");
    assert_eq!((&over["sent_again"], &over["dropped"]), (&0.into(), &0.into()), "{over}");
}

#[test]
fn over_a_link_the_published_poll_has_the_same_bytes_and_the_router_saw_them() {
    let args = ["--profile", "kaazing-2009", "-t", "short-poll"];
    let Some((rows, record)) = over_a_link(&args) else { return };
    check_published(&rows);
    check_router(&record);
    assert_eq!(record["address"], "10.0.0.1");
}

/// On loopback a message of 10 KiB is a single packet. A packet of 1,500 bytes has 1,428 for it in IPv6.
#[test]
fn over_a_link_a_message_is_as_many_packets_as_it_takes() {
    if !Path::new("/proc/net/if_inet6").exists() {
        return eprintln!("skipped: this kernel has no IPv6");
    }
    let args = ["--profile", "minimal", "-t", "short-poll-close", "--payload", "10KiB", "--ipv6"];
    let Some((rows, record)) = over_a_link(&args) else { return };
    check_router(&record);
    assert_eq!(record["link"]["ip_version"], "ipv6");
    let push = rows.iter().find(|row| row["transport"] == "websocket").unwrap();
    let segments = number(push, "segments");
    assert_eq!(segments - number(push, "pure_acks"), (10_240 + 4_u64).div_ceil(1_428), "{push:?}");
    assert_eq!(number(push, "ip_bytes"), 10_244 + 72 * segments, "{push:?}");
}

#[test]
fn what_headers_cannot_play_over_a_link_is_refused() {
    let work = tempfile::tempdir().unwrap();
    for (args, part) in [
        (&["--delay", "5ms,9ms"][..], "there is one link here, so each setting has one value"),
        (&["--delay", "5ms", "--reproduce"], "--reproduce: the published clients are on loopback"),
        (&["--delay", "11s"], "link.delay: 11s is too long"),
    ] {
        let (code, _, stderr) = outcome(work.path(), &[&["headers"], args].concat());
        assert!(code == 2 && stderr.contains(part), "{args:?}: {code}, {stderr}");
    }
    assert!(!work.path().join("results").exists());
}

#[test]
fn json_is_the_record_and_nothing_else() {
    let work = tempfile::tempdir().unwrap();
    let args = ["headers", "--profile", "minimal", "-t", "sse", "--json"];
    let (code, stdout, stderr) = outcome(work.path(), &args);
    assert_eq!(code, 0, "{stderr}");
    let record: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let contenders: Vec<&str> = record["cases"][0]["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["transport"].as_str().unwrap())
        .collect();
    // WebSocket is what all are compared with.
    assert_eq!(contenders, ["sse", "websocket"]);
    // "data: ", "id: ", three line ends, the number, and a chunk of two digits around them.
    assert_eq!(record["cases"][0]["rows"][0]["exchange"]["framing"], 6 + 4 + 2 + 3 + 6);
}
