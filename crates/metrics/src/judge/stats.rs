//! Pure mathematics over the figures of several trials.
//!
//! Trials are few and their figures seldom normal, so everything here rests on order alone:
//! nothing assumes a distribution. The middle and its interval are here; [`paired`] compares what
//! was measured in the same rounds, [`shift`] two runs, and [`discovery`] keeps many comparisons
//! honest together.

pub mod discovery;
pub mod paired;
pub mod shift;

#[cfg(test)]
pub(crate) mod noise;

/// Least coverage of [`median_interval_95`].
const COVERAGE: f64 = 0.95;

/// The middle value, or the mean of the middle two. `None` where there is no value, or one of
/// them is not a number.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let sorted = sorted(values)?;
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        return Some(sorted[middle]);
    }
    Some(f64::midpoint(sorted[middle - 1], sorted[middle]))
}

/// An interval that holds the median of what `values` are drawn from, with a probability of at
/// least 95 %, whatever their distribution.
///
/// Its ends are the k-th value from below and from above, where k is the largest number with
/// `1 - 2 P(B < k) >= 0.95` for B binomial with n trials and p = ½: each independent value is
/// above the median or below it like a tossed coin. Six values are the fewest that can say
/// so (96.875 %); `None` below, or where a value is not a number.
///
/// Source: J.-Y. Le Boudec, *Performance Evaluation of Computer and Communication Systems*
/// (EPFL Press 2010), chapter 2; H. A. David and H. N. Nagaraja, *Order Statistics* (3rd ed.,
/// Wiley 2003), §7.1.
#[must_use]
pub fn median_interval_95(values: &[f64]) -> Option<(f64, f64)> {
    let sorted = sorted(values)?;
    let rank = interval_rank(sorted.len())?;
    Some((sorted[rank - 1], sorted[sorted.len() - rank]))
}

/// The least and the greatest value. `None` where there is none, or one is not a number.
#[must_use]
pub fn range(values: &[f64]) -> Option<(f64, f64)> {
    let sorted = sorted(values)?;
    Some((*sorted.first()?, *sorted.last()?))
}

/// The least mean number of chance events, with a probability of 95 %, where `count`
/// were seen.
///
/// Byar's approximation to the exact limit of a Poisson mean, which it meets to within 0.02 of an
/// event: N. E. Breslow and N. E. Day, *Statistical Methods in Cancer Research*, volume II (IARC
/// 1987), §2.3.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "events of one trial")]
pub fn poisson_least_95(count: u64) -> f64 {
    /// The normal distribution's 95th percentile.
    const Z: f64 = 1.644_854;
    if count == 0 {
        return 0.0;
    }
    let count = count as f64;
    let root = 1.0 - 1.0 / (9.0 * count) - Z / (3.0 * count.sqrt());
    count * root.max(0.0).powi(3)
}

/// The values in rising order; `None` where there is none, or one is not a number.
fn sorted(values: &[f64]) -> Option<Vec<f64>> {
    if values.is_empty() || values.iter().any(|value| value.is_nan()) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    Some(sorted)
}

/// The largest k, from 1, whose interval `[x(k), x(n + 1 - k)]` covers the median often enough.
fn interval_rank(count: usize) -> Option<usize> {
    let ranks = coverages(count).take_while(|&coverage| coverage >= COVERAGE);
    Some(ranks.count()).filter(|&rank| rank > 0)
}

/// `1 - 2 P(B(count, ½) < k)` for k = 1, 2, … up to the middle.
fn coverages(count: usize) -> impl Iterator<Item = f64> {
    let n = count as f64;
    // In logarithms, since ½ⁿ leaves the range of a float where n is above 1074.
    let mut ln_term = -n * std::f64::consts::LN_2;
    let mut below = 0.0;
    (1..=count / 2).map(move |k| {
        below += ln_term.exp();
        let k = k as f64;
        ln_term += ((n - k + 1.0) / k).ln();
        1.0 - 2.0 * below
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn first(count: u32) -> Vec<f64> {
        (1..=count).map(f64::from).collect()
    }

    /// Against the exact limits, half the 5th percentile of χ² with 2 k degrees of freedom.
    #[test]
    fn few_events_prove_little() {
        let exact = [(0, 0.0), (1, 0.0513), (2, 0.3554), (4, 1.3663), (10, 5.4254), (100, 84.139)];
        for (count, exact) in exact {
            let least = poisson_least_95(count);
            assert!((least - exact).abs() < 0.02, "{count}: {least} {exact}");
        }
    }

    #[test]
    fn a_median_is_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[f64::NAN, 1.0]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
    }

    #[test]
    fn six_values_are_the_fewest_for_an_interval() {
        assert_eq!(median_interval_95(&first(5)), None);
        assert_eq!(median_interval_95(&first(6)), Some((1.0, 6.0)));
        let coverage = coverages(6).next().unwrap();
        assert!((coverage - 0.968_75).abs() < 1e-12);
    }

    /// Ranks as printed tables of this interval have them.
    #[test]
    fn ranks_are_those_of_the_tables() {
        for (count, low, high) in
            [(7, 1, 7), (8, 1, 8), (9, 2, 8), (10, 2, 9), (15, 4, 12), (20, 6, 15), (30, 10, 21)]
        {
            let expected = Some((f64::from(low), f64::from(high)));
            assert_eq!(median_interval_95(&first(count)), expected, "n = {count}");
        }
    }

    /// For many values the ranks near n/2 ∓ 0.98 √n, by the central limit theorem.
    #[test]
    fn many_values_do_not_underflow() {
        let (low, high) = median_interval_95(&first(10_000)).unwrap();
        assert!((low - 4_902.0).abs() <= 1.0 && (high - 5_099.0).abs() <= 1.0, "{low} {high}");
    }

    proptest! {
        #[test]
        fn order_holds_and_permuting_changes_nothing(
            mut values in prop::collection::vec(-1e9_f64..1e9, 6..60)
        ) {
            let middle = median(&values).unwrap();
            let (low, high) = median_interval_95(&values).unwrap();
            let (min, max) = range(&values).unwrap();
            prop_assert!(min <= low && low <= middle && middle <= high && high <= max);
            let above = values.iter().filter(|&&value| value >= middle).count();
            let below = values.iter().filter(|&&value| value <= middle).count();
            prop_assert!(2 * above >= values.len() && 2 * below >= values.len());

            values.reverse();
            prop_assert_eq!(median(&values), Some(middle));
            prop_assert_eq!(median_interval_95(&values), Some((low, high)));
        }

        #[test]
        fn coverage_is_the_binomial_sum(count in 6_u32..40) {
            // Exact in integers: 2^count fits.
            let mut binomial = 1_u64;
            let mut below = 0_u64;
            for (k, coverage) in (1..).zip(coverages(count as usize)) {
                below += binomial;
                binomial = binomial * u64::from(count - k + 1) / u64::from(k);
                let exact = 1.0 - 2.0 * below as f64 / (1_u64 << count) as f64;
                prop_assert!((coverage - exact).abs() < 1e-9);
            }
        }
    }
}
