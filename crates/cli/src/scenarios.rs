//! `pushbench scenarios`: the scenarios, and their traces, that are part of the binary.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use pushbench_core::feed::trace::{MAX_TRACE_BYTES, Trace};
use pushbench_core::named::did_you_mean;
use pushbench_core::scenario::Scenario;
use pushbench_report::bounded;

use crate::exit::{Failure, Outcome};
use crate::{print, screen};

/// Name and text of each scenario, the default first.
const SCENARIOS: [(&str, &str); 22] = [
    ("quick", include_str!("../../../scenarios/quick.toml")),
    ("ticker", include_str!("../../../scenarios/ticker.toml")),
    ("idle", include_str!("../../../scenarios/idle.toml")),
    ("burst", include_str!("../../../scenarios/burst.toml")),
    ("earthquakes", include_str!("../../../scenarios/earthquakes.toml")),
    ("high-rate", include_str!("../../../scenarios/high-rate.toml")),
    ("scale", include_str!("../../../scenarios/scale.toml")),
    ("poll-ratio", include_str!("../../../scenarios/poll-ratio.toml")),
    ("tls", include_str!("../../../scenarios/tls.toml")),
    ("compression", include_str!("../../../scenarios/compression.toml")),
    ("distance", include_str!("../../../scenarios/distance.toml")),
    ("lossy", include_str!("../../../scenarios/lossy.toml")),
    ("thin", include_str!("../../../scenarios/thin.toml")),
    ("mobile", include_str!("../../../scenarios/mobile.toml")),
    ("bufferbloat", include_str!("../../../scenarios/bufferbloat.toml")),
    ("proxies", include_str!("../../../scenarios/proxies.toml")),
    ("chat", include_str!("../../../scenarios/chat.toml")),
    ("echo", include_str!("../../../scenarios/echo.toml")),
    ("upload", include_str!("../../../scenarios/upload.toml")),
    ("restart", include_str!("../../../scenarios/restart.toml")),
    ("churn", include_str!("../../../scenarios/churn.toml")),
    ("tabs", include_str!("../../../scenarios/tabs.toml")),
];

/// Name and text of each trace.
const TRACES: [(&str, &str); 1] =
    [("earthquakes", include_str!("../../../scenarios/traces/earthquakes.csv"))];

/// The scenario that `run` runs when none is named.
pub(crate) const DEFAULT: &str = "quick";

/// Prints the one that is to be shown, or a list of all.
pub(crate) fn command(shown: Option<&str>) -> Result<Outcome, Failure> {
    match shown {
        Some(name) => print(built_in(name).ok_or_else(|| unknown(name))?)?,
        None => print(&list())?,
    }
    Ok(Outcome::Done)
}

/// The text of a built-in scenario.
pub(crate) fn built_in(name: &str) -> Option<&'static str> {
    find(&SCENARIOS, name)
}

/// The text of a built-in trace.
pub(crate) fn trace(name: &str) -> Option<&'static str> {
    find(&TRACES, name)
}

/// The trace that a scenario replays: a built-in one, or a file, relative to `folder`.
pub(crate) fn load_trace(
    scenario: &Scenario,
    folder: Option<&Path>,
) -> Result<Option<Trace>, Failure> {
    let Some(name) = &scenario.feed.trace else {
        return Ok(None);
    };
    let text = match trace(name) {
        Some(text) => text.to_owned(),
        None => {
            let path = folder.map_or_else(|| PathBuf::from(name), |folder| folder.join(name));
            bounded::read_text(&path, MAX_TRACE_BYTES).map_err(|error| {
                let path = path.display();
                Failure::usage(anyhow!(
                    "cannot read trace {path}: {error}; name a CSV file, or `earthquakes`, which \
                     is built in"
                ))
            })?
        }
    };
    let trace = Trace::parse(&text);
    trace.map(Some).map_err(|error| Failure::usage(anyhow!("trace {name}: {error}")))
}

fn find(entries: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    entries.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The names of the built-in scenarios.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    SCENARIOS.iter().map(|(name, _)| *name)
}

/// That no scenario has this name, and which there are.
pub(crate) fn unknown(name: &str) -> Failure {
    Failure::usage(anyhow!(
        "unknown scenario `{name}`: it is no file, and the built-in ones are {}{}",
        names().collect::<Vec<_>>().join(", "),
        did_you_mean(name, names())
    ))
}

/// A line for each built-in scenario: its name and its question.
fn list() -> String {
    let (mut text, screen) = (String::new(), screen::plain());
    for (name, toml) in SCENARIOS {
        let question = Scenario::parse(toml).map(|s| s.question).unwrap_or_default();
        text.push_str(&screen.beside(&format!("{name:<12} "), 13, &question));
    }
    let next = "Show one with `pushbench scenarios show NAME`, run it with `pushbench run NAME`.";
    text.push_str(&format!("\n{}", screen.wrapped(next)));
    text
}

#[cfg(test)]
mod tests {
    use pushbench_core::feed::trace::Trace;

    use super::*;

    #[test]
    fn what_is_built_in_can_be_run() {
        for (name, text) in SCENARIOS {
            let scenario = Scenario::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(scenario.name, name);
            assert!(!scenario.question.is_empty(), "{name} asks nothing");
            let trace = scenario.feed.trace.as_deref().map(|name| trace(name).unwrap());
            assert!(!scenario.points(trace.map(|t| Trace::parse(t).unwrap()).as_ref()).is_empty());
        }
    }
}
