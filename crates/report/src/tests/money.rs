//! Costs: from what a trial counted to what people and programs read of it.

use std::time::Duration;

use pushbench_core::price::Price;
use pushbench_core::{Contender, MonoInstant};
use pushbench_metrics::judge::advice::compose::Course;
use pushbench_metrics::judge::advice::said;
use pushbench_metrics::observe::ledger::Tally;
use pushbench_metrics::observe::ledger::{Direction, Layer, Ledger, Phase, Source, TcpipTally};
use pushbench_metrics::record::{CpuTime, Resting, RunRecord, TrialRecord};

use crate::csv;
use crate::rows::blocks;
use crate::tests::columns::check;
use crate::{Screen, fixture, markdown, sentence, table, terminal_table};

fn priced(mut record: RunRecord, name: &str) -> RunRecord {
    record.price = Price::built_in().find(|price| price.name == name);
    record
}

/// The field of that column in each line.
fn column(file: &[u8], name: &str) -> Vec<String> {
    let mut reader = ::csv::Reader::from_reader(file);
    let place = reader.headers().unwrap().iter().position(|header| header == name).unwrap();
    reader.records().map(|line| line.unwrap()[place].to_owned()).collect()
}

/// One trial, whose window of 5 s and 10 clients has exactly these bytes.
fn of_bytes(contender: Contender, up: &[(Layer, u64)], down: &[(Layer, u64)]) -> RunRecord {
    let toml = format!("clients = 10\nduration = \"5s\"\nruns = 1\ntransports = [\"{contender}\"]");
    let mut record = fixture::run(&toml);
    let trial = &mut record.trials[0];
    trial.connected = 10;
    trial.window.end = MonoInstant(trial.window.start.0 + 5_000_000_000);
    let mut tally = Tally::default();
    up.iter().for_each(|&(layer, bytes)| tally.add(Direction::Up, layer, bytes));
    down.iter().for_each(|&(layer, bytes)| tally.add(Direction::Down, layer, bytes));
    let mut ledger = Ledger::default();
    ledger.add(Phase::Window, &tally);
    // What is charged once, and what went the other way, is in no bill of bytes out.
    ledger.add(Phase::Connect, &tally);
    let segments = TcpipTally { packets: 100, header_bytes: 5_200, retransmitted_bytes: 0 };
    for direction in Direction::ALL {
        ledger.add_tcpip(Phase::Window, direction, Source::Kernel, &segments);
    }
    trial.measured.ledger = ledger;
    record
}

fn cost(record: RunRecord, name: &str) -> String {
    let summary = csv::summary(&priced(record, name));
    column(&summary, "cost_per_client_month").remove(0)
}

/// A websocket trial with 500 messages of 40,000 B to 10 clients in 5 s, who said 100.
fn conversing() -> RunRecord {
    let mut record = of_bytes(
        Contender::WEBSOCKET,
        &[(Layer::Payload, 4_000_000), (Layer::Framing, 1_000)],
        &[(Layer::Payload, 20_000_000), (Layer::Framing, 4_800)],
    );
    let counters = &mut record.trials[0].measured.counters;
    (counters.messages_in_window, counters.said, counters.requests) = (500, 100, 0);
    record
}

/// 500 messages of 40,000 B to 10 clients in 5 s: 10 a second for each, and each client said 2 a second.
///
/// Messages: (500 + 100) / 50 client-seconds = 12/s; of 24,000,000 B / 600 = 40,000 B, 2 units of 32 KiB;
/// × 2,628,000 s × 2 = 63,072,000; at 1 USD per million: 63.072.
/// Connection-minutes: 43,800 at 0.25 USD per million: 0.01095.
/// Egress: (20,000,000 + 4,800 + 5,200) B / 50 = 400,200 B/s; × 2,628,000 = 1,051.7256 GB; × 0.09: 94.655304.
/// In all 157.738254 USD.
#[test]
fn a_websockets_bill_is_that_of_its_windows_messages_and_bytes() {
    let record = conversing();
    assert_eq!(cost(record.clone(), "aws-api-gateway"), "157.73825400");
    // Clients that upload hear nothing: what arrived was counted when it was said.
    let mut upload = of_bytes(Contender::WEBSOCKET, &[(Layer::Payload, 4_000_000)], &[]);
    let counters = &mut upload.trials[0].measured.counters;
    (counters.messages_in_window, counters.said, counters.requests) = (100, 100, 0);
    // 2/s × 2 × 2,628,000 = 10,512,000: 10.512 USD; 0.01095; 104 B/s × 2,628,000 = 0.273312 GB: 0.02459808.
    assert_eq!(cost(upload, "aws-api-gateway"), "10.54754808");
}

