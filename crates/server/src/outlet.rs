//! Publisher of a server that is somebody else's: it walks the schedule as the one of our own server does,
//! and gives each message at its instant to that server, over one connection or pipe.
//!
//! It waits for nothing but the next instant. A POST goes out behind the last one whether or not that is
//! answered, so that order and instants hold however slow the answers are; what the system does not take
//! at once waits here, in order. That wait is the server's, who does not read, as is all that comes
//! behind: the publisher's lag ends where it has handed a message over. Nothing is sent twice, so that a
//! connection that ends with answers outstanding, or a refusal, is the end of it.

mod line;
mod way;

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::pin::Pin;

use pushbench_core::feed::FeedSpec;
use pushbench_core::{MonoInstant, Seq};
use pushbench_metrics::record::control::{Outlet, ServerMeasured, ServerOrder, ServerPlan};
use pushbench_os::time::clock;
use pushbench_os::time::timer::Timer;
use thiserror::Error;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use self::line::Line;
use crate::pace::{Due, Pace, Sink, Taken};
use crate::publisher::wait_until;
use crate::server::watched;
use crate::shared::Lag;
use crate::stamps::StampLog;

/// A server that does not take the feed.
#[derive(Debug, Error)]
pub enum OutletError {
    /// The system gives no event loop, timer or pipe.
    #[error("cannot set up the publisher: {0}")]
    Setup(#[source] io::Error),
    /// No connection.
    #[error("cannot connect to publish: {0}")]
    Connect(#[source] io::Error),
    /// A connection or pipe that failed.
    #[error("cannot publish: {0}")]
    Io(#[source] io::Error),
    /// An answer that refuses a message.
    #[error("{request} was answered {status}; a message is to be taken with 2xx")]
    Refused {
        /// The request.
        request: String,
        /// The status.
        status: u16,
    },
    /// An answer that is none.
    #[error("{request}: {problem}")]
    Nonsense {
        /// The request.
        request: String,
        /// The fault of it.
        problem: String,
    },
    /// The end of a connection with messages under way.
    #[error(
        "{request}: the connection was closed with {unanswered} messages not answered; let the server \
         keep it (HTTP/1.1, no limit of requests)"
    )]
    Closed {
        /// The request.
        request: String,
        /// How many requests had no answer.
        unanswered: u64,
    },
    /// More than is kept waits to be taken.
    #[error("{0} MiB of messages wait for the server to read them; lower the rate")]
    Behind(usize),
    /// A message that does not go over this way.
    #[error("message {0} has a line end, and the server takes lines; publish by POST or WebSocket")]
    NoLine(Seq),
}

/// A publisher whose connection is open.
#[derive(Debug)]
pub struct Publisher {
    line: Line,
    feed: FeedSpec,
    lag: RefCell<Lag>,
    stamps: StampLog,
    delay: std::time::Duration,
    inbox: UnboundedReceiver<ServerOrder>,
    orders: UnboundedSender<ServerOrder>,
    timer: AsyncFd<Timer>,
    /// Last, since the others belong to it.
    runtime: Runtime,
}

impl Publisher {
    /// Opens the way to the server of `outlet`, for the feed of `plan`.
    ///
    /// # Errors
    ///
    /// A server that cannot be reached, or refuses.
    pub fn open(plan: ServerPlan, outlet: &Outlet) -> Result<Self, OutletError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(OutletError::Setup)?;
        let entered = runtime.enter();
        let timer = Timer::new().and_then(watched).map_err(OutletError::Setup)?;
        let line = Line::open(outlet, plan.feed.seed)?;
        drop(entered);
        let (orders, inbox) = unbounded_channel();
        let (lag, stamps) = (RefCell::default(), StampLog::new(plan.stamps, false));
        let (feed, delay) = (plan.feed, plan.publish_delay);
        Ok(Self { line, feed, lag, stamps, delay, inbox, orders, timer, runtime })
    }

    /// Where orders are given, from any thread.
    #[must_use]
    pub fn orders(&self) -> UnboundedSender<ServerOrder> {
        self.orders.clone()
    }

    /// Publishes on this thread until it is told to stop, and says how late it was.
    ///
    /// # Errors
    ///
    /// A server that does not take what it is given.
    pub fn run(self) -> Result<ServerMeasured, OutletError> {
        let Self { line, feed, lag, stamps, delay, inbox, orders, timer, runtime } = self;
        let course = Course { line: &line, feed: &feed, lag: &lag, stamps: &stamps };
        let outcome = runtime.block_on(course.follow(inbox, timer, delay));
        drop(orders);
        outcome?;
        let publish_lag = std::mem::take(&mut lag.borrow_mut().in_window);
        let published = publish_lag.count();
        Ok(ServerMeasured { published, publish_lag, stamps: stamps.take(), ..Default::default() })
    }
}

/// All that publishing needs.
#[derive(Debug, Clone, Copy)]
struct Course<'a> {
    line: &'a Line,
    feed: &'a FeedSpec,
    lag: &'a RefCell<Lag>,
    stamps: &'a StampLog,
}

impl<'a> Course<'a> {
    /// Follows orders until the one to stop.
    async fn follow(
        self,
        mut orders: UnboundedReceiver<ServerOrder>,
        timer: AsyncFd<Timer>,
        delay: std::time::Duration,
    ) -> Result<(), OutletError> {
        let mut timer = Some(timer);
        let mut publishing: Pin<Box<dyn Future<Output = Result<Infallible, OutletError>> + 'a>> =
            Box::pin(pending());
        loop {
            let order = tokio::select! {
                biased;
                ended = &mut publishing => match ended { Err(error) => return Err(error) },
                error = self.line.tend() => return Err(error),
                order = orders.recv() => order,
            };
            match order {
                Some(ServerOrder::Start { origin }) => {
                    if let Some(timer) = timer.take() {
                        publishing = Box::pin(self.publish(timer, origin, delay));
                    }
                }
                Some(ServerOrder::Measure { window }) => {
                    self.lag.borrow_mut().measure(window);
                    self.stamps.measure(window);
                }
                Some(ServerOrder::Stop) | None => return Ok(()),
            }
        }
    }

    /// Publishes by the schedule, counted from `origin`.
    async fn publish(
        mut self,
        timer: AsyncFd<Timer>,
        origin: MonoInstant,
        delay: std::time::Duration,
    ) -> Result<Infallible, OutletError> {
        let mut pace = Pace::new(self.feed, origin, delay, MonoInstant(u64::MAX));
        while let Some((due, at)) = pace.next() {
            let message = self.prepare(&due);
            wait_until(&timer, at).await;
            let now = pace.hand_over(&mut self, message, &due)?;
            if pace.is_behind(now) {
                tokio::task::yield_now().await;
            }
        }
        pending().await
    }
}

impl Sink for Course<'_> {
    type Message = Result<Vec<u8>, OutletError>;
    type Error = OutletError;

    fn prepare(&mut self, due: &Due) -> Self::Message {
        let payload = self.feed.payload.render(self.feed.seed, due.seq);
        self.line.encode(due.seq, &payload)
    }

    fn take(&mut self, message: Self::Message, due: &Due) -> Result<Taken, OutletError> {
        let message = message?;
        let at = clock::now();
        self.lag.borrow_mut().record(due.seq, due.at, at);
        self.stamps.published(due.seq, at);
        self.line.send(&message)?;
        Ok(Taken { at, bytes: message.len() })
    }

    fn flush(&mut self, _: MonoInstant) -> Result<(), OutletError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
