//! The server's books. One thread counts, so a [`Cell`] is enough.

use std::cell::Cell;

use http::StatusCode;

use crate::wire::Language;

/// A kind of connections: a row of the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConnectionKind {
    row: usize,
    pub(crate) name: &'static str,
}

impl ConnectionKind {
    /// The kinds: requests and responses, and each form of a stream.
    pub(crate) const COUNT: usize = 1 + Language::ALL.len();

    /// Requests and responses, as long as it is not a stream.
    pub(crate) const HTTP: Self = Self { row: 0, name: "http" };

    /// Streams of one language, counted in a row of their own.
    pub(crate) const fn of(language: Language) -> Self {
        Self { row: 1 + language as usize, name: language.name() }
    }
}

/// An endpoint's row of the books: its place in the table of endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EndpointRow(pub(crate) u8);

impl EndpointRow {
    /// The rows that the books have, whether or not there is an endpoint for each.
    pub(crate) const MOST: usize = 24;
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

/// A number of what there is now.
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
    /// Handshakes of TLS that succeeded.
    pub(crate) handshakes: Counter,
    /// Those of them that took up an earlier session again.
    pub(crate) resumed: Counter,
    /// Handshakes that came to nothing.
    pub(crate) failed_handshakes: Counter,
    /// Connections refused because there were too many.
    pub(crate) refused: Counter,
    /// Streams opened, by [`ConnectionKind`]; connections of all kinds begin as HTTP.
    opened: [Counter; ConnectionKind::COUNT],
    /// Connections open now, by [`ConnectionKind`].
    open: [Gauge; ConnectionKind::COUNT],
    /// Requests answered, by endpoint and class of status.
    requests: [[Counter; 5]; EndpointRow::MOST],
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
    pub(crate) fn opened(&self, kind: ConnectionKind) {
        self.opened[kind.row].add(1);
        self.open[kind.row].up();
    }

    pub(crate) fn closed(&self, kind: ConnectionKind) {
        self.open[kind.row].down();
    }

    /// Connections open now, of all kinds.
    pub(crate) fn open(&self) -> usize {
        self.open.iter().map(Gauge::get).sum()
    }

    pub(crate) fn open_now(&self, kind: ConnectionKind) -> usize {
        self.open[kind.row].get()
    }

    pub(crate) fn opened_ever(&self, kind: ConnectionKind) -> u64 {
        self.opened[kind.row].get()
    }

    pub(crate) fn answered(&self, endpoint: EndpointRow, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        self.requests[usize::from(endpoint.0)][class].add(1);
    }

    /// Requests of an endpoint answered with each class of status, from 1xx.
    pub(crate) fn answers(&self, endpoint: EndpointRow) -> [u64; 5] {
        self.requests[usize::from(endpoint.0)].each_ref().map(Counter::get)
    }

    /// Requests answered, of all endpoints.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.iter().flatten().map(Counter::get).sum()
    }
}
