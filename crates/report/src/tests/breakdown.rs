use std::collections::HashMap;

use crate::charts::charts;
use crate::{csv, fixture, html, markdown};

const DESIGN: &str = "point,transport,part,stat,value_us,samples";

/// The values of `breakdown.csv` by transport, part and statistic, with their samples.
fn values(file: &[u8]) -> HashMap<[String; 3], (String, u64)> {
    let mut reader = ::csv::Reader::from_reader(file);
    let lines = reader.deserialize::<HashMap<String, String>>().map(Result::unwrap);
    lines
        .map(|line| {
            let key = ["transport", "part", "stat"].map(|column| line[column].clone());
            (key, (line["value_us"].clone(), line["samples"].parse().unwrap()))
        })
        .collect()
}

#[test]
fn the_file_pools_the_trials_and_its_means_add_up() {
    let file = csv::breakdown(&fixture::broken_down());
    assert!(String::from_utf8_lossy(&file).starts_with(DESIGN));
    let values = values(&file);
    let get = |contender: &str, part: &str, stat: &str| -> f64 {
        let (value, samples) = &values[&[contender, part, stat].map(str::to_owned)];
        assert_eq!(*samples, 2_000, "two trials of a thousand");
        value.parse().unwrap()
    };
    for contender in ["short-poll", "websocket"] {
        let parts = ["publisher", "poll", "server", "network", "load"];
        let sum: f64 = parts.iter().map(|part| get(contender, part, "mean")).sum();
        assert!((sum - get(contender, "latency", "mean")).abs() < 0.01, "{contender}: {sum}");
    }
    // 200 µs in one trial and 400 in the other.
    assert_eq!(get("websocket", "server", "mean"), 300.0);
    assert!((get("websocket", "server", "p99") / 400.0 - 1.0).abs() < 1e-3);
    assert_eq!(get("websocket", "poll", "mean"), 0.0);
    assert_eq!(get("short-poll", "poll", "mean"), 500_500.0);
    assert!((get("sse", "latency_without_load", "p50") / 215.0 - 1.0).abs() < 1e-3);
    assert!((get("sse", "latency_since_written", "p99") / 180.0 - 1.0).abs() < 1e-3);
}

#[test]
fn a_run_without_stamps_has_a_header_and_no_picture() {
    let record = fixture::six();
    assert_eq!(String::from_utf8(csv::breakdown(&record)).unwrap().lines().count(), 1);
    assert!(charts(&record).iter().all(|chart| chart.name != "breakdown"));
    assert!(!markdown(&record).contains("publisher lag"));
}

#[test]
fn page_and_markdown_show_where_latency_is_spent() {
    let record = fixture::broken_down();
    let page = html::page(&record).unwrap();
    assert!(page.contains("<figure id=\"chart-breakdown\">"));
    let text = markdown(&record);
    let row = "| websocket | 15.0 µs | 0 µs | 300 µs | 7.50 µs | 128 µs | 450 µs |";
    assert!(text.contains(row), "{text}");
    assert!(text.contains("](charts/breakdown.svg)"), "{text}");
    let title = "Largest part of the latency: ";
    let charts = charts(&record);
    let chart = charts.iter().find(|chart| chart.name == "breakdown").unwrap();
    assert!(chart.title().starts_with(title), "{}", chart.title());
    assert!(chart.title().contains("waiting for the poll, 99 %"), "{}", chart.title());
    assert!(chart.title().ends_with("server, 67 %"), "{}", chart.title());
}
