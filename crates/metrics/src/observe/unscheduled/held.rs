//! Numbers that a client holds, as ranges: while messages come in order it is one comparison and no
//! memory.

/// A set of numbers: disjoint ranges in rising order, both ends included, none next to another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Held(Vec<(u32, u32)>);

impl Held {
    /// Puts `number` in; `false` where it was there.
    #[inline]
    pub(super) fn insert(&mut self, number: u32) -> bool {
        match self.0.last_mut() {
            Some((_, last)) if number == *last + 1 => *last = number,
            Some((_, last)) if number <= *last => return self.fill(number),
            _ => self.0.push((number, number)),
        }
        true
    }

    /// All numbers that are in, in rising order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().flat_map(|&(first, last)| first..=last)
    }

    #[cold]
    fn fill(&mut self, number: u32) -> bool {
        let at = self.0.partition_point(|&(_, last)| last < number);
        // Not beyond the last range, or it would have been put there.
        let (first, _) = self.0[at];
        if first <= number {
            return false;
        }
        let behind = at.checked_sub(1).filter(|&it| self.0[it].1 + 1 == number);
        match (behind, first == number + 1) {
            (Some(behind), true) => {
                self.0[behind].1 = self.0[at].1;
                self.0.remove(at);
            }
            (Some(behind), false) => self.0[behind].1 = number,
            (None, true) => self.0[at].0 = number,
            (None, false) => self.0.insert(at, (number, number)),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set(numbers in prop::collection::vec(0_u32..40, 0..80)) {
            let (mut held, mut set) = (Held::default(), BTreeSet::new());
            for number in numbers {
                prop_assert_eq!(held.insert(number), set.insert(number));
            }
            prop_assert!(held.iter().eq(set.iter().copied()));
            prop_assert!(held.0.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
        }
    }
}
