//! The table of figures: what each is called, in which unit it is and how it is judged.

use super::{Judging, Need, Unit};

/// The traits that several figures share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) unit: Unit,
    pub(super) decimals: usize,
    pub(super) needs: &'static [Need],
}

const SPAN: Kind = Kind { unit: Unit::Micros, decimals: 1, needs: &[] };
const DELAY: Kind = Kind { needs: &[Need::OneClock], ..SPAN };
const LAYER: Kind = Kind { unit: Unit::Bytes, decimals: 2, needs: &[] };
const LOAD_CPU: Kind = Kind { unit: Unit::Micros, decimals: 3, needs: &[Need::CpuTime] };
const SERVER_CPU: Kind = Kind { needs: &[Need::CpuTime, Need::ServerProcess], ..LOAD_CPU };
const LOAD_MEMORY: Kind = Kind { unit: Unit::Bytes, decimals: 0, needs: &[] };
const SERVER_MEMORY: Kind = Kind { needs: &[Need::ServerProcess], ..LOAD_MEMORY };
const COUNT: Kind = Kind { unit: Unit::Count, decimals: 0, needs: &[] };
const GOODPUT: Kind = Kind { unit: Unit::BitsPerSecond, decimals: 0, needs: &[] };
const PACE: Kind = Kind { unit: Unit::PerSecond, decimals: 0, needs: &[] };
const CORES: Kind =
    Kind { unit: Unit::Cores, decimals: 3, needs: &[Need::CpuTime, Need::ServerProcess] };
const MEAN: Kind = Kind { unit: Unit::Mean, decimals: 3, needs: &[] };
const SHARE: Kind = Kind { unit: Unit::Share, decimals: 5, needs: &[] };

/// A figure's row: all that is said of it in one place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// The name in a threshold.
    pub(super) name: &'static str,
    /// The column of the CSV files; of a share, that of its part.
    pub(super) column: &'static str,
    /// The words beside a value.
    pub(super) label: &'static str,
    pub(super) kind: Kind,
    pub(super) quantile: Option<f64>,
    pub(super) judging: Judging,
}

impl Row {
    const fn at(self, quantile: f64) -> Self {
        Self { quantile: Some(quantile), ..self }
    }

    const fn by(self, judging: Judging) -> Self {
        Self { judging, ..self }
    }
}

