//! What pushbench measures, and how figures come out of it.
//!
//! [`observer`] is what the load generator tells; the modules beside it each answer one
//! question from what was told. [`breakdown`] joins the [`stamps`] of server and clients to where
//! latency is spent. [`record`] is what is kept of a run, [`figures`] turns its trials into the
//! rows that users read, and [`control`] is what the processes of a run say to each other.
//! [`headers`] is what is kept of `pushbench headers`.

pub mod age;
pub mod attempts;
pub mod audit;
pub mod breakdown;
pub mod censored;
pub mod compare;
pub mod control;
pub mod disturbance;
pub mod environment;
pub mod events;
pub mod figures;
pub mod fit;
pub mod floor;
pub mod headers;
pub mod histogram;
pub mod instrument;
mod lateness;
pub mod ledger;
pub mod models;
pub mod numbers;
pub mod observer;
pub mod polls;
pub mod record;
pub mod recorder;
pub mod series;
pub mod silence;
pub mod stamps;
pub mod stats;
pub mod thresholds;
pub mod warning;
