//! Standstills of the instrument itself: of its load processes, or of the run's parent.
//!
//! A stall is judged as the machine's are, with the same limits. Who was it? The parent's canaries
//! watch each core, the load processes watch themselves. Where a load process stood still and the
//! canaries did not, it was stopped. Where all canaries stood still and the load processes did not,
//! the parent was. Where both did, it was the machine.

use std::time::Duration;

use pushbench_metrics::observe::instrument::{LoopWatch, Process};
use pushbench_metrics::observe::lateness::of_window;
use pushbench_metrics::record::warning::{STALL, STALLED_A_LITTLE, STALLED_SHARE, Standstill};

use super::stability::Stability;

/// Of what the canaries saw, load processes that ran on saw less than this part.
const RAN_ON: f64 = 0.5;

/// A process of the instrument that stood still while the machine went on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct OwnStall {
    /// The standstill as it is told: its share is as far as the looks tell.
    pub(crate) told: Standstill,
    /// The least that the share is, the machine's own standstill taken off.
    share_at_least: f64,
}

impl OwnStall {
    /// Whether the trial says nothing for it.
    pub(crate) fn spoils(&self) -> bool {
        self.told.worst > STALL || self.share_at_least > STALLED_SHARE
    }

    /// Whether it is worth a warning.
    pub(crate) fn shows(&self) -> bool {
        self.told.share > STALLED_A_LITTLE
    }
}

impl Stability<'_> {
    /// The process of the instrument that stood still for longest, first of those that spoil the
    /// trial.
    pub(super) fn own_stall(&self) -> Option<OwnStall> {
        let all = self.parent().into_iter().chain(self.parent_at_edge()).chain(self.loads());
        all.max_by_key(|own| (own.spoils(), own.told.worst))
    }

    /// The parent, where all its canaries stood still and no load process did.
    pub(super) fn parent(&self) -> Option<OwnStall> {
        let loads = &self.instrument?.loads;
        if loads.iter().all(LoopWatch::is_empty) {
            return None;
        }
        let cores = || self.disturbance.cores.iter();
        let worst = cores().map(|core| core.worst).min()?;
        let (limit, window) = (self.shortest_stall(), self.window);
        let share = cores().map(|core| core.delays().share(limit, window));
        let share_at_least = cores().map(|core| core.delays().share_at_least(limit, window));
        let share = share.fold(f64::INFINITY, f64::min);
        let share_at_least = share_at_least.fold(f64::INFINITY, f64::min);
        let told = Standstill { who: Process::Parent, worst, share };
        let own = OwnStall { told, share_at_least };
        let ran_on = |load: &LoopWatch| {
            let share_late = load.delays().share(limit, window);
            load.worst_lag < worst.mul_f64(RAN_ON) && share_late < share * RAN_ON
        };
        (own.spoils() && loads.iter().all(ran_on)).then_some(own)
    }

    /// The parent, where it stood still as it was to read what the trial costs.
    fn parent_at_edge(&self) -> Option<OwnStall> {
        let worst = self.instrument?.parent_at_edge;
        let share = of_window(worst.as_secs_f64(), self.window);
        let told = Standstill { who: Process::Parent, worst, share };
        (worst > self.machine().0).then_some(OwnStall { told, share_at_least: share })
    }

    /// The load processes that stood still for longer than the machine did.
    fn loads(&self) -> impl Iterator<Item = OwnStall> {
        let loads = self.instrument.map_or(&[][..], |instrument| &instrument.loads);
        let of = u32::try_from(loads.len()).unwrap_or(u32::MAX);
        let (longest, share_of_machine) = self.machine();
        let (limit, window) = (self.shortest_stall(), self.window);
        (1..).zip(loads).filter_map(move |(number, load)| {
            let less = |share: f64| (share - share_of_machine).max(0.0);
            let (who, worst) = (Process::Load { number, of }, load.worst_stall);
            let share = less(load.standstills().share(limit, window));
            let share_at_least = less(load.standstills().share_at_least(limit, window));
            let told = Standstill { who, worst, share };
            (worst > longest).then_some(OwnStall { told, share_at_least })
        })
    }

    /// The longest stall of the machine that there can have been, and the share of the window that
    /// its stalls cover. A canary sees a stall from its next instant on, and none that a quota
    /// makes, which does not bind who goes first.
    fn machine(&self) -> (Duration, f64) {
        if self.parent().is_some() {
            return (Duration::ZERO, 0.0);
        }
        let (limit, cores) = (self.shortest_stall(), self.disturbance.cores.iter());
        let stood = cores.filter(|core| core.worst > limit);
        let longest = stood.map(|core| core.worst + core.period).max().unwrap_or_default();
        let share = self.disturbance.share_late(self.shortest_stall(), self.window);
        let throttled = self.disturbance.throttled.unwrap_or_default();
        (longest.max(throttled.time), share + throttled.share(self.window))
    }
}

