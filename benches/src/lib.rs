//! Common parts of benchmarks: the bytes that a client reads, the way from them to an observer, and
//! counts of instructions.
//!
//! The benchmarks themselves stand beside this: `floors` compares processes with bare loops,
//! `micro` times single calls, `instructions` counts what a message and a connection take in load
//! generator and server. `docs/BENCHMARKS.md` says how to read them.

use pushbench_core::Contender;
use pushbench_core::contender::{Coding, Security};

pub mod asleep;
pub mod callgrind;
pub mod counts;
pub mod path;
pub mod reads;

/// The contender with its connections in TLS.
#[must_use]
pub const fn in_tls(contender: Contender) -> Contender {
    let Contender { transport, stack } = contender;
    Contender { transport, stack: stack.with_security(Security::Tls) }
}

/// The contender with its messages in that coding.
#[must_use]
pub const fn coded(contender: Contender, coding: Coding) -> Contender {
    let Contender { transport, stack } = contender;
    Contender { transport, stack: stack.with_coding(coding) }
}
