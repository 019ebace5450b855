//! Stability of machine and instrument: the disturbances that a trial survives, and those that it
//! does not.
//!
//! A disturbance is held against what was measured: three milliseconds are nothing to a poll that
//! waits for half a second, and all there is to a WebSocket.

use std::time::Duration;

use pushbench_metrics::observe::disturbance::{Disturbance, Throttled};
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_metrics::observe::instrument::{Instrument, SHORTEST_STALL};
use pushbench_metrics::record::warning::{
    Busy, CLOCK_MOVED, HeldBack, Invalid, MATTERS, MOSTLY_WAITING, OTHERS_SHARE, STALL,
    STALLED_A_LITTLE, STALLED_SHARE, STOLEN_SHARE, Warning,
};

use super::standstill::OwnStall;
use crate::trial::Played;

/// The disturbances of a trial, and the latencies that they are held against.
#[derive(Debug)]
pub(crate) struct Stability<'a> {
    pub(crate) disturbance: &'a Disturbance,
    /// How the instrument kept time, where that is known.
    pub(crate) instrument: Option<&'a Instrument>,
    pub(crate) window: Duration,
    pub(crate) latency: &'a LatencyHistogram,
    /// Whether a machine that is busy or stalls is only warned of (`--allow-busy`).
    pub(crate) allow_busy: bool,
    /// Whether all processes of the trial are known, so that others are others: a server that ran
    /// already may have workers of its own.
    pub(crate) own_server: bool,
}

impl<'a> Stability<'a> {
    /// That of a trial, where its machine was watched; `latency` is what it measured.
    pub(crate) fn of(
        played: &'a Played,
        latency: &'a LatencyHistogram,
        allow_busy: bool,
    ) -> Option<Self> {
        let resources = &played.cost.resources;
        Some(Self {
            disturbance: resources.disturbance.as_ref()?,
            instrument: resources.instrument.as_ref(),
            window: played.timing.window.duration(),
            latency,
            allow_busy,
            own_server: played.is_published_here(),
        })
    }

    /// Why the trial cannot be used; empty where it can.
    pub(crate) fn invalid(&self) -> Vec<Invalid> {
        let Disturbance { clock_step: by, suspended: slept, .. } = *self.disturbance;
        let slept = (slept > CLOCK_MOVED).then_some(Invalid::Suspended { slept });
        let stepped = (by > CLOCK_MOVED).then_some(Invalid::ClockStepped { by });
        let mut reasons: Vec<Invalid> = slept.into_iter().chain(stepped).collect();
        // Who allows a busy machine does not allow an instrument that measures itself.
        reasons.extend(
            self.own_stall()
                .filter(OwnStall::spoils)
                .map(|own| Invalid::InstrumentStalled(own.told)),
        );
        if self.allow_busy {
            return reasons;
        }
        if let Some(worst) = self.worst_stall().filter(|_| self.stalled()) {
            reasons.push(Invalid::MachineStalled { worst, share: self.share_stalled() });
        }
        reasons.extend(self.held_back().filter(|_| self.is_held_back()).map(Invalid::Throttled));
        let busy = self.busy().filter(|busy| self.is_too_busy(busy));
        reasons.extend(busy.map(Invalid::MachineBusy));
        reasons
    }

