//! The vocabulary of pushbench, without I/O and without a clock.
//!
//! A [`feed::FeedSpec`] says *when* messages exist ([`schedule`](feed::schedule)) and *what* they hold
//! ([`payload`](feed::payload)), both as pure functions of a seed and a sequence number. A
//! [`scenario::Scenario`] says how the feed is to be received, by which [`contender`]s: each is a
//! transport on a stack.

mod checked;
pub mod client;
pub mod compression;
pub mod contender;
pub mod deflate;
pub mod delivery;
pub mod feed;
pub mod figure;
pub mod instant;
pub mod ip;
pub mod life;
pub mod link;
pub mod named;
pub mod poll_phases;
pub mod price;
pub mod program;
pub mod proxy;
pub mod random;
pub mod rules;
pub mod sampling;
pub mod scenario;
pub mod security;
pub mod subject;
pub mod talk;
pub mod text;
pub mod tls;
pub mod units;

pub use contender::{Contender, Shape, Stack, Transport};
pub use delivery::Delivery;
pub use feed::identity::{Identity, Sender};
pub use feed::message::{Message, Seq};
pub use figure::Figure;
pub use instant::MonoInstant;
pub use ip::IpVersion;
pub use link::Link;
