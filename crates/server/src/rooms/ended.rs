//! Names of rooms that have ended, so that the numbers of one that begins anew go on where they were: a
//! cursor into what is gone is told so, and does not wait for its number to come by again.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use pushbench_core::Seq;

/// The last names, and the number that each had come to.
#[derive(Debug, Default)]
pub(super) struct Ended {
    by_name: HashMap<Rc<str>, (Seq, u64)>,
    /// In the order of their ends, each with its place in it.
    order: VecDeque<(Rc<str>, u64)>,
    ends: u64,
}

impl Ended {
    /// Keeps a name, and with it no more than `most`.
    pub(super) fn remember(&mut self, name: &Rc<str>, newest: Seq, most: usize) {
        if newest == Seq::NONE {
            return;
        }
        self.ends += 1;
        self.by_name.insert(Rc::clone(name), (newest, self.ends));
        self.order.push_back((Rc::clone(name), self.ends));
        while self.order.len() > most {
            let Some((oldest, place)) = self.order.pop_front() else { break };
            // One that has begun anew since, and ended again, has another place.
            if self.by_name.get(&oldest).is_some_and(|(_, last)| *last == place) {
                self.by_name.remove(&oldest);
            }
        }
    }

    /// The number after which a room of this name goes on.
    pub(super) fn recall(&mut self, name: &str) -> Seq {
        self.by_name.remove(name).map_or(Seq::NONE, |(newest, _)| newest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_names_are_kept_and_no_more() {
        let mut ended = Ended::default();
        let name = |text: &str| Rc::<str>::from(text);
        ended.remember(&name("a"), Seq(1), 2);
        ended.remember(&name("b"), Seq(2), 2);
        assert_eq!(ended.recall("a"), Seq(1));
        assert_eq!(ended.recall("a"), Seq::NONE, "it is there again");
        ended.remember(&name("a"), Seq(3), 2);
        ended.remember(&name("silent"), Seq::NONE, 2);
        assert_eq!((ended.recall("b"), ended.recall("a")), (Seq(2), Seq(3)));
        for number in 4..100 {
            ended.remember(&name("c"), Seq(number), 2);
            ended.remember(&name("d"), Seq(number), 2);
        }
        assert_eq!((ended.order.len(), ended.by_name.len()), (2, 2));
        assert_eq!((ended.recall("c"), ended.recall("d")), (Seq(99), Seq(99)));
    }
}
