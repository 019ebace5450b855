use super::*;

fn trials(p50s: &[Bounded]) -> Vec<Figures> {
    let of = |&p50: &Bounded| {
        let mut figures = Figures::default();
        figures.set(Figure::LatencyP50, Some(p50));
        figures.set(Figure::WireBytes, Some(Bounded::Exactly(170.0)));
        figures
    };
    p50s.iter().map(of).collect()
}

#[test]
fn the_median_over_trials_does_not_forget_the_slow_ones() {
    use Bounded::{AtLeast, Exactly};
    let p50 = |p50s: &[Bounded]| Figures::median(&trials(p50s)).0[Figure::LatencyP50 as usize];
    assert_eq!(p50(&[Exactly(1.0), AtLeast(9.0), AtLeast(8.0)]), Some(AtLeast(8.0)));
    assert_eq!(p50(&[Exactly(1.0), AtLeast(9.0), Exactly(3.0)]), Some(Exactly(3.0)));
    // What is at least 2 may well be more than 3.
    assert_eq!(p50(&[Exactly(1.0), AtLeast(2.0), Exactly(3.0)]), Some(AtLeast(2.0)));
    assert_eq!(p50(&[Exactly(1.0), AtLeast(2.0)]), Some(AtLeast(1.5)));
    assert_eq!(p50(&[]), None);
}

#[test]
fn trials_are_compared_only_by_what_all_of_them_know() {
    let mut trials = trials(&[Bounded::Exactly(1.0), Bounded::AtLeast(9.0)]);
    Figures::retain_comparable(&mut trials);
    assert!(trials.iter().all(|trial| trial.get(Figure::LatencyP50).is_none()));
    assert!(trials.iter().all(|trial| trial.at_least(Figure::LatencyP50).is_none()));
    assert_eq!(trials[1].get(Figure::WireBytes), Some(170.0));
}
