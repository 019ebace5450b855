//! Publisher: paces the feed into the hub, and waits with a timer of the event loop.

use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use pushbench_core::{MonoInstant, Seq};
use pushbench_os::time::clock;
use pushbench_os::time::timer::Timer;
use tokio::io::unix::AsyncFd;

use crate::pace::{Due, Pace, Sink, Taken};
use crate::ring::Entry;
use crate::shared::Shared;

/// Publishes by the schedule, counted from `origin`, for as long as it is polled. Of a feed that another
/// server has begun, the messages up to `taken_up` are held already.
pub(crate) async fn publish(
    shared: Rc<Shared>,
    timer: AsyncFd<Timer>,
    origin: MonoInstant,
    taken_up: Seq,
) -> Infallible {
    let mut pace = pace(&shared, origin);
    pace.skip_to(taken_up);
    let mut hub = HubSink(&shared);
    while let Some((due, at)) = pace.next() {
        let entry = hub.prepare(&due);
        wait_until(&timer, at).await;
        let Ok(now) = pace.hand_over(&mut hub, entry, &due);
        if pace.is_behind(now) {
            tokio::task::yield_now().await;
        }
    }
    // A schedule has no end; one without messages just has none to publish.
    std::future::pending().await
}

/// Takes up the feed that another server began at `origin`: its messages of before now are held for
/// cursors, as if they had been published here, so that a client that asks for what it missed gets it,
/// and who asks for what is still to come waits. Returns the last of them.
pub(crate) fn take_up(shared: &Shared, origin: MonoInstant) -> Seq {
    let mut pace = pace(shared, origin);
    let mut hub = HubSink(shared);
    let mut last = Seq::NONE;
    while pace.is_behind(clock::now()) {
        let Some((due, _)) = pace.next() else { break };
        let entry = hub.prepare(&due);
        shared.lag.borrow_mut().take_up(due.seq);
        shared.push(entry);
        last = due.seq;
    }
    last
}

fn pace(shared: &Shared, origin: MonoInstant) -> Pace<'_> {
    let config = &shared.config;
    Pace::new(&config.feed, origin, config.publish_delay, MonoInstant(u64::MAX))
}

/// The hub, which encodes each message once and gives it to everybody.
struct HubSink<'a>(&'a Shared);

impl Sink for HubSink<'_> {
    type Message = Entry;
    type Error = Infallible;

    fn prepare(&mut self, due: &Due) -> Entry {
        self.0.checkpoints.borrow_mut().pass(due.checkpoint);
        let (feed, stamps) = (&self.0.config.feed, &self.0.config.payload_stamps);
        let payload = match stamps {
            Some(clock) => {
                let at_us = clock.to_stamp(due.at).0.unsigned_abs() / 1_000;
                feed.payload.render_stamped(feed.seed, due.seq, at_us)
            }
            None => feed.payload.render(feed.seed, due.seq),
        };
        Entry::new(due.seq, feed.payload.content(), &payload)
    }

    fn take(&mut self, entry: Entry, due: &Due) -> Result<Taken, Infallible> {
        let (at, bytes) = (clock::now(), entry.payload().len());
        self.0.lag.borrow_mut().record(due.seq, due.at, at);
        self.0.stamps.published(due.seq, at);
        self.0.push(entry);
        Ok(Taken { at, bytes })
    }

    fn flush(&mut self, now: MonoInstant) -> Result<(), Infallible> {
        self.0.deliver(now);
        Ok(())
    }
}

/// Waits for an instant that is still to come.
pub(crate) async fn wait_until(timer: &AsyncFd<Timer>, due: MonoInstant) {
    while clock::now() < due {
        if wait_once(timer, due).await.is_err() {
            // Not known to happen. The runtime's timer is a millisecond late, and says so in
            // the publisher's lag.
            let left = due.saturating_since(clock::now());
            tokio::time::sleep(left.max(Duration::from_millis(1))).await;
        }
    }
}

async fn wait_once(timer: &AsyncFd<Timer>, due: MonoInstant) -> std::io::Result<()> {
    timer.get_ref().arm(due)?;
    let mut ready = timer.readable().await?;
    timer.get_ref().acknowledge()?;
    ready.clear_ready();
    Ok(())
}
