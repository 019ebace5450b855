use super::*;

const HEAD: &str = "name = 'p'\nas_of = '2026-01'\nsource = 's'\n";

fn problem(rest: &str) -> String {
    Price::parse(&format!("{HEAD}{rest}")).unwrap_err()
}

#[test]
fn what_is_built_in_has_a_date_and_a_source_and_says_that_it_is_an_example() {
    let names: Vec<String> = Price::built_in().map(|price| price.name).collect();
    assert_eq!(names, ["aws-api-gateway", "gcp-e2"]);
    for (text, price) in FILES.into_iter().zip(Price::built_in()) {
        assert!(text.starts_with("# An example to check"), "{}", price.name);
        assert!(price.source.contains("https://"), "{}", price.name);
    }
}

#[test]
fn a_tariff_is_the_amount_for_its_number_of_units() {
    for (text, quantity, money) in [
        ("0.09 USD/GB", 1e9, 0.09),
        ("0.12 USD/GiB", 1_073_741_824.0, 0.12),
        ("1.00 USD/million requests", 2e6, 2.0),
        ("0.3 EUR/10k messages", 1e4, 0.3),
        ("0.25 USD/million connection-minutes", 60e6, 0.25),
        ("0.04 USD/vCPU-hour", 1800.0, 0.02),
        ("0.004 USD/GiB-hour", 1_073_741_824.0 * 3600.0, 0.004),
        ("7 JPY/request", 3.0, 21.0),
    ] {
        let tariff: Tariff = text.parse().unwrap();
        assert!((tariff.of(quantity) - money).abs() < 1e-12, "{text}: {}", tariff.of(quantity));
        assert_eq!(tariff.to_string().parse(), Ok(tariff), "{text}");
    }
}

#[test]
fn a_price_without_its_unit_is_refused_and_so_is_one_of_something_else() {
    for (text, part) in [
        ("egress = 0.09", "`0.09` is not a price"),
        ("egress = '0.09 USD'", "behind a `/` what it is for"),
        ("egress = '0.09/GB'", "does not say its currency"),
        ("egress = '0.09 usd/GB'", "three capital letters"),
        ("egress = '0.09 USD/MB'", "it is for none of GB, GiB"),
        ("egress = '-1 USD/GB'", "does not begin with an amount"),
        ("egress = '0.09 USD/some GB'", "is no number, such as `million`"),
        (
            "egress = '1 USD/million requests'",
            "egress: `1 USD/million requests` is of something else",
        ),
        ("cpu = '0.04 USD/GiB-hour'", "write it like `0.04 USD/vCPU-hour`"),
        ("egress = '1 USD/GB'\ncpu = '1 EUR/vCPU-hour'", "cpu: `1 EUR/vCPU-hour` is not in USD"),
        ("requests = { price = '1 USD/million requests' }", "missing field `size`"),
        ("requests = { price = '1 USD/request', size = '512' }", "a unit is missing"),
        ("requests = { price = '1 USD/request', size = '0B' }", "nothing fits"),
        ("messages = { price = '1 USD/message', size = 'any' }", "requests: where messages"),
        ("", "there is no price in it"),
        ("egres = '1 USD/GB'", "unknown field `egres`"),
    ] {
        let found = problem(text);
        assert!(found.contains(part), "{text}: {found}");
    }
}

#[test]
fn what_stands_beside_prices_is_checked() {
    for (text, part) in [
        ("name = 'a b'\nas_of = '2026-01'\nsource = 's'", "name: it has 1 to 64"),
        ("name = 'a'\nas_of = 'today'\nsource = 's'", "as_of: say when"),
        ("name = 'a'\nas_of = '2026-13'\nsource = 's'", "as_of: say when"),
        ("name = 'a'\nas_of = '2026-01-31'\nsource = ''", "source: say where"),
    ] {
        let found = Price::parse(&format!("{text}\negress = '1 USD/GB'")).unwrap_err();
        assert!(found.contains(part), "{text}: {found}");
    }
}

#[test]
fn streams_alone_need_no_price_for_requests() {
    let text = "transports = ['websocket']\nmessages = { price = '1 USD/message', size = 'any' }";
    let price = Price::parse(&format!("{HEAD}{text}")).unwrap();
    assert!(price.carries(Transport::Websocket) && !price.carries(Transport::ShortPoll));
}

#[test]
fn prices_survive_json() {
    for price in Price::built_in() {
        let json = serde_json::to_string(&price).unwrap();
        assert_eq!(serde_json::from_str::<Price>(&json).unwrap(), price, "{json}");
    }
}

#[test]
fn what_is_larger_than_the_unit_counts_as_several() {
    let unit: SizeUnit = "32KiB".parse().unwrap();
    for (bytes, count) in [(0.0, 1.0), (1.0, 1.0), (32_768.0, 1.0), (32_769.0, 2.0), (1e6, 31.0)] {
        assert!((unit.counted(bytes) - count).abs() < f64::EPSILON, "{bytes}");
    }
    assert!((SizeUnit::Any.counted(1e9) - 1.0).abs() < f64::EPSILON);
}
