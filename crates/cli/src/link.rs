//! `pushbench link`: an emulated link between two programs, whichever they are, and `pushbench enter`,
//! which starts one at a side of it.

mod counts;
mod programs;

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use pushbench_metrics::record::control::Place;
use pushbench_os::net::listening::listens_in;
use pushbench_os::net::namespace;
use pushbench_os::process::tied;
use pushbench_os::time::clock;
use pushbench_run::player::link::LinkSide;

use self::programs::{Program, lead, outcome};
use crate::args::{EnterArgs, JoinArgs};
use crate::exit::{Failure, INTERRUPTED, Outcome};
use crate::{interrupt, print, run, tell};

/// How often programs and router are looked at, and so how long after one of them all ends.
const LOOK: Duration = Duration::from_millis(20);

/// How long a server may take until it listens.
const START: Duration = Duration::from_secs(60);

/// How long programs have for an end of their own after Ctrl-C, which a terminal tells them too:
/// `pushbench load` takes up to 2.7 s to write what it has.
const FAREWELL: Duration = Duration::from_secs(3);

/// Runs the router until the user or a program ends it.
pub(crate) fn command(args: &JoinArgs) -> Result<Outcome, Failure> {
    let link = args.link.one()?;
    let clients = clients(args)?;
    let side =
        LinkSide::start(&run::commands().link, &Place::default(), &link, clients, args.seed)?;
    let signals = interrupt::listen_without_limit()?;
    let directions = directions(&side);
    if args.command.is_empty() && args.server.is_none() {
        print(&directions)?;
        tell("the link stands; Ctrl-C ends it, and says what passed");
    } else {
        tell(directions.trim_end());
    }
    let ended = Joined { side: &side, signals }.play(args);
    // Also where a program failed: what passed may say why.
    let counted = side.stop(clock::now());
    if let Ok(measured) = &counted {
        counts::lines(measured).iter().for_each(tell);
    }
    let outcome = ended?;
    counted.map_err(Failure::failed)?;
    Ok(outcome)
}

/// How many clients have a line.
fn clients(args: &JoinArgs) -> Result<u32, Failure> {
    match u32::try_from(args.clients.0) {
        Ok(0) => Err(Failure::usage(anyhow!("--clients 0: a link has one client at least"))),
        clients => Ok(clients.unwrap_or(u32::MAX)),
    }
}

/// The server's address, and what to enter for a program at either side.
fn directions(side: &LinkSide) -> String {
    let network = side.network();
    let own = std::env::args().next().unwrap_or_else(|| "pushbench".to_owned());
    let [server, load] = networks(side).map(Path::display);
    format!(
        "address: {}\nserver:  {own} enter {server} COMMAND\nclients: {own} enter {load} COMMAND\n",
        network.server()
    )
}

/// The server's network and the clients'.
fn networks(side: &LinkSide) -> [&Path; 2] {
    let namespaces = side.network().namespaces().expect("a router that was started says where");
    [&namespaces.server, &namespaces.load]
}

/// A link, and who may end it.
struct Joined<'a> {
    side: &'a LinkSide,
    signals: Receiver<()>,
}

impl Joined<'_> {
    /// Runs the user's programs, if there are any, to the end of the clients', of the server's, or of
    /// the user's patience.
    fn play(&self, args: &JoinArgs) -> Result<Outcome, Failure> {
        let [server_network, load_network] = networks(self.side);
        let mut server = match &args.server {
            Some(command) => Some(Program::server(server_network, command)?),
            None => None,
        };
        if let Some(server) = &mut server
            && !args.command.is_empty()
            && !self.listens(server, server_network)?
        {
            return Err(Failure::Interrupted);
        }
        let (program, arguments) = match args.command.split_first() {
            Some((program, arguments)) => (program, arguments),
            None => return self.keep_up(server.as_mut()),
        };
        let mut load = Program::load(load_network, program, arguments)?;
        let status = self.wait(|| {
            let gone = server.as_mut().map_or(Ok(None), Program::ended)?;
            match (load.ended()?, gone) {
                (None, Some(status)) => Err(server_ended(status)),
                (status, _) => Ok(status),
            }
        })?;
        let status = match status {
            Some(status) => Some(status),
            None => load.leave(FAREWELL)?,
        };
        Ok(status.map_or(Outcome::Command(INTERRUPTED), outcome))
    }

    /// Waits for the user, or the end of a server that has no clients here.
    fn keep_up(&self, mut server: Option<&mut Program>) -> Result<Outcome, Failure> {
        let ended = self.wait(|| server.as_mut().map_or(Ok(None), |server| server.ended()))?;
        Ok(ended.map_or(Outcome::Done, outcome))
    }

    /// Waits until the server listens; says whether it does, and not that the user wants an end.
    fn listens(&self, server: &mut Program, network: &Path) -> Result<bool, Failure> {
        let deadline = Instant::now() + START;
        let listening = self.wait(|| {
            if let Some(status) = server.ended()? {
                return Err(server_ended(status));
            }
            if Instant::now() > deadline {
                return Err(Failure::failed(anyhow!(
                    "the server listens on no TCP port after {} s; have it listen on {}, or on 0.0.0.0",
                    START.as_secs(),
                    self.side.network().server()
                )));
            }
            Ok(listens_in(server.pid(), network).then_some(()))
        })?;
        Ok(listening.is_some())
    }

    /// Looks until there is something to see, which it returns; nothing where the user wants an end.
    fn wait<T>(
        &self,
        mut look: impl FnMut() -> Result<Option<T>, Failure>,
    ) -> Result<Option<T>, Failure> {
        loop {
            if let Some(seen) = look()? {
                return Ok(Some(seen));
            }
            if let Some(error) = self.side.failure() {
                return Err(Failure::failed(error));
            }
            match self.signals.recv_timeout(LOOK) {
                Err(RecvTimeoutError::Timeout) => {}
                // Where no signal can come any more, nobody could end it.
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }
}

fn server_ended(status: ExitStatus) -> Failure {
    Failure::failed(anyhow!("the server ended before its clients did: {status}"))
}

/// Becomes a program in a network of a link.
pub(crate) fn enter(args: &EnterArgs) -> Result<Outcome, Failure> {
    namespace::enter(&args.network).map_err(Failure::usage)?;
    // Behind what takes it back: entering a user namespace.
    if let Some(parent) = args.end_with {
        tied::end_with(parent).map_err(Failure::failed)?;
    }
    let (program, arguments) = args.command.split_first().expect("it is required");
    let mut command = Command::new(program);
    command.args(arguments);
    if args.lead {
        return lead(command);
    }
    let error = command.exec();
    Err(Failure::usage(anyhow!("cannot start `{}`: {error}", program.to_string_lossy())))
}
