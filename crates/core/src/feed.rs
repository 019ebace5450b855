//! The one source of messages: a schedule, a payload, a seed.

use serde::{Deserialize, Serialize};

use crate::instant::MonoInstant;
use crate::message::{Content, Seq};
use crate::payload::Payload;
use crate::schedule::Schedule;

/// All that determines a feed's messages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeedSpec {
    /// The seed of schedule and payload.
    pub seed: u64,
    /// When messages exist.
    pub schedule: Schedule,
    /// What they say.
    pub payload: Payload,
}

/// What `GET /feed` answers: enough to compute when each message was due.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeedDescription {
    /// Names this format to whoever asks a server that is none of ours.
    pub format: String,
    /// Tells one feed from another: changes with each start of a server.
    pub id: String,
    /// The seed of schedule and payload.
    pub seed: u64,
    /// When messages exist.
    pub schedule: Schedule,
    /// What a payload looks like.
    pub payload: PayloadDescription,
    /// The instant that the schedule counts from; `None` where it has not begun.
    pub origin: Option<MonoInstant>,
    /// The boot whose monotonic clock `origin` is read from.
    pub boot_id: String,
    /// The oldest message still held, 0 where there is none.
    pub oldest: Seq,
    /// The newest message, 0 before the first.
    pub newest: Seq,
}

/// The value of [`FeedDescription::format`].
pub const FEED_FORMAT: &str = "pushbench-feed/1";

/// Size and kind of a feed's payloads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PayloadDescription {
    /// Text or binary.
    pub content: Content,
    /// Mean size in bytes.
    pub mean_bytes: f64,
}

impl From<&Payload> for PayloadDescription {
    fn from(payload: &Payload) -> Self {
        Self { content: payload.content(), mean_bytes: payload.mean_bytes() }
    }
}
