//! Sessions: the protocol of each transport as a client speaks it, and nothing else.
//!
//! A session takes bytes and gives bytes. It knows neither socket nor clock nor recorder, so it
//! can be tested with a slice, and the time at which a message arrived is stamped in one place
//! for all transports: the [runner](crate::runner).

mod body;
mod error;

mod head;
mod http;
mod long_poll;
mod output;
mod poll;
mod recovery;
mod short_poll;
mod sse;
mod tagged_poll;
mod websocket;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pushbench_core::contender::Connection;
use pushbench_core::units::Span;
use pushbench_core::{Delivery, Transport};
use pushbench_metrics::record::control::LoadPlan;

use self::http::RequestHead;
use self::long_poll::{LongPoll, Requests};
use self::short_poll::{ShortPoll, Variant};
use self::sse::{Sse, Stream};
use self::tagged_poll::TaggedPoll;
use self::websocket::Websocket;

pub use self::error::{HandshakeError, HeadError, ProtocolError};
pub use self::output::{Demand, Ending, Note, Output, Sending};
pub use self::recovery::{RetryAfter, Verdict};
pub use pushbench_protocol::frame::FrameError;

/// One client of one transport.
///
/// Calls come in an order that makes sense: [`opened`](Self::opened) once for each connection,
/// then [`receive`](Self::receive) until [`closed`](Self::closed); [`tick`](Self::tick) at any
/// time. Each fills an [`Output`] that was cleared before.
pub trait Session: fmt::Debug + Send {
    /// A connection is open: gives what is to be sent first.
    fn opened(&mut self, out: &mut Output);

    /// Bytes were read. All of them are attributed to a layer, except where it fails.
    ///
    /// # Errors
    ///
    /// What the server did that makes the connection useless.
    fn receive(&mut self, input: &[u8], out: &mut Output) -> Result<(), ProtocolError>;

    /// The period has come round. Only transports with a [cadence](Sessions::cadence) hear this.
    fn tick(&mut self, _out: &mut Output) {}

    /// The pause is over that an answer without news had to be followed by, or none was needed:
    /// asks again, where nothing is outstanding. Only who demands it hears this.
    fn ask_again(&mut self, _out: &mut Output) {}

    /// The connection has ended, whoever ended it, or could not be opened. There may be messages
    /// that only the end completes.
    fn closed(&mut self, out: &mut Output) -> Ending;

    /// Of a client that polls, whether messages are on their way to it: its last answer was full,
    /// or one that brings some has begun. Of a stream the bytes that come say it.
    fn under_way(&self) -> bool {
        false
    }

    /// The trial is over: says good-bye, or demands that the connection be dropped.
    fn close(&mut self, out: &mut Output);
}

/// Makes the sessions of a load process, and holds what they share.
#[derive(Debug)]
pub struct Sessions {
    kind: Kind,
    delivery: Delivery,
    cadence: Option<Duration>,
    seed: u64,
}

#[derive(Debug)]
enum Kind {
    ShortPoll(Arc<RequestHead>, Variant),
    LongPoll(Arc<Requests>),
    TaggedPoll(Arc<RequestHead>),
    Sse(Arc<Stream>),
    Websocket(Arc<RequestHead>),
}

impl Sessions {
    /// Picks the sessions for the plan's transport. Nothing else in this crate matches on it.
    #[must_use]
    pub fn new(plan: &LoadPlan) -> Self {
        let head = |own| Arc::new(request(plan, &[], own));
        let kind = match plan.contender.transport {
            Transport::ShortPoll => short_poll(plan),
            Transport::LongPoll if plan.subject.is_foreign() => Kind::TaggedPoll(head(&[])),
            Transport::LongPoll => {
                let wait = format!("timeout={}", Span(plan.long_poll_timeout));
                Kind::LongPoll(Arc::new(Requests {
                    subscribe: request(plan, &["timeout=0s"], &[]),
                    wait: request(plan, &[&wait], &[]),
                }))
            }
            // What an EventSource sends (WHATWG HTML §9.2.3), and some servers insist on.
            Transport::Sse => {
                let foreign = plan.subject.is_foreign();
                let own: &[_] = if foreign { &[("Accept", "text/event-stream")] } else { &[] };
                let stream = Stream::new(request(plan, &[], own), plan.subject.event.as_deref());
                Kind::Sse(Arc::new(stream))
            }
            Transport::Websocket => Kind::Websocket(head(&websocket::UPGRADE)),
        };
        let cadence = plan.contender.shape().asks().then_some(plan.poll_interval);
        Self { kind, delivery: plan.delivery, cadence, seed: plan.seed }
    }

    /// The period of ticks, where the transport has one.
    #[must_use]
    pub const fn cadence(&self) -> Option<Duration> {
        self.cadence
    }

    /// A session for the client with this number among all of the trial's.
    #[must_use]
    pub fn session(&self, client: u32) -> Box<dyn Session> {
        match &self.kind {
            Kind::ShortPoll(request, variant) => {
                Box::new(ShortPoll::new(request.clone(), *variant, self.delivery))
            }
            Kind::LongPoll(requests) => Box::new(LongPoll::new(requests.clone(), self.delivery)),
            Kind::TaggedPoll(request) => Box::new(TaggedPoll::new(request.clone())),
            Kind::Sse(stream) => Box::new(Sse::new(stream.clone())),
            Kind::Websocket(request) => {
                Box::new(Websocket::new(request.clone(), self.seed, client))
            }
        }
    }
}

/// Polls on a period, over the connections and with the conditions of the plan's stack.
fn short_poll(plan: &LoadPlan) -> Kind {
    let stack = plan.contender.stack;
    let (own, variant): (&[_], _) = match stack.connection {
        Connection::Closed => (&[("Connection", "close")], Variant::Close),
        Connection::Kept if stack.conditional => (&[], Variant::Conditional),
        Connection::Kept => (&[], Variant::KeepAlive),
    };
    Kind::ShortPoll(Arc::new(request(plan, &[], own)), variant)
}

/// The request of the plan's transport, with the delivery named where it is not what the path
/// implies.
fn request(plan: &LoadPlan, query: &[&str], own: &[(&str, &str)]) -> RequestHead {
    if plan.subject.is_foreign() {
        return RequestHead::new(plan, "", own);
    }
    let implied = plan.headers.implied_delivery(plan.contender);
    let delivery = (plan.delivery != implied).then(|| format!("delivery={}", plan.delivery));
    let query: Vec<&str> = delivery.as_deref().into_iter().chain(query.iter().copied()).collect();
    RequestHead::new(plan, &query.join("&"), own)
}

#[cfg(test)]
pub(crate) mod tests;
