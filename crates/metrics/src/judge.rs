//! Conclusions from what was counted and kept.
//!
//! [`figures`] turns a record's trials into the rows that users read, over [`stats`];
//! [`models`] says what a transport ought to deliver, [`thresholds`] holds figures against limits,
//! [`compare`] two runs against each other, [`money`] prices them, and [`breakdown`] says where latency is spent.

pub mod breakdown;
pub mod compare;
pub mod figures;
pub mod history;
pub mod models;
pub mod money;
pub mod stats;
pub mod thresholds;
