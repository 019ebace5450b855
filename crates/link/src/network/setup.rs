//! Setting the networks of a link up.

use std::ffi::CStr;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd as _;

use pushbench_os::net::namespace::{NetworkError, NetworkNamespace};
use pushbench_os::net::packet_port::{PacketPort, PacketTap, turn_offloads_off};
use pushbench_os::net::route::{DeviceIndex, Mac, Prefix, RouteTable, VethEnd};
use pushbench_os::net::tun::Tun;

use super::{Backend, Network, NetworkPlan, Part};
use crate::addressing::Addressing;
use crate::port::Port;
use crate::router::Side;

/// The device towards the router, in either side's network.
const DEVICE: &CStr = c"link0";

/// The router's ends, where devices come in pairs.
const ROUTER_ENDS: [&str; 2] = ["server0", "load0"];

/// The Ethernet addresses of the sides' devices; the first byte says that nobody assigned them.
const MACS: [Mac; 2] = [[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]];

/// Those of the router's ends. No packet goes to them, so that the kernel there takes none for its
/// own and drops each once the router has it.
const ROUTER_MACS: [Mac; 2] = [[2, 0, 0, 0, 1, 1], [2, 0, 0, 0, 1, 2]];

const SIDES: [Side; 2] = [Side::Server, Side::Clients];

pub(super) fn network(
    plan: &NetworkPlan,
    addressing: &Addressing,
) -> Result<Network, NetworkError> {
    let backend = backend(plan.backend)?;
    let [server, clients] = match backend {
        Backend::Tun => with_tun(plan, addressing)?,
        Backend::Veth => with_veth(plan, addressing)?,
    };
    Ok(Network { backend, server, clients })
}

/// TUN is what costs least where it is to be had.
fn backend(wanted: Option<Backend>) -> Result<Backend, NetworkError> {
    match (wanted, Tun::check()) {
        (Some(Backend::Veth), _) => Ok(Backend::Veth),
        (_, Ok(())) => Ok(Backend::Tun),
        (None, Err(error)) if error.is_about_tun() => Ok(Backend::Veth),
        (_, Err(error)) => Err(error),
    }
}

fn with_tun(plan: &NetworkPlan, addressing: &Addressing) -> Result<[Part; 2], NetworkError> {
    let make = |side| {
        let namespace = NetworkNamespace::enter_new()?;
        let tun = Tun::create(DEVICE)?;
        let (table, device) = configure(side, plan, addressing)?;
        let port = Port::tun(tun, plan.mtu.into());
        Ok(Part { namespace, table, device, router_end: None, port })
    };
    let parts = [make(Side::Server)?, make(Side::Clients)?];
    // The router itself has no business in either.
    NetworkNamespace::enter_new()?;
    Ok(parts)
}

fn with_veth(plan: &NetworkPlan, addressing: &Addressing) -> Result<[Part; 2], NetworkError> {
    let sides = [NetworkNamespace::enter_new()?, NetworkNamespace::enter_new()?];
    let router = NetworkNamespace::enter_new()?;
    let mut parts = Vec::new();
    for (index, namespace) in sides.into_iter().enumerate() {
        let mut ends = RouteTable::open()?;
        let own = VethEnd { name: ROUTER_ENDS[index], mac: ROUTER_MACS[index], network: None };
        let network = Some(namespace.as_fd());
        ends.add_veth(own, VethEnd { name: "link0", mac: MACS[index], network })?;
        let end = ends.find(ROUTER_ENDS[index])?;
        ends.set_up(end, plan.mtu.into(), plan.queue)?;
        namespace.enter()?;
        turn_offloads_off(DEVICE)?;
        let (table, device) = configure(SIDES[index], plan, addressing)?;
        let tap = PacketTap::open(device, plan.queue as usize, plan.mtu.into())?;
        router.enter()?;
        let port = Port::veth(PacketPort::open(tap, end, MACS[index])?);
        parts.push(Part { namespace, table, device, router_end: Some((ends, end)), port });
    }
    Ok(parts.try_into().expect("as many parts as sides"))
}

/// Sets up the devices, addresses and routes of the network that this process is in.
fn configure(
    side: Side,
    plan: &NetworkPlan,
    addressing: &Addressing,
) -> Result<(RouteTable, DeviceIndex), NetworkError> {
    let mut table = RouteTable::open()?;
    let device = table.find("link0")?;
    table.up(DeviceIndex::LOOPBACK)?;
    table.without_queue(device)?;
    table.set_up(device, plan.mtu.into(), plan.queue)?;
    let server = Prefix { first: addressing.server, bits: width(addressing.server) };
    let clients = addressing.prefix;
    let first = clients.address(0).ok_or_else(too_few)?;
    let clients = Prefix { first: clients.network(), bits: clients.length() as u8 };
    match side {
        Side::Server => {
            table.add_address(device, addressing.server)?;
            table.add_route(device, clients)?;
        }
        Side::Clients => {
            // Who is not bound to an address has the first client's.
            table.add_address(device, first)?;
            table.own(clients)?;
            table.add_route(device, server)?;
            if first.is_ipv6() {
                allow_any_address()?;
            }
        }
    }
    Ok((table, device))
}

/// IPv6 lets a socket be bound to addresses of a `local` route only so.
fn allow_any_address() -> Result<(), NetworkError> {
    let file = "/proc/sys/net/ipv6/ip_nonlocal_bind";
    let operation = "set net.ipv6.ip_nonlocal_bind, without which only one client can have an \
                     IPv6 address (use IPv4 where /proc/sys is read-only)";
    fs::write(file, "1").map_err(|source| NetworkError::System { operation, source })
}

fn too_few() -> NetworkError {
    let operation = "give a client an address: the prefix has none";
    NetworkError::System { operation, source: io::ErrorKind::AddrNotAvailable.into() }
}

const fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}
