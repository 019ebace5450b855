//! One direction of one line: when a packet arrives, or why it does not.
//!
//! A packet waits in front of the line, is sent bit by bit at the line's rate, and is then under way
//! for the delay. With a fixed rate its departure is known on arrival, so that there is no queue to
//! keep, only the instant at which the line is free again. All arithmetic is of whole numbers: that
//! instant is kept to the fraction of a nanosecond that the rate gives, and a million packets take
//! exactly as long as their bits.

use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_core::instant::saturating_nanos;
use pushbench_core::link::{Cause, Link, QueueLimit, Ways};
use pushbench_metrics::observe::ledger::Direction;

use crate::loss::Loss;
use crate::random::Stream;

/// The fate of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It arrives.
    Arrives {
        /// When: never before it could have.
        at: MonoInstant,
        /// How long it waited until the line began to send it.
        queued: Duration,
    },
    /// It does not.
    Dropped(Cause),
}

/// One direction of one line.
#[derive(Debug, Clone)]
pub struct Line {
    rate: Option<u64>,
    queue: QueueLimit,
    delay_ns: u64,
    jitter_ns: u64,
    mtu: u16,
    reorders: bool,
    loss: Loss,
    stream: Stream,
    /// Packets that came so far, which is the number of the next one.
    packets: u64,
    free_at: Fraction,
    /// The latest arrival so far.
    last_at: MonoInstant,
}

/// An instant of a line with a rate: nanoseconds, and a fraction of one in parts of 1 / rate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Fraction {
    nanos: u64,
    parts: u64,
}

/// Bits of a byte times nanoseconds of a second: what a byte takes, in parts of 1 / rate.
const BYTE_NANOS: u64 = 8 * 1_000_000_000;

impl Fraction {
    const fn whole(nanos: u64) -> Self {
        Self { nanos, parts: 0 }
    }

    /// The first whole nanosecond that is not before it.
    const fn rounded_up(self) -> u64 {
        self.nanos + (self.parts > 0) as u64
    }

    /// When `bytes` that the line begins to send at `self` are sent.
    fn sent(self, bytes: usize, rate: u64) -> Self {
        // No more than 2⁵⁰, as the MTU is below 2¹⁶ and a part of a nanosecond below the rate.
        let parts = bytes as u64 * BYTE_NANOS + self.parts;
        Self { nanos: self.nanos + parts / rate, parts: parts % rate }
    }

    /// Bytes that the line sends from `now` until then, a last one begun counted as whole.
    fn bytes_from(self, now: u64, rate: u64) -> u128 {
        let nanos = u128::from(self.nanos.saturating_sub(now));
        (nanos * u128::from(rate) + u128::from(self.parts)).div_ceil(u128::from(BYTE_NANOS))
    }
}

impl Line {
    /// The line with number `line`, from 0, in `direction`, as `link` has it.
    #[must_use]
    pub fn new(link: &Link, direction: Direction, seed: u64, line: u32) -> Self {
        let rate = match direction {
            Direction::Down => link.down,
            Direction::Up => link.up,
        };
        let burst = link.burst.map(|burst| of(&burst, direction));
        Self {
            rate: rate.map(|rate| rate.bits()),
            queue: of(&link.queue, direction),
            delay_ns: saturating_nanos(of(&link.delay, direction).0),
            jitter_ns: saturating_nanos(of(&link.jitter, direction).0),
            mtu: link.mtu,
            reorders: link.reorder,
            loss: Loss::new(of(&link.loss, direction), burst),
            stream: Stream::new(seed, line, direction),
            packets: 0,
            free_at: Fraction::default(),
            last_at: MonoInstant(0),
        }
    }

    /// The fate of a packet of `bytes`, IP header included, that comes to the line at `now`, which
    /// is not before the packet that came last.
    pub fn offer(&mut self, now: MonoInstant, bytes: usize) -> Fate {
        let packet = self.packets;
        self.packets += 1;
        // Before the queue: which packets are lost does not hang on how full it is.
        let is_lost = self.loss.takes(self.stream.loss(packet));
        if bytes > usize::from(self.mtu) {
            return Fate::Dropped(Cause::TooBig);
        }
        let Some((begun, sent)) = self.send(now, bytes) else {
            return Fate::Dropped(Cause::Queue);
        };
        // After the line was used: a packet that is lost on the way has been sent.
        if is_lost {
            return Fate::Dropped(Cause::Loss);
        }
        let at = self.arrival(sent, packet);
        Fate::Arrives { at, queued: Duration::from_nanos(begun - now.0) }
    }

    /// When the line begins to send a packet and when it has sent it; `None` where the queue is full.
    fn send(&mut self, now: MonoInstant, bytes: usize) -> Option<(u64, u64)> {
        let Some(rate) = self.rate else { return Some((now.0, now.0)) };
        let begins = self.free_at.max(Fraction::whole(now.0));
        let waits = begins.rounded_up() - now.0;
        let fits = match self.queue {
            QueueLimit::Time(limit) => u128::from(waits) <= limit.0.as_nanos(),
            QueueLimit::Bytes(limit) => {
                let unsent = begins.bytes_from(now.0, rate);
                waits == 0 || unsent + bytes as u128 <= u128::from(limit.0)
            }
        };
        if !fits {
            return None;
        }
        self.free_at = begins.sent(bytes, rate);
        Some((begins.rounded_up(), self.free_at.rounded_up()))
    }

    /// When a packet arrives that was sent at `sent`.
    fn arrival(&mut self, sent: u64, packet: u64) -> MonoInstant {
        let mut at = MonoInstant(sent).plus_nanos(self.delay_ns - self.jitter_ns);
        if self.jitter_ns > 0 {
            let span = u128::from(2 * self.jitter_ns + 1);
            let part = (u128::from(self.stream.jitter(packet)) * span) >> 64;
            at = at.plus_nanos(part as u64);
            if !self.reorders {
                at = at.max(self.last_at);
            }
        }
        self.last_at = at;
        at
    }
}

/// The value of a direction.
fn of<T: Copy>(ways: &Ways<T>, direction: Direction) -> T {
    match direction {
        Direction::Down => ways.down,
        Direction::Up => ways.up,
    }
}

#[cfg(test)]
mod tests;
