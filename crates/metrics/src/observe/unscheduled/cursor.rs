//! A client's way through a counter: what it holds, and whether its numbers stepped back.

use pushbench_core::MonoInstant;

use super::held::Held;
use crate::observe::seen::Restarts;

/// So many steps back, and one in so many arrivals since the first: more than messages that overtake
/// each other now and then. It is for numbers without a stamp, which say nothing else.
const STEPS: u32 = 10;
const STEPS_SHARE: u32 = 3;

/// A client's messages of one counter.
#[derive(Debug, Clone, Default)]
pub(super) struct Cursor {
    /// Places in the counter.
    pub(super) held: Held,
    /// The greatest number.
    pub(super) newest: Option<u64>,
    /// The number and the stamp up to which the counter came.
    last: (u64, MonoInstant),
    /// Steps back of numbers without a stamp, and arrivals since the first of them.
    steps: u32,
    since: u32,
    restarts: Option<Restarts>,
}

impl Cursor {
    /// Whether `seq` is less than one that is here.
    pub(super) fn is_behind(&self, seq: u64) -> bool {
        self.newest.is_some_and(|newest| seq < newest)
    }

    /// Takes the next number into account.
    pub(super) fn step(&mut self, seq: u64, due: Option<MonoInstant>) {
        let behind = self.newest.is_some() && seq < self.last.0;
        match due {
            // Overtaken messages are older by their stamps; a counter that began again is not.
            Some(due) if behind && due > self.last.1 => {
                self.restarted(seq);
                self.last = (seq, due);
            }
            Some(due) if !behind => self.last = (seq, due.max(self.last.1)),
            Some(_) => {}
            None => self.step_without_stamp(seq, behind),
        }
        self.newest = self.newest.max(Some(seq));
    }

    fn step_without_stamp(&mut self, seq: u64, behind: bool) {
        if behind && self.steps == 0 {
            self.restarted(seq);
        }
        self.steps += u32::from(behind);
        self.since += u32::from(self.steps > 0);
        if !behind {
            self.last.0 = seq;
        }
    }

    fn restarted(&mut self, to: u64) {
        let first = Restarts { times: 0, from: self.last.0, to };
        self.restarts.get_or_insert(first).times += 1;
    }

    /// How often numbers stepped back although time went on.
    pub(super) fn restarts(&self) -> Option<Restarts> {
        let rare = self.steps < STEPS || self.steps.saturating_mul(STEPS_SHARE) < self.since;
        self.restarts.filter(|_| self.steps == 0 || !rare)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether numbers are told to have stepped back, and how often, as (number, stamp).
    fn restarts(numbers: impl IntoIterator<Item = (u64, Option<u64>)>) -> Option<u64> {
        let mut cursor = Cursor::default();
        for (seq, due) in numbers {
            cursor.step(seq, due.map(MonoInstant));
        }
        cursor.restarts().map(|restarts| restarts.times)
    }

    #[test]
    fn numbers_that_begin_again_are_told_and_overtaken_ones_are_not() {
        let stamped =
            |numbers: &[(u64, u64)]| restarts(numbers.iter().map(|&(seq, due)| (seq, Some(due))));
        assert_eq!(stamped(&[(7, 70), (8, 80), (1, 90), (2, 100), (3, 110)]), Some(1));
        assert_eq!(stamped(&[(7, 70), (9, 90), (8, 80), (10, 100), (9, 90)]), None);
        assert_eq!(stamped(&[(7, 10), (100, 20), (8, 30), (101, 40), (9, 50)]), Some(2));
        // Several messages of one millisecond.
        assert_eq!(stamped(&[(7, 10), (9, 10), (8, 10)]), None);
    }

    #[test]
    fn without_stamps_it_takes_many_steps_back() {
        let bare = |numbers: Vec<u64>| restarts(numbers.into_iter().map(|seq| (seq, None)));
        assert_eq!(bare((100..200).chain(1..20).collect()), Some(1));
        assert_eq!(bare((0..40).map(|n| n / 2 + 1_000 * (n % 2)).collect()), Some(1));
        let overtaken = |n| if n % 10 < 2 { n ^ 1 } else { n };
        assert_eq!(bare((10..1_000).map(overtaken).collect()), None);
        assert_eq!(bare(vec![5, 6, 1]), None);
    }
}
