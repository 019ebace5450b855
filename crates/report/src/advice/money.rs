//! Money in advice: a column of the table, and below it what a month of all clients comes to.

use pushbench_metrics::judge::advice::{Candidate, Cost, Spread};

use super::Advised;
use crate::human;

/// The cost of a month of one client; `None` where it is not known in some round.
pub(super) fn of(candidate: &Candidate) -> Option<Spread> {
    candidate.cost(Cost::Money)
}

/// The heading of the column; `None` without prices.
pub(super) fn heading(advised: &Advised) -> Option<String> {
    Some(format!("{}/month", advised.price.as_ref()?.currency()?))
}

/// An amount of which the heading says the currency.
pub(super) fn amount(amount: f64) -> String {
    human::number(amount, 3)
}

/// The prices, the sum for all clients, and whether money decided; nothing without prices.
pub(super) fn remarks(advised: &Advised) -> Vec<String> {
    let Some(price) = &advised.price else { return Vec::new() };
    let mut lines = vec![format!(
        "Money is at the prices of {} as of {} ({}), to be checked there: of a client that stays for 730 \
         hours, without openings, tiers, free quotas and taxes.",
        price.name, price.as_of, price.source
    )];
    lines.extend(of_all_clients(advised));
    lines.extend(unpriced(advised));
    lines
}

/// `A month of your 5,000 clients costs 12.3 USD with sse and 31 USD with websocket.`
fn of_all_clients(advised: &Advised) -> Option<String> {
    let currency = advised.price.as_ref()?.currency()?;
    let told = (0..advised.candidates.len()).filter_map(|at| {
        let all = of(&advised.candidates[at])?.middle * f64::from(advised.clients);
        Some(format!("{} {currency} with {}", human::short_number(all, 3), advised.name(at)))
    });
    let told: Vec<String> = told.collect();
    let clients = human::count(advised.clients.into());
    (!told.is_empty())
        .then(|| format!("A month of your {clients} clients costs {}.", human::list(&told)))
}

/// The candidates that are no less than the others but for the money, which is then no reason.
fn unpriced(advised: &Advised) -> Option<String> {
    let is_unpriced =
        |at: &usize| advised.advice.out[*at].is_none() && of(&advised.candidates[*at]).is_none();
    let names: Vec<String> =
        (0..advised.candidates.len()).filter(is_unpriced).map(|at| advised.name(at)).collect();
    let is_no_reason = !advised.advice.order.contains(&Cost::Money) && !names.is_empty();
    is_no_reason.then(|| {
        format!(
            "Money decided nothing, since {} has no price: the offer does not carry it, or something that \
             it charges for was not measured. Leave it out (`-t`) to decide among the others by money.",
            human::list(&names)
        )
    })
}
