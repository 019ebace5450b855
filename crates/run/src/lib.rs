//! A run as a library: what is planned, where its processes are, who plays them, how a trial goes,
//! and what it is worth.
//!
//! Nothing here prints, parses arguments or ends a process. A [`Run`] tells what happens as
//! [`Event`]s, and whoever hears them may end it. The server under test and each load generator are
//! child processes of the running program, so that CPU and memory are honestly theirs; the program
//! plays them with [`player::child`].
//!
//! ```text
//! scenario -> plan -> rounds -> trial -> validity -> TrialRecord
//!               place ---^  player --^
//! ```

pub mod capacity;
pub mod error;
pub mod event;
mod floor;
mod offset;
pub mod packets;
pub mod place;
pub mod plan;
pub mod player;
pub mod program;
mod rounds;
pub mod security;
mod setup;
pub mod trial;
mod validity;

pub use self::error::{RunError, TrialError};
pub use self::event::{AttemptRecord, Cpu, Event, Listener};
pub use self::plan::Plan;
pub use self::setup::{Attempt, Run};
