//! Walks the schedule: each message is handed to the hub at its instant, or as soon after as the
//! thread is free.
//!
//! A message is rendered and encoded ahead of its instant. Where the server is slower than the
//! schedule, all messages that are due are handed over together, so that each stream gets them
//! with one write; a turn's bound leaves sockets their share. What was due is never dropped: a
//! late message counts with its delay.

use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use pushbench_core::message::Content;
use pushbench_core::{MonoInstant, Seq};
use pushbench_os::time::clock;
use pushbench_os::time::timer::Timer;
use tokio::io::unix::AsyncFd;

use crate::ring::Entry;
use crate::shared::Shared;

/// Messages handed over in one turn.
const MESSAGES_PER_TURN: usize = 64;

/// Bytes handed over in one turn, but for a single larger message.
const BYTES_PER_TURN: usize = 1 << 20;

/// Publishes by the schedule, counted from `origin`, for as long as it is polled.
pub(crate) async fn publish(
    shared: Rc<Shared>,
    timer: AsyncFd<Timer>,
    origin: MonoInstant,
) -> Infallible {
    let feed = &shared.config.feed;
    let content = feed.payload.content();
    let mut offsets = feed.schedule.offsets(feed.seed);
    let dues = std::iter::from_fn(|| {
        let due = origin.plus_nanos(offsets.next()?);
        let place = offsets.checkpoint();
        shared.trail.borrow_mut().pass(place);
        Some((due, place.passed))
    });
    let mut dues = dues.peekable();
    let delay = shared.config.publish_delay;
    while let Some((due, number)) = dues.next() {
        let entry = render(&shared, content, Seq(number));
        wait_until(&timer, due + delay).await;
        let mut bytes = entry.payload().len();
        let mut now = hand_over(&shared, entry, due);
        for _ in 1..MESSAGES_PER_TURN {
            if bytes >= BYTES_PER_TURN {
                break;
            }
            let Some((due, number)) = dues.next_if(|&(due, _)| due + delay <= now) else { break };
            let entry = render(&shared, content, Seq(number));
            bytes += entry.payload().len();
            now = hand_over(&shared, entry, due);
        }
        shared.deliver(now);
        if dues.peek().is_some_and(|&(due, _)| due + delay <= now) {
            tokio::task::yield_now().await;
        }
    }
    // A schedule has no end; one without messages just has none to publish.
    std::future::pending().await
}

fn render(shared: &Shared, content: Content, seq: Seq) -> Entry {
    let feed = &shared.config.feed;
    Entry::new(seq, content, &feed.payload.render(feed.seed, seq))
}

/// Hands a message to the hub; tells when that was.
fn hand_over(shared: &Shared, entry: Entry, due: MonoInstant) -> MonoInstant {
    let now = clock::now();
    shared.lag.borrow_mut().record(entry.seq(), due, now);
    shared.stamps.published(entry.seq(), now);
    shared.push(entry);
    now
}

/// Waits for an instant that is still to come.
async fn wait_until(timer: &AsyncFd<Timer>, due: MonoInstant) {
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
