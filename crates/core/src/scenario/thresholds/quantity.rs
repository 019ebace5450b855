//! The figures that a threshold can name, and the units of their limits.

use crate::units::{ByteSize, Count, Share, Span, UnitError};

/// Samples that must lie beyond a percentile, so that it is one and not the luck of a few.
pub const SAMPLES_BEYOND: f64 = 10.0;

/// A figure that a run can be held to: the value over a point's valid trials, as `summary.csv`
/// has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// Mean latency.
    LatencyMean,
    /// Median latency.
    LatencyP50,
    /// 90th percentile of latency.
    LatencyP90,
    /// 99th percentile of latency.
    LatencyP99,
    /// 99.9th percentile of latency.
    LatencyP999,
    /// Largest latency.
    LatencyMax,
    /// Mean age of information.
    AgeMean,
    /// Median time to connect and subscribe.
    ConnectP50,
    /// Payload bytes per message.
    PayloadBytes,
    /// Framing bytes per message.
    FramingBytes,
    /// HTTP bytes per message.
    HttpBytes,
    /// TLS bytes per message.
    TlsBytes,
    /// TCP and IP bytes per message.
    TcpipBytes,
    /// All layers per message.
    WireBytes,
    /// The server's CPU time per message.
    ServerCpu,
    /// The load processes' CPU time per message.
    LoadCpu,
    /// Growth of the server's memory per client.
    ServerRss,
    /// Growth of the load processes' memory per client.
    LoadRss,
    /// Messages that were expected and never came.
    Lost,
    /// The share of the expected messages that came.
    Delivered,
    /// Failures.
    Errors,
}

/// What a quantity is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Microseconds.
    Micros,
    /// Bytes.
    Bytes,
    /// Things.
    Count,
    /// A share from 0 to 1.
    Share,
}

impl Unit {
    /// A limit as a user writes it.
    pub(super) fn parse(self, text: &str) -> Result<f64, UnitError> {
        #[expect(clippy::cast_precision_loss, reason = "limits are below 2⁵³")]
        Ok(match self {
            Self::Micros => text.parse::<Span>()?.0.as_nanos() as f64 / 1e3,
            Self::Bytes => ByteSize::average(text)?,
            Self::Count => text.parse::<Count>()?.0 as f64,
            Self::Share => text.parse::<Share>()?.0,
        })
    }
}

impl Quantity {
    /// All, with the names that thresholds know them by.
    pub const ALL: [(Self, &'static str); 21] = [
        (Self::LatencyMean, "latency.mean"),
        (Self::LatencyP50, "latency.p50"),
        (Self::LatencyP90, "latency.p90"),
        (Self::LatencyP99, "latency.p99"),
        (Self::LatencyP999, "latency.p999"),
        (Self::LatencyMax, "latency.max"),
        (Self::AgeMean, "age.mean"),
        (Self::ConnectP50, "connect.p50"),
        (Self::PayloadBytes, "payload_bytes_per_msg"),
        (Self::FramingBytes, "framing_bytes_per_msg"),
        (Self::HttpBytes, "http_bytes_per_msg"),
        (Self::TlsBytes, "tls_bytes_per_msg"),
        (Self::TcpipBytes, "tcpip_bytes_per_msg"),
        (Self::WireBytes, "wire_bytes_per_msg"),
        (Self::ServerCpu, "server_cpu_per_msg"),
        (Self::LoadCpu, "load_cpu_per_msg"),
        (Self::ServerRss, "server_rss_per_client"),
        (Self::LoadRss, "load_rss_per_client"),
        (Self::Lost, "lost"),
        (Self::Delivered, "delivered"),
        (Self::Errors, "errors"),
    ];

    /// The quantity of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(quantity, _)| quantity)
    }

    /// Its name: `latency.p99`.
    #[must_use]
    pub fn name(self) -> &'static str {
        let (_, name) = Self::ALL[self as usize];
        name
    }

    /// What it is counted in.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::LatencyMean
            | Self::LatencyP50
            | Self::LatencyP90
            | Self::LatencyP99
            | Self::LatencyP999
            | Self::LatencyMax
            | Self::AgeMean
            | Self::ConnectP50
            | Self::ServerCpu
            | Self::LoadCpu => Unit::Micros,
            Self::PayloadBytes
            | Self::FramingBytes
            | Self::HttpBytes
            | Self::TlsBytes
            | Self::TcpipBytes
            | Self::WireBytes
            | Self::ServerRss
            | Self::LoadRss => Unit::Bytes,
            Self::Lost | Self::Errors => Unit::Count,
            Self::Delivered => Unit::Share,
        }
    }

    /// The share of latencies that lie beyond it, where it is a high percentile of them, which
    /// needs samples there.
    #[must_use]
    pub const fn share_beyond(self) -> Option<f64> {
        match self {
            Self::LatencyP90 => Some(0.1),
            Self::LatencyP99 => Some(0.01),
            Self::LatencyP999 => Some(0.001),
            _ => None,
        }
    }

    /// Whether it is CPU time.
    #[must_use]
    pub const fn is_cpu(self) -> bool {
        matches!(self, Self::ServerCpu | Self::LoadCpu)
    }

    /// Whether it is a cost of the server, which needs to know the server's process.
    #[must_use]
    pub const fn is_of_the_server(self) -> bool {
        matches!(self, Self::ServerCpu | Self::ServerRss)
    }

    /// Whether it compares instants of the server with instants of a client, which needs one
    /// clock.
    #[must_use]
    pub const fn needs_one_clock(self) -> bool {
        matches!(
            self,
            Self::LatencyMean
                | Self::LatencyP50
                | Self::LatencyP90
                | Self::LatencyP99
                | Self::LatencyP999
                | Self::LatencyMax
                | Self::AgeMean
        )
    }
}

/// All names, for an error.
pub(super) fn names() -> String {
    Quantity::ALL.map(|(_, name)| name).join(", ")
}
