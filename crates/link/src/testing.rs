//! Packets for tests.

use std::net::{IpAddr, Ipv4Addr};

use pushbench_core::link::Link;
use pushbench_protocol::ip::{Tcp, TcpFlags};

use crate::addressing::{Addressing, Prefix};

/// The server, as packets of tests have it: 10.0.0.1.
pub(crate) const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

/// The first client: 10.1.0.1.
pub(crate) const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 1, 0, 1));

pub(crate) const ACK: u8 = 0x10;
pub(crate) const SYN: u8 = 0x02;
pub(crate) const FIN: u8 = 0x01;
pub(crate) const RST: u8 = 0x04;

/// Those addresses, for `clients` clients.
pub(crate) fn addressing(clients: u32) -> Addressing {
    let prefix = Prefix::new(CLIENT, 16).unwrap();
    Addressing { server: SERVER, prefix, clients }
}

/// A link that passes everything on at once.
pub(crate) fn plain() -> Link {
    Link::default()
}

/// A segment in IPv4 from port 80 of the server, or to it, with a header as `set` leaves it and so
/// much payload: 40 bytes of headers.
pub(crate) fn segment(from: IpAddr, to: IpAddr, set: impl Fn(&mut Tcp), payload: u32) -> Vec<u8> {
    let (IpAddr::V4(source), IpAddr::V4(target)) = (from, to) else { panic!("IPv4 alone") };
    let ports = if from == SERVER { (80, 40_000) } else { (40_000, 80) };
    let flags = TcpFlags::from_bits(ACK);
    let mut tcp = Tcp { from: ports.0, to: ports.1, seq: 1, ack: 1, flags, header: 20, payload };
    set(&mut tcp);
    let mut packet = vec![0x45, 0];
    packet.extend((40 + payload as u16).to_be_bytes());
    packet.extend([0, 1, 0x40, 0, 64, 6, 0, 0]);
    packet.extend([source.octets(), target.octets()].concat());
    packet.extend([tcp.from.to_be_bytes(), tcp.to.to_be_bytes()].concat());
    packet.extend([tcp.seq.to_be_bytes(), tcp.ack.to_be_bytes()].concat());
    packet.extend([0x50, tcp.flags.bits(), 0xff, 0xff, 0, 0, 0, 0]);
    packet.extend(vec![b'x'; payload as usize]);
    packet
}
