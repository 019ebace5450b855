//! The order of trials: rounds, so that drift of the machine hits all contenders alike.

use pushbench_core::random;
use pushbench_core::scenario::{Point, Scenario};
use pushbench_metrics::record::TrialId;

/// The stream of random numbers that the order of trials is drawn from.
const ORDER_STREAM: u64 = 30;

/// Rounds of trials: each holds every point, and at each point every transport in a seeded
/// random order.
pub(super) fn order(scenario: &Scenario, points: &[Point]) -> Vec<TrialId> {
    let contenders = &scenario.contenders;
    let mut trials = Vec::new();
    for round in 1..=scenario.runs {
        for point in points {
            let stream = ORDER_STREAM + (u64::from(round) << 32) + (u64::from(point.id) << 8);
            for index in random::permutation(scenario.seed, stream, contenders.len()) {
                trials.push(TrialId { point: point.id, contender: contenders[index], round });
            }
        }
    }
    trials
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The trials of a scenario, in their order.
    fn trials(text: &str) -> Vec<TrialId> {
        let scenario = Scenario::parse(text).unwrap();
        order(&scenario, &scenario.points(None))
    }

    #[test]
    fn the_same_seed_gives_the_same_order_and_another_seed_another() {
        let text = "runs = 20\nclients = [1, 2]\nseed = 5";
        assert_eq!(trials(text), trials(text));
        assert_ne!(trials(text), trials("runs = 20\nclients = [1, 2]\nseed = 6"));
    }

    #[test]
    fn a_round_holds_each_transport_once_at_each_point() {
        let text = "runs = 3\nclients = [1, 2]";
        let (trials, scenario) = (trials(text), Scenario::parse(text).unwrap());
        assert_eq!(trials.len(), 3 * 2 * 4);
        for chunk in trials.chunks(4) {
            assert!(
                chunk.iter().all(|id| id.point == chunk[0].point && id.round == chunk[0].round)
            );
            for contender in &scenario.contenders {
                assert_eq!(chunk.iter().filter(|id| id.contender == *contender).count(), 1);
            }
        }
        let orders: Vec<_> = trials.chunks(4).map(|c| c.iter().map(|id| id.contender)).collect();
        assert!(orders.iter().any(|order| !order.clone().eq(orders[0].clone())), "never shuffled");
    }
}
