//! Connections that the router has seen, to tell what is sent again.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

use pushbench_core::random;
use pushbench_metrics::observe::ledger::Direction;
use pushbench_protocol::ip::{Sent, Tcp};

/// The most connections that are followed at a time.
const MOST: usize = 1 << 20;

/// Connections that have ended and are still known, since their last segments may be sent again.
const ENDED: usize = 1 << 14;

/// Connections by client and ports.
#[derive(Debug)]
pub(crate) struct Flows {
    known: HashMap<Key, Flow, BuildHasherDefault<Mix>>,
    /// Those that have ended, the longest ago first.
    ended: VecDeque<Key>,
    most: usize,
    untracked: u64,
}

/// A client, its port and the server's.
type Key = u64;

/// A connection; pairs are by direction.
#[derive(Debug, Clone, Copy, Default)]
struct Flow {
    sent: [Option<Sent>; 2],
    /// The number behind each FIN, and whether it was acknowledged.
    fins: [Option<u32>; 2],
    acknowledged: [bool; 2],
    has_ended: bool,
}

impl Flows {
    /// None yet.
    pub(crate) fn new() -> Self {
        let known = HashMap::default();
        Self { known, ended: VecDeque::new(), most: MOST, untracked: 0 }
    }

    /// How many payload bytes of a segment were sent before.
    pub(crate) fn again(&mut self, client: u32, direction: Direction, segment: &Tcp) -> u32 {
        let (near, far) = match direction {
            Direction::Up => (segment.from, segment.to),
            Direction::Down => (segment.to, segment.from),
        };
        let key = u64::from(client) << 32 | u64::from(near) << 16 | u64::from(far);
        if self.known.len() >= self.most && !self.known.contains_key(&key) && !self.forget() {
            self.untracked += 1;
            return 0;
        }
        let flow = self.known.entry(key).or_default();
        let had_ended = flow.has_ended;
        let again = flow.again(direction, segment);
        if flow.has_ended && !had_ended {
            self.ended.push_back(key);
            if self.ended.len() > ENDED {
                self.forget();
            }
        }
        again
    }

    /// Segments of connections that were not followed, being too many.
    pub(crate) const fn untracked(&self) -> u64 {
        self.untracked
    }

    /// Forgets a connection that has ended; whether there was one.
    fn forget(&mut self) -> bool {
        while let Some(key) = self.ended.pop_front() {
            // The ports may be in use again.
            if self.known.get(&key).is_some_and(|flow| flow.has_ended) {
                self.known.remove(&key);
                return true;
            }
        }
        false
    }
}

impl Flow {
    fn again(&mut self, direction: Direction, segment: &Tcp) -> u32 {
        let (own, other) = (direction as usize, 1 - direction as usize);
        let flags = segment.flags;
        // Also the same SYN once more: nothing else has been sent before it is answered.
        if flags.syn() && direction == Direction::Up {
            *self = Self::default();
        }
        let again = match &mut self.sent[own] {
            Some(sent) => sent.again(segment),
            unseen => {
                *unseen = Some(Sent::first(segment));
                0
            }
        };
        if flags.fin() {
            self.fins[own] = Some(segment.end());
        }
        self.acknowledged[other] |= flags.ack() && self.fins[other] == Some(segment.ack);
        self.has_ended |= flags.rst() || self.acknowledged == [true; 2];
        again
    }
}

/// A hash of a key, which is a number that nobody chose to do harm.
#[derive(Debug, Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = random::mix(self.0 ^ number);
    }
}

#[cfg(test)]
mod tests {
    use pushbench_protocol::ip::TcpFlags;

    use super::*;
    use crate::testing::{ACK, FIN, RST, SYN};
    use Direction::{Down, Up};

    fn segment(direction: Direction, flags: u8, seq: u32, payload: u32, ack: u32) -> Tcp {
        let (from, to) = if direction == Up { (40_000, 80) } else { (80, 40_000) };
        let flags = TcpFlags::from_bits(flags);
        Tcp { from, to, seq, ack, flags, header: 20, payload }
    }

    /// A connection by hand, from SYN to the end and beyond.
    #[test]
    fn bytes_that_go_by_twice_are_told_on_both_ways_and_after_the_end() {
        let mut flows = Flows::new();
        for (direction, flags, seq, payload, ack, again, case) in [
            (Up, SYN, 99, 0, 0, 0, "SYN"),
            (Up, SYN, 99, 0, 0, 0, "SYN again, which has no payload"),
            (Down, SYN | ACK, 499, 0, 100, 0, "SYN/ACK"),
            (Up, ACK, 100, 200, 500, 0, "a request"),
            (Down, ACK, 500, 1000, 300, 0, "an answer"),
            (Down, ACK, 1500, 1000, 300, 0, "more of it"),
            (Up, ACK, 300, 0, 500, 0, "an ACK of nothing: the answer was lost"),
            (Down, ACK, 500, 1000, 300, 1000, "the answer again"),
            (Down, ACK, 2000, 1000, 300, 500, "half of it sent before"),
            (Up, ACK | FIN, 300, 10, 3000, 0, "the last request, with FIN"),
            (Up, ACK | FIN, 300, 10, 3000, 10, "again"),
            (Down, ACK | FIN, 3000, 5, 311, 0, "the last answer, with FIN"),
            (Up, ACK, 311, 0, 3006, 0, "the last ACK"),
            (Down, ACK | FIN, 3000, 5, 311, 5, "it was lost: the last answer again"),
            (Up, SYN, 7, 0, 0, 0, "the same ports for another connection"),
            (Up, ACK, 8, 100, 1, 0, "whose first request is new"),
        ] {
            let segment = segment(direction, flags, seq, payload, ack);
            assert_eq!(flows.again(3, direction, &segment), again, "{case}");
        }
        assert_eq!((flows.known.len(), flows.ended.len(), flows.untracked()), (1, 1, 0));
    }

    #[test]
    fn clients_with_the_same_ports_are_told_apart() {
        let mut flows = Flows::new();
        let request = segment(Up, ACK, 1, 100, 1);
        assert_eq!((flows.again(0, Up, &request), flows.again(1, Up, &request)), (0, 0));
        assert_eq!(flows.again(1, Up, &request), 100);
    }

    /// Those that have ended go first; if there are none, what is beyond is counted.
    #[test]
    fn no_more_connections_are_followed_than_there_is_room_for() {
        let mut flows = Flows { most: 2, ..Flows::new() };
        let opens = segment(Up, SYN, 1, 0, 0);
        for client in 0..3 {
            flows.again(client, Up, &opens);
        }
        assert_eq!((flows.known.len(), flows.untracked()), (2, 1));
        flows.again(1, Down, &segment(Down, RST, 1, 0, 2));
        flows.again(3, Up, &opens);
        assert_eq!((flows.known.len(), flows.untracked()), (2, 1));
        let data = segment(Up, ACK, 2, 10, 1);
        assert_eq!(flows.again(3, Up, &data) + flows.again(3, Up, &data), 10, "client 3 is known");
    }

    #[test]
    fn what_has_ended_is_forgotten_in_the_end() {
        let mut flows = Flows::new();
        for client in 0..2 * ENDED as u32 {
            flows.again(client, Up, &segment(Up, SYN, 1, 0, 0));
            flows.again(client, Down, &segment(Down, RST | ACK, 0, 0, 2));
        }
        assert_eq!((flows.known.len(), flows.ended.len()), (ENDED, ENDED));
    }
}
