//! A sender's counter, as all clients of a load process see it: which numbers came, when each was
//! stamped, and to how many of the clients.
//!
//! Numbers need not be dense: an application may count once for all that it sends, and send some of
//! it. So each number has a place, in the order in which the process sees them first, and clients
//! keep places: what is sparse for all of them costs no client memory.

use crate::observe::seen::{Run, Tally};

/// Numbers that follow each other, at places that do.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    first: u64,
    place: u32,
    length: u32,
}

/// The numbers of one counter that came to any client.
#[derive(Debug, Clone, Default)]
pub(super) struct Counter {
    /// By their first number, rising.
    stretches: Vec<Stretch>,
    /// By place.
    numbers: Vec<Number>,
}

/// One number of a counter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number {
    seq: u64,
    /// When it was stamped, or where it has no stamp, arrived: nanoseconds.
    due: u64,
    /// How often clients saw it.
    pub(super) tally: Tally,
}

impl Counter {
    /// The place of `seq`, which it has from now on: `due` is for the first time.
    #[inline]
    pub(super) fn place(&mut self, seq: u64, due: u64) -> u32 {
        let last = self.stretches.last_mut();
        if let Some(last) = last.filter(|last| last.first <= seq) {
            let beyond = seq - last.first;
            if beyond < u64::from(last.length) {
                return last.place + beyond as u32;
            }
            let next = self.numbers.len() as u32;
            if beyond == u64::from(last.length) && last.place + last.length == next {
                last.length += 1;
                self.numbers.push(Number::new(seq, due));
                return next;
            }
        }
        self.search(seq, due)
    }

    pub(super) fn number(&mut self, place: u32) -> &mut Number {
        &mut self.numbers[place as usize]
    }

    #[cold]
    fn search(&mut self, seq: u64, due: u64) -> u32 {
        let behind = self.stretches.partition_point(|stretch| stretch.first <= seq);
        if let Some(stretch) = behind.checked_sub(1).map(|at| self.stretches[at]) {
            let beyond = seq - stretch.first;
            if beyond < u64::from(stretch.length) {
                return stretch.place + beyond as u32;
            }
        }
        let place = self.numbers.len() as u32;
        self.numbers.push(Number::new(seq, due));
        self.stretches.insert(behind, Stretch { first: seq, place, length: 1 });
        place
    }

    /// All numbers in rising order, those together that are alike.
    pub(super) fn runs(&self) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        let places = self.stretches.iter().flat_map(|it| it.place..it.place + it.length);
        for number in places.map(|place| &self.numbers[place as usize]) {
            match runs.last_mut() {
                Some(run) if run.takes(number.seq, &number.tally) => run.push(number.due),
                _ => runs.push(Run::new(number.seq, number.tally, number.due)),
            }
        }
        runs
    }
}

impl Number {
    const fn new(seq: u64, due: u64) -> Self {
        Self { seq, due, tally: Tally::NONE }
    }

    /// Says that a client got it at `due`, in the window.
    #[inline]
    pub(super) const fn set_inside(&mut self, due: u64) {
        if !self.tally.inside {
            (self.tally.inside, self.due) = (true, due);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_has_one_place_in_whatever_order_they_come() {
        let mut counter = Counter::default();
        let numbers = [100, 101, 102, 7, 8, 103, 104, 50, 9, u64::MAX, 0, 105];
        let places: Vec<u32> = numbers.iter().map(|&seq| counter.place(seq, seq)).collect();
        assert_eq!(places, (0..12).collect::<Vec<u32>>());
        let again: Vec<u32> = numbers.iter().map(|&seq| counter.place(seq, 1)).collect();
        assert_eq!(again, places);
        counter.number(3).tally.inside = true;
        let runs: Vec<(u64, u64)> = counter.runs().iter().map(|run| (run.first, run.len)).collect();
        let expected = [(0, 1), (7, 1), (8, 2), (50, 1), (100, 6), (u64::MAX, 1)];
        assert_eq!(runs, expected);
    }

    #[test]
    fn sparse_numbers_are_near_for_clients() {
        let mut counter = Counter::default();
        let places: Vec<u32> = (0..100).map(|n| counter.place(n * 17, 0)).collect();
        assert_eq!(places, (0..100).collect::<Vec<u32>>());
    }
}
