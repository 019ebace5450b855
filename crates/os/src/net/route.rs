//! Devices, addresses and routes of a network, by rtnetlink(7).

mod message;
mod socket;

use std::net::IpAddr;
use std::os::fd::{AsRawFd as _, BorrowedFd};

use pushbench_metrics::observe::device::DeviceCounters;

use self::message::{Request, attribute};
use self::socket::RouteSocket;
use super::namespace::NetworkError;

/// A device's number within its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceIndex(u32);

impl DeviceIndex {
    /// The loopback device, the first in every network (`LOOPBACK_IFINDEX`).
    pub const LOOPBACK: Self = Self(1);

    /// The kernel's number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// Addresses that begin alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    /// The first of them.
    pub first: IpAddr,
    /// How many of its bits they share.
    pub bits: u8,
}

/// An Ethernet address.
pub type Mac = [u8; 6];

/// One end of a pair of virtual Ethernet devices (veth(4)).
#[derive(Debug, Clone, Copy)]
pub struct VethEnd<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its address.
    pub mac: Mac,
    /// The network that it is in; `None` for that of the [`RouteTable`].
    pub network: Option<BorrowedFd<'a>>,
}

/// Devices, addresses and routes of a network, to be changed and asked. It stays that in which its
/// thread was when it was opened.
#[derive(Debug)]
pub struct RouteTable {
    socket: RouteSocket,
}

impl RouteTable {
    /// The table of the network that this thread is in.
    ///
    /// # Errors
    ///
    /// A system that opens no netlink socket.
    pub fn open() -> Result<Self, NetworkError> {
        Ok(Self { socket: RouteSocket::open()? })
    }

    /// The number of the device called `name`.
    ///
    /// # Errors
    ///
    /// [`NetworkError::Kernel`] where there is none.
    pub fn find(&mut self, name: &str) -> Result<DeviceIndex, NetworkError> {
        let request =
            Request::new(libc::RTM_GETLINK, 0, &link(0, 0, 0)).text(libc::IFLA_IFNAME, name);
        let mut index = 0;
        let operation = format!("find the device {name}");
        self.socket.ask_for(&operation, request, |object| {
            index =
                object.get(4..8).map_or(0, |at| u32::from_ne_bytes([at[0], at[1], at[2], at[3]]));
        })?;
        Ok(DeviceIndex(index))
    }

    /// Makes a pair of devices, each of which receives what the other sends; both are down.
    ///
    /// # Errors
    ///
    /// `EEXIST` where a name is taken, and where the kernel has no veth.
    pub fn add_veth(&mut self, one: VethEnd<'_>, other: VethEnd<'_>) -> Result<(), NetworkError> {
        let flags = libc::NLM_F_CREATE | libc::NLM_F_EXCL;
        let request = end(Request::new(libc::RTM_NEWLINK, flags, &link(0, 0, 0)), one);
        let request = request.nested(libc::IFLA_LINKINFO, |info| {
            info.text(libc::IFLA_INFO_KIND, "veth").nested(libc::IFLA_INFO_DATA, |data| {
                data.nested(VETH_INFO_PEER, |peer| end(peer.bytes(&link(0, 0, 0)), other))
            })
        });
        let operation = format!("make the devices {} and {} (veth)", one.name, other.name);
        self.socket.ask(&operation, request)
    }

