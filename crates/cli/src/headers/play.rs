//! One case: every transport's client takes one message after another from a real server.

use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;

use anyhow::Context as _;
use pushbench_core::Contender;
use pushbench_core::contender::Security;
use pushbench_load::session::Sessions;
use pushbench_metrics::observe::ledger::Source;
use pushbench_metrics::record::control::LoadPlan;
use pushbench_metrics::record::headers::{ContenderBytes, Exchange, HeaderCase, Traffic};

use super::case::Case;
use super::client::{self, Client, Until};
use super::server::Server;
use super::traffic::TrafficCount;
use super::watched::LIMIT;
use crate::exit::Failure;
use crate::interrupt;

/// Messages published before anybody listens, so that all that follow have numbers of two
/// digits: a cursor in a request is as long as its number.
const UNHEARD: u32 = 10;

/// Exchanges that are not measured: a connection acknowledges its first data sooner than it will
/// later (RFC 9293 §3.8.6.3 leaves that to the receiver), which is an ACK more.
const SETTLING: u32 = 3;

/// Exchanges that are measured.
const MEASURED: u32 = 20;

/// Plays `case` by each of `transports`; `source` counts what TCP and IP carry.
pub(super) fn play(
    case: &Case,
    contenders: &[Contender],
    host: IpAddr,
    source: Source,
) -> Result<HeaderCase, Failure> {
    let name = &case.profile.name;
    let played = Play::start(case, contenders, host, source).and_then(Play::run);
    let rows = played.with_context(|| format!("header profile {name}"));
    if interrupt::interrupted() {
        return Err(Failure::Interrupted);
    }
    Ok(HeaderCase {
        profile: name.clone(),
        about: case.profile.about.clone(),
        cookie_bytes: case.cookie_bytes,
        delivery: case.delivery,
        payload_bytes: case.payload as u64,
        rows: rows.map_err(Failure::Failed)?,
    })
}

/// A server, a client of each transport, and a count of what passes between them.
struct Play {
    server: Server,
    traffic: TrafficCount,
    clients: Vec<Client>,
}

impl Play {
    fn start(
        case: &Case,
        contenders: &[Contender],
        host: IpAddr,
        source: Source,
    ) -> anyhow::Result<Self> {
        let is_secured = contenders.iter().any(|it| it.stack.security == Security::Tls);
        let server = Server::start(case, host, is_secured)?;
        let traffic = TrafficCount::start(source, server.address.port())?;
        (0..UNHEARD).try_for_each(|_| server.publish())?;
        let clients = contenders.iter().map(|&contender| {
            let sessions = Sessions::new(&plan(case, contender, &server));
            let security = server.connector.as_ref().map(|it| (Rc::clone(it), it.client()));
            Client::new(contender, server.address, sessions.session(0), security)
        });
        Ok(Self { clients: clients.collect(), server, traffic })
    }

    fn run(mut self) -> anyhow::Result<Vec<ContenderBytes>> {
        self.step(Until::Open, Client::open)?;
        let opened = self.traffic();
        self.step(Until::Subscribed, Client::subscribe)?;
        let subscriptions = self.outcomes()?;
        let mut exchanges = Vec::new();
        for round in 0..SETTLING + MEASURED {
            self.clients.iter_mut().for_each(Client::prepare);
            self.server.publish()?;
            self.step(Until::Message, Client::exchange)?;
            if round >= SETTLING {
                exchanges.push(self.outcomes()?);
            }
            if interrupt::interrupted() {
                break;
            }
        }
        self.step(Until::Closed, Client::close)?;
        let closed = self.traffic();
        self.traffic.stop()?;
        let rows = self.clients.iter().enumerate().map(|(index, client)| {
            let own: Vec<Exchange> = exchanges.iter().map(|round| round[index]).collect();
            let kept = |traffic: &[Traffic]| (!client.reconnects()).then(|| traffic[index]);
            row(client.contender, &own, kept(&opened), subscriptions[index], kept(&closed))
        });
        Ok(rows.collect())
    }

    /// Has every client begin something, and takes all to its end.
    fn step(
        &mut self,
        until: Until,
        begin: impl Fn(&mut Client) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.clients.iter_mut().try_for_each(begin)?;
        client::finish(&mut self.clients, until, &self.traffic)
    }

    fn traffic(&self) -> Vec<Traffic> {
        self.clients.iter().map(Client::traffic).collect()
    }

    fn outcomes(&self) -> anyhow::Result<Vec<Exchange>> {
        self.clients.iter().map(Client::outcome).collect()
    }
}

/// The plan of a session.
fn plan(case: &Case, contender: Contender, server: &Server) -> LoadPlan {
    LoadPlan {
        delivery: case.delivery,
        headers: case.profile.clone(),
        // Longer than a message can take to come.
        long_poll_timeout: 3 * LIMIT,
        ..LoadPlan::new(server.address, contender, 1)
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
