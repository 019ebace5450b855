//! The connections that poll, and what all connections have in common while they are read.

use pushbench_protocol::headers::HeaderProfile;

use crate::polls::Polls;

/// Bytes read from a client at a time.
const SCRATCH: usize = 16 << 10;

/// The connections that poll. Streams are where their messages are, in their room.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) polls: Polls,
    /// Bytes just read from one of the connections, while they are looked at.
    pub(crate) scratch: Box<[u8]>,
}

impl Hub {
    pub(crate) fn new(profile: &HeaderProfile) -> Self {
        Self { polls: Polls::new(profile), scratch: vec![0; SCRATCH].into() }
    }
}
