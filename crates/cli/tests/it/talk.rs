//! Clients that talk: what all of a room hear of each other, by each transport.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;

use crate::common::{Serving, outcome};

type Row = HashMap<String, String>;

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} is `{}`", row[column]))
}

/// The rows of a run with these arguments, by transport; `None` where it is over a link, and there can
/// be none here.
fn played(arguments: &[&str]) -> Option<HashMap<String, Row>> {
    let work = tempfile::tempdir().unwrap();
    let tiny = ["run", "chat", "-d", "1s", "-w", "200ms", "-r", "1", "--poll-interval", "200ms"];
    let (code, stdout, stderr) = outcome(work.path(), &[&tiny[..], arguments].concat());
    if code == 2 && stderr.contains("namespace") {
        eprintln!("skipped: {stderr}");
        return None;
    }
    assert_eq!(code, 0, "{stdout}{stderr}");
    Some(summary(&work.path().join("results/latest")))
}

fn summary(folder: &Path) -> HashMap<String, Row> {
    let mut reader = csv::Reader::from_path(folder.join("summary.csv")).unwrap();
    let rows = reader.deserialize().map(|row: Result<Row, _>| row.unwrap());
    rows.map(|row| (row["transport"].clone(), row)).collect()
}

/// Nine clients in rooms of four, four and one: of each message those of its room hear, whoever says
/// it.
#[test]
fn all_of_a_room_hear_all_that_it_says_in_one_order_by_each_transport() {
    let rows = played(&["-c", "9", "--room-size", "4", "--talk-rate", "20/s"]).unwrap();
    assert_eq!(rows.len(), 4);
    for (transport, row) in rows {
        let count = |column| number(&row, column) as u64;
        // Each speaks 20 times in the second, give or take the one at its edge.
        let said = count("published");
        assert!((9 * 19..=9 * 21).contains(&said), "{transport}: {said}");
        // Two rooms of four and one of one: 33 hearers for each message of every member.
        let expected = count("expected");
        assert!((33 * 19..=33 * 21).contains(&expected), "{transport}: {expected}");
        assert_eq!(count("delivered"), expected, "{transport}");
        let faults = ["lost", "duplicated", "reordered", "disordered", "errors", "reconnects"];
        assert_eq!(faults.map(count), [0; 6], "{transport}");
        assert_eq!(
            (&*row["talk"], &*row["room_size"], &*row["latency_from"]),
            ("chat", "4", "schedule")
        );
        assert!(number(&row, "fan_out_p50_us") <= number(&row, "latency_max_us"), "{transport}");
    }
}

/// A message of 64 B to a room of four goes up once and down four times: 80 B for each hearer. On a
/// WebSocket its head is 6 B up, with the mask, and 2 B down (RFC 6455 §5.2).
#[test]
fn what_is_said_is_in_the_ledger_in_both_directions() {
    let rows = played(&[
        "-c",
        "8",
        "--room-size",
        "4",
        "--talk-rate",
        "20/s",
        "-t",
        "websocket",
        "-t",
        "sse",
    ])
    .unwrap();
    for row in rows.values() {
        // Messages at the window's edges go up within it and down outside of it, or the reverse.
        let payload = number(row, "payload_bytes_per_msg");
        assert!((payload - 80.0).abs() < 80.0 * 0.03, "{payload}");
    }
    let framing = number(&rows["websocket"], "framing_bytes_per_msg");
    assert!((framing - 3.5).abs() < 3.5 * 0.03, "{framing}");
    assert_eq!(number(&rows["websocket"], "http_bytes_per_msg"), 0.0);
    // A request and its answer, each some hundred bytes, for each four that are heard.
    assert!(number(&rows["sse"], "http_bytes_per_msg") > 40.0);
    assert!(number(&rows["sse"], "requests") >= 8.0 * 19.0);
}

/// An echo is heard by who said it alone, and over a link it has been there and back.
#[test]
fn an_echo_over_a_link_takes_its_delay_twice() {
    let rows = played(&[
        "-c",
        "3",
        "--talk",
        "echo",
        "--talk-rate",
        "10/s",
        "--talk-pace",
        "poisson",
        "--delay",
        "30ms",
        "-t",
        "websocket",
        "-t",
        "long-poll",
        "-t",
        "websocket+tls",
    ]);
    let Some(rows) = rows else { return };
    assert_eq!(rows.len(), 3);
    for (transport, row) in rows {
        assert_eq!(row["delivered"], row["published"], "{transport}");
        assert_eq!(row["expected"], row["published"], "{transport}");
        assert!(number(&row, "latency_mean_us") >= 60_000.0, "{transport}: {row:?}");
        assert_eq!(row["room_size"], "1");
    }
}

