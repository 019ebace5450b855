//! Consequences of how messages are spaced: ages, missed messages, empty answers.
//!
//! [`Law`] has it in closed form, for a feed that goes on for ever. [`Dues`] has the same of the
//! very instants at which a trial's messages were due, polls being at any place of their period
//! alike: fifteen messages of a Poisson feed are not yet its law, and the difference is no fault
//! of a transport's.

use pushbench_core::feed::schedule::{Checkpoint, Schedule, Timetable};
use pushbench_core::{MonoInstant, Seq};
use serde::{Deserialize, Serialize};

use crate::observe::observer::Window;

/// How messages are spaced.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Law {
    /// All gaps are T.
    Constant {
        /// T.
        gap_us: f64,
    },
    /// Gaps are exponential.
    Poisson {
        /// Their mean, T.
        gap_us: f64,
    },
}

impl Law {
    /// The law of a schedule, where it has one.
    #[must_use]
    pub fn of(schedule: &Schedule) -> Option<Self> {
        match schedule {
            Schedule::Constant { rate } => {
                Some(Self::Constant { gap_us: rate.period_nanos() / 1e3 })
            }
            Schedule::Poisson { rate } => Some(Self::Poisson { gap_us: rate.period_nanos() / 1e3 }),
            _ => None,
        }
    }

    /// T, or its mean.
    #[must_use]
    pub const fn gap_us(self) -> f64 {
        match self {
            Self::Constant { gap_us } | Self::Poisson { gap_us } => gap_us,
        }
    }

    /// The share of the messages that polls each `poll_us` miss under `latest`: max(0, 1 − T/P),
    /// or of a Poisson feed 1 − (T/P)(1 − e^(−P/T)).
    ///
    /// A message arrives where a poll falls into the gap behind it, so the share that arrives is
    /// the mean of min(1, gap/P).
    #[must_use]
    pub fn missed(self, poll_us: f64) -> f64 {
        match self {
            Self::Constant { gap_us } => (1.0 - gap_us / poll_us).max(0.0),
            Self::Poisson { gap_us } => {
                let ratio = gap_us / poll_us;
                1.0 + ratio * (-1.0 / ratio).exp_m1()
            }
        }
    }

    /// The share of polls each `poll_us` that bring nothing new: max(0, 1 − P/T), or of a Poisson
    /// feed e^(−P/T), the probability that nothing is due in a period.
    #[must_use]
    pub fn empty(self, poll_us: f64) -> f64 {
        match self {
            Self::Constant { gap_us } => (1.0 - poll_us / gap_us).max(0.0),
            Self::Poisson { gap_us } => (-poll_us / gap_us).exp(),
        }
    }

    /// The mean age of a client that has each message `latency_us` after it was due: T/2 + d, of
    /// a Poisson feed T + d.
    ///
    /// Where messages come evenly the newest is half a gap old on average; of a Poisson feed a
    /// whole one, since an instant more often falls into a long gap (half the mean square over the mean).
    #[must_use]
    pub const fn push_age_us(self, latency_us: f64) -> f64 {
        match self {
            Self::Constant { gap_us } => gap_us / 2.0 + latency_us,
            Self::Poisson { gap_us } => gap_us + latency_us,
        }
    }

    /// The mean age of a client that polls each `poll_us`: (T + P)/2 + d, of a Poisson feed
    /// T + P/2 + d. What it holds is as old as it was at the last poll, which is P/2 ago on
    /// average.
    #[must_use]
    pub const fn poll_age_us(self, poll_us: f64, delay_us: f64) -> f64 {
        self.push_age_us(delay_us + poll_us / 2.0)
    }
}

/// The instants at which the messages of a trial were due.
#[derive(Debug, Clone)]
pub struct Dues {
    /// Ascending: those of the window, one behind it, and those of a while before.
    dues: Vec<u64>,
    /// Twice the area below the age from the first on, up to each, in ns².
    doubled_areas: Vec<f64>,
    window: Window,
    /// The gaps behind the window's messages, ascending, and the sum of all up to each.
    gaps: Vec<f64>,
    gap_sums: Vec<f64>,
}

