//! Turns: by how many times more messages, or how much longer a period of polls, a poll and a push cost
//! the same.
//!
//! What each costs is put together of what was measured: a push costs in proportion to its messages,
//! beside what it is to be connected, and a poll in proportion to how often it asks. What a message adds
//! to a poll that finds one already is nothing where only the newest counts. Where each counts, of bytes
//! it is what messages are themselves, and of other costs it is not known: then a turn is only a bound.
//! All of that holds as long as each poll finds a message.

use pushbench_core::Delivery;

use super::check::corrected;
use super::{Candidate, Cost, Costs, Round, Spread};

/// A turn between a poll and a push: times the user's own number, over the rounds that they share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Turn {
    /// By how many times as many messages.
    pub rate: Spread,
    /// By how many times as long a period of the polls.
    pub period: Spread,
    /// Whether it is no nearer than that, and may be farther, or nowhere.
    pub at_least: bool,
}

impl Turn {
    /// The turn in a cost; `None` where there is none, or where it is not known on which side of the
    /// user's numbers it lies.
    #[must_use]
    pub fn of(poll: &Candidate, push: &Candidate, by: Cost, delivery: Delivery) -> Option<Self> {
        let (rate, period) = factors(poll, push, by, delivery)?;
        let own = corrected(poll, push, by).map(|(poll, push)| factors(&poll, &push, by, delivery));
        // A check by which there is no turn leaves none.
        let (rate, period) = match own {
            Some(own) => {
                let (of_rate, of_period) = own?;
                (rate.holding(Some(of_rate.middle)), period.holding(Some(of_period.middle)))
            }
            None => (rate, period),
        };
        let at_least = delivery == Delivery::Every && by != Cost::WireBytes;
        // A bound from below says nothing of what is below it.
        let is_shown = |it: &Spread| it.low > 1.0 || (it.high < 1.0 && !at_least);
        [rate, period].iter().all(is_shown).then_some(Self { rate, period, at_least })
    }
}

/// The factors to rate and period at which both cost the same, over the rounds that they share.
fn factors(
    poll: &Candidate,
    push: &Candidate,
    by: Cost,
    delivery: Delivery,
) -> Option<(Spread, Spread)> {
    let shared = poll.rounds.iter().zip(&push.rounds);
    let pairs = shared.filter_map(|(poll, push)| Some((poll.as_ref()?, push.as_ref()?)));
    let factors = |(poll, push): (&Round, &Round)| {
        let (polled, pushed) = (Parts::polled(&poll.costs, by, delivery)?, push.costs);
        polled.turns(pushed.get(by)?, pushed.held(by)?)
    };
    let factors: Vec<(f64, f64)> = pairs.map(factors).collect::<Option<_>>()?;
    let over =
        |of: fn(&(f64, f64)) -> f64| Spread::of(&factors.iter().map(of).collect::<Vec<f64>>());
    Some((over(|it| it.0)?, over(|it| it.1)?))
}

/// Parts of the cost of a poll.
#[derive(Debug, Clone, Copy)]
struct Parts {
    /// Of being there.
    held: f64,
    /// Of asking.
    asked: f64,
    /// Of the messages that are found.
    found: f64,
}

impl Parts {
    fn polled(costs: &Costs, by: Cost, delivery: Delivery) -> Option<Self> {
        let found = match (delivery, by) {
            (Delivery::Every, Cost::WireBytes) => costs.message_bytes?,
            _ => 0.0,
        };
        let held = costs.held(by)?;
        Some(Self { held, asked: costs.get(by)? - held - found, found })
    }

    /// The factors to rate and period at which a push that costs so much costs the same; `None` where
    /// there are none.
    fn turns(&self, push: f64, push_held: f64) -> Option<(f64, f64)> {
        let Self { held, asked, found } = *self;
        let rate = (held + asked - push_held) / (push - push_held - found);
        let period = asked / (push - held - found);
        let is_factor = |it: f64| it.is_finite() && it > 0.0;
        (is_factor(rate) && is_factor(period)).then_some((rate, period))
    }
}

impl Costs {
    /// The part of a cost that neither messages nor polls add to.
    fn held(&self, by: Cost) -> Option<f64> {
        match by {
            Cost::Money => Some(self.money_held? + self.said.get(by)),
            Cost::ServerCpu => Some(self.server_cpu_held_us + self.said.get(by)),
            Cost::WireBytes => Some(self.said.get(by)),
        }
    }
}

#[cfg(test)]
mod tests {
    use pushbench_core::Contender;

    use super::super::said::Said;
    use super::*;

    /// Rounds with these costs.
    fn candidate(contender: Contender, costs: [Costs; 6]) -> Candidate {
        let round = |costs| Some(Round { fresh_p99_us: None, lost: 0, costs });
        Candidate { contender, rounds: costs.map(round).to_vec(), is_composed: false, check: None }
    }

    fn both(poll: [Costs; 6], push: [Costs; 6]) -> (Candidate, Candidate) {
        (candidate(Contender::SHORT_POLL, poll), candidate(Contender::SSE, push))
    }

    fn cpu(us: f64) -> Costs {
        Costs { server_cpu_us: Some(us), ..Costs::default() }
    }

    fn bytes(wire: f64, messages: f64) -> Costs {
        Costs { wire_bytes: Some(wire), message_bytes: Some(messages), ..Costs::default() }
    }

    fn close(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-9
    }

