//! `summary.csv` and `trials.csv`: one list of columns, each with its field.

use pushbench_core::contender::{Coding, Security};
use pushbench_core::feed::stamp::LatencyFrom;
use pushbench_core::price::Price;
use pushbench_core::scenario::{Axis, Point};
use pushbench_core::{Contender, Figure};
use pushbench_metrics::judge::figures::{Counts, Figures};
use pushbench_metrics::observe::audit::AuditTotals;
use pushbench_metrics::observe::measured::{Counters, Measured};
use pushbench_metrics::record::{RunRecord, TrialRecord};
use pushbench_protocol::contexts::Contexts;

use super::{Sheet, decimals, point_of};
use crate::rows::blocks;
use crate::{cost, settings};

/// A line of either file before it is text.
struct Line<'a> {
    scenario: &'a str,
    point: &'a Point,
    contender: Contender,
    trials: usize,
    /// Those that its figures are of.
    used: usize,
    valid: bool,
    /// `None` where no trial measured anything.
    counts: Option<Counts>,
    figures: Figures,
    p50_interval: Option<(f64, f64)>,
    p50_range: Option<(f64, f64)>,
    warnings: String,
    /// The instants that latencies are counted from.
    latency_from: Option<LatencyFrom>,
    /// The prices of the run.
    price: Option<&'a Price>,
    /// The cost of a client's month at these.
    cost: Option<f64>,
    /// The trial that a line of `trials.csv` is of.
    trial: Option<&'a TrialRecord>,
}

/// A column with its field; `None` is an empty one.
enum Column {
    Axis(Axis),
    Count(&'static str, fn(&Counts) -> u64),
    Figure(Figure),
    Text(&'static str, fn(&Line<'_>) -> Option<String>),
}

use Column as C;

/// The first columns of both files; those that came later follow at the end of each.
const FIRST: &[Column] = &[
    C::Text("scenario", |line| Some(line.scenario.to_owned())),
    C::Text("point", |line| Some(line.point.id.to_string())),
    C::Text("transport", |line| Some(line.contender.to_string())),
    C::Axis(Axis::Clients),
    C::Axis(Axis::Rate),
    C::Axis(Axis::Payload),
    C::Axis(Axis::PollInterval),
    C::Text("trials", |line| Some(line.trials.to_string())),
    C::Text("valid", |line| Some(line.valid.to_string())),
    C::Text("published", |line| numbered(line, |audit| audit.published)),
    C::Count("expected", |counts| counts.audit.expected),
    C::Count("delivered", |counts| counts.audit.delivered),
    C::Text("lost", |line| numbered(line, |audit| audit.lost)),
    C::Text("duplicated", |line| numbered(line, |audit| audit.duplicated)),
    C::Text("reordered", |line| numbered(line, |audit| audit.reordered)),
    C::Text("superseded", |line| numbered(line, |audit| audit.superseded)),
    C::Figure(Figure::LatencyMean),
    C::Figure(Figure::LatencyP50),
    C::Text("latency_p50_lo_us", |line| end(line.p50_interval?.0)),
    C::Text("latency_p50_hi_us", |line| end(line.p50_interval?.1)),
    C::Figure(Figure::LatencyP90),
    C::Figure(Figure::LatencyP99),
    C::Figure(Figure::LatencyP999),
    C::Figure(Figure::LatencyMax),
    C::Figure(Figure::AgeMean),
    C::Figure(Figure::ConnectP50),
    C::Count("requests", |counts| counts.counters.requests),
    C::Count("empty_responses", |counts| counts.counters.empty_responses),
    C::Figure(Figure::PayloadBytes),
    C::Figure(Figure::FramingBytes),
    C::Figure(Figure::HttpBytes),
    C::Figure(Figure::TlsBytes),
    C::Figure(Figure::TcpipBytes),
    C::Figure(Figure::WireBytes),
    C::Figure(Figure::ServerCpu),
    C::Figure(Figure::LoadCpu),
    C::Figure(Figure::ServerRss),
    C::Figure(Figure::LoadRss),
    C::Text("latency_p50_min_us", |line| end(line.p50_range?.0)),
    C::Text("latency_p50_max_us", |line| end(line.p50_range?.1)),
    C::Count("clients_connected", |counts| counts.connected),
    C::Count("errors", |counts| counts.counters.errors),
    C::Count("reconnects", |counts| counts.counters.reconnects),
    C::Text("warnings", |line| Some(line.warnings.clone())),
    C::Figure(Figure::AgeMax),
];

