//! Instants along the way of a sample of messages, as the processes of a run tell each other.
//!
//! Server and load generator each stamp what they see of the connections and messages that
//! [`Sampling`](pushbench_core::sampling::Sampling) names; the parent joins the two in
//! [`breakdown`](crate::judge::breakdown) and keeps only what comes of it. Entries travel as arrays of
//! numbers, since there are tens of thousands.

use std::net::SocketAddr;

use pushbench_core::{MonoInstant, Seq};
use serde::{Deserialize, Serialize};

/// A server's stamps of the messages due in the window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerStamps {
    /// When each sampled message was handed to the hub.
    pub published: Vec<(Seq, MonoInstant)>,
    /// The client's address of each stamped connection.
    pub peers: Vec<SocketAddr>,
    /// Writes to them.
    pub written: Vec<Written>,
    /// Writes for which there was no room.
    pub without_room: u64,
    /// How far the kernel's stamps of requests may be off, ns; see [`LoadStamps::clock_bound_ns`].
    pub clock_bound_ns: u64,
}

impl ServerStamps {
    /// Whether nothing was stamped.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.published.is_empty() && self.written.is_empty()
    }
}

/// One write that completed messages of the feed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "WrittenNumbers", into = "WrittenNumbers")]
pub struct Written {
    /// The connection's place in [`ServerStamps::peers`].
    pub peer: u32,
    /// The first message whose last byte was in the write.
    pub first: Seq,
    /// The last one is so many further.
    pub more: u32,
    /// Right before the system call: the kernel may have the client's copy before it returns.
    pub at: MonoInstant,
    /// When the server's kernel had the request that it answers; `None` of a stream, and where that is
    /// not stamped.
    pub requested: Option<MonoInstant>,
}

impl Written {
    /// Whether the write completed `seq`.
    #[must_use]
    pub const fn completes(&self, seq: Seq) -> bool {
        self.first.0 <= seq.0 && seq.0 - self.first.0 <= self.more as u64
    }
}

type WrittenNumbers = (u32, u64, u32, u64, Option<u64>);

impl From<Written> for WrittenNumbers {
    fn from(it: Written) -> Self {
        (it.peer, it.first.0, it.more, it.at.0, it.requested.map(|at| at.0))
    }
}

impl From<WrittenNumbers> for Written {
    fn from((peer, first, more, at, requested): WrittenNumbers) -> Self {
        let requested = requested.map(MonoInstant);
        Self { peer, first: Seq(first), more, at: MonoInstant(at), requested }
    }
}

/// A load process's stamps of the messages due in the window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadStamps {
    /// Of each stamped connection: the client's number among all of the trial's, and its address.
    pub connections: Vec<(u32, SocketAddr)>,
    /// Arrivals on them.
    pub received: Vec<Received>,
    /// Arrivals for which there was no room.
    pub without_room: u64,
    /// How far the kernel's stamps may be off: they are of the wall clock, whose distance from
    /// the monotonic clock is known that well, ns.
    pub clock_bound_ns: u64,
    /// The wall clock was set while stamps were taken, so that those of the kernel say nothing;
    /// they are left out.
    pub clock_stepped: bool,
}

/// The arrival of one message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ReceivedNumbers", into = "ReceivedNumbers")]
pub struct Received {
    /// The connection's place in [`LoadStamps::connections`].
    pub connection: u32,
    /// The message.
    pub seq: Seq,
    /// The last message that the same read completed: the kernel's stamp is of its bytes.
    pub last: Seq,
    /// When it was due.
    pub due: MonoInstant,
    /// Right before the request went out that it is the answer to; of a stream, the one that
    /// opened it.
    pub asked: MonoInstant,
    /// When the kernel had the last byte of the read.
    pub kernel: Option<MonoInstant>,
    /// When the client had all of it in hand.
    pub at: MonoInstant,
}

type ReceivedNumbers = (u32, u64, u32, u64, u64, Option<u64>, u64);

impl From<Received> for ReceivedNumbers {
    fn from(it: Received) -> Self {
        let more = u32::try_from(it.last.0.saturating_sub(it.seq.0)).unwrap_or(u32::MAX);
        let kernel = it.kernel.map(|at| at.0);
        (it.connection, it.seq.0, more, it.due.0, it.asked.0, kernel, it.at.0)
    }
}

impl From<ReceivedNumbers> for Received {
    fn from((connection, seq, more, due, asked, kernel, at): ReceivedNumbers) -> Self {
        Self {
            connection,
            seq: Seq(seq),
            last: Seq(seq.saturating_add(more.into())),
            due: MonoInstant(due),
            asked: MonoInstant(asked),
            kernel: kernel.map(MonoInstant),
            at: MonoInstant(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_survive_the_pipe() {
        let client: SocketAddr = "127.0.0.1:40000".parse().unwrap();
        let requested = Some(MonoInstant(2_500));
        let written =
            Written { peer: 0, first: Seq(7), more: 2, at: MonoInstant(3_000), requested };
        let server = ServerStamps {
            published: vec![(Seq(7), MonoInstant(1_000))],
            peers: vec![client],
            written: vec![written],
            without_room: 1,
            clock_bound_ns: 60,
        };
        let json = serde_json::to_string(&server).unwrap();
        assert!(json.contains("[0,7,2,3000,2500]"), "{json}");
        assert_eq!(serde_json::from_str::<ServerStamps>(&json).unwrap(), server);
        let received = Received {
            connection: 0,
            seq: Seq(7),
            last: Seq(9),
            due: MonoInstant(900),
            asked: MonoInstant(10),
            kernel: None,
            at: MonoInstant(5_000),
        };
        let load = LoadStamps {
            connections: vec![(4, client)],
            received: vec![received, Received { kernel: Some(MonoInstant(4)), ..received }],
            clock_bound_ns: 30,
            ..LoadStamps::default()
        };
        let json = serde_json::to_string(&load).unwrap();
        assert_eq!(serde_json::from_str::<LoadStamps>(&json).unwrap(), load);
    }

    #[test]
    fn a_write_completes_what_is_in_its_range() {
        let written = Written { first: Seq(7), more: 2, ..Written::default() };
        let completed: Vec<u64> = (0..20).filter(|&n| written.completes(Seq(n))).collect();
        assert_eq!(completed, [7, 8, 9]);
    }
}