    /// Sets a device that is down up for point-to-point packets and nothing else: `mtu` bytes at
    /// most, a queue of `queue` packets, no resolution of addresses (`IFF_NOARP`), and no IPv6
    /// address of the kernel's own making, without which it neither solicits routers nor reports
    /// groups.
    ///
    /// # Errors
    ///
    /// [`NetworkError::Kernel`]; `EINVAL` where the device takes no such MTU.
    pub fn set_up(
        &mut self,
        device: DeviceIndex,
        mtu: u32,
        queue: u32,
    ) -> Result<(), NetworkError> {
        let no_arp = link(device.0, libc::IFF_NOARP, libc::IFF_NOARP);
        let request = Request::new(libc::RTM_NEWLINK, 0, &no_arp)
            .number(libc::IFLA_MTU, mtu)
            .number(libc::IFLA_TXQLEN, queue);
        let operation = format!("set the MTU to {mtu} and the queue to {queue} packets");
        self.socket.ask(&operation, request)?;
        if has_ipv6() {
            let quiet = Request::new(libc::RTM_NEWLINK, 0, &link(device.0, 0, 0));
            let quiet = quiet.nested(libc::IFLA_AF_SPEC, |spec| {
                spec.nested(libc::AF_INET6 as u16, |inet6| {
                    inet6.attribute(IFLA_INET6_ADDR_GEN_MODE, &[IN6_ADDR_GEN_MODE_NONE])
                })
            });
            self.socket.ask("keep IPv6 from making addresses", quiet)?;
        }
        self.up(device)
    }

    /// Sets a device up as it is.
    ///
    /// # Errors
    ///
    /// [`NetworkError::Kernel`] where there is no such device.
    pub fn up(&mut self, device: DeviceIndex) -> Result<(), NetworkError> {
        let up = link(device.0, libc::IFF_UP, libc::IFF_UP);
        self.socket.ask("set a device up", Request::new(libc::RTM_NEWLINK, 0, &up))
    }

    /// Takes the queue in front of a device away (tc(8), `noqueue`), so that all packets which are
    /// dropped are in its [counters](Self::counters).
    ///
    /// # Errors
    ///
    /// [`NetworkError::Kernel`] where the kernel has no such discipline.
    pub fn without_queue(&mut self, device: DeviceIndex) -> Result<(), NetworkError> {
        let mut discipline = [0; 20];
        discipline[4..8].copy_from_slice(&device.0.to_ne_bytes());
        discipline[12..16].copy_from_slice(&TC_H_ROOT.to_ne_bytes());
        let flags = libc::NLM_F_CREATE | libc::NLM_F_REPLACE;
        let request = Request::new(libc::RTM_NEWQDISC, flags, &discipline);
        self.socket.ask("set `noqueue`", request.text(libc::TCA_KIND, "noqueue"))
    }

    /// Gives a device an address, at once: IPv6 does not look for others that have it
    /// (`IFA_F_NODAD`).
    ///
    /// # Errors
    ///
    /// [`NetworkError::Kernel`]; `EEXIST` where the device has it.
    pub fn add_address(
        &mut self,
        device: DeviceIndex,
        address: IpAddr,
    ) -> Result<(), NetworkError> {
        let (family, bytes) = (family(address), octets(address));
        let (bits, index) = ((bytes.len() * 8) as u8, device.0.to_ne_bytes());
        let mut fixed = vec![family, bits, libc::IFA_F_NODAD as u8, libc::RT_SCOPE_UNIVERSE];
        fixed.extend(index);
        let flags = libc::NLM_F_CREATE | libc::NLM_F_EXCL;
        let request = Request::new(libc::RTM_NEWADDR, flags, &fixed)
            .attribute(libc::IFA_LOCAL, &bytes)
            .attribute(libc::IFA_ADDRESS, &bytes);
        self.socket.ask(&format!("add the address {address}"), request)
    }

    /// Sends what goes to `to` through a device, from the device's address unless a socket is bound
    /// to another.
    ///
    /// # Errors
    ///
    /// [`NetworkError::Kernel`]; `ENETDOWN` where the device is down.
    pub fn add_route(&mut self, device: DeviceIndex, to: Prefix) -> Result<(), NetworkError> {
        let kind = (libc::RTN_UNICAST, libc::RT_TABLE_MAIN, libc::RT_SCOPE_LINK);
        self.route(device, to, kind)
    }

