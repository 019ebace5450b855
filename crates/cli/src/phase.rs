//! Phases of a trial as people say them.

use pushbench_metrics::observe::ledger::Phase;

/// The name of a phase.
pub(crate) const fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::Connect => "connecting",
        Phase::Warmup => "warm-up",
        Phase::Window => "measuring",
        Phase::Drain => "draining",
        Phase::Close => "closing",
    }
}
