//! A process that is the router of a link and nothing else.
//!
//! It takes a [`RouterPlan`], one JSON object on a line of its standard input, makes the networks,
//! says where they are, and moves packets until its input ends or anything more comes. What it says
//! is a [`RouterNews`] a line. Server and load processes enter the networks before they start a
//! thread ([`crate::network::enter`]).
//!
//! ```text
//! parent -> router   RouterPlan, then the end            router -> parent   Ready, then Ended; or Refused, or Failed
//! ```

use std::error::Error;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;

use pushbench_core::link::Link;
use pushbench_os::net::namespace::NetworkError;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::drive::{DriveError, Summary, drive};
use crate::network::{Backend, Namespaces, Network, NetworkPlan, TooManyClients, addressing};
use crate::router::Router;

/// Orders of a router process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouterPlan {
    /// What lies between the networks.
    pub link: Link,
    /// How many clients have an address and a line.
    pub clients: u32,
    /// Whether they and the server have IPv6 addresses; else they have IPv4 ones.
    pub ipv6: bool,
    /// Which chance decides over the packets.
    pub seed: u64,
    /// How packets come to the router; `None` for whichever is to be had.
    pub backend: Option<Backend>,
    /// Packets that may wait for the router at each device.
    pub queue: u32,
}

/// A line that a router process says.
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
    Ended(Box<Summary>),
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
    let addressing = addressing(plan.ipv6, plan.clients)?;
    let networks = NetworkPlan { backend: plan.backend, mtu: plan.link.mtu, queue: plan.queue };
    let mut network = Network::make(&networks, &addressing)?;
    let mut router = Router::new(&plan.link, addressing, plan.seed);
    let (namespaces, backend) = (network.namespaces(), network.backend());
    tell(news, &RouterNews::Ready { namespaces, backend })?;
    let summary = drive(&mut network, &mut router, &*orders)?;
    Ok(tell(news, &RouterNews::Ended(Box::new(summary)))?)
}

/// Reads a line and nothing behind it: whatever comes later is the order to stop, and has to be
/// where it can be waited for.
fn line(orders: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut byte = [0];
    while line.len() < LONGEST_PLAN && orders.read(&mut byte)? == 1 && byte != *b"\n" {
        line.extend(byte);
    }
    Ok(line)
}

/// The most bytes of a plan; one has a few hundred.
const LONGEST_PLAN: usize = 1 << 16;

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
