//! Talk of clients beside what they hear: its cost in trials of its own, added to that of the feed, and
//! the rate of it from which on another way to speak is cheaper.
//!
//! A message goes up on the connection on which its client listens, where that takes both ways, and else
//! by a request on a connection of its own. What that costs is the same however often, so that a trial in
//! which clients only speak gives the cost of one message, and the user's rate of them the rest.

use pushbench_core::{Contender, Figure};
use serde::{Deserialize, Serialize};

use super::check::corrected;
use super::compose::{messages_hz, rest};
use super::{Candidate, Cost, Costs, Round, Spread};
use crate::judge::figures::Figures;
use crate::judge::money::{Usage, bill};
use crate::record::{RunRecord, TrialRecord};

/// Costs of what one client says: of a message, or of all in a second. Zero of a client that is silent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// The server's CPU time, in microseconds.
    pub server_cpu_us: f64,
    /// Bytes of all layers, both directions.
    pub wire_bytes: f64,
    /// Money for a month of one each second; `None` where it is not known.
    pub money: Option<f64>,
}

impl Said {
    /// The cost of that kind; what is not known of money is in no sum either.
    #[must_use]
    pub fn get(&self, cost: Cost) -> f64 {
        match cost {
            Cost::Money => self.money.unwrap_or(0.0),
            Cost::ServerCpu => self.server_cpu_us,
            Cost::WireBytes => self.wire_bytes,
        }
    }

    fn times(&self, factor: f64) -> Self {
        Self {
            server_cpu_us: self.server_cpu_us * factor,
            wire_bytes: self.wire_bytes * factor,
            money: self.money.map(|money| money * factor),
        }
    }
}

/// A trial in which clients spoke.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spoken {
    /// The cost of a message.
    pub message: Said,
    /// Messages that the server did not get.
    pub lost: u64,
}

/// The rounds of `record` in which the clients of `speaker` spoke, in their order, at the price of
/// `candidate`; `None` where the trial stayed invalid.
#[must_use]
pub fn rounds(record: &RunRecord, speaker: Contender, candidate: Contender) -> Vec<Option<Spoken>> {
    let ours = |trial: &&TrialRecord| trial.id.contender == speaker && trial.is_valid();
    let trials: Vec<&TrialRecord> = record.standing().filter(ours).collect();
    let of_round = |round| trials.iter().find(|trial| trial.id.round == round);
    (1..=record.scenario.runs).map(|round| spoken(of_round(round)?, record, candidate)).collect()
}

fn spoken(trial: &TrialRecord, record: &RunRecord, candidate: Contender) -> Option<Spoken> {
    let figures = Figures::of_trial(trial);
    // The feed's costs hold what the server takes by itself.
    let rest = rest(record, trial.id.round);
    let rest_us = rest * 1e6 / (messages_hz(trial)? * f64::from(trial.connected));
    let message = Said {
        server_cpu_us: (figures.get(Figure::ServerCpu)? - rest_us).max(0.0),
        wire_bytes: figures.get(Figure::WireBytes)?,
        money: money(trial, (record, rest), candidate),
    };
    Some(Spoken { message, lost: trial.measured.audit.lost })
}

/// Money for a month in which a client of `candidate` says a message each second; what it holds, and what
/// the server takes by itself, is in the feed's bill.
fn money(
    trial: &TrialRecord,
    (record, rest): (&RunRecord, f64),
    candidate: Contender,
) -> Option<f64> {
    let usage = Usage::of_trial(trial)?.with_cpu(-rest / f64::from(trial.connected));
    let usage = Usage {
        transport: candidate.transport,
        connections: 0.0,
        memory_bytes: Some(0.0),
        // Those that came: who speaks by requests may have more to say than there was time for.
        ..usage.at_pace(1.0 / messages_hz(trial)?)
    };
    Some(bill(&usage, record.price.as_ref()?).ok()?.total())
}

impl Candidate {
    /// The candidate whose clients also say something, `rate_hz` times a second, for what `spoken` holds of
    /// the same rounds. A round of which either is not known is not known.
    #[must_use]
    pub fn speaking(&self, spoken: &[Option<Spoken>], rate_hz: f64) -> Self {
        let both = self.rounds.iter().zip(spoken);
        let rounds =
            both.map(|(round, spoken)| Some(round.as_ref()?.speaking(spoken.as_ref()?, rate_hz)));
        Self { rounds: rounds.collect(), ..self.clone() }
    }
}

impl Round {
    fn speaking(&self, spoken: &Spoken, rate_hz: f64) -> Self {
        let said = spoken.message.times(rate_hz);
        let costs = Costs {
            server_cpu_us: self.costs.server_cpu_us.map(|us| us + said.server_cpu_us),
            wire_bytes: self.costs.wire_bytes.map(|bytes| bytes + said.wire_bytes),
            money: self.costs.money.and_then(|money| Some(money + said.money?)),
            said,
            ..self.costs
        };
        Self { costs, lost: self.lost + spoken.lost, ..*self }
    }
}

