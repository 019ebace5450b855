//! The vocabulary of pushbench, without I/O and without a clock.
//!
//! A [`feed::FeedSpec`] says *when* messages exist ([`schedule`]) and *what* they hold
//! ([`payload`]), both as pure functions of a seed and a sequence number. A
//! [`scenario::Scenario`] says how the feed is to be received, and [`wire`] holds the
//! formats that both ends of a connection must agree on.

mod checked;
pub mod feed;
pub mod headers;
pub mod instant;
pub mod message;
pub mod number;
pub mod payload;
pub mod random;
pub mod sampling;
pub mod scenario;
pub mod schedule;
pub mod text;
pub mod trace;
pub mod transport;
pub mod units;
pub mod wire;

pub use instant::MonoInstant;
pub use message::{Message, Seq};
pub use transport::{Delivery, Transport};
