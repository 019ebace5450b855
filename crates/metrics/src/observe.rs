//! Counts that are kept while a trial runs.
//!
//! [`observer`] is what the load generator tells; the modules beside it each answer one question
//! from what was told, and the [`recorder`] keeps all of their answers.

pub mod absences;
pub mod age;
pub mod attempts;
pub mod attendance;
pub mod audit;
pub mod away;
pub mod censored;
pub mod cross;
pub mod cuts;
pub mod device;
pub mod disturbance;
pub mod events;
pub mod fit;
pub mod fresh;
pub mod heard;
pub mod histogram;
pub mod instrument;
pub mod lateness;
pub mod ledger;
pub mod link;
pub mod measure;
pub mod measured;
pub mod observer;
pub mod polls;
pub mod recorder;
pub mod rooms;
pub mod seen;
pub mod series;
pub mod served;
pub mod silence;
pub mod so_far;
pub mod speakers;
pub mod stamps;
pub mod unscheduled;
