//! A check of composed costs: trials at the user's own numbers, and what it makes of all that was concluded
//! from them.
//!
//! The rounds of a composed cost agree with each other, and know nothing of an error that all of them share.
//! Trials at the user's own numbers do not share it. What they measured is in each interval that a composed cost has a
//! part in, so that nothing is concluded that it does not bear out.

use serde::{Deserialize, Serialize};

use super::fresh::at_least_us;
use super::{Candidate, Cost, Costs, Round, Spread};
use crate::judge::stats::median;
use crate::judge::stats::paired::Paired;
use crate::observe::censored::Bounded;

/// Trials at the user's own numbers. Costs are as parts of those that were composed for as many clients as they
/// had: 1.1 where they measured 10 % more. `None` is "not known".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Check {
    /// The server's CPU time.
    pub server_cpu: Option<f64>,
    /// Bytes of all layers, both directions.
    pub wire_bytes: Option<f64>,
    /// Money, where prices are given.
    pub money: Option<f64>,
    /// The figure `fresh_p99_us`.
    pub fresh_p99_us: Option<Bounded>,
    /// Messages that clients were promised and did not get, in all trials.
    pub lost: u64,
    /// Trials that all else is the median of.
    pub trials: u32,
}

impl Check {
    /// The check of a candidate by valid trials of its own, with as many clients; `None` where there is none.
    #[must_use]
    pub fn of(composed: &Candidate, own: &[Round]) -> Option<Self> {
        let part = |cost: Cost| {
            let costs = own.iter().map(|round| round.costs.get(cost));
            let measured = median(&costs.collect::<Option<Vec<f64>>>()?)?;
            let middle = composed.spread(|costs| costs.get(cost))?.middle;
            Some(measured / middle).filter(|part| part.is_finite() && *part > 0.0)
        };
        (!own.is_empty()).then(|| Self {
            server_cpu: part(Cost::ServerCpu),
            wire_bytes: part(Cost::WireBytes),
            money: part(Cost::Money),
            fresh_p99_us: middle_fresh(own),
            lost: own.iter().map(|round| round.lost).sum(),
            trials: u32::try_from(own.len()).unwrap_or(u32::MAX),
        })
    }

    /// The cost that it measured, as a part of the composed one.
    const fn part(&self, cost: Cost) -> Option<f64> {
        match cost {
            Cost::Money => self.money,
            Cost::ServerCpu => self.server_cpu,
            Cost::WireBytes => self.wire_bytes,
        }
    }

    /// Costs as they are by the check. What clients say, and what is due without messages, is measured by itself
    /// and stays.
    fn correct(&self, costs: &Costs) -> Costs {
        let heard = |cost: Cost| {
            let (all, said) = (costs.get(cost)?, costs.said.get(cost));
            Some((all - said) * self.part(cost).unwrap_or(1.0) + said)
        };
        Costs {
            server_cpu_us: heard(Cost::ServerCpu),
            wire_bytes: heard(Cost::WireBytes),
            money: heard(Cost::Money),
            ..*costs
        }
    }
}

/// The freshness in the middle, of two the worse; `None` where that of one is not known.
fn middle_fresh(own: &[Round]) -> Option<Bounded> {
    let mut all = own.iter().map(|round| round.fresh_p99_us).collect::<Option<Vec<Bounded>>>()?;
    all.sort_by(|one, other| at_least_us(Some(*one)).total_cmp(&at_least_us(Some(*other))));
    all.get(all.len() / 2).copied()
}

impl Candidate {
    /// Whether its composed costs have a check that knows this one.
    pub(super) fn is_checked(&self, by: Cost) -> bool {
        self.check.is_some_and(|check| check.part(by).is_some())
    }

    /// The candidate with its costs as they are by its check; itself without one.
    pub(super) fn corrected(&self) -> Self {
        let Some(check) = &self.check else { return self.clone() };
        let round = |round: &Round| Round { costs: check.correct(&round.costs), ..*round };
        let rounds = self.rounds.iter().map(|it| it.as_ref().map(round)).collect();
        Self { rounds, ..self.clone() }
    }
}

/// Both as they are by the checks that they have, by which what is concluded of them is to be borne out; `None`
/// where there is none of that cost of one that is composed.
pub(super) fn corrected(
    one: &Candidate,
    other: &Candidate,
    by: Cost,
) -> Option<(Candidate, Candidate)> {
    let is_checked = |it: &Candidate| it.is_composed && it.is_checked(by);
    (is_checked(one) || is_checked(other)).then(|| (one.corrected(), other.corrected()))
}

/// A part by which one costs more than another, by their checks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The part, 0.2 being 20 % more.
    pub part: f64,
    /// Whether both have a check; where one has none, its rounds stand for it.
    pub of_both: bool,
}

