//! Figures: one table of all that a trial is measured by.
//!
//! A figure's row says what thresholds, CSV files and tables call it, in which unit it is, what has
//! to be known to measure it and how runs are compared by it. What a trial has of each is read in
//! one function, where trials are known.
//!
//! ```
//! use pushbench_core::figure::{Figure, Need, Unit};
//!
//! let figure = Figure::named("latency.p99").expect("a threshold may name it");
//! assert_eq!((figure.column(), figure.unit()), ("latency_p99_us", Unit::Micros));
//! assert!(figure.needs(Need::OneClock));
//! ```

/// Samples that must lie beyond a percentile, so that it is one and not the luck of a few.
pub const SAMPLES_BEYOND: f64 = 10.0;

/// A measured quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Figure {
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
    /// Greatest age of information.
    AgeMax,
    /// Median time until TCP has opened a client's connection.
    ConnectP50,
    /// Median time to connect and subscribe.
    ReadyP50,
    /// Median time until a connection that takes up a session of TLS was secured.
    ResumedP50,
    /// TLS bytes that a client sends while it connects, per handshake.
    TlsConnectUp,
    /// TLS bytes that a client gets while it connects, per handshake.
    TlsConnectDown,
    /// Payload bytes per message, both directions.
    PayloadBytes,
    /// Framing bytes per message, both directions.
    FramingBytes,
    /// HTTP bytes per message, both directions.
    HttpBytes,
    /// TLS bytes per message, both directions.
    TlsBytes,
    /// TCP and IP bytes per message, both directions.
    TcpipBytes,
    /// All layers per message, both directions.
    WireBytes,
    /// Bytes of the messages before they are compressed, per message, both directions.
    MessageBytes,
    /// The server's CPU time per message.
    ServerCpu,
    /// The load processes' CPU time per message.
    LoadCpu,
    /// The CPU time of a link's router per message.
    RouterCpu,
    /// The CPU time of a proxy per message.
    ProxyCpu,
    /// The goodput of the downloads beside the feed.
    CrossDown,
    /// The goodput of the uploads beside the feed.
    CrossUp,
    /// Growth of the server's memory per client.
    ServerRss,
    /// Growth of the load processes' memory per client.
    LoadRss,
    /// Growth of a proxy's memory per client.
    ProxyRss,
    /// Messages that were expected and never came.
    Lost,
    /// The share of the expected messages that came.
    Delivered,
    /// Failures.
    Errors,
    /// Messages that clients said.
    Said,
    /// Median time from a message's first hearer in a room to its last.
    FanOutP50,
    /// 99th percentile of that.
    FanOutP99,
    /// Clients that heard their room in another order than others did.
    Disordered,
    /// Times that a client was cut off, or left and was followed by another.
    CutOff,
    /// Those of them after which it was not back by the trial's end.
    NotBack,
    /// Median time until a client that was cut off was back.
    BackP50,
    /// 99th percentile of that.
    BackP99,
    /// Greatest of that: all were back by then.
    BackMax,
    /// Connections begun per second, in the tenth of a second that had most of them.
    OpenedPeak,
    /// Cores that the server was busy with, in the tenth of a second in which that was most.
    ServerPeak,
    /// Messages that an answer to a poll brings, on average, answers without any included.
    Batch,
    /// 99th percentile of the time until a client holds a message that is due, or a newer one.
    FreshP99,
}

/// The unit of a figure's numbers, wherever they stand.
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
    /// Bits each second.
    BitsPerSecond,
    /// Things each second.
    PerSecond,
    /// Cores of the machine.
    Cores,
    /// None: a mean number of things.
    Mean,
}

/// A thing without which a figure cannot be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// One clock for server and clients, whose instants are compared.
    OneClock,
    /// The server's processes, to be known by their ids.
    ServerProcess,
    /// CPU time that is not spent on capturing packets.
    CpuTime,
}

/// The way in which the figures of two runs are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judging {
    /// Not at all: they are shown.
    No,
    /// By the ranks of their trials, together with all others that are: p is adjusted for their
    /// number.
    Ranks,
    /// By the ranges of their trials, where a figure has no noise, so that one trial of each run
    /// tells: it changed where the ranges of the two do not meet.
    Ranges,
}

