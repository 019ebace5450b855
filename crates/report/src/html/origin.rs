//! Where a page's figures come from: the machine, the command, the scenario, the other files.

use std::fmt::Write as _;

use pushbench_metrics::record::RunRecord;
use pushbench_metrics::record::environment::Environment;

use super::escaped;
use crate::{human, instrument};

const NOT_KNOWN: &str = "not known";

/// Adds the sections.
pub(super) fn push(page: &mut String, record: &RunRecord) {
    page.push_str("<details class=\"section\"><summary>How it was measured</summary>\n");
    push_facts(page, run_rows(record).into_iter().chain(machine_rows(&record.environment)));
    if let Ok(toml) = toml::to_string(&record.scenario) {
        let _ = writeln!(page, "<h3>Scenario, after flags</h3>\n<pre>{}</pre>", escaped(&toml));
    }
    page.push_str(
        "<p class=\"faint\">Beside this page: <code>run.json</code> has everything, \
         <code>summary.csv</code>, <code>trials.csv</code>, <code>bytes.csv</code>, \
         <code>breakdown.csv</code> and <code>series.csv</code> the figures, \
         <code>models.csv</code> what was expected of them, <code>histograms/</code> each latency, \
         <code>charts/</code> the pictures. <code>pushbench report</code> rebuilds all of them \
         from <code>run.json</code>.</p>\n</details>\n",
    );
}

/// Adds a table of names and what they are.
pub(crate) fn push_facts(page: &mut String, facts: impl Iterator<Item = (&'static str, String)>) {
    page.push_str("<div class=\"scroll\"><table class=\"facts\">\n");
    for (name, value) in facts {
        let _ = writeln!(page, "<tr><th>{name}</th><td>{}</td></tr>", escaped(&value));
    }
    page.push_str("</table></div>\n");
}

fn run_rows(record: &RunRecord) -> Vec<(&'static str, String)> {
    let (valid, all) =
        (record.standing().filter(|trial| trial.is_valid()).count(), record.standing().count());
    vec![
        ("started", record.started.clone()),
        ("command", record.command_line.join(" ")),
        ("pushbench", format!("{} (record format {})", record.version, record.format)),
        ("seed", record.scenario.seed.to_string()),
        ("trials", format!("{valid} valid of {all}")),
    ]
}

/// The machine.
pub(crate) fn machine_rows(environment: &Environment) -> Vec<(&'static str, String)> {
    let text = |text: &str| if text.is_empty() { NOT_KNOWN.to_owned() } else { text.to_owned() };
    let limit = |limit: Option<u64>| limit.map_or_else(|| NOT_KNOWN.to_owned(), human::limit);
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let memory = environment.memory_bytes.map(|bytes| human::size(bytes as f64));
    let known = |text: Option<String>| text.unwrap_or_else(|| NOT_KNOWN.to_owned());
    let open_files = format!(
        "{} (may be raised to {})",
        limit(environment.open_files_soft),
        limit(environment.open_files_hard)
    );
    vec![
        ("kernel", text(&environment.kernel)),
        ("architecture", text(&environment.architecture)),
        ("processor", text(&environment.cpu_model)),
        ("cores usable", known(environment.cores.map(|cores| cores.to_string()))),
        ("memory", known(memory)),
        (
            "virtual machine",
            known(environment.hypervisor.map(|is| if is { "yes" } else { "no" }.to_owned())),
        ),
        ("congestion control of TCP", text(&environment.congestion_control)),
        ("clock source", text(&environment.clocksource)),
        ("open files", open_files),
        (
            "local ports",
            known(environment.local_ports.map(|(first, last)| format!("{first} to {last}"))),
        ),
        (
            "listen backlog",
            known(environment.somaxconn.map(|backlog| human::count(backlog.into()))),
        ),
        ("instrument", known(instrument::abilities(environment))),
    ]
}
