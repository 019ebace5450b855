//! Capture of a trial's packets on the wire, in place of the kernel's counts for each connection.

use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use pushbench_core::MonoInstant;
use pushbench_metrics::observe::ledger::{Direction, Ledger, Phase, Source, TcpipTally};
use pushbench_metrics::record::control::TrialTiming;
use pushbench_os::net::capture::{Capture, CaptureError, Packet, PortFilter};

/// Packets behind the window are kept apart by this many nanoseconds, until it is known when the
/// drain ended.
const BUCKET_NS: u64 = 1_000_000;

/// A capture of the packets to and from the servers of a trial.
#[derive(Debug)]
pub(super) struct Wire {
    capture: Capture,
    tallies: Arc<Mutex<Tallies>>,
}

/// Packets captured so far.
#[derive(Debug, Default)]
struct Tallies {
    servers: Vec<SocketAddr>,
    /// The trial's instants, once they are known; before that clients connect.
    edges: Option<[MonoInstant; 3]>,
    /// Up to the window's end, by phase and direction.
    phases: HashMap<(Phase, Direction), TcpipTally>,
    /// Behind the window's end, by time and direction.
    after: BTreeMap<(u64, Direction), TcpipTally>,
    /// The sequence number that each sender is expected to go on with, by client and direction.
    expected: HashMap<(SocketAddr, Direction), u32>,
}

/// Tries whether this process may capture packets.
///
/// # Errors
///
/// No privilege, or the system's refusal.
pub fn is_possible() -> Result<(), CaptureError> {
    // Port 9 (discard) is as good as any: nothing is expected on it.
    Wire::start(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 9))]).map(drop)
}

impl Wire {
    /// Captures everything to and from `servers`, which are one or a few.
    ///
    /// # Errors
    ///
    /// No privilege, or the system's refusal.
    pub(super) fn start(servers: Vec<SocketAddr>) -> Result<Self, CaptureError> {
        let ports: Vec<u16> = servers.iter().map(SocketAddr::port).collect();
        let tallies = Arc::new(Mutex::new(Tallies { servers, ..Tallies::default() }));
        let writer = Arc::clone(&tallies);
        let capture = Capture::start(&PortFilter::new(&ports)?, move |packet| {
            writer.lock().unwrap_or_else(PoisonError::into_inner).count(packet);
        })?;
        Ok(Self { capture, tallies })
    }

    /// Says when the phases begin; before warm-up does.
    pub(super) fn set_timing(&self, timing: &TrialTiming) {
        let edges = [timing.warmup, timing.window.start, timing.window.end];
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner).edges = Some(edges);
    }

    /// Ends the capture and adds its packets to `ledger`; the drain ended at `closing`. Returns
    /// how many packets it missed.
    ///
    /// # Errors
    ///
    /// Where reading failed half way, so that packets are missing.
    pub(super) fn stop(
        self,
        closing: MonoInstant,
        ledger: &mut Ledger,
    ) -> Result<u64, CaptureError> {
        let report = self.capture.stop()?;
        let tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        for (&(phase, direction), tally) in &tallies.phases {
            ledger.add_tcpip(phase, direction, Source::Captured, tally);
        }
        for (&(bucket, direction), tally) in &tallies.after {
            let phase = if bucket < closing.0 / BUCKET_NS { Phase::Drain } else { Phase::Close };
            ledger.add_tcpip(phase, direction, Source::Captured, tally);
        }
        Ok(report.dropped + report.unreadable)
    }
}

impl Tallies {
    fn count(&mut self, packet: &Packet) {
        // By address and port: a client may have the port of another server, on an address of its
        // own.
        let (direction, client) = if self.servers.contains(&packet.to) {
            (Direction::Up, packet.from)
        } else if self.servers.contains(&packet.from) {
            (Direction::Down, packet.to)
        } else {
            return;
        };
        let tally = TcpipTally {
            packets: 1,
            header_bytes: u64::from(packet.header_bytes),
            retransmitted_bytes: self.sent_again(client, direction, packet),
        };
        let at = packet.at;
        match self.edges {
            Some([_, _, end]) if at >= end => {
                self.after.entry((at.0 / BUCKET_NS, direction)).or_default().merge(&tally);
            }
            edges => {
                let phase = match edges {
                    Some([_, start, _]) if at >= start => Phase::Window,
                    Some([warmup, _, _]) if at >= warmup => Phase::Warmup,
                    _ => Phase::Connect,
                };
                self.phases.entry((phase, direction)).or_default().merge(&tally);
            }
        }
    }