/// The type of the figures and their rows: kind, quantile and judging where they have one, then name,
/// column and label.
macro_rules! figures {
    ($(
        $(#[$doc:meta])+
        $figure:ident: $kind:ident $(, at $quantile:literal)? $(, by $judging:ident)?,
        $name:literal, $column:literal, $label:literal;
    )+) => {
        /// A measured quantity.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Figure {
            $($(#[$doc])+ $figure,)+
        }

        impl Figure {
            /// All figures, in the order in which comparisons list them.
            pub const ALL: [Self; TABLE.len()] = [$(Self::$figure),+];
        }

        pub(super) const TABLE: &[Row] = &[$(
            Row {
                name: $name,
                column: $column,
                label: $label,
                kind: $kind,
                quantile: None,
                judging: Judging::No,
            }
            $(.at($quantile))?
            $(.by(Judging::$judging))?
        ),+];
    };
}

figures! {
    /// Mean latency.
    LatencyMean: DELAY, "latency.mean", "latency_mean_us", "latency mean";
    /// Median latency.
    LatencyP50: DELAY, at 0.5, by Ranks, "latency.p50", "latency_p50_us", "latency p50";
    /// 90th percentile of latency.
    LatencyP90: DELAY, at 0.9, "latency.p90", "latency_p90_us", "latency p90";
    /// 95th percentile of latency.
    LatencyP95: DELAY, at 0.95, "latency.p95", "latency_p95_us", "latency p95";
    /// 99th percentile of latency.
    LatencyP99: DELAY, at 0.99, by Ranks, "latency.p99", "latency_p99_us", "latency p99";
    /// 99.9th percentile of latency.
    LatencyP999: DELAY, at 0.999, "latency.p999", "latency_p999_us", "latency p99.9";
    /// Largest latency.
    LatencyMax: DELAY, "latency.max", "latency_max_us", "latency max";
    /// Mean age of information.
    AgeMean: DELAY, by Ranks, "age.mean", "age_mean_us", "age mean";
    /// Greatest age of information.
    AgeMax: DELAY, "age.max", "age_max_us", "age max";
    /// Median time until TCP has opened a client's connection.
    ConnectP50: SPAN, at 0.5, "connect.p50", "connect_p50_us", "connect p50";
    /// Median time to connect and subscribe.
    ReadyP50: SPAN, at 0.5, "ready.p50", "ready_p50_us", "ready p50";
    /// Median time until a connection that takes up a session of TLS was secured.
    ResumedP50: SPAN, at 0.5, "resumed.p50", "resumed_p50_us", "resumed p50";
    /// TLS bytes that a client sends while it connects, per handshake.
    TlsConnectUp: LAYER,
        "tls_connect_up_bytes_per_handshake", "tls_connect_up_bytes_per_handshake", "TLS up/connect";
    /// TLS bytes that a client gets while it connects, per handshake.
    TlsConnectDown: LAYER,
        "tls_connect_down_bytes_per_handshake", "tls_connect_down_bytes_per_handshake", "TLS down/connect";
    /// Payload bytes per message, both directions.
    PayloadBytes: LAYER, by Ranges, "payload_bytes_per_msg", "payload_bytes_per_msg", "payload/msg";
    /// Framing bytes per message, both directions.
    FramingBytes: LAYER, by Ranges, "framing_bytes_per_msg", "framing_bytes_per_msg", "framing/msg";
    /// HTTP bytes per message, both directions.
    HttpBytes: LAYER, by Ranges, "http_bytes_per_msg", "http_bytes_per_msg", "HTTP/msg";
    /// TLS bytes per message, both directions.
    TlsBytes: LAYER, "tls_bytes_per_msg", "tls_bytes_per_msg", "TLS/msg";
    /// TCP and IP bytes per message, both directions.
    TcpipBytes: LAYER, "tcpip_bytes_per_msg", "tcpip_bytes_per_msg", "TCP/IP/msg";
    /// All layers per message, both directions.
    WireBytes: LAYER, by Ranks, "wire_bytes_per_msg", "wire_bytes_per_msg", "wire bytes/msg";
    /// Bytes of the messages before they are compressed, per message, both directions.
    MessageBytes: LAYER, "message_bytes_per_msg", "message_bytes_per_msg", "message/msg";
    /// The server's CPU time per message.
    ServerCpu: SERVER_CPU, by Ranks,
        "server_cpu_per_msg", "server_cpu_us_per_msg", "server CPU/msg";
    /// The load processes' CPU time per message.
    LoadCpu: LOAD_CPU, "load_cpu_per_msg", "load_cpu_us_per_msg", "load CPU/msg";
    /// The CPU time of a link's router per message.
    RouterCpu: LOAD_CPU, "router_cpu_per_msg", "router_cpu_us_per_msg", "router CPU/msg";
    /// The CPU time of a proxy per message.
    ProxyCpu: LOAD_CPU, "proxy_cpu_per_msg", "proxy_cpu_us_per_msg", "proxy CPU/msg";
    /// The goodput of the downloads beside the feed.
    CrossDown: GOODPUT, "cross.down", "cross_down_bits_per_s", "download beside";
    /// The goodput of the uploads beside the feed.
    CrossUp: GOODPUT, "cross.up", "cross_up_bits_per_s", "upload beside";
    /// Growth of the server's memory per client.
    ServerRss: SERVER_MEMORY,
        "server_rss_per_client", "server_rss_bytes_per_client", "server memory/client";
    /// Growth of the load processes' memory per client.
    LoadRss: LOAD_MEMORY, "load_rss_per_client", "load_rss_bytes_per_client", "load memory/client";
    /// Growth of a proxy's memory per client.
    ProxyRss: LOAD_MEMORY,
        "proxy_rss_per_client", "proxy_rss_bytes_per_client", "proxy memory/client";
    /// Bytes on the wire between a proxy and the server behind it, for each message that reached a client.
    BackendWire: LAYER,
        "backend_wire_bytes_per_msg", "backend_wire_bytes_per_msg", "wire bytes behind proxy/msg";
    /// Messages that were expected and never came.
    Lost: COUNT, "lost", "lost", "lost";
    /// The share of the expected messages that came.
    Delivered: SHARE, "delivered", "delivered", "delivered";
    /// Failures.
    Errors: COUNT, "errors", "errors", "errors";
    /// Messages that clients said.
    Said: COUNT, "said", "said", "said";
    /// Median time from a message's first hearer in a room to its last.
    FanOutP50: SPAN, at 0.5, "fan_out.p50", "fan_out_p50_us", "fan-out p50";
    /// 99th percentile of that.
    FanOutP99: SPAN, at 0.99, "fan_out.p99", "fan_out_p99_us", "fan-out p99";
    /// Clients that heard their room in another order than others did.
    Disordered: COUNT, "disordered", "disordered", "disordered";
    /// Times that a client was cut off, or left and was followed by another.
    CutOff: COUNT, "cut_off", "cut_off", "cut off";
    /// Those of them after which it was not back by the trial's end.
    NotBack: COUNT, "not_back", "not_back", "not back";
    /// Median time until a client that was cut off was back.
    BackP50: SPAN, at 0.5, "back.p50", "back_p50_us", "back p50";
    /// 99th percentile of that.
    BackP99: SPAN, at 0.99, "back.p99", "back_p99_us", "back p99";
    /// Greatest of that: all were back by then.
    BackMax: SPAN, "back.max", "back_max_us", "back max";
    /// Connections begun per second, in the tenth of a second that had most of them.
    OpenedPeak: PACE, "opened.peak", "opened_peak_per_s", "opened peak";
    /// Cores that the server was busy with, in the tenth of a second in which that was most.
    ServerPeak: CORES, "server.peak", "server_peak_cores", "server peak";
    /// Messages that an answer to a poll brings, on average, answers without any included.
    Batch: MEAN, "batch.mean", "messages_per_answer", "messages/answer";
    /// 99th percentile of the time until a client holds a message that is due, or a newer one.
    FreshP99: DELAY, at 0.99, "fresh.p99", "fresh_p99_us", "fresh p99";
}
