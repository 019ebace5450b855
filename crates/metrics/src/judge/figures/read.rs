//! The value of each figure in one trial.

use pushbench_core::Figure;
use pushbench_core::contender::Coding;

use super::Counts;
use crate::observe::censored::{Bounded, Censored};
use crate::observe::ledger::{Direction, Layer, Phase, Tally};
use crate::observe::served::ServedBytes;
use crate::record::{CpuTime, TrialRecord};

/// The figure of a layer's bytes per message.
#[must_use]
pub const fn of_layer(layer: Layer) -> Figure {
    match layer {
        Layer::Payload => Figure::PayloadBytes,
        Layer::Framing => Figure::FramingBytes,
        Layer::Http => Figure::HttpBytes,
        Layer::Tls => Figure::TlsBytes,
        Layer::Tcpip => Figure::TcpipBytes,
    }
}

/// A trial whose figures are read.
pub(super) struct Reader<'a> {
    trial: &'a TrialRecord,
    latency: Censored<'a, 3>,
}

impl<'a> Reader<'a> {
    pub(super) fn of(trial: &'a TrialRecord) -> Self {
        Self { trial, latency: trial.measured.latencies() }
    }

    /// The value of `figure`, or what it is at least; `None` where it was not measured.
    pub(super) fn read(&self, figure: Figure) -> Option<Bounded> {
        let (measured, resources) = (&self.trial.measured, &self.trial.resources);
        let value = match figure {
            Figure::LatencyMean => return self.latency.mean_us(),
            Figure::LatencyMax => return self.latency.max_us(),
            Figure::LatencyP50
            | Figure::LatencyP90
            | Figure::LatencyP95
            | Figure::LatencyP99
            | Figure::LatencyP999 => {
                return self.latency.supported_percentile_us(figure.quantile()?);
            }
            Figure::FreshP99 => return measured.fresh_us(figure.quantile()?),
            Figure::AgeMean => measured.age.mean_us(),
            Figure::AgeMax => measured.age.max_us(),
            Figure::ConnectP50 => measured.tcp_open.supported_percentile_us(figure.quantile()?),
            Figure::ReadyP50 => measured.connect.supported_percentile_us(figure.quantile()?),
            Figure::ResumedP50 => measured.resumed.supported_percentile_us(figure.quantile()?),
            Figure::TlsConnectUp => self.tls_connecting(Direction::Up),
            Figure::TlsConnectDown => self.tls_connecting(Direction::Down),
            Figure::PayloadBytes => self.at_socket(Layer::Payload),
            Figure::FramingBytes => self.at_socket(Layer::Framing),
            Figure::HttpBytes => self.at_socket(Layer::Http),
            Figure::TlsBytes => self.at_socket(Layer::Tls),
            Figure::TcpipBytes => self.tcpip(),
            Figure::WireBytes => self.wire(),
            Figure::MessageBytes => self.before_coding(),
            Figure::ServerCpu => self.cpu_us(resources.server_cpu),
            Figure::LoadCpu => self.cpu_us(resources.load_cpu),
            Figure::RouterCpu => self.cpu_us(resources.router_cpu),
            Figure::ProxyCpu => self.cpu_us(resources.proxy_cpu),
            Figure::CrossDown => self.cross(Direction::Down),
            Figure::CrossUp => self.cross(Direction::Up),
            Figure::ServerRss => self.per_client(resources.server_rss_growth),
            Figure::LoadRss => self.per_client(resources.load_rss_growth),
            Figure::BackendWire => self.backend(),
            Figure::ProxyRss => self.per_client(resources.proxy_rss_growth),
            Figure::FanOutP50 | Figure::FanOutP99 => {
                let heard = measured.heard.as_ref()?;
                heard.fan_out.supported_percentile_us(figure.quantile()?)
            }
            Figure::BackP50 | Figure::BackP99 => {
                measured.away.as_ref()?.back_us(figure.quantile()?)
            }
            Figure::BackMax => measured.away.as_ref()?.all_back_us(),
            Figure::OpenedPeak => Some(measured.away.as_ref()?.opened_peak()),
            Figure::Batch => self.batch(),
            Figure::ServerPeak => self.trial.course.as_ref()?.busiest(),
            Figure::Lost
            | Figure::Delivered
            | Figure::Errors
            | Figure::Said
            | Figure::Disordered
            | Figure::CutOff
            | Figure::NotBack => Counts::of_trial(self.trial).figure(figure),
        };
        value.map(Bounded::Exactly)
    }

