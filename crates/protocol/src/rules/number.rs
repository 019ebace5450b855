//! Numbers as they are written in decimal, exactly.

/// Digits that are read: more do not fit, whatever their unit.
const MOST_DIGITS: usize = 38;

/// The powers of ten by which a number may be written off its digits.
const MOST_POWERS: i32 = 1_000;

/// A whole number, which may be written with a fraction of zeros or an exponent; `None` where it is
/// none, or is beyond what is counted.
pub(super) fn whole(text: &[u8]) -> Option<u64> {
    let decimal = Decimal::parse(text)?;
    let (value, is_exact) = decimal.shifted(0)?;
    if is_exact { u64::try_from(value).ok() } else { None }
}

/// A number of units of 10^`exponent` nanoseconds, in nanoseconds; what is less than one is cut.
pub(super) fn nanos(text: &[u8], exponent: u8) -> Option<i64> {
    let (value, _) = Decimal::parse(text)?.shifted(i32::from(exponent))?;
    i64::try_from(value).ok()
}

/// `digits` × 10^`power`.
struct Decimal {
    digits: i128,
    power: i32,
}

impl Decimal {
    /// Reads `-12.5e3`.
    fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?.trim();
        let (mantissa, power) = match text.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, power.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, unsigned) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        // Zeros at the end of a fraction say nothing, and are not to take the place of digits.
        let fraction = fraction.trim_end_matches('0');
        let digits = || whole.bytes().chain(fraction.bytes());
        if whole.is_empty() || !digits().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        if whole.trim_start_matches('0').len() + fraction.len() > MOST_DIGITS {
            return None;
        }
        let value = digits().fold(0, |value, digit| value * 10 + i128::from(digit - b'0'));
        let power = power.checked_sub(i32::try_from(fraction.len()).ok()?)?;
        let digits = if negative { -value } else { value };
        (power.abs() <= MOST_POWERS).then_some(Self { digits, power })
    }

    /// The number times 10^`power`, cut down to a whole one, and whether that is exact.
    fn shifted(&self, power: i32) -> Option<(i128, bool)> {
        let power = self.power + power;
        if self.digits == 0 {
            return Some((0, true));
        }
        let Some(factor) = 10_i128.checked_pow(power.unsigned_abs()) else {
            // Less than one, or more than anything.
            return (power < 0).then_some((if self.digits < 0 { -1 } else { 0 }, false));
        };
        if power >= 0 {
            return Some((self.digits.checked_mul(factor)?, true));
        }
        Some((self.digits.div_euclid(factor), self.digits.rem_euclid(factor) == 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_is_exact_however_it_is_written() {
        let cases: [(&str, Option<u64>); 16] = [
            ("0", Some(0)),
            ("9007199254740993", Some(9_007_199_254_740_993)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("0000000007", Some(7)),
            (" 7 ", Some(7)),
            ("7.000", Some(7)),
            ("1.5e1", Some(15)),
            ("15e-1", None),
            ("7.5", None),
            ("-1", None),
            ("-0", Some(0)),
            ("", None),
            ("1_000", None),
            ("1e999999999999", None),
            ("null", None),
        ];
        for (text, expected) in cases {
            assert_eq!(whole(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn an_instant_is_exact_to_the_nanosecond_in_each_unit() {
        let cases: [(&str, u8, Option<i64>); 10] = [
            ("1700000000.123456789", 9, Some(1_700_000_000_123_456_789)),
            ("1700000000.1234567899", 9, Some(1_700_000_000_123_456_789)),
            ("1700000000123.456", 6, Some(1_700_000_000_123_456_000)),
            ("1700000000123456", 3, Some(1_700_000_000_123_456_000)),
            ("1700000000123456789", 0, Some(1_700_000_000_123_456_789)),
            ("1.7e9", 9, Some(1_700_000_000_000_000_000)),
            ("-1.5", 9, Some(-1_500_000_000)),
            ("9223372037", 9, None),
            ("1e-400", 9, Some(0)),
            ("now", 9, None),
        ];
        for (text, exponent, expected) in cases {
            assert_eq!(nanos(text.as_bytes(), exponent), expected, "{text}");
        }
    }
}
