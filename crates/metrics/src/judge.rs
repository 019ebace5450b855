//! Conclusions from what was counted and kept.
//!
//! [`figures`] turns a record's trials into the rows that users read, over [`stats`];
//! [`models`] says what a transport ought to deliver, [`thresholds`] holds figures against limits,
//! [`compare`] two runs against each other, [`money`] prices them, [`breakdown`] says where latency is spent,
//! and [`advice`] which contender to take.

pub mod advice;
pub mod breakdown;
pub mod compare;
pub mod crossing;
pub mod figures;
pub mod history;
pub mod models;
pub mod money;
pub mod stats;
pub mod sweep;
pub mod thresholds;
