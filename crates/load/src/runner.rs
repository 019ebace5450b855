//! The runner: connections, time and the phases of a trial, in one thread.
//!
//! [`Load`] is what a load process drives. What it keeps is in `state`: its clients, each a session
//! and its outlet, and one thing for each matter, in a file of its own that knows no other. What it
//! does is in the files of verbs: `connect` opens connections, `traffic` moves bytes between channels
//! and sessions and stamps what arrives, `found` what has no schedule, `ending` says what becomes of connections that fail or end,
//! `recovery` decides what follows a failure, `alarms` does what is planned, `speaking` says what is due, `course` goes through
//! the phases, `sweep` asks the kernel what it counts for each connection.
//!
//! The loop is edge-triggered. All clients share one read buffer: a read that does not fill it
//! has emptied the socket, so a message costs one wake-up, one `recv` and one look at the clock.

mod alarms;
mod backoff;
mod churn;
mod client;
mod connect;
mod course;
mod drain;
mod dues;
mod ending;
mod error;
mod found;
mod holding;
mod leaving;
mod load;
mod loop_check;
mod outlet;
mod phases;
mod progress;
mod ramp;
mod recovery;
mod saying;
mod security;
mod speaking;
mod stamps;
mod state;
mod sweep;
mod tcpip;
mod timers;
mod traffic;

pub(crate) use self::course::LINGER;
pub use self::error::LoadError;
pub use self::load::{Load, OrderSender};

#[cfg(test)]
mod tests;