/// The columns that `trials.csv` adds: the round, the place in the run's order, 2 for a repeat, and
/// why it is not valid.
const OF_A_TRIAL: &[Column] = &[
    C::Text("trial", |line| Some(line.trial?.id.round.to_string())),
    C::Text("order", |line| Some(line.trial?.order.to_string())),
    C::Text("attempt", |line| Some(line.trial?.attempt.to_string())),
    C::Text("invalid", |line| {
        let reasons = line.trial?.invalid.iter().map(ToString::to_string);
        Some(reasons.collect::<Vec<_>>().join("; "))
    }),
];

/// The columns that came later to both files.
const LATER: &[Column] = &[
    C::Text("late", |line| numbered(line, |audit| audit.late)),
    C::Axis(Axis::LongPollTimeout),
    C::Axis(Axis::CookieBytes),
    C::Axis(Axis::Speed),
    C::Text("trials_used", |line| Some(line.used.to_string())),
    C::Axis(Axis::TlsGroups),
    C::Axis(Axis::TlsCertificate),
    C::Axis(Axis::TlsVersions),
    C::Axis(Axis::TlsCipher),
    C::Axis(Axis::TlsResumption),
    C::Axis(Axis::CompressionLevel),
    C::Axis(Axis::CompressionWindow),
    C::Axis(Axis::CompressionThreshold),
    C::Text("tls_handshakes", |line| handshakes(line, |counters| counters.handshakes)),
    C::Text("tls_resumed", |line| handshakes(line, |counters| counters.resumed)),
    C::Figure(Figure::TlsConnectUp),
    C::Figure(Figure::TlsConnectDown),
    C::Figure(Figure::MessageBytes),
    C::Text("server_context_bytes_per_client", |line| {
        context_bytes(
            line,
            Contexts::of_server(line.contender, line.point.compression.deflate().ok()?),
        )
    }),
    C::Text("load_context_bytes_per_client", |line| {
        context_bytes(line, Contexts::of_load(line.contender))
    }),
    C::Axis(Axis::LinkName),
    C::Axis(Axis::Delay),
    C::Axis(Axis::Jitter),
    C::Axis(Axis::Loss),
    C::Axis(Axis::LossBurst),
    C::Axis(Axis::DownRate),
    C::Axis(Axis::UpRate),
    C::Axis(Axis::Queue),
    C::Figure(Figure::RouterCpu),
    C::Figure(Figure::ReadyP50),
    C::Axis(Axis::LoadDown),
    C::Axis(Axis::LoadUp),
    C::Figure(Figure::CrossDown),
    C::Figure(Figure::CrossUp),
    C::Axis(Axis::IpVersion),
    C::Figure(Figure::ResumedP50),
    C::Text("latency_from", |line| {
        line.counts.and(line.latency_from).map(|from| from.name().to_owned())
    }),
    C::Figure(Figure::ProxyCpu),
    C::Figure(Figure::ProxyRss),
    C::Axis(Axis::Via),
    C::Axis(Axis::Subject),
    C::Axis(Axis::Talk),
    C::Axis(Axis::TalkRate),
    C::Axis(Axis::RoomSize),
    C::Figure(Figure::Said),
    C::Figure(Figure::FanOutP50),
    C::Figure(Figure::FanOutP99),
    C::Figure(Figure::Disordered),
    C::Axis(Axis::Heartbeat),
    C::Axis(Axis::Restart),
    C::Axis(Axis::RestartDown),
    C::Axis(Axis::Churn),
    C::Axis(Axis::ChurnBurst),
    C::Axis(Axis::Reconnect),
    C::Figure(Figure::CutOff),
    C::Figure(Figure::NotBack),
    C::Figure(Figure::BackP50),
    C::Figure(Figure::BackP99),
    C::Figure(Figure::BackMax),
    C::Figure(Figure::OpenedPeak),
    C::Figure(Figure::ServerPeak),
    C::Figure(Figure::Batch),
    C::Axis(Axis::Client),
    C::Figure(Figure::BackendWire),
    C::Figure(Figure::LatencyP95),
    C::Text("price", |line| Some(line.price?.name.clone())),
    C::Text("currency", |line| Some(line.price?.currency()?.to_string())),
    C::Text("cost_per_client_month", |line| Some(decimals(line.cost, super::money::DECIMALS))),
    C::Figure(Figure::FreshP99),
];

/// A count that messages without a number say nothing of.
fn numbered(line: &Line<'_>, count: fn(&AuditTotals) -> u64) -> Option<String> {
    let audit = line.counts?.audit;
    audit.is_numbered().then(|| count(&audit).to_string())
}

