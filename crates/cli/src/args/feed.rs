//! Flags of `pushbench serve`: one feed, without lists.

use clap::Args;
use pushbench_core::feed::FeedSpec;
use pushbench_core::feed::payload::PayloadKind;
use pushbench_core::feed::schedule::Schedule;
use pushbench_core::scenario::{DEFAULT_HEADERS, Scenario, ScheduleKind, Values};
use pushbench_core::units::{ByteSize, Rate, Span};

use super::known;
use super::settings::{payload_kind, schedule_kind};
use crate::exit::Failure;
use crate::scenarios;

/// The feed that a server publishes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Feed")]
pub(crate) struct FeedArgs {
    /// Messages in a unit of time, such as 10/s or 0.5/s
    #[arg(short = 'R', long, value_name = "RATE", default_value = "10/s")]
    rate: Rate,
    /// Size of a payload, 58B (ticker), 99B (quotes) or 10B to 1MiB
    #[arg(long, value_name = "SIZE", default_value = "64B")]
    payload: ByteSize,
    /// Kind of payload: ticker, quotes, text or binary
    #[arg(long, value_name = "KIND", default_value = "ticker", value_parser = payload_kind)]
    payload_kind: PayloadKind,
    /// When messages are due: constant, poisson, burst, replay, or manual (`POST /feed/publish`)
    #[arg(long, value_name = "KIND", default_value = "constant", value_parser = law)]
    schedule: Law,
    /// Length of a burst
    #[arg(long, value_name = "TIME", default_value = "1s")]
    on: Span,
    /// Silence after a burst
    #[arg(long, value_name = "TIME", default_value = "4s")]
    off: Span,
    /// Trace to replay: a CSV file with offset_ms,payload, or `earthquakes`
    #[arg(long, value_name = "TRACE")]
    trace: Option<String>,
    /// How many times faster than recorded a trace is replayed
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    speed: f64,
    /// Header profile of the responses: minimal, kaazing-2009, curl, chromium, firefox, or a file;
    /// its delivery and body size are the clients' and `--payload`'s to choose
    #[arg(
        long, visible_alias = "profile", value_name = "PROFILE", default_value = DEFAULT_HEADERS,
        value_parser = known::profile(), hide_possible_values = true
    )]
    pub(crate) headers: String,
    /// Seed of schedule and payload
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// A schedule, or none.
#[derive(Debug, Clone, Copy)]
enum Law {
    Scheduled(ScheduleKind),
    Manual,
}

fn law(name: &str) -> Result<Law, String> {
    if name == "manual" {
        return Ok(Law::Manual);
    }
    schedule_kind(name).map(Law::Scheduled).map_err(|why| format!("{why}, or `manual`"))
}

impl FeedArgs {
    /// The feed.
    ///
    /// # Errors
    ///
    /// Settings out of range, or a trace that cannot be read.
    pub(crate) fn spec(&self) -> Result<FeedSpec, Failure> {
        let mut scenario = Scenario {
            rate: Values::One(self.rate),
            payload: Values::One(self.payload),
            seed: self.seed,
            ..Scenario::default()
        };
        scenario.feed.payload = self.payload_kind;
        scenario.feed.on = self.on;
        scenario.feed.off = self.off;
        scenario.feed.speed = Values::One(self.speed);
        scenario.feed.trace.clone_from(&self.trace);
        scenario.feed.schedule = match self.schedule {
            Law::Scheduled(kind) => kind,
            Law::Manual => ScheduleKind::Constant,
        };
        if self.trace.is_some() {
            scenario.feed.schedule = ScheduleKind::Replay;
        }
        scenario.check().map_err(Failure::usage)?;
        let trace = scenarios::load_trace(&scenario, None)?;
        let point = &scenario.points(trace.as_ref())[0];
        let mut spec = scenario.feed_spec(point, trace.as_ref());
        if matches!(self.schedule, Law::Manual) {
            spec.schedule = Schedule::Manual;
        }
        spec.schedule.check().map_err(Failure::usage)?;
        Ok(spec)
    }
}

/// A rate above zero.
pub(super) fn above_zero(text: &str) -> Result<Rate, String> {
    let rate: Rate = text.parse().map_err(|error| format!("{error}"))?;
    if rate.hz() > 0.0 { Ok(rate) } else { Err("it must be above zero, such as 1/s".to_owned()) }
}
