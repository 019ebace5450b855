//! Instants along the way of sampled messages, as the server sees them.
//!
//! When a message was published, and when it was written to which client. A connection that is
//! not among the sampled carries a `None` and costs nothing else; one that is has the clock read
//! before a write that may complete a sampled message. What is kept is kept in memory that was
//! there, and touched, before the first client came, so that it is none of what a client costs.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;

use pushbench_core::sampling::Sampling;
use pushbench_core::{MonoInstant, Seq};
use pushbench_metrics::observe::observer::Window;
use pushbench_metrics::observe::stamps::{ServerStamps, Written};
use pushbench_os::net::rx_stamp::{ClockOffset, WallStamp};
use pushbench_os::time::clock;

/// A connection whose writes are stamped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    /// Its place in the list of peers.
    number: u32,
    /// Of a stream: the last message that has been noted.
    noted: Seq,
    /// Of one whose reads are stamped: when the kernel had what the last of them gave.
    read: Option<ReadStamp>,
}

/// The kernel's stamp of a read; of one for which it has none, when the read returned.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ReadStamp {
    kernel: Option<WallStamp>,
    returned: MonoInstant,
}

impl Peer {
    /// Its client has everything up to `last`, of which nothing is to be stamped.
    #[inline]
    pub(crate) const fn passed(&mut self, last: Seq) {
        self.noted = last;
    }

    /// Whether its reads are to be stamped.
    #[inline]
    pub(crate) const fn stamps_reads(&self) -> bool {
        self.read.is_some()
    }

    /// A read gave bytes of which the kernel had the last at `kernel`.
    pub(crate) fn was_read(&mut self, kernel: Option<WallStamp>) {
        self.read = Some(ReadStamp { kernel, returned: clock::now() });
    }
}

/// The stamps so far.
#[derive(Debug)]
pub(crate) struct StampLog {
    sampling: Option<Sampling>,
    /// Whether requests are stamped too, by the wall clock as it stands to the monotonic one.
    stamps_requests: bool,
    offset: Cell<ClockOffset>,
    window: Cell<Option<Window>>,
    stamps: RefCell<ServerStamps>,
}

impl StampLog {
    pub(crate) fn new(sampling: Option<Sampling>, stamps_requests: bool) -> Self {
        let room = sampling.map_or(0, |sampling| sampling.room as usize);
        let stamps = ServerStamps { written: touched(room), ..ServerStamps::default() };
        let (window, offset) = (Cell::new(None), Cell::default());
        Self { sampling, stamps_requests, offset, window, stamps: RefCell::new(stamps) }
    }

    /// Stamps the messages due in this window from now on, and forgets an earlier one's.
    pub(crate) fn measure(&self, window: Window) {
        self.window.set(Some(window));
        if self.stamps_requests {
            self.offset.set(ClockOffset::now());
        }
        let mut stamps = self.stamps.borrow_mut();
        stamps.published.clear();
        stamps.written.clear();
        stamps.without_room = 0;
    }

    /// A new connection: `None` where its writes are not to be stamped.
    pub(crate) fn peer(&self, client: SocketAddr) -> Option<Peer> {
        self.sampling.filter(|sampling| sampling.takes_connection(client))?;
        let peers = &mut self.stamps.borrow_mut().peers;
        let number = u32::try_from(peers.len()).ok()?;
        peers.push(client);
        let read = self.stamps_requests.then(ReadStamp::default);
        Some(Peer { number, noted: Seq::NONE, read })
    }

    /// A message was published.
    pub(crate) fn published(&self, seq: Seq, at: MonoInstant) {
        if self.takes(seq) {
            self.stamps.borrow_mut().published.push((seq, at));
        }
    }

    /// Writes that were begun at `at` have brought a stream so far that its client has everything
    /// up to `last`.
    pub(crate) fn reached(&self, peer: &mut Peer, last: Seq, at: MonoInstant) {
        if peer.noted < last {
            self.wrote(peer, peer.noted, last, at, None);
            peer.noted = last;
        }
    }

