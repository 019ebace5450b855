//! Where messages meet those who wait for them.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use pushbench_core::message::Content;
use pushbench_core::wire::batch::{self, MAX_BATCH};
use pushbench_core::{Delivery, Seq};
use slab::Slab;

use crate::config::ServerConfig;
use crate::ring::{Entry, Ring};
use crate::shared::Shared;
use crate::stream::{Stream, Surroundings};

/// What is read from a stream's client at a time.
const SCRATCH: usize = 16 << 10;

/// A cursor that the ring no longer covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the messages after {after} are no longer held; the oldest that is held is {oldest}")]
pub(crate) struct Gone {
    pub(crate) after: Seq,
    pub(crate) oldest: Seq,
}

/// What a poll gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The newest message that the answer covers: the client's cursor from now on.
    pub(crate) cursor: Seq,
    /// The body, and what it is; `None` where there is nothing new.
    pub(crate) body: Option<(Content, Bytes)>,
}

/// The batch that was built last: clients that poll in step all want the same.
#[derive(Debug)]
struct Batch {
    after: Seq,
    newest: Seq,
    answer: Answer,
}

/// The ring and the streams.
#[derive(Debug)]
pub(crate) struct Hub {
    ring: Ring,
    streams: Slab<Stream>,
    batch: Option<Batch>,
    scratch: Box<[u8]>,
    content: Content,
}

impl Hub {
    pub(crate) fn new(config: &ServerConfig) -> Self {
        Self {
            ring: Ring::new(config.ring),
            streams: Slab::new(),
            batch: None,
            scratch: vec![0; SCRATCH].into(),
            content: config.feed.payload.content(),
        }
    }

    pub(crate) const fn ring(&self) -> &Ring {
        &self.ring
    }

    /// Adds a message. Streams get it with the next [`Hub::fan_out`].
    pub(crate) fn push(&mut self, entry: Entry) {
        self.ring.push(entry);
    }

    /// Writes what is new to every stream that can take it.
    pub(crate) fn fan_out(&mut self, shared: &Shared) {
        let with = shared.surroundings(&self.ring);
        for (_, stream) in &mut self.streams {
            if stream.is_at_tip() {
                stream.write(with);
            }
        }
    }

    /// Tells every stream the time, or that the server stops.
    pub(crate) fn for_each_stream(
        &mut self,
        shared: &Shared,
        act: impl Fn(&mut Stream, Surroundings<'_>),
    ) {
        let with = shared.surroundings(&self.ring);
        for (_, stream) in &mut self.streams {
            act(stream, with);
        }
    }

    /// Where a stream or a waiting poll continues from: its cursor, or from now on.
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

    /// What is new after `cursor`.
    ///
    /// # Errors
    ///
    /// [`Gone`] under `every`, where part of it is no longer held.
    pub(crate) fn poll(&mut self, cursor: Seq, delivery: Delivery) -> Result<Answer, Gone> {
        self.subscribe(Some(cursor), delivery)?;
        if self.ring.newest() <= cursor {
            return Ok(Answer { cursor, body: None });
        }
        Ok(match delivery {
            Delivery::Every => self.batch(cursor),
            Delivery::Latest => self.newest(),
        })
    }

    /// The newest message, whoever has seen it; nothing before the first.
    pub(crate) fn newest(&self) -> Answer {
        let body = self.ring.last().map(|entry| (entry.content(), entry.payload().clone()));
        Answer { cursor: self.ring.newest(), body }
    }

    fn batch(&mut self, after: Seq) -> Answer {
        let newest = self.ring.newest();
        match &self.batch {
            Some(batch) if (batch.after, batch.newest) == (after, newest) => batch.answer.clone(),
            _ => {
                let answer = self.build_batch(after);
                self.batch = Some(Batch { after, newest, answer: answer.clone() });
                answer
            }
        }
    }

    fn build_batch(&self, after: Seq) -> Answer {
        let (mut len, mut cursor) = (0, after);
        for entry in self.ring.after(after) {
            let more = batch::encoded_len(entry.payload().len());
            if cursor != after && len + more > MAX_BATCH {
                break;
            }
            (len, cursor) = (len + more, entry.seq());
        }
        let mut body = Vec::with_capacity(len);
        for entry in self.ring.after(after).take_while(|entry| entry.seq() <= cursor) {
            batch::push(&mut body, entry.payload());
        }
        Answer { cursor, body: Some((self.content, body.into())) }
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
