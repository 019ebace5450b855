//! Costs of all clients together, in which servers are bought.

use pushbench_metrics::judge::advice::Cost;

use super::{Advised, money};
use crate::human;

/// Time that a core has in a second, in microseconds.
const CORE_US: f64 = 1e6;

/// The server's cores, and the bits a second in both directions, that each candidate which is not out takes
/// for all the user's clients.
pub(super) fn remark(advised: &Advised) -> Option<String> {
    let meets = |at: &usize| advised.advice.out[*at].is_none();
    let told = (0..advised.candidates.len()).filter(meets).filter_map(|at| candidate(advised, at));
    let told: Vec<String> = told.collect();
    let clients = human::count(advised.clients.into());
    (!told.is_empty())
        .then(|| format!("All {clients} clients together, both directions: {}.", told.join("; ")))
}

/// The stakes between two: a cost of all the user's clients together, and the freshness of each;
/// `None` where either is not known.
pub(super) fn stakes(advised: &Advised, best: usize, next: usize, by: Cost) -> Option<String> {
    let fresh = |at: usize| {
        let fresh = advised.candidates[at].fresh_us()?.middle;
        Some(format!("{}{}", advised.sign(at), human::time(fresh)))
    };
    Some(format!(
        "All {} clients together take {} with the one and {} with the other, and 99 % of messages, or newer \
         ones, are there within {} and {}.",
        human::count(advised.clients.into()),
        of_all(advised, best, by)?,
        of_all(advised, next, by)?,
        fresh(best)?,
        fresh(next)?
    ))
}

/// A cost of all the user's clients together; `None` where it is not known.
fn of_all(advised: &Advised, at: usize, by: Cost) -> Option<String> {
    let all = advised.candidates[at].cost(by)?.middle * f64::from(advised.clients);
    let all = match by {
        Cost::Money => {
            let currency = advised.price.as_ref()?.currency()?;
            format!("{} {currency} a month", money::amount(all))
        }
        Cost::ServerCpu => cores(all / CORE_US),
        Cost::WireBytes => human::bit_rate(all * 8.0),
    };
    Some(format!("{}{all}", advised.sign(at)))
}

/// `0.067 of a core`, or `1.2 cores`.
fn cores(cpu: f64) -> String {
    let cores = human::short_number(cpu, 2);
    if cpu < 1.0 { format!("{cores} of a core") } else { format!("{cores} cores") }
}

/// `sse takes 0.067 of a core and 15.1 Mbit/s`; `None` where either is not known.
fn candidate(advised: &Advised, at: usize) -> Option<String> {
    let all = |by: Cost| of_all(advised, at, by);
    let (cores, bits) = (all(Cost::ServerCpu)?, all(Cost::WireBytes)?);
    Some(format!("{} takes {cores} and {bits}", advised.name(at)))
}
