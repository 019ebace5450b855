use proptest::prelude::*;

use super::*;
use crate::judge::stats::noise::Noise;

/// Rank-sum p by going through every way to deal the values into two runs.
fn by_enumeration(before: &[f64], after: &[f64]) -> f64 {
    let all = [before, after].concat();
    let wins = |chosen: u32| -> f64 {
        let is_after = |index: usize| chosen >> index & 1 == 1;
        let (mut above, mut ties) = (0.0, 0.0);
        for one in (0..all.len()).filter(|&index| is_after(index)) {
            for other in (0..all.len()).filter(|&index| !is_after(index)) {
                above += f64::from(u8::from(all[one] > all[other]));
                ties += f64::from(u8::from(all[one] == all[other]));
            }
        }
        above + ties / 2.0
    };
    let middle = (before.len() * after.len()) as f64 / 2.0;
    let seen = (wins(((1_u32 << after.len()) - 1) << before.len()) - middle).abs();
    let deals: Vec<u32> =
        (0..1_u32 << all.len()).filter(|deal| deal.count_ones() as usize == after.len()).collect();
    let far = deals.iter().filter(|&&deal| (wins(deal) - middle).abs() >= seen - 1e-9).count();
    far as f64 / deals.len() as f64
}

fn rising(from: u32, count: u32) -> Vec<f64> {
    (from..from + count).map(f64::from).collect()
}

/// Hollander and Wolfe's example 4.1 (permeability of human chorioamnion, at term and at 12 to 26
/// weeks), which R's manual of `wilcox.test` repeats: W = 35, one-sided p = 0.1272.
#[test]
fn the_textbooks_example() {
    let term = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
    let early = [1.15, 0.88, 0.90, 0.74, 1.21];
    let shift = Shift::of(&early, &term).unwrap();
    assert!((shift.p - 2.0 * 0.127_206).abs() < 1e-5, "{}", shift.p);
    assert!((shift.estimate - 0.305).abs() < 1e-9, "{}", shift.estimate);
}

#[test]
fn four_trials_each_are_the_fewest_that_show_anything() {
    assert!((least_p(3, 3) - 0.1).abs() < 1e-12);
    assert!((least_p(4, 4) - 2.0 / 70.0).abs() < 1e-12);
    assert!((least_p(6, 6) - 2.0 / 924.0).abs() < 1e-12);
    assert_eq!(least_p(0, 6), 1.0);
    assert_eq!(Shift::of(&rising(0, 3), &rising(10, 3)).unwrap().interval, None);
    let four = Shift::of(&rising(0, 4), &rising(10, 4)).unwrap();
    assert!((four.p - least_p(4, 4)).abs() < 1e-12);
    assert_eq!(four.interval, Some((7.0, 13.0)));
    assert_eq!(four.estimate, 10.0);
    assert_eq!(Shift::of(&[], &rising(0, 4)), None);
}

/// One value beyond a hundred others is no more than chance makes of the normal approximation,
/// although it is one of only 101 places.
#[test]
fn the_least_p_is_that_of_the_distribution_in_use() {
    for (before, after) in [(5, 6), (10, 51), (1, 100), (2, 90)] {
        let apart = Shift::of(&rising(0, before), &rising(1_000, after)).unwrap();
        let least = least_p(before as usize, after as usize);
        assert!((apart.p - least).abs() < 1e-12, "{before} and {after}: {} {least}", apart.p);
    }
    assert!(least_p(1, 100) > 0.05);
}

/// Critical values as printed tables of the rank sum have them: for two-sided 5 % the interval
/// begins at the k-th difference, k being one more than the table's U.
#[test]
fn ranks_are_those_of_the_tables() {
    for (before, after, u) in
        [(4, 4, 0), (5, 5, 2), (6, 6, 5), (8, 8, 13), (10, 10, 23), (20, 20, 127)]
    {
        assert_eq!(interval_rank(before, after), Some(u + 1), "{before} and {after}");
    }
}

