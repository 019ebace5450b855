//! The binary as its users have it: each module starts it with arguments, and looks at what it says,
//! writes and leaves behind. One program, so that those that wait for a network overlap with the others.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

mod actions;
mod advise;
mod backoff;
mod breakdown;
mod browser;
mod capacity;
mod disk;
mod doctor;
mod foreign;
mod foreign_input;
mod headers;
mod heartbeat;
mod help;
mod history;
mod interrupt;
mod join;
mod life;
mod link;
mod link_system;
mod link_times;
mod live;
mod money;
mod newcomer;
mod processes;
mod program;
mod proxies;
mod refine;
mod refusals;
mod repeat;
mod rules;
mod run;
mod schema;
mod server_pid;
mod stall;
mod standards;
mod standstill;
mod strangers;
mod subjects;
mod talk;
mod target;
mod terminal;
mod thresholds;
mod tls;
mod unfit;
mod unscheduled;
