//! Bytes of the server's connections over the window, by the kernel's count of each (`TCP_INFO`).
//!
//! The total of all connections that there ever were is taken at both edges of the window, and the bytes
//! of the window are their difference: of an open connection a reading, of one that has been closed the
//! last reading, and a model of what follows a close. An edge is no instant: a reading takes 0.7 µs for each
//! connection, and a sleep ends up to a millisecond late.

use std::cell::Cell;
use std::rc::Rc;

use pushbench_core::{IpVersion, MonoInstant};
use pushbench_metrics::observe::ledger::TcpipTally;
use pushbench_metrics::observe::observer::Window;
use pushbench_metrics::observe::served::{ServedBytes, ServedWay};
use pushbench_os::net::tcp_info::{Parting, Segments, Side, TcpInfo};
use pushbench_os::time::clock;

use crate::shared::Shared;

/// The account of the bytes of all connections.
#[derive(Debug)]
pub(crate) struct ByteCount {
    ip: IpVersion,
    /// Connections that are closed, and all that were accepted.
    closed: Cell<ServedBytes>,
    /// Some reading failed, or the kernel does not tell enough.
    incomplete: Cell<bool>,
    window: Cell<Counting>,
}

/// How far the count of a window is.
#[derive(Debug, Clone, Copy, Default)]
enum Counting {
    #[default]
    Not,
    /// It has begun with this total, and ends then.
    Since(ServedBytes, MonoInstant),
    Over(ServedBytes),
}

impl ByteCount {
    pub(crate) fn new(ip: IpVersion) -> Rc<Self> {
        let (closed, incomplete, window) = Default::default();
        Rc::new(Self { ip, closed, incomplete, window })
    }

    /// A connection is accepted.
    pub(crate) fn accepted(&self) {
        let mut closed = self.closed.get();
        closed.connections += 1;
        self.closed.set(closed);
    }

    /// A connection is closed, after this last reading.
    pub(crate) fn closed(&self, last: Option<&TcpInfo>) {
        let Some(mut bytes) = self.bytes(last) else { return };
        let rest = last.map(|last| Segments::of_close(last, Parting::Silent)).unwrap_or_default();
        let timestamps = last.is_some_and(|last| last.timestamps);
        add_headers(&mut bytes, rest, self.ip, timestamps);
        bytes.merge(&self.closed.get());
        self.closed.set(bytes);
    }

    /// Takes the end of a window that is over, unless that was done.
    pub(crate) fn end(&self, shared: &Shared) {
        if let Counting::Since(before, end) = self.window.get()
            && end <= clock::now()
        {
            self.window.set(Counting::Over(self.total(shared).since(&before)));
        }
    }

    /// The bytes of the window, if it was whole and every reading good.
    pub(crate) const fn counted(&self) -> Option<ServedBytes> {
        match self.window.get() {
            Counting::Over(bytes) if !self.incomplete.get() => Some(bytes),
            _ => None,
        }
    }

    /// The bytes of a connection so far, its handshake among them.
    fn bytes(&self, reading: Option<&TcpInfo>) -> Option<ServedBytes> {
        let bytes = reading.and_then(|reading| since_open(reading, self.ip));
        if bytes.is_none() {
            self.incomplete.set(true);
        }
        bytes
    }

    /// The bytes of all connections that there have been.
    fn total(&self, shared: &Shared) -> ServedBytes {
        let mut total = self.closed.get();
        shared.each_connection(|connection| {
            if let Some(bytes) = self.bytes(connection.tcp_info().as_ref()) {
                total.merge(&bytes);
            }
        });
        total
    }
}

/// Counts over `window`, for as long as it is polled. One that has begun begins now.
pub(crate) fn measure(shared: Rc<Shared>, window: Window) -> impl Future<Output = ()> {
    if let Some(count) = &shared.byte_count {
        count.window.set(Counting::Not);
        begin(count, &shared, window);
    }
    async move {
        let Some(count) = &shared.byte_count else { return };
        tokio::time::sleep(window.start.saturating_since(clock::now())).await;
        begin(count, &shared, window);
        tokio::time::sleep(window.end.saturating_since(clock::now())).await;
        count.end(&shared);
    }
}

fn begin(count: &ByteCount, shared: &Shared, window: Window) {
    if matches!(count.window.get(), Counting::Not) && window.start <= clock::now() {
        count.window.set(Counting::Since(count.total(shared), window.end));
    }
}

fn since_open(info: &TcpInfo, ip: IpVersion) -> Option<ServedBytes> {
    let again = info.bytes_retransmitted?;
    let mut bytes = ServedBytes {
        up: ServedWay { socket_bytes: info.bytes_received?, ..ServedWay::default() },
        down: ServedWay {
            socket_bytes: info.bytes_sent?.saturating_sub(again),
            tcpip: TcpipTally { retransmitted_bytes: again, ..TcpipTally::default() },
        },
        connections: 0,
    };
    // The other end's FIN counts as a byte.
    bytes.up.socket_bytes -= u64::from(info.state.has_received_fin() && bytes.up.socket_bytes > 0);
    add_headers(&mut bytes, Segments::since_open(Side::Server, info)?, ip, info.timestamps);
    Some(bytes)
}

fn add_headers(bytes: &mut ServedBytes, segments: Segments, ip: IpVersion, timestamps: bool) {
    let headers = segments.header_bytes(ip, timestamps);
    let tally =
        |packets, header_bytes| TcpipTally { packets, header_bytes, retransmitted_bytes: 0 };
    bytes.up.tcpip.merge(&tally(segments.received, headers.received));
    bytes.down.tcpip.merge(&tally(segments.sent, headers.sent));
}
