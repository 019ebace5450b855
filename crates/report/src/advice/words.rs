//! The answer as a sentence.

use pushbench_core::Delivery;
use pushbench_core::units::Span;
use pushbench_metrics::judge::advice::{Answer, Cost, Dearer, Out, Spread};

use super::{Advised, totals};
use crate::human;

/// The answer, its reason and its margin.
pub(super) fn answer(advised: &Advised) -> String {
    let fresh = Span(advised.wishes.fresh);
    match &advised.advice.answer {
        Answer::Take { best, next: Some((next, dearer)), alike } => {
            let others = alike.iter().filter(|at| *at != best).map(|at| advised.name(*at));
            let others: Vec<String> = others.collect();
            let alike = if others.is_empty() {
                String::new()
            } else {
                let first = advised.advice.order.first().copied().map_or("cost", cost);
                format!(" In {first} no difference to {} is shown.", human::list(&others))
            };
            let stakes = totals::stakes(advised, *best, *next, dearer.by);
            format!(
                "Take {}: fresh within {fresh}, and the cheapest by {}. {}.{}{alike}{}",
                advised.name(*best),
                cost(dearer.by),
                more(&advised.name(*next), dearer),
                stakes.map(|it| format!(" {it}")).unwrap_or_default(),
                unjudged(advised),
            )
        }
        Answer::Take { best, next: None, .. } => {
            let unjudged = unjudged(advised);
            let of = if unjudged.is_empty() { "" } else { "of those that can be judged, " };
            format!(
                "Take {}: {of}it alone is fresh within {fresh}{}.{unjudged}",
                advised.name(*best),
                delivers(advised),
            )
        }
        Answer::Any { among, shown_from, are_alike, unborne } => {
            let names: Vec<String> = among.iter().map(|at| advised.name(*at)).collect();
            let (names, end) = (human::list(&names), unjudged(advised));
            let composed = composed(advised, among);
            let told = match unborne {
                Some(best) => not_borne_out(advised, &names, *best),
                None => any(advised, &names, *shown_from, *are_alike),
            };
            format!("{told}{composed}{end}")
        }
        Answer::NoneMeets => format!(
            "None can be recommended: no contender is shown to be fresh within {fresh}{}.",
            delivers(advised)
        ),
        Answer::NotJudged => {
            "No recommendation: no contender has valid trials in rounds enough to be judged."
                .to_owned()
        }
    }
}

fn any(advised: &Advised, names: &str, shown_from: Option<f64>, are_alike: bool) -> String {
    let fresh = Span(advised.wishes.fresh);
    if advised.advice.order.is_empty() {
        return format!(
            "No recommendation among {names}: each is fresh within {fresh}, and no cost is known of all of \
             them. Measure again where nothing else runs."
        );
    }
    let costs: Vec<&str> = advised.advice.order.iter().map(|it| cost(*it)).collect();
    let costs = human::list(&costs);
    let margin = percent(advised.wishes.margin);
    if are_alike {
        return format!(
            "No difference that matters between {names}: each is fresh within {fresh}, and in {costs} \
             they are within {margin} of each other. Take the one that you know."
        );
    }
    let from = shown_from.map(|part| {
        format!(" They would show one of {} or more in {}.", percent(part), costs_first(advised))
    });
    let from = from.unwrap_or_default();
    format!(
        "No difference that matters is shown between {names}: each is fresh within {fresh}, and in \
         {costs} the rounds do not tell them apart by {margin}.{from}"
    )
}

/// That the rounds name one, and a check does not.
fn not_borne_out(advised: &Advised, names: &str, best: usize) -> String {
    format!(
        "No difference that matters is shown between {names}: each is fresh within {}. By costs that are put \
         together {} is the cheapest, which the check at your own numbers does not bear out.",
        Span(advised.wishes.fresh),
        advised.name(best)
    )
}

/// That costs of some are composed, and whether these are checked; nothing where all are measured as they are.
fn composed(advised: &Advised, among: &[usize]) -> String {
    let composed: Vec<usize> =
        among.iter().copied().filter(|&at| advised.candidates[at].is_composed).collect();
    if composed.is_empty() {
        return String::new();
    }
    let is_checked = |at: &usize| advised.candidates[*at].check.is_some();
    let checked = if composed.iter().all(is_checked) {
        "and a check at your own numbers taken into account"
    } else {
        "and not checked at your own numbers"
    };
    format!(" Costs are put together of a faster pace, {checked}.")
}

