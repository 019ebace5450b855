//! The children's side of a run: a server or a load generator that takes orders on its standard
//! input. When the parent goes away, input ends, and so does the child.

use std::io::{self, BufRead as _, StdinLock, Write as _};
use std::sync::mpsc::channel;
use std::{process, thread};

use anyhow::anyhow;
use pushbench_core::payload::Payload;
use pushbench_load::bare::Receiver;
use pushbench_load::{Load, bare};
use pushbench_metrics::record::control::{LoadNews, LoadOrder, LoadPlan, ServerNews, ServerPlan};
use pushbench_os::machine::limits;
use pushbench_server::{Server, ServerConfig};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::exit::{Failure, Outcome};

/// Descriptors to ask for: as many as the hard limit allows, up to this.
const OPEN_FILES: u64 = 1 << 20;

/// Runs the server child.
pub(crate) fn server() -> Result<Outcome, Failure> {
    let plan: ServerPlan = first_line()?;
    let files = limits::raise_open_files(OPEN_FILES);
    if plan.bare {
        let played = pushbench_server::bare::play(&plan, orders(), |news| say(&news));
        return outlive(played, |error| ServerNews::Failed { error });
    }
    // The parent has looked that all clients fit.
    let max_connections = usize::try_from(files).unwrap_or(usize::MAX);
    let listen = plan.listen;
    let config = ServerConfig { max_connections, ..plan.into() };
    let server = match Server::bind(listen, config) {
        Ok(server) => server,
        Err(error) => return give_up(&ServerNews::Failed { error: error.to_string() }),
    };
    let handle = server.handle();
    say(&ServerNews::Listening { address: server.local_addr() });
    thread::spawn(move || {
        follow(|order| handle.order(order));
        handle.stop();
    });
    let measured = server.run();
    say(&ServerNews::Stopped(Box::new(measured)));
    Ok(Outcome::Done)
}

/// Runs the load child.
pub(crate) fn load() -> Result<Outcome, Failure> {
    let plan: LoadPlan = first_line()?;
    limits::raise_open_files(OPEN_FILES);
    if let Some(payload) = &plan.bare {
        return bare_load(&plan, payload.clone());
    }
    let load = match Load::new(plan) {
        Ok(load) => load,
        Err(error) => return give_up(&LoadNews::Failed { error: error.to_string() }),
    };
    let orders = load.orders();
    let follower = thread::spawn(move || {
        follow(|order| orders.send(order));
        orders.send(LoadOrder::Stop);
    });
    if let Err(error) = load.run(|news| say(&news)) {
        return give_up(&LoadNews::Failed { error: error.to_string() });
    }
    // A parent that is late for the window's end has yet to read this process's clock and memory.
    let _ = follower.join();
    Ok(Outcome::Done)
}

/// Runs the least that a load child can be.
fn bare_load(plan: &LoadPlan, payload: Payload) -> Result<Outcome, Failure> {
    let played = bare::play(&mut Receiver::new(payload), plan, orders(), |news| say(&news));
    outlive(played, |error| LoadNews::Failed { error })
}

/// Waits for the end of a bare child's parent, which has yet to read its clock and memory.
fn outlive<T: Serialize>(
    played: io::Result<()>,
    failed: impl FnOnce(String) -> T,
) -> Result<Outcome, Failure> {
    if let Err(error) = played {
        return give_up(&failed(error.to_string()));
    }
    loop {
        // Who hears the orders ends the process.
        thread::park();
    }
}

/// The orders on standard input, to be waited for. When that ends, so does the process: a bare loop
/// looks up for nobody.
fn orders<T: DeserializeOwned + Send + 'static>() -> impl FnMut() -> io::Result<T> {
    let (sender, orders) = channel();
    thread::spawn(move || {
        // One that comes after the last that is waited for has nobody to follow it.
        follow(|order| drop(sender.send(order)));
        process::exit(0);
    });
    move || orders.recv().map_err(io::Error::other)
}

/// The plan: the first line of standard input.
fn first_line<T: DeserializeOwned>() -> Result<T, Failure> {
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    read.map_err(|error| Failure::failed(anyhow!("cannot read the plan: {error}")))?;
    serde_json::from_str(&line).map_err(|error| {
        Failure::usage(anyhow!("this command is started by `pushbench run`: no plan: {error}"))
    })
}

/// Hands each order on standard input to `act`, until there are no more.
fn follow<T: DeserializeOwned>(mut act: impl FnMut(T)) {
    let input: StdinLock<'_> = io::stdin().lock();
    for line in input.lines().map_while(Result::ok) {
        match serde_json::from_str(&line) {
            Ok(order) => act(order),
            Err(error) => {
                crate::tell(format_args!(
                    "pushbench: an order that cannot be understood ends this child: {error}"
                ));
                return;
            }
        }
    }
}

/// Writes one message. Without a parent to read it, there is nobody to tell.
fn say<T: Serialize>(message: &T) {
    let Ok(mut line) = serde_json::to_vec(message) else { return };
    line.push(b'\n');
    let mut output = io::stdout().lock();
    let _ = output.write_all(&line).and_then(|()| output.flush());
}

fn give_up<T: Serialize>(news: &T) -> Result<Outcome, Failure> {
    say(news);
    Err(Failure::failed(anyhow!("a child process could not go on; the parent tells why")))
}
