//! Asking the kernel what it counts for each connection, some at a time.

use pushbench_core::MonoInstant;
use pushbench_metrics::observe::ledger::Phase;
use pushbench_metrics::observe::measure::Measure;
use pushbench_os::net::tcp_info::{Parting, TcpInfo};
use pushbench_os::time::clock::Clock;

use super::state::Runner;
use super::tcpip::{IDLE_SLICE, Sweep};

impl<M: Measure, C: Clock> Runner<M, C> {
    /// The phase `ended` has ended at `at`: every connection is to be read, soon.
    pub(super) fn begin_sweep(&mut self, ended: Phase, at: MonoInstant) {
        if !self.measure.wants_tcpip() {
            return;
        }
        let ended = match self.tcpip.sweep {
            // Nobody was read since the phase before ended: this one had no length.
            Some(Sweep { next: 0, ended, .. }) => ended,
            Some(_) => {
                // A phase so short that its end has caught up with its beginning.
                self.end_sweep();
                ended
            }
            None => ended,
        };
        self.tcpip.sweep = Some(Sweep { ended, at, next: 0 });
    }

    /// Reads some of the connections whose turn is to come, in a turn of the loop that has
    /// handled as many sockets as `handled` says.
    pub(super) fn sweep(&mut self, handled: usize) {
        let mut left = if handled == 0 { IDLE_SLICE } else { handled };
        while let Some(Sweep { next: client, at, ended }) = self.tcpip.sweep {
            let Some(subscriber) = self.clients.get(client as usize) else {
                self.tcpip.sweep = None;
                return;
            };
            if left == 0 {
                return;
            }
            if subscriber.outlet.opened < at && self.read_tcpip(client, ended, None).is_some() {
                left -= 1;
            }
            self.tcpip.sweep = Some(Sweep { next: client + 1, at, ended });
        }
    }

    /// Reads all connections whose turn is to come, at once.
    pub(super) fn end_sweep(&mut self) {
        while self.tcpip.is_sweeping() {
            self.sweep(usize::MAX);
        }
    }

    /// Reads a client's connection, for `phase`, with words of `parting` where it is about to be
    /// closed; `None` where there is none.
    fn read_tcpip(
        &mut self,
        client: u32,
        phase: Phase,
        parting: Option<Parting>,
    ) -> Option<Option<TcpInfo>> {
        let outlet = &mut self.clients[client as usize].outlet;
        let info = outlet.channel()?.tcp_info()?;
        self.tcpip.read(phase, info.as_ref(), &mut outlet.reading, parting);
        Some(info)
    }

    /// Reads a client's connection for the last time, which is about to be closed.
    pub(super) fn read_tcpip_at_close(&mut self, client: u32) {
        let outlet = &self.clients[client as usize].outlet;
        let Some(channel) = outlet.channel().filter(|_| self.measure.wants_tcpip()) else { return };
        let (parting, current) = (channel.parting(), self.phases.phase());
        let phase = self.tcpip.phase_of(client, outlet.opened, current);
        if let Some(Some(info)) = self.read_tcpip(client, phase, Some(parting)) {
            self.tcpip.closed(current, &info, parting);
        }
    }

    /// Records the account.
    pub(super) fn record_tcpip(&mut self) {
        for (phase, direction, source, tally) in self.tcpip.rows() {
            self.measure.tcpip(phase, direction, source, &tally);
        }
    }
}