/// A message of 64 B goes up once and comes down nowhere; on a WebSocket its head has 6 B with the mask
/// (RFC 6455 §5.2). All but that has a request and an answer.
#[test]
fn an_upload_is_counted_by_the_server_and_heard_by_nobody_else() {
    let upload = ["-c", "9", "--talk", "upload", "--talk-rate", "20/s"];
    let rows = played(&[&upload[..], &["-t", "websocket+tls"]].concat()).unwrap();
    let all = played(&upload).unwrap();
    assert_eq!(all.len(), 4);
    for (transport, row) in all.iter().chain(&rows) {
        let count = |column| number(row, column) as u64;
        let said = count("published");
        assert!((9 * 19..=9 * 21).contains(&said), "{transport}: {said}");
        assert_eq!((count("expected"), count("delivered")), (said, said), "{transport}");
        let faults = ["lost", "duplicated", "reordered", "errors", "reconnects"];
        assert_eq!(faults.map(count), [0; 5], "{transport}");
        let payload = number(row, "payload_bytes_per_msg");
        // Of each client's 19 to 21 one may go in the window and be read behind it.
        let edge = 1.0 / 19.0;
        assert!((payload - 64.0).abs() <= 64.0 * edge, "{transport}: {payload}");
        assert_eq!((&*row["talk"], &*row["room_size"]), ("upload", "1"));
        let http = number(row, "http_bytes_per_msg");
        if transport.starts_with("websocket") {
            let framing = number(row, "framing_bytes_per_msg");
            assert!((framing - 6.0).abs() <= 6.0 * edge, "{transport}: {framing}");
            assert_eq!(http, 0.0);
        } else {
            assert!(http > 150.0, "{transport}: {http}");
        }
    }
}

/// By one POST after another in 400 ms each, five messages a second are more than go: what waits at the
/// window's end is said in the drain, and its wait is in its latency.
#[test]
fn an_upload_over_a_link_is_over_once_all_has_been_said() {
    let rows = played(&[
        "-c",
        "2",
        "--talk",
        "upload",
        "--talk-rate",
        "5/s",
        "--delay",
        "200ms",
        "-t",
        "sse",
        "-t",
        "websocket",
    ]);
    let Some(rows) = rows else { return };
    for (transport, row) in &rows {
        assert_eq!(row["delivered"], row["published"], "{transport}");
        assert!(number(row, "latency_mean_us") >= 200_000.0, "{transport}: {row:?}");
    }
    assert!(number(&rows["sse"], "latency_max_us") >= 600_000.0, "{rows:?}");
}

/// More, and longer, than the server takes from strangers.
#[test]
fn a_run_measures_talk_however_much_it_is() {
    for much in [&["--talk-rate", "1000/s"][..], &["--payload", "100KiB"]] {
        let arguments = ["-c", "1", "--room-size", "1", "-t", "websocket", "-t", "sse"];
        for (transport, row) in played(&[&arguments[..], much].concat()).unwrap() {
            assert_eq!(row["delivered"], row["expected"], "{transport}: {much:?}");
            assert_eq!(row["errors"], "0", "{transport}: {much:?}");
        }
    }
}

#[test]
fn a_page_says_how_clients_talk_and_speaks_of_no_model() {
    let work = tempfile::tempdir().unwrap();
    let tiny = ["run", "chat", "-d", "1s", "-w", "200ms", "-r", "1", "-c", "8", "-t", "websocket"];
    for (arguments, words) in [
        (
            &["--room-size", "4", "--talk-rate", "20/s"][..],
            "each says 20 messages/s to all of its room of 4",
        ),
        (&["--talk", "echo"], "each says 1 message/s and hears them back"),
        (
            &["--talk", "upload", "--talk-pace", "poisson", "--talk-rate", "9/s"],
            "each says 9 messages/s on average to the server alone",
        ),
    ] {
        let (code, stdout, stderr) = outcome(work.path(), &[&tiny[..], arguments].concat());
        assert_eq!(code, 0, "{stdout}{stderr}");
        let page = std::fs::read_to_string(work.path().join("results/latest/report.html")).unwrap();
        assert!(page.contains(&format!("8 clients, {words}, 64 B payload")), "{words}");
        assert!(!page.contains("A thin line is what a model expects"), "{words}");
        let dry = [&tiny[..], arguments, &["--dry-run"]].concat();
        let (_, plan, _) = outcome(work.path(), &dry);
        assert!(plan.contains(&format!("8 clients, {words} of 64 B")), "{plan}");
    }
}

/// Twice a second's messages may be said at once; of one in a hundred seconds that is one still.
#[test]
fn a_server_says_how_much_a_client_may_say() {
    let work = tempfile::tempdir().unwrap();
    let server = Serving::start(work.path(), &["--say-limit", "0.01/s", "--schedule", "manual"]);
    let mut socket = BufReader::new(TcpStream::connect(server.address()).unwrap());
    let mut say = || {
        let post =
            "POST /rooms/a/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi";
        socket.get_mut().write_all(post.as_bytes()).unwrap();
        let (mut head, mut status) = (String::new(), String::new());
        socket.read_line(&mut status).unwrap();
        let mut length = 0;
        while head != "\r\n" {
            head.clear();
            socket.read_line(&mut head).unwrap();
            let value = head.to_lowercase();
            if let Some(value) = value.strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
        }
        std::io::copy(&mut std::io::Read::take(&mut socket, length), &mut std::io::sink()).unwrap();
        status[9..12].to_owned()
    };
    assert_eq!([say(), say()], ["201", "429"]);
    let (code, _, stderr) = outcome(work.path(), &["serve", "--say-limit", "0/s"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("it must be above zero"), "{stderr}");
}

#[test]
fn talk_that_cannot_be_is_refused_before_anything_starts() {
    let work = tempfile::tempdir().unwrap();
    for (arguments, part) in [
        (&["run", "quick", "--talk-rate", "2/s"][..], "talk.pattern"),
        (&["run", "chat", "--payload", "12B", "--payload-kind", "text"], "needs 20B"),
        (&["run", "chat", "--delivery", "latest"], "`every` alone"),
        (&["run", "chat", "--talk", "whisper"], "whisper"),
    ] {
        let (code, stdout, stderr) = outcome(work.path(), arguments);
        assert_eq!((code, &*stdout), (2, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(part), "{arguments:?}: {stderr}");
    }
}
