//! The answer that a reader came for: the sentence, and before it what is wrong with the run as a whole.

use std::fmt::Write as _;

use pushbench_metrics::record::RunRecord;

use super::{advice, capacity, escaped, prose};
use crate::{human, notes};

/// Adds the question, the banners, the sentence and the thresholds.
pub(super) fn push(page: &mut String, record: &RunRecord) {
    if !record.scenario.question.is_empty() {
        let _ = writeln!(page, "<p class=\"faint\">{}</p>", escaped(&record.scenario.question));
    }
    if let Some(partial) = notes::partial(record) {
        let _ = writeln!(page, "<div class=\"banner bad\">{}</div>", escaped(&partial));
    }
    // In a search, loads that are too much are what is looked for.
    if record.capacity.is_none() {
        push_left_out(page, record);
    }
    advice::push(page, record);
    push_finding(page, &crate::sentence(record));
    capacity::push(page, record);
    let thresholds = crate::threshold_lines(record);
    if !thresholds.is_empty() {
        let items = thresholds.iter().map(|line| format!("<li>{}</li>\n", escaped(line)));
        let items = items.collect::<String>();
        let _ = write!(page, "<ul id=\"thresholds\" class=\"marked\">\n{items}</ul>\n");
    }
}

/// Adds a sentence, which may have several lines.
pub(crate) fn push_finding(page: &mut String, sentence: &str) {
    for line in sentence.lines() {
        let _ = writeln!(page, "<p class=\"finding\">{}</p>", prose(line));
    }
}

/// How many trials are in no figure.
fn push_left_out(page: &mut String, record: &RunRecord) {
    let invalid: Vec<_> = record.standing().filter(|trial| !trial.is_valid()).collect();
    if invalid.is_empty() {
        return;
    }
    let (verb, they) = if invalid.len() == 1 { ("was", "it was") } else { ("were", "they were") };
    let again = invalid.iter().all(|trial| trial.attempt > 1);
    let again = if again { format!(", also when {they} repeated") } else { String::new() };
    let _ = writeln!(
        page,
        "<div class=\"banner bad\">{} {verb} invalid{again}, and left out of every \
         figure; see <a href=\"#invalid\">Invalid trials</a>.</div>",
        human::plural(invalid.len(), "trial")
    );
}
