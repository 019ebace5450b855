//! What the operating system knows, asked of Linux.
//!
//! [`clock`] and [`timer`] are how pushbench tells the time and waits for an instant; [`cpu`],
//! [`memory`] and [`machine`] are what a run costs; [`limits`] and [`environment`] are what the
//! machine allows and is, [`cgroup`] what a container does, [`abilities`] what it lets us do,
//! [`round_trip`] its floor; [`topology`], [`affinity`] and [`source`] are where processes run and from which address they connect; [`tcp_info`] and
//! [`capture`] are what crosses the network below the socket, and [`rx_stamp`] when; [`canary`],
//! [`scheduling`], [`others`] and [`thread_time`] tell a slow server from a machine that stood still
//! or was busy with something else, and from an instrument that did.
//!
//! Processes are read from outside, through their pid, those of a server that has several with all
//! that descend from them ([`process_tree`]), so that measuring a server takes nothing
//! from it. All texts of `/proc` are parsed by pure functions; [`system`] says where they are.

pub mod abilities;
pub mod affinity;
pub mod canary;
pub mod capture;
pub mod cgroup;
pub mod clock;
pub mod cpu;
pub mod environment;
pub mod error;
pub mod limits;
pub mod machine;
pub mod memory;
pub mod others;
#[expect(unsafe_code, reason = "calls for which there is no safe API")]
mod posix;
pub mod process_tree;
mod procfs;
pub mod round_trip;
pub mod rx_stamp;
pub mod scheduling;
pub mod source;
pub mod system;
pub mod tcp_info;
pub mod thread_time;
pub mod timer;
pub mod topology;

pub use error::ProcessError;
