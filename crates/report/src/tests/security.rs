use std::str::FromStr as _;

use pushbench_core::Contender;
use pushbench_metrics::judge::compare::{Rules, compare};
use pushbench_metrics::judge::thresholds::{ThresholdStatus, judge};
use pushbench_metrics::record::RunRecord;
use pushbench_metrics::record::warning::Warning;

use crate::{RunFolder, fixture, html, markdown, sentence, terminal_table};

const AGREED: &str =
    "TLS 1.3, TLS_AES_256_GCM_SHA384, X25519MLKEM768, certificate p256, resumption on.";

/// WebSocket in clear and in TLS, with more settings.
fn pair(settings: &str) -> RunRecord {
    fixture::run(&format!(
        "duration = \"1s\"\ntransports = [\"websocket\", \"websocket+tls\"]\n{settings}"
    ))
}

fn in_tls() -> Contender {
    Contender::from_str("websocket+tls").unwrap()
}

fn outputs(record: &RunRecord) -> [String; 3] {
    [terminal_table(record, crate::Screen::NONE), markdown(record), html::page(record).unwrap()]
        .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ").replace('\\', ""))
}

#[test]
fn what_was_agreed_on_is_told_once_and_by_point_where_that_differs() {
    for text in outputs(&pair("clients = [2, 3]\nruns = 2")) {
        assert_eq!(text.matches(AGREED).count(), 1, "{text}");
    }
    for text in
        outputs(&pair("clients = 2\nruns = 2\n[tls]\ncertificate = [\"p256\", \"rsa-2048\"]"))
    {
        let rsa = AGREED.replace("p256", "rsa-2048");
        assert_eq!([AGREED, &rsa].map(|line| text.matches(line).count()), [1, 1], "{text}");
    }
    for text in outputs(&fixture::quick()) {
        assert!(!text.contains("certificate p256"), "{text}");
    }
}

#[test]
fn trials_that_agreed_on_something_else_are_told() {
    let mut record = pair("clients = 2\nruns = 3");
    let odd = fixture::trial_mut(&mut record, in_tls(), 2).secured.as_mut().unwrap();
    "TLS_CHACHA20_POLY1305_SHA256".clone_into(&mut odd.agreed.cipher);
    for text in outputs(&record) {
        let told = "2 trials agreed on 1.3, TLS_AES_256_GCM_SHA384, X25519MLKEM768, certificate \
                    p256, resumption on; 1 trial agreed on 1.3, TLS_CHACHA20_POLY1305_SHA256";
        assert!(text.contains(told), "{text}");
    }
}

#[test]
fn a_certificate_that_nobody_verified_is_told_in_every_output() {
    let mut record = pair("clients = 2\nruns = 1");
    let trial = fixture::trial_mut(&mut record, in_tls(), 1);
    trial.secured.as_mut().unwrap().verified = false;
    trial.warnings.push(Warning::Unverified);
    for text in outputs(&record) {
        assert!(text.contains("certificate p256 (not verified)"), "{text}");
        assert!(text.contains("certificate was not verified, so that anybody"), "{text}");
        assert!(text.contains("--ca"), "{text}");
    }
}

#[test]
fn what_tls_costs_is_told_where_its_twin_in_clear_is_measured() {
    let three = sentence(&pair("clients = 5\nruns = 3"));
    let cost = "For each message TLS costs websocket 22 bytes and ";
    assert!(three.contains(cost) && three.contains("of the server. What it costs"), "{three}");
    assert!(three.contains("no proof") && !three.contains("its memory"), "{three}");
    let six = sentence(&pair("clients = 1000\nrate = \"2/s\"\nruns = 6"));
    assert!(
        six.contains(cost) && six.contains("and 8,000 bytes of its memory for each client."),
        "{six}"
    );
    assert!(!six.contains("no proof"), "{six}");
    let alone = sentence(&fixture::run("clients = 2\nruns = 3\ntransports = [\"websocket+tls\"]"));
    assert!(!alone.contains("TLS costs"), "{alone}");
}

/// Two servers that are equally fast have no difference to tell; bytes are counted.
#[test]
fn time_that_the_rounds_do_not_tell_apart_is_no_cost_of_tls() {
    let mut record = pair("clients = 5\nruns = 3");
    let clear = fixture::trial_mut(&mut record, Contender::WEBSOCKET, 2).resources.server_cpu;
    fixture::trial_mut(&mut record, in_tls(), 2).resources.server_cpu = clear;
    let text = sentence(&record);
    assert!(text.contains("For each message TLS costs websocket 22 bytes."), "{text}");
}

#[test]
fn a_name_with_a_plus_is_one_of_thresholds_files_and_comparisons() {
    let record = pair(
        "clients = 2\nruns = 1\n[thresholds]\n\"websocket+tls.latency.p50\" = \"< 5ms\"\n\
         \"websocket+tls.latency.mean\" = \"< 1us\"\n\"*.lost\" = \"< 1\"",
    );
    let met = |name: &str| {
        let outcomes = judge(&record);
        outcomes.iter().find(|it| it.threshold.to_string().starts_with(name)).map(|it| it.status)
    };
    assert_eq!(met("websocket+tls.latency.p50"), Some(ThresholdStatus::Met));
    assert_eq!(met("websocket+tls.latency.mean"), Some(ThresholdStatus::Broken));
    let out = tempfile::tempdir().unwrap();
    let folder = RunFolder::create(out.path(), "20260131T120000Z", "tls").unwrap();
    folder.write_all(&record).unwrap();
    let histograms = std::fs::read_dir(folder.path().join("histograms")).unwrap();
    let names: Vec<_> =
        histograms.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.iter().any(|name| name.contains("websocket+tls")), "{names:?}");
    let same = compare(&record, &record, ["one", "two"], Rules::default()).unwrap();
    assert!(same.rows.iter().any(|row| row.name().starts_with("websocket+tls ")));
}
