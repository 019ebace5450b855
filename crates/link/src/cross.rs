//! Processes that fill a line beside the feed: bulk transfers of TCP, between a process in the
//! server's network and one in that of the clients.
//!
//! Each takes a [`CrossPlan`] and then a [`CrossOrder`] a line on its standard input. Connections are
//! opened when warm-up begins, and each sender writes all that its socket takes, until its process is
//! ended.
//!
//! ```text
//! parent -> process   CrossPlan, then CrossOrder …      process -> parent   CrossNews …
//! ```

mod flows;

use std::io::{self, BufRead, Write};
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::path::PathBuf;

use pushbench_core::MonoInstant;
use pushbench_os::net::namespace::{self, NetworkError};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::flows::Flows;

/// The congestion control of all senders (RFC 9438): the kernel's own default, which nearly all
/// downloads have, whatever this machine has been set to.
pub const CONGESTION: &str = "cubic";

/// Ports of the server's side, by the direction of what flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrossPorts {
    /// The port that sends downloads.
    pub down: SocketAddr,
    /// The port that takes uploads.
    pub up: SocketAddr,
}

/// Orders of a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrossPlan {
    /// The network that it lives in.
    pub namespace: PathBuf,
    /// Its side of the transfers.
    pub part: CrossPart,
}

/// A side of the transfers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CrossPart {
    /// Listens at an address of the server's.
    Server {
        /// The address.
        address: IpAddr,
    },
    /// Connects to it.
    Clients {
        /// The address that all connections come from, which is no client's of the feed.
        source: IpAddr,
        /// Where to.
        ports: CrossPorts,
        /// How many downloads.
        down: u32,
        /// How many uploads.
        up: u32,
    },
}

/// Order to a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CrossOrder {
    /// Begin with warm-up, and count what is received within the window.
    Run {
        /// When warm-up begins.
        warmup: MonoInstant,
        /// The window.
        window: Range<MonoInstant>,
    },
    /// Say what was counted.
    Stop,
}

/// News of a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CrossNews {
    /// It is there; who listens says where.
    Ready(Option<CrossPorts>),
    /// Its count of the window; what flows goes on.
    Counted(CrossCount),
    /// It cannot do its work.
    Failed(String),
}

/// A process's count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrossCount {
    /// Payload of TCP that was read within the window, in bytes.
    pub received: u64,
    /// The first failure of a connection.
    pub error: Option<String>,
}

/// A process that cannot do its work.
#[derive(Debug, Error)]
pub enum CrossError {
    /// The first line of its input is no plan.
    #[error("cannot read the plan of the traffic beside the feed: {0}")]
    Plan(#[source] serde_json::Error),
    /// It cannot live in its network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// Its sockets, its input or its output fail.
    #[error("the traffic beside the feed: {0}")]
    System(#[from] io::Error),
}

/// Plays a side, from its plan to the end of its orders. The process must not have any thread yet but
/// this one.
///
/// # Errors
///
/// [`CrossError`], which `news` was told too.
pub fn play(mut orders: impl BufRead, mut news: impl Write) -> Result<(), CrossError> {
    let played = obey(&mut orders, &mut news);
    if let Err(error) = &played {
        tell(&mut news, &CrossNews::Failed(error.to_string()))?;
    }
    played
}

fn obey(orders: &mut impl BufRead, news: &mut impl Write) -> Result<(), CrossError> {
    let mut line = String::new();
    orders.read_line(&mut line)?;
    let plan: CrossPlan = serde_json::from_str(&line).map_err(CrossError::Plan)?;
    namespace::enter(&plan.namespace)?;
    let mut flows = Flows::prepare(plan.part)?;
    tell(news, &CrossNews::Ready(flows.ports()?))?;
    for line in orders.lines() {
        match serde_json::from_str(&line?).map_err(io::Error::from)? {
            CrossOrder::Run { warmup, window } => flows.run(warmup, window),
            CrossOrder::Stop => tell(news, &CrossNews::Counted(flows.count()))?,
        }
    }
    Ok(())
}

fn tell(news: &mut impl Write, what: &CrossNews) -> io::Result<()> {
    let mut line = serde_json::to_vec(what).map_err(io::Error::from)?;
    line.push(b'\n');
    news.write_all(&line)?;
    news.flush()
}