/// 100 requests of 10 clients in 5 s: 2 a second for each.
///
/// Requests: 2/s × 2,628,000 s = 5,256,000, of (30,000 + 60,000) B / 100 = 900 B: 5.256 USD.
/// Egress: (60,000 + 5,200) B / 50 = 1,304 B/s; × 2,628,000 = 3.426912 GB; × 0.09: 0.30842208.
/// In all 5.56442208 USD.
#[test]
fn a_polls_bill_is_that_of_its_requests() {
    let mut record = of_bytes(
        Contender::SHORT_POLL,
        &[(Layer::Http, 30_000)],
        &[(Layer::Http, 50_000), (Layer::Payload, 10_000)],
    );
    let counters = &mut record.trials[0].measured.counters;
    (counters.messages_in_window, counters.requests) = (100, 100);
    assert_eq!(cost(record, "aws-api-gateway"), "5.56442208");
}

/// 50 ms of CPU in 5 s for 10 clients, and 20 MiB; a proxy takes as much.
///
/// CPU: 0.05 s / 50 = 0.001 cores; × 730 h = 0.73 vCPU-hours; × 0.02181159: 0.0159224607.
/// Memory: 2 MiB = 1/512 GiB; × 730 h × 0.00292353: 0.0041683143.
/// Egress: 5,200 B / 50 = 104 B/s; × 2,628,000 / 2^30 = 0.2545416355 GiB; × 0.12: 0.0305449963.
#[test]
fn cpu_and_memory_of_a_proxy_are_in_the_bill_and_what_was_not_measured_leaves_it_open() {
    let mut record = of_bytes(Contender::SSE, &[], &[]);
    let of = |millis| Some(CpuTime { total: Duration::from_millis(millis), ..CpuTime::default() });
    let trial: &mut TrialRecord = &mut record.trials[0];
    (trial.resources.server_cpu, trial.resources.server_rss_growth) = (of(50), Some(20 << 20));
    assert_eq!(cost(record.clone(), "gcp-e2"), "0.05063577");
    let trial = &mut record.trials[0];
    trial.resources.server_cpu = None;
    assert_eq!(cost(record.clone(), "gcp-e2"), "");
    let text = terminal_table(&priced(record, "gcp-e2"), Screen::NONE);
    assert!(
        text.contains("Cost of sse: not known at the prices of gcp-e2: its cpu was not"),
        "{text}"
    );
}

#[test]
fn costs_stand_beside_every_contender_with_what_they_are_at() {
    let record = priced(fixture::six(), "aws-api-gateway");
    let blocks = blocks(&record);
    let legend = table::legend(&record, &blocks).join("\n");
    for part in
        ["as of 2025-01 (https://aws", "A month is 730 hours that all go as the window of 5s did"]
    {
        assert!(legend.contains(part), "{legend}");
    }
    let text = terminal_table(&record, Screen::NONE);
    assert!(
        text.contains(
            "Cost of sse: not known at the prices of aws-api-gateway: it carries no sse."
        )
    );
    assert!(text.contains("Cost of websocket: ") && text.contains(" connection-minutes"), "{text}");
    let said = sentence(&record);
    assert!(
        said.contains("A month of one client costs ") && !said.contains("with sse and"),
        "{said}"
    );
    let header = markdown(&record).lines().find(|line| line.contains("memory")).unwrap().to_owned();
    assert!(header.trim_end_matches('|').trim_end().ends_with("cost /client-month"), "{header}");
    let currencies = column(&csv::summary(&record), "currency");
    assert_eq!(currencies, vec!["USD"; 6]);
}

