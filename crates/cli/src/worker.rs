//! The children's side of a run: a server or a load generator that takes orders on its standard
//! input. When the parent goes away, input ends, and so does the child.

use std::io::{BufRead as _, StdinLock, Write as _};
use std::thread;

use anyhow::anyhow;
use pushbench_load::Load;
use pushbench_metrics::control::{
    LoadNews, LoadOrder, LoadPlan, ServerNews, ServerOrder, ServerPlan,
};
use pushbench_probe::limits;
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
    let ServerPlan { feed, headers, stamps, publish_delay, .. } = plan;
    // The parent has looked that all clients fit.
    let max_connections = usize::try_from(files).unwrap_or(usize::MAX);
    let config = ServerConfig::new(feed);
    let config = ServerConfig { headers, stamps, publish_delay, max_connections, ..config };
    let server = match Server::bind(plan.listen, config) {
        Ok(server) => server,
        Err(error) => return give_up(&ServerNews::Failed { error: error.to_string() }),
    };
    let handle = server.handle();
    say(&ServerNews::Listening { address: server.local_addr() });
    thread::spawn(move || {
        follow(|order| match order {
            ServerOrder::Start { origin } => handle.start(origin),
            ServerOrder::Measure { window } => handle.measure(window),
            ServerOrder::Stop => handle.stop(),
        });
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

/// The plan: the first line of standard input.
fn first_line<T: DeserializeOwned>() -> Result<T, Failure> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|error| Failure::failed(anyhow!("cannot read the plan: {error}")))?;
    serde_json::from_str(&line).map_err(|error| {
        Failure::usage(anyhow!("this command is started by `pushbench run`: no plan: {error}"))
    })
}

/// Hands each order on standard input to `act`, until there are no more.
fn follow<T: DeserializeOwned>(mut act: impl FnMut(T)) {
    let input: StdinLock<'_> = std::io::stdin().lock();
    for line in input.lines().map_while(Result::ok) {
        match serde_json::from_str(&line) {
            Ok(order) => act(order),
            Err(error) => {
                eprintln!("pushbench: an order that cannot be understood ends this child: {error}");
                return;
            }
        }
    }
}

/// Writes one message. Without a parent to read it, there is nobody to tell.
fn say<T: Serialize>(message: &T) {
    let Ok(mut line) = serde_json::to_vec(message) else { return };
    line.push(b'\n');
    let mut output = std::io::stdout().lock();
    let _ = output.write_all(&line).and_then(|()| output.flush());
}

fn give_up<T: Serialize>(news: &T) -> Result<Outcome, Failure> {
    say(news);
    Err(Failure::failed(anyhow!("a child process could not go on; the parent tells why")))
}
