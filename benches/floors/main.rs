//! The instrument against floors: the least that any program could do for the same bytes.
//!
//! A *bare receiver* reads N sockets into one buffer and counts bytes; a *bare long poller* sends
//! the load generator's own request bytes and finds the end of each answer; a *bare writer* sends
//! every message to N sockets, already encoded. In TLS they open and seal each record in place with the
//! provider's cipher. Each plays against the real other side, at the
//! same pace, in a process of its own whose CPU clock is read from outside at the window's edges.
//! Contests are interleaved over rounds, so that drift of the machine hits both sides alike, and
//! a ratio is taken within a round.

mod contest;
mod role;
mod rounds;
mod setting;
mod table;
mod trial;

use std::process::ExitCode;

use clap::Parser as _;

use crate::setting::Args;

fn main() -> ExitCode {
    let args = Args::parse();
    let outcome = match args.role {
        Some(role) => role.play().map_err(Into::into),
        None => rounds::all(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("floors: {error:#}");
            ExitCode::FAILURE
        }
    }
}