impl Dues {
    /// Those of `window`, and of `before_ns` before it, but not of what is before `checkpoint`;
    /// `None` where there is none.
    #[must_use]
    pub fn new(
        (schedule, seed, origin): (&Schedule, u64, MonoInstant),
        checkpoint: Checkpoint,
        window: Window,
        before_ns: u64,
    ) -> Option<Self> {
        let from = MonoInstant(window.start.0.saturating_sub(before_ns)).max(origin);
        let table = Timetable::starting_at(schedule.clone(), seed, origin, checkpoint, from);
        let mut table = table.ok()?;
        let (first, last) = table.between(from, window.end).ok()?;
        // The one behind the window is known too, where there is one.
        let dues = (first.0..=last.0 + 1).map_while(|seq| Some(table.due(Seq(seq))?.0));
        Self::of(dues.collect(), window)
    }

    fn of(dues: Vec<u64>, window: Window) -> Option<Self> {
        let inside = |pair: &&[u64]| window.spans(MonoInstant(pair[0]));
        let gap = |pair: &[u64]| (pair[1] - pair[0]) as f64;
        let mut gaps: Vec<f64> = dues.windows(2).filter(inside).map(gap).collect();
        if gaps.is_empty() {
            return None;
        }
        gaps.sort_by(f64::total_cmp);
        let gap_sums = sums(gaps.iter().copied());
        let doubled_areas = sums(dues.windows(2).map(|pair| gap(pair).powi(2)));
        Some(Self { dues, doubled_areas, window, gaps, gap_sums })
    }

    /// All of them, ascending, ns.
    pub(super) fn instants(&self) -> &[u64] {
        &self.dues
    }

    pub(super) const fn window(&self) -> Window {
        self.window
    }

    /// [`Law::missed`], of these messages.
    #[must_use]
    pub fn missed(&self, poll_us: f64) -> f64 {
        1.0 - self.gaps_up_to(poll_us * 1e3) / (self.gaps.len() as f64 * poll_us * 1e3)
    }

    /// [`Law::empty`], of these messages and the polls of the window.
    #[must_use]
    pub fn empty(&self, poll_us: f64) -> f64 {
        let (start, end) = (self.window.start.0 as f64, self.window.end.0 as f64);
        let silent = self.dues.windows(2).map(|pair| {
            let from = (pair[0] as f64 + poll_us * 1e3).max(start);
            ((pair[1] as f64).min(end) - from).max(0.0)
        });
        silent.sum::<f64>() / (end - start)
    }

    /// [`Law::push_age_us`], of these messages and over the window.
    #[must_use]
    pub fn push_age_us(&self, latency_us: f64) -> f64 {
        self.mean_age(latency_us * 1e3) / 1e3
    }

    /// [`Law::poll_age_us`], of these messages and over the window.
    #[must_use]
    pub fn poll_age_us(&self, poll_us: f64, delay_us: f64) -> f64 {
        // The last poll was at any instant of the last period alike; 64 of them will do.
        let polled = (0..64).map(|n| delay_us + poll_us * (f64::from(n) + 0.5) / 64.0);
        polled.map(|lag_us| self.push_age_us(lag_us)).sum::<f64>() / 64.0
    }

    /// The share of the messages that arrive under `latest` that do so within `us` of when they
    /// were due, `us` beginning where the delay is over: those of a gap g are spread evenly over
    /// (0, min(g, P)), and arrive in proportion to it.
    #[must_use]
    pub fn newest_cdf(&self, us: f64, poll_us: f64) -> f64 {
        let most = poll_us * 1e3;
        self.gaps_up_to((us * 1e3).clamp(0.0, most)) / self.gaps_up_to(most)
    }

    /// The sum over the window's messages of min(gap, `limit`).
    fn gaps_up_to(&self, limit: f64) -> f64 {
        let shorter = self.gaps.partition_point(|&gap| gap <= limit);
        self.gap_sums[shorter] + (self.gaps.len() - shorter) as f64 * limit
    }

    /// The age that a client has who learns of each message `lag` ns later, over the window, or
    /// over what of it there is something to hold in.
    fn mean_age(&self, lag: f64) -> f64 {
        let first = self.dues[0] as f64;
        let end = self.window.end.0 as f64 - lag;
        let start = (self.window.start.0 as f64 - lag).max(first);
        if end <= start {
            return lag;
        }
        (self.doubled_area(end) - self.doubled_area(start)) / (2.0 * (end - start)) + lag
    }

    /// Twice the area below the age of the newest due message, from the first one's up to `at`.
    fn doubled_area(&self, at: f64) -> f64 {
        let due = self.dues.partition_point(|&due| due as f64 <= at).max(1) - 1;
        self.doubled_areas[due] + (at - self.dues[due] as f64).powi(2)
    }
}

