use super::*;
use crate::scenario::Scenario;

fn parsed(text: &str) -> Threshold {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(table: &str) -> String {
    Scenario::parse(&format!("runs = 3\n[thresholds]\n{table}")).unwrap_err().to_string()
}

#[test]
fn limits_read_in_the_unit_of_their_figure() {
    for (text, limit) in [
        ("websocket.latency.p99 < 50ms", 50_000.0),
        ("websocket.server_cpu_per_msg<=2.5us", 2.5),
        ("*.wire_bytes_per_msg >= 1KiB", 1_024.0),
        ("*.wire_bytes_per_msg > 99.5B", 99.5),
        ("short-poll-close.lost < 1", 1.0),
        ("sse.delivered >= 99.9%", 0.999),
    ] {
        assert!((parsed(text).limit - limit).abs() < 1e-12, "{text}");
    }
}

#[test]
fn a_limit_is_met_on_its_side_only() {
    for (sign, met) in [
        ("<", [true, false, false]),
        ("<=", [true, true, false]),
        (">", [false, false, true]),
        (">=", [false, true, true]),
    ] {
        let threshold = parsed(&format!("sse.age.mean {sign} 2us"));
        assert_eq!([1.0, 2.0, 3.0].map(|measured| threshold.is_met_by(measured)), met, "{sign}");
    }
    assert!(!parsed("sse.age.mean < 1s").is_met_by(f64::NAN));
}

#[test]
fn a_threshold_prints_as_it_reads() {
    for text in ["websocket.latency.p99 < 50ms", "*.delivered >= 99.5%", "sse.lost <= 0"] {
        assert_eq!(parsed(text).to_string(), text);
    }
    assert_eq!(parsed(" sse.latency.max<1s ").to_string(), "sse.latency.max < 1s");
}

#[test]
fn a_table_holds_conditions_and_lists_of_them_and_survives_json_and_toml() {
    let scenario = Scenario::parse(
        "[thresholds]\n\"*.lost\" = \"< 1\"\n\"sse.latency.p50\" = [\"> 1us\", \"< 10ms\"]",
    )
    .unwrap();
    let texts: Vec<String> = scenario.thresholds.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["*.lost < 1", "sse.latency.p50 > 1us", "sse.latency.p50 < 10ms"]);
    let json = serde_json::to_string(&scenario).unwrap();
    assert_eq!(serde_json::from_str::<Scenario>(&json).unwrap(), scenario);
    let toml = toml::to_string(&scenario).unwrap();
    assert_eq!(Scenario::parse(&toml).unwrap(), scenario, "{toml}");
    let without = serde_json::to_string(&Scenario::default()).unwrap();
    assert!(!without.contains("thresholds"), "{without}");
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_what_would_be_right() {
    let cases: [(&str, &[&str]); 12] = [
        (
            "\"pigeon.lost\" = \"< 1\"",
            &["line 3", "unknown transport `pigeon`", "takeover; `*` stands for all"],
        ),
        ("\"sse.speed\" = \"< 1\"", &["line 3", "unknown figure `speed`", "latency.p99", "lost"]),
        ("\"sse.latency\" = \"< 1s\"", &["unknown figure `latency`", "latency.p50"]),
        ("\"sse.latency.p99\" = \"50ms\"", &["line 3", "`50ms` is no condition", "<="]),
        ("\"sse.latency.p99\" = \"< 50\"", &["line 3", "`50` is not a duration"]),
        ("\"sse.latency.p99\" = [\"< 5s\", \"> x\"]", &["line 3", "`x` is not a duration"]),
        ("\"sse.latency.p99\" = \"= 50ms\"", &["`= 50ms` is no condition"]),
        ("\"sse.delivered\" = \"> 101%\"", &["a share is at most 100%"]),
        ("\"sse.wire_bytes_per_msg\" = \"< 99 s\"", &["`99 s` is not a size"]),
        ("sse.latency.p99 = \"< 50ms\"", &["line 3", "`sse` names no figure", "in quotes"]),
        ("\"sse.latency.p99\" = 5", &["line 3", "a condition such as"]),
        ("\"short-poll-close.lost\" = \"< 1\"", &["short-poll-close.lost", "is not among", "sse"]),
    ];
    for (table, parts) in cases {
        let error = refused(table);
        for part in parts {
            assert!(error.contains(part), "{table}: no `{part}` in: {error}");
        }
    }
}

#[test]
fn a_percentile_without_the_samples_for_it_is_refused() {
    let text = |rest: &str| format!("clients = 10\nrate = \"10/s\"\nduration = \"1s\"\n{rest}");
    let error = Scenario::parse(&text("[thresholds]\n\"*.latency.p99\" = \"< 1s\""))
        .unwrap_err()
        .to_string();
    assert!(error.contains("*.latency.p99 needs 1000 latencies in a trial"), "{error}");
    assert!(error.contains("about 100"), "{error}");
    assert!(Scenario::parse(&text("[thresholds]\n\"*.latency.p90\" = \"< 1s\"")).is_ok());
}

#[test]
fn a_flag_takes_the_place_of_the_scenarios_conditions_on_its_target() {
    let mut scenario = Scenario::parse(
        "[thresholds]\n\"sse.lost\" = [\"< 5\", \"> 1\"]\n\"sse.errors\" = \"< 1\"",
    )
    .unwrap();
    scenario.thresholds.override_with(&[parsed("sse.lost < 9"), parsed("sse.lost > 2")]);
    let texts: Vec<String> = scenario.thresholds.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["sse.errors < 1", "sse.lost < 9", "sse.lost > 2"]);
}

/// A condition that no value breaks, or none meets, asks nothing of a run.
#[test]
fn a_condition_that_no_measurement_decides_is_told() {
    let foregone = |text: &str| text.parse::<Threshold>().unwrap().foregone();
    for always in ["sse.lost >= 0", "*.delivered <= 100%", "*.delivered >= 0%", "sse.errors >= 0"] {
        assert_eq!(foregone(always), Some(true), "{always}");
    }
    for never in ["sse.lost < 0", "*.delivered > 100%", "sse.latency.p50 < 0ms"] {
        assert_eq!(foregone(never), Some(false), "{never}");
    }
    for open in ["sse.lost <= 0", "*.delivered >= 100%", "sse.latency.p50 > 0ms", "sse.lost > 5"] {
        assert_eq!(foregone(open), None, "{open}");
    }
}

#[test]
fn a_threshold_in_a_record_is_the_text_that_a_flag_takes() {
    let threshold: Threshold = "*.latency.p99 < 90s".parse().unwrap();
    let json = serde_json::to_string(&threshold).unwrap();
    assert_eq!(json, r#""*.latency.p99 < 90s""#);
    assert_eq!(serde_json::from_str::<Threshold>(&json).unwrap(), threshold);
    assert!(serde_json::from_str::<Threshold>(r#""*.speed < 1""#).is_err());
}
