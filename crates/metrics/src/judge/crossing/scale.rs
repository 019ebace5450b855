//! The scale of a sweep: what lies between two of its points.

/// How the values of a setting are spaced, and so what is half the way from one to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// By differences: 10, 20, 30.
    Linear,
    /// By ratios: 1, 10, 100.
    Logarithmic,
}

/// Two values alone are spaced by their ratio from this one on.
const FAR_APART: f64 = 4.0;

impl Scale {
    /// The scale on which `values` are spaced more evenly. With zero, or below it, there are no
    /// ratios.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let mut sorted: Vec<f64> = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted.dedup();
        let (Some(&least), Some(&most)) = (sorted.first(), sorted.last()) else {
            return Self::Linear;
        };
        let has_ratios = least > 0.0 && most.is_finite();
        let is_logarithmic = has_ratios
            && match sorted.len() {
                0..=2 => most / least >= FAR_APART,
                _ => unevenness(&sorted, f64::ln) < unevenness(&sorted, |value| value),
            };
        if is_logarithmic { Self::Logarithmic } else { Self::Linear }
    }

    /// The place of `value` along the scale.
    #[must_use]
    pub fn place(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Logarithmic => value.ln(),
        }
    }

    /// The value at `place`.
    #[must_use]
    pub fn value(self, place: f64) -> f64 {
        match self {
            Self::Linear => place,
            Self::Logarithmic => place.exp(),
        }
    }

    /// The value half the way from `one` to `other`.
    #[must_use]
    pub fn middle(self, one: f64, other: f64) -> f64 {
        self.value(f64::midpoint(self.place(one), self.place(other)))
    }
}

/// The variance of the steps between `sorted` values on a scale, over the square of their mean.
fn unevenness(sorted: &[f64], place: impl Fn(f64) -> f64) -> f64 {
    let steps: Vec<f64> = sorted.windows(2).map(|pair| place(pair[1]) - place(pair[0])).collect();
    let count = steps.len() as f64;
    let mean = steps.iter().sum::<f64>() / count;
    steps.iter().map(|step| (step / mean - 1.0).powi(2)).sum::<f64>() / count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_spaced_as_their_steps_are_more_even() {
        use Scale::{Linear, Logarithmic};
        for (values, scale) in [
            (&[0.5, 1.0, 5.0, 20.0][..], Logarithmic),
            (&[20.0, 100.0, 200.0, 400.0, 2_000.0], Logarithmic),
            (&[100.0, 1.0, 10.0], Logarithmic),
            (&[10.0, 20.0, 30.0, 40.0, 50.0], Linear),
            (&[1.0, 2.0, 3.0, 4.0, 5.0], Linear),
            (&[0.0, 1.0, 10.0], Linear),
            (&[1.0, 100.0], Logarithmic),
            (&[100.0, 150.0], Linear),
            (&[], Linear),
        ] {
            assert_eq!(Scale::of(values), scale, "{values:?}");
        }
        assert!((Logarithmic.middle(1.0, 100.0) - 10.0).abs() < 1e-12);
        assert!((Linear.middle(1.0, 100.0) - 50.5).abs() < 1e-12);
    }
}
