//! Quantities as people read them: three significant digits and the unit that needs no zeros.

use pushbench_core::figure::Unit;

/// Shown where a figure was not measured or its samples do not support it.
pub(crate) const NOTHING: &str = "–";

/// Units of time, the largest first, in microseconds.
const TIMES: [(f64, &str); 3] = [(1e6, "s"), (1e3, "ms"), (1.0, "µs")];

/// Units of size, the largest first, in bytes. Up to 10,000 B a number of bytes is easier.
const SIZES: [(f64, &str); 3] = [(1_073_741_824.0, "GiB"), (1_048_576.0, "MiB"), (1_024.0, "KiB")];

/// `value` to `digits` significant digits, with separators of thousands.
pub(crate) fn number(value: f64, digits: i32) -> String {
    if value == 0.0 || !value.is_finite() {
        return "0".to_owned();
    }
    let exponent = magnitude(rounded(value, digits));
    let decimals = usize::try_from(digits - 1 - exponent).unwrap_or(0);
    let text = format!("{:.decimals$}", rounded(value, digits));
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |rest| ("−", rest));
    let dot = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{dot}{fraction}", grouped(whole))
}

/// [`number`] without zeros at the end of its fraction.
pub(crate) fn short_number(value: f64, digits: i32) -> String {
    let text = number(value, digits);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A whole number with separators of thousands.
#[must_use]
pub fn count(value: u64) -> String {
    grouped(&value.to_string())
}

/// A limit as a whole number; the largest there is means that there is none.
#[must_use]
pub fn limit(value: u64) -> String {
    if value == u64::MAX { "unlimited".to_owned() } else { count(value) }
}

fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The power of ten that `value` begins with.
fn magnitude(value: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "an f64's exponent is small")]
    let exponent = value.abs().log10().floor() as i32;
    exponent
}

fn rounded(value: f64, digits: i32) -> f64 {
    let step = 10_f64.powi(digits - 1 - magnitude(value));
    (value * step).round() / step
}

/// The unit that `us` microseconds are best told in, and its size in microseconds.
pub(crate) fn time_unit(us: f64) -> (f64, &'static str) {
    let us = if us > 0.0 { rounded(us, 3) } else { 0.0 };
    TIMES.into_iter().find(|(size, _)| us >= *size).unwrap_or((1.0, "µs"))
}

/// Microseconds as `412 µs`, `1.23 ms`, `10.0 s`.
#[must_use]
pub fn time(us: f64) -> String {
    let (size, unit) = time_unit(us);
    format!("{} {unit}", number(us / size, 3))
}

/// Microseconds as `1 ms`: for axes and settings.
pub(crate) fn short_time(us: f64) -> String {
    let (size, unit) = time_unit(us);
    format!("{} {unit}", short_number(us / size, 3))
}

/// Measured microseconds for a sentence: two digits, a zero at the end among them since it was measured
/// too, and from a tenth of a millisecond in milliseconds.
pub(crate) fn spoken_time(us: f64) -> String {
    let (size, unit) = if (100.0..1e6).contains(&us) { (1e3, "ms") } else { time_unit(us) };
    let digits = if us / size >= 100.0 { 3 } else { 2 };
    format!("{} {unit}", number(us / size, digits))
}

/// The unit that `bytes` are best told in, and its size in bytes.
pub(crate) fn size_unit(bytes: f64) -> (f64, &'static str) {
    if bytes < 9_999.5 {
        return (1.0, "B");
    }
    SIZES.into_iter().find(|(size, _)| bytes >= *size).unwrap_or((1.0, "B"))
}

/// The number for `bytes` in a unit of `size`: whole bytes from ten on, else three digits.
pub(crate) fn size_number(bytes: f64, size: f64) -> String {
    match bytes / size {
        number if size > 1.0 => short_number(number, 3),
        number if number >= 9.5 => short_number(number.round(), 4),
        number => short_number(number, 2),
    }
}

/// Bytes as `590 B`, `1,128 B`, `12.3 KiB`.
#[must_use]
pub fn size(bytes: f64) -> String {
    let (size, unit) = size_unit(bytes);
    format!("{} {unit}", size_number(bytes, size))
}

/// The unit for `bytes` along an axis of decades, which powers of 1024 would make `9.77 KiB`.
pub(crate) const fn decimal_unit(bytes: f64) -> (f64, &'static str) {
    match bytes {
        1e6.. => (1e6, "MB"),
        _ => (1.0, "B"),
    }
}

/// Bytes for a sentence: `75 bytes`, `12 KiB`.
pub(crate) fn spoken_size(bytes: f64) -> String {
    match size_unit(bytes) {
        (_, "B") => {
            format!("{} bytes", size_number(bytes, 1.0))
        }
        (size, unit) => format!("{} {unit}", short_number(bytes / size, 2)),
    }
}

