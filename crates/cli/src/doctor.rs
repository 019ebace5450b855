//! `pushbench doctor`: what this machine can measure, and what to change.

mod check;
mod checks;
mod ciphers;
mod measure;
mod network;
mod trust;

use std::io::IsTerminal as _;
use std::ops::RangeInclusive;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use indicatif::{ProgressBar, ProgressDrawTarget};
use pushbench_core::text;
use pushbench_metrics::record::environment::Environment;
use pushbench_os::machine::limits::Limits;
use pushbench_report::human;
use serde::Serialize;

use self::check::Check;
use self::measure::{FIFTHS, Measured};
use self::trust::{FORMULA, Trust};
use crate::args::DoctorArgs;
use crate::exit::{Failure, Outcome};
use crate::{print, tell};

/// How long it may measure: less tells nothing, more is not waited for.
const LENGTHS: RangeInclusive<Duration> = Duration::from_millis(500)..=Duration::from_secs(600);

/// All that the doctor found.
#[derive(Debug, Serialize)]
struct Findings {
    /// In the order in which they are shown.
    checks: Vec<Check>,
    /// The differences and the number of clients that it would trust.
    trust: Trust,
    /// The figures behind it.
    measured: Measured,
    /// The machine.
    environment: Environment,
}

/// Measures, judges, prints. What is limited is no failure.
pub(crate) fn command(args: &DoctorArgs) -> Result<Outcome, Failure> {
    if !LENGTHS.contains(&args.duration.0) {
        return Err(Failure::usage(anyhow!(
            "cannot measure for {}; pass a `--duration` from 500ms to 10m",
            args.duration
        )));
    }
    let findings = examine(args).map_err(Failure::Failed)?;
    if args.json {
        let text = serde_json::to_string_pretty(&findings).context("cannot encode the findings");
        print(&format!("{}\n", text::json(&text.map_err(Failure::Failed)?)))?;
    } else {
        print(&page(&findings))?;
    }
    Ok(Outcome::Done)
}

fn examine(args: &DoctorArgs) -> anyhow::Result<Findings> {
    let environment = pushbench_os::machine::environment::read();
    let (length, what) = (args.duration, "leave the machine alone meanwhile");
    tell(format_args!("pushbench: measuring for {length}; {what}"));
    let shown = std::io::stderr().is_terminal();
    let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(FIFTHS.into()), target);
    let measured = measure::measure(args.duration.0, || bar.inc(1));
    bar.finish_and_clear();
    let measured = measured.context("cannot measure wake-ups, round trips and ciphers")?;
    let limits = Limits::read();
    let mut checks = checks::all(&environment, &measured, &limits);
    checks.extend(network::links());
    Ok(Findings { checks, trust: Trust::of(&measured, &limits), measured, environment })
}

/// The whole page: the checks by group, what to type below what is amiss, and the conclusion.
fn page(findings: &Findings) -> String {
    let mut text = table(&findings.checks);
    let trust = &findings.trust;
    text.push_str(&format!(
        "\nSmallest difference of latencies to trust here: {} between medians, {} between 99th \
         percentiles\n    = {FORMULA}\n",
        human::time(trust.median_us),
        human::time(trust.p99_us)
    ));
    text.push_str(&format!(
        "Most clients to trust here: {}, bound by {}\n    more: {}\n",
        human::limit(trust.clients),
        trust.bound_by,
        trust.remedy
    ));
    text
}

fn table(checks: &[Check]) -> String {
    let width = checks.iter().map(|check| check.name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    let mut group = "";
    for check in checks {
        if check.group != group {
            group = check.group;
            let gap = if text.is_empty() { "" } else { "\n" };
            text.push_str(&format!("{gap}{}\n", group.to_uppercase()));
        }
        let word = check.status.word();
        text.push_str(&format!("  {word:<7}  {:<width$}  {}\n", check.name, check.found));
        if let Some(remedy) = &check.remedy {
            text.push_str(&format!("  {:<7}  {:<width$}  → {remedy}\n", "", ""));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::check::CheckStatus;
    use super::*;

    #[test]
    fn columns_are_aligned_and_a_remedy_stands_below() {
        let check = |group, name: &str, status, remedy: Option<&str>| Check {
            group,
            name: name.to_owned(),
            status,
            found: "found".to_owned(),
            remedy: remedy.map(str::to_owned),
        };
        let checks = [
            check("time", "clock", CheckStatus::Ok, None),
            check("time", "wake-ups", CheckStatus::Limited, Some("do this")),
            check("limits", "ports", CheckStatus::Cannot, Some("do that")),
        ];
        let expected = "TIME\n  ok       clock     found\n  limited  wake-ups  found\n           \
                        \x20         → do this\n\nLIMITS\n  cannot   ports     found\n           \
                        \x20         → do that\n";
        assert_eq!(table(&checks), expected);
    }
}
