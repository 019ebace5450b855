//! The shift between two runs, whose trials have nothing in common but their settings.

use super::sorted;

/// The most trials of both runs together for which p is counted out exactly.
const EXACT: usize = 60;

/// Half of what the interval may miss.
const MISSED_AT_EACH_END: f64 = 0.025;

/// The quantile of the normal distribution that leaves [`MISSED_AT_EACH_END`] beyond it.
const Z: f64 = 1.959_963_984_540_054;

/// How far the values of one run lie from those of another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// The Hodges–Lehmann estimate: the median of all differences between a value after and one
    /// before.
    pub estimate: f64,
    /// A 95 % interval of the shift; `None` where there are too few values for one (both runs
    /// need four, or one of them more).
    pub interval: Option<(f64, f64)>,
    /// The chance that values which differ by nothing but luck would lie at least as far apart:
    /// the two-sided Mann–Whitney (Wilcoxon rank-sum) test, ties included.
    pub p: f64,
}

impl Shift {
    /// The shift from `before` to `after`. `None` where one of them is empty, or a value is not a
    /// number.
    ///
    /// p is that of the permutation distribution of the rank sum with midranks, counted out for
    /// up to 60 values and taken from the normal approximation with its corrections for ties and
    /// continuity beyond. The interval's ends are the k-th differences from below and above, for
    /// the k that the distribution of the rank sum without ties gives; ties only widen its
    /// coverage.
    ///
    /// Source: E. L. Lehmann, *Nonparametrics: Statistical Methods Based on Ranks* (rev. ed.,
    /// Springer 2006), §1.2 to §1.4 and §2.5 to §2.6; Hollander, Wolfe and Chicken,
    /// *Nonparametric Statistical Methods* (3rd ed., Wiley 2014), §4.1 to §4.3.
    #[must_use]
    pub fn of(before: &[f64], after: &[f64]) -> Option<Self> {
        let (before, after) = (sorted(before)?, sorted(after)?);
        let pairs = after.iter().flat_map(|after| before.iter().map(move |before| after - before));
        let differences = sorted(&pairs.collect::<Vec<f64>>())?;
        let rank = interval_rank(before.len(), after.len());
        Some(Self {
            estimate: super::median(&differences)?,
            interval: rank
                .map(|rank| (differences[rank - 1], differences[differences.len() - rank])),
            p: two_sided_p(&before, &after),
        })
    }
}

/// The least p that two runs of so many trials can come to, by the same distribution as
/// [`Shift::p`]: all values of the one above all of the other, which is `2 / C(before + after,
/// before)` where p is counted out.
#[must_use]
pub fn least_p(before: usize, after: usize) -> f64 {
    if before + after > EXACT {
        return normal_p(&Ranks::apart(before, after));
    }
    let arrangements: f64 = (1..=before).map(|n| (after + n) as f64 / n as f64).product::<f64>();
    (2.0 / arrangements).min(1.0)
}

/// Midranks of all values, doubled so that they are whole, those of `after` apart.
struct Ranks {
    all: Vec<usize>,
    sum_after: usize,
    after: usize,
}

impl Ranks {
    fn of(before: &[f64], after: &[f64]) -> Self {
        let mut values: Vec<(f64, bool)> = before.iter().map(|&value| (value, false)).collect();
        values.extend(after.iter().map(|&value| (value, true)));
        values.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
        let mut ranks = Self { all: Vec::new(), sum_after: 0, after: after.len() };
        for tied in values.chunk_by(|one, other| one.0 == other.0) {
            let first = ranks.all.len() + 1;
            let doubled = first + first + tied.len() - 1;
            ranks.all.extend(std::iter::repeat_n(doubled, tied.len()));
            ranks.sum_after += doubled * tied.iter().filter(|(_, is_after)| *is_after).count();
        }
        ranks
    }

    /// Those of values without ties, all of `after` above all before.
    fn apart(before: usize, after: usize) -> Self {
        let all: Vec<usize> = (1..=before + after).map(|rank| 2 * rank).collect();
        Self { sum_after: all[before..].iter().sum(), all, after }
    }

    /// How far the sum of the ranks of `after` is from what luck gives on average. Doubled ranks
    /// average to N + 1.
    fn distance(&self, sum: usize) -> usize {
        sum.abs_diff(self.after * (self.all.len() + 1))
    }
}

fn two_sided_p(before: &[f64], after: &[f64]) -> f64 {
    let ranks = Ranks::of(before, after);
    if ranks.all.len() > EXACT {
        return normal_p(&ranks);
    }
    let ways = ways(&ranks.all, ranks.after);
    let (seen, all) = (ranks.distance(ranks.sum_after), ways.iter().sum::<f64>());
    let far = ways.iter().enumerate().filter(|(sum, _)| ranks.distance(*sum) >= seen);
    (far.map(|(_, ways)| ways).sum::<f64>() / all).min(1.0)
}

/// In how many ways `count` of `ranks` can be chosen for each sum of them.
fn ways(ranks: &[usize], count: usize) -> Vec<f64> {
    let most: usize = ranks.iter().sum();
    let mut ways = vec![vec![0.0; most + 1]; count + 1];
    ways[0][0] = 1.0;
    for (index, &rank) in ranks.iter().enumerate() {
        for chosen in (1..=count.min(index + 1)).rev() {
            let (fewer, more) = ways.split_at_mut(chosen);
            let without = &fewer[chosen - 1];
            for (with, without) in more[0][rank..].iter_mut().zip(without) {
                *with += without;
            }
        }
    }
    ways.swap_remove(count)
}

fn normal_p(ranks: &Ranks) -> f64 {
    let all = ranks.all.len() as f64;
    let after = ranks.after as f64;
    let ties = ranks.all.chunk_by(|one, other| one == other).map(|tied| tied.len() as f64);
    let ties: f64 = ties.map(|tied| tied.powi(3) - tied).sum();
    let variance = after * (all - after) / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)));
    if variance <= 0.0 {
        return 1.0;
    }
    let distance = ranks.distance(ranks.sum_after) as f64 / 2.0;
    let z = (distance - 0.5).max(0.0) / variance.sqrt();
    libm::erfc(z * std::f64::consts::FRAC_1_SQRT_2).min(1.0)
}

/// The largest k for which the k-th differences from below and above hold the shift between them
/// with 95 %; `None` where not even the least and the greatest do.
fn interval_rank(before: usize, after: usize) -> Option<usize> {
    let pairs = (before * after) as f64;
    let all = before + after;
    if all > EXACT {
        let deviation = (pairs * (all + 1) as f64 / 12.0).sqrt();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "≥ 0, small")]
        let rank = (pairs / 2.0 - Z * deviation).max(0.0) as usize;
        return Some(rank).filter(|&rank| rank > 0);
    }
    let ranks: Vec<usize> = (1..=all).collect();
    let ways = ways(&ranks, after);
    let total: f64 = ways.iter().sum();
    let least = after * (after + 1) / 2;
    let mut below = 0.0;
    let below = ways[least..].iter().map(|ways| {
        below += ways / total;
        below
    });
    let rank = below.take_while(|&below| below <= MISSED_AT_EACH_END).count();
    Some(rank).filter(|&rank| rank > 0)
}

#[cfg(test)]
mod tests;
