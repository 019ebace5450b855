//! The load generator: one session for each transport, and the runner that stamps time.
//!
//! A [`session`] is the protocol of one transport as a client speaks it, without socket and
//! without clock. A [`channel`] is a connection: a socket and what secures it. The [`runner`] has the
//! clock: one thread, one event loop, one read buffer for all clients of a load process. It goes
//! through the phases of a trial, tells a [`pushbench_metrics::observe::measure::Measure`] what arrives and when,
//! and is driven by the orders of [`pushbench_metrics::record::control`]. [`bare`] plays the same trials
//! with the least that a client can do, to know what the instrument adds.

pub mod bare;
pub mod channel;
pub mod runner;
pub mod session;

pub use runner::{Load, LoadError, OrderSender};