/// Memory of compression's contexts for each client, where there is a coding.
fn context_bytes(line: &Line<'_>, contexts: Contexts) -> Option<String> {
    let coded = line.contender.stack.coding != Coding::None;
    coded.then(|| contexts.per_client(line.point.clients).to_string())
}

impl Column {
    fn name(&self) -> &'static str {
        match self {
            Self::Axis(axis) => axis.column(),
            Self::Figure(figure) => figure.column(),
            Self::Count(name, _) | Self::Text(name, _) => name,
        }
    }

    fn field(&self, line: &Line<'_>) -> String {
        let field = match self {
            Self::Axis(axis) => settings::field(*axis, line.point, line.contender),
            Self::Count(_, count) => line.counts.as_ref().map(|counts| count(counts).to_string()),
            Self::Figure(figure) => {
                return decimals(line.figures.get(*figure), figure.decimals());
            }
            Self::Text(_, text) => text(line),
        };
        field.unwrap_or_default()
    }
}

/// A count of handshakes; in clear there are none to count.
fn handshakes(line: &Line<'_>, count: fn(&Counters) -> u64) -> Option<String> {
    let is_secured = line.contender.stack.security == Security::Tls;
    line.counts.filter(|_| is_secured).map(|counts| count(&counts.counters).to_string())
}

/// An end of an interval or a range of latencies.
fn end(us: f64) -> Option<String> {
    Some(decimals(Some(us), Figure::LatencyP50.decimals()))
}

/// A file of such lines.
fn file<'a>(parts: &[&[Column]], lines: impl Iterator<Item = Line<'a>>) -> Vec<u8> {
    let columns = || parts.iter().copied().flatten();
    let mut sheet = Sheet::new(&columns().map(Column::name).collect::<Vec<_>>());
    lines.for_each(|line| sheet.line(columns().map(|column| column.field(&line))));
    sheet.finish()
}

/// `summary.csv`: a line for each point and transport.
#[must_use]
pub fn summary(record: &RunRecord) -> Vec<u8> {
    let blocks = blocks(record);
    let lines = blocks.iter().flat_map(|block| &block.rows).map(|row| {
        let summary = &row.summary;
        Line {
            scenario: &record.scenario.name,
            point: &summary.point,
            contender: summary.contender,
            trials: summary.trials as usize,
            used: row.trials.len(),
            valid: summary.valid,
            counts: row.has_figures().then_some(summary.counts),
            figures: summary.figures,
            p50_interval: summary.latency_p50_interval,
            p50_range: summary.latency_p50_range,
            warnings: warnings(&row.trials),
            latency_from: Some(row.latency_from()),
            price: record.price.as_ref(),
            cost: row.cost().map(|cost| cost.middle),
            trial: None,
        }
    });
    file(&[FIRST, LATER], lines)
}

/// `trials.csv`: a line for each trial in the order in which they ran, invalid ones too.
pub(crate) fn trials(record: &RunRecord) -> Vec<u8> {
    let lines = record.trials.iter().filter_map(|trial| {
        let figures = Figures::of_trial(trial);
        let p50 = figures.get(Figure::LatencyP50);
        // A trial whose load process died has measured nothing; the zeros in it are no counts.
        let measured = trial.measured != Measured::default();
        Some(Line {
            scenario: &record.scenario.name,
            point: point_of(record, trial.id.point)?,
            contender: trial.id.contender,
            trials: 1,
            used: usize::from(trial.is_valid()),
            valid: trial.is_valid(),
            counts: measured.then(|| Counts::of_trial(trial)),
            figures,
            p50_interval: None,
            p50_range: p50.zip(p50),
            warnings: warnings(&[trial]),
            latency_from: Some(trial.latency_from),
            price: record.price.as_ref(),
            cost: cost::of_trial(record.price.as_ref(), trial),
            trial: Some(trial),
        })
    });
    file(&[FIRST, OF_A_TRIAL, LATER], lines)
}

/// The warnings of `trials`, each text once.
fn warnings(trials: &[&TrialRecord]) -> String {
    let mut texts: Vec<String> = Vec::new();
    for warning in trials.iter().flat_map(|trial| &trial.warnings) {
        let text = warning.to_string();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `docs/COLUMNS.md` is held against the columns, so that each figure is on the page too.
    #[test]
    fn each_figure_and_each_axis_is_a_column() {
        let names: Vec<&str> = FIRST.iter().chain(LATER).map(Column::name).collect();
        let figures = Figure::ALL.map(Figure::column);
        let axes = Axis::ALL.map(Axis::column);
        for column in figures.iter().chain(&axes) {
            assert_eq!(names.iter().filter(|name| *name == column).count(), 1, "{column}");
        }
    }
}
