//! Where latency is spent, over the valid trials of a transport at a point.
//!
//! Samples of the trials are pooled, so that the means of the parts add up to the mean of the
//! whole, which medians over trials would not.

use std::fmt::Write as _;

use pushbench_metrics::judge::breakdown::{Breakdown, Part};

use crate::human::{self, NOTHING};
use crate::rows::{Block, Row};

pub(crate) const fn name(part: Part) -> &'static str {
    match part {
        Part::Publisher => "publisher lag",
        Part::Poll => "waiting for the poll",
        Part::Server => "server",
        Part::Network => "network",
        Part::Load => "load generator",
    }
}

/// How to read table and picture.
pub(crate) const CAPTION: &str = "Where the mean latency goes, from the instant at which a \
    message was due: until the server has published it (publisher lag); until a client asks for \
    it (waiting for the poll: a stream and a waiting long poll have asked before); until the \
    server hands it to the socket (server: the request's way in, over a link its delay up, its \
    queue, and the clients that are served first); until the client's kernel has it (network); and until the client itself \
    has it (load generator: on one machine that is pushbench's own share, which a user's browser \
    does not have). Each is measured, on a sample of connections, and together they are the \
    latency; only a message that the client read together with later ones is taken to have been \
    on the network as long as the others. A server that is not pushbench's does not say when it \
    writes, so that the network's part is in its own.";

/// The pooled samples of a row; `None` where nothing was stamped.
pub(crate) fn pooled(row: &Row<'_>) -> Option<Breakdown> {
    let mut trials = row.trials.iter().filter_map(|trial| trial.breakdown.as_ref());
    let mut pooled = trials.next()?.clone();
    trials.for_each(|other| pooled.merge(other));
    (!pooled.is_empty()).then_some(pooled)
}

/// The same where the parts are all of the latency: not of a server that ran already. Of one that is
/// somebody else's and was given its messages by the run, the network's is in the server's.
pub(crate) fn whole(row: &Row<'_>) -> Option<Breakdown> {
    let parts = Part::ALL.into_iter().filter(|part| *part != Part::Network);
    pooled(row).filter(|pooled| parts.clone().all(|part| pooled.part(part).mean_us().is_some()))
}

/// The means of a block as a Markdown table, with its caption; empty where nothing was stamped.
pub(crate) fn markdown(block: &Block<'_>) -> String {
    let rows = block.rows.iter().filter_map(|row| Some((row.contender(), whole(row)?)));
    let mut lines = String::new();
    for (contender, breakdown) in rows {
        let means = Part::ALL.map(|part| breakdown.part(part).mean_us());
        let cells = means.into_iter().chain([breakdown.latency.mean_us()]);
        let cells: Vec<String> =
            cells.map(|us| us.map_or_else(|| NOTHING.to_owned(), human::time)).collect();
        let _ = writeln!(lines, "| {contender} | {} |", cells.join(" | "));
    }
    if lines.is_empty() {
        return lines;
    }
    let heads = Part::ALL.map(name).join(" | ");
    format!(
        "| mean latency | {heads} | together |\n|---|{}\n{lines}\n{CAPTION}\n",
        "---:|".repeat(6)
    )
}
