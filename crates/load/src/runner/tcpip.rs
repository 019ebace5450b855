//! Headers of TCP and IP: the kernel's own count for each connection, read where phases meet.
//!
//! A reading is `TCP_INFO` of a connection: no privilege, 0.7 µs, and none of it for each
//! message. What passed since the connection's last reading goes to the phase that has just
//! ended, so that over a connection's life nothing is counted twice and nothing is left out.
//! Readings are taken of every open connection at the edges of phases, and of each connection
//! right before its socket is closed. What only follows then (FINs, and the ACKs of them) is
//! [modelled](Source::Modelled), in the phase in which the socket was closed.
//!
//! # How exact
//!
//! - **The edge is not an instant.** The loop does not stop for thousands of readings: it takes
//!   as many in a turn as it handles sockets, or [`IDLE_SLICE`] where there is nothing else to
//!   do. So a connection's edge comes later than the phase's: by less than a millisecond for a
//!   thousand idle connections, and by the time of about one message to each client where the
//!   loop is busy. It is so at both edges of the window, so that the window stays as long. A
//!   connection that ends before its turn is read then, for the phase that has ended; one that
//!   was opened after the edge belongs to the new phase.
//! - **The kernel counts on arrival**, the layers above TCP when the client has read. An ACK may
//!   follow its data by 40 ms, and then counts in the next phase.
//! - **Retransmissions** are those of the client. What the server sends again is known to the
//!   server alone: what is lost on its way is in none of the client's counters, and what comes
//!   twice counts as a segment, for its headers only.
//! - **An ACK that tells of data lost or sent twice** is 12 bytes longer or more, uncounted.
//! - **The last segments** are those of a good close. A socket closed with bytes unread sends an
//!   RST in their place, a server that takes longer than 40 ms to close sends one ACK more, and
//!   so do FINs that cross. In TLS each end says that it closes, and a word that comes to a closed
//!   socket, or lies in it unread, is answered with an RST: that is in the [model](Parting), for a
//!   server that does not wait for its client's word. Where a FIN or an RST comes between the
//!   reading and the close, what is modelled differs by a segment or two.
//! - **An attempt that came to nothing** was no connection, and its SYN is not counted.

use pushbench_core::MonoInstant;
use pushbench_metrics::observe::ledger::{Direction, Phase, Source, TcpipTally};
use pushbench_os::net::tcp_info::{IpVersion, Parting, Segments, Side, TcpInfo};

/// Readings in a turn of the loop in which no socket wants anything: some 20 µs, by which a
/// message may have to wait.
pub(super) const IDLE_SLICE: usize = 32;

/// A connection's last reading. Counters wrap around.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    sent: u32,
    received: u32,
    retransmitted: u32,
}

impl Reading {
    /// `None` where the kernel does not tell enough.
    const fn of(info: &TcpInfo) -> Option<Self> {
        let (Some(sent), Some(received), Some(retransmitted)) =
            (info.segments_out, info.segments_in, info.bytes_retransmitted)
        else {
            return None;
        };
        Some(Self { sent, received, retransmitted: retransmitted as u32 })
    }

    /// Segments and bytes sent again, since this reading and until `now`, taken as `info`.
    fn until(&self, now: &Self, info: &TcpInfo) -> Option<(Segments, u64)> {
        let (segments_out, segments_in) = (Some(self.sent), Some(self.received));
        let earlier = TcpInfo { segments_out, segments_in, ..*info };
        let again = now.retransmitted.wrapping_sub(self.retransmitted);
        Some((Segments::between(&earlier, info)?, again.into()))
    }
}

/// Tallies by phase and direction.
type Totals = [[TcpipTally; Direction::ALL.len()]; Phase::ALL.len()];

/// The account of all connections.
#[derive(Debug)]
pub(super) struct Tcpip {
    ip: IpVersion,
    kernel: Totals,
    modelled: Totals,
    /// A reading failed or lacked a counter, so that the account is not whole.
    incomplete: bool,
    /// Connections that are still to be read because a phase has ended.
    pub(super) sweep: Option<Sweep>,
}

