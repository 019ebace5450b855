//! Networks of a link: one for the server, one for the load processes, and the router's ports to
//! both.
//!
//! Each is a network namespace with a loopback device and one device towards the router, whose
//! process makes them and lives in a third, where nothing else is. They have no names and die with
//! the processes in them. What the kernel remembers of a destination, such as its round-trip time,
//! dies with them too.
//!
//! No packet comes from the networks themselves: no addresses are resolved (`IFF_NOARP`), none are
//! looked for (`IFA_F_NODAD`), and without link-local ones the kernel neither solicits routers nor
//! reports multicast groups.

mod setup;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use pushbench_core::IpVersion;
use pushbench_metrics::observe::device::{Backend, SideCounts};
use pushbench_os::net::namespace::{NetworkError, NetworkNamespace};
use pushbench_os::net::route::{DeviceIndex, RouteTable};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::addressing::{Addressing, Prefix};
use crate::port::Port;
use crate::router::Side;

/// Where the networks of a link are, for processes that are to live there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespaces {
    /// The server's.
    pub server: PathBuf,
    /// That of the load processes.
    pub load: PathBuf,
}

impl Namespaces {
    /// The network of a side.
    #[must_use]
    pub fn of(&self, side: Side) -> &Path {
        match side {
            Side::Server => &self.server,
            Side::Clients => &self.load,
        }
    }
}

/// Who has which address on a link of so many clients: of 10.0.0.0/8 (RFC 1918), or of a unique
/// local prefix (RFC 4193). Nobody outside sees them.
///
/// # Errors
///
/// [`TooManyClients`] where there are fewer addresses.
pub fn addressing(version: IpVersion, clients: u32) -> Result<Addressing, TooManyClients> {
    let (server, network, length): (IpAddr, IpAddr, u32) = match version {
        IpVersion::V4 => {
            (Ipv4Addr::new(10, 0, 0, 1).into(), Ipv4Addr::new(10, 128, 0, 0).into(), 9)
        }
        IpVersion::V6 => {
            let part = |subnet, host| Ipv6Addr::new(0xfd70, 0x7573, 0x6862, subnet, 0, 0, 0, host);
            (part(1, 1).into(), part(2, 0).into(), 64)
        }
    };
    let prefix = Prefix::new(network, length).expect("no longer than its addresses");
    // The last is for traffic beside the feed.
    let most = prefix.clients() - 1;
    if clients > most {
        return Err(TooManyClients { clients, most });
    }
    Ok(Addressing { server, prefix, clients })
}

/// A link with more clients than addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("cannot give {clients} clients an address each: a link has at most {most}")]
pub struct TooManyClients {
    /// How many there were to be.
    pub clients: u32,
    /// How many addresses there are.
    pub most: u32,
}

/// Requirements of a link's networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkPlan {
    /// `None` for TUN, and virtual Ethernet where `/dev/net/tun` is closed.
    pub backend: Option<Backend>,
    /// The largest packet that passes, in bytes, IP header included.
    pub mtu: u16,
    /// Packets that may wait for the router at each device. What comes beyond is dropped.
    pub queue: u32,
}

impl NetworkPlan {
    /// The queue that a saturated TCP connection did not fill when tried; at 500, which is the
    /// default of TUN, it lost tens of thousands of packets in three seconds.
    pub const QUEUE: u32 = 10_000;
}

/// The networks of a link, alive as long as this is or a process is in them.
#[derive(Debug)]
pub struct Network {
    backend: Backend,
    server: Part,
    clients: Part,
}

/// A side's network.
#[derive(Debug)]
struct Part {
    namespace: NetworkNamespace,
    table: RouteTable,
    device: DeviceIndex,
    /// The router's end of the pair, where there is one.
    router_end: Option<(RouteTable, DeviceIndex)>,
    port: Port,
}

impl Network {
    /// Makes the networks. Afterwards this process is in a network of its own in which there is
    /// nothing but the router's ends; where it may not make any as it is, also in a user namespace.
    ///
    /// # Errors
    ///
    /// A process with threads, and a system that does not give this user what it takes:
    /// [`NetworkError`] says which of its limits it was.
    pub fn make(plan: &NetworkPlan, addressing: &Addressing) -> Result<Self, NetworkError> {
        setup::network(plan, addressing)
    }

    /// How packets come to the router.
    #[must_use]
    pub const fn backend(&self) -> Backend {
        self.backend
    }

    /// Where other processes find the networks, as long as this one holds them.
    #[must_use]
    pub fn namespaces(&self) -> Namespaces {
        Namespaces { server: self.server.namespace.path(), load: self.clients.namespace.path() }
    }

    /// The router's port to a side.
    #[inline]
    pub fn port(&mut self, side: Side) -> &mut Port {
        &mut self.part(side).port
    }

    /// The router's ports, the server's first.
    #[must_use]
    pub const fn ports(&self) -> [&Port; 2] {
        [&self.server.port, &self.clients.port]
    }

    /// Packets lost at a side, since the networks were made.
    ///
    /// # Errors
    ///
    /// [`NetworkError`] where the kernel does not tell.
    pub fn counts(&mut self, side: Side) -> Result<SideCounts, NetworkError> {
        let part = self.part(side);
        let router_end = match &mut part.router_end {
            Some((table, device)) => Some(table.counters(*device)?),
            None => None,
        };
        let operation = "read the drops of a packet socket";
        Ok(SideCounts {
            device: part.table.counters(part.device)?,
            router_end,
            overflowed: part
                .port
                .dropped()
                .map_err(|source| NetworkError::System { operation, source })?,
            port: part.port.counts(),
        })
    }

    const fn part(&mut self, side: Side) -> &mut Part {
        match side {
            Side::Server => &mut self.server,
            Side::Clients => &mut self.clients,
        }
    }
}
