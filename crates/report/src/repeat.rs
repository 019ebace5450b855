//! `scenario.toml`: a run's settings, as they can be run again.

use std::fmt::Write as _;

use pushbench_core::subject::Subject;
use pushbench_core::text;
use pushbench_metrics::record::RunRecord;
use pushbench_protocol::headers::HeaderProfile;

use crate::error::ReportError;

/// The file of that name in a run's folder.
pub(crate) const SCENARIO: &str = "scenario.toml";

/// The trace that a run replayed from a file, in its folder.
pub const TRACE: &str = "trace.csv";

/// The settings of a run with all of its flags, below what no setting says; `has_trace` where the folder
/// holds the trace. It names servers, proxies and files, and holds no command.
///
/// # Errors
///
/// [`ReportError::Inconsistent`], where the settings have no TOML.
pub(crate) fn scenario_toml(record: &RunRecord, has_trace: bool) -> Result<String, ReportError> {
    let mut scenario = record.scenario.clone();
    if has_trace {
        scenario.feed.trace = Some(TRACE.to_owned());
    }
    // In one line, and nothing that acts on a terminal: the record has these words as they are.
    for words in [&mut scenario.name, &mut scenario.question, &mut scenario.headers] {
        *words = text::line(words).into_owned();
    }
    scenario.feed.trace = scenario.feed.trace.map(|trace| text::line(&trace).into_owned());
    let settings = scenario.to_toml();
    let settings = settings.map_err(|error| ReportError::inconsistent(SCENARIO.as_ref(), error))?;
    let mut head = String::from(
        "# The settings of a run, those of its flags too. `pushbench run` takes this file; given the folder that\n\
         # it is in, it repeats the run, with what no setting says.\n",
    );
    for line in beside(record) {
        let _ = writeln!(head, "# {}", text::line(&line));
    }
    Ok(format!("{head}\n{settings}"))
}

/// Things that the settings do not say, a line for each.
fn beside(record: &RunRecord) -> Vec<String> {
    let mut lines = Vec::new();
    if runs_elsewhere(record) {
        lines.push(
            "The server ran already: with this file pushbench's own is measured in its place."
                .to_owned(),
        );
    }
    let profile = &record.scenario.headers;
    if HeaderProfile::built_in(profile).is_none() {
        lines.push(format!("The header profile {profile} came from a file; run.json has it."));
    }
    let is_strange = |subject: &&Subject| Subject::text(subject.name.as_str()).is_none();
    for subject in record.subjects.iter().filter(is_strange) {
        let name = &subject.name;
        lines.push(format!(
            "The subject {name} came from a file; run.json has it, and a file's path goes here."
        ));
    }
    let flags = record.flags.words();
    if !flags.is_empty() {
        lines.push(format!("Beside the settings: {}.", flags.join(" ")));
    }
    lines
}

/// Whether the run was of a server that ran already, by `pushbench load`.
#[must_use]
pub fn runs_elsewhere(record: &RunRecord) -> bool {
    record.points.iter().any(|point| point.server_runs_already)
        || record.command_line.get(1).is_some_and(|command| command == "load")
}
