use super::*;
use crate::judge::stats::noise::Noise;

/// Trials of a run: a figure, a drift over the run, and the noise of a trial.
#[derive(Debug, Clone, Copy)]
enum Machine {
    Normal,
    /// Now and then a trial is far out.
    Skewed,
    /// Each run warms up, so that its trials fall from first to last.
    WarmsUp,
    /// Neighbours come and go in each run at random times.
    Neighbours,
}

impl Machine {
    const ALL: [Self; 4] = [Self::Normal, Self::Skewed, Self::WarmsUp, Self::Neighbours];

    fn run(self, noise: &mut Noise, level: f64, trials: u32) -> Vec<f64> {
        let one = |trial| {
            let spread = match self {
                Self::Normal => 1.0 + 0.1 * noise.normal(),
                Self::Skewed => 1.0 + 0.1 * noise.skewed(),
                Self::WarmsUp => 1.3 - 0.3 * f64::from(trial) / 8.0 + 0.1 * noise.normal(),
                Self::Neighbours => {
                    1.0 + 0.1 * noise.exponential() + if noise.uniform() < 0.3 { 0.5 } else { 0.0 }
                }
            };
            level * spread
        };
        (0..trials).map(one).collect()
    }
}

/// Twenty figures, as of four transports at one point.
fn figures(
    noise: &mut Noise,
    machine: Machine,
    trials: u32,
    shift: impl Fn(usize) -> f64,
) -> Vec<Change> {
    let samples = (0..20).map(|figure| {
        let values = [0.0, shift(figure)]
            .map(|shift| machine.run(noise, 100.0, trials).iter().map(|v| v + shift).collect());
        (values, Judging::Ranks)
    });
    changes(samples.collect::<Vec<_>>(), WORTH)
}

fn is_difference(change: &Change) -> bool {
    matches!(change.verdict, Some(Verdict::Better | Verdict::Worse))
}

/// The promise of a comparison: where nothing changed, at most one in twenty calls any change,
/// and of all verdicts far fewer do.
#[test]
fn runs_that_do_not_differ_are_hardly_ever_called_different() {
    let runs = 150;
    for (seed, machine) in (1..).zip(Machine::ALL) {
        let mut noise = Noise::new(seed);
        let mut calls = |trials| {
            let of_a_pair =
                |changes: Vec<Change>| changes.iter().filter(|c| is_difference(c)).count();
            let all = (0..runs).map(|_| of_a_pair(figures(&mut noise, machine, trials, |_| 0.0)));
            all.collect::<Vec<usize>>()
        };
        for trials in [6, 8] {
            let calls = calls(trials);
            let any = calls.iter().filter(|&&calls| calls > 0).count() as f64 / f64::from(runs);
            let three_errors = 3.0 * (0.05 * 0.95 / f64::from(runs)).sqrt();
            assert!(any <= 0.05 + three_errors, "{machine:?}, {trials} trials: {any} of pairs");
            let share = calls.iter().sum::<usize>() as f64 / (20.0 * f64::from(runs));
            assert!(share <= 0.05, "{machine:?}, {trials} trials: {share} of verdicts");
        }
    }
}

/// Four of twenty figures rose by 60 %, which is more than any of these machines' noise.
#[test]
fn a_known_shift_is_found_and_its_interval_covers_it() {
    let runs = 60;
    for (seed, machine) in (20..).zip(Machine::ALL) {
        let mut noise = Noise::new(seed);
        let (mut found, mut covered, mut false_calls, mut calls) = (0, 0, 0, 0);
        for _ in 0..runs {
            let changes =
                figures(&mut noise, machine, 8, |figure| if figure < 4 { 60.0 } else { 0.0 });
            let (moved, still) = changes.split_at(4);
            found += moved.iter().filter(|c| c.verdict == Some(Verdict::Worse)).count();
            let holds = |change: &&Change| {
                let (low, high) = change.shift.unwrap().interval.unwrap();
                (low..=high).contains(&60.0)
            };
            covered += moved.iter().filter(holds).count();
            let wrong = still.iter().filter(|c| is_difference(c)).count();
            false_calls += wrong;
            calls += wrong + moved.iter().filter(|c| is_difference(c)).count();
        }
        let all = 4.0 * f64::from(runs);
        let three_errors = 3.0 * (0.05 * 0.95 / all).sqrt();
        assert!(found as f64 / all > 0.8, "{machine:?}: found {found} of {all}");
        assert!(covered as f64 / all > 0.95 - three_errors, "{machine:?}: covered {covered}");
        let share = false_calls as f64 / calls as f64;
        assert!(share < DISCOVERY + three_errors, "{machine:?}: {false_calls} of {calls} false");
    }
}

