//! Bills that were worked out by hand.

use super::*;

fn price(rest: &str) -> Price {
    let head = "name = 'p'\nas_of = '2026-01'\nsource = 's'\n";
    Price::parse(&format!("{head}{rest}")).unwrap()
}

/// A client that takes nothing.
fn idle(transport: Transport) -> Usage {
    Usage {
        transport,
        out_bytes: Some(0.0),
        out_is_wire: true,
        requests: 0.0,
        request_bytes: 0.0,
        messages: 0.0,
        message_bytes: 0.0,
        connections: 0.0,
        cpu_s: Some(0.0),
        memory_bytes: Some(0.0),
    }
}

fn cents(amount: f64) -> String {
    format!("{amount:.2}")
}

/// Each item to the cent, and the whole.
fn assert_bill(usage: &Usage, price: &Price, items: &[(&str, &str)], total: &str) {
    let cost = bill(usage, price).unwrap();
    let told = cost.items.iter().map(|item| (item.entry.name(), cents(item.amount)));
    let expected = items.iter().map(|&(name, amount)| (name, amount.to_owned()));
    assert_eq!(told.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    assert_eq!(cents(cost.total()), total);
}

/// A gateway that meters messages in 32 KiB, by the built-in example: 10 messages/s of 40,000 B down, 2/s
/// of the same size up.
///
/// A month has 730 h × 3600 s = 2,628,000 s, and 730 h × 60 = 43,800 min.
/// Messages: 40,000 B / 32,768 B = 1.22…, so each counts as 2. 12/s × 2,628,000 s × 2 = 63,072,000;
/// at 1.00 USD per million: 63.072 USD.
/// Connection-minutes: 43,800; at 0.25 USD per million: 0.01095 USD.
/// Egress: 10/s × 40,100 B × 2,628,000 s = 1,053,828,000,000 B = 1,053.828 GB; at 0.09 USD: 94.84452 USD.
/// Requests: none.
/// In all 63.072 + 0.01095 + 94.84452 = 157.92747 USD.
#[test]
fn a_websocket_at_a_gateway_pays_for_units_of_32_kib_and_for_connection_minutes() {
    let aws = Price::built_in().find(|price| price.name == "aws-api-gateway").unwrap();
    let usage = Usage {
        out_bytes: Some(10.0 * 40_100.0),
        messages: 12.0,
        message_bytes: 40_000.0,
        connections: 1.0,
        ..idle(Transport::Websocket)
    };
    let items =
        [("egress", "94.84"), ("requests", "0.00"), ("messages", "63.07"), ("connections", "0.01")];
    assert_bill(&usage, &aws, &items, "157.93");
    // A client to which nothing happens pays for being connected.
    let quiet =
        [("egress", "0.00"), ("requests", "0.00"), ("messages", "0.00"), ("connections", "0.01")];
    assert_bill(&usage.at_pace(0.0), &aws, &quiet, "0.01");
    // To a byte: what fits into a unit is one, what is a byte larger is two.
    let messages = |bytes| {
        let usage = Usage { message_bytes: bytes, ..usage };
        cents(bill(&usage, &aws).unwrap().items[2].amount)
    };
    assert_eq!((messages(32_768.0), messages(32_769.0)), ("31.54".to_owned(), "63.07".to_owned()));
}

/// A poll each 2 s at the same gateway, with answers of 600,000 B each half of the time.
///
/// Requests: 0.5/s × 2,628,000 s = 1,314,000; of 300,400 B on average, below 512 KiB = 524,288 B, so each
/// counts as 1; at 1.00 USD per million: 1.314 USD.
/// Messages and connection-minutes: a poll has none: 0 USD.
/// Egress: 0.5/s × 300,250 B × 2,628,000 s = 394,528,500,000 B = 394.5285 GB; at 0.09 USD: 35.507565 USD.
/// In all 36.821565 USD.
#[test]
fn a_poll_at_a_gateway_pays_for_requests_and_for_no_connection() {
    let aws = Price::built_in().find(|price| price.name == "aws-api-gateway").unwrap();
    let usage = Usage {
        out_bytes: Some(0.5 * 300_250.0),
        requests: 0.5,
        request_bytes: 300_400.0,
        ..idle(Transport::ShortPoll)
    };
    let items =
        [("egress", "35.51"), ("requests", "1.31"), ("messages", "0.00"), ("connections", "0.00")];
    assert_bill(&usage, &aws, &items, "36.82");
}

/// Event streams on a machine of one's own, at 0.02 EUR a vCPU-hour, 0.003 EUR a GiB-hour, 0.12 EUR a GiB
/// out: 50 messages/s of 1,000 B with all around it, 0.4 ms of CPU each, 2 MiB for the client.
///
/// Egress: 50/s × 1,000 B × 2,628,000 s = 131,400,000,000 B / 1,073,741,824 = 122.37578… GiB;
/// × 0.12 = 14.685 EUR.
/// CPU: 50/s × 0.0004 s = 0.02 cores; × 730 h = 14.6 vCPU-hours; × 0.02 = 0.292 EUR.
/// Memory: 2 MiB = 1/512 GiB; × 730 h = 1.42578… GiB-hours; × 0.003 = 0.00428 EUR.
/// In all 14.6851 + 0.292 + 0.0043 = 14.9814 EUR.
#[test]
fn an_event_stream_on_a_machine_pays_for_egress_cpu_and_memory() {
    let price =
        price("egress = '0.12 EUR/GiB'\ncpu = '0.02 EUR/vCPU-hour'\nmemory = '0.003 EUR/GiB-hour'");
    let usage = Usage {
        out_bytes: Some(50_000.0),
        messages: 50.0,
        message_bytes: 900.0,
        connections: 1.0,
        cpu_s: Some(0.02),
        memory_bytes: Some(2_097_152.0),
        ..idle(Transport::Sse)
    };
    assert_bill(
        &usage,
        &price,
        &[("egress", "14.69"), ("cpu", "0.29"), ("memory", "0.00")],
        "14.98",
    );
    let units: Vec<f64> =
        bill(&usage, &price).unwrap().items.iter().map(|item| item.units).collect();
    for (units, expected) in units.into_iter().zip([122.375_78, 14.6, 1.425_78]) {
        assert!((units - expected).abs() < 1e-5, "{units} {expected}");
    }
}

#[test]
fn what_is_not_carried_or_not_measured_has_no_cost() {
    let aws = Price::built_in().find(|price| price.name == "aws-api-gateway").unwrap();
    let refused = bill(&idle(Transport::Sse), &aws).unwrap_err();
    assert_eq!(refused, Unpriced::NotCarried(Transport::Sse));
    assert_eq!(refused.to_string(), "it carries no sse");
    let price = price("egress = '0.12 EUR/GiB'\ncpu = '0.02 EUR/vCPU-hour'");
    let unmeasured = Usage { cpu_s: None, ..idle(Transport::Sse) };
    assert_eq!(bill(&unmeasured, &price), Err(Unpriced::NotMeasured(Entry::Cpu)));
    // What has no price need not be measured.
    assert!(bill(&Usage { memory_bytes: None, ..idle(Transport::Sse) }, &price).is_ok());
}
