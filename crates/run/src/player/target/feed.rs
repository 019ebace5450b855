//! The feed of a server that runs already, and when its messages are due by this machine's clock.

use std::cell::Cell;
use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_core::feed::FeedDescription;
use pushbench_core::feed::schedule::{Checkpoint, HORIZON, Schedule, WalkError};
use pushbench_core::instant::saturating_nanos;
use pushbench_os::time::clock;

use super::TargetError;

/// How much longer than [`HORIZON`] before a trial its schedule is walked: until the load processes
/// have their orders.
const MARGIN: Duration = Duration::from_secs(2);

/// How far ahead a feed may begin: in a trial that waited longer, nothing would be due.
const LONGEST_AHEAD: Duration = Duration::from_secs(60);

/// A feed whose instants are known.
#[derive(Debug, Clone)]
pub struct KnownFeed {
    /// The feed, as it was when asked.
    pub description: FeedDescription,
    /// Whether its instants are on this machine's clock.
    pub same_clock: bool,
    /// Its zero, on this machine's clock; where the server has another, as estimated from its newest
    /// message.
    pub origin: MonoInstant,
    /// The URL of its server.
    url: String,
    /// How far the schedule has been walked: each trial goes on from there.
    walked: Cell<Checkpoint>,
}

impl KnownFeed {
    /// The feed that the server at `url` publishes.
    pub(super) fn of(url: &str, feed: FeedDescription) -> Result<Self, TargetError> {
        let url = url.to_owned();
        let same_clock = !feed.boot_id.is_empty() && feed.boot_id == clock::boot_id();
        let ahead = feed.origin.unwrap_or_default().saturating_since(clock::now());
        if same_clock && ahead > LONGEST_AHEAD {
            return Err(TargetError::BeginsLate(url, ahead));
        }
        if feed.schedule == Schedule::Manual {
            return Err(TargetError::Manual(url));
        }
        let origin = match feed.origin {
            Some(origin) if same_clock => origin,
            _ => estimated_origin(&feed)
                .map_err(|error| TargetError::Instants(url.clone(), error))?,
        };
        let walked = Cell::new(feed.checkpoint);
        let known = Self { description: feed, same_clock, origin, url, walked };
        // That it can be walked is found here, before anything is written.
        known.checkpoint_before(clock::now())?;
        Ok(known)
    }

    /// A place in the schedule from which all messages follow that a trial may bring which begins
    /// at `warmup`. Takes as long as what has passed since it was asked for last.
    pub(in crate::player) fn checkpoint_before(
        &self,
        warmup: MonoInstant,
    ) -> Result<Checkpoint, TargetError> {
        let now = warmup.saturating_since(self.origin);
        let given = self.walked.get();
        #[expect(clippy::cast_precision_loss, reason = "a checkpoint is a minute away")]
        if given.elapsed_ns > saturating_nanos(now) as f64 {
            return Err(TargetError::Ahead(self.url.clone(), given.elapsed_ns));
        }
        let asked_ns = saturating_nanos(now.saturating_sub(HORIZON + MARGIN));
        let FeedDescription { schedule, seed, .. } = &self.description;
        let place = schedule.seek(*seed, given, asked_ns);
        let place = place.map_err(|error| TargetError::Instants(self.url.clone(), error))?;
        self.walked.set(place);
        Ok(place)
    }
}

/// The zero of a feed whose newest message is taken to have been due just now.
fn estimated_origin(feed: &FeedDescription) -> Result<MonoInstant, WalkError> {
    let elapsed = feed.schedule.offset_of(feed.seed, feed.checkpoint, feed.newest)?;
    Ok(clock::now() - Duration::from_nanos(elapsed.unwrap_or(0)))
}