/// The traits that several figures share.
#[derive(Debug, Clone, Copy)]
struct Kind {
    unit: Unit,
    decimals: usize,
    needs: &'static [Need],
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
struct Row {
    figure: Figure,
    /// The name in a threshold.
    name: &'static str,
    /// The column of the CSV files; of a share, that of its part.
    column: &'static str,
    /// The words beside a value.
    label: &'static str,
    kind: Kind,
    quantile: Option<f64>,
    judging: Judging,
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
const TABLE: [Row; 45] = {
    use Figure as F;
    use Judging::{Ranges, Ranks};
    [
        row(F::LatencyMean, "latency.mean", "latency_mean_us", "latency mean", DELAY),
        row(F::LatencyP50, "latency.p50", "latency_p50_us", "latency p50", DELAY).at(0.5).by(Ranks),
        row(F::LatencyP90, "latency.p90", "latency_p90_us", "latency p90", DELAY).at(0.9),
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

impl Figure {
    /// All figures, in the order in which comparisons list them.
    pub const ALL: [Self; TABLE.len()] = {
        let mut all = [Self::LatencyMean; TABLE.len()];
        let mut place = 0;
        while place < TABLE.len() {
            let row = &TABLE[place];
            assert!(row.figure as usize == place, "the table is in the order of the type");
            all[place] = row.figure;
            place += 1;
        }
        all
    };

    const fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// The figure that a threshold knows by `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.name == name).map(|row| row.figure)
    }

    /// The name in a threshold: `latency.p99`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The column of the CSV files, with its unit: `latency_p99_us`; of a share, that of the number
    /// whose share it is.
    #[must_use]
    pub const fn column(self) -> &'static str {
        self.row().column
    }

    /// The words beside a value: `server CPU/msg`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        self.row().label
    }

    /// The unit of its values.
    #[must_use]
    pub const fn unit(self) -> Unit {
        self.row().kind.unit
    }

    /// Digits behind the point that its column has.
    #[must_use]
    pub const fn decimals(self) -> usize {
        self.row().kind.decimals
    }

    /// Whether it cannot be measured without `need`.
    #[must_use]
    pub fn needs(self, need: Need) -> bool {
        self.row().kind.needs.contains(&need)
    }

    /// The quantile that it is, from 0 to 1; `None` where it is none.
    #[must_use]
    pub const fn quantile(self) -> Option<f64> {
        self.row().quantile
    }

    /// The share of the samples that lie beyond it, where it is a high percentile, which needs
    /// samples there.
    #[must_use]
    pub fn share_beyond(self) -> Option<f64> {
        self.quantile().filter(|quantile| *quantile > 0.5).map(|quantile| 1.0 - quantile)
    }

    /// Whether it is counted: over several trials such a figure is a sum, or the share of one, and
    /// the others are medians.
    #[must_use]
    pub const fn is_counted(self) -> bool {
        matches!(self.unit(), Unit::Count | Unit::Share)
    }

    /// The way in which two runs are judged by it. Of a judged figure less is better.
    #[must_use]
    pub const fn judging(self) -> Judging {
        self.row().judging
    }
}

/// All names, for an error.
pub(crate) fn names() -> String {
    TABLE.map(|row| row.name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_figures_share_a_name_or_a_column() {
        for (index, figure) in Figure::ALL.into_iter().enumerate() {
            assert_eq!(Figure::named(figure.name()), Some(figure));
            let others = &Figure::ALL[index + 1..];
            assert!(others.iter().all(|other| other.column() != figure.column()), "{figure:?}");
        }
    }

    #[test]
    fn a_column_that_names_a_unit_has_it() {
        for figure in Figure::ALL {
            let column = figure.column();
            assert_eq!(column.contains("_us"), figure.unit() == Unit::Micros, "{column}");
            assert_eq!(column.contains("bytes"), figure.unit() == Unit::Bytes, "{column}");
        }
    }
}
