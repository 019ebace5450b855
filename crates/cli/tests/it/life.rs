//! Connections that end while the feed runs: a server that goes and comes back, and clients that do.

use std::collections::HashMap;
use std::path::Path;
use std::thread;

use crate::common::outcome;

type Row = HashMap<String, String>;

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} is `{}`", row[column]))
}

fn read(folder: &Path, file: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(folder.join(file)).unwrap();
    reader.deserialize().map(|row: Result<Row, _>| row.unwrap()).collect()
}

/// The rows of `summary.csv` and of `life.csv` of a run of one round, which says `says`.
fn played(arguments: &[&str], says: &str) -> (Vec<Row>, Vec<Row>) {
    let work = tempfile::tempdir().unwrap();
    let tiny = ["-r", "1", "-w", "200ms", "--rate", "20/s", "--poll-interval", "100ms"];
    let (code, stdout, stderr) = outcome(work.path(), &[&["run"], arguments, &tiny[..]].concat());
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(stdout.contains(says), "{stdout}");
    let folder = work.path().join("results/latest");
    (read(&folder, "summary.csv"), read(&folder, "life.csv"))
}

/// By its cursor a client goes on with the successor where it was with the server that went: nothing
/// is lost, and nothing comes twice.
#[test]
fn a_server_that_goes_and_comes_back_loses_nothing_by_any_transport() {
    thread::scope(|scope| {
        for (how, says) in
            [("kill", "The server was killed"), ("term", "The server was told to go")]
        {
            scope.spawn(move || goes_and_comes_back(how, says));
        }
    });
}

fn goes_and_comes_back(how: &str, says: &str) {
    let arguments = ["restart", "-c", "24", "-d", "3s", "--restart", how, "--restart-at"];
    let rest = ["500ms", "--restart-down", "400ms", "--reconnect", "jitter"];
    let (rows, tenths) = played(&[&arguments[..], &rest].concat(), says);
    assert_eq!(rows.len(), 4);
    for row in &rows {
        let (count, name) = (|column| number(row, column) as u64, &row["transport"]);
        assert_eq!((count("delivered"), count("published")), (24 * 60, 60), "{how} {name}");
        let faults = ["lost", "duplicated", "reordered", "not_back"].map(count);
        assert_eq!(faults, [0; 4], "{how} {name}");
        assert_eq!(count("cut_off"), 24, "{how} {name}");
        // Nobody listened for as long.
        assert!(number(row, "back_p50_us") >= 400_000.0, "{how} {name}: {row:?}");
        assert!(number(row, "back_max_us") >= number(row, "back_p50_us"), "{how} {name}");
        assert!(number(row, "server_peak_cores") > 0.0, "{how} {name}");
        assert!(number(row, "opened_peak_per_s") >= 10.0, "{how} {name}");
        // A client has ten attempts in a trial.
        let of_it = tenths.iter().filter(|tenth| tenth["transport"] == *name);
        let opened: f64 = of_it.map(|tenth| number(tenth, "opened")).sum();
        assert!((24.0..=24.0 * 10.0).contains(&opened), "{how} {name}: {opened}");
    }
    // From 600 ms to 900 ms into the window nobody listened, and nothing came.
    let silent = tenths.iter().filter(|row| ["0.6", "0.7", "0.8"].contains(&&*row["at_s"]));
    let arrived: Vec<&str> = silent.map(|row| &*row["arrived"]).collect();
    assert_eq!(arrived, ["0"; 12], "{how}");
}

/// A browser waits for three seconds, whatever the server does.
#[test]
fn pauses_of_a_browser_are_three_seconds() {
    let arguments =
        ["restart", "-c", "20", "-d", "4s", "--restart", "kill", "--restart-at", "200ms"];
    let rest = ["--restart-down", "100ms", "--reconnect", "browser", "-t", "sse,websocket"];
    let (rows, _) = played(&[&arguments[..], &rest].concat(), "sse");
    assert_eq!(rows.len(), 2);
    for row in &rows {
        assert!(number(row, "back_p50_us") >= 3_000_000.0, "{row:?}");
        assert_eq!((&*row["lost"], &*row["reconnect"]), ("0", "browser"));
    }
}

/// Ten times in the second three leave, and none of those who come in their place misses a message.
#[test]
fn clients_that_come_go_on_where_those_were_that_left() {
    let arguments = ["churn", "-c", "10", "-d", "1s", "--churn", "10/s", "--churn-burst", "3"];
    let transports = ["-t", "short-poll,short-poll-close,long-poll,sse,websocket"];
    let (rows, tenths) = played(&[&arguments[..], &transports].concat(), "Clients leave");
    assert_eq!(rows.len(), 5);
    for row in &rows {
        let (count, name) = (|column| number(row, column) as u64, &*row["transport"]);
        assert_eq!(count("delivered"), count("expected"), "{name}");
        let faults = ["lost", "duplicated", "reordered", "not_back", "errors"].map(count);
        assert_eq!(faults, [0; 5], "{name}");
        // Who has a connection for each poll comes and goes as it is.
        let left = if name == "short-poll-close" { 0 } else { 30 };
        assert_eq!(count("cut_off"), left, "{name}");
        let of_it = tenths.iter().filter(|tenth| tenth["transport"] == name);
        let opened: u64 = of_it.map(|tenth| number(tenth, "opened") as u64).sum();
        assert!(opened >= 30, "{name}: {opened}");
        assert!(name == "short-poll-close" || opened == 30, "{name}: {opened}");
    }
}

/// Rooms die with the server: what was on its way is lost and counted, and clients talk on in new ones.
#[test]
fn clients_that_talk_go_on_in_the_successors_rooms_and_what_memory_held_is_lost() {
    let arguments = ["restart", "-c", "12", "-d", "3s", "--talk", "chat", "--talk-rate", "4/s"];
    let rest = ["--room-size", "4", "--restart", "kill", "--restart-at", "1s", "--restart-down"];
    let last = ["300ms", "--reconnect", "jitter", "--long-poll-timeout", "1s"];
    let arguments = [&arguments[..], &rest, &last].concat();
    let (rows, _) = played(&arguments, "Rooms are in the server's memory alone");
    assert_eq!(rows.len(), 4);
    for row in &rows {
        let (count, name) = (|column| number(row, column) as u64, &row["transport"]);
        // Twelve are to say four a second for three, and four to hear each.
        assert_eq!(count("expected"), 144 * 4, "{name}");
        // Each may say one in the window that was due before.
        assert!((120..=144 + 12).contains(&count("said")), "{name}: {row:?}");
        assert_eq!(count("delivered") + count("lost") + count("late"), 576, "{name}");
        assert!(count("lost") > 0, "{name}: nobody listened for 300 ms");
        // What was said in the second before, and some of what was behind it.
        assert!(count("delivered") > 192, "{name}: {row:?}");
        assert_eq!(
            ["duplicated", "reordered", "disordered", "not_back"].map(count),
            [0; 4],
            "{name}"
        );
        assert_eq!(count("cut_off"), 12, "{name}");
    }
}
