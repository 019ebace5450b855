//! Places of a run's processes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

/// The place of a process: the core that it is kept on, and its addresses. The layout of a trial
/// makes it; by default the system chooses all but that it is on loopback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// The core that it is kept on, by the kernel's number; `None` where the system chooses.
    pub core: Option<u32>,
    /// The address that a server listens on; port 0 lets the system pick one.
    pub listen: SocketAddr,
    /// The local addresses that clients connect from in turn, each with ports of its own; the
    /// system picks one where there is none.
    pub sources: Vec<IpAddr>,
}

impl Default for Place {
    fn default() -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { core: None, listen, sources: Vec::new() }
    }
}
