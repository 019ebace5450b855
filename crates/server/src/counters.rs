//! What the server counts. One thread counts, so a [`Cell`] is enough.

use std::cell::Cell;

use http::StatusCode;

/// The kinds of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Requests and responses, as long as it is not a stream.
    Http,
    /// Server-sent events.
    Sse,
    /// WebSocket.
    Websocket,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Http, Self::Sse, Self::Websocket];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Sse => "sse",
            Self::Websocket => "websocket",
        }
    }
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Page,
    Feed,
    Publish,
    Poll,
    LongPoll,
    Sse,
    Websocket,
    Metrics,
    Health,
    Unknown,
}

impl Endpoint {
    pub(crate) const ALL: [Self; 10] = [
        Self::Page,
        Self::Feed,
        Self::Publish,
        Self::Poll,
        Self::LongPoll,
        Self::Sse,
        Self::Websocket,
        Self::Metrics,
        Self::Health,
        Self::Unknown,
    ];

    /// The path, or what stands for all paths that are none.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Page => "/",
            Self::Feed => "/feed",
            Self::Publish => "/feed/publish",
            Self::Poll => "/feed/poll",
            Self::LongPoll => "/feed/long-poll",
            Self::Sse => "/feed/sse",
            Self::Websocket => "/feed/ws",
            Self::Metrics => "/metrics",
            Self::Health => "/healthz",
            Self::Unknown => "other",
        }
    }

    pub(crate) fn of(path: &str) -> Self {
        let found = Self::ALL.into_iter().find(|endpoint| endpoint.path() == path);
        found.unwrap_or(Self::Unknown)
    }
}

/// A number that only goes up.
#[derive(Debug, Default)]
pub(crate) struct Counter(Cell<u64>);

impl Counter {
    #[inline]
    pub(crate) fn add(&self, count: u64) {
        self.0.set(self.0.get() + count);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.get()
    }
}

/// How many there are now.
#[derive(Debug, Default)]
pub(crate) struct Gauge(Cell<usize>);

impl Gauge {
    pub(crate) fn up(&self) {
        self.0.set(self.0.get() + 1);
    }

    pub(crate) fn down(&self) {
        self.0.set(self.0.get() - 1);
    }

    pub(crate) fn get(&self) -> usize {
        self.0.get()
    }

    /// One more for as long as the guard lives.
    pub(crate) fn while_held(&self) -> Held<'_> {
        self.up();
        Held(self)
    }
}

/// Counts in a [`Gauge`] until it is dropped.
#[derive(Debug)]
pub(crate) struct Held<'a>(&'a Gauge);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.down();
    }
}

/// Everything that is counted since the start.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Connections accepted, the refused ones too.
    pub(crate) connections: Counter,
    /// Connections refused because there were too many.
    pub(crate) refused: Counter,
    /// Streams opened, by [`Kind`]; connections of all kinds begin as HTTP.
    opened: [Counter; Kind::ALL.len()],
    /// Connections open now, by [`Kind`].
    open: [Gauge; Kind::ALL.len()],
    /// Requests answered, by endpoint and class of status.
    requests: [[Counter; 5]; Endpoint::ALL.len()],
    /// Long polls that wait now.
    pub(crate) waiting: Gauge,
    /// Messages that a stream skipped under `latest`.
    pub(crate) superseded: Counter,
    /// Streams ended because their cursor fell off the ring.
    pub(crate) overrun: Counter,
    /// Streams cut because they took no byte for too long.
    pub(crate) stalled: Counter,
}

impl Counters {
    pub(crate) fn opened(&self, kind: Kind) {
        self.opened[kind as usize].add(1);
        self.open[kind as usize].up();
    }

    pub(crate) fn closed(&self, kind: Kind) {
        self.open[kind as usize].down();
    }

    pub(crate) fn open_now(&self, kind: Kind) -> usize {
        self.open[kind as usize].get()
    }

    pub(crate) fn opened_ever(&self, kind: Kind) -> u64 {
        self.opened[kind as usize].get()
    }

    pub(crate) fn answered(&self, endpoint: Endpoint, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        self.requests[endpoint as usize][class].add(1);
    }

    /// Requests of an endpoint answered with each class of status, from 1xx.
    pub(crate) fn answers(&self, endpoint: Endpoint) -> [u64; 5] {
        self.requests[endpoint as usize].each_ref().map(Counter::get)
    }

    /// Requests answered, of all endpoints.
    pub(crate) fn requests(&self) -> u64 {
        Endpoint::ALL.into_iter().flat_map(|endpoint| self.answers(endpoint)).sum()
    }
}
