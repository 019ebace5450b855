//! Models of what the transports ought to deliver: distributions worked out from first principles,
//! to hold the measured ones against.
//!
//! A model takes only what was measured otherwise or set: the poll period P, the instants at
//! which messages were due (T apart, where evenly), the one-way delay d, the cost of a write. It
//! is never fitted to the latencies that it is compared with. Times are microseconds.
//!
//! - [`Latency`] is the distribution of one transport's latency.
//! - [`law`] has what follows from how messages are spaced: ages, missed messages, empty answers,
//!   for a law in closed form and for the very instants of a trial.
//! - [`Held`] are the means of a client of long polls, from the very instants too.
//! - [`check`] compares a trial with its model, and says what chance can explain.

pub mod check;
mod held;
pub mod law;

use pushbench_core::link::Ways;
use serde::{Deserialize, Serialize};

pub use self::check::Check;
pub use self::held::Held;
pub use self::law::{Dues, Law};

/// The distribution of a transport's latency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Latency {
    /// `delay_us` + uniform on (0, `spread_us`).
    Uniform {
        /// Least latency.
        delay_us: f64,
        /// Greatest latency less the least; 0 is a fixed latency.
        spread_us: f64,
    },
    /// `delay_us` + an exponential of mean `gap_us`, given that it is below `limit_us`.
    Newest {
        /// Least latency.
        delay_us: f64,
        /// Mean of the exponential.
        gap_us: f64,
        /// Greatest latency less the least.
        limit_us: f64,
    },
    /// As [`Uniform`](Self::Uniform), but a share of the messages waits uniformly on
    /// (0, `wait_us`) before.
    Waiting {
        /// Least latency.
        delay_us: f64,
        /// Spread of all messages.
        spread_us: f64,
        /// Longest wait.
        wait_us: f64,
        /// The share of the messages that wait, 0 to 1.
        share: f64,
    },
}

impl Latency {
    /// Short poll under `every`, each `poll_us`: a message is due at any place of the period
    /// alike, and waits for the next poll.
    ///
    /// The period is strict here. Where P is a pause after the response, `poll_us` is P and a
    /// round trip. Source: derived; the wait for the next event of a stationary periodic process
    /// is uniform over its period.
    #[must_use]
    pub const fn short_poll(poll_us: f64, delay_us: f64) -> Self {
        Self::Uniform { delay_us, spread_us: poll_us }
    }

    /// Short poll under `latest`, of the messages that arrive: each is the newest one at a poll,
    /// and newer than the poll before.
    ///
    /// With messages T apart that is uniform on (0, min(T, P)) + d. Of a Poisson feed the age of
    /// the newest is exponential, given that it came within the last period (memorylessness).
    #[must_use]
    pub const fn short_poll_latest(law: Law, poll_us: f64, delay_us: f64) -> Self {
        match law {
            Law::Constant { gap_us } => Self::Uniform { delay_us, spread_us: gap_us.min(poll_us) },
            Law::Poisson { gap_us } => Self::Newest { delay_us, gap_us, limit_us: poll_us },
        }
    }

    /// A stream to `clients` clients that are written to one after another, each write costing
    /// `write_us`: d₀ + uniform on (0, N × the cost of one write).
    #[must_use]
    pub fn stream(clients: u32, write_us: f64, first_us: f64) -> Self {
        Self::Uniform { delay_us: first_us, spread_us: f64::from(clients) * write_us }
    }

    /// Long poll: as a stream, but a message that is due while a client's answer and next request
    /// are under way, a round trip R, waits for that request.
    ///
    /// Two messages ε apart arrive d and d + R − ε after they were due, 3d − ε where both ways take
    /// as long (RFC 6202 §2.2). Messages T apart never meet where T ≥ R, and else come at any place
    /// of R alike, sooner or later ([`Held`] has it for a certain trial). Of a Poisson feed of rate
    /// λ the share that meets is R / (R + e^(−Rλ)/λ): the share of time that requests are under way
    /// (Poisson arrivals see time averages), as each way back and forth is followed by a wait of 1/λ
    /// where nothing came meanwhile.
    #[must_use]
    pub fn long_poll(
        law: Law,
        clients: u32,
        write_us: f64,
        first_us: f64,
        round_trip_us: f64,
    ) -> Self {
        let (spread_us, wait_us) = (f64::from(clients) * write_us, round_trip_us);
        let share = match law {
            Law::Constant { gap_us } if gap_us >= wait_us => 0.0,
            Law::Constant { .. } => 1.0,
            Law::Poisson { gap_us } => wait_us / (wait_us + gap_us * (-wait_us / gap_us).exp()),
        };
        Self::Waiting { delay_us: first_us, spread_us, wait_us, share }
    }

