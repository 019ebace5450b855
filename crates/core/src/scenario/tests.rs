//! Rules of a scenario, and the points that it spans.

use super::*;
use crate::feed::trace::Trace;

fn refused(text: &str) -> String {
    Scenario::parse(text).unwrap_err().to_string()
}

#[test]
fn an_empty_scenario_has_every_default() {
    let scenario = Scenario::parse("").unwrap();
    assert_eq!(scenario, Scenario::default());
    assert_eq!(scenario.points(None).len(), 1);
    assert_eq!(scenario.points(None)[0].label, "");
}

#[test]
fn points_are_the_product_of_the_lists() {
    let text = r#"clients = ["10", "1k"]
                  rate = "20/s"
                  payload = ["64B", "1KiB", "64KiB"]"#;
    let points = Scenario::parse(text).unwrap().points(None);
    let labels: Vec<&str> = points.iter().map(|point| point.label.as_str()).collect();
    let expected = [
        "clients=10 payload=64B",
        "clients=10 payload=1024B",
        "clients=10 payload=65536B",
        "clients=1000 payload=64B",
        "clients=1000 payload=1024B",
        "clients=1000 payload=65536B",
    ];
    assert_eq!(labels, expected);
    assert_eq!(points.iter().map(|point| point.id).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_total_rate_is_divided_among_the_clients() {
    let text = "clients = [\"10\", \"1k\", \"8k\"]\ntotal_rate = \"20k/s\"";
    let points = Scenario::parse(text).unwrap().points(None);
    let rates: Vec<f64> = points.iter().map(|point| point.rate.hz()).collect();
    assert_eq!(rates, [2_000.0, 20.0, 2.5]);
    assert!(points.iter().all(|point| point.rate_hz == point.rate.hz()));
    assert_eq!(points[1].label, "clients=1000");
}

#[test]
fn an_unknown_key_is_refused_with_its_line() {
    let error = refused("clients = 5\npol_interval = \"1s\"\n");
    assert!(error.contains("line 2") && error.contains("pol_interval"), "{error}");
    let error = refused("[feed]\nshedule = \"poisson\"\n");
    assert!(error.contains("line 2") && error.contains("shedule"), "{error}");
}

#[test]
fn a_setting_out_of_range_is_named() {
    let cases = [
        ("clients = 0", "clients: at least one"),
        ("rate = \"0/s\"", "it must be above zero"),
        ("rate = [1, \"ten\"]", "does not start with a number"),
        ("payload = \"9B\"\n[feed]\npayload = \"text\"", "payload: 9B is too small"),
        ("payload = \"10B\"", "a ticker message needs"),
        ("payload = \"64B\"\n[feed]\npayload = \"quotes\"", "a quotes message needs 99B"),
        ("payload = \"2MiB\"", "payload: 2MiB is too large"),
        ("payload = []", "payload: the list is empty"),
        ("runs = 0", "runs"),
        ("duration = \"0s\"", "duration: 0s is not within"),
        ("transports = []", "transports: at least one"),
        ("transports = [\"sse\", \"sse\"]", "`sse` is named twice"),
        ("transports = [\"carrier-pigeon\"]", "unknown transport `carrier-pigeon`"),
        ("rate = 1\ntotal_rate = 100", "total_rate: `rate` says how often each"),
        ("total_rate = \"200000k/s\"", "total_rate: at 100 clients each would hear"),
        ("total_rate = \"0.01/s\"", "total_rate: at 100 clients each would hear"),
        (
            "total_rate = 5\n[feed]\nschedule = \"replay\"\ntrace = \"x\"",
            "total_rate: a replay brings its own",
        ),
        ("name = \"../etc\"", "cannot name a folder"),
        ("[feed]\nschedule = \"replay\"", "go together"),
        ("[feed]\ntrace = \"x\"", "go together"),
        ("heartbeat = \"1ms\"", "heartbeat: 1ms is not within"),
        ("heartbeat = \"15s\"\nsubject = \"nchan\"", "heartbeat: it is pushbench's own"),
    ];
    for (text, part) in cases {
        let error = refused(text);
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn a_replay_takes_rate_and_size_from_its_trace() {
    let text = "[feed]\nschedule = \"replay\"\ntrace = \"t\"\nspeed = 10.0";
    let trace = Trace::parse("offset_ms,payload\n0,ab\n1000,abcd\n").unwrap();
    let scenario = Scenario::parse(text).unwrap();
    let point = &scenario.points(Some(&trace))[0];
    assert!((point.rate_hz - 10.0).abs() < 1e-9, "{}", point.rate_hz);
    assert!((point.payload_bytes - 13.0).abs() < 1e-9, "{}", point.payload_bytes);
}

/// A record holds the scenario that was run, and may have been written by anybody.
#[test]
fn a_scenario_in_json_keeps_the_rules_of_one_in_toml() {
    let long = format!(r#"{{"question":"{}"}}"#, "x".repeat(5_000));
    for (json, part) in [
        (r#"{"name":"=cmd|' /C calc'!A0"}"#, "cannot name a folder"),
        (r#"{"question":"\u001b[2J"}"#, "question: it has at most"),
        (r#"{"clients":18446744073709551615}"#, "is not a count"),
        (r#"{"clients":9000000000}"#, "clients: 9000000000 are too many"),
        (
            r#"{"runs":10000,"clients":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26]}"#,
            "runs: 1040000 trials",
        ),
        (r#"{"feed":{"speed":1e300}}"#, "feed.speed: 1e300 is not within"),
        (r#"{"feed":{"schedule":"burst","on":"0s"}}"#, "feed.on: 0s is not within"),
        (&long, "question: it has at most"),
    ] {
        let error = serde_json::from_str::<Scenario>(json).unwrap_err().to_string();
        assert!(error.contains(part), "{json:.80}: {error}");
    }
}

#[test]
fn a_point_in_json_is_one_that_a_scenario_spans() {
    let point = &Scenario::default().points(None)[0];
    let json = serde_json::to_value(point).unwrap();
    assert_eq!(&serde_json::from_value::<Point>(json.clone()).unwrap(), point);
    let cases = [
        ("id", "0", "id: a point's number"),
        ("clients", "0", "clients: 0 is not within"),
        ("clients", "4294967295", "clients: 4294967295 is not within"),
        ("rate", "\"9000k/s\"", "rate: 9000000/s is not within"),
        ("rate_hz", "-1.0", "rate_hz: -1.0 is not within"),
        ("rate_hz", "1e308", "rate_hz: 1e308 is not within"),
        ("payload_bytes", "1e308", "payload_bytes: 1e308 is not within"),
        ("poll_interval", "\"0s\"", "poll_interval: 0s is not within"),
        ("long_poll_timeout", "\"900h\"", "long_poll_timeout: 900h is not within"),
        ("speed", "0", "speed: 0.0 is not within"),
        ("label", "\"a\\u0007\"", "label: it has at most"),
    ];
    for (member, value, part) in cases {
        let mut changed = json.clone();
        changed[member] = serde_json::from_str(value).unwrap();
        let error = serde_json::from_value::<Point>(changed).unwrap_err().to_string();
        assert!(error.contains(part), "{member}={value}: {error}");
    }
}

#[test]
fn a_scenario_and_its_points_survive_json() {
    for text in [
        "clients = [1, \"2k\"]\nrate = \"0.5/s\"",
        "[talk]\npattern = \"chat\"\npace = \"poisson\"\nroom_size = 5",
        "[link]\ndelay = { down = \"9ms\", up = \"8ms\" }\njitter = 0\nname = \"wifi-busy\"\n\
         queue = \"64KiB\"\nscope = \"shared\"",
    ] {
        let scenario = Scenario::parse(text).unwrap();
        let json = serde_json::to_string(&scenario).unwrap();
        assert_eq!(serde_json::from_str::<Scenario>(&json).unwrap(), scenario);
        let points = scenario.points(None);
        let json = serde_json::to_string(&points).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Point>>(&json).unwrap(), points);
    }
}
