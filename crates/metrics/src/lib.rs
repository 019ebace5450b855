//! Measurements of pushbench, and how figures come out of them.
//!
//! [`observe`] is what is counted while a trial runs, [`record`] what is kept of a run and what its
//! processes say to each other, [`judge`] what is concluded.

pub mod judge;
pub mod observe;
pub mod record;