/// Reading all connections after the end of a phase.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sweep {
    /// The phase that has ended.
    pub(super) ended: Phase,
    /// When it did.
    pub(super) at: MonoInstant,
    /// Whose turn it is. Clients before it have had theirs.
    pub(super) next: u32,
}

impl Tcpip {
    /// For connections over `ip`.
    pub(super) fn new(ip: IpVersion) -> Self {
        let (kernel, modelled) = (Totals::default(), Totals::default());
        Self { ip, kernel, modelled, incomplete: false, sweep: None }
    }

    /// Whether connections wait to be read.
    #[inline]
    pub(super) const fn is_sweeping(&self) -> bool {
        self.sweep.is_some()
    }

    /// The phase that a reading of `client` belongs to, whose connection was `opened` then: the
    /// one that has ended where its turn is still to come, else the `current` one.
    pub(super) fn phase_of(&self, client: u32, opened: MonoInstant, current: Phase) -> Phase {
        let waits = |sweep: &Sweep| client >= sweep.next && opened < sweep.at;
        self.sweep.filter(waits).map_or(current, |sweep| sweep.ended)
    }

    /// A reading of a connection, whose `last` one it replaces, for `phase`; with words of `parting`
    /// where it is about to be closed.
    pub(super) fn read(
        &mut self,
        phase: Phase,
        info: Option<&TcpInfo>,
        last: &mut Option<Reading>,
        parting: Option<Parting>,
    ) {
        let counted = info.and_then(|info| {
            let now = Reading::of(info)?;
            let (segments, again) = match last.replace(now) {
                None => (since_open(info)?, now.retransmitted.into()),
                Some(last) => last.until(&now, info)?,
            };
            let segments = parting.map_or(segments, |parting| segments.met(info, parting));
            Some((segments, again, info.timestamps))
        });
        match counted {
            Some((segments, again, timestamps)) => {
                let into = &mut self.kernel[phase as usize];
                add(into, segments, again, self.ip, timestamps);
            }
            None => self.incomplete = true,
        }
    }

    /// A connection is closed in `phase`, just after the reading `info`.
    pub(super) fn closed(&mut self, phase: Phase, info: &TcpInfo, parting: Parting) {
        let into = &mut self.modelled[phase as usize];
        add(into, Segments::of_close(info, parting), 0, self.ip, info.timestamps);
    }

    /// Each row of the account that has anything in it; none where the account is not whole.
    pub(super) fn rows(&self) -> impl Iterator<Item = (Phase, Direction, Source, TcpipTally)> {
        let sources = [(Source::Kernel, &self.kernel), (Source::Modelled, &self.modelled)];
        let cells = sources.into_iter().flat_map(|(source, totals)| {
            Phase::ALL.into_iter().zip(totals).flat_map(move |(phase, ways)| {
                Direction::ALL.into_iter().zip(ways).map(move |(way, t)| (phase, way, source, *t))
            })
        });
        cells.filter(|(.., tally)| !self.incomplete && tally.packets > 0)
    }
}

/// All segments of a connection up to `info`. Where a server could not take all who connected at
/// once, SYNs were sent twice; what was sent again and is no data was a SYN.
fn since_open(info: &TcpInfo) -> Option<Segments> {
    let mut segments = Segments::since_open(Side::Client, info)?;
    if info.bytes_retransmitted == Some(0) {
        segments.syns_sent += u64::from(info.retransmits);
    }
    Some(segments)
}

/// Adds `segments` and what was sent `again` to the tallies of a phase.
fn add(
    [up, down]: &mut [TcpipTally; Direction::ALL.len()],
    segments: Segments,
    again: u64,
    ip: IpVersion,
    timestamps: bool,
) {
    let headers = segments.header_bytes(ip, timestamps);
    up.merge(&TcpipTally {
        packets: segments.sent,
        header_bytes: headers.sent,
        retransmitted_bytes: again,
    });
    down.merge(&TcpipTally {
        packets: segments.received,
        header_bytes: headers.received,
        retransmitted_bytes: 0,
    });
}

#[cfg(test)]
mod tests;