    /// The share of the messages that take at most `us`, 0 to 1.
    #[must_use]
    pub fn cdf(&self, us: f64) -> f64 {
        match *self {
            Self::Uniform { delay_us, spread_us } => uniform_cdf(us - delay_us, spread_us),
            Self::Newest { delay_us, gap_us, limit_us } => {
                let within = (us - delay_us).clamp(0.0, limit_us);
                (-within / gap_us).exp_m1() / (-limit_us / gap_us).exp_m1()
            }
            Self::Waiting { delay_us, spread_us, wait_us, share } => {
                let beyond = us - delay_us;
                let waited = sum_cdf(beyond, spread_us, wait_us);
                (1.0 - share) * uniform_cdf(beyond, spread_us) + share * waited
            }
        }
    }

    /// The latency that a share `quantile` of the messages does not exceed, to 1 part in 10¹².
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> f64 {
        let (mut low, mut high) = (self.min_us(), self.max_us());
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if self.cdf(middle) < quantile {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }

    /// The mean.
    #[must_use]
    pub fn mean_us(&self) -> f64 {
        match *self {
            Self::Uniform { delay_us, spread_us } => delay_us + spread_us / 2.0,
            Self::Newest { delay_us, gap_us, limit_us } => {
                delay_us + gap_us - limit_us / (limit_us / gap_us).exp_m1()
            }
            Self::Waiting { delay_us, spread_us, wait_us, share } => {
                delay_us + spread_us / 2.0 + share * wait_us / 2.0
            }
        }
    }

    /// The least.
    #[must_use]
    pub const fn min_us(&self) -> f64 {
        match *self {
            Self::Uniform { delay_us, .. }
            | Self::Newest { delay_us, .. }
            | Self::Waiting { delay_us, .. } => delay_us,
        }
    }

    /// The greatest.
    #[must_use]
    pub fn max_us(&self) -> f64 {
        match *self {
            Self::Uniform { delay_us, spread_us } => delay_us + spread_us,
            Self::Newest { delay_us, limit_us, .. } => delay_us + limit_us,
            Self::Waiting { delay_us, spread_us, share: 0.0, .. } => delay_us + spread_us,
            Self::Waiting { delay_us, spread_us, wait_us, .. } => delay_us + spread_us + wait_us,
        }
    }
}

/// The one-way delay d of a poll's answer: the network's way down, and half of what a measured round
/// trip is longer than the network's.
#[must_use]
pub fn one_way_us(round_trip_us: Option<f64>, network_us: Ways<f64>) -> f64 {
    let Ways { down, up } = network_us;
    let beside = round_trip_us.map_or(0.0, |round_trip| round_trip - down - up);
    down + beside.max(0.0) / 2.0
}

/// The round trip of a client whose least latency is `first_us`: what that is beside the network's way
/// down takes as long on the way up.
#[must_use]
pub fn round_trip_us(first_us: f64, network_us: Ways<f64>) -> f64 {
    (2.0 * first_us + network_us.up - network_us.down).max(0.0)
}

/// The period of polls that take `busy_us` each, a tick each `poll_us`: a tick that finds a poll
/// outstanding is skipped.
#[must_use]
pub fn period_us(poll_us: f64, busy_us: f64) -> f64 {
    poll_us * (busy_us / poll_us).ceil().max(1.0)
}

/// Of uniform on (0, `spread`); of 0 where that is 0.
fn uniform_cdf(x: f64, spread: f64) -> f64 {
    if spread <= 0.0 {
        return f64::from(u8::from(x >= 0.0));
    }
    (x / spread).clamp(0.0, 1.0)
}

/// Of the sum of two uniforms, on (0, `one`) and (0, `other`): a trapezium's area.
fn sum_cdf(x: f64, one: f64, other: f64) -> f64 {
    let (short, long) = (one.min(other), one.max(other));
    if short <= 0.0 {
        return uniform_cdf(x, long);
    }
    let triangle = |side: f64| side * side / (2.0 * short * long);
    match x {
        x if x <= 0.0 => 0.0,
        x if x <= short => triangle(x),
        x if x <= long => (x - short / 2.0) / long,
        x if x < short + long => 1.0 - triangle(short + long - x),
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests;
