//! The finding in sentences that a person can repeat, from what was measured.

use std::borrow::Cow;

use pushbench_core::text;
use pushbench_metrics::record::headers::{
    Claim, ContenderBytes, HeaderCase, HeadersRecord, Level, POLL, PUBLISHED_POLL, PUBLISHED_PUSH,
    PUSH,
};

use super::rows::{self, times};
use crate::human;

/// A line for each case, and the claim's at the end.
#[must_use]
pub fn sentence(record: &HeadersRecord) -> String {
    let claimed = record.claim.as_ref().map(|claim| &claim.case);
    let others = record.cases.iter().filter(|case| Some(*case) != claimed);
    let mut lines: Vec<String> = others.filter_map(line).collect();
    lines.extend(record.claim.as_ref().and_then(claim));
    let lines: Vec<Cow<'_, str>> = lines.iter().map(|line| text::line(line)).collect();
    lines.join("\n")
}

/// The row that is compared with WebSocket's: a poll where one was played.
pub(crate) fn subject(case: &HeaderCase) -> Option<&ContenderBytes> {
    let other = || case.rows.iter().find(|row| row.contender != PUSH);
    case.row(POLL).or_else(other)
}

fn line(case: &HeaderCase) -> Option<String> {
    let row = subject(case)?;
    let subject = match row.contender {
        contender if contender.shape().asks() => format!("a {contender}"),
        contender => format!("a message by {contender}"),
    };
    Some(format!(
        "With the headers of {}, {subject} takes {} bytes in Ethernet frames, a WebSocket push of \
         the same {} bytes {}: {}.",
        rows::name(case),
        human::count(row.exchange.at(Level::Ethernet)),
        human::count(case.payload_bytes),
        human::count(case.row(PUSH)?.exchange.at(Level::Ethernet)),
        ratios(case, row)?,
    ))
}

fn claim(claim: &Claim) -> Option<String> {
    let poll = claim.poll()?;
    let counted = poll.exchange.at(Level::Characters);
    let agrees = if counted == PUBLISHED_POLL { "comes out again" } else { "does not come out" };
    let mut text = format!(
        "The published {PUBLISHED_POLL} against {PUBLISHED_PUSH} {agrees}: a poll has {counted} \
         characters of headers, which are {} bytes. Against a WebSocket push of the same {} bytes \
         that is {}.",
        poll.exchange.http_bytes(),
        claim.case.payload_bytes,
        ratios(&claim.case, poll)?,
    );
    if !claim.holds() {
        text.push_str(" What was measured does not bear it out; the notes say where.");
    }
    Some(text)
}

/// `435:1 by characters of headers, 454:1 by their bytes, 8.6:1 in IP packets, 7.3:1 in Ethernet
/// frames`.
fn ratios(case: &HeaderCase, row: &ContenderBytes) -> Option<String> {
    let told = [
        ("by characters of headers", Level::Characters),
        ("by their bytes", Level::Bytes),
        ("in IP packets", Level::Ip),
        ("in Ethernet frames", Level::Ethernet),
    ];
    let told = told.map(|(how, level)| Some(format!("{}:1 {how}", times(case.ratio(row, level)?))));
    let told: Option<Vec<String>> = told.into_iter().collect();
    Some(told?.join(", "))
}
