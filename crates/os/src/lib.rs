//! The operating system, asked of Linux: what it knows and does.
//!
//! [`time`] is how pushbench tells the time and waits for an instant; [`process`] what a process
//! costs; [`machine`] what the machine is, allows, and does beside a run; [`net`] what crosses the
//! network below the socket. All texts of `/proc` are parsed by pure functions; [`system`] says
//! where they are.

pub mod machine;
pub mod net;
#[expect(unsafe_code, reason = "calls for which there is no safe API")]
mod posix;
pub mod process;
mod procfs;
pub mod system;
pub mod time;

pub use process::error::ProcessError;
