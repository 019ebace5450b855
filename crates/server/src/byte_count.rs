//! Bytes of the server's connections over the window, by the kernel's count of each (`TCP_INFO`).
//!
//! Of an open connection it is a reading, of one that has been closed the last reading, and a model of what
//! follows a close.

use std::cell::Cell;
use std::rc::Rc;

use pushbench_core::{IpVersion, MonoInstant};
use pushbench_metrics::observe::ledger::TcpipTally;
use pushbench_metrics::observe::served::{ServedBytes, ServedWay};
use pushbench_os::net::tcp_info::{Parting, Segments, Side, TcpInfo};

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
pub(crate) enum Counting {
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

    /// The window begins, or its count is given up.
    pub(crate) fn set(&self, counting: Counting) {
        self.window.set(counting);
    }

    /// How far the count of the window is.
    pub(crate) const fn get(&self) -> Counting {
        self.window.get()
    }

    /// The bytes of the window, if it was whole and every reading good.
    pub(crate) const fn counted(&self) -> Option<ServedBytes> {
        match self.window.get() {
            Counting::Over(bytes) if !self.incomplete.get() => Some(bytes),
            _ => None,
        }
    }

    /// The bytes of all that are closed.
    pub(crate) const fn of_closed(&self) -> ServedBytes {
        self.closed.get()
    }

    /// The bytes of a connection so far, its handshake among them.
    pub(crate) fn bytes(&self, reading: Option<&TcpInfo>) -> Option<ServedBytes> {
        let bytes = reading.and_then(|reading| since_open(reading, self.ip));
        if bytes.is_none() {
            self.incomplete.set(true);
        }
        bytes
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
