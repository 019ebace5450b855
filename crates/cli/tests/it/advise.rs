//! Advice, end to end: what is refused, what is planned, and an answer that rests on trials.

use std::fs;

use serde_json::Value;

use crate::common::outcome;

/// A workload but for its freshness.
const WORKLOAD: [&str; 6] = ["-c", "20", "-R", "100/s", "--payload", "64B"];

/// Runs `pushbench advise` on it with more arguments: exit status, output, errors.
fn advise(folder: &std::path::Path, more: &[&str]) -> (i32, String, String) {
    outcome(folder, &[&["advise"], &WORKLOAD[..], more].concat())
}

#[test]
fn what_is_missing_or_cannot_be_is_refused_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    for (more, part) in [
        (&[][..], "--fresh is missing; pass it, such as `--fresh 1s`"),
        (&["--fresh", "0s"], "--fresh: from 1ms to 1h"),
        (&["--fresh", "1s", "--margin", "0%"], "it is from 0.1% to 100%"),
        (&["--fresh", "5ms", "-t", "short-poll"], "no period of polls is fresh enough"),
        (&["--fresh", "1s", "--delay", "1ms,2ms"], "each setting has one value"),
        (&["--fresh", "10s", "--budget", "20s"], "--budget: the fewest trials"),
        (&["--fresh", "1s", "--price", "none"], "no prices are called `none`"),
        (&["--fresh", "1s", "--talk-rate", "2000k/s"], "talk.rate: "),
        (
            &["--fresh", "1s", "--delay", "100ms", "--talk-rate", "5/s"],
            "--talk-rate: a client's requests go one at a time, and over this link one takes 200ms",
        ),
    ] {
        let (code, stdout, stderr) = advise(folder.path(), more);
        assert_eq!((code, stdout.as_str()), (2, ""), "{more:?}: {stderr}");
        assert!(stderr.contains(part), "{more:?}: {stderr}");
    }
    assert!(!folder.path().join("results").exists());
}

#[test]
fn a_dry_run_says_what_would_be_measured_and_for_how_long() {
    let folder = tempfile::tempdir().unwrap();
    let more = ["--fresh", "10s", "--delivery", "latest", "--quick", "--dry-run"];
    let (code, plan, stderr) = advise(folder.path(), &more);
    assert_eq!(code, 0, "{stderr}");
    for part in ["short-poll", "each 9s", "composed", "24 = 4 contenders × 6 rounds", "time"] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    assert!(!folder.path().join("results").exists());
}

/// The pages of the run begin with the advice, before what its trials delivered; from the record alone, too.
fn answer_is_first_on_pages(run: &std::path::Path, advice: &Value) {
    // Signs of the page's own language stand behind a backslash or as an entity there.
    let sentence = advice["sentence"].as_str().unwrap().split('[').next().unwrap();
    for again in [false, true] {
        if again {
            fs::remove_file(run.join("report.md")).unwrap();
            let (code, _, stderr) = outcome(run, &["report", "."]);
            assert_eq!(code, 0, "{stderr}");
        }
        for page in ["report.md", "report.html"] {
            let text = fs::read_to_string(run.join(page)).unwrap().replace('\u{a0}', " ");
            let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{page}: no {part}"));
            let places = [sentence, "What would change it", "Not measured", "The trials"].map(at);
            assert!(places.is_sorted(), "{page}: {places:?}");
        }
    }
}