#[test]
fn the_normal_tail_takes_over_without_a_step() {
    let mut noise = Noise::new(3);
    for offset in [0.0, 0.3, 0.6, 1.0] {
        let before: Vec<f64> = (0..30).map(|_| noise.normal()).collect();
        let after: Vec<f64> = (0..30).map(|_| noise.normal() + offset).collect();
        let (exact, normal) = (two_sided_p(&before, &after), normal_p(&Ranks::of(&before, &after)));
        assert!((exact - normal).abs() < 0.004 + exact * 0.05, "{exact} and {normal}");
    }
    let same = [5.0; 40];
    assert_eq!(Shift::of(&same, &same).unwrap().p, 1.0);
    let (exact, near) = (interval_rank(30, 30).unwrap(), interval_rank(30, 31).unwrap());
    assert!((exact..exact + 20).contains(&near), "{exact} and {near}");
}

/// Of runs that do not differ few seem to, and the interval holds a shift that was put in, with
/// noise that is normal, skewed, or follows a drift within each run.
#[test]
fn coverage_and_false_alarms_are_as_promised() {
    let rounds = 1_500;
    let three_errors = 3.0 * (0.05 * 0.95 / f64::from(rounds)).sqrt();
    let mut noise = Noise::new(11);
    for (kind, trials) in [(0, 6), (1, 6), (2, 8), (1, 4)] {
        let (mut alarms, mut missed) = (0, 0);
        for _ in 0..rounds {
            let mut draw = |offset: f64| -> Vec<f64> {
                let one = |trial: u32| {
                    offset
                        + match kind {
                            0 => noise.normal(),
                            1 => noise.skewed(),
                            _ => noise.normal() + f64::from(trial),
                        }
                };
                (0..trials).map(one).collect()
            };
            let (before, after, moved) = (draw(0.0), draw(0.0), draw(3.0));
            alarms += u32::from(Shift::of(&before, &after).unwrap().p <= 0.05);
            let (low, high) = Shift::of(&before, &moved).unwrap().interval.unwrap();
            missed += u32::from(!(low..=high).contains(&3.0));
        }
        let share = |count: u32| f64::from(count) / f64::from(rounds);
        assert!(share(alarms) < 0.05 + three_errors, "{kind}, {trials}: {alarms} false alarms");
        assert!(share(missed) < 0.05 + three_errors, "{kind}, {trials}: {missed} missed");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Few different values, so that there are many ties.
    #[test]
    fn p_is_that_of_every_way_to_deal(
        before in prop::collection::vec(0_u8..6, 1..6),
        after in prop::collection::vec(0_u8..6, 1..6),
    ) {
        let floats = |values: &[u8]| values.iter().copied().map(f64::from).collect::<Vec<f64>>();
        let (before, after) = (floats(&before), floats(&after));
        let p = two_sided_p(&before, &after);
        prop_assert!((p - by_enumeration(&before, &after)).abs() < 1e-9);
        prop_assert!(p >= least_p(before.len(), after.len()) / 2.0 - 1e-12 && p <= 1.0);
    }

    /// Test and interval are two sides of one thing: what p calls a difference the interval does.
    #[test]
    fn the_interval_leaves_out_zero_where_p_is_small(
        before in prop::collection::vec(0.0_f64..1.0, 4..10),
        after in prop::collection::vec(0.3_f64..1.6, 4..10),
    ) {
        let shift = Shift::of(&before, &after).unwrap();
        let (low, high) = shift.interval.unwrap();
        prop_assert!(low <= shift.estimate && shift.estimate <= high);
        prop_assert_eq!(shift.p <= 0.05, low > 0.0 || high < 0.0);
        let turned = Shift::of(&after, &before).unwrap();
        prop_assert!((turned.p - shift.p).abs() < 1e-9 && turned.estimate == -shift.estimate);
    }
}
