//! Who has which address behind the router.

use std::net::IpAddr;

/// Addresses that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    network: u128,
    is_ipv6: bool,
    /// Bits behind the common ones, at most 32 of them in use.
    host_bits: u32,
}

impl Prefix {
    /// The addresses whose first `length` bits are those of `address`; `None` where it has fewer.
    #[must_use]
    pub const fn new(address: IpAddr, length: u32) -> Option<Self> {
        let (bits, width) = bits(address);
        if length > width {
            return None;
        }
        let host_bits = width - length;
        let network = if host_bits < 128 { bits >> host_bits << host_bits } else { 0 };
        Some(Self { network, is_ipv6: address.is_ipv6(), host_bits })
    }

    /// The first of the addresses, which names the network itself.
    #[must_use]
    pub const fn network(self) -> IpAddr {
        if self.is_ipv6 {
            IpAddr::V6(std::net::Ipv6Addr::from_bits(self.network))
        } else {
            ipv4(self.network)
        }
    }

    /// How many bits its addresses have in common.
    #[must_use]
    pub const fn length(self) -> u32 {
        (if self.is_ipv6 { 128 } else { 32 }) - self.host_bits
    }

    /// How many clients have an address each: all but the first, which names the network itself, and
    /// the last, which in IPv4 is that of all hosts (RFC 919 §7).
    #[must_use]
    pub const fn clients(self) -> u32 {
        match self.host_bits {
            0 | 1 => 0,
            bits if bits < 32 => (1 << bits) - 2,
            _ => u32::MAX - 1,
        }
    }

    /// The address of a client, from 0; `None` where there are not as many.
    #[must_use]
    pub fn address(self, client: u32) -> Option<IpAddr> {
        let bits = self.network | (u128::from(client) + 1);
        let address = if self.is_ipv6 { IpAddr::V6(bits.into()) } else { ipv4(bits) };
        (client < self.clients()).then_some(address)
    }

    /// The client with that address, from 0.
    #[must_use]
    pub fn client(self, address: IpAddr) -> Option<u32> {
        let (bits, _) = bits(address);
        if address.is_ipv6() != self.is_ipv6 || bits < self.network {
            return None;
        }
        let client = u32::try_from((bits - self.network).checked_sub(1)?).ok()?;
        (client < self.clients()).then_some(client)
    }
}

const fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (address.to_bits() as u128, 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

/// An IPv4 address in the lower 32 bits.
const fn ipv4(bits: u128) -> IpAddr {
    IpAddr::V4(std::net::Ipv4Addr::from_bits(bits as u32))
}

/// The addresses of a trial: of one version of IP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addressing {
    /// The server's address.
    pub server: IpAddr,
    /// Where the clients have theirs.
    pub prefix: Prefix,
    /// How many clients there are; fewer than [`Prefix::clients`], for one address is no client's.
    pub clients: u32,
}

impl Addressing {
    /// The client with that address.
    #[must_use]
    pub fn client(&self, address: IpAddr) -> Option<u32> {
        self.prefix.client(address).filter(|client| *client < self.clients)
    }

    /// The address of the traffic beside the feed, which is behind the last client's.
    #[must_use]
    pub fn cross(&self) -> Option<IpAddr> {
        self.prefix.address(self.clients)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn prefix(text: &str, length: u32) -> Prefix {
        Prefix::new(text.parse().unwrap(), length).unwrap()
    }

    #[test]
    fn clients_have_the_addresses_between_the_networks_own_and_the_last() {
        for (network, length, clients, first, last) in [
            ("10.1.0.0", 16, 65_534, "10.1.0.1", "10.1.255.254"),
            ("10.1.2.3", 30, 2, "10.1.2.1", "10.1.2.2"),
            ("fd00::", 112, 65_534, "fd00::1", "fd00::fffe"),
            ("fd00::", 64, u32::MAX - 1, "fd00::1", "fd00::ffff:fffe"),
            ("0.0.0.0", 0, u32::MAX - 1, "0.0.0.1", "255.255.255.254"),
        ] {
            let prefix = prefix(network, length);
            assert_eq!((prefix.clients(), prefix.length()), (clients, length), "{network}");
            assert_eq!(prefix.address(0), Some(first.parse().unwrap()), "{network}");
            assert_eq!(prefix.address(clients - 1), Some(last.parse().unwrap()), "{network}");
            assert_eq!(prefix.address(clients), None, "{network}");
        }
        assert_eq!(prefix("10.0.0.1", 32).clients(), 0);
        assert_eq!(Prefix::new("10.0.0.1".parse().unwrap(), 33), None);
    }

    #[test]
    fn other_addresses_are_nobodys() {
        let prefix = prefix("10.1.0.0", 16);
        for other in ["10.1.0.0", "10.1.255.255", "10.2.0.1", "10.0.255.255", "::a01:1", "ff02::2"]
        {
            assert_eq!(prefix.client(other.parse().unwrap()), None, "{other}");
        }
        let server = "10.0.0.1".parse().unwrap();
        let addressing = Addressing { server, prefix, clients: 2 };
        assert_eq!(addressing.client("10.1.0.2".parse().unwrap()), Some(1));
        assert_eq!(addressing.client("10.1.0.3".parse().unwrap()), None, "there are two");
        assert_eq!(addressing.cross(), Some("10.1.0.3".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn a_client_is_found_by_its_address(network: u128, length in 0_u32..=126, client: u32) {
            let prefix = Prefix::new(IpAddr::V6(network.into()), length).unwrap();
            let client = client % prefix.clients();
            prop_assert_eq!(prefix.client(prefix.address(client).unwrap()), Some(client));
        }
    }
}
