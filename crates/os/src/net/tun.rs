//! The other end of a TUN device: IP packets that the kernel sends, and those that it is to receive
//! (Documentation/networking/tuntap.rst).

use std::ffi::CStr;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;

use super::namespace::NetworkError;
use crate::posix::network as posix;

const DEVICE: &str = "/dev/net/tun";

/// A TUN device's other end, which does not block. The device is there as long as this is.
///
/// One packet is one IP packet of at most the device's MTU, with whole checksums: without
/// `IFF_VNET_HDR` the kernel neither leaves segments joined nor checksums open.
#[derive(Debug)]
pub struct Tun {
    fd: OwnedFd,
}

impl Tun {
    /// Whether devices can be made at all, as far as `/dev/net/tun` says.
    ///
    /// # Errors
    ///
    /// [`NetworkError::TunMissing`], [`NetworkError::TunDenied`].
    pub fn check() -> Result<(), NetworkError> {
        open_device().map(drop)
    }

    /// Makes a device called `name` in the network that this thread is in.
    ///
    /// # Errors
    ///
    /// [`NetworkError::TunMissing`], [`NetworkError::TunDenied`]; [`NetworkError::Capability`]
    /// where the network is not this user's to change.
    pub fn create(name: &CStr) -> Result<Self, NetworkError> {
        let fd = open_device()?;
        // No header before each packet (`IFF_NO_PI`).
        posix::attach_tun(fd.as_fd(), name, libc::IFF_TUN | libc::IFF_NO_PI).map_err(|error| {
            NetworkError::of_privilege("make a TUN device", "CAP_NET_ADMIN", error)
        })?;
        Ok(Self { fd })
    }

    /// Takes the next packet that the kernel sent through the device into `buffer`, which must
    /// hold the device's MTU; returns its length.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] where there is none.
    #[inline]
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(&self.fd, buffer)?)
    }

    /// Has the kernel receive `packet` from the device; returns how many bytes it took.
    ///
    /// # Errors
    ///
    /// The error of `write`; `EINVAL` where it is no IP packet.
    #[inline]
    pub fn send(&self, packet: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(&self.fd, packet)?)
    }
}

impl AsFd for Tun {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn open_device() -> Result<OwnedFd, NetworkError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(libc::O_NONBLOCK);
    options.open(DEVICE).map(Into::into).map_err(closed)
}

fn closed(source: io::Error) -> NetworkError {
    match source.raw_os_error() {
        // The last two are of a device file without a driver behind it.
        Some(libc::ENOENT | libc::ENODEV | libc::ENXIO) => NetworkError::TunMissing { source },
        Some(libc::EACCES | libc::EPERM) => NetworkError::TunDenied { source },
        _ => NetworkError::System { operation: "open /dev/net/tun", source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_device_is_told_from_a_closed_one() {
        for (errno, told) in [
            (libc::ENOENT, "modprobe tun"),
            (libc::ENODEV, "modprobe tun"),
            (libc::EACCES, "chmod 0666 /dev/net/tun"),
            (libc::EPERM, "virtual Ethernet"),
        ] {
            let error = closed(io::Error::from_raw_os_error(errno));
            assert!(error.is_about_tun());
            assert!(error.to_string().contains(told), "{error}");
        }
        assert!(!closed(io::Error::from_raw_os_error(libc::EMFILE)).is_about_tun());
    }
}