/// Turn of two candidates: the factor to how often clients speak at which both cost the same, over the rounds
/// that they share. `None` where there is no such rate, or where it is not known on which side of
/// the user's it lies.
#[must_use]
pub fn turn(one: &Candidate, other: &Candidate, by: Cost) -> Option<Spread> {
    let factor = factor(one, other, by)?;
    let own = corrected(one, other, by).map(|(one, other)| self::factor(&one, &other, by));
    // A check by which there is no such rate leaves none.
    let factor = match own {
        Some(own) => factor.holding(Some(own?.middle)),
        None => factor,
    };
    Some(factor).filter(|it| it.low > 1.0 || it.high < 1.0)
}

fn factor(one: &Candidate, other: &Candidate, by: Cost) -> Option<Spread> {
    let shared = one.rounds.iter().zip(&other.rounds);
    let pairs = shared.filter_map(|(one, other)| Some((one.as_ref()?, other.as_ref()?)));
    let factor = |(one, other): (&Round, &Round)| {
        let hears = |costs: &Costs| Some(costs.get(by)? - costs.said.get(by));
        let difference = hears(&one.costs)? - hears(&other.costs)?;
        let factor = difference / (other.costs.said.get(by) - one.costs.said.get(by));
        (factor.is_finite() && factor > 0.0).then_some(factor)
    };
    Spread::of(&pairs.map(factor).collect::<Option<Vec<f64>>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(cpu_us: f64, money: Option<f64>) -> Option<Round> {
        let costs = Costs {
            server_cpu_us: Some(cpu_us),
            wire_bytes: Some(1_000.0),
            money,
            money_held: money.map(|_| 0.5),
            ..Costs::default()
        };
        Some(Round { fresh_p99_us: None, lost: 1, costs })
    }

    fn spoken(cpu_us: f64, bytes: f64, money: Option<f64>) -> Option<Spoken> {
        let message = Said { server_cpu_us: cpu_us, wire_bytes: bytes, money };
        Some(Spoken { message, lost: 2 })
    }

    fn sse(rounds: Vec<Option<Round>>) -> Candidate {
        Candidate { contender: Contender::SSE, rounds, is_composed: false, check: None }
    }

    /// A message each two seconds for 20 µs, 600 bytes and, where it were one each second, 3 of money.
    #[test]
    fn the_cost_of_what_is_said_comes_to_that_of_what_is_heard() {
        let hears = sse(vec![round(40.0, Some(2.0)); 2]);
        let says = hears.speaking(&[spoken(20.0, 600.0, Some(3.0)), None], 0.5);
        let [Some(first), None] = says.rounds[..] else { panic!("{says:?}") };
        let Costs { server_cpu_us, wire_bytes, money, money_held, .. } = first.costs;
        assert_eq!((server_cpu_us, wire_bytes), (Some(50.0), Some(1_300.0)));
        assert_eq!((money, money_held, first.lost), (Some(3.5), Some(0.5), 3));
    }

    /// An offer that has no price for requests has none for who needs them to speak.
    #[test]
    fn what_is_said_at_no_known_price_makes_the_sum_unknown() {
        let says = sse(vec![round(40.0, Some(2.0))]).speaking(&[spoken(20.0, 600.0, None)], 0.5);
        assert_eq!(says.rounds[0].unwrap().costs.money, None);
        let unpriced = sse(vec![round(40.0, None)]).speaking(&[spoken(20.0, 600.0, None)], 0.5);
        assert_eq!(unpriced.rounds[0].unwrap().costs.server_cpu_us, Some(50.0));
    }

    /// To hear costs 40 and 49 µs a second, and to speak half as often 10 and 4 µs: at 1.5 times that, 15 and
    /// 6 µs, both cost 55. A drift that a round shares moves nothing.
    #[test]
    fn a_way_to_speak_that_is_cheaper_pays_from_a_rate_on() {
        let drift = [1.0, 1.5, 1.2, 0.9, 1.4, 1.1];
        let says = |hears: f64, says: f64| {
            let rounds = drift.map(|drift| round(hears * drift, None)).to_vec();
            let spoken = drift.map(|drift| spoken(says * drift, 0.0, None));
            sse(rounds).speaking(&spoken, 0.5)
        };
        let (post, socket) = (says(40.0, 20.0), says(49.0, 8.0));
        let factor = turn(&post, &socket, Cost::ServerCpu).unwrap();
        assert!((factor.middle - 1.5).abs() < 1e-9 && (factor.high - 1.5).abs() < 1e-9);
        assert_eq!(turn(&socket, &post, Cost::ServerCpu), Some(factor), "either way round");
        assert_eq!(turn(&post, &says(39.0, 8.0), Cost::ServerCpu), None, "cheaper at any rate");
        assert_eq!(
            turn(&post, &says(46.0, 8.0), Cost::ServerCpu),
            None,
            "on which side is unknown"
        );
        assert_eq!(turn(&post, &post, Cost::ServerCpu), None, "spoken in the same way");
    }
}
