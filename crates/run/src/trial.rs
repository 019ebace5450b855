//! One trial: a fresh server, fresh load processes, connect → warm-up → window → drain → close.

mod capture;
mod cost;
mod course;
mod disturbance;
mod ending;
mod played;
mod watched;

use std::net::SocketAddr;
use std::sync::mpsc::channel;
use std::time::Duration;

use pushbench_core::link::Link;
use pushbench_core::security::{ClientSecurity, Secured};
use pushbench_metrics::observe::attempts::Attempts;
use pushbench_metrics::observe::instrument::Instrument;
use pushbench_metrics::observe::ledger::Phase;
use pushbench_metrics::record::control::{LoadOrder, LoadPlan, Place, ServerPlan, TrialTiming};
use pushbench_metrics::record::warning::{Gone, Invalid, ProxyFault, ProxyFinding, Warning};
use pushbench_metrics::record::{Resources, Resting, TrialId};
use pushbench_os::time::clock;

use self::capture::Wire;
pub use self::capture::is_possible as capture_is_possible;
use self::cost::CostMeter;
pub use self::cost::{Connecting, Cost};
use self::course::Meters;
pub use self::disturbance::DisturbanceWatch;
use self::ending::{cross_died, router_died};
pub use self::played::{Merged, Played};
use crate::error::{Found, RunError, TrialError};
use crate::event::{self, Event, Listener};
use crate::offset;
use crate::place::Places;
use crate::plan::Plan;
use crate::plan::estimate::{connect_limit, grace};
use crate::player::Server;
use crate::player::browser::BrowserSide;
use crate::player::clients::ClientSide;
use crate::player::cross::CrossSide;
use crate::player::inbox::{Connected, Inbox};
use crate::player::link::{LinkNetwork, LinkSide};
use crate::player::proxy::{ProxyDemand, ProxySide};
use crate::player::server::ServerSide;
use crate::player::subject::{SubjectDemand, SubjectSide};
use crate::setup::{Attempt, Run};

/// How long closing connections and reporting may take.
const CLOSE_LIMIT: Duration = Duration::from_secs(15);

/// Goes through a trial without judging it.
///
/// # Errors
///
/// [`TrialError::Invalid`] where its processes failed.
pub fn play(
    run: &Run,
    attempt: Attempt,
    listener: &mut Listener<'_>,
) -> Result<Played, TrialError> {
    let mut trial = Trial::start(run, attempt, listener)?;
    let mut played = trial.play()?;
    trial.describe(&mut played.cost.resources);
    Ok(played)
}

/// A trial whose processes run.
struct Trial<'a> {
    plan: &'a Plan,
    attempt: Attempt,
    server: ServerSide<'a>,
    link: Option<LinkSide>,
    cross: Option<CrossSide>,
    proxies: Option<ProxySide>,
    browser: Option<BrowserSide>,
    clients: ClientSide,
    places: Places,
    wire: Option<Wire>,
    inbox: Inbox<'a>,
    /// Where the servers listen.
    listened: Vec<SocketAddr>,
    /// Whether its clients check who the server is, where connections are secured.
    verifies: bool,
}