/// A hundred messages a second of which only the newest counts, two seconds late at the most: polls each
/// 1.8 s take a request and an answer of some hundred bytes for 180 messages.
#[test]
fn where_only_the_newest_counts_a_poll_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let more = [
        ["--fresh", "2s"],
        ["--delivery", "latest"],
        ["-t", "sse,short-poll"],
        ["--duration", "300ms"],
    ];
    let (code, stdout, stderr) =
        advise(folder.path(), &[&more.concat()[..], &["--quick"]].concat());
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(stdout.starts_with("Take short-poll each 1800ms"), "{stdout}");
    for part in ["What would change it", "≈ composed", "Not measured", "Results: "] {
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
    let json = fs::read_to_string(folder.path().join("results/latest/advice.json")).unwrap();
    let advice: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(advice["named"], serde_json::json!(["short-poll"]));
    answer_is_first_on_pages(&folder.path().join("results/latest"), &advice);
    let candidates = advice["candidates"].as_array().unwrap();
    let figure = |at: usize, name: &str| candidates[at][name]["middle"].as_f64().unwrap();
    let (sse, poll) = (0, 1);
    assert_eq!(candidates[poll]["transport"], "short-poll");
    assert_eq!(
        (&candidates[sse]["composed"], &candidates[poll]["composed"]),
        (&false.into(), &true.into())
    );
    // Each 1.8 s some 200 to 500 bytes, and a hundred times a second some 190.
    let bytes = "wire_bytes_per_client_s";
    assert!((100.0..300.0).contains(&figure(poll, bytes)), "{json}");
    assert!((15e3..25e3).contains(&figure(sse, bytes)), "{json}");
    // All but a hundredth of a period, and what a loaded machine adds.
    assert!(figure(poll, "fresh_p99_us") > 1.7e6, "{json}");
    // The server's own CPU time is read while a stream's clients rest; polls have no rest.
    let record = fs::read_to_string(folder.path().join("results/latest/run.json")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    for trial in record["trials"].as_array().unwrap() {
        let rests = trial["resources"]["resting"].is_object();
        assert_eq!(rests, trial["id"]["transport"] == "sse", "{}", trial["id"]);
    }
}

/// A hundred messages a second of some 190 bytes are 50 GB a month, at 0.12 USD a GiB some 5.60 USD for a
/// client; a poll each 1.8 s finds the newest alone, for some 300 bytes, and 0.05 USD.
#[test]
fn with_prices_the_cheapest_by_money_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let more = [
        ["--fresh", "2s"],
        ["--delivery", "latest"],
        ["-t", "sse,short-poll"],
        ["--duration", "300ms"],
        ["--price", "gcp-e2"],
    ];
    let (code, stdout, stderr) =
        advise(folder.path(), &[&more.concat()[..], &["--quick"]].concat());
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(stderr.contains("of gcp-e2 as of 2025-01"), "{stderr}");
    assert!(stdout.starts_with("Take short-poll each 1800ms"), "{stdout}");
    for part in ["the cheapest by money", "USD/month", "A month of your 20 clients costs"] {
        assert!(stdout.replace("\n", " ").contains(part), "{part}: {stdout}");
    }
    let json = fs::read_to_string(folder.path().join("results/latest/advice.json")).unwrap();
    let advice: Value = serde_json::from_str(&json).unwrap();
    let money =
        |at: usize| advice["candidates"][at]["money_per_client_month"]["middle"].as_f64().unwrap();
    // A busy machine has a window's last bytes come behind it.
    assert!((3.0..9.0).contains(&money(0)) && (0.01..0.5).contains(&money(1)), "{json}");
    // Others might have another taken, which the words of this one would not say.
    let again = ["report", "results/latest", "--price", "aws-api-gateway"];
    let (code, _, stderr) = outcome(folder.path(), &again);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("pushbench advise --price"), "{stderr}");
}

/// A message of 64 bytes goes up in a masked frame with a header of 6, and in a segment that is acknowledged:
/// 64 + 6 + 52 bytes, and up to 52 of an ACK. A request and its answer have heads of some hundred bytes each, and
/// two segments. Twice a second that comes to what is heard.
#[test]
fn what_clients_say_is_measured_by_the_way_up_and_comes_to_what_they_hear() {
    let folder = tempfile::tempdir().unwrap();
    let more = [
        ["--fresh", "2s"],
        ["--talk-rate", "2/s"],
        ["-t", "short-poll,sse,websocket"],
        ["--duration", "300ms"],
    ];
    let (code, stdout, stderr) =
        advise(folder.path(), &[&more.concat()[..], &["--quick"]].concat());
    assert_eq!(code, 0, "{stdout}{stderr}");
    // Who sends requests does so in the same way, whatever they listen by.
    assert!(stderr.contains("; 12 of talk"), "{stderr}");
    assert!(stdout.replace("\n  ", " ").contains("What each client says, 2/s of 64B"), "{stdout}");
    let json = fs::read_to_string(folder.path().join("results/latest/advice.json")).unwrap();
    let advice: Value = serde_json::from_str(&json).unwrap();
    let said = |at: usize| {
        let said = &advice["candidates"][at]["said"];
        said["wire_bytes_per_message"]["middle"].as_f64().unwrap()
    };
    let (poll, sse, websocket) = (0, 1, 2);
    // And a hundredth or two, as a window's edges cut a message from its bytes.
    assert!((115.0..185.0).contains(&said(websocket)), "{json}");
    assert!((300.0..800.0).contains(&said(sse)), "{json}");
    assert!((said(poll) - said(sse)).abs() < 1.0, "{json}");
    let all = advice["candidates"][sse]["wire_bytes_per_client_s"]["middle"].as_f64().unwrap();
    let hears = all - 2.0 * said(sse);
    // A hundred events of 64 bytes, with some 125 around each.
    assert!((15e3..25e3).contains(&hears), "{json}");
}
