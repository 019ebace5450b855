//! The life of a run's connections, in words.

use pushbench_core::life::{Halt, Restart};
use pushbench_metrics::record::course::Restarted;

use crate::human;
use crate::rows::Block;

/// Lines that say what figures are of where the server restarts or clients come and go: who counts as
/// back, what the peaks are of, and for how long nobody listened; nothing where connections stay.
pub(crate) fn legend(blocks: &[Block<'_>]) -> Vec<String> {
    let mut lines: Vec<String> = blocks.iter().filter_map(restart).collect();
    lines.dedup();
    if blocks.iter().any(|block| block.point.life.churn.is_some()) {
        lines.push(
            "Clients leave while the feed runs, and others come in their place, which go on from the \
             same message: one is back once it is subscribed. Whoever has a connection for each poll \
             comes and goes with it as it is."
                .to_owned(),
        );
    }
    if !lines.is_empty() {
        lines.push(
            "Peaks are of a tenth of a second: connections begun in it, as a rate, and what the \
             server's process had of a core."
                .to_owned(),
        );
    }
    lines
}

/// What became of the server of a block, and for how long.
fn restart(block: &Block<'_>) -> Option<String> {
    let Restart { how, at, .. } = block.point.life.restart?;
    let how = match how {
        Halt::Kill => "was killed",
        Halt::Term => "was told to go",
    };
    let trials = block.rows.iter().flat_map(|row| &row.trials);
    let restarted = trials.filter_map(|trial| trial.course.as_ref()?.restarted);
    let longest = restarted.map(|it: Restarted| it.without_server()).max()?;
    Some(format!(
        "The server {how} {at} into the window, and nobody listened for up to {}; a client is back with \
         its first message since, {at} being when it was last known to be there. What was due \
         meanwhile is in the latencies.",
        human::time(longest.as_secs_f64() * 1e6)
    ))
}