#[test]
fn the_bill_adds_up_and_each_of_its_columns_is_on_the_page() {
    let record =
        priced(fixture::run("clients = 10\nduration = \"2s\"\nruns = 1"), "aws-api-gateway");
    let file = csv::money(&record, record.price.as_ref().unwrap());
    check("money.csv", &file);
    check("summary.csv", &csv::summary(&record));
    check("trials.csv", &csv::trials(&record));
    let number = |text: &String| text.parse::<f64>().unwrap();
    let of_websocket =
        column(&file, "transport").into_iter().zip(column(&file, "cost_per_client_month"));
    let items = of_websocket.filter(|(name, _)| name == "websocket").map(|(_, cost)| number(&cost));
    let names = column(&csv::summary(&record), "transport");
    let place = names.iter().position(|name| name == "websocket").unwrap();
    let whole = number(&column(&csv::summary(&record), "cost_per_client_month")[place]);
    let sum: f64 = items.sum();
    assert!(whole > 0.0 && (sum - whole).abs() < 1e-6, "{sum} {whole}");
}

#[test]
fn without_prices_nothing_is_said_of_money() {
    let record = fixture::six();
    for text in [terminal_table(&record, Screen::NONE), sentence(&record), markdown(&record)] {
        assert!(
            !text.contains("cost /") && !text.contains("Cost") && !text.contains("month"),
            "{text}"
        );
    }
    assert_eq!(column(&csv::summary(&record), "cost_per_client_month"), vec![""; 6]);
}

/// The trial of [`conversing`], which is 20 times as fast as the user's 0.5 messages/s, and of which one in
/// a hundred did not come.
///
/// Of what happens, a twentieth, less a hundredth: 0.0495. Messages: 12/s × 0.0495 × 2 units × 2,628,000 s
/// = 3,122,064; at 1 USD per million: 3.122064. Egress: 94.655304 × 0.0495 = 4.685437548.
/// The connection is held all the same: 0.01095. In all 7.818451548 USD.
#[test]
fn a_composed_bill_is_of_what_happens_at_the_users_pace_and_of_what_is_held_throughout() {
    let mut record = priced(conversing(), "aws-api-gateway");
    let audit = &mut record.trials[0].measured.audit;
    (audit.expected, audit.delivered) = (500, 495);
    let course = Course {
        contender: Contender::WEBSOCKET,
        point: record.trials[0].id.point,
        pace: 20.0,
        rate_hz: 0.5,
        poll_interval: None,
        clients: 10,
    };
    let money = course.candidate(&record).spread(|costs| costs.money).unwrap().middle;
    assert!((money - 7.818_451_548).abs() < 1e-9, "{money}");
    record.price = None;
    assert_eq!(course.candidate(&record).spread(|costs| costs.money), None);
}

/// 5 polls of each of 10 clients in 5 s, with answers of 2,000 B to requests of 1,000 B, at six times the
/// pace: a poll each 6 s.
///
/// Requests: 1/s / 6 × 2,628,000 s = 438,000; at 1 USD per million: 0.438. Egress: 50 × 2,000 B + 5,200 B
/// of headers = 105,200 B / 50 client-seconds = 2,104 B/s; / 6 × 2,628,000 = 0.921552 GB; × 0.09:
/// 0.08293968. In all 0.52093968 USD.
#[test]
fn a_composed_poll_is_billed_for_so_many_fewer_requests() {
    let mut record = of_bytes(
        Contender::SHORT_POLL,
        &[(Layer::Http, 50_000)],
        &[(Layer::Http, 20_000), (Layer::Payload, 80_000)],
    );
    let counters = &mut record.trials[0].measured.counters;
    (counters.messages_in_window, counters.said, counters.requests) = (40, 0, 50);
    let record = priced(record, "aws-api-gateway");
    let course = Course {
        contender: Contender::SHORT_POLL,
        point: record.trials[0].id.point,
        pace: 6.0,
        rate_hz: 0.2,
        poll_interval: Some(Duration::from_secs(6)),
        clients: 10,
    };
    let money = course.candidate(&record).spread(|costs| costs.money).unwrap().middle;
    assert!((money - 0.520_939_68).abs() < 1e-9, "{money}");
}