    /// Doubts to know of before believing the figures; what makes the trial invalid is not said twice.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let share = self.share_stalled();
        let own = self.own_stall().filter(|own| !own.spoils() && own.shows());
        warnings.extend(own.map(|own| Warning::InstrumentStalls(own.told)));
        if let Some(worst) = self.worst_stall()
            && (share > STALLED_A_LITTLE || worst > STALL)
            && (self.allow_busy || !self.stalled())
        {
            warnings.push(Warning::ShortStalls { worst, share });
        }
        let held = self.held_back().filter(|held| {
            held.share > STALLED_A_LITTLE && (self.allow_busy || !self.is_held_back())
        });
        warnings.extend(held.map(Warning::Throttled));
        let busy = self.busy().filter(|busy| self.allow_busy || !self.is_too_busy(busy));
        warnings.extend(busy.map(Warning::OthersBusy));
        let share = self.disturbance.stolen;
        warnings.extend((share > STOLEN_SHARE).then_some(Warning::TimeStolen { share }));
        warnings
    }

    /// The machine's longest stall; `None` where nobody watched, or where the parent stood still,
    /// and its canaries with it.
    fn worst_stall(&self) -> Option<Duration> {
        let known = self.parent().is_none();
        self.disturbance.worst_stall().filter(|_| known)
    }

    /// Whether it surely did, and not just by the luck of when the canary looked.
    fn stalled(&self) -> bool {
        let share = self.disturbance.share_late_at_least(self.shortest_stall(), self.window);
        self.worst_stall() > Some(STALL) || share > STALLED_SHARE
    }

    /// The share of the window that stalls cover which matter, as far as the canary can tell.
    fn share_stalled(&self) -> f64 {
        self.disturbance.share_late(self.shortest_stall(), self.window)
    }

    /// How long a quota stopped the run's processes.
    fn held_back(&self) -> Option<HeldBack> {
        let throttled = self.disturbance.throttled?;
        let Throttled { time, quota, .. } = throttled;
        Some(HeldBack { time, share: throttled.share(self.window), quota })
    }

    /// Whether it did as a stalled machine would have.
    fn is_held_back(&self) -> bool {
        self.disturbance.throttled.is_some_and(|throttled| {
            let (each, share) = (throttled.each(), throttled.share(self.window));
            each > STALL || (each > self.shortest_stall() && share > STALLED_SHARE)
        })
    }

    /// The shortest stall that matters to the latency's high percentiles.
    pub(super) fn shortest_stall(&self) -> Duration {
        let p99 = self.latency.percentile_us(0.99).unwrap_or(0.0);
        Duration::from_secs_f64(p99 * MATTERS / 1e6).max(SHORTEST_STALL)
    }

    /// The other processes, where they took a notable share.
    fn busy(&self) -> Option<Busy> {
        let others = self.disturbance.others.as_ref()?;
        let by = others.busiest.as_ref().map(|busiest| busiest.name.clone());
        let wait = self.disturbance.behind_others().unwrap_or_default().each_turn;
        (others.share > OTHERS_SHARE).then_some(Busy { share: others.share, wait, by })
    }

    /// Whether what was waited behind others shows in the median. Where they took most of the
    /// time, the median is itself theirs, and no measure.
    fn is_too_busy(&self, busy: &Busy) -> bool {
        let behind = self.disturbance.behind_others().unwrap_or_default();
        let median = self.latency.percentile_us(0.5);
        let shows = median.is_some_and(|us| busy.wait.as_secs_f64() * 1e6 > us * MATTERS);
        self.own_server && (shows || behind.share > MOSTLY_WAITING)
    }
}

#[cfg(test)]
mod tests {
    use pushbench_metrics::observe::disturbance::{BusyProcesses, CoreWatch, Others, Waits};

    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const SECOND: Duration = Duration::from_secs(1);

    /// A machine with two cores on which nothing happened.
    fn quiet() -> Disturbance {
        let mut core = CoreWatch { period: MS, ..CoreWatch::default() };
        (0..10_000).for_each(|_| core.lateness.record(Duration::from_micros(30)));
        Disturbance {
            cores: vec![core.clone(), core],
            others: Some(Others { share: 0.02, own_share: 0.4, busiest: None }),
            waits: Some(Waits { ran: SECOND * 4, total: MS * 20, turns: 10_000 }),
            ..Disturbance::default()
        }
    }

    fn stalls(lengths: &[Duration]) -> Disturbance {
        let mut disturbance = quiet();
        for &length in lengths {
            let core = &mut disturbance.cores[1];
            core.lateness.record(length);
            core.worst = core.worst.max(length);
        }
        disturbance
    }

    fn busy(share: f64, waited: Duration) -> Disturbance {
        let busiest = BusyProcesses { name: "yes".to_owned(), count: 2, cpu: SECOND };
        Disturbance {
            others: Some(Others { share, own_share: share, busiest: Some(busiest) }),
            waits: Some(Waits { ran: SECOND, total: waited, turns: 1_000 }),
            ..quiet()
        }
    }