impl<'a> Trial<'a> {
    /// Starts the server and then the load processes, without clients yet.
    fn start(
        run: &'a Run,
        attempt: Attempt,
        listener: &'a mut Listener<'a>,
    ) -> Result<Self, TrialError> {
        let (plan, players, commands, id) = (&run.plan, &run.players, &run.commands, attempt.id);
        let player = players.name(id.contender);
        event::tell(listener, Event::Starting { trial: id, player })?;
        let (point, room) = (plan.point(id), plan.room(id)?);
        let places = plan.layout.places(&room, point.link.is_some(), point.via);
        let (sender, messages) = channel();
        let (server_security, client_security) = match &players.server {
            Server::Running(target, _) => (None, target.security(&plan.point(id).tls)),
            Server::Children(_) => plan.security(id).map_err(RunError::Certificate)?.unzip(),
        };
        let link = start_link(run, id, &places.router)?;
        let network = link.as_ref().map(LinkSide::network);
        let demand = ProxyDemand::of(plan, id, (&room, &places), server_security.as_ref(), network);
        // Behind a proxy connections are in clear.
        let server_security = server_security.filter(|_| demand.is_none());
        let server_plan = ServerPlan { security: server_security, ..plan.server_plan(id) };
        let server = ServerSide::start(
            &players.server,
            commands,
            (server_plan, SubjectDemand::of(plan, id, &places, network)),
            &places.servers,
            network,
            &sender,
        )?;
        let name = server.foreign().map(|side| side.record().name.to_string());
        let mut inbox = Inbox::new(messages, listener, server.own_processes()).of_subject(name);
        let listened = addresses(&server, &mut inbox)?;
        let start_proxies =
            |demand| ProxySide::start(commands, demand, &listened, client_security.as_ref());
        let proxies = demand.map(start_proxies).transpose().map_err(TrialError::Invalid)?;
        let addresses = proxies.as_ref().map_or_else(|| listened.clone(), ProxySide::addresses);
        let wire = plan.capture.then(|| Wire::start(addresses.clone())).transpose();
        let wire = wire.map_err(RunError::Capture)?;
        let verifies = client_security.as_ref().is_none_or(ClientSecurity::verifies);
        let (browser, player) = BrowserSide::start(commands, point.client, players)?;
        let load_plan = LoadPlan {
            player,
            security: client_security,
            ..plan.load_plan(id, addresses[0], server.subject())
        };
        let around = around(&server, point.clients);
        let network = network.or(around.as_ref());
        let clients =
            ClientSide::start(commands, &load_plan, &places, &addresses, network, &sender)?;
        inbox.expect_loads(clients.len()).loads_ready()?;
        let cross = start_cross(run, point.link.as_ref().zip(network))?;
        Ok(Self {
            plan,
            attempt,
            server,
            link,
            cross,
            proxies,
            browser,
            clients,
            places,
            wire,
            inbox,
            listened,
            verifies,
        })
    }

    /// Goes through the phases. A server that is somebody else's is the cause of what its end brings
    /// about.
    fn play(&mut self) -> Result<Played, TrialError> {
        let played = self.phases();
        match self.server.foreign() {
            Some(side) => played.map_err(|error| caused(error, side)),
            None => played,
        }
    }

    fn phases(&mut self) -> Result<Played, TrialError> {
        let (own_server, same_clock) = (self.server.is_own(), self.server.has_same_clock());
        let pids = self.server.pids();
        let mut meter = self.meter(&pids);
        self.watch_cpu(&pids);
        self.connect()?;
        let connecting = meter.connected();
        let resting = self.rest(&mut meter)?;
        let timing = self.begin()?;
        self.inbox.enter(Phase::Warmup)?;
        let all_known = !pids.is_empty() || !same_clock;
        let mut watch =
            DisturbanceWatch::start(all_known.then(|| meter.pids()), timing.window.start);
        let at_start = self.inbox.wait_until(timing.window.start)?;
        meter.start();
        watch.begin();
        self.inbox.enter(Phase::Window)?;
        let life = self.plan.point(self.attempt.id).life;
        let meters = Meters { cost: &mut meter, watch: &mut watch };
        let (at_end, course) = self.go_through(&timing, &life, meters)?;
        let mut cost = meter.finish(connecting, watch);
        self.inbox.enter(Phase::Drain)?;
        let drain = timing.drain_deadline.saturating_since(clock::now());
        let loads = self.inbox.finished(drain + self.close_limit())?;
        let cross = self.stop_cross()?;
        let servers = self.stop_servers()?;
        let mut merged = Merged::of(loads, servers);
        merged.load.measured.settle(&timing.window, self.plan.scenario.delivery);
        let clock_step_ns = timing.stamps.as_ref().map_or(0, offset::step_since);
        self.settle_browser(&timing, &mut merged.load, &mut cost);
        let loads = std::mem::take(&mut merged.watches);
        let parent_at_edge = at_start.max(at_end);
        cost.resources.resting = resting;
        cost.resources.instrument = Some(Instrument { loads, parent_at_edge });
        let uncaptured = self.stop_capture(&mut merged.load)?;
        let router = self.stop_link(&mut merged.load)?;
        let ended_early = self.ended_early();
        let feed_changed = self.server.has_changed(self.inbox.listener())?;
        let server_gone = merged.load.attempts.lacked_a_server() && self.server.is_gone();
        let agreed = merged.load.agreed.take();
        Ok(Played {
            timing,
            secured: agreed.map(|agreed| Secured { agreed, verified: self.verifies }),
            merged,
            cost,
            uncaptured,
            router,
            cross,
            course,
            proxy: self.proxies.as_ref().map(|proxies| proxies.record().clone()),
            subject: self.server.foreign().map(|side| side.record().clone()),
            ended_early,
            own_server,
            same_clock,
            feed_changed,
            server_gone,
            latency_from: self.server.latency_from(),
            clock_step_ns,
        })
    }

