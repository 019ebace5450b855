//! TLS as a user of the binary meets it: what was agreed on, and who verified it.

use std::path::Path;

use serde_json::Value;

use crate::common::{Serving, outcome};

/// The trials of a run or a load that is to be good for something.
fn trials(folder: &Path, args: &[&str]) -> Vec<Value> {
    let common = ["-c", "3", "-w", "200ms", "-d", "1s", "--runs", "1", "--json"];
    let (status, record, errors) = outcome(folder, &[args, &common].concat());
    assert_eq!(status, 0, "{errors}");
    let record: Value = serde_json::from_str(&record).unwrap();
    record["trials"].as_array().unwrap().clone()
}

fn unverified(trial: &Value) -> bool {
    trial["warnings"].as_array().unwrap().iter().any(|it| it["kind"] == "unverified")
}

#[test]
fn a_run_records_what_was_agreed_on_and_resumes_as_its_setting_says() {
    let folder = tempfile::tempdir().unwrap();
    let settings = ["--tls-certificate", "rsa-2048", "--tls-cipher", "chacha20-poly1305"];
    let args = ["run", "-t", "short-poll-close+tls", "-R", "20/s", "--poll-interval", "100ms"];
    let lists = ["--tls-resumption", "true,false"];
    for trial in trials(folder.path(), &[&args[..], &settings, &lists].concat()) {
        let secured = &trial["secured"];
        assert_eq!(secured["agreed"]["version"], "1.3");
        assert_eq!(secured["agreed"]["cipher"], "TLS_CHACHA20_POLY1305_SHA256");
        assert_eq!(secured["agreed"]["group"], "X25519MLKEM768");
        assert_eq!(secured["agreed"]["certificate"], "rsa-2048");
        assert_eq!(secured["verified"], true);
        assert!(!unverified(&trial));
        let counters = &trial["measured"]["counters"];
        let (all, resumed) = (counters["handshakes"].as_u64(), counters["resumed"].as_u64());
        // Each client's first connection has no session to take up.
        let expected = if trial["id"]["point"] == 1 { all.unwrap() - 3 } else { 0 };
        assert!(all > Some(3) && resumed == Some(expected), "{all:?} {resumed:?}");
    }
}

#[test]
fn a_server_that_nobody_verified_is_measured_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(folder.path(), &["--tls", "--rate", "20/s"]);
    let args = ["load", "--target", &server.url, "-t", "websocket"];
    for trial in trials(folder.path(), &[&args[..], &["--insecure"]].concat()) {
        assert_eq!(trial["id"]["transport"], "websocket+tls");
        assert_eq!(trial["secured"]["verified"], false);
        assert!(unverified(&trial), "{}", trial["warnings"]);
    }
    // Its certificate is its own, whatever a run's would be.
    let sheet = std::fs::read_to_string(folder.path().join("results/latest/trials.csv")).unwrap();
    let columns = ",tls_groups,tls_certificate,tls_versions,";
    assert!(
        sheet.contains(columns) && sheet.contains(",X25519MLKEM768:X25519,,1.3:1.2,"),
        "{sheet}"
    );
    let (status, _, errors) = outcome(folder.path(), &args);
    assert!(status != 0 && errors.contains("--ca") && errors.contains("--insecure"), "{errors}");
}