    /// Makes all of `addresses` this network's own, without adding each: any can be bound to and
    /// connected from (a `local` route on the loopback device, "AnyIP").
    ///
    /// # Errors
    ///
    /// [`NetworkError::Kernel`].
    pub fn own(&mut self, addresses: Prefix) -> Result<(), NetworkError> {
        let kind = (libc::RTN_LOCAL, libc::RT_TABLE_LOCAL, libc::RT_SCOPE_HOST);
        self.route(DeviceIndex::LOOPBACK, addresses, kind)
    }

    fn route(
        &mut self,
        device: DeviceIndex,
        to: Prefix,
        (kind, table, scope): (u8, u8, u8),
    ) -> Result<(), NetworkError> {
        let mut fixed =
            vec![family(to.first), to.bits, 0, 0, table, libc::RTPROT_STATIC, scope, kind];
        fixed.extend([0; 4]);
        let flags = libc::NLM_F_CREATE | libc::NLM_F_EXCL;
        let request = Request::new(libc::RTM_NEWROUTE, flags, &fixed)
            .attribute(libc::RTA_DST, &octets(to.first))
            .number(libc::RTA_OIF, device.0);
        self.socket.ask(&format!("add a route to {}/{}", to.first, to.bits), request)
    }

    /// The counters of a device.
    ///
    /// # Errors
    ///
    /// [`NetworkError::Kernel`] where there is no such device.
    pub fn counters(&mut self, device: DeviceIndex) -> Result<DeviceCounters, NetworkError> {
        let mut counters = None;
        let request = Request::new(libc::RTM_GETLINK, 0, &link(device.0, 0, 0));
        self.socket.ask_for("read a device's counters", request, |object| {
            let attributes = object.get(LINK..).unwrap_or_default();
            counters = attribute(attributes, libc::IFLA_STATS64).and_then(self::counters);
        })?;
        counters.ok_or_else(|| NetworkError::Kernel {
            operation: "read a device's counters".to_owned(),
            told: String::new(),
            source: std::io::ErrorKind::InvalidData.into(),
        })
    }
}

/// Reads `struct rtnl_link_stats64` of linux/if_link.h.
fn counters(bytes: &[u8]) -> Option<DeviceCounters> {
    let at = |index: usize| {
        Some(u64::from_ne_bytes(bytes.get(index * 8..index * 8 + 8)?.try_into().ok()?))
    };
    Some(DeviceCounters {
        received: at(0)?,
        sent: at(1)?,
        errors: at(4)? + at(5)?,
        receive_dropped: at(6)?,
        send_dropped: at(7)?,
    })
}

/// Whether the kernel speaks IPv6 (`ipv6.disable` is not set, the module is there).
#[must_use]
pub fn has_ipv6() -> bool {
    std::path::Path::new("/proc/self/net/if_inet6").exists()
}

/// The bytes of `struct ifinfomsg`.
const LINK: usize = 16;
/// The place above all classes (linux/pkt_sched.h).
const TC_H_ROOT: u32 = u32::MAX;
/// linux/veth.h
const VETH_INFO_PEER: u16 = 1;
/// linux/if_link.h
const IFLA_INET6_ADDR_GEN_MODE: u16 = 8;
const IN6_ADDR_GEN_MODE_NONE: u8 = 1;

/// `struct ifinfomsg`: the device, and which of its flags are set to what.
fn link(index: u32, flags: i32, changed: i32) -> [u8; LINK] {
    let mut fixed = [0; LINK];
    fixed[4..8].copy_from_slice(&index.to_ne_bytes());
    fixed[8..12].copy_from_slice(&flags.to_ne_bytes());
    fixed[12..].copy_from_slice(&changed.to_ne_bytes());
    fixed
}

fn end(request: Request, end: VethEnd<'_>) -> Request {
    let request = request.text(libc::IFLA_IFNAME, end.name).attribute(libc::IFLA_ADDRESS, &end.mac);
    match end.network {
        Some(network) => request.number(libc::IFLA_NET_NS_FD, network.as_raw_fd().cast_unsigned()),
        None => request,
    }
}

const fn family(address: IpAddr) -> u8 {
    (if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 }) as u8
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}