    /// The meter of what all processes cost, the server's being `pids`.
    fn meter(&self, pids: &[u32]) -> CostMeter {
        let router = self.link.as_ref().map(LinkSide::pid);
        let cross = self.cross.as_ref().map_or_else(Vec::new, |cross| cross.pids().to_vec());
        let clients = self.clients.pids();
        let mut meter = CostMeter::new(pids, self.server.is_own(), &clients, router).beside(cross);
        if let Some(side) = self.server.foreign() {
            meter = meter.published_by(side.publisher());
        }
        meter = meter.browsed_by(self.browser.as_ref().map(BrowserSide::pid));
        if let Some(proxies) = &self.proxies {
            meter = meter.through(&proxies.pids());
        }
        meter
    }

    /// How long closing connections and reporting may take.
    fn close_limit(&self) -> Duration {
        CLOSE_LIMIT + grace(self.plan.point(self.attempt.id))
    }

    fn connect(&mut self) -> Result<(), TrialError> {
        self.inbox.enter(Phase::Connect)?;
        self.clients.order(&LoadOrder::Connect)?;
        let point = self.plan.point(self.attempt.id);
        let (wanted, limit) = (point.clients, connect_limit(point) + CLOSE_LIMIT);
        let Connected { clients: connected, error, attempts } = self.inbox.connected(limit)?;
        if connected > 0 {
            return Ok(());
        }
        if let Some(failed) = self.proxies.as_ref().and_then(ProxySide::failure) {
            return Err(TrialError::Invalid(failed));
        }
        if let Some(refused) = self.refused(&attempts, error.as_ref()) {
            return Err(refused);
        }
        let is_gone = attempts.lacked_a_server() && self.server.is_gone();
        let gone = is_gone.then_some(Gone::NotThere);
        let used = attempts.invalid(wanted, error.as_ref(), gone);
        let missing = Invalid::ClientsMissing { connected, wanted, error };
        Err(TrialError::Invalid(used.unwrap_or(missing)))
    }

    /// A proxy that refuses all clients for good, which is what there is to find out about it.
    fn refused(&self, attempts: &Attempts, error: Option<&String>) -> Option<TrialError> {
        let proxy = self.proxies.as_ref()?.record().clone();
        let status = attempts.refusal(self.plan.point(self.attempt.id).clients)?;
        let fault = ProxyFault::Refuses { status, error: error.cloned() };
        let finding = Warning::Proxy(ProxyFinding::of(&proxy, fault));
        Some(TrialError::Found(Box::new(Found { proxy, finding })))
    }

