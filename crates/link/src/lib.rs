//! The emulated network between server and clients.
//!
//! Both ends have the kernel's TCP; between them a [`router`] of ours takes every IP packet, asks the
//! [`line`](mod@line) of its client and direction what becomes of it, keeps it in a [`schedule`] until it is due,
//! and counts it. All of that is without I/O and without a clock: whoever moves the packets says what
//! time it is. That is [`drive`], between the [`network`]s of the two sides; [`process`] is a process
//! that does nothing else. [`cross`] is who fills a line beside the feed.

pub mod addressing;
pub mod cross;
pub mod drive;
mod flows;
mod ledger;
pub mod line;
pub mod loss;
pub mod network;
pub mod packet;
pub mod port;
pub mod process;
pub mod random;
pub mod router;
pub mod schedule;
#[cfg(test)]
mod testing;

pub use self::addressing::{Addressing, Prefix};
pub use self::line::{Fate, Line};
pub use self::router::{Due, Router, Side};
pub use pushbench_core::link::Cause;
