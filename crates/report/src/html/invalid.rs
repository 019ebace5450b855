//! The trials that could not be used, and why.

use std::fmt::Write as _;

use pushbench_metrics::record::{RunRecord, TrialRecord};

use super::escaped;
use crate::notes::Mark;

/// The meaning of such trials, in runs and in searches for the most load.
const INVALID: &str = "In these the instrument failed, so they say nothing about a transport. Each is \
                       repeated once, unless the server refused all clients for good.";
const TOO_MUCH: &str = "In these the load was too much to be measured, or something disturbed the \
                        machine. Where only delays can have suffered and met the objectives all the \
                        same, one counts as met, otherwise as one that missed; and a load is tried \
                        several times before it fails.";

/// Every trial that could not be used, those whose repeat could be too.
pub(super) fn push(page: &mut String, record: &RunRecord) {
    let invalid: Vec<&TrialRecord> =
        record.trials.iter().filter(|trial| !trial.is_valid()).collect();
    if invalid.is_empty() {
        return;
    }
    let (title, meaning) = match record.capacity {
        None => ("Invalid trials", INVALID),
        Some(_) => ("Trials that were disturbed", TOO_MUCH),
    };
    let _ = write!(
        page,
        "<details class=\"section\"><summary>{title}</summary>\n<p id=\"invalid\">{meaning}</p>\n\
         <div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"invalid trials\"><table>\n\
         <tr><th>trial</th><th>point</th><th>transport</th><th>round</th><th>why</th><th>what to do</th>\
         <th>then</th></tr>\n",
    );
    for trial in invalid {
        push_trial(page, record, trial);
    }
    page.push_str("</table></div></details>\n");
}

fn push_trial(page: &mut String, record: &RunRecord, trial: &TrialRecord) {
    let lines = |texts: Vec<String>| {
        texts.iter().map(|text| escaped(text)).collect::<Vec<_>>().join("<br>")
    };
    let reasons = trial.invalid.iter().map(ToString::to_string);
    let errors = trial.errors.iter().map(|error| format!("error: {error}"));
    let remedies = trial.invalid.iter().map(|invalid| invalid.remedy().to_owned());
    let stands = record.standing().any(|standing| std::ptr::eq(standing, trial));
    let _ = writeln!(
        page,
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
        trial.order,
        trial.id.point,
        trial.id.contender,
        trial.id.round,
        lines(reasons.chain(errors).collect()),
        lines(remedies.collect()),
        match (stands, &record.capacity) {
            (true, None) => Mark::Invalid.sign().to_owned() + " left out",
            (true, Some(_)) => "judged".to_owned(),
            (false, _) => "repeated".to_owned(),
        },
    );
}
