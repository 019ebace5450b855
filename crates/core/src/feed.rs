//! The one source of messages: a schedule, a payload, a seed.

pub mod identity;
pub mod message;
pub mod number;
pub mod payload;
pub mod said;
pub mod schedule;
pub mod stamp;
pub mod trace;

use serde::{Deserialize, Serialize};

use crate::checked::excerpt;
use crate::checked_when_read;
use crate::feed::message::{Content, Seq};
use crate::feed::payload::{MAX_PAYLOAD, Payload};
use crate::feed::schedule::{Checkpoint, Schedule};
use crate::instant::MonoInstant;

/// All that determines a feed's messages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeedSpec {
    /// The seed of schedule and payload.
    pub seed: u64,
    /// When messages exist.
    pub schedule: Schedule,
    /// Their bytes.
    pub payload: Payload,
}

/// The answer to `GET /feed`: enough to compute when each message was due.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct FeedDescription {
    /// Names this format to whoever asks a server that is none of ours.
    pub format: String,
    /// Tells one feed from another: changes with each start of a server.
    pub id: String,
    /// The seed of schedule and payload.
    pub seed: u64,
    /// When messages exist.
    pub schedule: Schedule,
    /// Kind and size of payloads.
    pub payload: PayloadDescription,
    /// The instant that the schedule counts from; `None` where it has not begun.
    pub origin: Option<MonoInstant>,
    /// The boot whose monotonic clock `origin` is read from.
    pub boot_id: String,
    /// The oldest message still held, 0 where there is none.
    pub oldest: Seq,
    /// The newest message, 0 before the first.
    pub newest: Seq,
    /// A place of a Poisson schedule to walk on from, a while before the newest message: adding up
    /// a week's gaps takes longer than anybody waits.
    #[serde(default, skip_serializing_if = "Checkpoint::is_start")]
    pub checkpoint: Checkpoint,
}

checked_when_read!(FeedDescription);

/// The value of [`FeedDescription::format`].
pub const FEED_FORMAT: &str = "pushbench-feed/1";

/// The most bytes that a feed's description may have: a replay's has each instant of its trace.
pub const MAX_FEED_BYTES: u64 = 32 << 20;

/// The most bytes of each of a description's texts.
const MAX_TEXT: usize = 256;

/// A description that is of no feed, with what would be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FeedError {
    /// A member, and how it begins, whose text is too long or has what a name has not.
    #[error(
        "{0}: `{1}` is no name; it has at most {MAX_TEXT} bytes, none of them a control character"
    )]
    Text(&'static str, String),
    /// A mean size that no messages have.
    #[error("payload.mean_bytes: {0:?} is not within 1 and {MAX_PAYLOAD}")]
    MeanBytes(f64),
    /// A ring that ends before it begins.
    #[error("oldest: message {0} cannot be held where {1} is the newest")]
    Held(Seq, Seq),
    /// A newest message that nobody can have counted to.
    #[error("newest: {0} is beyond what a feed's messages are counted to, 2^63 - 1")]
    Newest(Seq),
    /// A checkpoint that is not on the schedule's way.
    #[error(
        "checkpoint: {} messages of this schedule do not take {} ns; leave it out",
        .0.passed, .0.elapsed_ns
    )]
    Checkpoint(Checkpoint),
}

impl FeedDescription {
    /// Checks what the types of its members cannot.
    ///
    /// # Errors
    ///
    /// The first member that cannot be.
    pub fn check(&self) -> Result<(), FeedError> {
        for (member, text) in
            [("format", &self.format), ("id", &self.id), ("boot_id", &self.boot_id)]
        {
            if text.len() > MAX_TEXT || text.contains(char::is_control) {
                let shown = excerpt(text, 40).escape_debug().to_string();
                return Err(FeedError::Text(member, shown));
            }
        }
        self.payload.check()?;
        self.check_numbers()
    }

