//! Places among the contenders of a block, as colours show them: only where the trials tell them apart.

use pushbench_core::Figure;
use pushbench_core::figure::Judging;

use crate::rows::{Block, Row};
use crate::screen::Paint;

/// The colours of `block`'s rows by `figure`, of which less is better: the best and those that the trials do
/// not tell from it, the worst and those not told from that, nothing for those between. None has a
/// colour where no difference is shown, or where any knows only what its own figure is at least.
pub(crate) fn paints(block: &Block<'_>, figure: Figure) -> Vec<Option<Paint>> {
    let mut paints = vec![None; block.rows.len()];
    if !is_comparable(block, figure) {
        return paints;
    }
    // Whoever lost messages is not the best at anything, and may still be the worst.
    let ranked = block.ranked(|row| row.spread(figure));
    let Some((best, _)) = ranked.iter().find(|(row, _)| !misses_messages(row)) else {
        return paints;
    };
    let Some((worst, _)) = ranked.last().filter(|(row, _)| row.is_apart_from(best, figure)) else {
        return paints;
    };
    for (paint, row) in paints.iter_mut().zip(&block.rows) {
        let is_apart = |other: &Row<'_>| row.is_apart_from(other, figure);
        *paint = match () {
            () if row.get(figure).is_none() => None,
            () if !is_apart(best) && is_apart(worst) && !misses_messages(row) => Some(Paint::Best),
            () if is_apart(best) && !is_apart(worst) && is_behind(row, best, figure) => {
                Some(Paint::Worst)
            }
            () => None,
        };
    }
    paints
}

/// Whether messages that were due never came, or not in time.
pub(crate) fn misses_messages(row: &Row<'_>) -> bool {
    let audit = &row.summary.counts.audit;
    audit.lost > 0 || audit.late > 0
}

/// Whether the figure compares the contenders of a block. What is divided by the messages that arrived does
/// not where messages were superseded: who skips many divides by few.
fn is_comparable(block: &Block<'_>, figure: Figure) -> bool {
    let is_known = block.rows.iter().all(|row| row.at_least(figure).is_none());
    let is_of_all = figure == Figure::AgeMean || !block.compares_ages();
    is_known && is_of_all && figure.judging() != Judging::No
}

fn is_behind(row: &Row<'_>, best: &Row<'_>, figure: Figure) -> bool {
    row.get(figure) > best.get(figure)
}
