//! The way of bytes through a session to the record, without sockets.

use pushbench_benches::callgrind::mark;
use pushbench_benches::path::Path;
use pushbench_benches::reads;
use pushbench_core::{Contender, Delivery, Seq};
use pushbench_metrics::observe::measure::Measure;
use pushbench_metrics::observe::recorder::Recorder;

use super::{CLIENTS, ROUNDS_PER_SECOND};

/// Counts a session alone.
pub(super) fn alone(contender: Contender, stretches: u32) -> anyhow::Result<()> {
    replay(contender, stretches, ())
}

/// Counts a session, and a record of what it gives.
pub(super) fn recorded(contender: Contender, stretches: u32) -> anyhow::Result<()> {
    replay(contender, stretches, Recorder::new(1, Delivery::Every))
}

/// Brings messages to `measure`, and marks before those that count and after each stretch of them.
fn replay(contender: Contender, stretches: u32, measure: impl Measure) -> anyhow::Result<()> {
    let stretch = ROUNDS_PER_SECOND * u64::from(CLIENTS);
    // One stretch more, so that what is made once has been made.
    let count = stretch * u64::from(stretches + 1);
    let inputs: Vec<_> = (1..=count).map(|seq| reads::message(contender, Seq(seq))).collect();
    let mut path = Path::new(contender, count, measure);
    for (seq, input) in (1..).zip(&inputs) {
        std::hint::black_box(path.read(input, Seq(seq)));
        if seq.is_multiple_of(stretch) {
            mark();
        }
    }
    Ok(())
}
