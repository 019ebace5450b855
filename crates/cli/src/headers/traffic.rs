//! The packets of a connection: captured where that is allowed, else by the kernel's own count.

use anyhow::Context as _;
use pushbench_metrics::observe::ledger::Source;
use pushbench_metrics::record::headers::{TlsBytes, Traffic};
use pushbench_os::net::tcp_info::{IpVersion, Segments, Side, TcpInfo, TcpState};

use super::packets::PacketCount;
use super::watched::{WatchedChannel, acks_sent};

/// Counts what TCP and IP carry.
pub(super) enum TrafficCount {
    /// Packets, captured.
    Captured(PacketCount),
    /// `TCP_INFO` of the client's end.
    Kernel,
}

impl TrafficCount {
    /// Counts what passes on the server's `port` from now on.
    pub(super) fn start(source: Source, port: u16) -> anyhow::Result<Self> {
        match source {
            Source::Captured => PacketCount::start(port).map(Self::Captured),
            _ => Ok(Self::Kernel),
        }
    }

    /// The traffic of a connection since it was opened, once it is at rest: nothing that was
    /// sent is still to be acknowledged. `None` until then.
    pub(super) fn at_rest(&self, channel: &WatchedChannel) -> anyhow::Result<Option<Traffic>> {
        match self {
            Self::Captured(tap) => Ok(tap.at_rest(channel)),
            Self::Kernel => kernel(channel),
        }
    }

    /// Ends the count.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        match self {
            Self::Captured(packets) => packets.stop(),
            Self::Kernel => Ok(()),
        }
    }
}

fn kernel(channel: &WatchedChannel) -> anyhow::Result<Option<Traffic>> {
    let info = channel.tcp_info().context("cannot ask the kernel for TCP_INFO")?;
    let traffic = traffic(channel, &info).context(
        "the kernel does not count segments (Linux 4.6 and later do); capture packets: run as root",
    )?;
    Ok(is_at_rest(channel, &info).then_some(traffic))
}

/// The kernel does not tell whether this end has acknowledged all it received. But after data
/// came last, an ACK without data has to go out, at once or within 40 ms: it is waited for. Of
/// an answer in several segments it may acknowledge the first; what then follows counts in the
/// next exchange.
fn is_at_rest(channel: &WatchedChannel, info: &TcpInfo) -> bool {
    if channel.finished && channel.ended {
        return info.state == TcpState::Closed;
    }
    // A client's SYN counts as a byte.
    let acknowledged = info.bytes_acked == Some(channel.moved.up + 1);
    acknowledged && channel.owes_ack.is_none_or(|before| acks_sent(info) != Some(before))
}

fn traffic(channel: &WatchedChannel, info: &TcpInfo) -> Option<Traffic> {
    let segments = Segments::since_open(Side::Client, info)?;
    let ip = IpVersion::of(channel.peer.ip());
    let headers = segments.header_bytes(ip, info.timestamps);
    let total = segments.sent + segments.received;
    let data = u64::from(info.data_segments_out?) + u64::from(info.data_segments_in?);
    let fins = u64::from(channel.finished) + u64::from(channel.ended);
    let syns = segments.syns_sent + segments.syns_received;
    let tcp_bytes = channel.moved.up + channel.moved.down + info.bytes_retransmitted?;
    Some(Traffic {
        packets: None,
        segments: total,
        acks: total.saturating_sub(data + syns + fins),
        tcp_bytes,
        ip_bytes: tcp_bytes + headers.sent + headers.received,
        tls: TlsBytes::default(),
    })
}
