//! The settings of a server: what it serves, and its bounds.

use std::time::Duration;

use pushbench_core::compression::CompressionTerms;
use pushbench_core::feed::FeedSpec;
use pushbench_core::feed::stamp::StampOffset;
use pushbench_core::sampling::Sampling;
use pushbench_metrics::record::control::{Begun, ServerPlan, Talkers};
use pushbench_protocol::headers::HeaderProfile;
use pushbench_tls::{Acceptor, CertificateError};

use crate::access::Access;
use crate::channel::ChannelKind;
use crate::publish_token::PublishToken;
use crate::rooms::guest::Allowance;

/// The settings of a server. [`ServerConfig::new`] has the documented defaults.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// The feed.
    pub feed: FeedSpec,
    /// The look of the heads of responses, of polls, event streams and WebSocket handshakes.
    /// The profile's own path, unless another endpoint has it, is that of short polls with the
    /// profile's delivery.
    pub headers: HeaderProfile,
    /// The token that `POST /feed/publish` must carry as `Authorization: Bearer …`. Without one,
    /// publishing by hand works on a loopback address only.
    pub publish_token: Option<PublishToken>,
    /// Which requests are answered.
    pub access: Access,
    /// How much of the past is kept for cursors.
    pub ring: RingLimits,
    /// The bounds of rooms, and of those in them.
    pub rooms: RoomLimits,
    /// Connections served at a time; another one is answered 503 and closed.
    pub max_connections: usize,
    /// From the first byte of a request until its head is complete, or its body.
    pub request_timeout: Duration,
    /// How long a kept connection may stay without a request.
    pub idle_timeout: Duration,
    /// How long a peer may take no byte of what is written to it.
    pub write_timeout: Duration,
    /// How long a closing connection waits for its peer.
    pub close_timeout: Duration,
    /// Silence after which an event stream gets a comment (WHATWG HTML §9.2.7), and a WebSocket a ping
    /// (RFC 6455 §5.5.2); `None` sends none.
    pub heartbeat: Option<Duration>,
    /// Bytes of the kernel's send buffer for each connection; `None` leaves the system's own.
    pub send_buffer: Option<usize>,
    /// The layer between each connection's socket and its plaintext.
    pub channel: ChannelKind,
    /// The terms for clients that offer to read what is compressed; `None` compresses nothing.
    pub compression: Option<CompressionTerms>,
    /// The messages and connections to stamp on their way; `None` stamps nothing.
    pub stamps: Option<Sampling>,
    /// Whether requests on those connections are stamped too, as they come.
    pub stamps_requests: bool,
    /// Whether the bytes of its connections are counted over the window.
    pub counts_bytes: bool,
    /// How much later than due each message is published.
    pub publish_delay: Duration,
    /// The name of the feed in cursors; `None` makes one up, which no other server has.
    pub feed_id: Option<u64>,
    /// The feed of a server that has gone, which this one goes on with; `None` begins anew.
    pub begun: Option<Begun>,
    /// Clients that upload: what is said in rooms is for the server alone, which counts it.
    pub uploads: Option<Talkers>,
    /// The clock by which messages say when they are due, for who takes the server for a stranger's;
    /// `None` where they do not.
    pub payload_stamps: Option<StampOffset>,
}

impl ServerConfig {
    /// The defaults for a feed.
    #[must_use]
    pub fn new(feed: FeedSpec) -> Self {
        Self {
            feed,
            headers: HeaderProfile::minimal(),
            publish_token: None,
            access: Access::default(),
            ring: RingLimits::default(),
            rooms: RoomLimits::default(),
            max_connections: 65_536,
            request_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(300),
            write_timeout: Duration::from_secs(60),
            close_timeout: Duration::from_secs(2),
            heartbeat: Some(Duration::from_secs(15)),
            send_buffer: None,
            channel: ChannelKind::Clear,
            compression: None,
            stamps: None,
            stamps_requests: false,
            counts_bytes: false,
            publish_delay: Duration::ZERO,
            feed_id: None,
            begun: None,
            uploads: None,
            payload_stamps: None,
        }
    }

