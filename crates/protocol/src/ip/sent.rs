//! The bytes that a sender of TCP has sent, to tell which it sends again.

use super::Tcp;

/// How far one end of a connection has sent, by its sequence numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// The sequence number behind the last byte.
    next: u32,
}

impl Sent {
    /// What is known from the first segment that is seen of a sender.
    #[must_use]
    pub const fn first(segment: &Tcp) -> Self {
        Self { next: segment.end() }
    }

    /// The sequence number that the sender goes on with.
    #[must_use]
    pub const fn next(&self) -> u32 {
        self.next
    }

    /// How many payload bytes of a further segment were sent before. Comparisons are modulo 2³² (RFC
    /// 9293 §3.4): half of all numbers lie ahead.
    pub const fn again(&mut self, segment: &Tcp) -> u32 {
        let behind = self.next.wrapping_sub(segment.seq);
        let end = segment.end();
        if is_ahead(end, self.next) {
            self.next = end;
        }
        if behind >= 1 << 31 {
            return 0;
        }
        if behind < segment.payload { behind } else { segment.payload }
    }
}

const fn is_ahead(number: u32, of: u32) -> bool {
    number.wrapping_sub(of) < 1 << 31
}
