//! Calls on namespaces and network devices.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd as _, OwnedFd};

use libc::{c_int, c_short};

use super::succeeded;

/// The longest name of a device, its end included (`IFNAMSIZ` of linux/if.h).
const NAME: usize = libc::IFNAMSIZ;

/// Moves the calling thread out of the namespaces of the kinds in `flags` and into new ones.
///
/// # Errors
///
/// The error of `unshare`; `EINVAL` where a user namespace is asked for and there are threads.
pub(crate) fn unshare(flags: c_int) -> io::Result<()> {
    // Parts of what threads share may be given up too, which would break what others rely on.
    let kinds = libc::CLONE_NEWUSER | libc::CLONE_NEWNET;
    if flags & !kinds != 0 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: the call takes no pointer, and with the flags that are let through it changes only
    // which user and network the thread is in: no memory and no descriptor.
    succeeded(unsafe { libc::unshare(flags) })
}

/// The user namespace that a namespace belongs to (`NS_GET_USERNS`, ioctl_nsfs(2)).
///
/// # Errors
///
/// The error of `ioctl`: `ENOTTY` where the file is no namespace, `EPERM` where the owner lies
/// outside of the process's own user namespace.
pub(crate) fn owner_of(namespace: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    // SAFETY: the request takes no argument; on any other file it is unknown, which is an error.
    let owner = unsafe { libc::ioctl(namespace.as_raw_fd(), libc::NS_GET_USERNS) };
    if owner < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: what is not negative is a descriptor that the kernel has just opened for this
    // process, and nobody else knows of.
    Ok(unsafe { OwnedFd::from_raw_fd(owner) })
}

/// Makes `file`, an open `/dev/net/tun`, the other end of a device called `name` (`TUNSETIFF`,
/// Documentation/networking/tuntap.rst).
///
/// # Errors
///
/// The error of `ioctl`; `EPERM` without `CAP_NET_ADMIN` in the network namespace.
pub(crate) fn attach_tun(file: BorrowedFd<'_>, name: &CStr, flags: c_int) -> io::Result<()> {
    let flags = c_short::try_from(flags).map_err(|_| io::ErrorKind::InvalidInput)?;
    let ifr_ifru = libc::__c_anonymous_ifr_ifru { ifru_flags: flags };
    let mut request = libc::ifreq { ifr_name: in_name(name)?, ifr_ifru };
    // SAFETY: `request` is a whole `ifreq`, readable and writable for the call, which keeps no
    // pointer to it; the union's part that the kernel reads, the flags, is initialised.
    succeeded(unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF as _, &raw mut request) })
}

/// A command of ethtool that takes one number (`struct ethtool_value`).
#[repr(C)]
struct EthtoolValue {
    command: u32,
    data: u32,
}

/// Has device `name` do ethtool's `command` with the number `data` (`SIOCETHTOOL`,
/// linux/ethtool.h); returns the number that the kernel left there.
///
/// # Errors
///
/// The error of `ioctl`: `EOPNOTSUPP` where the device does not know of such a thing.
pub(crate) fn ethtool(
    socket: BorrowedFd<'_>,
    name: &CStr,
    command: u32,
    data: u32,
) -> io::Result<u32> {
    if !ONE_NUMBER.contains(&command) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut value = EthtoolValue { command, data };
    let ifr_ifru = libc::__c_anonymous_ifr_ifru { ifru_data: (&raw mut value).cast() };
    let mut request = libc::ifreq { ifr_name: in_name(name)?, ifr_ifru };
    // SAFETY: `request` is a whole `ifreq`, whose union points to a whole `ethtool_value`; both are
    // readable and writable for the call, and the commands that are let through touch no more.
    let status =
        unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCETHTOOL as _, &raw mut request) };
    succeeded(status).map(|()| value.data)
}

/// Commands that read or write one `ethtool_value`: `ETHTOOL_GRXCSUM` (0x14) to `ETHTOOL_STSO`
/// (0x1f), and `ETHTOOL_GGSO` (0x23) to `ETHTOOL_SGRO` (0x2c) without those that are tables.
const ONE_NUMBER: [u32; 14] =
    [0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1e, 0x1f, 0x23, 0x24, 0x25, 0x26, 0x2b, 0x2c];

fn in_name(name: &CStr) -> io::Result<[libc::c_char; NAME]> {
    let bytes = name.to_bytes_with_nul();
    let mut field = [0; NAME];
    let place = field.get_mut(..bytes.len()).ok_or(io::ErrorKind::InvalidInput)?;
    for (to, &from) in place.iter_mut().zip(bytes) {
        *to = libc::c_char::from_ne_bytes([from]);
    }
    Ok(field)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsFd as _;

    use super::*;

    #[test]
    fn only_namespaces_of_users_and_networks_are_left() {
        let error = unshare(libc::CLONE_FILES).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert_eq!(unshare(0).map_err(|error| error.kind()), Ok(()));
    }

    #[test]
    fn a_namespace_has_an_owner_and_another_file_has_none() {
        let own = File::open("/proc/self/ns/net").unwrap();
        // Where a sandbox lies around this process, the owner is out of its sight.
        let owner = owner_of(own.as_fd());
        assert!(owner.is_ok() || owner.is_err_and(|e| e.raw_os_error() == Some(libc::EPERM)));
        let null = File::open("/dev/null").unwrap();
        assert_eq!(owner_of(null.as_fd()).unwrap_err().raw_os_error(), Some(libc::ENOTTY));
    }

    #[test]
    fn a_name_keeps_room_for_its_end() {
        assert!(in_name(c"fifteen-letters").is_ok());
        assert!(in_name(c"sixteen--letters").is_err());
    }
}
