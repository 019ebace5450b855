//! Captured packets of one server, summed for each connection, and whether a connection is at
//! rest: all that was sent is acknowledged, so that no packet of it is still to come.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, ensure};
use pushbench_metrics::record::headers::Traffic;
use pushbench_os::net::capture::{Capture, Packet, PortFilter};

use super::watched::WatchedChannel;

/// A capture of one server's port.
pub(super) struct PacketCount {
    capture: Capture,
    flows: Arc<Mutex<HashMap<u16, Flow>>>,
}

impl PacketCount {
    /// Captures everything on `port`, in both directions.
    pub(super) fn start(port: u16) -> anyhow::Result<Self> {
        let flows = Arc::new(Mutex::new(HashMap::<u16, Flow>::new()));
        let writer = Arc::clone(&flows);
        let capture = Capture::start(&PortFilter::new(&[port])?, move |packet| {
            let up = packet.to.port() == port;
            let client = if up { packet.from } else { packet.to }.port();
            let mut flows = writer.lock().unwrap_or_else(PoisonError::into_inner);
            flows.entry(client).or_default().count(packet, up);
        })
        .context("cannot capture packets")?;
        Ok(Self { capture, flows })
    }

    /// The traffic of a connection since it was opened, once it is at rest.
    pub(super) fn at_rest(&self, channel: &WatchedChannel) -> Option<Traffic> {
        let flows = self.flows.lock().unwrap_or_else(PoisonError::into_inner);
        flows.get(&channel.port).filter(|flow| flow.is_at_rest(channel)).map(|flow| flow.traffic())
    }

    /// Ends the capture.
    ///
    /// # Errors
    ///
    /// Where it missed packets, so that nothing it said can be believed.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        let report = self.capture.stop().context("cannot read the captured packets")?;
        ensure!(report.is_complete(), "the capture missed {} packets; run again", report.dropped);
        Ok(())
    }
}

/// The packets of a connection.
#[derive(Debug, Default)]
struct Flow {
    packets: u64,
    traffic: Traffic,
    up: Half,
    down: Half,
    /// One end aborted it.
    reset: bool,
}

/// One direction of a connection.
#[derive(Debug, Default)]
struct Half {
    /// The sequence number of its SYN.
    start: u32,
    /// How far it was sent: bytes, SYN and FIN, each of them one.
    sent: u32,
    /// How much of that the other end has acknowledged.
    acknowledged: u32,
}

impl Half {
    /// Counted from its SYN: numbers wrap around.
    fn sent(&mut self, packet: &Packet) {
        let flags = packet.flags;
        if flags.syn() {
            self.start = packet.seq;
        }
        let length = packet.tcp_payload_bytes + u32::from(flags.syn()) + u32::from(flags.fin());
        self.sent = self.sent.max(packet.seq.wrapping_sub(self.start).wrapping_add(length));
    }

    fn acknowledged(&mut self, packet: &Packet) {
        self.acknowledged = self.acknowledged.max(packet.ack.wrapping_sub(self.start));
    }

    /// Whether `bytes` and perhaps a FIN were sent and acknowledged, and nothing more was sent.
    fn is_at_rest(&self, bytes: u64, fin: bool) -> bool {
        let all = 1 + bytes + u64::from(fin);
        u64::from(self.sent) == all && u64::from(self.acknowledged) == all
    }
}

impl Flow {
    fn count(&mut self, packet: &Packet, up: bool) {
        self.packets += 1;
        let traffic = &mut self.traffic;
        traffic.segments += u64::from(packet.segments);
        traffic.acks += u64::from(packet.is_pure_ack());
        traffic.tcp_bytes += u64::from(packet.tcp_payload_bytes);
        traffic.ip_bytes += packet.wire_bytes();
        self.reset |= packet.flags.rst();
        let (own, other) =
            if up { (&mut self.up, &mut self.down) } else { (&mut self.down, &mut self.up) };
        own.sent(packet);
        if packet.flags.ack() {
            other.acknowledged(packet);
        }
    }

    fn is_at_rest(&self, channel: &WatchedChannel) -> bool {
        self.reset
            || self.up.is_at_rest(channel.moved.up, channel.finished)
                && self.down.is_at_rest(channel.moved.down, channel.ended)
    }

    fn traffic(&self) -> Traffic {
        Traffic { packets: Some(self.packets), ..self.traffic }
    }
}

#[cfg(test)]
mod tests {
    use pushbench_core::MonoInstant;
    use pushbench_os::net::capture::TcpFlags;

    use super::*;

    fn packet(seq: u32, length: u32, ack: u32, flags: TcpFlags) -> Packet {
        Packet {
            at: MonoInstant(0),
            from: "127.0.0.1:50000".parse().unwrap(),
            to: "127.0.0.1:80".parse().unwrap(),
            ip_bytes: 52 + length,
            header_bytes: 52,
            tcp_payload_bytes: length,
            segments: 1,
            flags,
            seq,
            ack,
        }
    }

    #[test]
    fn a_direction_is_at_rest_once_all_of_it_is_acknowledged() {
        // Close to the wrap of the 32 bits.
        let start = u32::MAX - 3;
        let (mut half, plain) = (Half::default(), TcpFlags::NONE);
        half.sent(&packet(start, 0, 0, TcpFlags::SYN));
        assert!(!half.is_at_rest(0, false));
        half.acknowledged(&packet(0, 0, start.wrapping_add(1), plain));
        assert!(half.is_at_rest(0, false));
        half.sent(&packet(start.wrapping_add(1), 10, 0, plain));
        assert!(!half.is_at_rest(10, false) && !half.is_at_rest(0, false));
        half.acknowledged(&packet(0, 0, start.wrapping_add(11), plain));
        // What the client has not read yet, or a FIN that is still to come, is no rest either.
        assert!(half.is_at_rest(10, false) && !half.is_at_rest(4, false));
        assert!(!half.is_at_rest(10, true));
    }
}
