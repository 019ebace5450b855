//! A process as the system's books have it: its CPU time, memory, threads and descendants, read from
//! outside, so that measuring a server takes nothing from it.

pub mod cpu;
pub mod error;
pub mod fifo;
pub mod memory;
pub mod precedence;
pub mod process_tree;
pub mod scheduling;
pub mod thread_time;
pub mod thread_times;
pub mod tied;
pub mod user;