/// A share of `whole` as a percentage, which is 100 only where it is all and 0 only where none.
pub(crate) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return NOTHING.to_owned();
    }
    #[expect(clippy::cast_precision_loss, reason = "counts are below 2⁵³")]
    let percent = part as f64 / whole as f64 * 100.0;
    match percent {
        _ if part == whole => "100 %".to_owned(),
        _ if part == 0 => "0 %".to_owned(),
        99.9.. => format!("{:.2} %", (percent * 100.0).floor().min(9_999.0) / 100.0),
        10.0.. => format!("{:.1} %", (percent * 10.0).floor() / 10.0),
        _ => format!("{} %", number(percent, 2)),
    }
}

/// A figure's value in words, by its unit.
pub(crate) fn quantity(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Micros => time(value),
        Unit::Bytes => size(value),
        Unit::Count => short_number(value, 15),
        Unit::Share => format!("{} %", short_number(value * 100.0, 5)),
        Unit::BitsPerSecond => bit_rate(value),
        Unit::Mean => short_number(value, 3),
        Unit::PerSecond => format!("{}/s", short_number(value, 3)),
        Unit::Cores => format!("{} cores", short_number(value, 2)),
    }
}

/// The unit that lines of so many bits each second are sold in.
pub(crate) const fn bit_rate_unit(bits: f64) -> (f64, &'static str) {
    match bits {
        1e9.. => (1e9, "Gbit/s"),
        1e6.. => (1e6, "Mbit/s"),
        _ => (1e3, "kbit/s"),
    }
}

/// Bits each second in the unit that lines are sold in.
pub(crate) fn bit_rate(bits: f64) -> String {
    let (size, unit) = bit_rate_unit(bits);
    format!("{} {unit}", short_number(bits / size, 3))
}

/// A factor to two digits, from a hundred on to three: `7.9`, `41`, `1,250`.
pub(crate) fn factor(ratio: f64) -> String {
    short_number(ratio, if ratio >= 100.0 { 3 } else { 2 })
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list<T: AsRef<str>>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// `1 trial`, `3 trials`.
pub(crate) fn plural(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", count(number as u64), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_and_the_unit_that_fits() {
        let cases = [
            (0.0, "0 µs"),
            (0.5, "0.500 µs"),
            (84.12, "84.1 µs"),
            (412.4, "412 µs"),
            (999.7, "1.00 ms"),
            (12_345.0, "12.3 ms"),
            (500_000.0, "500 ms"),
            (999_900.0, "1.00 s"),
            (10_240_000.0, "10.2 s"),
            (3_600_000_000.0, "3,600 s"),
        ];
        for (us, expected) in cases {
            assert_eq!(time(us), expected);
        }
    }

    #[test]
    fn spoken_quantities_are_short() {
        assert_eq!(spoken_time(412.0), "0.41 ms");
        assert_eq!(spoken_time(84.0), "84 µs");
        assert_eq!(spoken_time(499_700.0), "500 ms");
        assert_eq!(spoken_time(1_000_000.0), "1.0 s");
        assert_eq!(spoken_time(598.0), "0.60 ms");
        assert_eq!(spoken_size(75.2), "75 bytes");
        assert_eq!(spoken_size(590.4), "590 bytes");
        assert_eq!(spoken_size(1_128.0), "1,128 bytes");
        assert_eq!(spoken_size(66_000.0), "64 KiB");
    }

    #[test]
    fn sizes_stay_bytes_up_to_ten_thousand() {
        assert_eq!(size(0.0), "0 B");
        assert_eq!(size(75.25), "75 B");
        assert_eq!(size(2.25), "2.3 B");
        assert_eq!(size(1_128.4), "1,128 B");
        assert_eq!(size(12_595.0), "12.3 KiB");
        assert_eq!(decimal_unit(10_000.0), (1.0, "B"));
        assert_eq!(decimal_unit(2_000_000.0), (1e6, "MB"));
    }

    #[test]
    fn a_share_is_whole_only_where_it_is() {
        assert_eq!(share(30_000, 30_000), "100 %");
        assert_eq!(share(29_999, 30_000), "99.99 %");
        assert_eq!(share(0, 30_000), "0 %");
        assert_eq!(share(1, 30_000), "0.0033 %");
        assert_eq!(share(1_859, 3_000), "61.9 %");
        assert_eq!(share(0, 0), NOTHING);
    }

    #[test]
    fn factors_and_lists_read_aloud() {
        assert_eq!(factor(7.87), "7.9");
        assert_eq!(factor(1_249.0), "1,250");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(list(&["a", "b"]), "a and b");
    }
}
