//! Costs of all clients together, in which servers are bought.

use super::Advised;
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

/// `sse takes 0.067 of a core and 15.1 Mbit/s`; `None` where either is not known.
fn candidate(advised: &Advised, at: usize) -> Option<String> {
    let all = |of_one: f64| of_one * f64::from(advised.clients);
    let candidate = &advised.candidates[at];
    let cpu = all(candidate.spread(|costs| costs.server_cpu_us)?.middle) / CORE_US;
    let bits = all(candidate.spread(|costs| costs.wire_bytes)?.middle) * 8.0;
    let cores = human::short_number(cpu, 2);
    let cores = if cpu < 1.0 { format!("{cores} of a core") } else { format!("{cores} cores") };
    Some(format!("{} takes {cores} and {}", advised.name(at), human::bit_rate(bits)))
}
