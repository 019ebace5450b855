//! The table of figures: what each is called, in which unit it is and how it is judged.

use super::{Figure, Judging, Need, Unit};

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
    pub(super) figure: Figure,
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

const fn row(
    figure: Figure,
    name: &'static str,
    column: &'static str,
    label: &'static str,
    kind: Kind,
) -> Row {
    Row { figure, name, column, label, kind, quantile: None, judging: Judging::No }
}

impl Row {
    const fn at(self, quantile: f64) -> Self {
        Self { quantile: Some(quantile), ..self }
    }

    const fn by(self, judging: Judging) -> Self {
        Self { judging, ..self }
    }
}

/// The figures, in the order in which comparisons list them.
pub(super) const TABLE: [Row; 47] = {
    use Figure as F;
    use Judging::{Ranges, Ranks};
    [
        row(F::LatencyMean, "latency.mean", "latency_mean_us", "latency mean", DELAY),
        row(F::LatencyP50, "latency.p50", "latency_p50_us", "latency p50", DELAY).at(0.5).by(Ranks),
        row(F::LatencyP90, "latency.p90", "latency_p90_us", "latency p90", DELAY).at(0.9),
        row(F::LatencyP95, "latency.p95", "latency_p95_us", "latency p95", DELAY).at(0.95),
        row(F::LatencyP99, "latency.p99", "latency_p99_us", "latency p99", DELAY)
            .at(0.99)
            .by(Ranks),
        row(F::LatencyP999, "latency.p999", "latency_p999_us", "latency p99.9", DELAY).at(0.999),
        row(F::LatencyMax, "latency.max", "latency_max_us", "latency max", DELAY),
        row(F::AgeMean, "age.mean", "age_mean_us", "age mean", DELAY).by(Ranks),
        row(F::AgeMax, "age.max", "age_max_us", "age max", DELAY),
        row(F::ConnectP50, "connect.p50", "connect_p50_us", "connect p50", SPAN).at(0.5),
        row(F::ReadyP50, "ready.p50", "ready_p50_us", "ready p50", SPAN).at(0.5),
        row(F::ResumedP50, "resumed.p50", "resumed_p50_us", "resumed p50", SPAN).at(0.5),
        layer(F::TlsConnectUp, "tls_connect_up_bytes_per_handshake", "TLS up/connect"),
        layer(F::TlsConnectDown, "tls_connect_down_bytes_per_handshake", "TLS down/connect"),
        layer(F::PayloadBytes, "payload_bytes_per_msg", "payload/msg").by(Ranges),
        layer(F::FramingBytes, "framing_bytes_per_msg", "framing/msg").by(Ranges),
        layer(F::HttpBytes, "http_bytes_per_msg", "HTTP/msg").by(Ranges),
        layer(F::TlsBytes, "tls_bytes_per_msg", "TLS/msg"),
        layer(F::TcpipBytes, "tcpip_bytes_per_msg", "TCP/IP/msg"),
        layer(F::WireBytes, "wire_bytes_per_msg", "wire bytes/msg").by(Ranks),
        layer(F::MessageBytes, "message_bytes_per_msg", "message/msg"),
        row(
            F::ServerCpu,
            "server_cpu_per_msg",
            "server_cpu_us_per_msg",
            "server CPU/msg",
            SERVER_CPU,
        )
        .by(Ranks),
        row(F::LoadCpu, "load_cpu_per_msg", "load_cpu_us_per_msg", "load CPU/msg", LOAD_CPU),
        row(
            F::RouterCpu,
            "router_cpu_per_msg",
            "router_cpu_us_per_msg",
            "router CPU/msg",
            LOAD_CPU,
        ),
        row(F::ProxyCpu, "proxy_cpu_per_msg", "proxy_cpu_us_per_msg", "proxy CPU/msg", LOAD_CPU),
        row(F::CrossDown, "cross.down", "cross_down_bits_per_s", "download beside", GOODPUT),
        row(F::CrossUp, "cross.up", "cross_up_bits_per_s", "upload beside", GOODPUT),
        row(
            F::ServerRss,
            "server_rss_per_client",
            "server_rss_bytes_per_client",
            "server memory/client",
            SERVER_MEMORY,
        ),
        row(
            F::LoadRss,
            "load_rss_per_client",
            "load_rss_bytes_per_client",
            "load memory/client",
            LOAD_MEMORY,
        ),
        row(
            F::ProxyRss,
            "proxy_rss_per_client",
            "proxy_rss_bytes_per_client",
            "proxy memory/client",
            LOAD_MEMORY,
        ),
        layer(F::BackendWire, "backend_wire_bytes_per_msg", "wire bytes behind proxy/msg"),
        row(F::Lost, "lost", "lost", "lost", COUNT),
        row(F::Delivered, "delivered", "delivered", "delivered", SHARE),
        row(F::Errors, "errors", "errors", "errors", COUNT),
        row(F::Said, "said", "said", "said", COUNT),
        row(F::FanOutP50, "fan_out.p50", "fan_out_p50_us", "fan-out p50", SPAN).at(0.5),
        row(F::FanOutP99, "fan_out.p99", "fan_out_p99_us", "fan-out p99", SPAN).at(0.99),
        row(F::Disordered, "disordered", "disordered", "disordered", COUNT),
        row(F::CutOff, "cut_off", "cut_off", "cut off", COUNT),
        row(F::NotBack, "not_back", "not_back", "not back", COUNT),
        row(F::BackP50, "back.p50", "back_p50_us", "back p50", SPAN).at(0.5),
        row(F::BackP99, "back.p99", "back_p99_us", "back p99", SPAN).at(0.99),
        row(F::BackMax, "back.max", "back_max_us", "back max", SPAN),
        row(F::OpenedPeak, "opened.peak", "opened_peak_per_s", "opened peak", PACE),
        row(F::ServerPeak, "server.peak", "server_peak_cores", "server peak", CORES),
        row(F::Batch, "batch.mean", "messages_per_answer", "messages/answer", MEAN),
        row(F::FreshP99, "fresh.p99", "fresh_p99_us", "fresh p99", DELAY).at(0.99),
    ]
};

const fn layer(figure: Figure, column: &'static str, label: &'static str) -> Row {
    row(figure, column, column, label, LAYER)
}
