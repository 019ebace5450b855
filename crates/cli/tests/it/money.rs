//! Prices, end to end: what a client costs a month, and what is refused.

use std::fs;

use serde_json::Value;

use crate::common::{column, outcome};

const PRICE: &str = "name = \"mine\"\nas_of = \"2026-01-31\"\nsource = \"a list\"\n";

#[test]
fn a_price_without_its_unit_is_refused_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    for (price, part) in [
        ("egress = 0.09", "`0.09` is not a price"),
        ("egress = \"0.09 USD\"", "it does not say behind a `/` what it is for"),
        ("messages = { price = \"1 USD/message\", size = 32 }", "a unit is missing"),
        ("traffic = \"0.09 USD/GB\"", "unknown field `traffic`"),
    ] {
        fs::write(folder.path().join("mine.toml"), format!("{PRICE}{price}")).unwrap();
        let (code, stdout, stderr) = outcome(folder.path(), &["run", "--price", "mine.toml"]);
        assert_eq!((code, stdout.as_str()), (2, ""), "{price}: {stderr}");
        assert!(stderr.contains("prices mine.toml") && stderr.contains(part), "{price}: {stderr}");
        assert!(!folder.path().join("results").exists(), "{price} left results behind");
    }
    let (code, _, stderr) = outcome(folder.path(), &["run", "--price", "azure"]);
    assert!(
        code == 2 && stderr.contains("the examples are aws-api-gateway and gcp-e2"),
        "{stderr}"
    );
}

#[test]
fn a_run_is_told_at_its_prices_and_a_record_at_others_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("mine.toml"), format!("{PRICE}cpu = \"5 EUR/vCPU-hour\"")).unwrap();
    let tiny =
        ["run", "-t", "websocket,short-poll", "-c", "3", "-d", "200ms", "-w", "0", "-r", "1"];
    let (code, stdout, stderr) = outcome(path, &[&tiny[..], &["--price", "mine.toml"]].concat());
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("A month of one client costs ") && stdout.contains(" EUR"), "{stdout}");
    let costs = column(path, "cost_per_client_month");
    assert!(
        costs.len() == 2 && costs.iter().all(|cost| cost.parse::<f64>().unwrap() > 0.0),
        "{costs:?}"
    );
    let bill = fs::read_to_string(path.join("results/latest/money.csv")).unwrap();

    // The record alone has the prices that it was told at.
    fs::remove_file(path.join("mine.toml")).unwrap();
    fs::remove_file(path.join("results/latest/money.csv")).unwrap();
    assert_eq!(outcome(path, &["report", "results/latest"]).0, 0);
    assert_eq!(fs::read_to_string(path.join("results/latest/money.csv")).unwrap(), bill);
    assert_eq!(column(path, "cost_per_client_month"), costs);

    let args = ["report", "results/latest", "--price", "aws-api-gateway"];
    assert_eq!(outcome(path, &args).0, 0);
    assert_eq!(column(path, "currency"), ["USD", "USD"]);
    let record = fs::read_to_string(path.join("results/latest/run.json")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["price"]["name"], "aws-api-gateway");
}
