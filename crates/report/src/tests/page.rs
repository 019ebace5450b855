use pushbench_core::Contender;
use pushbench_metrics::observe::ledger::Source;
use pushbench_metrics::record::RunRecord;
use pushbench_metrics::record::warning::{Invalid, Warning};

use crate::{fixture, html};

fn page(record: &RunRecord) -> String {
    html::page(record).unwrap()
}

#[test]
fn the_page_loads_nothing() {
    let page = page(&fixture::quick());
    for loader in ["src=", "<script", "<link", "@import", "url(", "xlink:href", "<iframe", "<image"]
    {
        assert!(!page.contains(loader), "{loader}");
    }
    // Namespaces are names; no other address may stand in the page.
    let addresses = page.matches("http://").count() + page.matches("https://").count();
    assert_eq!(addresses, page.matches("xmlns=\"http://www.w3.org/2000/svg\"").count());
    assert_eq!(addresses, 5);
}

#[test]
fn the_page_shows_what_a_stranger_asks_for() {
    let record = fixture::quick();
    let page = page(&record);
    let sentence = crate::sentence(&record);
    let parts = [
        sentence.as_str(),
        "6.1.0-18-amd64",
        "AMD EPYC 7B13",
        "<th>cores usable</th><td>2</td>",
        "1,024 (may be raised to unlimited)",
        "pushbench run quick",
        "2026-01-31T12:00:00Z",
        "the publisher was 1.5 ms late or more in one of a hundred cases (2 of 3 trials)",
        "the machine stalled for up to 240.0 ms",
        "1 trial was invalid, and left out of every figure",
        "poll_interval = &quot;1s&quot;",
        "From the instant at which the schedule says",
        "Lag of the instrument: publisher ",
    ];
    for part in parts {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("cut short"));
    assert_eq!(page.matches("<figure").count(), page.matches("<figcaption>").count());
    for tag in ["table", "tr", "td", "div", "ul", "figure", "svg", "p", "dl"] {
        let opened =
            page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn the_page_says_how_far_down_bytes_were_counted() {
    let record = fixture::quick();
    let wire = page(&record);
    assert!(wire.contains("<dd>All that went over the wire in the window, at the IP layer"));
    assert!(!wire.contains("at the socket, both") && !wire.contains("not counted"));
    for source in [Source::Counted, Source::Kernel, Source::Captured, Source::Modelled] {
        assert!(wire.contains(&format!("<code>{}</code>", source.name())), "{source:?}");
    }
    let socket = page(&fixture::without_tcpip(record));
    assert!(socket.contains("which was not counted in this run"));
    assert!(!socket.contains("on the wire, at the IP layer"));
}

#[test]
fn the_page_claims_of_another_ones_server_nothing_that_is_so_of_ours() {
    let mut record = fixture::quick();
    let ours = page(&record);
    assert!(ours.contains("with fresh processes;") && ours.contains("the ring of messages"));
    record.trials.iter_mut().for_each(|trial| trial.server = None);
    let page = page(&record);
    assert!(page.contains("with fresh load processes, against a server that ran already;"));
    assert!(page.contains("Memory per client is") && !page.contains("the ring of messages"));
}

#[test]
fn what_comes_from_outside_is_escaped() {
    let evil = "<script>alert('x')</script>\" onload=\"x|`*";
    let mut record = fixture::quick();
    record.scenario.name = evil.to_owned();
    record.scenario.question = evil.to_owned();
    record.command_line.push(evil.to_owned());
    record.environment.cpu_model = evil.to_owned();
    record.environment.kernel = evil.to_owned();
    record.version = evil.to_owned();
    record.started = evil.to_owned();
    let trial = fixture::trial_mut(&mut record, Contender::WEBSOCKET, 1);
    trial.warnings.push(Warning::Errors { count: 1, first: Some(evil.to_owned()) });
    let trial = fixture::trial_mut(&mut record, Contender::SHORT_POLL, 1);
    trial.invalid.push(Invalid::LoadDied { error: evil.to_owned() });
    trial.errors.push(evil.to_owned());
    let page = page(&record);
    assert!(!page.contains("<script") && !page.contains("\" onload=\""));
    assert!(page.matches("&lt;script&gt;").count() >= 10);

    let markdown = crate::markdown(&record);
    assert!(!markdown.contains("<script"), "{markdown}");
    assert!(!markdown.replace("\\|", "").lines().any(|line| line.contains("x|")), "{markdown}");
}

#[test]
fn what_the_machine_lets_the_instrument_do_is_said_briefly() {
    let mut record = fixture::quick();
    let line = "wake-ups 21.0 µs late at p50 and 1.40 ms at most, canary at real-time priority, \
                receive timestamps, no packet capture, frequency governor performance, SMT off";
    assert!(page(&record).contains(line));
    assert!(crate::markdown(&record).contains(&format!("Instrument: {line}.")));
    // A record of an older version knows nothing of it.
    record.environment = Default::default();
    assert!(!crate::markdown(&record).contains("Instrument"));
}

#[test]
fn a_run_cut_short_says_so_first() {
    let mut record = fixture::quick();
    record.trials.truncate(5);
    record.partial = true;
    let page = page(&record);
    let banner =
        page.find("This run is partial, it was cut short: 5 trials of 12 planned").unwrap();
    assert!(banner < page.find("class=\"finding\"").unwrap());
    assert!(crate::terminal_table(&record, crate::Screen::NONE).contains("This run is partial"));
    assert!(crate::markdown(&record).contains("**This run is partial"));
}

#[test]
fn a_run_without_trials_is_a_page_and_no_table_of_zeros() {
    let record = RunRecord { trials: Vec::new(), partial: true, ..fixture::quick() };
    let page = page(&record);
    assert!(page.contains("No trial was finished") && !page.contains("<figure"));
    assert!(!crate::terminal_table(&record, crate::Screen::NONE).contains("0 %"));
}
