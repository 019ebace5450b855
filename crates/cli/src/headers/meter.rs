//! What passed on a connection: by captured packets where that is allowed, else by the kernel's
//! own count.

use std::os::fd::AsFd as _;

use anyhow::Context as _;
use pushbench_metrics::observe::ledger::Source;
use pushbench_metrics::record::headers::Traffic;
use pushbench_os::net::tcp_info::{IpVersion, Segments, Side, TcpInfo, TcpState};

use super::client::Link;
use super::tap::Tap;

/// Counts what TCP and IP carry.
pub(super) enum Meter {
    /// Packets, captured.
    Captured(Tap),
    /// `TCP_INFO` of the client's end.
    Kernel,
}

impl Meter {
    /// Counts what passes on the server's `port` from now on.
    pub(super) fn start(source: Source, port: u16) -> anyhow::Result<Self> {
        match source {
            Source::Captured => Tap::start(port).map(Self::Captured),
            _ => Ok(Self::Kernel),
        }
    }

    /// What has passed on a connection since it was opened, once it is at rest: nothing that was
    /// sent is still to be acknowledged. `None` until then.
    pub(super) fn at_rest(&self, link: &Link) -> anyhow::Result<Option<Traffic>> {
        match self {
            Self::Captured(tap) => Ok(tap.at_rest(link)),
            Self::Kernel => kernel(link),
        }
    }

    /// Ends the count.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        match self {
            Self::Captured(tap) => tap.stop(),
            Self::Kernel => Ok(()),
        }
    }
}

/// How many ACKs without data a connection's end has sent, by its own count.
pub(super) fn acks_sent(info: &TcpInfo) -> Option<u32> {
    Some(info.segments_out?.wrapping_sub(info.data_segments_out?))
}

fn kernel(link: &Link) -> anyhow::Result<Option<Traffic>> {
    let info = TcpInfo::of(link.stream.as_fd()).context("cannot ask the kernel for TCP_INFO")?;
    let traffic = traffic(link, &info).context(
        "the kernel does not count segments (Linux 4.6 and later do); capture packets: run as root",
    )?;
    Ok(is_at_rest(link, &info).then_some(traffic))
}

/// The kernel does not tell whether this end has acknowledged all it received. But after data
/// came last, an ACK without data has to go out, at once or within 40 ms: it is waited for. Of
/// an answer in several segments it may acknowledge the first; what then follows counts in the
/// next exchange.
fn is_at_rest(link: &Link, info: &TcpInfo) -> bool {
    if link.finished && link.ended {
        return info.state == TcpState::Closed;
    }
    // A client's SYN counts as a byte.
    let acknowledged = info.bytes_acked == Some(link.written + 1);
    acknowledged && link.owes_ack.is_none_or(|before| acks_sent(info) != Some(before))
}

fn traffic(link: &Link, info: &TcpInfo) -> Option<Traffic> {
    let segments = Segments::since_open(Side::Client, info)?;
    let ip = IpVersion::of(link.peer.ip());
    let headers = segments.header_bytes(ip, info.timestamps);
    let total = segments.sent + segments.received;
    let data = u64::from(info.data_segments_out?) + u64::from(info.data_segments_in?);
    let fins = u64::from(link.finished) + u64::from(link.ended);
    let syns = segments.syns_sent + segments.syns_received;
    let tcp_bytes = link.written + link.read + info.bytes_retransmitted?;
    Some(Traffic {
        packets: None,
        segments: total,
        acks: total.saturating_sub(data + syns + fins),
        tcp_bytes,
        ip_bytes: tcp_bytes + headers.sent + headers.received,
    })
}