    /// How often deadlines are looked at: often enough to be at most a quarter late.
    pub(crate) fn tick(&self) -> Duration {
        let spans = [
            self.request_timeout,
            self.idle_timeout,
            self.write_timeout,
            self.close_timeout,
            self.heartbeat.unwrap_or(Duration::MAX),
            self.rooms.idle,
        ];
        let shortest = spans.into_iter().min().unwrap_or_default();
        (shortest / 4).clamp(Duration::from_millis(10), Duration::from_secs(1))
    }
}

impl TryFrom<ServerPlan> for ServerConfig {
    type Error = CertificateError;

    /// The settings of a child of a run. Where and by whom is no part of it.
    fn try_from(plan: ServerPlan) -> Result<Self, Self::Error> {
        // All of it by name, so that nothing that a plan will say one day is passed over.
        let ServerPlan {
            feed,
            headers,
            security,
            compression,
            stamps,
            stamps_requests,
            counts_bytes,
            publish_delay,
            heartbeat,
            publish_token,
            feed_id,
            begun,
            talkers,
            place: _,
            player: _,
        } = plan;
        // Clients of the profile name hosts and pages that are the profile's.
        let access = Access::of_profile(&headers);
        let channel = match security {
            Some(security) => ChannelKind::Tls(Acceptor::new(&security)?),
            None => ChannelKind::Clear,
        };
        // One that is none lets nobody publish.
        let publish_token = publish_token.and_then(|token| token.parse().ok());
        let rooms = talkers.map_or_else(RoomLimits::default, RoomLimits::bearing);
        let uploads = talkers.filter(|it| !it.talk.pattern.is_heard());
        Ok(Self {
            rooms,
            uploads,
            headers,
            channel,
            compression,
            stamps,
            stamps_requests,
            counts_bytes,
            publish_delay,
            heartbeat,
            publish_token,
            feed_id,
            begun,
            access,
            ..Self::new(feed)
        })
    }
}

/// The bounds of the ring of past messages. The newest message is always held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RingLimits {
    /// Messages at most.
    pub messages: usize,
    /// Bytes at most, over every encoding of the messages and the ring's own bookkeeping.
    pub bytes: usize,
}

impl Default for RingLimits {
    fn default() -> Self {
        Self { messages: 65_536, bytes: 64 << 20 }
    }
}

/// The bounds of rooms that clients begin, and of each client in them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RoomLimits {
    /// Rooms at a time.
    pub rooms: usize,
    /// How much of the past each keeps for cursors.
    pub ring: RingLimits,
    /// Bytes of the past that all of them keep together, of which each has an equal share.
    pub memory: usize,
    /// How long a room stays in which nobody is.
    pub idle: Duration,
    /// The most bytes of a message.
    pub message: usize,
    /// The messages that one connection may say.
    pub says: Allowance,
    /// The rooms that one connection may begin.
    pub begins: Allowance,
    /// Bytes of unfinished messages, and of those on their way back, that all clients of the echo may have.
    pub echoes: usize,
    /// The least time from one word on how many are in a room to the next.
    pub presence: Duration,
}

impl RoomLimits {
    /// Bounds that talk as a trial has planned it does not meet, so that it is not measured how a server
    /// refuses it: as many rooms, as long messages and as many of them as there are to be, and as much of the
    /// past as of a feed.
    #[must_use]
    pub fn bearing(Talkers { talk, clients }: Talkers) -> Self {
        let usual = Self::default();
        Self {
            rooms: usual.rooms.max(talk.rooms(clients) as usize),
            message: usual.message.max(talk.bytes as usize),
            says: Allowance { per_second: f64::INFINITY, at_once: u32::MAX },
            ring: RingLimits::default(),
            ..usual
        }
    }
}

impl Default for RoomLimits {
    fn default() -> Self {
        Self {
            rooms: 10_000,
            ring: RingLimits { messages: 4096, bytes: 1 << 20 },
            memory: 256 << 20,
            idle: Duration::from_secs(60),
            message: 64 << 10,
            says: Allowance { per_second: 200.0, at_once: 400 },
            begins: Allowance { per_second: 1.0, at_once: 32 },
            echoes: 256 << 20,
            presence: Duration::from_millis(250),
        }
    }
}
