//! The proxies of a trial, one in front of each of its server processes.

use std::net::SocketAddr;

use pushbench_core::contender::Security;
use pushbench_core::program::Values;
use pushbench_core::proxy::ProxyName;
use pushbench_core::security::{ClientSecurity, Credentials, ServerSecurity, Trust};
use pushbench_metrics::record::TrialId;
use pushbench_metrics::record::control::Place;
use pushbench_metrics::record::proxy::{Named, ProxyRecord};
use pushbench_metrics::record::warning::Invalid;
use pushbench_os::machine::limits::Room;

use super::Commands;
use super::link::LinkNetwork;
use super::target::Site;
use crate::place::Places;
use crate::plan::Plan;
use crate::program::{ProgramError, ProgramPlan, Running};

/// Connections that a proxy may have beside one to each client and one for it to the server.
const MORE_CONNECTIONS: u32 = 512;

/// Wishes of a trial for its proxies.
#[derive(Debug, Clone)]
pub(crate) struct ProxyDemand {
    pub(crate) name: ProxyName,
    /// Where they run and listen.
    pub(crate) place: Place,
    /// Who they are to clients whose connections are in TLS; `None` has these in clear.
    pub(crate) credentials: Option<Credentials>,
    /// The most clients that one of them has.
    pub(crate) clients: u32,
}

/// The proxies of a trial. Dropping them ends them.
#[derive(Debug)]
pub(crate) struct ProxySide {
    record: ProxyRecord,
    programs: Vec<Running>,
}

impl ProxySide {
    /// Starts one in front of each of `backends`, for clients whose connections are secured as
    /// `security` says.
    pub(crate) fn start(
        commands: &Commands,
        demand: ProxyDemand,
        backends: &[SocketAddr],
        security: Option<&ClientSecurity>,
    ) -> Result<Self, Invalid> {
        let name = demand.name;
        let start = |backend: &SocketAddr| {
            Running::start(&commands.program, &demand.plan(*backend, &commands.tied))
        };
        let programs = backends.iter().map(start).collect::<Result<Vec<_>, _>>();
        let programs = programs.map_err(|error| failed(name, &error))?;
        let first = programs.first();
        let version = first.and_then(Running::version).map(str::to_owned);
        // In a link's networks this process is not.
        let first = first.filter(|_| demand.place.namespace.is_none());
        let named = first.and_then(|first| named(first.address(), security)).unwrap_or_default();
        Ok(Self { record: ProxyRecord { name, version, named }, programs })
    }

    /// Where clients reach them, in the order of the servers.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.programs.iter().map(Running::address).collect()
    }

    /// The process of each, from which its others descend.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.programs.iter().map(Running::pid).collect()
    }

    /// Why one of them came to an end that nobody asked for.
    pub(crate) fn failure(&self) -> Option<Invalid> {
        let error = self.programs.iter().find_map(Running::failure)?;
        Some(failed(self.record.name, &error))
    }

    /// The proxy, as a record has it.
    pub(crate) const fn record(&self) -> &ProxyRecord {
        &self.record
    }
}

impl ProxyDemand {
    /// Wishes of a trial; `None` where clients reach the server themselves. `security` is what clients
    /// are to meet, and a link's network is the proxy's as it is the server's.
    pub(crate) fn of(
        plan: &Plan,
        id: TrialId,
        (room, places): (&Room, &Places),
        security: Option<&ServerSecurity>,
        network: Option<&LinkNetwork>,
    ) -> Option<Self> {
        let name = plan.point(id).via.proxy()?;
        let place = places.proxy.clone()?;
        let place = match network {
            Some(network) => network.of_server(place),
            None => place,
        };
        let credentials = security.map(|security| security.credentials.clone());
        let clients = plan.point(id).clients.div_ceil(room.server_processes.max(1));
        Some(Self { name, place, credentials, clients })
    }

    fn plan(&self, backend: SocketAddr, tied: &[String]) -> ProgramPlan {
        let security = if self.credentials.is_some() { Security::Tls } else { Security::Clear };
        let connections = self.clients * 2 + MORE_CONNECTIONS;
        let values = [
            ("backend", backend.to_string()),
            ("connections", connections.to_string()),
            ("workers", "1".to_owned()),
        ];
        ProgramPlan {
            program: self.name.program(security),
            values: Values::from(values.map(|(name, value)| (name.to_owned(), value))),
            credentials: self.credentials.clone(),
            place: self.place.clone(),
            is_written_to: false,
            tied: tied.to_vec(),
        }
    }
}

fn failed(name: ProxyName, error: &ProgramError) -> Invalid {
    Invalid::ProgramFailed { program: name.to_string(), error: error.to_string() }
}

/// The names that the answer to `GET /feed` gives; `None` where it cannot be asked from here.
fn named(address: SocketAddr, security: Option<&ClientSecurity>) -> Option<Named> {
    let url = match security {
        None => format!("http://{address}"),
        Some(security) => format!("https://{}:{}", security.host, address.port()),
    };
    let trust = security.map_or(Trust::Anybody, |it| it.trust.clone());
    Site::find(&url).ok()?.connect(trust, None).ok()?.named()
}