    fn per_message(&self, amount: u64) -> Option<f64> {
        ratio(amount, self.trial.measured.counters.messages_in_window)
    }

    /// The messages before they were compressed; nothing where they are not.
    fn before_coding(&self) -> Option<f64> {
        let is_coded = self.trial.id.contender.stack.coding != Coding::None;
        if is_coded { self.per_message(self.window().messages()) } else { None }
    }

    /// Messages in an answer; nothing of a stream, which has no answers.
    fn batch(&self) -> Option<f64> {
        let counters = &self.trial.measured.counters;
        let polls = !self.trial.id.contender.shape().streams();
        if polls { ratio(counters.messages_in_window, counters.requests) } else { None }
    }

    const fn window(&self) -> &Tally {
        self.trial.measured.ledger.phase(Phase::Window)
    }

    fn at_socket(&self, layer: Layer) -> Option<f64> {
        // A browser does not tell its bytes by layer, nor does its server's kernel.
        if self.trial.browser.is_some() {
            return None;
        }
        self.per_message(self.window().layer(layer))
    }

    fn tls_connecting(&self, direction: Direction) -> Option<f64> {
        let measured = &self.trial.measured;
        let bytes = measured.ledger.phase(Phase::Connect).get(direction, Layer::Tls);
        ratio(bytes, measured.counters.handshakes_connecting)
    }

    fn tcpip(&self) -> Option<f64> {
        if self.trial.browser.is_some() {
            return self.per_message(self.browsers()?.tcpip_bytes());
        }
        self.per_message(self.trial.measured.ledger.tcpip_bytes(Phase::Window)?)
    }

    /// The bytes of a browser, as the server that it is connected to counts them.
    fn browsers(&self) -> Option<&ServedBytes> {
        self.trial.server.as_ref()?.served.as_ref().filter(|_| self.trial.proxy.is_none())
    }

    /// The bytes between a proxy and the server behind it.
    fn backend(&self) -> Option<f64> {
        self.trial.proxy.as_ref()?;
        self.per_message(self.trial.server.as_ref()?.served.as_ref()?.wire_bytes())
    }

    fn wire(&self) -> Option<f64> {
        if self.trial.browser.is_some() {
            return self.per_message(self.browsers()?.wire_bytes());
        }
        let socket = Layer::AT_SOCKET.into_iter().map(|layer| self.at_socket(layer));
        Some(self.tcpip()? + socket.sum::<Option<f64>>()?)
    }

    fn cpu_us(&self, cpu: Option<CpuTime>) -> Option<f64> {
        let nanos = u64::try_from(cpu?.total.as_nanos()).ok()?;
        Some(self.per_message(nanos)? / 1e3)
    }

    fn cross(&self, direction: Direction) -> Option<f64> {
        self.trial.cross.as_ref()?.bits_per_s(direction, self.trial.window.duration())
    }

    fn per_client(&self, bytes: Option<u64>) -> Option<f64> {
        ratio(bytes?, u64::from(self.trial.connected))
    }
}

#[expect(clippy::cast_precision_loss, reason = "bytes, ns and counts are below 2⁵³")]
fn ratio(amount: u64, count: u64) -> Option<f64> {
    (count > 0).then(|| amount as f64 / count as f64)
}
