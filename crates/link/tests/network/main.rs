//! Kernels at both ends and the router between: what passes, what is counted, what is left behind.
//!
//! The processes in the networks are this program too, started again in a [`role`]. Where the system
//! gives no such networks, a test says why it is skipped.

mod cases;
mod rig;
mod role;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(role) = role::wanted() {
        return role::play(&role);
    }
    let filter: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let wanted = |name: &str| filter.is_empty() || filter.iter().any(|part| name.contains(part));
    let mut failed = Vec::new();
    for (name, case) in cases::ALL.iter().filter(|(name, _)| wanted(name)) {
        eprintln!("test {name} ...");
        match catch_unwind(AssertUnwindSafe(case)) {
            Ok(()) => eprintln!("test {name} ... ok"),
            Err(_) => failed.push(name),
        }
    }
    eprintln!("\ntest result: {} failed: {failed:?}\n", failed.len());
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(101) }
}
