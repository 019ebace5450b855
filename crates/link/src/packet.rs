//! A packet as the router takes it: whole, and as IP passes it from hop to hop.

use pushbench_protocol::ip::{Ip, Tcp};

/// A whole IP packet and what its headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The packet, without whatever a link below has put behind it.
    pub bytes: &'a [u8],
    /// Its IP header.
    pub ip: Ip,
    /// Its TCP header, where it is a segment of TCP.
    pub tcp: Option<Tcp>,
}

impl<'a> Packet<'a> {
    /// Reads `bytes`; `None` where they are no IP packet, or only the begin of one.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let ip = Ip::read(bytes)?;
        let bytes = bytes.get(..ip.total as usize).filter(|_| ip.header <= ip.total)?;
        Some(Self { bytes, ip, tcp: Tcp::read(&ip, bytes) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{CLIENT, SERVER, segment};

    #[test]
    fn what_stands_behind_a_packet_is_not_of_it_and_half_a_packet_is_none() {
        let whole = segment(CLIENT, SERVER, |_| {}, 4);
        assert_eq!(whole.len(), 44);
        let padded = [&whole[..], &[0; 16]].concat();
        let packet = Packet::read(&padded).unwrap();
        assert_eq!((packet.bytes, packet.tcp.unwrap().payload), (&whole[..], 4));
        for length in 0..whole.len() {
            assert_eq!(Packet::read(&whole[..length]), None, "{length}");
        }
    }

    #[test]
    fn what_is_not_tcp_is_a_packet_too() {
        let mut icmp = segment(CLIENT, SERVER, |_| {}, 4);
        icmp[9] = 1;
        let packet = Packet::read(&icmp).unwrap();
        assert_eq!((packet.ip.protocol, packet.tcp), (1, None));
        // The length of the whole packet is less than that of its header.
        icmp[3] = 19;
        assert_eq!(Packet::read(&icmp), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Some(packet) = Packet::read(&bytes) {
                prop_assert!(packet.bytes.len() <= bytes.len());
                let headers = packet.tcp.map(|tcp| tcp.header + tcp.payload);
                let total = packet.ip.total as usize;
                prop_assert!(headers.is_none_or(|rest| (packet.ip.header + rest) as usize == total));
            }
        }
    }
}