fn one(before: &[f64], after: &[f64]) -> Change {
    changes([([before.to_vec(), after.to_vec()], Judging::Ranks)], WORTH).remove(0)
}

#[test]
fn a_sure_difference_that_is_too_small_is_none() {
    let six = |level: f64| (0..6).map(|n| level + f64::from(n) * 0.01).collect::<Vec<f64>>();
    let small = one(&six(100.0), &six(101.5));
    assert!(small.adjusted_p.unwrap() < 0.01 && small.verdict == Some(Verdict::NoneShown));
    assert_eq!(one(&six(100.0), &six(103.0)).verdict, Some(Verdict::Worse));
    assert_eq!(one(&six(100.0), &six(97.0)).verdict, Some(Verdict::Better));
    // Counts that do not vary at all are judged as well.
    assert_eq!(one(&[170.0; 6], &[180.0; 6]).verdict, Some(Verdict::Worse));
    assert_eq!(one(&[170.0; 6], &[170.0; 6]).verdict, Some(Verdict::NoneShown));
    assert_eq!(one(&[0.0; 6], &[5.0; 6]).verdict, Some(Verdict::Worse));
}

#[test]
fn too_few_trials_have_no_verdict_and_say_how_many_would() {
    let three = one(&[1.0, 1.1, 1.2], &[9.0, 9.1, 9.2]);
    assert_eq!(three.verdict, Some(Verdict::TooFew));
    let power = Power { judged: 20, trials: [3, 3], least_p: least_p(3, 3) };
    assert_eq!((power.figures_needed(), power.runs_needed(20), power.runs_needed(1)), (None, 4, 6));
    let power = Power { judged: 20, trials: [4, 4], least_p: least_p(4, 4) };
    assert_eq!(power.figures_needed(), Some(12));
    let power = Power { judged: 20, trials: [6, 6], least_p: least_p(6, 6) };
    assert_eq!(power.figures_needed(), Some(1));
}

#[test]
fn what_is_not_judged_has_no_verdict_and_counts_for_nothing() {
    let far = || [vec![1.0; 6], vec![2.0; 6]];
    let changes = changes(
        [(far(), Judging::No), (far(), Judging::Ranks), ([vec![1.0; 6], Vec::new()], Judging::No)],
        WORTH,
    );
    assert_eq!(changes[0].verdict, None);
    assert_eq!(changes[1].adjusted_p, Some(changes[1].shift.unwrap().p));
    assert_eq!((changes[2].shift, changes[2].medians[1]), (None, None));
    assert_eq!(Power::of(&changes).judged, 1);
}

/// A figure without noise needs no test, but the runs must not meet, and the change must matter.
#[test]
fn a_figure_without_noise_is_judged_by_the_ranges_of_however_few_trials() {
    let verdict = |before: &[f64], after: &[f64], worth| {
        let change =
            changes([([before.to_vec(), after.to_vec()], Judging::Ranges)], worth).remove(0);
        assert_eq!(change.adjusted_p, None);
        change.verdict
    };
    assert_eq!(verdict(&[64.0], &[140.0], WORTH), Some(Verdict::Worse));
    assert_eq!(verdict(&[140.0], &[64.0], WORTH), Some(Verdict::Better));
    assert_eq!(verdict(&[0.0], &[2.0], WORTH), Some(Verdict::Worse));
    assert_eq!(verdict(&[64.0; 3], &[64.0; 2], WORTH), Some(Verdict::NoneShown));
    // One trial of three lies among the others.
    assert_eq!(verdict(&[64.0, 90.0], &[80.0, 95.0, 96.0], WORTH), Some(Verdict::NoneShown));
    assert_eq!(verdict(&[200.0], &[203.0], WORTH), Some(Verdict::NoneShown));
    assert_eq!(verdict(&[200.0], &[203.0], 0.01), Some(Verdict::Worse));
}

/// They are no part of the family that p is adjusted for.
#[test]
fn figures_without_noise_make_the_others_no_harder_to_show() {
    let far = || [vec![1.0; 6], vec![2.0; 6]];
    let one = (far(), Judging::Ranks);
    let changes = changes([one, (far(), Judging::Ranges), (far(), Judging::Ranges)], WORTH);
    assert_eq!(changes[0].adjusted_p, Some(changes[0].shift.unwrap().p));
    assert_eq!(Power::of(&changes).judged, 1);
    assert!(changes.iter().all(|change| change.verdict == Some(Verdict::Worse)));
}
