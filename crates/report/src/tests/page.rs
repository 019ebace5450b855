use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pushbench_core::{Contender, Figure};
use pushbench_metrics::observe::ledger::Source;
use pushbench_metrics::record::RunRecord;
use pushbench_metrics::record::warning::{Invalid, Warning};

use sha2::{Digest as _, Sha256};

use crate::{fixture, html, human};

fn page(record: &RunRecord) -> String {
    html::page(record).unwrap()
}

#[test]
fn the_page_loads_nothing() {
    let page = page(&fixture::quick());
    for loader in ["src=", "<link", "@import", "url(", "href=\"h", "<iframe", "<image", "fetch("] {
        assert!(!page.contains(loader), "{loader}");
    }
    // No address may stand in the page.
    assert_eq!(page.matches("http://").count() + page.matches("https://").count(), 0);
    // What the script and the style may do is nobody else's: their hashes are what the policy allows.
    let element = |name: &str| {
        let (_, rest) = page.split_once(&format!("<{name}>")).unwrap();
        rest.split_once(&format!("</{name}>")).unwrap().0
    };
    for (name, directive) in [("style", "style-src"), ("script", "script-src")] {
        let hash = STANDARD.encode(Sha256::digest(element(name)));
        assert!(page.contains(&format!("{directive} 'sha256-{hash}';")), "{name}");
        assert_eq!(page.matches(&format!("<{name}")).count(), 1);
    }
    assert!(page.contains("content=\"default-src 'none';") && !page.contains("unsafe"));
    assert!(!page.contains(" style=\""), "the policy allows no style of an element's own");
}

#[test]
fn the_page_shows_what_a_stranger_asks_for() {
    let record = fixture::quick();
    let page = page(&record).replace('\u{a0}', " ");
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
    // The answer stands before all that may have to be scrolled to.
    let at = |part: &str| page.find(part).unwrap_or_else(|| panic!("{part}"));
    assert!(at("class=\"finding\"") < at("<table") && at("<table") < at("<figure"));
    assert!(
        at("<details class=\"section\">") > at("<figure"),
        "prose is folded, below what is shown"
    );
    for tag in
        ["table", "tr", "td", "div", "ul", "figure", "svg", "g", "details", "button", "p", "dl"]
    {
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
    assert!(!page.contains("<script>alert") && !page.contains("\" onload=\""));
    assert!(page.matches("&lt;script&gt;").count() >= 10);
    assert_eq!(page.matches("<script").count(), 1);

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

/// A value of a drawing, as a reader who points at it is told.
fn told<'a>(page: &'a str, chart: &str, contender: &str, at: &str) -> [&'a str; 3] {
    let (_, figure) = page.split_once(&format!("<figure id=\"chart-{chart}\"")).unwrap();
    let (figure, _) = figure.split_once("</figure>").unwrap();
    let place = format!("data-at=\"{at}\"");
    let opened = format!("<g data-contender=\"{contender}\">");
    let mut groups = figure.split(&opened).skip(1).map(|group| group.split_once("</g>").unwrap().0);
    let group = groups.find(|group| group.contains(&place));
    let group = group.unwrap_or_else(|| panic!("{chart} has no {at} of {contender}"));
    let (_, value) = group.split_once(&place).unwrap();
    ["data-figure=\"", "data-value=\"", "data-note=\""]
        .map(|name| value.split_once(name).unwrap().1.split_once('"').unwrap().0)
}

#[test]
fn drawings_tell_the_tables_figures_with_their_interval() {
    let record = fixture::six();
    let blocks = crate::rows::blocks(&record);
    let sse = blocks[0].rows.iter().find(|row| row.contender() == Contender::SSE).unwrap();
    let page = page(&record);
    let cpu = sse.spread(Figure::ServerCpu).unwrap();
    let [figure, value, note] = told(&page, "cpu", "sse", "server");
    assert_eq!((figure, value), ("CPU time per message", human::time(cpu.middle).as_str()));
    let (low, high) = (human::time(cpu.low), human::time(cpu.high));
    assert_eq!(note, format!("95 % interval over 6 trials: {low} to {high}"));
    // Of bytes the part, and the whole as the table has it.
    let [_, value, note] = told(&page, "bytes", "sse", "payload");
    let whole = human::size(sse.bytes().unwrap().middle);
    assert_eq!(value, human::size(sse.get(Figure::PayloadBytes).unwrap()));
    assert_eq!(note, format!("of {whole}"));
    // What is pooled here and a median there says so.
    let [_, _, note] = told(&page, "latency", "sse", "p99");
    let p99 = human::time(sse.get(Figure::LatencyP99).unwrap());
    assert!(note.contains(&format!("as in the table: {p99}, 95 % interval")), "{note}");
    assert!(page.contains(">latency, all trials added up (logarithmic)</text>"));
}

#[test]
fn values_over_points_tell_the_point() {
    let page = page(&fixture::sweep());
    let [figure, _, note] = told(&page, "sweep-latency", "websocket", "clients: 20");
    assert_eq!(figure, "median latency");
    assert!(note.starts_with("range of 3 trials: "), "{note}");
    // All points are in one table, each can be chosen, and its details are folded.
    assert_eq!(page.matches("<table class=\"figures").count(), 1);
    assert!(page.contains("<option value=\"3\">20 clients</option>"));
    assert!(page.contains("<details data-point=\"3\"><summary>20 clients"));
}

#[test]
fn lines_sort_by_quantity_and_not_by_its_words() {
    let record = fixture::six();
    let page = page(&record);
    let blocks = crate::rows::blocks(&record);
    for row in &blocks[0].rows {
        let p99 = row.get(Figure::LatencyP99).unwrap();
        let cell = format!("<td data-sort=\"{p99}\">{}</td>", human::time(p99));
        assert!(page.contains(&cell), "{cell}");
    }
}

/// A search goes on until a load is too much: that such a trial cannot be measured is no fault of the run.
#[test]
fn a_search_shows_what_holds_and_no_alarm_for_loads_that_were_too_much() {
    let mut record = fixture::capacity();
    let stalled = record.trials.last_mut().unwrap();
    stalled.invalid.push(Invalid::LoadSaturated { share: 0.99 });
    let shown = page(&record);
    for part in [
        "<td>short-poll</td><td>–</td><td>1 client</td><td>its principle: it polls each 1s</td>",
        "<td>websocket</td><td>2 clients</td><td>4 clients</td><td>server CPU: it used 97 % of a core</td>",
        "1 trial was disturbed",
        "only where its delays met the objectives all the same",
        "<summary>Trials that were disturbed</summary>",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("banner bad"), "{shown}");
    record.capacity = None;
    assert!(page(&record).contains("banner bad"), "in a run it is left out of every figure");
}
