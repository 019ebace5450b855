//! The version of the Internet Protocol.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::named::by_name;

/// The version of the Internet Protocol that carries a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum IpVersion {
    /// RFC 791; a header is 20 bytes, without options, as TCP sends it.
    #[default]
    #[serde(rename = "ipv4")]
    V4,
    /// RFC 8200; a header is 40 bytes, without extension headers.
    #[serde(rename = "ipv6")]
    V6,
}

by_name!(IpVersion);

impl IpVersion {
    /// The version that carries packets to `address`: an IPv4 address written as IPv6
    /// (`::ffff:127.0.0.1`), as sockets for both show it, travels as IPv4.
    #[must_use]
    pub const fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// The length of its header, in bytes.
    #[must_use]
    pub const fn header_bytes(self) -> u64 {
        match self {
            Self::V4 => 20,
            Self::V6 => 40,
        }
    }

    /// The smallest MTU that a link may have, in bytes: what every host takes (RFC 791 §3.1), or what
    /// every link has (RFC 8200 §5).
    #[must_use]
    pub const fn least_mtu(self) -> u16 {
        match self {
            Self::V4 => 576,
            Self::V6 => 1280,
        }
    }

    /// Its name as people write it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }
}