/// 100 messages of 40,000 B that 10 clients said in 5 s, two a second each, to a server that says nothing: of all
/// that happens a half for each, without the connection, which the feed's bill holds.
///
/// Messages: 1/s × 2 units × 2,628,000 s = 5,256,000; at 1 USD per million: 5.256. Egress: 104 B/s / 2 ×
/// 2,628,000 = 0.136656 GB; × 0.09: 0.01229904. In all 5.26829904 USD.
#[test]
fn a_message_that_is_said_is_billed_without_what_is_held() {
    let mut record = of_bytes(Contender::WEBSOCKET, &[(Layer::Payload, 4_000_000)], &[]);
    let counters = &mut record.trials[0].measured.counters;
    (counters.messages_in_window, counters.said, counters.requests) = (100, 100, 0);
    let record = priced(record, "aws-api-gateway");
    let rounds = said::rounds(&record, Contender::WEBSOCKET, Contender::WEBSOCKET);
    let money = rounds[0].unwrap().message.money.unwrap();
    assert!((money - 5.268_299_04).abs() < 1e-9, "{money}");
    assert!(
        said::rounds(&record, Contender::SSE, Contender::SSE)[0].is_none(),
        "spoke in no trial"
    );
    // Of who listens by a transport that the offer does not carry it is not known.
    let of_sse = said::rounds(&record, Contender::WEBSOCKET, Contender::SSE);
    assert_eq!(of_sse[0].unwrap().message.money, None);
}

/// A server that takes 1 ms of CPU in a second by itself, which 10 clients share: of it 1 ms / 10 are a client's,
/// and 1 ms / (10 × 20) of them are in what was measured at 20 times the pace.
#[test]
fn what_a_server_takes_by_itself_comes_to_composed_costs() {
    let mut record = conversing();
    let course = Course {
        contender: Contender::WEBSOCKET,
        point: record.trials[0].id.point,
        pace: 20.0,
        rate_hz: 0.5,
        poll_interval: None,
        clients: 10,
    };
    let server_us = |record: &RunRecord| {
        course.candidate(record).spread(|costs| costs.server_cpu_us).unwrap().middle
    };
    let busy = server_us(&record);
    let server_cpu = CpuTime { total: Duration::from_micros(500), ..CpuTime::default() };
    record.trials[0].resources.resting =
        Some(Resting { server_cpu, time: Duration::from_millis(500) });
    assert!((server_us(&record) - busy - 95.0).abs() < 1e-6, "{busy} {}", server_us(&record));
    // At a dollar for an hour of a core: 95 µs × 730 h; of what is held all that is a client's, 100 µs.
    let head = "name = 'p'\nas_of = '2026-01'\nsource = 's'\n";
    record.price = Some(Price::parse(&format!("{head}cpu = '1 USD/vCPU-hour'")).unwrap());
    let money = |record: &RunRecord| {
        let costs = course.candidate(record).rounds[0].unwrap().costs;
        (costs.money.unwrap(), costs.money_held.unwrap())
    };
    let rests = money(&record);
    record.trials[0].resources.resting = None;
    let (all, held) = money(&record);
    assert!((rests.0 - all - 95e-6 * 730.0).abs() < 1e-9, "{rests:?} {all}");
    assert!((rests.1 - held - 100e-6 * 730.0).abs() < 1e-9, "{rests:?} {held}");
}
