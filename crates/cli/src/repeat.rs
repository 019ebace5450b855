//! Runs again: a folder that a run left, in the place of a scenario.
//!
//! A record may come from somebody else. Of what it names, nothing that is not built in runs before it
//! was shown and consented to, and a command line is no setting: what a record keeps of a machine's
//! programs is left behind.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, anyhow};
use pushbench_core::feed::trace::{MAX_TRACE_BYTES, Trace};
use pushbench_core::rules::HIDDEN;
use pushbench_metrics::record::RunRecord;
use pushbench_report::{TRACE, bounded, runs_elsewhere};

use crate::exit::{Failure, Outcome};
use crate::{consent, scenarios};

/// Whether that argument is a run's folder, or the record in one, and not a scenario.
pub(crate) fn is_run(name: &str) -> bool {
    let path = Path::new(name);
    scenarios::built_in(name).is_none()
        && (path.is_dir() || path.file_name().is_some_and(|file| file == "run.json"))
}

/// The record of a run, and the folder that it is in.
pub(crate) fn open(name: &str) -> Result<(RunRecord, PathBuf), Failure> {
    let (folder, record) = pushbench_report::open(Path::new(name)).map_err(Failure::usage)?;
    Ok((record, folder.path().to_owned()))
}

/// The trace that the run replayed, from its folder where it is not built in; `None` where it replayed none.
pub(crate) fn trace(record: &RunRecord, folder: &Path) -> Result<Option<Trace>, Failure> {
    let Some(name) = &record.scenario.feed.trace else { return Ok(None) };
    if scenarios::trace(name).is_some() {
        return scenarios::load_trace(&record.scenario, None);
    }
    let path = folder.join(TRACE);
    let shown = path.display();
    let text = bounded::read_text(&path, MAX_TRACE_BYTES).with_context(|| {
        format!(
            "the run replayed {name}; cannot read its copy {shown}; pass the trace with --trace"
        )
    });
    let trace = Trace::parse(&text.map_err(Failure::Usage)?);
    trace.map(Some).map_err(|error| Failure::usage(anyhow!("trace {shown}: {error}")))
}

/// Repeats what is no run of pushbench's own server: the command line of `pushbench load`, as it was typed,
/// once it was shown and consented to. `None` where the record is of a run.
pub(crate) fn elsewhere(name: &str, trust: bool) -> Option<Result<Outcome, Failure>> {
    if !is_run(name) {
        return None;
    }
    match open(name) {
        Ok((record, _)) if runs_elsewhere(&record) => Some(load(name, &record, trust)),
        Ok(_) => None,
        Err(failure) => Some(Err(failure)),
    }
}

fn load(name: &str, record: &RunRecord, trust: bool) -> Result<Outcome, Failure> {
    let [_, command, rest @ ..] = &record.command_line[..] else {
        return Err(Failure::usage(anyhow!("{name}: its record has no command line to repeat")));
    };
    if command != "load" {
        return Err(Failure::usage(anyhow!(
            "{name}: its server ran already, and it was not measured by `pushbench load`"
        )));
    }
    if std::env::args_os().len() > if trust { 4 } else { 3 } {
        return Err(Failure::usage(anyhow!(
            "{name} is of a server that ran already: it is repeated as it was typed, without other flags"
        )));
    }
    let rest = unwatched(rest);
    let shown = shown(&rest);
    consent::ask(name, &format!("  pushbench load {shown}"), "puts load on a server", trust)?;
    let arguments = rest.iter().map(|argument| revealed(argument));
    let arguments = arguments.collect::<Result<Vec<String>, Failure>>()?;
    let program = std::env::current_exe().context("cannot find this program's file");
    let status =
        Command::new(program.map_err(Failure::Failed)?).arg("load").args(arguments).status();
    let status = status.context("cannot start pushbench load").map_err(Failure::Failed)?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map(Outcome::Command).ok_or_else(|| Failure::failed(anyhow!("pushbench load: {status}")))
}

/// Arguments but for that which has the run watched: whoever repeats it may have no terminal.
fn unwatched(arguments: &[String]) -> Vec<String> {
    arguments.iter().filter(|argument| *argument != "--live").cloned().collect()
}

/// Arguments as a shell takes them.
fn shown(arguments: &[String]) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+%@".contains(c);
    let quoted = arguments.iter().map(|argument| match argument {
        plain if !plain.is_empty() && plain.chars().all(is_plain) => plain.clone(),
        other => format!("'{}'", other.replace('\'', r"'\''")),
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// The argument with what was hidden in it, from the environment.
fn revealed(argument: &str) -> Result<String, Failure> {
    if !argument.contains(HIDDEN) {
        return Ok(argument.to_owned());
    }
    let variable = variable(argument);
    let secret = std::env::var(&variable).map_err(|_| {
        Failure::usage(anyhow!(
            "`{argument}`: the record hides a secret as {HIDDEN}; put it into the variable {variable}"
        ))
    })?;
    Ok(argument.replace(HIDDEN, &secret))
}

/// The variable that a hidden secret is asked for by: of a header field by its name, else by what it is of.
fn variable(argument: &str) -> String {
    let name = match argument.split_once(':') {
        Some((name, _)) if !argument.contains("://") && !name.contains('/') => name,
        _ if argument.contains('?') => "query",
        _ => "secret",
    };
    let upper = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("PUSHBENCH_{}", name.trim().chars().map(upper).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_secret_is_asked_for_by_what_it_is_of() {
        for (argument, name) in [
            ("Authorization: ***", "PUSHBENCH_AUTHORIZATION"),
            ("X-Api-Key: a***b", "PUSHBENCH_X_API_KEY"),
            ("http://host:80/feed?***", "PUSHBENCH_QUERY"),
            ("/feed?token=***", "PUSHBENCH_QUERY"),
            ("{\"auth\"***}", "PUSHBENCH_SECRET"),
        ] {
            assert_eq!(variable(argument), name, "{argument}");
            let error = revealed(argument).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
        assert_eq!(revealed("--target").unwrap(), "--target");
    }

    #[test]
    fn whoever_repeats_a_run_need_not_watch_it() {
        let line = ["--target", "http://a:1", "--live", "-t", "sse"].map(str::to_owned);
        assert_eq!(shown(&unwatched(&line)), "--target http://a:1 -t sse");
    }

    #[test]
    fn a_command_line_is_shown_as_a_shell_takes_it() {
        let line = ["--target", "http://a:1/x?y=1", "--seq", "it's", ""].map(str::to_owned);
        assert_eq!(shown(&line), r"--target 'http://a:1/x?y=1' --seq 'it'\''s' ''");
    }
}
