//! Random numbers as a pure function of a key, so that message *n* can be had without the
//! *n* − 1 before it.

/// Mixes `value` into 64 well-distributed bits (the finaliser of SplitMix64: Steele, Lea and
/// Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014).
#[must_use]
pub const fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// 64 random bits for a `(seed, stream, index)`.
#[must_use]
pub const fn bits(seed: u64, stream: u64, index: u64) -> u64 {
    mix(mix(mix(seed) ^ stream) ^ index)
}

/// A number uniform on the open interval (0, 1) for a `(seed, stream, index)`.
#[must_use]
pub fn uniform(seed: u64, stream: u64, index: u64) -> f64 {
    to_unit(bits(seed, stream, index))
}

/// The upper 52 bits as the middle of one of 2⁵² equal parts of (0, 1): never 0 and never 1.
#[expect(clippy::cast_precision_loss, reason = "52 bits fit the mantissa exactly")]
fn to_unit(bits: u64) -> f64 {
    ((bits >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
}

/// A seeded permutation of `0..n` (Fisher and Yates' shuffle).
#[must_use]
pub fn permutation(seed: u64, stream: u64, n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for end in (1..n).rev() {
        let bound = end as u64 + 1;
        // The modulo's bias is below n / 2⁶⁴.
        let pick = usize::try_from(bits(seed, stream, end as u64) % bound).unwrap_or(end);
        order.swap(end, pick);
    }
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn uniform_numbers_have_the_mean_and_spread_of_the_distribution() {
        let n = 100_000_u32;
        let draws = (0..u64::from(n)).map(|index| uniform(7, 1, index));
        let (sum, squares) = draws.fold((0.0, 0.0), |(s, q), u| (s + u, q + u * u));
        let mean = sum / f64::from(n);
        let variance = squares / f64::from(n) - mean * mean;
        assert!((mean - 0.5).abs() < 0.005, "mean {mean}");
        assert!((variance - 1.0 / 12.0).abs() < 0.002, "variance {variance}");
    }

    proptest! {
        #[test]
        fn a_permutation_holds_each_number_once(seed: u64, n in 0_usize..200) {
            let mut order = permutation(seed, 3, n);
            prop_assert_eq!(&order, &permutation(seed, 3, n));
            order.sort_unstable();
            prop_assert_eq!(order, (0..n).collect::<Vec<_>>());
        }
    }
}
