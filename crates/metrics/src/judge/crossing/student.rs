//! Student's distribution, for whole degrees of freedom.

use std::f64::consts::PI;

/// Steps that halve where a quantile may lie, down to a millionth of a millionth.
const HALVINGS: u32 = 70;

/// More degrees of freedom than this lower a quantile by less than 3 %, and are taken as no more.
const MOST_FREEDOM: usize = 60;

/// The value that a variable of Student's distribution exceeds, this way or that, with the
/// probability `level`; for at least one degree of freedom.
pub(super) fn two_sided(level: f64, freedom: usize) -> f64 {
    let freedom = freedom.min(MOST_FREEDOM);
    let (mut low, mut high) = (0.0_f64, 1e9_f64);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if within(middle, freedom) < 1.0 - level { low = middle } else { high = middle }
    }
    high
}

/// The probability of a value between `-t` and `t`, a finite sum where the degrees of freedom are
/// whole: M. Abramowitz and I. A. Stegun, *Handbook of Mathematical Functions* (NBS 1964), 26.7.3
/// and 26.7.4.
fn within(t: f64, freedom: usize) -> f64 {
    let angle = (t / (freedom as f64).sqrt()).atan();
    let (sine, cosine) = angle.sin_cos();
    let is_odd = freedom % 2 == 1;
    let (mut term, first) = if is_odd { (cosine, 3) } else { (1.0, 2) };
    let mut sum = if freedom == 1 { 0.0 } else { term };
    for k in (first..freedom.saturating_sub(1)).step_by(2) {
        term *= cosine * cosine * (k as f64 - 1.0) / k as f64;
        sum += term;
    }
    if is_odd { 2.0 / PI * (angle + sine * sum) } else { sine * sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As printed tables have them: 97.5 % and 99.5 % on one side.
    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (freedom, of_95, of_99) in [
            (1, 12.706, 63.657),
            (2, 4.303, 9.925),
            (3, 3.182, 5.841),
            (4, 2.776, 4.604),
            (5, 2.571, 4.032),
            (6, 2.447, 3.707),
            (9, 2.262, 3.250),
            (10, 2.228, 3.169),
            (29, 2.045, 2.756),
            (60, 2.000, 2.660),
        ] {
            let [at_5, at_1] = [0.05, 0.01].map(|level| two_sided(level, freedom));
            assert!((at_5 - of_95).abs() < 6e-4, "{freedom}: {at_5}");
            assert!((at_1 - of_99).abs() < 6e-4, "{freedom}: {at_1}");
        }
    }
}
