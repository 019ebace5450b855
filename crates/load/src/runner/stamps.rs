//! Instants along the way of sampled messages, as the clients see them.
//!
//! A connection that is not among the sampled costs one look at a flag. On one that is, reads ask
//! the kernel when it had the last byte, requests are stamped right before they go
//! out, and each sampled message leaves one entry, in memory that was there, and touched, before
//! the first client connected.

use pushbench_core::sampling::Sampling;
use pushbench_core::{MonoInstant, Seq};
use pushbench_metrics::observe::observer::{Arrival, Window};
use pushbench_metrics::observe::stamps::{LoadStamps, Received};
use pushbench_metrics::record::control::LoadPlan;
use pushbench_os::net::rx_stamp::{ClockOffset, KeptOn, WallStamp};

use crate::channel::Channel;

/// A client's connection, if that is stamped.
#[derive(Debug, Clone, Copy, Default)]
struct Stamped {
    /// Its place in the list of connections.
    number: u32,
    /// When the request that is outstanding, or was the last, went out.
    requested: MonoInstant,
}

/// The stamps of a load process.
#[derive(Debug)]
pub(super) struct Stamps {
    sampling: Option<Sampling>,
    /// The trial's number of this process's first client.
    first_client: u32,
    window: Option<Window>,
    /// As it was when the window began; stamps are taken by it.
    offset: Option<ClockOffset>,
    /// Of the last read of a stamped connection.
    kernel: Option<WallStamp>,
    /// By client; empty where nothing is stamped.
    open: Vec<Stamped>,
    log: LoadStamps,
    /// `None` where the kernel gives no stamps.
    _kept_on: Option<KeptOn>,
}

impl Stamps {
    pub(super) fn new(plan: &LoadPlan) -> Self {
        let sampling = plan.stamps;
        let room = sampling.map_or(0, |sampling| sampling.room as usize);
        let clients = sampling.map_or(0, |_| plan.clients as usize);
        Self {
            sampling,
            first_client: plan.first_client,
            window: None,
            offset: None,
            kernel: None,
            open: vec![Stamped::default(); clients],
            log: LoadStamps { received: touched(room), ..LoadStamps::default() },
            _kept_on: sampling.and_then(|_| KeptOn::new().ok()),
        }
    }

    /// Says what the window is.
    pub(super) const fn set_window(&mut self, window: Window) {
        self.window = Some(window);
    }

    /// The window begins: how far the clocks are apart now holds for it.
    pub(super) fn begin_window(&mut self) {
        self.offset = self.sampling.map(|_| ClockOffset::now());
    }

    /// Has this connection, just opened, stamped if it is among the sampled.
    pub(super) fn opened(&mut self, client: u32, channel: &mut Channel) {
        let Some(sampling) = self.sampling else { return };
        let Ok(address) = channel.local_addr() else { return };
        let Some(stamped) = self.open.get_mut(client as usize) else { return };
        let Ok(number) = u32::try_from(self.log.connections.len()) else { return };
        if sampling.takes_connection(address) {
            // Where the kernel gives no stamps, the breakdown's coverage tells.
            channel.ask_for_stamps();
            self.log.connections.push((self.first_client + client, address));
            *stamped = Stamped { number, requested: MonoInstant::default() };
        }
    }

    /// A request is about to go out on a stamped connection.
    pub(super) fn requested(&mut self, client: u32, at: MonoInstant) {
        if let Some(stamped) = self.open.get_mut(client as usize) {
            stamped.requested = at;
        }
    }

    /// Messages that follow were completed by a read of which the kernel gave this stamp.
    pub(super) const fn was_read(&mut self, kernel: Option<WallStamp>) {
        self.kernel = kernel;
    }

    /// A message arrived on a stamped connection, in a read of which `last` was the last.
    pub(super) fn arrived(&mut self, arrival: &Arrival, last: Seq) {
        let Arrival { client, seq, due, at, .. } = *arrival;
        let in_window = self.window.is_some_and(|window| window.contains(seq));
        if !in_window || !self.sampling.is_some_and(|sampling| sampling.takes_message(seq)) {
            return;
        }
        let Some(Stamped { number, requested }) = self.open.get(client as usize).copied() else {
            return;
        };
        if self.log.received.len() == self.log.received.capacity() {
            self.log.without_room += 1;
            return;
        }
        let kernel = self.offset.zip(self.kernel).map(|(offset, stamp)| offset.to_monotonic(stamp));
        let received =
            Received { connection: number, seq, last, due, asked: requested, kernel, at };
        self.log.received.push(received);
    }

    /// All stamps, those of the kernel left out where the wall clock was set meanwhile.
    pub(super) fn finish(&mut self) -> LoadStamps {
        let mut log = std::mem::take(&mut self.log);
        let Some(offset) = self.offset else { return log };
        let later = ClockOffset::now();
        let bound = offset.bound.max(later.bound);
        log.clock_bound_ns = u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX);
        if offset.has_stepped(&later) {
            log.clock_stepped = true;
            log.received.iter_mut().for_each(|received| received.kernel = None);
        }
        log
    }
}

/// An empty list with room for `count`, whose memory has been written to.
fn touched(count: usize) -> Vec<Received> {
    // Not zeros: those may be pages that do not exist until they are written to.
    let something = Received { connection: 1, ..Received::default() };
    let mut list = vec![something; count];
    list.clear();
    list
}