fn costs_first(advised: &Advised) -> &'static str {
    advised.advice.order.first().copied().map_or("cost", cost)
}

/// That some are not in the comparison, since nothing is known of them.
fn unjudged(advised: &Advised) -> String {
    let out = advised.advice.out.iter().enumerate();
    let unjudged = out.filter(|(_, out)| matches!(out, Some(Out::Invalid { .. })));
    let names: Vec<String> = unjudged.map(|(at, _)| advised.name(at)).collect();
    if names.is_empty() {
        return String::new();
    }
    format!(" Not judged, for want of valid trials: {}.", human::list(&names))
}

const fn delivers(advised: &Advised) -> &'static str {
    match advised.wishes.delivery {
        Delivery::Every => " with every message",
        Delivery::Latest => "",
    }
}

/// `sse, the next, takes 34 % more [28 to 41 %]`, and how far that is composed.
fn more(name: &str, dearer: &Dearer) -> String {
    let amount = amount(&dearer.part);
    let composed = match (dearer.is_composed, dearer.checked) {
        (false, _) => String::new(),
        (true, None) => {
            ", put together of costs at a faster pace and not checked at your own".to_owned()
        }
        (true, Some(own)) => {
            let checked = amount_of(own.part, is_many(&dearer.part));
            let measured = if own.of_both {
                "the check at your own measured"
            } else {
                "by the check at your own, which one of them has, it takes"
            };
            format!(", put together of costs at a faster pace; {measured} {checked}")
        }
    };
    format!("{name}, the next, takes {amount}{composed}")
}

/// Whether a part is told as a factor: from three times on nobody counts in per cent.
fn is_many(part: &Spread) -> bool {
    part.low >= 2.0
}

/// `34 % more [28 to 41 %]`, or `3.4 times as much [3.1 to 3.9]`.
fn amount(part: &Spread) -> String {
    let Spread { middle, low, high } = *part;
    if is_many(part) {
        let (middle, low, high) = (amount_of(middle, true), low + 1.0, high + 1.0);
        return format!("{middle} [{low:.1} to {high:.1}]");
    }
    let percent = |part: f64| (part * 100.0).round();
    let (low, high) = (percent(low), percent(high));
    let middle = amount_of(middle, false);
    if low == high { middle } else { format!("{middle} [{low} to {high} %]") }
}

/// `34 % more`, or as a factor.
fn amount_of(part: f64, is_many: bool) -> String {
    if is_many {
        return format!("{:.1} times as much", part + 1.0);
    }
    let percent = (part * 100.0).round();
    if percent < 0.0 { format!("{} % less", -percent) } else { format!("{percent} % more") }
}

fn percent(part: f64) -> String {
    format!("{} %", (part * 1000.0).round() / 10.0)
}

/// A cost as a sentence names it.
pub(super) const fn cost(cost: Cost) -> &'static str {
    match cost {
        Cost::Money => "money",
        Cost::ServerCpu => "server CPU",
        Cost::WireBytes => "bytes on the wire",
    }
}

/// Less of a cost, as a sentence says it.
pub(super) const fn less(cost: Cost) -> &'static str {
    match cost {
        Cost::Money => "less money",
        Cost::ServerCpu => "less server CPU",
        Cost::WireBytes => "fewer bytes",
    }
}

/// Why a candidate is out, in a cell.
pub(super) fn out(out: &Out) -> String {
    match out {
        Out::Invalid { valid, rounds } => format!("not judged: {valid} of {rounds} rounds valid"),
        Out::Lost { messages } => format!(
            "no: {} lost",
            human::plural(usize::try_from(*messages).unwrap_or(usize::MAX), "message")
        ),
        Out::Stale { fresh, rounds } => format!("no: in {fresh} of {rounds} rounds"),
        Out::FreshnessNotShown { fresh, rounds } => {
            format!("not shown: in {fresh} of {rounds} rounds")
        }
    }
}
