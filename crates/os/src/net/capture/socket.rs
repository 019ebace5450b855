//! The packet socket: what the kernel is asked for.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::netdevice::name_to_index;
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_recv_buffer_size_force};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use super::error::CaptureError;
use super::filter::PortFilter;
use crate::posix;

/// A packet socket on the loopback interface, with a filter.
#[derive(Debug)]
pub(super) struct PacketSocket {
    fd: OwnedFd,
}

impl PacketSocket {
    /// Opens the socket; the kernel queues packets for it from now.
    pub(super) fn open(ports: &PortFilter, buffer: usize) -> Result<Self, CaptureError> {
        let failed = |operation| move |source| CaptureError::from_io(operation, source);
        // Without a protocol nothing arrives before it is bound, and so nothing unfiltered.
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let fd = socket_with(AddressFamily::PACKET, SocketType::RAW, flags, None)
            .map_err(io::Error::from)
            .map_err(failed("open a packet socket"))?;
        let socket = fd.as_fd();
        posix::attach_filter(socket, &ports.program()).map_err(failed("attach a filter"))?;
        set_options(socket, buffer).map_err(failed("set the options of a socket"))?;
        let index = name_to_index(socket, "lo")
            .map_err(io::Error::from)
            .map_err(failed("find the interface"))?;
        posix::bind_to_interface(socket, index.cast_signed()).map_err(failed("bind a socket"))?;
        Ok(Self { fd })
    }

    /// How many packets the kernel dropped since the last call, for want of room.
    pub(super) fn take_dropped(&self) -> io::Result<u64> {
        // `struct tpacket_stats` of linux/if_packet.h: packets seen, packets dropped.
        let mut stats = [0; 8];
        let name = libc::PACKET_STATISTICS;
        posix::socket_option(self.fd.as_fd(), libc::SOL_PACKET, name, &mut stats)?;
        let [_, _, _, _, dropped @ ..] = stats;
        Ok(u32::from_ne_bytes(dropped).into())
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn set_options(socket: BorrowedFd<'_>, buffer: usize) -> io::Result<()> {
    posix::set_socket_option(socket, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)?;
    // A note on how to cut it into segments before each frame (`struct virtio_net_hdr`).
    posix::set_socket_option(socket, libc::SOL_PACKET, libc::PACKET_VNET_HDR, 1)?;
    // The filter drops what goes out anyway; kernels from 4.20 on save themselves the copy.
    let _ = posix::set_socket_option(socket, libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, 1);
    if set_socket_recv_buffer_size_force(socket, buffer).is_err() {
        set_socket_recv_buffer_size(socket, buffer)?;
    }
    Ok(())
}
