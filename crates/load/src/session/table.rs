//! The table of sessions: a row for each transport. Nothing else in this crate knows one from the
//! other.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pushbench_core::Transport;
use pushbench_metrics::record::control::LoadPlan;

use super::Session;
use super::http1::Http1;
use super::long_poll::{LongPoll, Requests};
use super::request::FeedRequest;
use super::short_poll::ShortPoll;
use super::sse::{Sse, Stream};
use super::tagged_poll::TaggedPoll;
use super::websocket::Websocket;

/// Makes a session for the client with a number.
type Make = Box<dyn Fn(u32) -> Box<dyn Session> + Send + Sync>;

/// A transport, and the way from a plan to the sessions of its clients.
struct Row(Transport, fn(&LoadPlan) -> Make);

const TABLE: [Row; 4] = [
    Row(Transport::ShortPoll, short_polls),
    Row(Transport::LongPoll, long_polls),
    Row(Transport::Sse, event_streams),
    Row(Transport::Websocket, websockets),
];

/// Makes the sessions of a load process, and holds what they share.
pub struct Sessions {
    make: Make,
    cadence: Option<Duration>,
}

impl Sessions {
    /// The sessions of a plan's clients.
    ///
    /// # Panics
    ///
    /// Where a transport has no row, which the tests exclude: they play all of them.
    #[must_use]
    pub fn new(plan: &LoadPlan) -> Self {
        let is_its_row = |row: &&Row| row.0 == plan.contender.transport;
        let Row(_, sessions) = TABLE.iter().find(is_its_row).expect("each transport has a row");
        let cadence = plan.contender.shape().asks().then_some(plan.poll_interval);
        Self { make: sessions(plan), cadence }
    }

    /// The period of ticks, where the transport has one.
    #[must_use]
    pub const fn cadence(&self) -> Option<Duration> {
        self.cadence
    }

    /// A session for the client with this number among all of the trial's.
    #[must_use]
    pub fn session(&self, client: u32) -> Box<dyn Session> {
        (self.make)(client)
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("cadence", &self.cadence).finish_non_exhaustive()
    }
}

fn short_polls(plan: &LoadPlan) -> Make {
    let (request, delivery) = (Arc::new(ShortPoll::request(plan)), plan.delivery);
    let stack = plan.contender.stack;
    Box::new(move |_| Box::new(Http1::new(ShortPoll::new(request.clone(), delivery, stack))))
}

fn long_polls(plan: &LoadPlan) -> Make {
    if plan.subject.is_foreign() {
        let request = Arc::new(FeedRequest::new(plan, &[], &[]));
        return Box::new(move |_| Box::new(Http1::new(TaggedPoll::new(request.clone()))));
    }
    let (requests, delivery) = (Arc::new(Requests::new(plan)), plan.delivery);
    Box::new(move |_| Box::new(Http1::new(LongPoll::new(requests.clone(), delivery))))
}

fn event_streams(plan: &LoadPlan) -> Make {
    let stream = Arc::new(Stream::new(plan));
    Box::new(move |_| Box::new(Http1::new(Sse::new(stream.clone()))))
}

fn websockets(plan: &LoadPlan) -> Make {
    let (request, seed) = (Arc::new(Websocket::request(plan)), plan.seed);
    Box::new(move |client| Box::new(Http1::new(Websocket::new(request.clone(), seed, client))))
}
