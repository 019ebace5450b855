//! Faults of a link: packets that it lost of its own accord, a router that was late or had no core, and
//! traffic beside the feed that did not flow.

use std::time::Duration;

use pushbench_core::link::Link;
use pushbench_metrics::observe::cross::CrossMeasured;
use pushbench_metrics::observe::device::RouterMeasured;
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_metrics::observe::ledger::Phase;
use pushbench_metrics::record::warning::{
    Invalid, RouterStalls, STALL, STALLED_A_LITTLE, STALLED_SHARE, Warning,
};

/// How late one packet in a hundred may leave the router: this, or a twentieth of the shorter delay,
/// beside which it is not seen.
const LATE: Duration = Duration::from_millis(2);
const OF_DELAY: u32 = 20;

/// How long one stall of the router may last, in times of that: 40 ms for delays up to as much, which
/// is how long a receiving kernel keeps an acknowledgement back itself; then the delay, and never as long
/// as any other process of the instrument must not stand still.
const STALL_OF_LATE: u32 = 20;

/// The validity of what a link's router did in a window.
#[derive(Debug)]
pub(super) struct Routing<'a> {
    pub(super) router: &'a RouterMeasured,
    pub(super) link: &'a Link,
    pub(super) window: Duration,
    /// Whoever allows a busy machine allows its router to be late, and to have no core.
    pub(super) allow_busy: bool,
}

impl Routing<'_> {
    /// Why the trial cannot be used.
    pub(super) fn invalid(&self) -> Vec<Invalid> {
        let packets = self.router.unasked_drops();
        let leaked = (packets > 0).then_some(Invalid::LinkLeaked { packets });
        let late = lateness(self.router).filter(|p99| *p99 > self.limit() && !self.allow_busy);
        let precedence = self.router.attendance.precedence;
        let late = late.map(|p99| Invalid::RouterLate { p99, precedence });
        let spoils = self.stalls().filter(|_| self.spoil() && !self.allow_busy);
        leaked.into_iter().chain(late).chain(spoils.map(Invalid::RouterStalled)).collect()
    }

    /// Stalls that it survives.
    pub(super) fn warning(&self) -> Option<Warning> {
        let stalls = self.stalls().filter(|_| self.allow_busy || !self.spoil())?;
        (self.spoil() || stalls.share > STALLED_A_LITTLE).then_some(Warning::RouterStalls(stalls))
    }

    /// How late one packet in a hundred may be.
    fn limit(&self) -> Duration {
        LATE.max(self.link.delay.down.0.min(self.link.delay.up.0) / OF_DELAY)
    }

    /// The times at which it had no core; `None` where there was none worth a word.
    fn stalls(&self) -> Option<RouterStalls> {
        let attendance = &self.router.attendance;
        let (worst, precedence) = (attendance.worst, attendance.precedence);
        let share = attendance.delays().share(self.limit(), self.window);
        (worst > self.limit()).then_some(RouterStalls { worst, share, precedence })
    }

    /// Whether they do to the latencies what a late router does, or one of them is in itself too long.
    fn spoil(&self) -> bool {
        let attendance = &self.router.attendance;
        let share = attendance.delays().share_at_least(self.limit(), self.window);
        attendance.worst > STALL.min(self.limit() * STALL_OF_LATE) || share > STALLED_SHARE
    }
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
    use pushbench_metrics::observe::attendance::{Attendance, Precedence};
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
            attendance: Attendance::default(),
        }
    }

    fn invalid(router: &RouterMeasured, link: &Link, allow_busy: bool) -> Vec<Invalid> {
        Routing { router, link, window: WINDOW, allow_busy }.invalid()
    }

    const WINDOW: Duration = Duration::from_secs(10);

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

    /// The verdict on a router that had no core for so many times of so many milliseconds each, over a
    /// link of such a delay both ways: invalid, doubtful, or neither.
    fn stalled(delay: u64, times: u64, each: u64, allow_busy: bool) -> (bool, bool) {
        let ms = Duration::from_millis;
        let mut router = router(Phase::Window, Duration::ZERO);
        (0..times).for_each(|_| router.attendance.note(ms(each)));
        let link = Link { delay: Ways::both(Span(ms(delay))), ..Link::default() };
        let routing = Routing { router: &router, link: &link, window: WINDOW, allow_busy };
        let stalled = |it: &Invalid| matches!(it, Invalid::RouterStalled(_));
        (routing.invalid().iter().any(stalled), routing.warning().is_some())
    }

    #[test]
    fn a_router_without_a_core_for_so_long_that_it_shows_spoils_a_trial() {
        for (delay, times, each, verdict) in [
            // Less than a packet may be late.
            (0, 1_000, 2, (false, false)),
            (200, 100, 10, (false, false)),
            // One short stall in ten seconds, and some: a thousandth of the window.
            (0, 1, 10, (false, false)),
            (0, 1, 20, (false, true)),
            (50, 1, 20, (false, true)),
            // A hundredth of the window: the 99th percentile is the router's.
            (0, 12, 10, (false, true)),
            (0, 14, 10, (true, false)),
            (200, 14, 10, (false, false)),
            // One alone that is too long.
            (0, 1, 39, (false, true)),
            (0, 1, 41, (true, false)),
            (50, 1, 49, (false, true)),
            (50, 1, 52, (true, false)),
            (1_000, 1, 99, (false, true)),
            (1_000, 1, 101, (true, false)),
        ] {
            let told = format!("{times} × {each} ms at a delay of {delay} ms");
            assert_eq!(stalled(delay, times, each, false), verdict, "{told}");
            let (invalid, doubtful) = stalled(delay, times, each, true);
            assert_eq!((invalid, doubtful), (false, verdict != (false, false)), "{told}, allowed");
        }
    }

    #[test]
    fn a_router_that_may_not_go_first_is_told_how_it_may() {
        let mut late = router(Phase::Window, LATE * 2);
        let remedy = |router: &RouterMeasured| invalid(router, &Link::default(), false)[0].remedy();
        assert!(!remedy(&late).contains("CAP_SYS_NICE"));
        late.attendance.precedence = Some(Precedence::RealTime);
        assert!(!remedy(&late).contains("CAP_SYS_NICE"));
        late.attendance.precedence = Some(Precedence::Nice);
        assert!(remedy(&late).contains("CAP_SYS_NICE"));
    }
}
