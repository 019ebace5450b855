//! What benchmarks share: the bytes that a client reads, and the way from them to an observer.
//!
//! The benchmarks themselves stand beside this: `floors` compares processes with bare loops,
//! `micro` times single calls, `instructions` counts what a message takes from `recv` to the
//! record. `docs/BENCHMARKS.md` says how to read them.

pub mod path;
pub mod reads;
