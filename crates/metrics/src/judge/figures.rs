//! The rows that users read: one for each trial, and one for each point and transport.
//!
//! In a summary, counts are sums over the valid trials and figures are medians over them; the
//! clients that were connected are those of one trial. A percentile is never averaged with
//! another: the median picks one, or halves the two middle.
//!
//! What messages that were still under way at the end could move is no figure: of it is known only
//! what it is [at least](Figures::at_least).

mod counts;

use pushbench_core::Contender;
use pushbench_core::scenario::Point;

pub use self::counts::Counts;
use crate::judge::stats;
use crate::observe::censored::Bounded;
use crate::observe::ledger::{Layer, Phase};
use crate::record::warning::Invalid;
use crate::record::{CpuSpent, RunRecord, TrialRecord};

/// A measured quantity, under the name of its column.
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
    /// Median time to connect and subscribe.
    ConnectP50,
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
    /// The server's CPU time per message.
    ServerCpu,
    /// The load processes' CPU time per message.
    LoadCpu,
    /// Growth of the server's memory per client.
    ServerRss,
    /// Growth of the load processes' memory per client.
    LoadRss,
}

impl Figure {
    /// All figures, in the order of the columns.
    pub const ALL: [Self; 19] = [
        Self::LatencyMean,
        Self::LatencyP50,
        Self::LatencyP90,
        Self::LatencyP99,
        Self::LatencyP999,
        Self::LatencyMax,
        Self::AgeMean,
        Self::AgeMax,
        Self::ConnectP50,
        Self::PayloadBytes,
        Self::FramingBytes,
        Self::HttpBytes,
        Self::TlsBytes,
        Self::TcpipBytes,
        Self::WireBytes,
        Self::ServerCpu,
        Self::LoadCpu,
        Self::ServerRss,
        Self::LoadRss,
    ];

    /// The column's name, with its unit.
    #[must_use]
    pub const fn column(self) -> &'static str {
        match self {
            Self::LatencyMean => "latency_mean_us",
            Self::LatencyP50 => "latency_p50_us",
            Self::LatencyP90 => "latency_p90_us",
            Self::LatencyP99 => "latency_p99_us",
            Self::LatencyP999 => "latency_p999_us",
            Self::LatencyMax => "latency_max_us",
            Self::AgeMean => "age_mean_us",
            Self::AgeMax => "age_max_us",
            Self::ConnectP50 => "connect_p50_us",
            Self::PayloadBytes => "payload_bytes_per_msg",
            Self::FramingBytes => "framing_bytes_per_msg",
            Self::HttpBytes => "http_bytes_per_msg",
            Self::TlsBytes => "tls_bytes_per_msg",
            Self::TcpipBytes => "tcpip_bytes_per_msg",
            Self::WireBytes => "wire_bytes_per_msg",
            Self::ServerCpu => "server_cpu_us_per_msg",
            Self::LoadCpu => "load_cpu_us_per_msg",
            Self::ServerRss => "server_rss_bytes_per_client",
            Self::LoadRss => "load_rss_bytes_per_client",
        }
    }
}

/// A value for each [`Figure`]; `None` is "not measured", or known only to be at least something.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures([Option<Bounded>; Figure::ALL.len()]);

impl Figures {
    /// The value of `figure`.
    #[must_use]
    pub fn get(&self, figure: Figure) -> Option<f64> {
        self.0[figure as usize]?.exact()
    }

    /// What `figure` is at least, where messages that were still under way keep its value from
    /// being known.
    #[must_use]
    pub fn at_least(&self, figure: Figure) -> Option<f64> {
        self.0[figure as usize]?.at_least()
    }

    /// Takes away each figure of which any of `trials` knows only what it is at least: the others'
    /// values would speak for the better trials alone.
    pub fn retain_comparable(trials: &mut [Self]) {
        for figure in Figure::ALL {
            if trials.iter().any(|trial| trial.at_least(figure).is_some()) {
                trials.iter_mut().for_each(|trial| trial.set(figure, None));
            }
        }
    }

    /// All layers but TCP and IP, per message: what the sockets moved.
    #[must_use]
    pub fn socket_bytes(&self) -> Option<f64> {
        let layers =
            [Figure::PayloadBytes, Figure::FramingBytes, Figure::HttpBytes, Figure::TlsBytes];
        layers.into_iter().map(|figure| self.get(figure)).sum()
    }

    fn set(&mut self, figure: Figure, value: Option<f64>) {
        self.set_bounded(figure, value.map(Bounded::Exactly));
    }

    const fn set_bounded(&mut self, figure: Figure, value: Option<Bounded>) {
        self.0[figure as usize] = value;
    }

    /// The figures of one trial.
    #[must_use]
    pub fn of_trial(trial: &TrialRecord) -> Self {
        let mut figures = Self::default();
        let measured = &trial.measured;
        let latency = measured.latencies();
        figures.set_bounded(Figure::LatencyMean, latency.mean_us());
        figures.set_bounded(Figure::LatencyP50, latency.supported_percentile_us(0.5));
        figures.set_bounded(Figure::LatencyP90, latency.supported_percentile_us(0.9));
        figures.set_bounded(Figure::LatencyP99, latency.supported_percentile_us(0.99));
        figures.set_bounded(Figure::LatencyP999, latency.supported_percentile_us(0.999));
        figures.set_bounded(Figure::LatencyMax, latency.max_us());
        figures.set(Figure::AgeMean, measured.age.mean_us());
        figures.set(Figure::AgeMax, measured.age.max_us());
        figures.set(Figure::ConnectP50, measured.connect.supported_percentile_us(0.5));
        figures.set_bytes(trial);
        figures.set_costs(trial);
        figures
    }

