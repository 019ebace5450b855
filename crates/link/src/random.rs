//! The random numbers of a line, as a pure function of a packet's place on it.
//!
//! What becomes of the n-th packet of a client in a direction follows from (seed, client, direction,
//! n) alone. When it comes, how large it is and what other clients do changes nothing.

use pushbench_core::random;
use pushbench_metrics::observe::ledger::Direction;

/// The upper bits of all streams of lines, which no other stream of the same seed has.
const LINES: u64 = 0x6c69_6e65 << 32;

/// The random numbers of one direction of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    seed: u64,
    stream: u64,
}

impl Stream {
    /// The numbers of the line with number `line`, from 0, in `direction`.
    #[must_use]
    pub const fn new(seed: u64, line: u32, direction: Direction) -> Self {
        // Mixed, since the number of the line and the upper bits share places.
        let stream = random::mix(LINES ^ line as u64) ^ ((direction as u64) << 1);
        Self { seed, stream }
    }

    /// 64 bits that decide whether the packet with that number, from 0, is lost.
    #[must_use]
    pub const fn loss(self, packet: u64) -> u64 {
        random::bits(self.seed, self.stream, packet)
    }

    /// 64 bits that decide how long it is under way.
    #[must_use]
    pub const fn jitter(self, packet: u64) -> u64 {
        random::bits(self.seed, self.stream ^ 1, packet)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_lines_directions_and_uses_share_numbers() {
        let mut seen = HashSet::new();
        for seed in 0..2 {
            for line in 0..1000 {
                for direction in Direction::ALL {
                    let stream = Stream::new(seed, line, direction);
                    for packet in 0..10 {
                        assert!(seen.insert(stream.loss(packet)), "{seed} {line} {packet}");
                        assert!(seen.insert(stream.jitter(packet)), "{seed} {line} {packet}");
                    }
                }
            }
        }
    }
}