impl Spread {
    /// The spread whose interval holds also that value.
    pub(super) fn holding(self, value: Option<f64>) -> Self {
        let Some(value) = value else { return self };
        Self { low: self.low.min(value), high: self.high.max(value), ..self }
    }
}

impl Paired {
    /// The differences whose interval holds also that value.
    pub(super) fn holding(self, value: Option<f64>) -> Self {
        let Some(value) = value else { return self };
        Self { low: self.low.min(value), high: self.high.max(value), ..self }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pushbench_core::{Contender, Delivery};

    use super::super::said::Said;
    use super::super::turn::Turn;
    use super::super::{Answer, Out, Wishes, advise};
    use super::*;

    const WISHES: Wishes =
        Wishes { fresh: Duration::from_secs(10), delivery: Delivery::Latest, margin: 0.1 };

    /// Six rounds of so many microseconds, all alike, of which the check measured such a part.
    fn candidate(contender: Contender, cpu_us: f64, part: Option<f64>) -> Candidate {
        let costs = Costs { server_cpu_us: Some(cpu_us), ..Costs::default() };
        let fresh_p99_us = Some(Bounded::Exactly(9e6));
        let rounds = vec![Some(Round { fresh_p99_us, lost: 0, costs }); 6];
        let check = part.map(|part| Check {
            server_cpu: Some(part),
            wire_bytes: None,
            money: None,
            fresh_p99_us,
            lost: 0,
            trials: 1,
        });
        Candidate { contender, rounds, is_composed: false, check }
    }

    /// A poll that is composed, and a stream that is not.
    fn both(poll: (f64, Option<f64>), sse: (f64, Option<f64>)) -> [Candidate; 2] {
        let poll = candidate(Contender::SHORT_POLL, poll.0, poll.1);
        [Candidate { is_composed: true, ..poll }, candidate(Contender::SSE, sse.0, sse.1)]
    }

    /// 14 µs against 140 are ten times; measured are 17.5 and 140: eight times.
    #[test]
    fn a_margin_holds_what_the_check_measured() {
        let advice = advise(&both((14.0, Some(1.25)), (140.0, Some(1.0))), &WISHES);
        let Answer::Take { best: 0, next: Some((1, dearer)), .. } = advice.answer else {
            panic!("{advice:?}");
        };
        let parts = [dearer.part.middle, dearer.part.low, dearer.part.high];
        for (part, due) in parts.into_iter().zip([9.0, 7.0, 9.0]) {
            assert!((part - due).abs() < 1e-9, "{dearer:?}");
        }
        assert!(
            dearer.is_composed && (dearer.checked.unwrap().part - 7.0).abs() < 1e-9,
            "{dearer:?}"
        );
        // A machine that was slower in all checks was so to both.
        let advice = advise(&both((14.0, Some(1.25)), (140.0, Some(1.25))), &WISHES);
        let Answer::Take { next: Some((_, dearer)), .. } = advice.answer else { panic!() };
        assert!((dearer.part.low - 9.0).abs() < 1e-9, "{dearer:?}");
    }

    /// 80 µs against 100 by composition, and 104 against 100 measured.
    #[test]
    fn what_the_check_does_not_bear_out_is_not_recommended() {
        let advice = advise(&both((80.0, Some(1.3)), (100.0, Some(1.0))), &WISHES);
        let Answer::Any { are_alike: false, unborne: Some(0), shown_from: Some(from), .. } =
            advice.answer
        else {
            panic!("{advice:?}");
        };
        assert!((from - 0.1).abs() < 1e-9, "the rounds would show the margin itself: {from}");
        // A part that does not matter to the user is none either: 80 against 100, measured 99 and 100.
        let little = advise(&both((80.0, Some(1.2375)), (100.0, Some(1.0))), &WISHES);
        assert!(matches!(little.answer, Answer::Any { unborne: Some(0), .. }), "{little:?}");
        let unchecked = advise(&both((80.0, None), (100.0, None)), &WISHES);
        let Answer::Take { best: 0, next: Some((_, dearer)), .. } = unchecked.answer else {
            panic!("{unchecked:?}");
        };
        assert!(dearer.is_composed && dearer.checked.is_none(), "{dearer:?}");
    }

    #[test]
    fn a_trial_more_of_what_is_measured_as_it_is_changes_nothing() {
        let mut measured = both((80.0, Some(1.3)), (100.0, Some(1.0)));
        measured[0].is_composed = false;
        let advice = advise(&measured, &WISHES);
        let Answer::Take { best: 0, next: Some((_, dearer)), .. } = advice.answer else {
            panic!("{advice:?}");
        };
        assert!((dearer.part.low - 0.25).abs() < 1e-9 && dearer.checked.is_none(), "{dearer:?}");
    }

    #[test]
    fn a_check_that_was_stale_or_lost_messages_speaks_against_what_is_composed() {
        let mut stale = both((14.0, Some(1.0)), (140.0, Some(1.0)));
        stale[0].check.as_mut().unwrap().fresh_p99_us = Some(Bounded::Exactly(11e6));
        let out = advise(&stale, &WISHES).out[0];
        assert_eq!(out, Some(Out::FreshnessNotShown { fresh: 6, rounds: 7 }));
        let mut lossy = both((14.0, Some(1.0)), (140.0, Some(1.0)));
        lossy[0].check.as_mut().unwrap().lost = 2;
        assert_eq!(advise(&lossy, &WISHES).out[0], Some(Out::Lost { messages: 2 }));
        lossy[0].is_composed = false;
        assert_eq!(advise(&lossy, &WISHES).out[0], None, "six rounds say more than one trial");
    }

    /// 14 µs of polls are measured as 17.5, and nothing is known of the stream's check.
    #[test]
    fn the_check_of_one_alone_is_told_as_that() {
        let advice = advise(&both((14.0, Some(1.25)), (140.0, None)), &WISHES);
        let Answer::Take { next: Some((_, dearer)), .. } = advice.answer else {
            panic!("{advice:?}");
        };
        let checked = dearer.checked.unwrap();
        assert!((checked.part - 7.0).abs() < 1e-9 && !checked.of_both, "{dearer:?}");
        assert!((dearer.part.low - 7.0).abs() < 1e-9, "{dearer:?}");
    }

    /// 20 µs against 100 turn at a fifth of the rate, 25 against 100 at a quarter.
    #[test]
    fn a_turn_holds_what_the_check_measured() {
        let [poll, sse] = both((20.0, Some(1.25)), (100.0, Some(1.0)));
        let turn = Turn::of(&poll, &sse, Cost::ServerCpu, Delivery::Latest).unwrap();
        let ends = [turn.rate.low, turn.rate.middle, turn.rate.high];
        for (end, due) in ends.into_iter().zip([0.2, 0.2, 0.25]) {
            assert!((end - due).abs() < 1e-9, "{turn:?}");
        }
        // By the check it lies on the other side of the user's numbers.
        let [poll, sse] = both((90.0, Some(1.25)), (100.0, Some(1.0)));
        assert_eq!(Turn::of(&poll, &sse, Cost::ServerCpu, Delivery::Latest), None);
    }

    /// Of 50 µs, 10 are for what clients say, which was measured by itself: 40 of them are 50.
    #[test]
    fn what_clients_say_is_not_corrected() {
        let mut poll = candidate(Contender::SHORT_POLL, 50.0, Some(1.25));
        for round in poll.rounds.iter_mut().flatten() {
            round.costs.said = Said { server_cpu_us: 10.0, ..Said::default() };
        }
        let corrected = poll.corrected().spread(|costs| costs.server_cpu_us).unwrap();
        assert!((corrected.middle - 60.0).abs() < 1e-9, "{corrected:?}");
    }

    #[test]
    fn a_check_is_told_in_parts_of_what_was_composed() {
        let composed = candidate(Contender::SHORT_POLL, 80.0, None);
        let costs = Costs { server_cpu_us: Some(100.0), ..Costs::default() };
        let own = Round { fresh_p99_us: None, lost: 3, costs };
        let check = Check::of(&composed, &[own]).unwrap();
        assert!((check.server_cpu.unwrap() - 1.25).abs() < 1e-9, "{check:?}");
        assert_eq!((check.wire_bytes, check.lost), (None, 3));
        assert_eq!(Check::of(&composed, &[]), None, "no trial was valid");
    }

    /// 100, 300 and 120 µs, of which 100 come a second late, and one trial loses a message.
    #[test]
    fn a_check_is_the_median_of_its_trials() {
        let composed = candidate(Contender::SHORT_POLL, 80.0, None);
        let trial = |cpu_us: f64, fresh: Bounded, lost| {
            let costs = Costs { server_cpu_us: Some(cpu_us), ..Costs::default() };
            Round { fresh_p99_us: Some(fresh), lost, costs }
        };
        let own = [
            trial(100.0, Bounded::AtLeast(1e6), 1),
            trial(300.0, Bounded::Exactly(1e3), 0),
            trial(120.0, Bounded::Exactly(2e3), 0),
        ];
        let check = Check::of(&composed, &own).unwrap();
        assert!((check.server_cpu.unwrap() - 1.5).abs() < 1e-9, "{check:?}");
        assert_eq!(check.fresh_p99_us, Some(Bounded::Exactly(2e3)));
        assert_eq!((check.lost, check.trials), (1, 3));
    }
}
