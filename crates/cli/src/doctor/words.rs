//! The doctor's findings in words for people.

use pushbench_report::human;

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
        human::time(trust.median_us),
        human::time(trust.p99_us)
    ));
    text.push_str(&format!(
        "Most clients to trust here: {}, bound by {}\n    more: {}\n",
        human::limit(trust.clients),
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
}
