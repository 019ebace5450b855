//! Costs of all clients together, in which servers are bought.

use pushbench_metrics::judge::advice::{Cost, Spread};

use super::spreads::{over, precise, with_interval};
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

/// The stakes between two: a cost of all the user's clients together, and the freshness of each; `None` where
/// either is not known.
pub(super) fn stakes(advised: &Advised, best: usize, next: usize, by: Cost) -> Option<String> {
    let fresh = |at: usize| {
        let fresh = advised.candidates[at].fresh_us()?;
        Some(format!("{}{}", advised.sign(at), precise(&fresh, human::time)))
    };
    Some(format!(
        "All {} clients together take {} with {} and {} with {}, and 99 % of messages, or newer ones, are there \
         within {} and {}.",
        human::count(advised.clients.into()),
        of_all(advised, best, by)?,
        advised.name(best),
        of_all(advised, next, by)?,
        advised.name(next),
        fresh(best)?,
        fresh(next)?
    ))
}

/// `≈ 0.014 [0.013–0.018] of a core`: a cost of all the user's clients; `None` where it is not known.
fn of_all(advised: &Advised, at: usize, by: Cost) -> Option<String> {
    let clients = f64::from(advised.clients);
    let all = over(&advised.candidates[at].cost(by)?, |one| one * clients);
    let all = match by {
        Cost::Money => {
            let currency = advised.price.as_ref()?.currency()?;
            format!("{} {currency} a month", with_interval(&all, money::amount))
        }
        Cost::ServerCpu => cores(&over(&all, |us| us / CORE_US)),
        Cost::WireBytes => precise(&over(&all, |bytes| bytes * 8.0), human::bit_rate),
    };
    Some(format!("{}{all}", advised.sign(at)))
}

/// `0.067 of a core`, or `1.2 cores`.
fn cores(cpu: &Spread) -> String {
    let unit = if cpu.middle < 1.0 { "of a core" } else { "cores" };
    format!("{} {unit}", with_interval(cpu, |cpu| human::short_number(cpu, 2)))
}

/// `sse takes 0.067 of a core and 15.1 Mbit/s`; `None` where either is not known.
fn candidate(advised: &Advised, at: usize) -> Option<String> {
    let all = |by: Cost| of_all(advised, at, by);
    let (cores, bits) = (all(Cost::ServerCpu)?, all(Cost::WireBytes)?);
    Some(format!("{} takes {cores} and {bits}", advised.name(at)))
}
