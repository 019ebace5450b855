//! Places of polling clients within a period: each has a slot of its own, in random order, and a random
//! place in it, so that together they fill the period evenly.

use crate::random;

/// The stream of random numbers that the order of poll phases is drawn from.
const ORDER_STREAM: u64 = 203;

/// The stream of random numbers that a poll phase's place within its slot is drawn from.
const PLACE_STREAM: u64 = 204;

/// The phases of so many clients.
#[derive(Debug, Clone)]
pub struct PollPhases {
    seed: u64,
    order: Vec<usize>,
}

impl PollPhases {
    /// Those of `clients`, a pure function of the seed.
    #[must_use]
    pub fn new(seed: u64, clients: u32) -> Self {
        Self { seed, order: random::permutation(seed, ORDER_STREAM, clients.max(1) as usize) }
    }

    /// The slot of each client, from 0, by its number.
    #[must_use]
    pub fn slots(&self) -> &[usize] {
        &self.order
    }

    /// The place of a client within the period, from 0 to 1; that of the first slot for one that is none
    /// of them.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "at most a million clients")]
    pub fn of(&self, client: u32) -> f64 {
        let slot = self.order.get(client as usize).copied().unwrap_or(0) as f64;
        let place = slot + random::uniform(self.seed, PLACE_STREAM, u64::from(client));
        place / self.order.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_a_slot_of_its_own_and_a_place_in_it() {
        let phases = PollPhases::new(7, 5);
        let mut slots: Vec<usize> =
            (0..5).map(|client| (phases.of(client) * 5.0) as usize).collect();
        assert_eq!(slots, phases.slots());
        slots.sort_unstable();
        assert_eq!(slots, [0, 1, 2, 3, 4]);
        assert!(PollPhases::new(7, 0).of(0) < 1.0);
    }
}
