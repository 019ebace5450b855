//! Which phase of a trial it is, and when which message was due.

use pushbench_core::MonoInstant;
use pushbench_metrics::observe::ledger::Phase;
use pushbench_metrics::record::control::TrialTiming;

use super::dues::Dues;

/// An instant that does not come.
const NEVER: MonoInstant = MonoInstant(u64::MAX);

/// The phases of a trial, as far as they have come.
#[derive(Debug)]
pub(super) struct Phases {
    phase: Phase,
    /// When the next phase begins.
    boundary: MonoInstant,
    timing: Option<Box<TrialTiming>>,
    /// Known from the order to run until the trial is over: only then do messages count.
    dues: Option<Dues>,
}

impl Default for Phases {
    fn default() -> Self {
        Self { phase: Phase::Connect, boundary: NEVER, timing: None, dues: None }
    }
}

impl Phases {
    #[inline]
    pub(super) const fn phase(&self) -> Phase {
        self.phase
    }

    /// When the next phase begins, unless something else begins it.
    #[inline]
    pub(super) const fn boundary(&self) -> MonoInstant {
        self.boundary
    }

    /// The trial's instants, once they are known.
    pub(super) fn timing(&self) -> Option<&TrialTiming> {
        self.timing.as_deref()
    }

    /// Instants of messages, where they count.
    #[inline]
    pub(super) const fn dues(&self) -> Option<&Dues> {
        self.dues.as_ref()
    }

    /// Says when the phases are, and the messages.
    pub(super) fn plan(&mut self, timing: Box<TrialTiming>, dues: Dues) {
        self.boundary = timing.warmup;
        (self.timing, self.dues) = (Some(timing), Some(dues));
    }

    /// Begins the phase that `at` belongs to, one step at a time: `None` where it has begun.
    pub(super) fn enter(&mut self, at: MonoInstant) -> Option<Phase> {
        let timing = self.timing.as_ref().filter(|_| at >= self.boundary)?;
        (self.phase, self.boundary) = match self.phase {
            Phase::Connect => (Phase::Warmup, timing.window.start),
            Phase::Warmup => (Phase::Window, timing.window.end),
            Phase::Window | Phase::Drain | Phase::Close => (Phase::Drain, NEVER),
        };
        Some(self.phase)
    }

    /// The trial is over: nothing counts but the cost of closing.
    pub(super) fn close(&mut self) {
        (self.phase, self.boundary, self.dues) = (Phase::Close, NEVER, None);
    }
}

#[cfg(test)]
mod tests {
    use pushbench_core::feed::schedule::{Checkpoint, Schedule};
    use pushbench_core::units::Rate;
    use pushbench_core::{Identity, Seq};
    use pushbench_metrics::observe::observer::Window;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn at(seconds: u64) -> MonoInstant {
        MonoInstant(seconds * SECOND)
    }

    fn planned() -> Phases {
        let mut phases = Phases::default();
        let window = Window { start: at(1_001), end: at(1_003), first: Seq(902), last: Seq(903) };
        let timing = TrialTiming {
            schedule: Schedule::Constant { rate: Rate::from_hz(1.0).unwrap() },
            seed: 1,
            origin: at(100),
            checkpoint: Checkpoint::START,
            warmup: at(1_000),
            window,
            drain_deadline: at(1_005),
            stamps: None,
            halt: None,
        };
        let dues = Dues::of_feed(&timing, at(999)).unwrap();
        phases.plan(Box::new(timing), dues);
        phases
    }

    #[test]
    fn each_phase_begins_once_also_where_the_loop_was_late() {
        let mut phases = planned();
        assert_eq!(phases.enter(at(999)), None);
        assert_eq!((phases.enter(at(1_000)), phases.enter(at(1_000))), (Some(Phase::Warmup), None));
        assert_eq!(phases.enter(at(1_004)), Some(Phase::Window));
        assert_eq!(phases.enter(at(1_004)), Some(Phase::Drain));
        assert_eq!((phases.enter(at(9_999)), phases.phase()), (None, Phase::Drain));
    }

    #[test]
    fn messages_are_known_from_a_minute_before_until_the_drain_ends() {
        let phases = planned();
        let due = |seq| phases.dues().unwrap().due(Identity::of_feed(Seq(seq)));
        assert_eq!(due(902), Some(at(1_001)));
        // 939 s is the horizon.
        assert_eq!((due(840), due(839)), (Some(at(939)), None));
        assert_eq!((due(906), due(908)), (Some(at(1_005)), None));
    }
}