    /// Lets the clients rest before the feed begins, for what the server takes meanwhile.
    fn rest(&mut self, meter: &mut CostMeter) -> Result<Option<Resting>, TrialError> {
        let Some(time) = self.plan.rest_of(self.attempt.id) else { return Ok(None) };
        meter.rest();
        let from = clock::now();
        self.inbox.wait_until(from + time)?;
        let time = clock::now().saturating_since(from);
        Ok(meter.rested().map(|server_cpu| Resting { server_cpu, time }))
    }

    /// Sets the trial's instants and starts the feed.
    fn begin(&mut self) -> Result<TrialTiming, TrialError> {
        let (plan, id) = (self.plan, self.attempt.id);
        let duration = plan.scenario.duration.0;
        let mut timing = self.server.begin(plan.warmup(id), duration, plan.drain_limit(id))?;
        let restart = plan.point(id).life.restart;
        timing.halt = restart.map(|restart| timing.window.start + restart.at.0);
        if let Some(wire) = &self.wire {
            wire.set_timing(&timing);
        }
        if let Some(link) = &mut self.link {
            let window = timing.window.start..timing.window.end;
            link.set_phases(timing.warmup, window).map_err(router_died)?;
        }
        if let Some(cross) = &mut self.cross {
            let window = timing.window.start..timing.window.end;
            cross.set_phases(timing.warmup, window).map_err(cross_died)?;
        }
        self.clients.order(&LoadOrder::Run(Box::new(timing.clone())))?;
        Ok(timing)
    }

    /// Adds how the trial was laid out, and takes away what capturing spoils.
    fn describe(&self, resources: &mut Resources) {
        if self.plan.capture {
            // Capturing takes tens of per cent, part of it in the sender's context.
            (resources.server_cpu, resources.load_cpu) = (None, None);
            resources.proxy_cpu = None;
        }
        resources.server_processes = self.server.own_processes() as u32;
        resources.source_addresses = self.places.source_addresses;
        resources.pinned.clone_from(&self.places.pinned);
    }
}

/// The link of a trial; `None` over loopback.
fn start_link(run: &Run, id: TrialId, place: &Place) -> Result<Option<LinkSide>, RunError> {
    let point = run.plan.point(id);
    let seed = run.plan.scenario.seed ^ (u64::from(id.round) << 32);
    let start = |link| LinkSide::start(&run.commands.link, place, link, point.clients, seed);
    point.link.as_ref().map(start).transpose().map_err(RunError::Link)
}

/// The traffic beside the feed on a link; `None` where there is none.
fn start_cross(
    run: &Run,
    ends: Option<(&Link, &LinkNetwork)>,
) -> Result<Option<CrossSide>, RunError> {
    let start = |(link, network)| CrossSide::start(&run.commands.cross, link, network);
    Ok(ends.map(start).transpose().map_err(RunError::Link)?.flatten())
}

/// Where the servers listen.
fn addresses(
    server: &ServerSide<'_>,
    inbox: &mut Inbox<'_>,
) -> Result<Vec<SocketAddr>, TrialError> {
    match server {
        ServerSide::Children(..) => inbox.server_addresses(),
        ServerSide::Running(target, _) => Ok(vec![target.address()]),
        ServerSide::Subject(side) => {
            inbox.server_addresses().map_err(|error| caused(error, side))?;
            Ok(vec![side.address()])
        }
    }
}

/// The network that this process is in, where it is that of a link to a server that runs already.
fn around(server: &ServerSide<'_>, clients: u32) -> Option<LinkNetwork> {
    match server {
        ServerSide::Running(target, _) => LinkNetwork::around(target.address().ip(), clients),
        ServerSide::Children(..) | ServerSide::Subject(_) => None,
    }
}

/// How long may pass from what the end of a program brings about until its guardian has told of it.
const TOLD_WITHIN: Duration = Duration::from_millis(300);

/// The error of a trial whose server is somebody else's: its end, where that is behind it.
fn caused(error: TrialError, side: &SubjectSide) -> TrialError {
    if !matches!(error, TrialError::Invalid(_)) {
        return error;
    }
    side.failure_within(TOLD_WITHIN).map_or(error, TrialError::Invalid)
}
