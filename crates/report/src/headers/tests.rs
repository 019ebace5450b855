//! A record with the published figures, and what is made of it.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use pushbench_core::{Contender, Delivery};
use pushbench_metrics::observe::ledger::Source;
use pushbench_metrics::record::environment::Environment;
use pushbench_metrics::record::headers::{
    Claim, ContenderBytes, Exchange, FORMAT, Head, HeaderCase, HeadersRecord, TlsBytes, Traffic,
    UseCase, WindowBytes,
};

use super::{HeadersFolder, claim, csv, sentence, tables};
use crate::Screen;

fn traffic(segments: u64, acks: u64, tcp_bytes: u64) -> Traffic {
    let ip_bytes = tcp_bytes + segments * 52;
    Traffic {
        packets: Some(segments),
        segments,
        acks,
        tcp_bytes,
        ip_bytes,
        tls: TlsBytes::default(),
    }
}

fn row(contender: Contender, exchange: Exchange) -> ContenderBytes {
    let open = Traffic { ip_bytes: 172, ..traffic(3, 1, 0) };
    ContenderBytes {
        contender,
        exchange,
        exchanges: 20,
        usual: 19,
        extra_acks: 1,
        open: Some(open),
        subscription: exchange,
        close: Some(traffic(4, 2, 0)),
    }
}

/// The published poll, and a push of the same 21 bytes.
fn case() -> HeaderCase {
    let poll = Exchange {
        request: Head { characters: 692, bytes: 716 },
        response: Head { characters: 179, bytes: 193 },
        payload: 21,
        framing: 0,
        traffic: traffic(3, 1, 930),
    };
    let push =
        Exchange { payload: 21, framing: 2, traffic: traffic(2, 1, 23), ..Exchange::default() };
    HeaderCase {
        profile: "kaazing-2009".to_owned(),
        about: "headers of November 2009".to_owned(),
        cookie_bytes: 0,
        delivery: Delivery::Latest,
        payload_bytes: 21,
        rows: vec![row(Contender::SHORT_POLL, poll), row(Contender::WEBSOCKET, push)],
        over_link: None,
    }
}

fn measured(http_bytes: u64, framing_bytes: u64, ip_bytes: u64) -> WindowBytes {
    WindowBytes::Measured {
        slower: 1,
        window: Duration::from_secs(10),
        http_bytes,
        framing_bytes,
        ip_bytes: Some(ip_bytes),
        notes: Vec::new(),
        valid: true,
    }
}

/// A thousand clients that were run, and a hundred thousand that were not.
fn claim(http_bytes: u64) -> Claim {
    let not_run = || WindowBytes::Computed { why: "there are too many".to_owned() };
    let run = UseCase {
        name: "A".to_owned(),
        clients: 1_000,
        polls: measured(http_bytes, 0, 10_860_000),
        pushes: measured(0, 20_000, 1_270_000),
    };
    let name = "C".to_owned();
    let far = UseCase { name, clients: 100_000, polls: not_run(), pushes: not_run() };
    Claim { case: case(), period: Duration::from_secs(1), use_cases: vec![run, far] }
}

fn record(claim: Option<Claim>) -> HeadersRecord {
    HeadersRecord {
        format: FORMAT,
        version: "0.1.0".to_owned(),
        started: "2026-01-31T12:00:00Z".to_owned(),
        command_line: vec!["pushbench".to_owned(), "headers".to_owned()],
        environment: Environment::default(),
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        link: None,
        source: Source::Captured,
        cases: vec![case()],
        claim,
    }
}

#[test]
fn the_sentence_tells_the_ratio_at_every_level() {
    let ratios = "435:1 by characters of headers, 454:1 by their bytes, 8.6:1 in IP packets, 7.3:1 \
                  in Ethernet frames.";
    assert!(sentence(&record(None)).ends_with(ratios), "{}", sentence(&record(None)));
    let claimed = sentence(&record(Some(claim(9_090_000))));
    assert!(claimed.ends_with(ratios), "{claimed}");
    assert!(claimed.contains("871 against 2 comes out again"), "{claimed}");
    assert_eq!(claimed.lines().count(), 1, "the claim's case is told once: {claimed}");
}

