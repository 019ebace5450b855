//! Each file that a run leaves, made from runs that never were and read back.

mod breakdown;
mod charts;
pub(crate) mod columns;
mod comparison;
mod csv;
mod folder;
mod golden;
mod history;
mod hlog;
mod money;
mod page;
mod security;
mod sentence;
mod stamps;
mod strangers;
mod table;
mod wild;
