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
/// beside which it is not seen.
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

#[cfg(test)]
mod tests {
    use pushbench_core::link::Ways;
    use pushbench_core::units::Span;
    use pushbench_metrics::observe::device::{Backend, SideCounts};
    use pushbench_metrics::observe::ledger::Direction;
    use pushbench_metrics::observe::link::{LinkCounts, LinkRow, LinkTally};

    use super::*;

    /// A router all of whose packets of `phase` left it so late.
    fn router(phase: Phase, late: Duration) -> RouterMeasured {
        let mut histogram = LatencyHistogram::default();
        (0..200).for_each(|_| histogram.record(late));
        let row = LinkRow {
            phase,
            direction: Direction::Down,
            tally: LinkTally::default(),
            queued: LatencyHistogram::default(),
            late: histogram,
        };
        RouterMeasured {
            backend: Backend::Tun,
            link: LinkCounts { rows: vec![row], ..LinkCounts::default() },
            waiting: 0,
            forwarded: 200,
            server: SideCounts::default(),
            clients: SideCounts::default(),
            elapsed: Duration::from_secs(1),
            cpu: Duration::ZERO,
            longest_wait: Duration::ZERO,
        }
    }

    #[test]
    fn a_router_is_late_where_it_shows_beside_the_shorter_delay() {
        let ms = Duration::from_millis;
        let cases = [(0, 3, true), (0, 1, false), (200, 9, false), (200, 11, true), (20, 3, true)];
        for (delay, late, is_invalid) in cases {
            let delay = Ways { down: Span(ms(300)), up: Span(ms(delay)) };
            let link = Link { delay, ..Link::default() };
            let found = invalid(&router(Phase::Window, ms(late)), &link, false);
            assert_eq!(!found.is_empty(), is_invalid, "{delay:?}, {late} ms: {found:?}");
            assert!(invalid(&router(Phase::Window, ms(late)), &link, true).is_empty());
            assert!(invalid(&router(Phase::Connect, ms(late)), &link, false).is_empty());
        }
    }

    #[test]
    fn one_packet_that_no_line_dropped_is_enough() {
        let mut router = router(Phase::Window, Duration::ZERO);
        router.server.overflowed = 1;
        let found = invalid(&router, &Link::default(), true);
        assert_eq!(found, [Invalid::LinkLeaked { packets: 1 }]);
    }
}
