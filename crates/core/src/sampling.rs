//! Which messages on which connections are stamped along their way: a rule, not a list.
//!
//! Server and load generator decide each for itself, from what both see anyway: the client's
//! address of a connection and the number of a message. So they agree without a word between
//! them, also on a connection that is opened in the middle of a trial.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::feed::message::Seq;
use crate::random;

/// Of many clients, one in so many is stamped.
const ONE_IN: u32 = 16;

/// Connections that each load process should expect to have among the stamped; of fewer than twice
/// as many all are. So many stand for the places that clients have in the order in which a server
/// writes to them; with half of them a process would have none at all once in ten million trials.
const EXPECTED_EACH: u32 = 32;

/// Samples that a trial collects, roughly; of more messages than that takes only a share is
/// stamped. A 99th percentile has 400 beyond it.
const SAMPLES: f64 = 40_000.0;

/// The streams of random bits that connections and messages are picked by.
const CONNECTIONS_STREAM: u64 = 301;
const MESSAGES_STREAM: u64 = 302;

/// One in how many connections is stamped, and on those one in how many messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sampling {
    /// One in so many connections, at least 1.
    pub connections: u32,
    /// One in so many messages, at least 1.
    pub messages: u32,
    /// Samples to make room for: more than are to be expected.
    pub room: u32,
}

impl Sampling {
    /// The rule for a trial of `clients` clients in `processes` load processes, with about
    /// `messages` messages in its window.
    #[must_use]
    pub fn new(clients: u32, processes: u32, messages: f64) -> Self {
        let connections = (clients / processes.max(1) / EXPECTED_EACH).clamp(1, ONE_IN);
        let samples = f64::from(clients) / f64::from(connections) * messages.max(0.0);
        // A cast to an integer saturates.
        let one_in = (samples / SAMPLES).ceil().max(1.0) as u32;
        let room = (1.5 * samples / f64::from(one_in)) as u32 + 1024;
        Self { connections, messages: one_in, room }
    }

    /// Whether the connection whose client has this address is stamped.
    #[inline]
    #[must_use]
    pub fn takes_connection(&self, client: SocketAddr) -> bool {
        if self.connections <= 1 {
            return true;
        }
        let ip = match client.ip() {
            IpAddr::V4(ip) => u64::from(ip.to_bits()),
            IpAddr::V6(ip) => {
                let bits = ip.to_bits();
                (bits >> 64) as u64 ^ bits as u64
            }
        };
        random::bits(ip, CONNECTIONS_STREAM, client.port().into())
            .is_multiple_of(self.connections.into())
    }

    /// Whether this message is stamped, on connections that are.
    #[inline]
    #[must_use]
    pub const fn takes_message(&self, seq: Seq) -> bool {
        self.messages <= 1
            || random::bits(0, MESSAGES_STREAM, seq.0).is_multiple_of(self.messages as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn few_clients_are_all_stamped_and_of_many_one_in_sixteen() {
        assert_eq!(Sampling::new(63, 1, 100.0).connections, 1);
        assert_eq!(Sampling::new(100, 1, 100.0).connections, 3);
        assert_eq!(Sampling::new(512, 1, 100.0).connections, 16);
        assert_eq!(Sampling::new(50_000, 2, 1.0).connections, 16);
        // Each of many load processes is to have some.
        assert_eq!(Sampling::new(800, 8, 100.0).connections, 3);
        assert_eq!(Sampling::new(400, 100, 100.0).connections, 1);
    }

    #[test]
    fn a_trial_collects_no_more_than_there_is_use_for() {
        for clients in [1, 100, 255, 1_000, 20_000] {
            for messages in [0.0, 1.0, 100.0, 10_000.0, 1e6] {
                let rule = Sampling::new(clients, 1, messages);
                let samples = f64::from(clients) / f64::from(rule.connections) * messages
                    / f64::from(rule.messages);
                assert!(samples <= SAMPLES, "{samples} of {clients} × {messages}");
                assert!(samples <= f64::from(rule.room) && rule.room <= 62_000, "{rule:?}");
            }
        }
    }

    #[test]
    fn about_as_many_are_taken_as_the_rule_says() {
        let rule = Sampling { connections: 16, messages: 10, room: 0 };
        let ports = (1_024..=u16::MAX).filter(|&port| rule.takes_connection(address(port)));
        let share = ports.count() as f64 / f64::from(u16::MAX - 1_023);
        assert!((share * 16.0 - 1.0).abs() < 0.1, "{share}");
        // Linux gives clients even ports first.
        let even =
            (1_024..=u16::MAX).step_by(2).filter(|&port| rule.takes_connection(address(port)));
        assert!((even.count() as f64 / 2_016.0 - 1.0).abs() < 0.1);
        let messages = (1..=100_000).filter(|&n| rule.takes_message(Seq(n))).count();
        assert!((9_500..10_500).contains(&messages), "{messages}");
        let other = SocketAddr::from(([127, 0, 0, 2], 40_000));
        assert!(Sampling { connections: 1, ..rule }.takes_connection(other));
    }
}
