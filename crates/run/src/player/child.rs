//! The children's side of a run: a server or a load generator that takes its plan and orders on its
//! standard input. When the parent goes away, input ends, and so does the child.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;

use pushbench_link::{cross, process as router};
use pushbench_load::bare::{self, Part, Receiver};
use pushbench_load::{Load, LoadError};
use pushbench_metrics::observe::measure::Measure;
use pushbench_metrics::record::control::{
    LoadNews, LoadOrder, LoadPlan, LoadPlayer, Outlet, Place, ServerNews, ServerOrder, ServerPlan,
    ServerPlayer,
};
use pushbench_os::machine::limits;
use pushbench_os::net::namespace::{self, NetworkError};
use pushbench_os::process::tied;
use pushbench_server::outlet::{OutletError, Publisher};
use pushbench_server::{Server, ServerConfig};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::program::guardian::{self, Heard};
use crate::program::{ProgramPlan, Stop};

/// Descriptors to ask for: as many as the hard limit allows, up to this.
const OPEN_FILES: u64 = 1 << 20;

/// A child that cannot play its part.
#[derive(Debug, Error)]
pub enum ChildError {
    /// A standard input that cannot be read.
    #[error("cannot read the plan")]
    Read(#[source] io::Error),
    /// A child that nobody started.
    #[error("this command is started by `pushbench run`: no plan")]
    Plan(#[source] serde_json::Error),
    /// An order of another version's parent.
    #[error("an order that cannot be understood ends this child")]
    Order(#[source] serde_json::Error),
    /// A network that it cannot live in.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A program that cannot be started.
    #[error("cannot start it: {0}")]
    Start(#[source] io::Error),
    /// No program to become.
    #[error("no program is named")]
    NoProgram,
    /// A failure that the parent has been told of.
    #[error("a child process could not go on; the parent tells why")]
    Failed,
}

/// Plays the router of a link. What went wrong is among its news, so that the parent says it, alone.
///
/// # Errors
///
/// A standard input that cannot be read.
pub fn link() -> Result<(), ChildError> {
    // Not the standard library's, which reads ahead.
    let orders = io::stdin().as_fd().try_clone_to_owned().map_err(ChildError::Read)?;
    let _ = router::play(File::from(orders), io::stdout().lock());
    Ok(())
}

/// Fills a line beside the feed.
///
/// # Errors
///
/// A failure that the parent has been told of.
pub fn cross() -> Result<(), ChildError> {
    cross::play(io::stdin().lock(), io::stdout()).map_err(|_| ChildError::Failed)
}

/// Guards a program that is somebody else's, which has as many descriptors as a server would.
///
/// # Errors
///
/// No plan, or a network that it cannot live in.
pub fn program() -> Result<(), ChildError> {
    let plan: ProgramPlan = plan()?;
    enter(&plan.place)?;
    limits::raise_open_files(OPEN_FILES);
    let (sender, heard) = channel();
    let told = sender.clone();
    thread::spawn(move || {
        // It ends the program whatever it was that came, and where nothing more can.
        let _ = follow(|_: Stop| drop(told.send(Heard::Stop)));
        let _ = told.send(Heard::Stop);
    });
    guardian::guard(&plan, (sender, heard), say);
    Ok(())
}

/// Becomes another program, which is asked to end when its `parent` does.
///
/// # Errors
///
/// A program that cannot be started, or a parent that is gone.
pub fn tied(parent: u32, command: &[OsString]) -> Result<Infallible, ChildError> {
    tied::end_with(parent).map_err(ChildError::Start)?;
    let (program, arguments) = command.split_first().ok_or(ChildError::NoProgram)?;
    Err(ChildError::Start(Command::new(program).args(arguments).exec()))
}

/// Plays the server's side.
///
/// # Errors
///
/// No plan, an order that is none, or a failure that the parent has been told of.
pub fn server() -> Result<(), ChildError> {
    let plan: ServerPlan = plan()?;
    enter(&plan.place)?;
    let files = limits::raise_open_files(OPEN_FILES);
    match plan.player.clone() {
        ServerPlayer::Publisher(outlet) => publisher(plan, &outlet),
        ServerPlayer::Bare | ServerPlayer::BareTalk(_) => play_bare(
            move |hear| pushbench_server::bare::play(&plan, hear, |news| say(&news)),
            |error| ServerNews::Failed { error },
        ),
        ServerPlayer::Real => real_server(plan, files),
    }
}

/// Gives the feed to a server that is somebody else's.
fn publisher(plan: ServerPlan, outlet: &Outlet) -> Result<(), ChildError> {
    let failed = |error: OutletError| give_up(&ServerNews::Failed { error: error.to_string() });
    let publisher = match Publisher::open(plan, outlet) {
        Ok(publisher) => publisher,
        Err(error) => return failed(error),
    };
    say(&ServerNews::Listening { address: outlet.address });
    let orders = publisher.orders();
    let (sender, ended) = channel();
    thread::spawn(move || {
        // One that has ended hears nothing.
        let followed = follow(|order| drop(orders.send(order)));
        let _ = sender.send(followed);
        let _ = orders.send(ServerOrder::Stop);
    });
    match publisher.run() {
        Ok(measured) => say(&ServerNews::Stopped(Box::new(measured))),
        Err(error) => return failed(error),
    }
    ended.try_recv().unwrap_or(Ok(()))
}

fn real_server(plan: ServerPlan, files: u64) -> Result<(), ChildError> {
    // The parent has looked that all clients fit.
    let max_connections = usize::try_from(files).unwrap_or(usize::MAX);
    let listen = plan.place.listen;
    let config = match ServerConfig::try_from(plan) {
        Ok(config) => ServerConfig { max_connections, ..config },
        Err(error) => return give_up(&ServerNews::Failed { error: error.to_string() }),
    };
    let server = match Server::bind(listen, config) {
        Ok(server) => server,
        Err(error) => return give_up(&ServerNews::Failed { error: error.to_string() }),
    };
    let handle = server.handle();
    say(&ServerNews::Listening { address: server.local_addr() });
    let (sender, ended) = channel();
    thread::spawn(move || {
        let followed = follow(|order| handle.order(order));
        // Before the server stops for it, so that it is known by then.
        let _ = sender.send(followed);
        handle.stop();
    });
    let measured = server.run();
    say(&ServerNews::Stopped(Box::new(measured)));
    ended.try_recv().unwrap_or(Ok(()))
}

/// Plays the clients' side.
///
/// # Errors
///
/// No plan, an order that is none, or a failure that the parent has been told of.
pub fn load() -> Result<(), ChildError> {
    let plan = load_plan()?;
    match (plan.player.clone(), plan.talk) {
        (LoadPlayer::Bare(payload), _) => bare_load(plan, Receiver::new(payload)),
        (LoadPlayer::Browser(browser), _) => play_bare(
            move |hear| {
                let played = pushbench_browser::play(&plan, &browser, hear, |news| say(&news));
                played.map_err(io::Error::other)
            },
            |error| LoadNews::Failed { error },
        ),
        (LoadPlayer::Real, Some(talk)) if plan.life.is_eventful() => {
            real_load(Load::of_absences_in_rooms(plan, talk))
        }
        (LoadPlayer::Real, Some(talk)) => real_load(Load::of_rooms(plan, talk)),
        (LoadPlayer::Real, None) if plan.subject.is_unscheduled() => {
            real_load(Load::by_stamp(plan))
        }
        (LoadPlayer::Real, None) if plan.life.is_eventful() => real_load(Load::of_absences(plan)),
        (LoadPlayer::Real, None) => real_load(Load::new(plan)),
    }
}

/// The plan of a load process, which may open many connections.
///
/// # Errors
///
/// No plan.
pub fn load_plan() -> Result<LoadPlan, ChildError> {
    let plan: LoadPlan = plan()?;
    enter(&plan.place)?;
    limits::raise_open_files(OPEN_FILES);
    Ok(plan)
}

/// Plays the clients' side with a load generator, whatever it measures.
///
/// # Errors
///
/// An order that is none, or a failure that the parent has been told of.
pub fn real_load<M: Measure>(load: Result<Load<M>, LoadError>) -> Result<(), ChildError> {
    let failed = |error: LoadError| give_up(&LoadNews::Failed { error: error.to_string() });
    let load = match load {
        Ok(load) => load,
        Err(error) => return failed(error),
    };
    let orders = load.orders();
    let follower = thread::spawn(move || {
        let followed = follow(|order| orders.send(order));
        orders.send(LoadOrder::Stop);
        followed
    });
    if let Err(error) = load.run(|news| say(&news)) {
        return failed(error);
    }
    // A parent that is late for the window's end has yet to read this process's clock and memory.
    follower.join().unwrap_or(Ok(()))
}

/// Plays the clients' side with a bare loop.
///
/// # Errors
///
/// An order that is none, or a failure that the parent has been told of.
pub fn bare_load(plan: LoadPlan, mut part: impl Part + Send + 'static) -> Result<(), ChildError> {
    play_bare(
        move |hear| bare::play(&mut part, &plan, hear, |news| say(&news)),
        |error| LoadNews::Failed { error },
    )
}

/// Gives the orders on standard input to a bare loop, which waits for each. It looks up for nobody,
/// so it has a thread of its own, which goes with the process when there are no more orders: until
/// then the parent has yet to read this process's clock and memory.
fn play_bare<O, N, P>(play: P, failed: impl FnOnce(String) -> N) -> Result<(), ChildError>
where
    O: DeserializeOwned + Send + 'static,
    N: Serialize,
    P: FnOnce(&mut dyn FnMut() -> io::Result<O>) -> io::Result<()> + Send + 'static,
{
    let ((sender, orders), (end, ended)) = (channel(), channel());
    let played = end.clone();
    thread::spawn(move || {
        // One that comes after the last that is waited for has nobody to follow it.
        let followed = follow(|order| drop(sender.send(order)));
        let _ = end.send(Ok(followed));
    });
    thread::spawn(move || {
        if let Err(error) = play(&mut || orders.recv().map_err(io::Error::other)) {
            let _ = played.send(Err(error));
        }
    });
    match ended.recv() {
        Ok(Err(error)) => give_up(&failed(error.to_string())),
        Ok(Ok(followed)) => followed,
        Err(_) => Ok(()),
    }
}

/// Has this process live in the network of its place, before it starts a thread.
fn enter(place: &Place) -> Result<(), ChildError> {
    place.namespace.as_deref().map_or(Ok(()), namespace::enter).map_err(ChildError::Network)
}

/// The plan: the first line of standard input.
fn plan<T: DeserializeOwned>() -> Result<T, ChildError> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(ChildError::Read)?;
    serde_json::from_str(&line).map_err(ChildError::Plan)
}

/// Hands each order on standard input to `act`, until there are no more.
fn follow<T: DeserializeOwned>(mut act: impl FnMut(T)) -> Result<(), ChildError> {
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        act(serde_json::from_str(&line).map_err(ChildError::Order)?);
    }
    Ok(())
}

/// Writes one message. Without a parent to read it, there is nobody to tell.
fn say<T: Serialize>(message: &T) {
    let Ok(mut line) = serde_json::to_vec(message) else { return };
    line.push(b'\n');
    let mut output = io::stdout().lock();
    let _ = output.write_all(&line).and_then(|()| output.flush());
}

fn give_up<T: Serialize>(news: &T) -> Result<(), ChildError> {
    say(news);
    Err(ChildError::Failed)
}
