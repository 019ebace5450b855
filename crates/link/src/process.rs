//! A process that is the router of a link and nothing else.
//!
//! It takes a [`RouterPlan`], one JSON object on a line of its standard input, makes the networks,
//! says where they are, and moves packets until it is told to stop or its input ends. Server and load
//! processes enter the networks before they start a thread ([`pushbench_os::net::namespace::enter`]).
//!
//! ```text
//! parent -> router   RouterPlan, then RouterOrder …      router -> parent   RouterNews …
//! ```

use std::error::Error;
use std::io::{self, Read, Write};
use std::ops::{ControlFlow, Range};
use std::os::fd::AsFd;

use pushbench_core::MonoInstant;
use pushbench_core::link::Link;
use pushbench_metrics::observe::device::{Backend, RouterMeasured};
use pushbench_os::net::namespace::NetworkError;
use pushbench_os::process::precedence::Hold;
use pushbench_os::time::clock;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::drive::{DriveError, drive};
use crate::network::{Namespaces, Network, NetworkPlan, TooManyClients, addressing};
use crate::router::Router;

/// Orders of a router process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouterPlan {
    /// The link between the networks.
    pub link: Link,
    /// How many clients have an address and a line.
    pub clients: u32,
    /// Which chance decides over the packets.
    pub seed: u64,
    /// How packets come to the router; `None` for whichever is to be had.
    pub backend: Option<Backend>,
    /// Packets that may wait for the router at each device.
    pub queue: u32,
}

/// Order to a router process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RouterOrder {
    /// Count by these phases; until then clients connect.
    Phases {
        /// When warm-up begins.
        warmup: MonoInstant,
        /// The window.
        window: Range<MonoInstant>,
    },
    /// Stop, and say what was counted.
    Stop {
        /// When the trial's drain ended.
        closing: MonoInstant,
    },
}

/// News of a router process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RouterNews {
    /// The networks are there, and packets pass.
    Ready {
        /// Where they are.
        namespaces: Namespaces,
        /// How packets come to the router.
        backend: Backend,
    },
    /// It was told to stop.
    Ended(Box<RouterMeasured>),
    /// This system does not give this user what a link takes; nothing was started.
    Refused(String),
    /// It cannot do its work for another reason.
    Failed(String),
}

/// A router process that cannot do its work.
#[derive(Debug, Error)]
pub enum RouterError {
    /// The first line of its input is no plan.
    #[error("cannot read the plan of a link: {0}")]
    Plan(#[source] serde_json::Error),
    /// The plan has more clients than addresses.
    #[error(transparent)]
    Clients(#[from] TooManyClients),
    /// The networks cannot be made.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// Packets cannot be moved.
    #[error(transparent)]
    Drive(#[from] DriveError),
    /// Its input or output is gone.
    #[error("cannot talk to the parent process")]
    Talk(#[from] io::Error),
}

/// Plays a router, from its plan to its end. The process must not have any thread yet but this one.
///
/// `orders` must not read ahead, as [`io::Stdin`] does; a [`std::fs::File`] does not.
///
/// # Errors
///
/// [`RouterError`], which `news` was told too.
pub fn play<I: Read + AsFd>(mut orders: I, mut news: impl Write) -> Result<(), RouterError> {
    let played = route(&mut orders, &mut news);
    if let Err(error) = &played {
        let told = match error {
            RouterError::Network(reason) if reason.is_refusal() => RouterNews::Refused,
            _ => RouterNews::Failed,
        };
        tell(&mut news, &told(whole(error)))?;
    }
    played
}

fn route<I: Read + AsFd>(orders: &mut I, news: &mut impl Write) -> Result<(), RouterError> {
    let plan: RouterPlan = serde_json::from_slice(&line(orders)?).map_err(RouterError::Plan)?;
    let addressing = addressing(plan.link.ip_version, plan.clients)?;
    let networks = NetworkPlan { backend: plan.backend, mtu: plan.link.mtu, queue: plan.queue };
    // Before it may enter a user namespace, in which it has no say over the machine's cores.
    let hold = Hold::take();
    let mut network = Network::make(&networks, &addressing)?;
    let mut router = Router::new(&plan.link, addressing, plan.seed);
    let (namespaces, backend) = (network.namespaces(), network.backend());
    tell(news, &RouterNews::Ready { namespaces, backend })?;
    let measured = drive(hold, &mut network, &mut router, orders, obey)?;
    Ok(tell(news, &RouterNews::Ended(Box::new(measured)))?)
}

/// Reads an order. The end of the orders is one too: the parent is gone, or has no more to say.
fn obey<I: Read>(orders: &mut I, router: &mut Router) -> io::Result<ControlFlow<MonoInstant>> {
    let line = line(orders)?;
    if line.is_empty() {
        return Ok(ControlFlow::Break(clock::now()));
    }
    Ok(match serde_json::from_slice(&line)? {
        RouterOrder::Stop { closing } => ControlFlow::Break(closing),
        RouterOrder::Phases { warmup, window } => {
            router.set_edges(warmup, &window);
            ControlFlow::Continue(())
        }
    })
}

/// Reads a line and nothing behind it: what comes later has to be where it can be waited for.
fn line(orders: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut byte = [0];
    while line.len() < LONGEST && orders.read(&mut byte)? == 1 && byte != *b"\n" {
        line.extend(byte);
    }
    Ok(line)
}

/// The most bytes of a plan or an order, which have a few hundred.
const LONGEST: usize = 1 << 16;

fn tell(news: &mut impl Write, what: &RouterNews) -> io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    news.write_all(&line)?;
    news.flush()
}

/// An error and its causes, in a line.
fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
