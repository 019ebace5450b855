//! The time of the monotonic clock: reading it, waiting for an instant, and how late a thread is woken.

pub mod canary;
pub mod clock;
pub mod timer;
