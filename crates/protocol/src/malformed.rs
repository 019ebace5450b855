//! Bytes that are not what they should be.

/// Bytes that break the format that they should have.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
#[error("{what}: {fault}")]
pub struct Malformed {
    /// The format, and where it is defined: `a chunked body breaks RFC 9112 §7.1`.
    pub what: &'static str,
    /// Their fault.
    pub fault: &'static str,
}
