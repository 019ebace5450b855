//! Figures of durations of which some are known only to be at least so long.
//!
//! Whoever stops waiting knows of what has not come that it took longer than that. A figure is
//! exact where it is the same whether each of these came at that very moment or never would have;
//! else the first of the two is what it is at least.

use crate::observe::histogram::{Histogram, LONGEST_NS};

/// A figure, or what it is at least.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bounded {
    /// The figure itself.
    Exactly(f64),
    /// The figure is this or more.
    AtLeast(f64),
}

impl Bounded {
    /// The figure, where it is known.
    #[must_use]
    pub const fn exact(self) -> Option<f64> {
        match self {
            Self::Exactly(value) => Some(value),
            Self::AtLeast(_) => None,
        }
    }

    /// A lower bound of the figure, where no more is known.
    #[must_use]
    pub const fn at_least(self) -> Option<f64> {
        match self {
            Self::Exactly(_) => None,
            Self::AtLeast(value) => Some(value),
        }
    }
}

/// Durations, some of which have only a lower bound.
#[derive(Debug, Clone)]
pub struct Censored<'a, const DIGITS: u8> {
    known: &'a Histogram<DIGITS>,
    /// All of them, those with a bound at their bound, and as long as there is.
    ends: Option<Box<[Histogram<DIGITS>; 2]>>,
}

impl<'a, const DIGITS: u8> Censored<'a, DIGITS> {
    /// Those that are `known`, and the lower bounds of the others.
    #[must_use]
    pub fn new(known: &'a Histogram<DIGITS>, bounds: &Histogram<DIGITS>) -> Self {
        let ends = (!bounds.is_empty()).then(|| {
            let (mut least, mut most) = (known.clone(), known.clone());
            least.merge(bounds);
            most.record_many_ns(LONGEST_NS, bounds.count());
            Box::new([least, most])
        });
        Self { known, ends }
    }

    /// All durations, those with a bound taken to be as long as that.
    #[must_use]
    pub fn at_least(&self) -> &Histogram<DIGITS> {
        self.ends.as_ref().map_or(self.known, |ends| &ends[0])
    }

    /// The mean in microseconds.
    #[must_use]
    pub fn mean_us(&self) -> Option<Bounded> {
        self.figure(Histogram::mean_us)
    }

    /// The longest duration in microseconds.
    #[must_use]
    pub fn max_us(&self) -> Option<Bounded> {
        self.figure(Histogram::max_us)
    }

    /// The percentile in microseconds, where there are
    /// [samples enough](Histogram::percentile_supported).
    #[must_use]
    pub fn supported_percentile_us(&self, quantile: f64) -> Option<Bounded> {
        self.figure(|histogram| histogram.supported_percentile_us(quantile))
    }

    fn figure(&self, of: impl Fn(&Histogram<DIGITS>) -> Option<f64>) -> Option<Bounded> {
        let Some(ends) = &self.ends else { return of(self.known).map(Bounded::Exactly) };
        let (least, most) = (of(&ends[0])?, of(&ends[1])?);
        Some(if least == most { Bounded::Exactly(least) } else { Bounded::AtLeast(least) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::observe::histogram::LatencyHistogram;
    use crate::observe::histogram::tests::of;

    #[test]
    fn without_bounds_all_is_exact() {
        let (known, none) = (of(&[1_000, 1_500]), LatencyHistogram::default());
        let censored = Censored::new(&known, &none);
        assert_eq!(censored.mean_us(), Some(Bounded::Exactly(1.25)));
        assert_eq!(censored.max_us().unwrap().exact(), known.max_us());
        assert_eq!(Censored::new(&none, &none).max_us(), None);
    }

    #[test]
    fn a_percentile_below_all_bounds_is_known() {
        let known = of(&[100, 200, 300, 400]);
        let bound = of(&[900, 900]);
        let censored = Censored::new(&known, &bound);
        // The third of six.
        assert_eq!(censored.supported_percentile_us(0.5), Some(Bounded::Exactly(0.3)));
        let bound = of(&[900, 900, 900, 900, 100]);
        let censored = Censored::new(&known, &bound);
        assert_eq!(censored.supported_percentile_us(0.5), Some(Bounded::AtLeast(0.4)));
        for figure in [censored.mean_us(), censored.max_us()] {
            assert!(figure.unwrap().at_least().is_some(), "{figure:?}");
        }
    }

    proptest! {
        /// Against sorting: whatever the bounded ones turn out to be, an exact figure stands, and a
        /// bound is met.
        #[test]
        fn figures_hold_whatever_the_late_turn_out_to_be(
            known in prop::collection::vec(1_u64..2_000, 0..60),
            late in prop::collection::vec((1_u64..2_000, 0_u64..5_000), 1..60),
            quantile in 0.0_f64..=0.5,
        ) {
            // Below 2 µs whole nanoseconds are told apart, and beyond it three digits.
            let bounds: Vec<u64> = late.iter().map(|&(bound, _)| bound).collect();
            let truth: Vec<u64> = late.iter().map(|&(bound, more)| bound + more).collect();
            let (known_h, bounds_h) = (of(&known), of(&bounds));
            let censored = Censored::new(&known_h, &bounds_h);
            let rank = |samples: &[u64], others: &[u64]| {
                let mut all = [samples, others].concat();
                all.sort_unstable();
                let rank = (quantile * all.len() as f64).ceil().max(1.0);
                all[rank as usize - 1]
            };
            let never = vec![u64::MAX; late.len()];
            let (least, most) = (rank(&known, &bounds), rank(&known, &never));
            let figure = censored.supported_percentile_us(quantile).unwrap();
            prop_assert_eq!(figure.exact().is_some(), least == most, "{:?} {} {}", figure, least, most);
            let (Bounded::Exactly(us) | Bounded::AtLeast(us)) = figure;
            prop_assert_eq!(us, least as f64 / 1e3);
            let true_us = rank(&known, &truth) as f64 / 1e3;
            prop_assert!(us <= true_us);
            prop_assert!(figure.exact().is_none_or(|us| us == true_us));
            let mean = known.iter().chain(&truth).sum::<u64>() as f64
                / (known.len() + truth.len()) as f64 / 1e3;
            prop_assert!(censored.mean_us().unwrap().at_least().unwrap() <= mean * 1.001);
        }
    }
}
