//! Clients that talk: what all of a room hear of each other, by each transport.

use std::collections::HashMap;
use std::path::Path;

use crate::common::outcome;

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
