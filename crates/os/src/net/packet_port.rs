//! Pairs of virtual Ethernet devices as ports of a router: IP packets that a network sends through
//! its device, and those that come to it there (packet(7), veth(4)).
//!
//! For where `/dev/net/tun` is closed, as in many containers: it takes `CAP_NET_RAW`, which a user
//! has in networks of their own.
//!
//! Packets are taken at the network's own device as they go out, and given at the other end of the
//! pair. At that other end they could be taken too, but not always in the order in which they were
//! sent: there each processor has a queue of its own, and TCP sends on the one on which it was
//! written to as well as on the one on which an acknowledgement came.

use std::ffi::CStr;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use super::capture::filter::{nothing, outgoing};
use super::namespace::NetworkError;
use super::route::{DeviceIndex, Mac};
use crate::posix::network::ethtool;
use crate::posix::ring::Ring;
use crate::posix::{self};

/// The bytes of an Ethernet header.
const ETHERNET: usize = 14;

/// Packets that a network sends through a device, as they go out.
#[derive(Debug)]
pub struct PacketTap {
    // Before the socket, which must outlive it.
    ring: Ring,
    fd: OwnedFd,
    dropped: u64,
}

impl PacketTap {
    /// Takes what goes out of `device`, which is in the network that this thread is in, from now on;
    /// at most `queue` packets of at most `mtu` bytes wait.
    ///
    /// # Errors
    ///
    /// [`NetworkError::Capability`] without `CAP_NET_RAW`; [`NetworkError::System`] where memory
    /// for the queue is not to be had.
    pub fn open(device: DeviceIndex, queue: usize, mtu: usize) -> Result<Self, NetworkError> {
        Self::connect(device, queue, mtu).map_err(refused)
    }

    fn connect(device: DeviceIndex, queue: usize, mtu: usize) -> io::Result<Self> {
        let fd = packet_socket()?;
        posix::attach_filter(fd.as_fd(), &outgoing())?;
        let ring = Ring::new(fd.as_fd(), queue, mtu + ETHERNET)?;
        posix::bind_to_interface(fd.as_fd(), device.get().cast_signed())?;
        Ok(Self { ring, fd, dropped: 0 })
    }

    fn dropped(&mut self) -> io::Result<u64> {
        // `struct tpacket_stats` of linux/if_packet.h: packets seen, packets dropped; reading it
        // sets both to zero.
        let mut stats = [0; 8];
        let name = libc::PACKET_STATISTICS;
        posix::socket_option(self.fd.as_fd(), libc::SOL_PACKET, name, &mut stats)?;
        let [_, _, _, _, dropped @ ..] = stats;
        self.dropped += u64::from(u32::from_ne_bytes(dropped));
        Ok(self.dropped)
    }
}

/// A pair of devices, one in a network and the other the router's; it does not block.
#[derive(Debug)]
pub struct PacketPort {
    tap: PacketTap,
    fd: OwnedFd,
    /// The header before each packet that goes to the network: IPv4 and IPv6.
    headers: [[u8; ETHERNET]; 2],
}

impl PacketPort {
    /// Opens a port of packets that `tap` takes and `device`, the other end of the same pair, gives;
    /// that one is in the network that this thread is in. `to` is the address of the tap's end.
    ///
    /// # Errors
    ///
    /// [`NetworkError::Capability`] without `CAP_NET_RAW`.
    pub fn open(tap: PacketTap, device: DeviceIndex, to: Mac) -> Result<Self, NetworkError> {
        let fd = Self::connect(device).map_err(refused)?;
        let headers = [libc::ETH_P_IP, libc::ETH_P_IPV6].map(|kind| header(to, kind as u16));
        Ok(Self { tap, fd, headers })
    }

    fn connect(device: DeviceIndex) -> io::Result<OwnedFd> {
        let fd = packet_socket()?;
        // What goes out goes straight to the device; nothing that comes in is wanted here.
        posix::set_socket_option(fd.as_fd(), libc::SOL_PACKET, libc::PACKET_QDISC_BYPASS, 1)?;
        posix::attach_filter(fd.as_fd(), &nothing())?;
        posix::bind_to_interface(fd.as_fd(), device.get().cast_signed())?;
        Ok(fd)
    }

    /// Hands the next IP packet that the network sent to `read`; the second argument is whether
    /// it is whole. `None` where there is none.
    #[inline]
    pub fn receive<R>(&mut self, read: impl FnOnce(&[u8], bool) -> R) -> Option<R> {
        self.tap.ring.take(read)
    }

    /// Gives `packet` to the network; returns how many of its bytes were taken.
    ///
    /// # Errors
    ///
    /// The error of `sendmsg`; `EMSGSIZE` beyond the MTU, `EINVAL` for what is no IP packet.
    #[inline]
    pub fn send(&self, packet: &[u8]) -> io::Result<usize> {
        let header = match packet.first().map(|first| first >> 4) {
            Some(4) => &self.headers[0],
            Some(6) => &self.headers[1],
            _ => return Err(io::ErrorKind::InvalidInput.into()),
        };
        let parts = [IoSlice::new(header), IoSlice::new(packet)];
        Ok(rustix::io::writev(&self.fd, &parts)?.saturating_sub(ETHERNET))
    }

    /// Packets that found no room in the queue, since the tap was opened.
    ///
    /// # Errors
    ///
    /// The error of `getsockopt`.
    pub fn dropped(&mut self) -> io::Result<u64> {
        self.tap.dropped()
    }
}

impl AsFd for PacketPort {
    /// The descriptor that is readable when a packet can be received.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.tap.fd.as_fd()
    }
}

/// Without a protocol nothing comes before it is bound, and so nothing unfiltered.
fn packet_socket() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socket_with(AddressFamily::PACKET, SocketType::RAW, flags, None)?)
}

fn refused(error: io::Error) -> NetworkError {
    NetworkError::of_privilege("open a packet socket on a device", "CAP_NET_RAW", error)
}

/// From nobody to `other`.
fn header(other: Mac, kind: u16) -> [u8; ETHERNET] {
    let mut header = [0; ETHERNET];
    header[..6].copy_from_slice(&other);
    header[12..].copy_from_slice(&kind.to_be_bytes());
    header
}

/// Has the device called `name`, in the network that this thread is in, send each segment as a
/// packet of its own, with whole checksums, and join none that it receives.
///
/// # Errors
///
/// [`NetworkError::Kernel`] naming what cannot be set.
pub fn turn_offloads_off(name: &CStr) -> Result<(), NetworkError> {
    let failed = |told: &str, source| NetworkError::Kernel {
        operation: format!("turn {told} of the device {} off", name.to_string_lossy()),
        told: String::new(),
        source,
    };
    let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
        .map_err(|errno| failed("offloads", errno.into()))?;
    for (told, set, get) in OFFLOADS {
        ethtool(socket.as_fd(), name, set, 0).map_err(|error| failed(told, error))?;
        let still = ethtool(socket.as_fd(), name, get, 0).map_err(|error| failed(told, error))?;
        if still != 0 {
            return Err(failed(told, io::ErrorKind::Unsupported.into()));
        }
    }
    Ok(())
}

/// Offloads that are turned off: the name, and ethtool's numbers to set and to get it (linux/ethtool.h). The
/// checksums come last: without them the kernel turns others off by itself.
const OFFLOADS: [(&str, u32, u32); 4] = [
    ("joining of received segments (GRO)", 0x2c, 0x2b),
    ("segmentation in the device (TSO)", 0x1f, 0x1e),
    ("late segmentation (GSO)", 0x24, 0x23),
    ("checksums in the device", 0x17, 0x16),
];