    /// A write that was begun at `at` has completed a response that holds the messages after the
    /// first up to the second.
    pub(crate) fn answered(&self, peer: &Peer, holds: Option<(Seq, Seq)>, at: MonoInstant) {
        if let Some((after, last)) = holds {
            let requested = peer.read.map(|ReadStamp { kernel, returned }| {
                kernel.map_or(returned, |stamp| self.offset.get().to_monotonic(stamp))
            });
            self.wrote(peer, after, last, at, requested);
        }
    }

    /// A write that was begun at `at` has completed the messages after `after` up to `last`, in answer
    /// to a request that the kernel had at `requested`.
    fn wrote(
        &self,
        peer: &Peer,
        after: Seq,
        last: Seq,
        at: MonoInstant,
        requested: Option<MonoInstant>,
    ) {
        let first = after.next();
        if !(first.0..=last.0).any(|number| self.takes(Seq(number))) {
            return;
        }
        let more = u32::try_from(last.0 - first.0).unwrap_or(u32::MAX);
        let mut stamps = self.stamps.borrow_mut();
        if stamps.written.len() < stamps.written.capacity() {
            stamps.written.push(Written { peer: peer.number, first, more, at, requested });
        } else {
            stamps.without_room += 1;
        }
    }

    /// Whether a message is stamped, on connections that are.
    #[inline]
    pub(crate) fn takes(&self, seq: Seq) -> bool {
        self.sampling.is_some_and(|sampling| sampling.takes_message(seq))
            && self.window.get().is_some_and(|window| window.contains(seq))
    }

    /// The stamps of the window; of requests those of the kernel, unless the wall clock was set
    /// meanwhile.
    pub(crate) fn take(&self) -> ServerStamps {
        let mut stamps = self.stamps.take();
        if self.stamps_requests {
            let (before, after) = (self.offset.get(), ClockOffset::now());
            let bound = before.bound.max(after.bound);
            stamps.clock_bound_ns = u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX);
            if before.has_stepped(&after) {
                stamps.written.iter_mut().for_each(|written| written.requested = None);
            }
        }
        stamps
    }
}

/// An empty list with room for `count`, whose memory has been written to.
fn touched(count: usize) -> Vec<Written> {
    // Not zeros: those may be pages that do not exist until they are written to.
    let something = Written { more: 1, ..Written::default() };
    let mut list = vec![something; count];
    list.clear();
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(room: u32) -> StampLog {
        let log = StampLog::new(Some(Sampling { connections: 1, messages: 1, room }), false);
        let (start, end) = (MonoInstant(0), MonoInstant(1));
        log.measure(Window { start, end, first: Seq(10), last: Seq(19) });
        log
    }

    fn client(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn each_message_is_noted_with_the_write_that_completed_it() {
        let log = log(10);
        let mut peer = log.peer(client(1)).unwrap();
        peer.passed(Seq(8));
        log.reached(&mut peer, Seq(9), MonoInstant(1));
        log.reached(&mut peer, Seq(11), MonoInstant(2));
        // A write that completed nothing, and one that ended within a message.
        log.reached(&mut peer, Seq(11), MonoInstant(3));
        log.reached(&mut peer, Seq(10), MonoInstant(3));
        log.reached(&mut peer, Seq(12), MonoInstant(4));
        log.wrote(&peer, Seq(19), Seq(25), MonoInstant(5), None);
        let written = log.take().written;
        let seen: Vec<_> = written.iter().map(|w| (w.first.0, w.more, w.at.0)).collect();
        assert_eq!(seen, [(10, 1, 2), (12, 0, 4)], "only those due in the window");
    }

    #[test]
    fn what_finds_no_room_is_counted() {
        let log = log(2);
        let peer = log.peer(client(1)).unwrap();
        (10..14).for_each(|n| log.wrote(&peer, Seq(n - 1), Seq(n), MonoInstant(n), None));
        let stamps = log.take();
        assert_eq!((stamps.written.len(), stamps.without_room), (2, 2));
    }

    #[test]
    fn without_a_rule_nothing_is_stamped() {
        let log = StampLog::new(None, true);
        assert!(log.peer(client(1)).is_none());
        log.published(Seq(10), MonoInstant(1));
        assert!(log.take().is_empty());
    }
}
