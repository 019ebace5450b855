//! Those who wait for messages: streams, and connections that poll.

use pushbench_protocol::headers::HeaderProfile;
use slab::Slab;

use crate::polls::Polls;
use crate::stream::{Stream, Tip};
use crate::view::View;

/// Bytes read from a client at a time.
const SCRATCH: usize = 16 << 10;

/// Everybody who waits for what comes into the ring.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) streams: Slab<Stream>,
    pub(crate) polls: Polls,
    /// Bytes just read from one of the connections, while they are looked at.
    pub(crate) scratch: Box<[u8]>,
}

impl Hub {
    pub(crate) fn new(profile: &HeaderProfile) -> Self {
        let (polls, scratch) = (Polls::new(profile), vec![0; SCRATCH].into());
        Self { streams: Slab::new(), polls, scratch }
    }

    /// Writes what is new to every stream that can take it and every long poll that waits.
    pub(crate) fn fan_out(&mut self, view: View<'_>) {
        let Some(tip) = Tip::new(view) else { return };
        for (_, stream) in &mut self.streams {
            if stream.is_at_tip() && !stream.write_tip(tip, view) {
                stream.write(view);
            }
        }
        self.polls.fan_out(view);
    }

    /// Looks at what time it is, for every connection.
    pub(crate) fn tick(&mut self, view: View<'_>) {
        for (_, stream) in &mut self.streams {
            stream.tick(view);
        }
        self.polls.tick(view);
    }

    /// Says goodbye to everybody.
    pub(crate) fn stop(&mut self, view: View<'_>) {
        for (_, stream) in &mut self.streams {
            stream.stop(view);
        }
        self.polls.stop(view);
    }
}