/// Zero, and the sum of all up to each.
fn sums(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sum = 0.0;
    let each = values.map(|value| {
        sum += value;
        sum
    });
    std::iter::once(0.0).chain(each).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pushbench_core::units::Rate;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn dues(schedule: &Schedule, seconds: u64) -> Dues {
        let (start, end) = (MonoInstant(60 * SECOND), MonoInstant((60 + seconds) * SECOND));
        let window = Window { start, end, first: Seq(1), last: Seq(1) };
        // Shifted, so that no message is due at an edge.
        let feed = (schedule, 5, MonoInstant(SECOND / 20));
        Dues::new(feed, Checkpoint::START, window, 50 * SECOND).unwrap()
    }

    fn rate(hz: f64) -> Rate {
        Rate::from_hz(hz).unwrap()
    }

    /// As printed with the models, at the ratios of P to T that people ask about.
    #[test]
    fn shares_are_the_printed_ones() {
        let (even, poisson) = (Law::Constant { gap_us: 1.0 }, Law::Poisson { gap_us: 1.0 });
        for (ratio, missed, empty) in
            [(0.1, 0.0, 0.9), (0.5, 0.0, 0.5), (1.0, 0.0, 0.0), (2.0, 0.5, 0.0), (10.0, 0.9, 0.0)]
        {
            assert!((even.missed(ratio) - missed).abs() < 1e-12);
            assert!((even.empty(ratio) - empty).abs() < 1e-12);
            let e = f64::exp(-ratio);
            assert!((poisson.missed(ratio) - (1.0 - (1.0 - e) / ratio)).abs() < 1e-12);
            assert!((poisson.empty(ratio) - e).abs() < 1e-12);
        }
        assert_eq!((even.push_age_us(3.0), even.poll_age_us(2.0, 3.0)), (3.5, 4.5));
        assert_eq!((poisson.push_age_us(3.0), poisson.poll_age_us(2.0, 3.0)), (4.0, 5.0));
    }

    proptest! {
        /// Evenly spaced messages have their law already in a window of whole periods.
        #[test]
        fn even_instants_have_their_law(per_second in 1_u32..50, poll_us in 1e3_f64..5e6) {
            let schedule = Schedule::Constant { rate: rate(f64::from(per_second)) };
            let (law, dues) = (Law::of(&schedule).unwrap(), dues(&schedule, 10));
            prop_assert!((dues.missed(poll_us) - law.missed(poll_us)).abs() < 1e-6);
            prop_assert!((dues.empty(poll_us) - law.empty(poll_us)).abs() < 1e-6);
            let (age, expected) = (dues.poll_age_us(poll_us, 700.0), law.poll_age_us(poll_us, 700.0));
            prop_assert!((age / expected - 1.0).abs() < 1e-4, "{age} {expected}");
            let half = law.gap_us().min(poll_us) / 2.0;
            prop_assert!((dues.newest_cdf(half, poll_us) - 0.5).abs() < 1e-6);
        }
    }

    #[test]
    fn many_poisson_instants_come_to_their_law() {
        let schedule = Schedule::Poisson { rate: rate(50.0) };
        let (law, dues) = (Law::of(&schedule).unwrap(), dues(&schedule, 4_000));
        for poll_us in [2e3, 10e3, 20e3, 40e3, 200e3] {
            assert!((dues.missed(poll_us) - law.missed(poll_us)).abs() < 0.01);
            assert!((dues.empty(poll_us) - law.empty(poll_us)).abs() < 0.01);
            let age = dues.poll_age_us(poll_us, 100.0) / law.poll_age_us(poll_us, 100.0);
            assert!((age - 1.0).abs() < 0.02, "{age}");
            let model = crate::judge::models::Latency::short_poll_latest(law, poll_us, 0.0);
            for us in [poll_us / 4.0, poll_us / 2.0] {
                assert!((dues.newest_cdf(us, poll_us) - model.cdf(us)).abs() < 0.01);
            }
        }
    }

    #[test]
    fn without_messages_there_is_nothing_to_expect() {
        let window = Window {
            start: MonoInstant(5 * SECOND),
            end: MonoInstant(6 * SECOND),
            first: Seq(2),
            last: Seq(1),
        };
        let seldom = Schedule::Constant { rate: rate(0.1) };
        for schedule in [&seldom, &Schedule::Manual] {
            let feed = (schedule, 1, MonoInstant(0));
            assert!(Dues::new(feed, Checkpoint::START, window, SECOND).is_none());
        }
    }
}