    /// How many of a packet's payload bytes went by before.
    fn sent_again(&mut self, client: SocketAddr, direction: Direction, packet: &Packet) -> u64 {
        if packet.flags.syn() {
            self.expected.insert((client, direction), packet.seq.wrapping_add(1));
            return 0;
        }
        let length = packet.tcp_payload_bytes;
        let end = packet.seq.wrapping_add(length);
        let expected = self.expected.entry((client, direction)).or_insert(packet.seq);
        // How far the packet's start lies behind what was expected; beyond 2³¹ it lies ahead.
        let behind = expected.wrapping_sub(packet.seq);
        if behind == 0 || behind >= 1 << 31 {
            *expected = end;
            return 0;
        }
        if end.wrapping_sub(*expected) < 1 << 31 {
            *expected = end;
        }
        u64::from(behind.min(length))
    }
}

#[cfg(test)]
mod tests {
    use pushbench_os::net::capture::TcpFlags;

    use super::*;

    const CLIENT: &str = "127.0.0.3:50000";
    const SERVER: &str = "127.0.0.1:80";

    fn tallies() -> Tallies {
        let servers = vec![SERVER.parse().unwrap(), "127.0.0.1:50000".parse().unwrap()];
        Tallies { servers, ..Tallies::default() }
    }

    fn packet(at: u64, seq: u32, length: u32, syn: bool) -> Packet {
        Packet {
            at: MonoInstant(at),
            from: CLIENT.parse().unwrap(),
            to: SERVER.parse().unwrap(),
            ip_bytes: 52 + length,
            header_bytes: 52,
            tcp_payload_bytes: length,
            segments: 1,
            flags: if syn { TcpFlags::SYN } else { TcpFlags::NONE },
            seq,
            ack: 0,
        }
    }

    #[test]
    fn packets_belong_to_the_phase_in_which_they_were_seen() {
        let mut tallies = tallies();
        tallies.count(&packet(5, 99, 0, true));
        tallies.edges = Some([10, 20, 30].map(MonoInstant));
        for at in [9, 10, 19, 20, 29] {
            tallies.count(&packet(at, 100, 0, false));
        }
        tallies.count(&packet(30, 100, 0, false));
        let packets = |phase| tallies.phases.get(&(phase, Direction::Up)).map(|t| t.packets);
        assert_eq!(packets(Phase::Connect), Some(2));
        assert_eq!(packets(Phase::Warmup), Some(2));
        assert_eq!(packets(Phase::Window), Some(2));
        assert_eq!(tallies.after.values().map(|tally| tally.packets).sum::<u64>(), 1);
    }

    #[test]
    fn a_client_on_another_servers_port_is_a_client() {
        let mut tallies = tallies();
        let up = packet(1, 100, 7, false);
        tallies.count(&up);
        tallies.count(&Packet { from: up.to, to: up.from, ..up });
        let foreign = "127.0.0.4:80".parse().unwrap();
        tallies.count(&Packet { to: foreign, ..up });
        let packets = |way| tallies.phases.get(&(Phase::Connect, way)).map(|tally| tally.packets);
        assert_eq!((packets(Direction::Up), packets(Direction::Down)), (Some(1), Some(1)));
    }

    #[test]
    fn bytes_that_went_by_before_are_counted_as_sent_again() {
        let mut tallies = tallies();
        let client = CLIENT.parse().unwrap();
        let mut again = |seq, length, syn| {
            tallies.sent_again(client, Direction::Up, &packet(0, seq, length, syn))
        };
        // Close to the wrap of the 32 bits.
        let start = u32::MAX - 5;
        assert_eq!(again(start, 0, true), 0);
        assert_eq!(again(start.wrapping_add(1), 10, false), 0);
        assert_eq!(again(start.wrapping_add(1), 10, false), 10);
        assert_eq!(again(start.wrapping_add(6), 10, false), 5);
        assert_eq!(again(start.wrapping_add(16), 4, false), 0);
    }
}
