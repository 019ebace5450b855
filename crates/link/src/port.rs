//! Ports: the router's ends of the two devices, of either kind.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use pushbench_metrics::observe::device::PortCounts;
use pushbench_os::net::packet_port::PacketPort;
use pushbench_os::net::tun::Tun;

/// The end of a device at which the router takes and gives whole IP packets; it does not block.
#[derive(Debug)]
pub struct Port {
    device: Device,
    counts: PortCounts,
}

#[derive(Debug)]
enum Device {
    /// The second part has room for the device's largest packet, and for one byte more.
    Tun(Tun, Vec<u8>),
    Veth(PacketPort),
}

impl Port {
    /// The end of a TUN device of the MTU `mtu`.
    #[must_use]
    pub fn tun(tun: Tun, mtu: usize) -> Self {
        Self { device: Device::Tun(tun, vec![0; mtu + 1]), counts: PortCounts::default() }
    }

    /// The end of a pair of virtual Ethernet devices.
    #[must_use]
    pub fn veth(port: PacketPort) -> Self {
        Self { device: Device::Veth(port), counts: PortCounts::default() }
    }

    /// Takes the next packet that the other end sent, and hands it to `take`. Whether there was one.
    ///
    /// # Errors
    ///
    /// A device that is gone, or down.
    #[inline]
    pub fn receive(&mut self, take: impl FnOnce(&[u8])) -> io::Result<bool> {
        match &mut self.device {
            Device::Tun(tun, buffer) => match tun.receive(buffer) {
                Ok(length) if length < buffer.len() => take(&buffer[..length]),
                Ok(_) => self.counts.cut += 1,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            },
            Device::Veth(port) => {
                let whole = port.receive(|packet, whole| {
                    if whole {
                        take(packet);
                    }
                    whole
                });
                let Some(whole) = whole else { return Ok(false) };
                self.counts.cut += u64::from(!whole);
            }
        }
        Ok(true)
    }

    /// Gives `packet` to the other end. Whether all of it was taken; if not, that is counted.
    #[inline]
    pub fn send(&mut self, packet: &[u8]) -> bool {
        let sent = match &self.device {
            Device::Tun(tun, _) => tun.send(packet),
            Device::Veth(port) => port.send(packet),
        };
        match sent {
            Ok(length) if length == packet.len() => return true,
            Ok(_) => self.counts.short += 1,
            Err(_) => self.counts.refused += 1,
        }
        false
    }

    /// Packets that were not passed on, so far.
    #[must_use]
    pub const fn counts(&self) -> PortCounts {
        self.counts
    }

    /// Packets that waited here and found no room, so far. A TUN device counts them itself.
    ///
    /// # Errors
    ///
    /// The error of `getsockopt`.
    pub fn dropped(&mut self) -> io::Result<u64> {
        match &mut self.device {
            Device::Tun(..) => Ok(0),
            Device::Veth(port) => port.dropped(),
        }
    }
}

impl AsFd for Port {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.device {
            Device::Tun(tun, _) => tun.as_fd(),
            Device::Veth(port) => port.as_fd(),
        }
    }
}
