//! Plans of a run's child processes: who plays, where, and for which feed. A plan is the first line
//! that a child reads. It travels on the pipe alone, never as an argument or in a record, so that it
//! may hold secrets.

use std::net::SocketAddr;
use std::time::Duration;

use pushbench_core::compression::CompressionTerms;
use pushbench_core::deflate::WindowBits;
use pushbench_core::feed::FeedSpec;
use pushbench_core::life::Life;
use pushbench_core::sampling::Sampling;
use pushbench_core::security::{ClientSecurity, ServerSecurity};
use pushbench_core::talk::Talk;
use pushbench_core::units::ByteSize;
use pushbench_core::{Contender, Delivery, MonoInstant};
use pushbench_protocol::headers::HeaderProfile;
use serde::{Deserialize, Serialize};

use crate::observe::observer::Window;

use super::player::{LoadPlayer, Place, ServerPlayer, Subject};

/// Clients that talk, as their server has to bear them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Talkers {
    /// How they talk.
    pub talk: Talk,
    /// How many they are.
    pub clients: u32,
}

/// A server child's plan: the first line it reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServerPlan {
    /// Who plays the server.
    #[serde(default)]
    pub player: ServerPlayer,
    /// Where it runs and listens.
    #[serde(default)]
    pub place: Place,
    /// The feed.
    pub feed: FeedSpec,
    /// The profile of its responses.
    #[serde(default)]
    pub headers: HeaderProfile,
    /// The security of its connections; `None` has them in clear.
    #[serde(default)]
    pub security: Option<ServerSecurity>,
    /// Its terms for clients that offer to read what is compressed; `None` compresses nothing.
    #[serde(default)]
    pub compression: Option<CompressionTerms>,
    /// The messages to stamp along their way; `None` stamps nothing.
    #[serde(default)]
    pub stamps: Option<Sampling>,
    /// Whether requests on stamped connections are stamped too, as they come.
    #[serde(default)]
    pub stamps_requests: bool,
    /// Whether the bytes of its connections are counted, which costs a system call or two for each.
    #[serde(default)]
    pub counts_bytes: bool,
    /// How much later than due each message is published, to see whether that is found.
    #[serde(default)]
    pub publish_delay: Duration,
    /// The silence after which a stream gets a comment or a ping; `None` sends none.
    #[serde(default)]
    pub heartbeat: Option<Duration>,
    /// The number that its cursors name the feed by; `None` makes one up, which no other server has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed_id: Option<u64>,
    /// How far the feed has come that it goes on with, of a server that has gone; `None` begins anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<Begun>,
    /// The token of who publishes by hand from elsewhere than loopback, in visible ASCII.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publish_token: Option<String>,
    /// The clients that talk; `None` where they only listen to the feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub talkers: Option<Talkers>,
}

/// A feed that another server has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// Its zero.
    pub origin: MonoInstant,
    /// The window that its publisher is measured over.
    pub window: Window,
}

impl ServerPlan {
    /// A server of `feed` on a free port of 127.0.0.1, which says the least that HTTP allows and
    /// stamps nothing.
    #[must_use]
    pub fn new(feed: FeedSpec) -> Self {
        Self {
            player: ServerPlayer::Real,
            place: Place::default(),
            feed,
            headers: HeaderProfile::minimal(),
            security: None,
            compression: None,
            stamps: None,
            stamps_requests: false,
            counts_bytes: false,
            publish_delay: Duration::ZERO,
            heartbeat: None,
            feed_id: None,
            begun: None,
            publish_token: None,
            talkers: None,
        }
    }
}

/// A load child's plan: the first line it reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadPlan {
    /// Who plays the clients.
    #[serde(default)]
    pub player: LoadPlayer,
    /// Where they run, and the addresses that they connect from.
    #[serde(default)]
    pub place: Place,
    /// The address of the server.
    pub target: SocketAddr,
    /// How the server is asked.
    #[serde(default)]
    pub subject: Subject,
    /// How its clients receive the feed.
    pub contender: Contender,
    /// The promise that is made to them.
    pub delivery: Delivery,
    /// The profile of its requests, cookies included.
    pub headers: HeaderProfile,
    /// The security of their connections; `None` has them in clear.
    #[serde(default)]
    pub security: Option<ClientSecurity>,
    /// The size from which the body of an answer is to be compressed, where the contender has it so.
    #[serde(default)]
    pub compression_threshold: ByteSize,
    /// The largest window of compressed messages that they ask for.
    #[serde(default = "largest_window")]
    pub deflate_window: WindowBits,
    /// How many clients this process plays.
    pub clients: u32,
    /// The number of its first client among all of the trial's.
    pub first_client: u32,
    /// Clients of the trial in all load processes: poll phases are spread over these.
    pub total_clients: u32,
    /// The period of short polls.
    pub poll_interval: Duration,
    /// How long the server is asked to hold a long poll.
    pub long_poll_timeout: Duration,
    /// Seeds poll phases and reconnect jitter.
    pub seed: u64,
    /// How long opening all connections may take.
    pub connect_timeout: Duration,
    /// Connection attempts under way at a time, so that the server's backlog holds them.
    #[serde(default = "default_ramp")]
    pub ramp: u32,
    /// The messages to stamp along their way; `None` stamps nothing.
    #[serde(default)]
    pub stamps: Option<Sampling>,
    /// The life of their connections.
    #[serde(default, skip_serializing_if = "Life::is_usual")]
    pub life: Life,
    /// How the clients talk, in rooms; `None` where they only listen to the feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub talk: Option<Talk>,
    /// Whether a person watches, to whom each second more is told than the messages so far.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_watched: bool,
}

impl LoadPlan {
    /// All clients of a trial in one process, which are promised every message, ask with the least
    /// that HTTP allows, poll each second, or hold a poll for 30 s, and stamp nothing.
    #[must_use]
    pub fn new(target: SocketAddr, contender: Contender, clients: u32) -> Self {
        Self {
            player: LoadPlayer::Real,
            place: Place::default(),
            target,
            subject: Subject::default(),
            contender,
            delivery: Delivery::Every,
            headers: HeaderProfile::minimal(),
            security: None,
            compression_threshold: ByteSize(0),
            deflate_window: WindowBits::MAX,
            clients,
            first_client: 0,
            total_clients: clients,
            poll_interval: Duration::from_secs(1),
            long_poll_timeout: Duration::from_secs(30),
            seed: 1,
            connect_timeout: Duration::from_secs(10),
            ramp: DEFAULT_RAMP,
            stamps: None,
            life: Life::default(),
            talk: None,
            is_watched: false,
        }
    }
}

/// Connection attempts that are under way at a time, unless the plan says otherwise: few enough
/// for any server's backlog.
pub const DEFAULT_RAMP: u32 = 256;

const fn largest_window() -> WindowBits {
    WindowBits::MAX
}

const fn default_ramp() -> u32 {
    DEFAULT_RAMP
}
