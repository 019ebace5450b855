//! Readings: the figures by which a sweep compares contenders.

use pushbench_core::figure::Unit;
use pushbench_core::price::Price;
use pushbench_core::scenario::Point;
use pushbench_core::{Delivery, Figure};

use crate::judge::figures::Figures;
use crate::judge::money::{self, Usage};
use crate::record::TrialRecord;

/// A cost of a client in a second, whatever arrives in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// CPU time of the server.
    ServerCpu,
    /// Bytes on the wire, both directions.
    WireBytes,
}

/// A figure by which a sweep compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// A cost for each client and second: a poll costs where there is no news, a push costs each
    /// message where it is soon superseded, and both are a bill.
    PerClientSecond(Cost),
    /// Money for each client and month, at the run's prices.
    PerClientMonth,
    /// A figure as it is.
    Of(Figure),
}

impl Reading {
    /// The reading that stands beside a cost, to say what that buys.
    pub const FRESHNESS: Self = Self::Of(Figure::AgeMean);

    /// The other one: how long nearly every client is without nearly every message, or a newer one.
    pub const FRESH_P99: Self = Self::Of(Figure::FreshP99);

    /// Those that compare contenders under `delivery`, where messages were superseded or not: costs
    /// for each message only where each client gets each message, latencies only where none was
    /// superseded, since they are of those that arrived. Money, where there are prices, is first.
    #[must_use]
    pub fn all(delivery: Delivery, supersedes: bool, is_priced: bool) -> Vec<Self> {
        let mut all: Vec<Self> = is_priced.then_some(Self::PerClientMonth).into_iter().collect();
        all.extend([
            Self::PerClientSecond(Cost::ServerCpu),
            Self::PerClientSecond(Cost::WireBytes),
            Self::FRESHNESS,
        ]);
        if !supersedes {
            all.extend([Self::Of(Figure::LatencyP50), Self::Of(Figure::LatencyP99)]);
        }
        if delivery == Delivery::Every {
            all.extend([Self::Of(Figure::ServerCpu), Self::Of(Figure::WireBytes)]);
        }
        all
    }

    /// The name in a file, with its unit.
    #[must_use]
    pub const fn column(self) -> &'static str {
        match self {
            Self::PerClientSecond(Cost::ServerCpu) => "server_cpu_us_per_client_s",
            Self::PerClientSecond(Cost::WireBytes) => "wire_bytes_per_client_s",
            Self::PerClientMonth => "cost_per_client_month",
            Self::Of(figure) => figure.column(),
        }
    }

    /// The unit of its values; `None` of money, which is in the currency of the prices.
    #[must_use]
    pub const fn unit(self) -> Option<Unit> {
        match self {
            Self::PerClientSecond(Cost::ServerCpu) => Some(Unit::Micros),
            Self::PerClientSecond(Cost::WireBytes) => Some(Unit::Bytes),
            Self::PerClientMonth => None,
            Self::Of(figure) => Some(figure.unit()),
        }
    }

    /// Its value in a trial at `point`, whose figures are `figures`; of money at `price`.
    #[must_use]
    pub fn value(
        self,
        trial: &TrialRecord,
        figures: &Figures,
        (point, price): (&Point, Option<&Price>),
    ) -> Option<f64> {
        let cost = match self {
            Self::Of(figure) => return figures.get(figure),
            Self::PerClientMonth => {
                let cost = money::bill(&Usage::of_trial(trial)?, price?).ok()?;
                return Some(cost.total());
            }
            Self::PerClientSecond(Cost::ServerCpu) => {
                trial.resources.server_cpu?.total.as_secs_f64() * 1e6
            }
            Self::PerClientSecond(Cost::WireBytes) => {
                #[expect(clippy::cast_precision_loss, reason = "counts are below 2⁵³")]
                let messages = trial.measured.counters.messages_in_window as f64;
                figures.get(Figure::WireBytes)? * messages
            }
        };
        let seconds = trial.window.duration().as_secs_f64();
        let whole = in_the_long_run(trial, point.rate_hz * seconds);
        (seconds > 0.0).then(|| cost * whole / seconds / f64::from(trial.connected.max(1)))
    }
}

/// The messages that reach a client in the window in the long run, over those that did: one of two
/// seconds has four of a feed of 2.24 a second, or five. Polls come whether there are messages or not.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2⁵³")]
fn in_the_long_run(trial: &TrialRecord, expected: f64) -> f64 {
    let all = trial.measured.counters.messages_in_window as f64;
    let arrived = all / f64::from(trial.connected.max(1));
    let is_rounded = arrived > 0.0 && expected > 0.0 && (arrived - expected).abs() < 1.0;
    if is_rounded && !trial.id.contender.shape().asks() { expected / arrived } else { 1.0 }
}
