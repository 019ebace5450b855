use super::scale::Scale::{self, Linear, Logarithmic};
use super::synthetic::{Bend, Kind, Where, level};
use super::{Crossing, Finding, Lesser, Pairs, find};

/// Six rounds without noise.
fn quiet(at: f64, ratio: f64) -> Pairs {
    Pairs { at, rounds: (1..=6).map(|round| (round, ratio.ln())).collect() }
}

fn only(points: &[Pairs], scale: Scale) -> Crossing {
    match find(points, scale) {
        Some(Finding::Crosses(crossings)) if crossings.len() == 1 => crossings[0],
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_power_is_interpolated_exactly_on_the_scale_of_its_points() {
    // The ratio is 1 at 7.
    let points: Vec<_> = [1.0, 5.0, 25.0, 125.0].map(|at| quiet(at, at / 7.0)).to_vec();
    let found = only(&points, Logarithmic);
    assert!((found.at - 7.0).abs() < 1e-9, "{found:?}");
    assert!(found.high - found.low < 1e-6, "{found:?}");
    assert_eq!((found.shown, found.lesser_above), ((5.0, 25.0), Lesser::Other));
    assert!((found.factors.0 - 1.4).abs() < 1e-9 && (found.factors.1 - 25.0 / 7.0).abs() < 1e-9);

    let points: Vec<_> =
        [10.0, 20.0, 30.0].map(|at: f64| quiet(at, (0.1 * (24.0 - at)).exp())).to_vec();
    let found = only(&points, Linear);
    assert!((found.at - 24.0).abs() < 1e-9, "{found:?}");
    assert_eq!(found.lesser_above, Lesser::One);
}

/// 100 and 20 a message against 150: equal at 2.5, where a line over the logarithms is at 2.28.
#[test]
fn without_noise_the_interval_is_of_what_the_points_leave_open() {
    let points: Vec<_> =
        [0.5, 1.0, 5.0, 20.0].map(|at| quiet(at, (100.0 + 20.0 * at) / 150.0)).to_vec();
    let found = only(&points, Logarithmic);
    assert!(found.low < 2.5 && 2.5 < found.high, "{found:?}");
    assert!(found.high / found.low < 1.6, "{found:?}");
}

#[test]
fn of_two_points_all_between_them_may_be_the_crossing() {
    let found = only(&[quiet(1.0, 0.5), quiet(100.0, 2.0)], Logarithmic);
    assert!((found.low - 1.0).abs() < 1e-9 && (found.high - 100.0).abs() < 1e-9, "{found:?}");
    assert!((found.at - 10.0).abs() < 1e-9, "{found:?}");
}

#[test]
fn what_no_side_shows_is_not_told() {
    let noisy = |at: f64, ratio: f64| Pairs {
        at,
        rounds: (1..=6).map(|n| (n, ratio.ln() + if n % 2 == 0 { 0.2 } else { -0.2 })).collect(),
    };
    // Shown below, and above only by the middle.
    let points = [noisy(1.0, 0.3), noisy(2.0, 0.5), noisy(4.0, 1.1)];
    assert_eq!(find(&points, Logarithmic), Some(Finding::Untold(Some(Lesser::One))));
    let points = [noisy(1.0, 0.3), noisy(2.0, 0.5), noisy(4.0, 0.9)];
    assert_eq!(find(&points, Logarithmic), Some(Finding::Throughout(Lesser::One)));
    let points = [quiet(1.0, 1.0), quiet(2.0, 1.0)];
    assert_eq!(find(&points, Logarithmic), Some(Finding::Untold(None)));
}

#[test]
fn two_rounds_say_nothing() {
    let short = |at, ratio: f64| Pairs { at, rounds: vec![(1, ratio.ln()), (2, ratio.ln())] };
    assert_eq!(find(&[short(1.0, 0.5), short(2.0, 2.0)], Linear), None);
    assert_eq!(find(&[quiet(1.0, 0.5)], Linear), None);
}

#[test]
fn each_change_of_sides_is_a_crossing() {
    let points: Vec<_> = [(1.0, 2.0), (2.0, 0.5), (4.0, 0.5), (8.0, 2.0)]
        .map(|(at, ratio)| quiet(at, ratio))
        .to_vec();
    let Some(Finding::Crosses(found)) = find(&points, Logarithmic) else { panic!() };
    let lesser: Vec<_> = found.iter().map(|it| it.lesser_above).collect();
    assert_eq!(lesser, [Lesser::One, Lesser::Other]);
    assert_eq!(found.iter().map(|it| it.shown).collect::<Vec<_>>(), [(1.0, 2.0), (4.0, 8.0)]);
}

/// Rounds that are invalid at one point and not at the next.
#[test]
fn a_round_that_is_missing_somewhere_is_missing_in_between_alone() {
    let mut points: Vec<_> = [1.0, 5.0, 25.0, 125.0].map(|at| quiet(at, at / 7.0)).to_vec();
    points[1].rounds.remove(0);
    points[2].rounds.truncate(4);
    let found = only(&points, Logarithmic);
    assert!((found.at - 7.0).abs() < 1e-9 && found.rounds == 4, "{found:?}");
    // No two rounds in common.
    points[1].rounds.truncate(3);
    points[2].rounds.drain(..3);
    points[2].rounds.extend([(7, (25.0_f64 / 7.0).ln()), (8, (25.0_f64 / 7.0).ln())]);
    let found = only(&points, Logarithmic);
    assert!((found.low - 5.0).abs() < 1e-9 && (found.high - 25.0).abs() < 1e-9, "{found:?}");
}

/// The outcome of a kind of sweep over the seeds.
struct Tally {
    told: usize,
    held: usize,
    width: f64,
    width_of_t: f64,
}

const SEEDS: u64 = 400;

fn tally(kind: Kind) -> Tally {
    let (mut held, mut widths, mut of_t) = (0, Vec::new(), Vec::new());
    for seed in 1..=SEEDS {
        let sweep = kind.sweep(seed);
        let Some(Finding::Crosses(found)) = find(&sweep.points, Logarithmic) else { continue };
        let holds = |it: &&Crossing| it.low <= sweep.truth && sweep.truth <= it.high;
        held += usize::from(found.iter().any(|it| holds(&it)));
        widths.push(found.iter().map(|it| (it.high / it.low).ln()).sum());
        of_t.push(width_of_t(&sweep.points, found[0].shown));
    }
    Tally { told: widths.len(), held, width: middle(widths), width_of_t: middle(of_t) }
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The width of the stretch in which the t interval of the rounds' differences, each on the straight
/// line between two points, holds zero.
fn width_of_t(points: &[Pairs], shown: (f64, f64)) -> f64 {
    const PLACES: u32 = 400;
    let mut within = 0.0;
    let between = |pair: &&[Pairs]| pair[0].at >= shown.0 && pair[1].at <= shown.1;
    for pair in points.windows(2).filter(between) {
        let step = (pair[1].at / pair[0].at).ln() / f64::from(PLACES);
        for place in 0..PLACES {
            let share = (f64::from(place) + 0.5) / f64::from(PLACES);
            let each: Vec<f64> = (0..6)
                .map(|n| pair[0].rounds[n].1 * (1.0 - share) + pair[1].rounds[n].1 * share)
                .collect();
            let mean = each.iter().sum::<f64>() / 6.0;
            let squares: f64 = each.iter().map(|it| (it - mean).powi(2)).sum();
            if mean.abs() <= 2.571 * (squares / 30.0).sqrt() {
                within += step;
            }
        }
    }
    within
}

#[test]
fn the_truth_is_in_the_interval_of_each_kind_of_sweep() {
    eprintln!("bend     power  where    told  covered  width  of t");
    for bend in [Bend::Straight, Bend::Fixed, Bend::Rising, Bend::Falling] {
        for power in [1.0, 0.2] {
            for place in [Where::Middle, Where::LastGap] {
                let kind = Kind { bend, power, place };
                let Tally { told, held, width, width_of_t } = tally(kind);
                let covered = held as f64 / told as f64;
                eprintln!(
                    "{:8} {power:5} {:8} {told:5}  {covered:7.3}  {width:5.2}  {:4.2}",
                    format!("{bend:?}"),
                    format!("{place:?}"),
                    width / width_of_t
                );
                assert!(told >= 80 && covered >= 0.92, "{kind:?}: {held} of {told}");
                assert!(width <= 2.0 * width_of_t, "{kind:?}: {width} {width_of_t}");
            }
        }
    }
}

#[test]
fn crossings_that_are_not_there_are_seldom_told() {
    eprintln!("points  apart  invented");
    for points in [3, 4, 6, 9, 12, 20] {
        // In trials' standard deviations; a round's difference has √2 of them.
        for apart in [0.0, 0.5, std::f64::consts::FRAC_1_SQRT_2] {
            let told = |seed: &u64| {
                matches!(find(&level(*seed, points, apart), Logarithmic), Some(Finding::Crosses(_)))
            };
            let invented = (1..=SEEDS).filter(told).count();
            eprintln!("{points:6}  {apart:5.2}  {:8.4}", invented as f64 / SEEDS as f64);
            assert!(invented * 20 <= SEEDS as usize, "{points} points {apart} apart: {invented}");
        }
    }
}
