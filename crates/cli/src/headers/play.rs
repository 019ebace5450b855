//! One case: every transport's client takes one message after another from a real server.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::os::unix::process::parent_id;
use std::rc::Rc;
use std::time::Duration;

use pushbench_core::Contender;
use pushbench_core::security::ClientSecurity;
use pushbench_link::network::Namespaces;
use pushbench_load::session::Sessions;
use pushbench_metrics::observe::ledger::Source;
use pushbench_metrics::record::control::LoadPlan;
use pushbench_metrics::record::headers::{ContenderBytes, Exchange, Passed, Traffic};
use pushbench_os::net::namespace;
use pushbench_os::process::tied;
use pushbench_tls::Connector;
use serde::{Deserialize, Serialize};

use super::case::Case;
use super::client::{self, Client, Until};
use super::server::Publisher;
use super::traffic::TrafficCount;

/// Messages published before anybody listens, so that all that follow have numbers of two
/// digits: a cursor in a request is as long as its number.
const UNHEARD: u32 = 10;

/// Exchanges that are not measured: a connection acknowledges its first data sooner than it will
/// later (RFC 9293 §3.8.6.3 leaves that to the receiver), which is an ACK more.
const SETTLING: u32 = 3;

/// Exchanges that are measured.
const MEASURED: u32 = 20;

/// All that the process is told which plays the clients of a case.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PlayPlan {
    pub(super) case: Case,
    pub(super) contenders: Vec<Contender>,
    /// The server, which runs.
    pub(super) server: SocketAddr,
    /// What it asks of who publishes.
    pub(super) token: String,
    /// Whom clients trust; `None` where the server speaks in clear.
    pub(super) security: Option<ClientSecurity>,
    /// Who counts what TCP and IP carry.
    pub(super) source: Source,
    /// The networks of a link, where there is one.
    pub(super) networks: Option<Namespaces>,
    /// How long an exchange may take.
    pub(super) limit: Duration,
}

/// The outcome of a case.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Played {
    pub(super) rows: Vec<ContenderBytes>,
    /// All that was counted, of all connections.
    pub(super) passed: Passed,
}

/// Plays a case. Where there is a link, the process must not have a thread beside this one.
pub(super) fn play(plan: &PlayPlan) -> anyhow::Result<Played> {
    Play::start(plan)?.run()
}

/// Who publishes, a client of each transport, and a count of what passes between them and the server.
struct Play {
    publisher: Publisher,
    traffic: TrafficCount,
    clients: Vec<Client>,
    limit: Duration,
    passed: Passed,
}

impl Play {
    fn start(plan: &PlayPlan) -> anyhow::Result<Self> {
        let is_secured = plan.security.is_some();
        let publisher = Publisher::new(&plan.case, plan.server, is_secured, &plan.token);
        // Who publishes is at the server's side: no packet of that is on the link. A connection stays in
        // the network in which it was opened.
        if let Some(networks) = &plan.networks {
            namespace::enter(&networks.server)?;
        }
        (0..UNHEARD).try_for_each(|_| publisher.publish())?;
        if let Some(networks) = &plan.networks {
            namespace::enter(&networks.load)?;
        }
        // Behind what takes it back: entering a user namespace.
        tied::end_with(parent_id())?;
        let traffic = TrafficCount::start(plan.source, plan.server.port())?;
        let connector = plan.security.as_ref().map(Connector::new).transpose()?.map(Rc::new);
        let clients = plan.contenders.iter().map(|&contender| {
            let sessions = Sessions::new(&session_plan(plan, contender));
            let security = connector.as_ref().map(|it| (Rc::clone(it), it.client()));
            Client::new(contender, plan.server, sessions.session(0), security, plan.limit)
        });
        let (clients, passed) = (clients.collect(), Passed::default());
        Ok(Self { publisher, traffic, clients, limit: plan.limit, passed })
    }

    fn run(mut self) -> anyhow::Result<Played> {
        self.step(Until::Open, Client::open)?;
        let opened = self.traffic();
        self.count(|client| !client.reconnects());
        self.step(Until::Subscribed, Client::subscribe)?;
        let subscriptions = self.outcomes()?;
        self.count(|_| true);
        let mut exchanges = Vec::new();
        for round in 0..SETTLING + MEASURED {
            self.clients.iter_mut().for_each(Client::prepare);
            self.publisher.publish()?;
            self.step(Until::Message, Client::exchange)?;
            self.count(|_| true);
            if round >= SETTLING {
                exchanges.push(self.outcomes()?);
            }
        }
        self.step(Until::Closed, Client::close)?;
        let closed = self.traffic();
        self.count(|client| !client.reconnects());
        self.traffic.stop()?;
        let rows = self.clients.iter().enumerate().map(|(index, client)| {
            let own: Vec<Exchange> = exchanges.iter().map(|round| round[index]).collect();
            let kept = |traffic: &[Traffic]| (!client.reconnects()).then(|| traffic[index]);
            row(client.contender, &own, kept(&opened), subscriptions[index], kept(&closed))
        });
        Ok(Played { rows: rows.collect(), passed: self.passed })
    }

    /// Adds what passed in the step to the sum, of the clients for which it is not part of another.
    fn count(&mut self, counts: impl Fn(&Client) -> bool) {
        for client in self.clients.iter().filter(|client| counts(client)) {
            let traffic = client.traffic();
            self.passed.packets += traffic.segments;
            self.passed.ip_bytes += traffic.ip_bytes;
            self.passed.payload_bytes += traffic.tcp_bytes;
        }
    }

    /// Has every client begin something, and takes all to its end.
    fn step(
        &mut self,
        until: Until,
        begin: impl Fn(&mut Client) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.clients.iter_mut().try_for_each(begin)?;
        client::finish(&mut self.clients, until, &self.traffic, self.limit)
    }

    fn traffic(&self) -> Vec<Traffic> {
        self.clients.iter().map(Client::traffic).collect()
    }

    fn outcomes(&self) -> anyhow::Result<Vec<Exchange>> {
        self.clients.iter().map(Client::outcome).collect()
    }
}

fn session_plan(PlayPlan { case, server, limit, .. }: &PlayPlan, contender: Contender) -> LoadPlan {
    LoadPlan {
        delivery: case.delivery,
        headers: case.profile.clone(),
        // Longer than a message can take to come.
        long_poll_timeout: 3 * *limit,
        ..LoadPlan::new(*server, contender, 1)
    }
}

/// The exchange that came out most often, and how the others differ.
fn row(
    contender: Contender,
    exchanges: &[Exchange],
    open: Option<Traffic>,
    subscription: Exchange,
    close: Option<Traffic>,
) -> ContenderBytes {
    let mut counts: HashMap<Exchange, u32> = HashMap::new();
    exchanges.iter().for_each(|exchange| *counts.entry(*exchange).or_default() += 1);
    // Of two that are as frequent, the one with fewer ACKs.
    let most = counts.into_iter().max_by_key(|(exchange, count)| {
        (*count, std::cmp::Reverse((exchange.traffic.segments, exchange.traffic.ip_bytes)))
    });
    let (exchange, usual) = most.unwrap_or_default();
    let extra = |other: &Exchange| other.traffic.acks.saturating_sub(exchange.traffic.acks);
    ContenderBytes {
        contender,
        exchange,
        exchanges: exchanges.len() as u32,
        usual,
        extra_acks: exchanges.iter().map(extra).sum(),
        open,
        subscription,
        close,
    }
}