    fn check_numbers(&self) -> Result<(), FeedError> {
        let Self { oldest, newest, checkpoint, .. } = *self;
        if newest.0 > i64::MAX.unsigned_abs() {
            return Err(FeedError::Newest(newest));
        }
        if oldest > newest {
            return Err(FeedError::Held(oldest, newest));
        }
        match self.schedule {
            Schedule::Poisson { rate } if !checkpoint.is_likely(rate) => {
                Err(FeedError::Checkpoint(checkpoint))
            }
            _ => Ok(()),
        }
    }
}

/// Size and kind of a feed's payloads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PayloadDescription {
    /// Text or binary.
    pub content: Content,
    /// Mean size in bytes.
    pub mean_bytes: f64,
}

impl PayloadDescription {
    fn check(&self) -> Result<(), FeedError> {
        #[expect(clippy::cast_precision_loss, reason = "1 MiB")]
        let most = MAX_PAYLOAD as f64;
        if (1.0..=most).contains(&self.mean_bytes) {
            return Ok(());
        }
        Err(FeedError::MeanBytes(self.mean_bytes))
    }
}

impl From<&Payload> for PayloadDescription {
    fn from(payload: &Payload) -> Self {
        Self { content: payload.content(), mean_bytes: payload.mean_bytes() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description(schedule: &str, more: &str) -> Result<FeedDescription, String> {
        let json = format!(
            r#"{{"format":"{FEED_FORMAT}","id":"1","seed":1,"schedule":{schedule},
                "payload":{{"content":"text","mean_bytes":64.0}},"origin":0,"boot_id":"b",
                "oldest":0,"newest":0{more}}}"#
        );
        // The last of two members of one name would be refused as a second.
        let mut value: serde_json::Value = serde_json::from_str(&json).unwrap();
        if more.is_empty() {
            return serde_json::from_value(value).map_err(|error| error.to_string());
        }
        let more: serde_json::Map<_, _> =
            serde_json::from_str(&format!("{{{}}}", &more[1..])).unwrap();
        value.as_object_mut().unwrap().extend(more);
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_description_without_a_checkpoint_begins_at_the_start() {
        let feed = description(r#"{"kind":"poisson","rate":"10/s"}"#, "").unwrap();
        assert!(feed.checkpoint.is_start());
        let json = serde_json::to_string(&feed).unwrap();
        assert!(!json.contains("checkpoint"), "{json}");
    }

    #[test]
    fn what_no_feed_can_be_is_refused_by_its_member() {
        let poisson = r#"{"kind":"poisson","rate":"10/s"}"#;
        let long = format!(r#","id":"{}""#, "x".repeat(300));
        let cases = [
            (r#","payload":{"content":"text","mean_bytes":0}"#, "mean_bytes: 0.0 is not within"),
            (r#","payload":{"content":"text","mean_bytes":-5.5}"#, "mean_bytes: -5.5"),
            (r#","payload":{"content":"text","mean_bytes":1e300}"#, "mean_bytes: 1e300"),
            (r#","payload":{"content":"text","mean_bytes":null}"#, "null"),
            (r#","newest":3,"oldest":5"#, "oldest: message 5 cannot be held where 3"),
            (r#","newest":18446744073709551615"#, "newest: 18446744073709551615 is beyond"),
            (r#","origin":-1"#, "-1"),
            (r#","id":"a\u001b[2J""#, "id: `a\\u{1b}[2J` is no name"),
            (&long, "is no name"),
            (r#","checkpoint":{"passed":5,"elapsed_ns":1e15}"#, "checkpoint: 5 messages of this"),
            (r#","checkpoint":{"passed":5,"elapsed_ns":-1.0}"#, "a checkpoint after 5"),
        ];
        for (more, part) in cases {
            let error = description(poisson, more).unwrap_err();
            assert!(error.contains(part), "{more:.80}: {error}");
        }
        let error = description(r#"{"kind":"replay","speed":1.0,"offsets_ns":[]}"#, "");
        assert!(error.unwrap_err().contains("offsets_ns"));
    }
}
