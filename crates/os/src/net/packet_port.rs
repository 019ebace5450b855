//! A virtual Ethernet device as a port of a router: IP packets that come in at its end of the pair,
//! and those that go out there to the other end (packet(7)).
//!
//! For where `/dev/net/tun` is closed, as in many containers: it takes `CAP_NET_RAW`, which a user
//! has in networks of their own.

use std::ffi::CStr;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use super::namespace::NetworkError;
use super::route::{DeviceIndex, Mac};
use crate::posix::network::ethtool;
use crate::posix::ring::Ring;
use crate::posix::{self};

/// The bytes of an Ethernet header.
const ETHERNET: usize = 14;

/// The end of a pair at which packets are taken and given; it does not block.
#[derive(Debug)]
pub struct PacketPort {
    // Before the socket, which must outlive it.
    ring: Ring,
    fd: OwnedFd,
    /// The header before each packet that goes to the other end: IPv4 and IPv6.
    headers: [[u8; ETHERNET]; 2],
    counted: u64,
}

impl PacketPort {
    /// Opens a port on `device`, which is in the network that this thread is in, and takes what
    /// arrives there from now on; at most `queue` packets of at most `mtu` bytes wait. `other` is
    /// the address of the other end.
    ///
    /// # Errors
    ///
    /// [`NetworkError::Capability`] without `CAP_NET_RAW`; [`NetworkError::System`] where memory
    /// for the queue is not to be had.
    pub fn open(
        device: DeviceIndex,
        other: Mac,
        queue: usize,
        mtu: usize,
    ) -> Result<Self, NetworkError> {
        let operation = "open a packet socket on a device";
        Self::connect(device, other, queue, mtu)
            .map_err(|error| NetworkError::of_privilege(operation, "CAP_NET_RAW", error))
    }

    fn connect(device: DeviceIndex, other: Mac, queue: usize, mtu: usize) -> io::Result<Self> {
        // Without a protocol nothing arrives before it is bound.
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let fd = socket_with(AddressFamily::PACKET, SocketType::RAW, flags, None)?;
        // What goes out goes straight to the device, and does not come back as seen there.
        posix::set_socket_option(fd.as_fd(), libc::SOL_PACKET, libc::PACKET_QDISC_BYPASS, 1)?;
        let ring = Ring::new(fd.as_fd(), queue, mtu + ETHERNET)?;
        posix::bind_to_interface(fd.as_fd(), device.get().cast_signed())?;
        let headers = [libc::ETH_P_IP, libc::ETH_P_IPV6].map(|kind| header(other, kind as u16));
        Ok(Self { ring, fd, headers, counted: 0 })
    }

    /// Hands the next IP packet that the other end sent to `read`; the second argument is whether
    /// it is whole. `None` where there is none.
    #[inline]
    pub fn receive<R>(&mut self, read: impl FnOnce(&[u8], bool) -> R) -> Option<R> {
        self.ring.take(read)
    }

    /// Sends `packet` to the other end; returns how many of its bytes were taken.
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

    /// Packets that found no room in the queue, since the port was opened.
    ///
    /// # Errors
    ///
    /// The error of `getsockopt`.
    pub fn dropped(&mut self) -> io::Result<u64> {
        // `struct tpacket_stats` of linux/if_packet.h: packets seen, packets dropped; reading it
        // sets both to zero.
        let mut stats = [0; 8];
        let name = libc::PACKET_STATISTICS;
        posix::socket_option(self.fd.as_fd(), libc::SOL_PACKET, name, &mut stats)?;
        let [_, _, _, _, dropped @ ..] = stats;
        self.counted += u64::from(u32::from_ne_bytes(dropped));
        Ok(self.counted)
    }
}

impl AsFd for PacketPort {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
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

/// What is turned off: its name, and ethtool's numbers to set and to get it (linux/ethtool.h). The
/// checksums come last: without them the kernel turns others off by itself.
const OFFLOADS: [(&str, u32, u32); 4] = [
    ("joining of received segments (GRO)", 0x2c, 0x2b),
    ("segmentation in the device (TSO)", 0x1f, 0x1e),
    ("late segmentation (GSO)", 0x24, 0x23),
    ("checksums in the device", 0x17, 0x16),
];