    fn set_bytes(&mut self, trial: &TrialRecord) {
        let messages = trial.measured.counters.messages_in_window;
        let tally = trial.measured.ledger.phase(Phase::Window);
        let columns = [
            (Layer::Payload, Figure::PayloadBytes),
            (Layer::Framing, Figure::FramingBytes),
            (Layer::Http, Figure::HttpBytes),
            (Layer::Tls, Figure::TlsBytes),
        ];
        for (layer, figure) in columns {
            self.set(figure, ratio(tally.layer(layer), messages));
        }
        let tcpip = trial.measured.ledger.tcpip_bytes(Phase::Window);
        self.set(Figure::TcpipBytes, tcpip.and_then(|bytes| ratio(bytes, messages)));
        let wire = self.get(Figure::TcpipBytes).zip(self.socket_bytes());
        self.set(Figure::WireBytes, wire.map(|(tcpip, socket)| tcpip + socket));
    }

    fn set_costs(&mut self, trial: &TrialRecord) {
        let messages = trial.measured.counters.messages_in_window;
        let clients = u64::from(trial.connected);
        let resources = &trial.resources;
        let cpu_us = |cpu: Option<CpuSpent>| {
            let nanos = u64::try_from(cpu?.total.as_nanos()).ok()?;
            Some(ratio(nanos, messages)? / 1e3)
        };
        let per_client = |bytes: Option<u64>| ratio(bytes?, clients);
        self.set(Figure::ServerCpu, cpu_us(resources.server_cpu));
        self.set(Figure::LoadCpu, cpu_us(resources.load_cpu));
        self.set(Figure::ServerRss, per_client(resources.server_rss_growth));
        self.set(Figure::LoadRss, per_client(resources.load_rss_growth));
    }

    /// The median of each figure over those of `trials` that have it; exact where those that are
    /// only at least something cannot move it.
    #[must_use]
    pub fn median(trials: &[Self]) -> Self {
        let mut figures = Self::default();
        for figure in Figure::ALL {
            let bounds = trials.iter().filter_map(|trial| trial.at_least(figure));
            let bounds: Vec<f64> = bounds.collect();
            let known = values(trials, figure);
            let median = |others: &[f64]| stats::median(&[&known, others].concat());
            let (least, most) = (median(&bounds), median(&vec![f64::INFINITY; bounds.len()]));
            figures.set_bounded(
                figure,
                least.map(|least| match most {
                    Some(most) if most == least => Bounded::Exactly(least),
                    _ => Bounded::AtLeast(least),
                }),
            );
        }
        figures
    }
}

fn values(trials: &[Figures], figure: Figure) -> Vec<f64> {
    trials.iter().filter_map(|trial| trial.get(figure)).collect()
}

#[expect(clippy::cast_precision_loss, reason = "bytes, ns and counts are below 2⁵³")]
fn ratio(amount: u64, count: u64) -> Option<f64> {
    (count > 0).then(|| amount as f64 / count as f64)
}

/// A row of `summary.csv`: one transport at one point, over its trials.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The settings.
    pub point: Point,
    /// The transport.
    pub contender: Contender,
    /// Trials that stand, valid or not.
    pub trials: u32,
    /// Whether all of them are valid.
    pub valid: bool,
    /// Sums over the valid trials; of connected clients, those of one of them.
    pub counts: Counts,
    /// Medians over the valid trials.
    pub figures: Figures,
    /// The 95 % interval of the median latency's median; `None` below six trials, and where the
    /// median of any is not known.
    pub latency_p50_interval: Option<(f64, f64)>,
    /// The range of the median latency over the trials; `None` where that of any is not known.
    pub latency_p50_range: Option<(f64, f64)>,
    /// What to know before believing the row, each once.
    pub warnings: Vec<String>,
    /// Why trials were left out, each reason once.
    pub invalid: Vec<Invalid>,
}

/// The rows of a run, by point and then in the order of [`Contender::all`].
#[must_use]
pub fn summarise(record: &RunRecord) -> Vec<Summary> {
    let mut rows = Vec::new();
    for point in &record.points {
        for contender in Contender::all() {
            let trials: Vec<&TrialRecord> = record
                .standing()
                .filter(|trial| trial.id.point == point.id && trial.id.contender == contender)
                .collect();
            if !trials.is_empty() {
                rows.push(Summary::of(point, contender, &trials));
            }
        }
    }
    rows
}

impl Summary {
    fn of(point: &Point, contender: Contender, trials: &[&TrialRecord]) -> Self {
        let valid: Vec<&TrialRecord> = trials.iter().copied().filter(|t| t.is_valid()).collect();
        let figures: Vec<Figures> = valid.iter().map(|trial| Figures::of_trial(trial)).collect();
        let mut comparable = figures.clone();
        Figures::retain_comparable(&mut comparable);
        let medians = values(&comparable, Figure::LatencyP50);
        let warnings = valid.iter().flat_map(|trial| &trial.warnings);
        let invalid = trials.iter().flat_map(|trial| trial.invalid.iter().cloned());
        Self {
            point: point.clone(),
            contender,
            trials: u32::try_from(trials.len()).unwrap_or(u32::MAX),
            valid: valid.len() == trials.len(),
            counts: Counts::of_trials(&valid),
            figures: Figures::median(&figures),
            latency_p50_interval: stats::median_interval_95(&medians),
            latency_p50_range: stats::range(&medians),
            warnings: once_each(warnings.map(|w| format!("{w}; {}", w.remedy()))),
            invalid: once_each(invalid),
        }
    }
}

fn once_each<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut kept = Vec::new();
    for item in items {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}

#[cfg(test)]
mod tests;
