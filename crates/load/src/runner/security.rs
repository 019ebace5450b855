//! The security of the connections of a process's clients, and the bytes that this takes.

use pushbench_core::MonoInstant;
use pushbench_metrics::observe::ledger::{Direction, Layer as LedgerLayer, Tally};
use pushbench_metrics::observe::measure::Measure;
use pushbench_metrics::observe::observer::Event;
use pushbench_metrics::record::control::LoadPlan;
use pushbench_os::time::clock::Clock;
use pushbench_tls::{Client, ClientEnd, Connector, Layer};

use super::error::LoadError;
use super::state::Runner;
use crate::channel::{Channel, Overhead};

/// Whom the clients trust, and what each of them keeps from one connection to its next.
#[derive(Debug)]
pub(super) struct Security {
    connector: Connector,
    clients: Vec<Client>,
}

impl Security {
    /// That of a plan; `None` where connections are in clear.
    pub(super) fn of(plan: &LoadPlan, connections: usize) -> Result<Option<Self>, LoadError> {
        let Some(security) = &plan.security else { return Ok(None) };
        let connector = Connector::new(security).map_err(LoadError::Security)?;
        let clients = (0..connections).map(|_| connector.client()).collect();
        Ok(Some(Self { connector, clients }))
    }

    /// The layer of a client's next connection.
    pub(super) fn layer(&self, client: u32) -> Layer<ClientEnd> {
        self.connector.layer(&self.clients[client as usize])
    }
}

impl<M: Measure, C: Clock> Runner<M, C> {
    /// A client's connection is open, and secured if it was to be.
    pub(super) fn agreed(&mut self, client: u32, at: MonoInstant) {
        let Some(channel) = self.clients[client as usize].outlet.channel() else { return };
        let Some(resumed) = channel.is_resumed() else { return };
        self.agreement = self.agreement.take().or_else(|| channel.agreed());
        let took = at.saturating_since(self.clients[client as usize].outlet.opened);
        let event = Event::Secured { client, resumed, took };
        self.measure.happened(self.phases.phase(), at, &event);
    }

    /// Attributes the bytes beside plaintext that a client's channel has not told of.
    pub(super) fn secured_by(&mut self, client: u32) {
        let channel = self.clients[client as usize].outlet.channel_mut();
        let overhead = channel.map(Channel::take_overhead).unwrap_or_default();
        self.secured(overhead);
    }

    /// Attributes bytes beside plaintext.
    pub(super) fn secured(&mut self, overhead: Overhead) {
        if overhead == Overhead::default() {
            return;
        }
        let mut tally = Tally::default();
        tally.add(Direction::Up, LedgerLayer::Tls, overhead.sent);
        tally.add(Direction::Down, LedgerLayer::Tls, overhead.received);
        self.measure.moved(self.phases.phase(), self.clock.now(), &tally);
    }
}
