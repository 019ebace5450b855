//! Talk of clients, in advice: its cost by the way in which it goes up, and the rate of it that would
//! change the answer.

use pushbench_core::Contender;
use pushbench_core::contender::Security;
use pushbench_core::units::{ByteSize, Rate};
use pushbench_metrics::judge::advice::{Cost, Spread, said};
use serde_json::{Value, json};

use super::Advised;
use super::spreads::precise;
use super::words::less;
use crate::human;

/// The trials of what clients say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spoken {
    /// Messages that each client says, by the user's numbers.
    pub rate: Rate,
    /// The size of one.
    pub payload: ByteSize,
    /// Clients in each trial.
    pub clients: u32,
    /// Messages that each of them said there.
    pub measured: Rate,
}

impl Spoken {
    /// A cost of one message of a candidate's clients, over the rounds.
    fn message(&self, advised: &Advised, at: usize, by: Cost) -> Option<Spread> {
        let hz = self.rate.hz();
        advised.candidates[at].spread(|costs| Some(costs.said.get(by) / hz))
    }
}

/// The way in which a contender's clients speak: by name, where that is its own connection, else by a
/// request, which is the same whatever they listen by.
fn way(contender: Contender) -> &'static str {
    match (contender.transport.is_duplex(), contender.stack.security) {
        (true, _) => contender.name(),
        (false, Security::Clear) => "a request",
        (false, Security::Tls) => "a request in TLS",
    }
}

/// Whether the clients of both candidates speak in the same way.
pub(super) fn speak_alike(advised: &Advised, one: usize, other: usize) -> bool {
    let way = |at: usize| way(advised.candidates[at].contender);
    way(one) == way(other)
}

/// The cost of a message by each way up, in a sentence; `None` where clients are silent.
pub(super) fn remark(advised: &Advised) -> Option<String> {
    let talk = advised.talk.as_ref()?;
    let way = |at: usize| way(advised.candidates[at].contender);
    let mut told: Vec<(&str, String)> = Vec::new();
    for at in 0..advised.candidates.len() {
        if told.iter().any(|(known, _)| *known == way(at)) {
            continue;
        }
        let cost = |by| talk.message(advised, at, by);
        let (Some(cpu), Some(bytes)) = (cost(Cost::ServerCpu), cost(Cost::WireBytes)) else {
            continue;
        };
        let cost = format!("{} and {}", precise(&cpu, human::time), precise(&bytes, human::size));
        told.push((way(at), format!("{cost} by {}", way(at))));
    }
    let asks = advised.candidates.iter().any(|it| !it.contender.transport.is_duplex());
    let memory = if asks { " Memory is without the connection that requests need." } else { "" };
    let told: Vec<String> = told.into_iter().map(|(_, text)| text).collect();
    (!told.is_empty()).then(|| {
        format!(
            "What each client says, {} of {}, is in these costs, from trials of its own with {} clients \
             that say {} each: a message takes {}.{memory}",
            talk.rate,
            talk.payload,
            talk.clients,
            talk.measured,
            human::list(&told)
        )
    })
}

/// The cost of one message of a candidate's clients, for programs.
pub(super) fn json(advised: &Advised, at: usize) -> Value {
    let Some(talk) = &advised.talk else { return Value::Null };
    let hz = talk.rate.hz();
    let money = advised.candidates[at].spread(|costs| Some(costs.said.money? / hz));
    json!({
        "server_cpu_us_per_message": talk.message(advised, at, Cost::ServerCpu),
        "wire_bytes_per_message": talk.message(advised, at, Cost::WireBytes),
        "money_per_month_of_one_each_second": money,
    })
}

/// The rates of talk from which on the candidate at `one` takes less than the one at `other`, or more.
pub(super) fn turns(advised: &Advised, one: usize, other: usize) -> Vec<String> {
    let Some(talk) = &advised.talk else { return Vec::new() };
    let told = advised.advice.order.iter().filter_map(|&by| {
        let candidates = &advised.candidates;
        let factor = said::turn(&candidates[one], &candidates[other], by)?;
        let said = |at: usize| talk.message(advised, at, by).map(|it| it.middle);
        let (cheap, dear) = if said(one)? < said(other)? { (one, other) } else { (other, one) };
        let (cheap, dear) = (advised.name(cheap), advised.name(dear));
        let rate = super::turns::per_second(factor, talk.rate.hz());
        Some(if factor.low > 1.0 {
            format!(
                "where each client says more than {rate}, {cheap} takes {} than {dear}",
                less(by)
            )
        } else {
            format!(
                "where each client says less than {rate}, {dear} takes {} than {cheap}",
                less(by)
            )
        })
    });
    told.collect()
}