    /// What is concluded of a window of ten seconds in which each latency was `latency`.
    fn concluded(disturbance: &Disturbance, latency: Duration) -> (Vec<Invalid>, Vec<Warning>) {
        judged(disturbance, latency, false, true)
    }

    fn judged(
        disturbance: &Disturbance,
        latency: Duration,
        allow_busy: bool,
        own_server: bool,
    ) -> (Vec<Invalid>, Vec<Warning>) {
        let mut histogram = LatencyHistogram::default();
        histogram.record(latency);
        let window = SECOND * 10;
        let (instrument, latency) = (None, &histogram);
        let stability =
            Stability { disturbance, instrument, window, latency, allow_busy, own_server };
        (stability.invalid(), stability.warnings())
    }

    #[test]
    fn a_quiet_machine_is_not_mentioned() {
        assert_eq!(concluded(&quiet(), MS), (vec![], vec![]));
        assert_eq!(concluded(&Disturbance::default(), MS), (vec![], vec![]));
    }

    #[test]
    fn one_long_stall_is_enough() {
        let worst = MS * 150;
        let (invalid, warnings) = concluded(&stalls(&[worst]), MS * 900);
        assert!(matches!(invalid[..], [Invalid::MachineStalled { worst: w, .. }] if w == worst));
        assert_eq!(warnings, []);
    }

    #[test]
    fn short_stalls_count_where_they_make_the_p99() {
        // 1.5 % of ten seconds on one core; a WebSocket's p99 of a millisecond is the stalls'.
        let many = stalls(&[MS * 11; 15]);
        let (invalid, warnings) = concluded(&many, MS);
        let [Invalid::MachineStalled { worst, share }] = invalid[..] else { panic!("{invalid:?}") };
        assert_eq!((worst, warnings), (MS * 11, vec![]));
        assert!((0.015..0.017).contains(&share), "{share}");
        // To a poll that waits for a second they are nothing.
        assert_eq!(concluded(&many, SECOND), (vec![], vec![]));
    }

    /// Two late looks of a hundred stand for 2 % of a second, and prove less than 1 %.
    #[test]
    fn a_share_that_is_not_proved_is_a_warning() {
        let mut disturbance = stalls(&[MS * 3 / 2; 2]);
        disturbance.cores.iter_mut().for_each(|core| core.period = MS * 10);
        let mut latency = LatencyHistogram::default();
        latency.record(MS);
        let stability = Stability {
            disturbance: &disturbance,
            instrument: None,
            window: SECOND,
            latency: &latency,
            allow_busy: false,
            own_server: true,
        };
        assert_eq!(stability.invalid(), []);
        let [Warning::ShortStalls { share, .. }] = stability.warnings()[..] else {
            panic!("{:?}", stability.warnings())
        };
        assert!((share - 0.02).abs() < 1e-6, "{share}");
    }

    #[test]
    fn a_few_short_stalls_are_a_warning() {
        let (invalid, warnings) = concluded(&stalls(&[MS * 21]), MS);
        assert_eq!(invalid, []);
        let [Warning::ShortStalls { worst, share }] = warnings[..] else { panic!("{warnings:?}") };
        assert_eq!(worst, MS * 21);
        // Twenty of the instants, a millisecond apart, waited for more than a millisecond.
        assert!((share - 0.002).abs() < 0.00011, "{share}");
    }

    #[test]
    fn others_matter_where_they_made_the_run_wait() {
        // Half of 400 ms over a thousand turns: 200 µs for each.
        let disturbance = busy(0.4, MS * 400);
        let (invalid, warnings) = concluded(&disturbance, MS);
        let [Invalid::MachineBusy(found)] = &invalid[..] else { panic!("{invalid:?}") };
        assert_eq!((found.wait, found.by.as_deref()), (MS / 5, Some("yes")));
        assert_eq!(warnings, [], "it is said once");
        assert!(invalid[0].to_string().contains("`yes`"), "{}", invalid[0]);
        let (invalid, warnings) = concluded(&disturbance, MS * 500);
        assert_eq!(invalid, [], "to a poll 200 µs are nothing");
        assert!(matches!(warnings[..], [Warning::OthersBusy(_)]), "{warnings:?}");
    }