#[cfg(test)]
mod tests {
    use pushbench_metrics::observe::disturbance::{CoreWatch, Disturbance, Throttled};
    use pushbench_metrics::observe::histogram::LatencyHistogram;
    use pushbench_metrics::observe::instrument::Instrument;

    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const WINDOW: Duration = Duration::from_secs(10);

    /// Two cores whose canaries stood still so long.
    fn machine(stalls: [Duration; 2]) -> Disturbance {
        let cores = (0..).zip(stalls).map(|(core, stall)| {
            let mut watch = CoreWatch { core, period: MS, worst: stall, ..CoreWatch::default() };
            watch.lateness.record(stall);
            watch
        });
        Disturbance { cores: cores.collect(), ..Disturbance::default() }
    }

    /// Load processes, each with what it was late by, and for how much of it it stood still.
    fn instrument(loads: &[(Duration, Duration)]) -> Instrument {
        let loads = loads.iter().map(|&(lag, stall)| {
            let mut watch = LoopWatch::each(MS * 10);
            watch.note(lag, stall);
            watch
        });
        Instrument { loads: loads.collect(), parent_at_edge: Duration::ZERO }
    }

    fn worst(instrument: &Instrument, disturbance: &Disturbance) -> Option<OwnStall> {
        let (instrument, window, latency) =
            (Some(instrument), WINDOW, &LatencyHistogram::default());
        let (allow_busy, own_server) = (false, true);
        Stability { disturbance, instrument, window, latency, allow_busy, own_server }.own_stall()
    }

    /// Who spoils the trial, if anybody does.
    fn culprit(instrument: &Instrument, disturbance: &Disturbance) -> Option<Process> {
        worst(instrument, disturbance).filter(OwnStall::spoils).map(|own| own.told.who)
    }

    const CALM: [Duration; 2] = [Duration::from_micros(50); 2];
    const PROMPT: (Duration, Duration) = (Duration::from_micros(60), Duration::from_micros(60));

    #[test]
    fn a_load_process_that_was_stopped_is_named() {
        let loads = instrument(&[PROMPT, (MS * 1_400, MS * 1_390)]);
        let who = Process::Load { number: 2, of: 2 };
        assert_eq!(culprit(&loads, &machine(CALM)), Some(who));
        assert_eq!(culprit(&instrument(&[PROMPT, PROMPT]), &machine(CALM)), None);
    }

    #[test]
    fn one_that_worked_all_the_while_was_not() {
        let busy = instrument(&[(MS * 1_400, Duration::ZERO)]);
        assert_eq!(culprit(&busy, &machine(CALM)), None);
    }

    #[test]
    fn where_the_machine_stood_still_too_it_was_the_machine() {
        let loads = instrument(&[(MS * 150, MS * 149)]);
        assert_eq!(culprit(&loads, &machine([MS * 150, MS / 20])), None);
        assert_eq!(culprit(&loads, &machine([MS * 150; 2])), None);
        // But not for ten times as long.
        let loads = instrument(&[(MS * 1_500, MS * 1_499)]);
        assert!(culprit(&loads, &machine([MS * 150; 2])).is_some());
    }

    #[test]
    fn where_a_quota_held_them_back_it_was_the_quota() {
        let loads = instrument(&[(MS * 150, MS * 149)]);
        let mut machine = machine(CALM);
        let time = MS * 400;
        machine.throttled = Some(Throttled { time, periods: 4, quota: Some(0.5) });
        assert_eq!(culprit(&loads, &machine), None);
    }

    #[test]
    fn canaries_that_stand_still_together_are_the_parent() {
        let loads = instrument(&[PROMPT, (MS * 40, Duration::ZERO)]);
        assert_eq!(culprit(&loads, &machine([MS * 1_400; 2])), Some(Process::Parent));
        // One core can stand still by itself, and a load process on it does too.
        assert_eq!(culprit(&loads, &machine([MS * 1_400, MS / 20])), None);
        let loads = instrument(&[PROMPT, (MS * 1_395, Duration::ZERO)]);
        assert_eq!(culprit(&loads, &machine([MS * 1_400; 2])), None);
    }

    #[test]
    fn a_parent_that_is_late_for_an_edge_reads_another_window() {
        let mut late = instrument(&[PROMPT]);
        late.parent_at_edge = MS * 90;
        assert_eq!(culprit(&late, &machine(CALM)), None);
        late.parent_at_edge = MS * 101;
        assert_eq!(culprit(&late, &machine(CALM)), Some(Process::Parent));
        // For longer than the window it was late for all of it.
        late.parent_at_edge = WINDOW * 7;
        assert_eq!(worst(&late, &machine(CALM)).unwrap().told.share, 1.0);
    }

    #[test]
    fn short_stalls_are_a_warning_until_they_make_the_p99() {
        let mut few = instrument(&[(MS * 31, MS * 31)]);
        let own = worst(&few, &machine(CALM)).unwrap();
        assert!(own.shows() && !own.spoils(), "{own:?}");
        (0..10).for_each(|_| few.loads[0].note(MS * 31, MS * 31));
        assert!(culprit(&few, &machine(CALM)).is_some());
    }
}
