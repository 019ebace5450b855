//! Faults of a link: packets that it lost of its own accord, a router that was late, and traffic beside
//! the feed that did not flow.

use std::time::Duration;

use pushbench_core::link::Link;
use pushbench_metrics::observe::cross::CrossMeasured;
use pushbench_metrics::observe::device::RouterMeasured;
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_metrics::observe::ledger::Phase;
use pushbench_metrics::record::warning::Invalid;

/// How late one packet in a hundred may leave the router: this, or a twentieth of the shorter delay,
/// beside which it is not seen. It is a tenth of this where nothing disturbs it.
const LATE: Duration = Duration::from_millis(2);
const OF_DELAY: u32 = 20;

/// Why a trial over the link of `router` cannot be used. Whoever allows a busy machine allows its
/// router to be late.
pub(super) fn invalid(router: &RouterMeasured, link: &Link, allow_busy: bool) -> Vec<Invalid> {
    let packets = router.unasked_drops();
    let leaked = (packets > 0).then_some(Invalid::LinkLeaked { packets });
    let delay = link.delay.down.0.min(link.delay.up.0);
    let limit = LATE.max(delay / OF_DELAY);
    let late = lateness(router).filter(|p99| *p99 > limit && !allow_busy);
    leaked.into_iter().chain(late.map(|p99| Invalid::RouterLate { p99 })).collect()
}

/// Why a trial beside which that traffic was to flow cannot be used.
pub(super) fn idle(cross: &CrossMeasured) -> Option<Invalid> {
    let direction = Some(cross.idle()?);
    Some(Invalid::CrossIdle { direction, error: cross.error.clone() })
}

/// How late one packet in a hundred of the window was, or later; `None` where there was none.
fn lateness(router: &RouterMeasured) -> Option<Duration> {
    let mut late = LatencyHistogram::default();
    let rows = router.link.rows.iter().filter(|row| row.phase == Phase::Window);
    rows.for_each(|row| late.merge(&row.late));
    late.percentile_us(0.99).map(|us| Duration::from_secs_f64(us / 1e6))
}