    /// A machine that is by half slower in a round is so to both, so that the ratio of 150 to 100 has no
    /// spread but what one of them has alone: 150 to 96 and to 104.
    #[test]
    fn a_drift_that_a_round_shares_is_not_in_the_interval() {
        let drift = [1.0, 1.5, 1.2, 0.9, 1.4, 1.1];
        let noise = [1.0, 0.96, 1.04, 1.0, 1.0, 1.0];
        let poll = drift.map(|drift| cpu(150.0 * drift));
        let push = std::array::from_fn(|at| cpu(100.0 * drift[at] * noise[at]));
        let (poll, push) = both(poll, push);
        let turn = Turn::of(&poll, &push, Cost::ServerCpu, Delivery::Latest).unwrap();
        assert!(close(turn.rate.middle, 1.5) && close(turn.period.middle, 1.5), "{turn:?}");
        assert!(close(turn.rate.low, 1.5 / 1.04) && close(turn.rate.high, 1.5 / 0.96), "{turn:?}");
        assert!(!turn.at_least);
    }

    #[test]
    fn where_it_may_lie_on_either_side_of_the_users_numbers_none_is_told() {
        let (poll, push) = both([90.0, 95.0, 100.0, 101.0, 105.0, 110.0].map(cpu), [cpu(100.0); 6]);
        assert_eq!(Turn::of(&poll, &push, Cost::ServerCpu, Delivery::Latest), None);
    }

    /// A poll's 600 bytes a second are 400 for asking and 200 of messages; a push takes 300 for as many:
    /// 400 and 200 f are 300 f at four times the rate, and 400 / g and 200 are 300 at four times the period.
    #[test]
    fn where_each_message_counts_its_own_bytes_come_with_either() {
        let (poll, push) = both([bytes(600.0, 200.0); 6], [bytes(300.0, 220.0); 6]);
        let turn = Turn::of(&poll, &push, Cost::WireBytes, Delivery::Every).unwrap();
        assert!(close(turn.rate.middle, 4.0) && close(turn.period.middle, 4.0), "{turn:?}");
        let latest = Turn::of(&poll, &push, Cost::WireBytes, Delivery::Latest).unwrap();
        assert!(close(latest.rate.middle, 2.0), "{latest:?}");
        // Whose messages alone are as many bytes as all of a push is dearer at any rate.
        let (poll, push) = both([bytes(600.0, 310.0); 6], [bytes(300.0, 220.0); 6]);
        assert_eq!(Turn::of(&poll, &push, Cost::WireBytes, Delivery::Every), None);
    }

    #[test]
    fn where_each_message_counts_cpu_tells_no_more_than_how_long_a_push_is_cheaper() {
        let (dear, push) = both([cpu(150.0); 6], [cpu(100.0); 6]);
        let turn = Turn::of(&dear, &push, Cost::ServerCpu, Delivery::Every).unwrap();
        assert!(turn.at_least && close(turn.rate.middle, 1.5), "{turn:?}");
        let (cheap, push) = both([cpu(80.0); 6], [cpu(100.0); 6]);
        assert_eq!(Turn::of(&cheap, &push, Cost::ServerCpu, Delivery::Every), None);
    }

    /// Of 150 µs of polls and 100 of a push 20 are the server's own at any rate: 20 and 80 f are 150 at 1.625
    /// times the rate, and 20 and 130 / g are 100 at 1.625 times the period.
    #[test]
    fn what_the_server_takes_by_itself_is_due_at_any_rate() {
        let held = |us| Costs { server_cpu_held_us: 20.0, ..cpu(us) };
        let (poll, push) = both([held(150.0); 6], [held(100.0); 6]);
        let turn = Turn::of(&poll, &push, Cost::ServerCpu, Delivery::Latest).unwrap();
        assert!(close(turn.rate.middle, 1.625) && close(turn.period.middle, 1.625), "{turn:?}");
    }

    /// Of 150 and 100, 30 and 20 are for what clients say, at any rate: 20 and 80 f are 150 at 1.625 times the rate,
    /// and 30 and 120 / g are 100 at 120 / 70 times the period. So of bytes, and of money as far as it is known.
    #[test]
    fn what_clients_say_costs_the_same_at_any_rate() {
        let of = |all: f64, said: f64| {
            let said = Said { server_cpu_us: said, wire_bytes: said, money: Some(said) };
            let (cpu, bytes, money) = (Some(all), Some(all), Some(all));
            let costs = Costs { server_cpu_us: cpu, wire_bytes: bytes, money, ..Costs::default() };
            Costs { money_held: Some(0.0), said, ..costs }
        };
        let (poll, push) = both([of(150.0, 30.0); 6], [of(100.0, 20.0); 6]);
        for by in [Cost::ServerCpu, Cost::WireBytes, Cost::Money] {
            let turn = Turn::of(&poll, &push, by, Delivery::Latest).unwrap();
            assert!(close(turn.rate.middle, 1.625), "{by:?} {turn:?}");
            assert!(close(turn.period.middle, 120.0 / 70.0), "{by:?} {turn:?}");
        }
    }

    /// To be connected costs a push 4, and its messages 8; polls cost 24, of which 2 are for memory:
    /// 4 and 8 f are 24 at 2.5 times the rate, and 2 and 22 / g are 12 at 2.2 times the period.
    #[test]
    fn money_for_being_connected_is_due_at_any_rate() {
        let money = |all, held| Costs { money: Some(all), money_held: Some(held), ..cpu(1.0) };
        let (poll, push) = both([money(24.0, 2.0); 6], [money(12.0, 4.0); 6]);
        let turn = Turn::of(&poll, &push, Cost::Money, Delivery::Latest).unwrap();
        assert!(close(turn.rate.middle, 2.5) && close(turn.period.middle, 2.2), "{turn:?}");
        // Polls that cost less than to be connected do so at any rate.
        let (poll, push) = both([money(3.0, 2.0); 6], [money(12.0, 4.0); 6]);
        assert_eq!(Turn::of(&poll, &push, Cost::Money, Delivery::Latest), None);
    }
}
