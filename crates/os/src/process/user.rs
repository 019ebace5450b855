//! The user that this process is of.

/// Whether it is root, whom nothing is kept from.
#[must_use]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
