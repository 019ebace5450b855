//! Spreads in words: a middle with its interval.

use pushbench_metrics::judge::advice::Spread;

/// A spread of something that grows with another.
pub(super) fn over(spread: &Spread, of: impl Fn(f64) -> f64) -> Spread {
    Spread { middle: of(spread.middle), low: of(spread.low), high: of(spread.high) }
}

/// `15`, or `15 [14–16]`: a middle, and its interval where that is shown as another.
pub(super) fn with_interval(spread: &Spread, shown: impl Fn(f64) -> String) -> String {
    let [low, middle, high] = [spread.low, spread.middle, spread.high].map(shown);
    if low == high { middle } else { format!("{middle} [{low}–{high}]") }
}

/// `8.5 µs [8.2–8.9]`: a middle, and its interval where that is not the same.
pub(super) fn precise(spread: &Spread, unit: fn(f64) -> String) -> String {
    let Spread { middle, low, high } = *spread;
    let (low, middle, high) = (unit(low), unit(middle), unit(high));
    if low == high {
        return middle;
    }
    let parts = |text: &str| {
        let (number, unit) = text.rsplit_once(' ')?;
        Some((number.to_owned(), unit.to_owned()))
    };
    match (parts(&low), parts(&high), parts(&middle)) {
        (Some((least, of)), Some((most, other)), Some((_, own))) if of == other && of == own => {
            format!("{middle} [{least}–{most}]")
        }
        _ => format!("{middle} [{low}–{high}]"),
    }
}
