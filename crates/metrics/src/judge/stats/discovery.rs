//! Many comparisons at once: of a hundred figures that did not change, five would look as if.

/// The p values adjusted for their number, in the order given: where each that is at most α is
/// called a discovery, the expected share of false ones among them is at most α.
///
/// That holds for independent figures and for such as rise and fall together, as those of one
/// trial do. Where nothing changed at all, the chance of a single false call is at most α.
///
/// Source: Y. Benjamini and Y. Hochberg, "Controlling the False Discovery Rate", *Journal of the
/// Royal Statistical Society* B 57 (1995), 289–300; for dependence Y. Benjamini and D. Yekutieli,
/// *The Annals of Statistics* 29 (2001), 1165–1188.
#[must_use]
pub fn adjusted(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&one, &other| p_values[one].total_cmp(&p_values[other]));
    let count = p_values.len() as f64;
    let mut adjusted = vec![1.0; p_values.len()];
    let mut least = 1.0_f64;
    for (rank, &index) in order.iter().enumerate().rev() {
        // The quotient first: it is at least 1 exactly, so that rounding takes no p below itself.
        least = least.min(p_values[index] * (count / (rank + 1) as f64));
        adjusted[index] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The fifteen p values of the paper's §3.1: at 5 % the first four are rejected, where a
    /// Bonferroni correction rejects three.
    #[test]
    fn the_example_of_the_paper() {
        let p_values = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
            0.5719, 0.6528, 0.7590, 1.0000,
        ];
        let adjusted = adjusted(&p_values);
        let called: Vec<bool> = adjusted.iter().map(|&p| p <= 0.05).collect();
        assert_eq!(called.iter().filter(|&&called| called).count(), 4);
        assert!(called[..4].iter().all(|&called| called));
    }

    /// As R's `p.adjust(c(0.04, 0.01, 0.03, 0.02), "BH")` and others have it.
    #[test]
    fn values_come_back_in_their_order() {
        let equal = adjusted(&[0.04, 0.01, 0.03, 0.02]);
        assert!(equal.iter().all(|p| (p - 0.04).abs() < 1e-15), "{equal:?}");
        assert_eq!(adjusted(&[0.5, 0.001]), [0.5, 0.002]);
        assert_eq!(adjusted(&[]), [0.0; 0]);
    }

    proptest! {
        #[test]
        fn none_falls_and_their_order_stays(
            p_values in prop::collection::vec(0.0_f64..=1.0, 1..40)
        ) {
            let adjusted = adjusted(&p_values);
            for (one, p) in p_values.iter().enumerate() {
                prop_assert!(*p <= adjusted[one] && adjusted[one] <= 1.0);
                for (other, q) in p_values.iter().enumerate() {
                    prop_assert!(p > q || adjusted[one] <= adjusted[other]);
                }
            }
        }
    }
}
