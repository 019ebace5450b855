//! A server that is somebody else's, in a trial: its program under a guardian, and the process of this run
//! that gives it the feed.

use std::sync::mpsc::Sender;
use std::time::Duration;

use pushbench_core::feed::FeedSpec;
use pushbench_core::program::{MAIN_PORT, Values};
use pushbench_core::subject::Subject;
use pushbench_metrics::record::TrialId;
use pushbench_metrics::record::control::{
    Outlet, Place, ServerOrder, ServerPlan, ServerPlayer, Subject as Asked,
};
use pushbench_metrics::record::subject::SubjectRecord;
use pushbench_metrics::record::warning::Invalid;

use super::Commands;
use super::inbox::Message;
use super::link::LinkNetwork;
use super::process::{Process, ProcessError};
use crate::error::{RunError, TrialError};
use crate::place::Places;
use crate::plan::Plan;
use crate::program::{self, ProgramError, ProgramPlan, Running};

/// Connections that a subject may have beside one to each client.
const MORE_CONNECTIONS: u32 = 512;

/// The wishes of a trial for a server that is somebody else's.
#[derive(Debug, Clone)]
pub(crate) struct SubjectDemand {
    pub(crate) subject: Subject,
    /// How clients ask it.
    pub(crate) asked: Asked,
    /// Where it runs and listens.
    pub(crate) place: Place,
    /// Where its publisher runs: the side of the load generator, whose work it is.
    pub(crate) publisher: Place,
    pub(crate) clients: u32,
}

impl SubjectDemand {
    /// The wishes of a trial; `None` where the server is our own.
    pub(crate) fn of(
        plan: &Plan,
        id: TrialId,
        places: &Places,
        network: Option<&LinkNetwork>,
    ) -> Option<Self> {
        let point = plan.point(id);
        let subject = plan.subject(id)?.clone();
        let endpoint =
            subject.endpoint(id.contender, plan.scenario.delivery, !point.via.is_direct())?;
        // They were checked before anything was started.
        let rules = endpoint.rules(id.contender.transport, &program::environment()).ok()?;
        let asked = Asked {
            path: Some(endpoint.path.clone()),
            event: endpoint.event.clone(),
            has_schedule: rules.is_some(),
            rules,
            ..Asked::default()
        };
        let inside = |place: Place| match network {
            Some(network) => network.of_server(place),
            None => place,
        };
        let place = inside(places.servers.first()?.clone());
        let core = places.loads.last()?.core;
        let publisher = inside(Place { core, ..Place::default() });
        Some(Self { subject, asked, place, publisher, clients: point.clients })
    }

    fn plan(&self, tied: &[String]) -> ProgramPlan {
        let connections = self.clients * 2 + MORE_CONNECTIONS;
        let values = [("connections", connections.to_string()), ("workers", "1".to_owned())];
        ProgramPlan {
            program: self.subject.program.clone(),
            values: Values::from(values.map(|(name, value)| (name.to_owned(), value))),
            credentials: None,
            place: self.place.clone(),
            is_written_to: self.subject.publish.port().is_none(),
            tied: tied.to_vec(),
        }
    }

    fn failed(&self, error: &ProgramError) -> TrialError {
        let program = self.subject.name.to_string();
        // Its last words may repeat what its clients send.
        let error = self.asked.hide(error.to_string());
        TrialError::Invalid(Invalid::ProgramFailed { program, error })
    }
}

/// A server that is somebody else's. Dropping it ends first its publisher, and then its program.
#[derive(Debug)]
pub(crate) struct SubjectSide {
    publisher: Process,
    program: Running,
    record: SubjectRecord,
    pub(super) asked: Asked,
    pub(super) feed: FeedSpec,
}

impl SubjectSide {
    /// Starts the program, and then its publisher, which will say that it is there.
    pub(crate) fn start(
        commands: &Commands,
        demand: SubjectDemand,
        plan: ServerPlan,
        messages: &Sender<Message>,
    ) -> Result<Self, TrialError> {
        let program = Running::start(&commands.program, &demand.plan(&commands.tied));
        let program = program.map_err(|error| demand.failed(&error))?;
        let publish = demand.subject.publish.clone();
        let port = publish.port().unwrap_or(MAIN_PORT);
        let mut address = program.address();
        address.set_port(program.ports().get(port).copied().unwrap_or_default());
        let stdin = program.stdin().map(Into::into);
        let player = ServerPlayer::Publisher(Outlet { publish, address, stdin });
        let plan = ServerPlan { player, place: demand.publisher, ..plan };
        let messages = messages.clone();
        let publisher = Process::start(&commands.server, &plan.place, &plan, move |output| {
            // The trial may be over: then nobody listens.
            let _ = messages.send(Message::Server(0, output));
        });
        let publisher = publisher.map_err(RunError::Server)?;
        let version = program.version().map(str::to_owned);
        let record = SubjectRecord { name: demand.subject.name, version };
        Ok(Self { publisher, program, record, asked: demand.asked, feed: plan.feed })
    }

    /// Where clients reach it.
    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.program.address()
    }

    /// The process of its program, from which its others descend.
    pub(crate) fn pid(&self) -> u32 {
        self.program.pid()
    }

    /// The process that publishes.
    pub(crate) fn publisher(&self) -> u32 {
        self.publisher.pid()
    }

    /// Gives its publisher an order.
    pub(crate) fn order(&mut self, order: &ServerOrder) -> Result<(), ProcessError> {
        self.publisher.order(order)
    }

    /// Why its program came to an end that nobody asked for.
    pub(crate) fn failure(&self) -> Option<Invalid> {
        self.failure_within(Duration::ZERO)
    }

    /// The same, if it has by then.
    pub(crate) fn failure_within(&self, limit: Duration) -> Option<Invalid> {
        let error = self.asked.hide(self.program.failure_within(limit)?.to_string());
        Some(Invalid::ProgramFailed { program: self.record.name.to_string(), error })
    }

    /// The server, as a record has it.
    pub(crate) const fn record(&self) -> &SubjectRecord {
        &self.record
    }
}