#[test]
fn each_figure_of_the_claim_says_where_it_is_from() {
    let lines = claim::cells(&claim(9_090_000));
    let cells = |what: &str| {
        let line = lines.iter().find(|line| line[0].starts_with(what));
        line.unwrap_or_else(|| panic!("no line {what}"))[1..].to_vec()
    };
    assert_eq!(cells("polling, published"), ["6.968 M published", "696.8 M published"]);
    assert_eq!(cells("polling, as sent"), ["7.272 M computed", "727.2 M computed"]);
    assert_eq!(cells("polling, HTTP headers"), ["7.272 M measured", "727.2 M computed"]);
    assert_eq!(cells("WebSocket, published"), ["16 k published", "1.6 M published"]);
    assert_eq!(cells("WebSocket, framing"), ["16 k measured", "1.6 M computed"]);
    assert_eq!(cells("in IP packets"), ["8.6:1", "8.6:1"]);
    let notes = claim::notes(&claim(9_090_000)).join("\n");
    assert!(notes.contains("C, polling: computed, since there are too many"), "{notes}");
}

/// Clients with a poll each ten seconds, for twenty: told for one each second.
#[test]
fn clients_that_were_run_slower_are_told_at_the_claims_pace() {
    let mut claim = claim(9_090_000);
    if let WindowBytes::Measured { slower, window, .. } = &mut claim.use_cases[0].polls {
        (*slower, *window) = (10, Duration::from_secs(20));
    }
    claim.use_cases.remove(1);
    claim.use_cases[0].clients = 5_000;
    assert!(claim.deviation(&claim.use_cases[0]).unwrap().abs() < 1e-9);
    let lines = claim::cells(&claim);
    assert!(lines.iter().any(|line| line[1] == "36.36 M measured slower"), "{lines:?}");
    assert!(lines.iter().any(|line| line[1] == "16 k measured"), "{lines:?}");
    let notes = claim::notes(&claim).join("\n");
    assert!(notes.contains("they were run 10 times slower"), "{notes}");
}

#[test]
fn each_column_is_on_the_page_that_explains_them() {
    let out = tempfile::tempdir().unwrap();
    let folder = HeadersFolder::create(out.path(), "20260131T120000Z").unwrap();
    folder.write_all(&record(Some(claim(9_090_000)))).unwrap();
    assert_eq!(crate::tests::columns::check_folder(folder.path()), ["claim.csv", "headers.csv"]);
}

#[test]
fn a_claim_that_is_not_borne_out_says_so() {
    assert!(claim(9_090_000).holds() && claim(9_000_000).holds());
    let off = claim(8_900_000);
    assert!(!off.holds());
    assert!(claim::notes(&off).join("\n").contains("-2.09 %"), "{:?}", claim::notes(&off));
    assert!(sentence(&record(Some(off))).contains("does not bear it out"));

    let mut invalid = claim(9_090_000);
    if let WindowBytes::Measured { valid, .. } = &mut invalid.use_cases[0].pushes {
        *valid = false;
    }
    assert_eq!(invalid.faults(), ["use case A, WebSocket: not valid: "]);
    assert!(
        claim(8_900_000).faults()[0].starts_with("use case A, polling: headers differ by -2.09 %")
    );
}

#[test]
fn segments_that_travelled_as_one_packet_are_told_beside_it() {
    let plain = tables(&record(None), Screen::NONE);
    assert!(plain.contains("3 (1)") && !plain.contains("several segments"), "{plain}");
    let mut cut = record(None);
    cut.cases[0].rows[0].exchange.traffic.packets = Some(2);
    let text = tables(&cut, Screen::NONE);
    assert!(text.contains("3 in 2 packets (1)") && text.contains("several segments"), "{text}");
}

#[test]
fn csv_has_a_value_or_nothing_in_every_column() {
    let mut without = record(None);
    without.source = Source::Kernel;
    without.cases[0].rows[0].exchange.traffic.packets = None;
    without.cases[0].rows[0].open = None;
    let text = String::from_utf8(csv::exchanges(&without)).unwrap();
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let columns = reader.headers().unwrap().clone();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    let value = |row: usize, column: &str| {
        &rows[row][columns.iter().position(|name| name == column).unwrap()]
    };
    assert_eq!(value(0, "ethernet_bytes"), "1128");
    assert_eq!(value(0, "ratio_ip"), "8.551");
    assert_eq!((value(0, "packets"), value(0, "open_segments")), ("", ""));
    assert_eq!((value(1, "packets"), value(1, "open_ethernet_bytes")), ("2", "214"));
    assert_eq!((value(1, "source"), value(1, "close_ethernet_bytes")), ("kernel", "264"));
}