    #[test]
    fn where_others_took_most_the_median_is_theirs_and_no_measure() {
        let (invalid, _) = concluded(&busy(0.5, SECOND * 4), SECOND * 60);
        assert!(matches!(invalid[..], [Invalid::MachineBusy(_)]), "{invalid:?}");
    }

    #[test]
    fn others_on_cores_of_their_own_are_a_warning() {
        let (invalid, warnings) = concluded(&busy(0.4, MS), MS);
        assert_eq!(invalid, []);
        assert!(matches!(warnings[..], [Warning::OthersBusy(_)]), "{warnings:?}");
    }

    #[test]
    fn waiting_for_each_other_is_the_runs_own_load() {
        assert_eq!(concluded(&busy(0.05, SECOND * 5), MS), (vec![], vec![]));
    }

    #[test]
    fn who_allows_a_busy_machine_is_only_warned() {
        for disturbance in [busy(0.4, MS * 400), stalls(&[MS * 150])] {
            let (invalid, warnings) = judged(&disturbance, MS, true, true);
            assert_eq!((invalid.len(), warnings.len()), (0, 1), "{invalid:?} {warnings:?}");
        }
        // The workers of a server that ran already look like other processes.
        let (invalid, warnings) = judged(&busy(0.4, MS * 400), MS, false, false);
        assert_eq!((invalid.len(), warnings.len()), (0, 1), "{invalid:?} {warnings:?}");
    }

    #[test]
    fn what_a_quota_holds_back_is_judged_as_a_stall_is() {
        let throttled = |time, periods| Disturbance {
            throttled: Some(Throttled { time, periods, quota: Some(0.5) }),
            ..quiet()
        };
        // 40 ms in each of ten periods, 4 % of the window.
        let (invalid, warnings) = concluded(&throttled(MS * 400, 10), MS);
        let [Invalid::Throttled(HeldBack { share, quota: Some(0.5), .. })] = invalid[..] else {
            panic!("{invalid:?}")
        };
        assert!((share - 0.04).abs() < 1e-9 && warnings.is_empty(), "{share} {warnings:?}");
        assert!(invalid[0].to_string().contains("quota of 0.50 processors"), "{}", invalid[0]);
        // To a poll that waits for a second 40 ms are nothing, but they are told.
        let (invalid, warnings) = concluded(&throttled(MS * 400, 10), SECOND);
        assert_eq!(invalid, []);
        assert!(matches!(warnings[..], [Warning::Throttled(_)]), "{warnings:?}");
        let (invalid, warnings) = judged(&throttled(MS * 400, 10), MS, true, true);
        assert_eq!((invalid.len(), warnings.len()), (0, 1), "{invalid:?} {warnings:?}");
        // One long stop is enough, and a quota that is not used up is not mentioned.
        let (invalid, _) = concluded(&throttled(MS * 101, 1), SECOND);
        assert!(matches!(invalid[..], [Invalid::Throttled(_)]), "{invalid:?}");
        assert_eq!(concluded(&throttled(Duration::ZERO, 0), MS), (vec![], vec![]));
    }

    #[test]
    fn a_clock_that_was_set_or_a_machine_that_slept_is_never_allowed() {
        let stepped = Disturbance { clock_step: MS * 2, ..quiet() };
        let slept = Disturbance { suspended: SECOND, ..quiet() };
        for allow_busy in [false, true] {
            let invalid = |disturbance| judged(disturbance, MS, allow_busy, true).0;
            assert_eq!(invalid(&stepped), [Invalid::ClockStepped { by: MS * 2 }]);
            assert_eq!(invalid(&slept), [Invalid::Suspended { slept: SECOND }]);
        }
        // Readings differ by microseconds.
        assert_eq!(concluded(&Disturbance { clock_step: MS / 100, ..quiet() }, MS).0, []);
    }

    #[test]
    fn stolen_time_is_a_warning() {
        let (invalid, warnings) = concluded(&Disturbance { stolen: 0.05, ..quiet() }, MS);
        assert_eq!((invalid, warnings), (vec![], vec![Warning::TimeStolen { share: 0.05 }]));
    }
}
