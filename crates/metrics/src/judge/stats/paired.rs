//! Differences between two transports that ran in the same rounds.
//!
//! A machine drifts: it warms up, its neighbours come and go. What it does to a round it does to
//! all transports in it, so a difference within a round is nearer the truth than one of medians
//! over all rounds.

use super::{median, median_interval_95, range};

/// The sum of the differences of one and the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paired {
    /// How many pairs there are.
    pub pairs: usize,
    /// The median of the differences.
    pub median: f64,
    /// The lower end of where the differences lie: of a 95 % interval or of their range, as
    /// [`is_interval`](Self::is_interval) says.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Whether the ends are those of a 95 % interval for the median of the differences. With
    /// fewer than six pairs there is none, and they are the least and greatest difference.
    pub is_interval: bool,
}

impl Paired {
    /// The differences `one - other` of `pairs`. `None` where there is no pair, or a value is not
    /// a number.
    ///
    /// The interval is that of the sign test, [`median_interval_95`] of the differences. It needs
    /// neither that they are distributed alike from round to round nor that they are symmetric,
    /// as the signed-rank interval would, only that each is as likely above their median as below
    /// it: its coverage is at least 95 % whatever the drift. With six to eight pairs both are the
    /// same or next to it.
    ///
    /// Source: M. Hollander, D. A. Wolfe and E. Chicken, *Nonparametric Statistical Methods*
    /// (3rd ed., Wiley 2014), §3.4 to §3.6.
    #[must_use]
    pub fn of(pairs: &[(f64, f64)]) -> Option<Self> {
        let differences: Vec<f64> = pairs.iter().map(|(one, other)| one - other).collect();
        let interval = median_interval_95(&differences);
        let (low, high) = interval.or_else(|| range(&differences))?;
        Some(Self {
            pairs: pairs.len(),
            median: median(&differences)?,
            low,
            high,
            is_interval: interval.is_some(),
        })
    }

    /// Whether the ends lie on one side of zero: with an interval a difference is shown, with a
    /// range it had the same sign in each pair, which is all that may be said.
    #[must_use]
    pub fn is_one_sided(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::judge::stats::noise::Noise;

    #[test]
    fn fewer_than_six_pairs_have_a_range() {
        let five: Vec<(f64, f64)> = (1..=5).map(|n| (f64::from(n) + 1.0, f64::from(n))).collect();
        let paired = Paired::of(&five).unwrap();
        assert!(!paired.is_interval && paired.is_one_sided());
        assert_eq!((paired.low, paired.median, paired.high), (1.0, 1.0, 1.0));
        assert_eq!(Paired::of(&[]), None);
        assert_eq!(Paired::of(&[(f64::NAN, 1.0)]), None);
    }

    #[test]
    fn drift_that_hides_a_difference_from_medians_does_not_from_pairs() {
        let rounds: Vec<(f64, f64)> =
            (0..6).map(|n| 100.0 * f64::from(n)).map(|drift| (drift + 11.0, drift + 9.0)).collect();
        let paired = Paired::of(&rounds).unwrap();
        assert!(paired.is_interval && paired.is_one_sided());
        assert_eq!(paired.median, 2.0);
    }

    /// Skewed differences under a drift of the machine, where an interval from normal or from
    /// symmetric distributions fails.
    #[test]
    fn the_interval_covers_the_median_difference_19_times_of_20() {
        let mut noise = Noise::new(7);
        for count in [6, 9, 12] {
            let covered = (0..2_000).filter(|_| {
                let pairs: Vec<(f64, f64)> = (0..count)
                    .map(|round| {
                        let drift = 1.0 + f64::from(round) + noise.skewed();
                        // The median of an exponential distribution is ln 2.
                        let one = noise.exponential() - std::f64::consts::LN_2;
                        (drift + 5.0 + one * drift, drift)
                    })
                    .collect();
                let paired = Paired::of(&pairs).unwrap();
                paired.low <= 5.0 && 5.0 <= paired.high
            });
            let share = covered.count() as f64 / 2_000.0;
            // Three standard errors of a share of 95 % in 2,000.
            assert!(share > 0.95 - 3.0 * (0.95 * 0.05 / 2_000.0_f64).sqrt(), "{count}: {share}");
        }
    }

    proptest! {
        #[test]
        fn exchanging_the_two_turns_the_sign(
            pairs in prop::collection::vec((-1e6_f64..1e6, -1e6_f64..1e6), 1..30)
        ) {
            let turned: Vec<(f64, f64)> = pairs.iter().map(|(one, other)| (*other, *one)).collect();
            let (one, other) = (Paired::of(&pairs).unwrap(), Paired::of(&turned).unwrap());
            prop_assert_eq!((one.low, one.high), (-other.high, -other.low));
            prop_assert_eq!(one.is_one_sided(), other.is_one_sided());
            prop_assert!(one.low <= one.median && one.median <= one.high);
        }
    }
}
