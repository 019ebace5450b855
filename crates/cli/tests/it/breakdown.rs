//! Where latency is spent, end to end: each part is there, and they add up.

use std::time::Duration;

use crate::common::{Serving, outcome};
use pushbench_core::Contender;
use pushbench_metrics::judge::breakdown::{Breakdown, Part};
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_metrics::record::RunRecord;

const SHORT: [&str; 12] = [
    "--json",
    "-c",
    "4",
    "-d",
    "600ms",
    "-w",
    "200ms",
    "--runs",
    "1",
    "--poll-interval",
    "50ms",
    "--no-progress",
];

fn run(command: &[&str]) -> RunRecord {
    let work = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = outcome(work.path(), &[command, &SHORT].concat());
    // 3: a machine that is busy beside.
    assert!(code == 0 || code == 3, "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

fn sums(breakdown: &Breakdown) -> [i64; 5] {
    Part::ALL.map(|part| breakdown.part(part).sum_ns)
}

#[test]
fn the_parts_of_every_transport_add_up_to_its_latency() {
    let names = Contender::basic().map(Contender::name).collect::<Vec<_>>().join(",");
    let record = run(&["run", "--rate", "50/s", "-t", &names]);
    for contender in Contender::basic() {
        let trial = record.standing().find(|trial| trial.id.contender == contender).unwrap();
        let breakdown = trial.breakdown.as_ref().unwrap();
        let coverage = breakdown.coverage;
        // So few clients are all stamped, and each arrival of theirs is asked for.
        assert_eq!(coverage.arrivals, trial.measured.audit.delivered, "{contender}");
        assert_eq!((coverage.no_kernel_stamp, coverage.no_write, coverage.impossible), (0, 0, 0));
        assert_eq!(coverage.samples, coverage.arrivals, "{contender}: {coverage:?}");
        assert!(coverage.borrowed < coverage.samples, "{contender}: {coverage:?}");
        let sums = sums(breakdown);
        assert_eq!(sums.iter().sum::<i64>(), breakdown.latency.sum_ns, "{contender}");
        assert!(sums.iter().all(|&sum| sum >= 0), "{contender}: {sums:?}");
        let whole = trial.measured.latency.mean_us().unwrap();
        let parts = breakdown.latency.mean_us().unwrap();
        // The histogram's mean is to three digits.
        assert!((parts / whole - 1.0).abs() < 2e-3, "{contender}: {parts} of {whole} µs");
        // Half a poll interval on average, however the phases fell: and nothing on a stream.
        let waited = breakdown.part(Part::Poll).mean_us().unwrap();
        let polls = contender.shape().asks();
        assert!(if polls { waited > 5_000.0 } else { waited < 5_000.0 }, "{contender}: {waited}");
    }
}

#[test]
fn a_server_that_is_slowed_on_purpose_is_slower_by_that_much() {
    let record = run(&["run", "--rate", "20/s", "-t", "sse", "--publish-delay", "30ms"]);
    let trial = record.standing().next().unwrap();
    let publisher = trial.breakdown.as_ref().unwrap().part(Part::Publisher);
    let delay = Duration::from_millis(30).as_micros() as f64;
    // Within the histogram's three digits.
    assert!(publisher.histogram.percentile_us(0.0).unwrap() >= 0.999 * delay);
    assert!(trial.measured.latency.percentile_us(0.0).unwrap() >= 0.999 * delay);
    assert!(
        trial.server.as_ref().unwrap().publish_lag.percentile_us(0.0).unwrap() >= 0.999 * delay
    );
}

#[test]
fn without_stamps_there_is_no_breakdown() {
    let record = run(&["run", "--rate", "20/s", "-t", "sse", "--no-stamps"]);
    assert!(record.trials.iter().all(|trial| trial.breakdown.is_none()));
}

/// The breakdown is of the same messages as the table: a poll brings several, and each of
/// them counts.
#[test]
fn of_a_server_that_runs_already_the_clients_part_is_known() {
    let work = tempfile::tempdir().unwrap();
    let serving = Serving::start(work.path(), &["--rate", "100/s"]);
    let names = Contender::basic().map(Contender::name).collect::<Vec<_>>().join(",");
    let record = run(&["load", "--target", &serving.url, "-t", &names]);
    for contender in Contender::basic() {
        let trial = record.standing().find(|trial| trial.id.contender == contender).unwrap();
        let breakdown = trial.breakdown.as_ref().unwrap();
        let coverage = breakdown.coverage;
        assert_eq!(coverage.samples, trial.measured.audit.delivered, "{contender}: {coverage:?}");
        if contender.shape().asks() {
            assert!(coverage.borrowed > coverage.samples / 2, "five a poll: {coverage:?}");
        }
        // So few clients are all stamped; the histogram's mean is to three digits.
        let (table, parts) = (&trial.measured.latency, &breakdown.latency);
        let (whole, of_parts) = (table.mean_us().unwrap(), parts.mean_us().unwrap());
        assert!((of_parts / whole - 1.0).abs() < 2e-3, "{contender}: {of_parts} of {whole} µs");
        for quantile in [0.5, 0.9] {
            let of = |histogram: &LatencyHistogram| histogram.percentile_us(quantile).unwrap();
            assert_eq!(of(table), of(&parts.histogram), "{contender}: p{quantile}");
        }
        assert!(breakdown.part(Part::Load).sum_ns > 0);
        for part in [Part::Publisher, Part::Poll, Part::Server, Part::Network] {
            assert!(breakdown.part(part).histogram.is_empty(), "{part:?}");
        }
    }
}
