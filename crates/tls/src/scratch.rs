//! Memory that all connections of a thread work in, so that none has any of its own at rest.

use std::cell::RefCell;

/// The most plaintext in a record (RFC 8446 §5.1).
pub const MAX_PLAINTEXT: usize = 16 << 10;

/// The longest record: header, and what TLS 1.2 may add to the most plaintext (RFC 5246 §6.2.3).
pub const MAX_RECORD: usize = 5 + MAX_PLAINTEXT + 2048;

/// Bytes received at a time: some records, so that a burst does not cost a call for each.
pub(crate) const INCOMING: usize = 64 << 10;

/// Buffers for one step of one connection.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// Records as they came.
    pub(crate) incoming: Box<[u8]>,
    /// Plaintext that is gathered for a record.
    pub(crate) gathered: Box<[u8]>,
    /// A record that was sealed, with whatever rustls puts before it.
    pub(crate) sealed: Box<[u8]>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch {
        incoming: vec![0; INCOMING].into(),
        gathered: vec![0; MAX_PLAINTEXT].into(),
        sealed: vec![0; 2 * MAX_RECORD].into(),
    });
}

/// Works in the thread's buffers.
///
/// # Panics
///
/// Where `work` comes back here: neither sockets nor rustls do.
#[inline]
pub(crate) fn with_scratch<T>(work: impl FnOnce(&mut Scratch) -> T) -> T {
    SCRATCH.with_borrow_mut(work)
}
