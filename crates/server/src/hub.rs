//! Where messages meet those who wait for them.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use pushbench_core::{Delivery, Seq};
use slab::Slab;

use crate::config::ServerConfig;
use crate::polls::Lane;
use crate::ring::{Entry, Ring};
use crate::shared::Shared;
use crate::stream::Stream;

/// What is read from a client at a time.
const SCRATCH: usize = 16 << 10;

/// A cursor that the ring no longer covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the messages after {after} are no longer held; the oldest that is held is {oldest}")]
pub(crate) struct Gone {
    pub(crate) after: Seq,
    pub(crate) oldest: Seq,
}

impl Gone {
    /// The same for a program (RFC 9110 §15.5.11): names the oldest message that is held.
    pub(crate) fn to_json(self) -> String {
        serde_json::json!({ "error": self.to_string(), "oldest": self.oldest }).to_string()
    }
}

/// The ring, and everybody who waits for what comes into it.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) ring: Ring,
    streams: Slab<Stream>,
    pub(crate) lane: Lane,
    /// What is read from one of the connections, while it is looked at.
    pub(crate) scratch: Box<[u8]>,
}

impl Hub {
    pub(crate) fn new(config: &ServerConfig) -> Self {
        Self {
            ring: Ring::new(config.ring),
            streams: Slab::new(),
            lane: Lane::new(&config.headers),
            scratch: vec![0; SCRATCH].into(),
        }
    }

    pub(crate) const fn ring(&self) -> &Ring {
        &self.ring
    }

    /// Adds a message. Streams get it with the next [`Hub::fan_out`].
    pub(crate) fn push(&mut self, entry: Entry) {
        self.ring.push(entry);
    }

    /// Writes what is new to every stream that can take it and every long poll that waits.
    pub(crate) fn fan_out(&mut self, shared: &Shared) {
        let with = shared.surroundings(&self.ring);
        let Some(newest) = self.ring.last() else { return };
        for (_, stream) in &mut self.streams {
            if stream.is_at_tip() && !stream.write_tip(newest, with) {
                stream.write(with);
            }
        }
        self.lane.fan_out(with);
    }

    /// Looks at what time it is, for every connection.
    pub(crate) fn tick(&mut self, shared: &Shared) {
        let with = shared.surroundings(&self.ring);
        for (_, stream) in &mut self.streams {
            stream.tick(with);
        }
        self.lane.tick(with);
    }

    /// Says goodbye to everybody.
    pub(crate) fn stop(&mut self, shared: &Shared) {
        let with = shared.surroundings(&self.ring);
        for (_, stream) in &mut self.streams {
            stream.stop(with);
        }
        self.lane.stop(with);
    }

    /// Where a stream continues from: its cursor, or from now on.
    ///
    /// # Errors
    ///
    /// [`Gone`] where messages after the cursor are wanted and no longer held.
    pub(crate) fn subscribe(&self, after: Option<Seq>, delivery: Delivery) -> Result<Seq, Gone> {
        let cursor = after.unwrap_or(self.ring.newest());
        if delivery == Delivery::Every && !self.ring.holds_after(cursor) {
            return Err(Gone { after: cursor, oldest: self.ring.oldest() });
        }
        Ok(cursor)
    }
}

/// Adds a stream and gives it a task of its own, which reads from the client and writes when the
/// fan-out could not.
pub(crate) fn adopt(shared: &Rc<Shared>, mut stream: Stream, read_already: &[u8]) {
    let mut hub = shared.hub.borrow_mut();
    let hub = &mut *hub;
    shared.counters.opened(stream.kind());
    stream.received(read_already);
    let key = hub.streams.insert(stream);
    tokio::task::spawn_local(Attendant { shared: Rc::clone(shared), key });
}

/// The task of one stream. Only it removes the stream, so its key stays good.
struct Attendant {
    shared: Rc<Shared>,
    key: usize,
}

impl Future for Attendant {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let shared = &self.shared;
        let mut hub = shared.hub.borrow_mut();
        let Hub { ring, streams, scratch, .. } = &mut *hub;
        let stream = &mut streams[self.key];
        if !stream.is_dead() {
            stream.attend(cx, scratch, shared.surroundings(ring));
        }
        if !stream.is_dead() {
            return Poll::Pending;
        }
        shared.counters.closed(stream.kind());
        streams.remove(self.key);
        Poll::Ready(())
    }
}