#[test]
fn every_file_is_written() {
    let out = tempfile::tempdir().unwrap();
    let folder = HeadersFolder::create(out.path(), "20260131T120000Z").unwrap();
    assert!(folder.path().ends_with("20260131T120000Z-headers"));
    let record = record(Some(claim(9_090_000)));
    folder.write_all(&record).unwrap();
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let back: HeadersRecord = serde_json::from_slice(&read("headers.json")).unwrap();
    assert_eq!(back, record);
    let page = String::from_utf8(read("headers.md")).unwrap();
    assert!(page.contains("| short-poll | 692+179 (716+193) | 871 (435×) |"), "{page}");
    let svg = String::from_utf8(read("charts/headers.svg")).unwrap();
    roxmltree::Document::parse(&svg).unwrap();
    assert!(svg.contains("435:1") && svg.contains("1,128 B"), "{svg}");
    let whole = String::from_utf8(read("report.html")).unwrap();
    let at = |part: &str| whole.find(part).unwrap_or_else(|| panic!("{part}"));
    assert!(at("comes out again") < at("<table"), "the answer is first");
    for part in [
        // A cell sorts by its characters, a value can be pointed at, the claim is there.
        "data-sort=\"871\">871 (435×)</td>",
        "data-at=\"HTTP headers\" data-figure=\"bytes for one message, both ways\" data-value=\"909 B\"",
        "The published use cases",
        "696.8 M published",
        "data-contender=\"short-poll\"",
    ] {
        assert!(whole.contains(part), "{part}");
    }
    assert!(read("charts/headers.png").starts_with(b"\x89PNG"));
    assert!(
        String::from_utf8(read("claim.csv")).unwrap().contains("A,1000,poll_http,7272000,measured")
    );
    assert!(out.path().join("latest/headers.csv").exists());
}

#[test]
fn no_text_of_a_stranger_acts_on_a_terminal_or_calculates() {
    const EVIL: &str = "=1+1 \x1b[2J\u{9b}31m\nResults: fine\u{202e}<b>|x";
    let mut claim = claim(9_090_000);
    claim.use_cases[0].name = EVIL.to_owned();
    claim.use_cases[1].polls = WindowBytes::Computed { why: EVIL.to_owned() };
    let mut record = record(Some(claim));
    record.cases[0].profile = EVIL.to_owned();
    record.cases[0].about = EVIL.to_owned();
    record.version = EVIL.to_owned();
    record.environment.kernel = EVIL.to_owned();
    let out = tempfile::tempdir().unwrap();
    let folder = HeadersFolder::create(out.path(), "20260131T120000Z").unwrap();
    folder.write_all(&record).unwrap();
    let file = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let files = ["headers.json", "headers.csv", "claim.csv", "headers.md"].map(file);
    for text in files.into_iter().chain([sentence(&record), tables(&record, Screen::NONE)]) {
        let acts = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!text.contains(acts), "{text:?}");
        assert!(!text.lines().any(|line| line.starts_with("Results: fine")), "{text}");
    }
    for sheet in ["headers.csv", "claim.csv"] {
        assert!(file(sheet).contains("\n'=1+1"), "{sheet}: {}", file(sheet));
    }
    // A line feed ends no line of a page.
    let acts = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
    let page = file("report.html");
    assert!(!page.contains("<b>") && !page.contains(acts), "a stranger's text became markup");
    let page = file("headers.md");
    assert!(!page.contains("<b>") && !page.replace("\\|", "").contains("|x"), "{page}");
}

#[test]
fn report_rebuilds_what_headers_left_and_no_run_is_seen_in_it() {
    let out = tempfile::tempdir().unwrap();
    let folder = HeadersFolder::create(out.path(), "20260131T120000Z").unwrap();
    folder.write_all(&record(None)).unwrap();
    let pages = ["headers.md", "report.html"].map(|name| folder.path().join(name));
    let before = pages.clone().map(|page| std::fs::read(page).unwrap());
    pages.iter().for_each(|page| std::fs::remove_file(page).unwrap());
    assert_eq!(crate::rebuild(folder.path()).unwrap(), folder.path());
    assert_eq!(pages.map(|page| std::fs::read(page).unwrap()), before);
    let refused = crate::open(folder.path()).unwrap_err();
    assert!(refused.to_string().contains("is of `pushbench headers`, not of a run"), "{refused}");
    std::fs::write(folder.path().join("headers.json"), "{\"format\": 99}").unwrap();
    let newer = crate::rebuild(folder.path()).unwrap_err();
    assert!(newer.to_string().contains("format 99; this pushbench reads up to 1"), "{newer}");
}
