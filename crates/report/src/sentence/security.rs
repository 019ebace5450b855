//! The cost of TLS, where a contender is measured in clear too.

use pushbench_core::Figure;
use pushbench_core::contender::Security;

use crate::human;
use crate::rows::{Block, Row};

/// From so many clients on, what a process needs once hardly shows in the memory of each.
const MANY_CLIENTS: u32 = 1_000;

/// The doubt about what fewer than six rounds show.
const NO_PROOF: &str = " What it costs the server was more in each round, which is no proof.";

/// `For each message TLS costs websocket 22 bytes and 0.3 µs of the server.`: bytes as they were
/// counted, times and memory where the rounds tell them apart.
pub(super) fn cost(block: &Block<'_>) -> Option<String> {
    if block.compares_ages() {
        return None;
    }
    let pairs = block.rows.iter().filter_map(|row| Some((row, in_clear(block, row)?)));
    let mut is_proof = true;
    let clauses: Vec<String> = pairs
        .filter_map(|(row, clear)| {
            let bytes = human::spoken_size(row.get(Figure::TlsBytes)?);
            let mut more = |figure| {
                let (median, is_firm) = added(row, clear, figure)?;
                is_proof &= is_firm;
                Some(median)
            };
            let cpu = more(Figure::ServerCpu).map(human::spoken_time);
            let cpu = cpu.map(|cpu| format!(" and {cpu} of the server")).unwrap_or_default();
            let many = block.point.clients >= MANY_CLIENTS;
            let memory = many.then(|| more(Figure::ServerRss)).flatten().map(human::spoken_size);
            let memory = memory.map(|it| format!(", and {it} of its memory for each client"));
            Some(format!("{} {bytes}{cpu}{}", clear.name(), memory.unwrap_or_default()))
        })
        .collect();
    let doubt = if is_proof { "" } else { NO_PROOF };
    let costs = clauses.join("; ");
    (!clauses.is_empty()).then(|| format!("For each message TLS costs {costs}.{doubt}"))
}

/// The same contender in clear; `None` of one that is, and where either has no figures.
fn in_clear<'a, 'b>(block: &'a Block<'b>, row: &Row<'b>) -> Option<&'a Row<'b>> {
    let mut clear = row.contender();
    clear.stack = clear.stack.with_security(Security::Clear);
    let is_its = |other: &&Row<'_>| other.contender() == clear && other.has_figures();
    let is_secured = row.contender() != clear && row.has_figures();
    is_secured.then(|| block.rows.iter().find(is_its)).flatten()
}

/// By how much the figure of `row` is greater than that of `clear`, where the rounds put them
/// apart; and whether there is no doubt to tell of.
fn added(row: &Row<'_>, clear: &Row<'_>, figure: Figure) -> Option<(f64, bool)> {
    let paired = row.paired(clear, figure).filter(|_| row.is_apart_from(clear, figure))?;
    // Of a single trial each the findings speak.
    let is_firm = paired.is_interval || paired.pairs == 1;
    (paired.median > 0.0).then_some((paired.median, is_firm))
}
