//! What a person reads of the doctor's findings.

use super::Findings;
use super::checks::{Check, Verdict};
use super::trust::FORMULA;

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Limited => "limited",
            Self::Cannot => "cannot",
        }
    }
}

/// The whole page: the checks by group, what to type below what is amiss, and the conclusion.
pub(super) fn page(findings: &Findings) -> String {
    let mut text = table(&findings.checks);
    let trust = &findings.trust;
    text.push_str(&format!(
        "\nSmallest difference of latencies to trust here: {} between medians, {} between 99th \
         percentiles\n    = {FORMULA}\n",
        micros(trust.median_us),
        micros(trust.p99_us)
    ));
    text.push_str(&format!(
        "Most clients to trust here: {}, bound by {}\n    more: {}\n",
        count(trust.clients),
        trust.bound_by,
        trust.remedy
    ));
    text
}

fn table(checks: &[Check]) -> String {
    let width = checks.iter().map(|check| check.name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    let mut group = "";
    for check in checks {
        if check.group != group {
            group = check.group;
            let gap = if text.is_empty() { "" } else { "\n" };
            text.push_str(&format!("{gap}{}\n", group.to_uppercase()));
        }
        let word = check.verdict.word();
        text.push_str(&format!("  {word:<7}  {:<width$}  {}\n", check.name, check.found));
        if let Some(remedy) = &check.remedy {
            text.push_str(&format!("  {:<7}  {:<width$}  → {remedy}\n", "", ""));
        }
    }
    text
}

/// A time as people say it, from µs.
pub(super) fn micros(us: f64) -> String {
    match us {
        us if us < 10.0 => format!("{us:.1} µs"),
        us if us < 1_000.0 => format!("{us:.0} µs"),
        us if us < 100_000.0 => format!("{:.1} ms", us / 1e3),
        us if us < 1e6 => format!("{:.0} ms", us / 1e3),
        us => format!("{:.1} s", us / 1e6),
    }
}

/// A number with its thousands apart; the largest is "unlimited".
pub(super) fn count(number: u64) -> String {
    if number == u64::MAX {
        return "unlimited".to_owned();
    }
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes as people say them.
pub(super) fn bytes(bytes: u64) -> String {
    match bytes {
        0..0x4000_0000 => format!("{:.0} MiB", bytes as f64 / f64::from(1 << 20)),
        _ => format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_a_remedy_stands_below() {
        let check = |group, name: &str, verdict, remedy: Option<&str>| Check {
            group,
            name: name.to_owned(),
            verdict,
            found: "found".to_owned(),
            remedy: remedy.map(str::to_owned),
        };
        let checks = [
            check("time", "clock", Verdict::Ok, None),
            check("time", "wake-ups", Verdict::Limited, Some("do this")),
            check("limits", "ports", Verdict::Cannot, Some("do that")),
        ];
        let expected = "TIME\n  ok       clock     found\n  limited  wake-ups  found\n           \
                        \x20         → do this\n\nLIMITS\n  cannot   ports     found\n           \
                        \x20         → do that\n";
        assert_eq!(table(&checks), expected);
    }

    #[test]
    fn numbers_are_said_as_people_say_them() {
        assert_eq!(count(999), "999");
        assert_eq!(count(28_232), "28,232");
        assert_eq!(count(1_048_576), "1,048,576");
        assert_eq!(count(u64::MAX), "unlimited");
        assert_eq!([micros(7.31), micros(310.4), micros(1_250.0)], ["7.3 µs", "310 µs", "1.2 ms"]);
        assert_eq!([micros(250_000.0), micros(2e6)], ["250 ms", "2.0 s"]);
        assert_eq!([bytes(512 << 20), bytes(3 << 30)], ["512 MiB", "3.0 GiB"]);
    }
}
