//! Connecting from a chosen local address, so that ephemeral ports do not bound connections.
//!
//! A connection is told apart by both its ends, so that each local address has a port range of its
//! own towards one listener. On Linux all of 127.0.0.0/8 is this machine's loopback.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::{AsFd as _, OwnedFd};

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with};

use crate::posix;

/// Begins to connect to `target` from `source` and a port that the system picks; the socket does
/// not block, and is writable once it is connected.
///
/// `IP_BIND_ADDRESS_NO_PORT` (ip(7), Linux 4.2) leaves the choice of the port to `connect`, which
/// knows the other end too: without it a port would be taken for all targets at once.
///
/// # Errors
///
/// Where the address is not this machine's, no port of it is free, or descriptors run out.
pub fn connect_from(source: IpAddr, target: SocketAddr) -> io::Result<TcpStream> {
    let family = if target.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket: OwnedFd = socket_with(family, SocketType::STREAM, flags, None)?;
    let option = libc::IP_BIND_ADDRESS_NO_PORT;
    posix::set_socket_option(socket.as_fd(), libc::IPPROTO_IP, option, 1)?;
    bind(&socket, &SocketAddr::new(source, 0))?;
    match connect(&socket, &target) {
        Ok(()) | Err(rustix::io::Errno::INPROGRESS) => Ok(TcpStream::from(socket)),
        Err(error) => Err(error.into()),
    }
}

/// `count` addresses of the IPv4 loopback, 127.0.0.1, 127.0.0.2 and so on, behind the first `skip`.
#[must_use]
pub fn loopback_addresses(skip: u32, count: u32) -> Vec<IpAddr> {
    let first = u32::from(Ipv4Addr::LOCALHOST);
    // 127.255.255.255 is a broadcast address, and so far nobody goes.
    let last = u32::from(Ipv4Addr::new(127, 255, 255, 254));
    let addresses = (first..=last).skip(skip as usize).take(count as usize);
    addresses.map(|bits| IpAddr::V4(Ipv4Addr::from(bits))).collect()
}

/// Whether packets can be sent from `address`, as this machine's own.
#[must_use]
pub fn is_own(address: IpAddr) -> bool {
    UdpSocket::bind((address, 0)).is_ok()
}

/// The address that the system chooses for who connects to `target`; `None` where there is no way
/// there. Nothing is sent.
#[must_use]
pub fn towards(target: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match target {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    // Any port does.
    socket.connect((target, 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn own_addresses_are_told_from_others() {
        let own: IpAddr = Ipv4Addr::new(127, 3, 2, 1).into();
        // Kept for documents (RFC 5737).
        assert!(is_own(own) && !is_own(Ipv4Addr::new(192, 0, 2, 1).into()));
        // All of loopback is one device's, whose address is this.
        assert_eq!(towards(own), Some(Ipv4Addr::LOCALHOST.into()));
    }

    #[test]
    fn the_peer_sees_the_address_that_was_chosen() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = listener.local_addr().unwrap();
        let sources = loopback_addresses(1, 3);
        let seen: BTreeSet<IpAddr> = sources
            .iter()
            .map(|&source| {
                let _client = connect_from(source, target).unwrap();
                listener.accept().unwrap().1.ip()
            })
            .collect();
        assert_eq!(seen, sources.iter().copied().collect());
    }

    #[test]
    fn an_address_of_another_machine_is_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let foreign = "192.0.2.1".parse().unwrap();
        let error = connect_from(foreign, listener.local_addr().unwrap()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable);
    }

    #[test]
    fn loopback_addresses_go_on_beyond_a_byte() {
        let all = loopback_addresses(0, 256);
        assert_eq!(all[0].to_string(), "127.0.0.1");
        assert_eq!(all[255].to_string(), "127.0.1.0");
        assert!(all.iter().all(|address| address.is_loopback()));
    }
}
