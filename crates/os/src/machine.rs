//! The machine: which cores, limits and abilities it has, what a container allows, and what else it
//! does meanwhile.

pub mod abilities;
pub mod affinity;
pub mod cgroup;
pub mod environment;
pub mod instructions;
pub mod limits;
pub mod load;
pub mod others;
pub mod round_trip;
pub mod topology;
