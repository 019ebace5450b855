//! Findings behind the comparison, and how far the comparison goes.

use std::fmt::Write as _;

use pushbench_core::text;
use pushbench_metrics::judge::figures::Counts;
use pushbench_metrics::record::warning::Warning;

use super::measure::{Contender, Measure};
use super::security;
use crate::human;
use crate::rows::{Block, Row};

/// From this share on, responses without news are worth a sentence, in percent.
const EMPTY_PERCENT: f64 = 10.0;

/// From so many messages on, a response of polls is a batch.
const SEVERAL: f64 = 1.5;

/// Other findings: losses, polls in vain, polls that share, transports left out, a single trial.
pub(super) fn push(
    text: &mut String,
    block: &Block<'_>,
    measure: Measure,
    contenders: &[Contender<'_>],
) {
    text.push_str(&support(measure, contenders).unwrap_or_default());
    for row in &block.rows {
        let (name, Counts { audit, counters, .. }) = (row.name(), &row.summary.counts);
        let all = human::count(audit.expected);
        if audit.lost > 0 {
            let lost = human::count(audit.lost);
            let _ = write!(text, " {name} lost {lost} of {all} messages.");
        }
        if audit.late > 0 {
            let late = human::count(audit.late);
            let _ = write!(
                text,
                " Of {all} messages {late} were still under way to {name} at the end."
            );
        }
        if counters.protocol_errors > 0 {
            let _ = write!(text, " {}", broken_protocol(row));
        }
    }
    if let Some((name, share)) = in_vain(block) {
        let _ = write!(text, " {share} of the responses to {name} brought nothing new.");
    }
    if let Some((name, several)) = in_batches(block).filter(|_| !contenders.is_empty()) {
        let _ = write!(
            text,
            " A response to {name} brought {several} messages on average, which share its headers."
        );
    }
    security::cost(block).iter().for_each(|cost| text.push_str(&format!(" {cost}")));
    let_nobody_in(text, block);
    left_out(text, block);
    if measure == Measure::Bytes && block.trials() > 0 {
        text.push_str(" Latency was not measured.");
    }
    if block.trials() == 1 && block.rows.len() > 1 && measure != Measure::Bytes {
        text.push_str(
            " That is one trial each: differences in time below a factor of two are not claimed.",
        );
    }
}

/// `sse broke its protocol 12 times, the first: …`.
fn broken_protocol(row: &Row<'_>) -> String {
    let warnings = row.trials.iter().flat_map(|trial| &trial.warnings);
    let first = warnings.filter_map(|warning| match warning {
        Warning::ProtocolErrors { first, .. } => first.as_deref(),
        _ => None,
    });
    let first = first
        .take(1)
        .map(|first| format!(", the first: {}", text::line(first)))
        .collect::<String>();
    let errors =
        human::plural(row.summary.counts.counters.protocol_errors as usize, "protocol error");
    format!("{} had {errors}{first}.", row.name())
}

/// The transports that were refused to every client, as some are by a proxy; the notes say why.
fn let_nobody_in(text: &mut String, block: &Block<'_>) {
    let refused = |row: &&Row<'_>| {
        !row.trials.is_empty() && row.trials.iter().all(|trial| trial.connected == 0)
    };
    let names: Vec<&str> = block.rows.iter().filter(refused).map(|row| row.name()).collect();
    if !names.is_empty() {
        let _ = write!(text, " {} let no client in; the notes say why.", human::list(&names));
    }
}

/// The transports without a valid trial, and why.
fn left_out(text: &mut String, block: &Block<'_>) {
    let rows = block.rows.iter().filter(|row| !row.has_figures());
    let names: Vec<&str> = rows.map(|row| row.name()).collect();
    if names.is_empty() {
        return;
    }
    let verb = if names.len() > 1 { "are" } else { "is" };
    let why = reasons(block).map(|reasons| format!(" ({reasons})")).unwrap_or_default();
    let _ = write!(text, " {} {verb} left out: no trial was valid{why}.", human::list(&names));
}

/// The first reason of each transport without a valid trial, by its name where they differ.
pub(super) fn reasons(block: &Block<'_>) -> Option<String> {
    let rows = block.rows.iter().filter(|row| !row.has_figures());
    let reasons: Vec<(&str, String)> = rows
        .filter_map(|row| {
            let reason = row.summary.invalid.first()?.to_string();
            Some((row.name(), text::line(&reason).into_owned()))
        })
        .collect();
    let ((_, first), others) = reasons.split_first()?;
    if others.iter().all(|(_, other)| other == first) {
        return Some(first.clone());
    }
    let each = reasons.iter().map(|(name, reason)| format!("{name}: {reason}"));
    Some(each.collect::<Vec<_>>().join("; "))
}

/// The first polling transport whose responses were often empty, and how often.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2⁵³")]
fn in_vain<'b>(block: &'b Block<'_>) -> Option<(&'b str, String)> {
    let polls = block.rows.iter().filter(|row| row.contender().shape().asks());
    let shares = polls.map(|row| {
        let counters = &row.summary.counts.counters;
        let percent = counters.empty_responses as f64 / counters.requests.max(1) as f64 * 100.0;
        (row.name(), percent)
    });
    let (name, percent) = shares.into_iter().find(|(_, percent)| *percent >= EMPTY_PERCENT)?;
    Some((name, format!("{percent:.0} %")))
}

/// The first polling transport whose responses brought several messages, and how many: what makes
/// a message cheap there.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2⁵³")]
fn in_batches<'b>(block: &'b Block<'_>) -> Option<(&'b str, String)> {
    let mut polls = block.rows.iter().filter(|row| row.contender().shape().asks());
    let row = polls.find(|row| row.has_figures())?;
    let Counts { audit, counters, .. } = &row.summary.counts;
    let each = audit.delivered as f64 / counters.requests as f64;
    let told = counters.requests > 0 && block.rows.len() > 1 && !block.compares_ages();
    (told && each >= SEVERAL).then(|| (row.name(), human::short_number(each, 2)))
}

/// That a difference which fewer than six rounds show held in each of them, and no more than that.
fn support(measure: Measure, contenders: &[Contender<'_>]) -> Option<String> {
    let figure = measure.figure()?;
    let (fastest, others) = contenders.split_first()?;
    let apart = others.iter().filter(|each| measure.is_apart(each, fastest));
    let paired = apart.filter_map(|each| each.row.paired(fastest.row, figure));
    let rounds: Vec<usize> =
        paired.filter(|paired| !paired.is_interval).map(|paired| paired.pairs).collect();
    let (least, most) = (*rounds.iter().min()?, *rounds.iter().max()?);
    if most < 2 {
        return None;
    }
    let rounds = match (least, most) {
        (2, 2) => "in both rounds".to_owned(),
        _ if least == most => format!("in all {most} rounds"),
        _ => "in every round".to_owned(),
    };
    Some(format!(
        " Each difference in time held {rounds}, which is no proof: an interval needs six."
    ))
}
