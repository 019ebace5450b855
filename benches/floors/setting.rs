//! Arguments, and what they make of each trial.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use pushbench_core::Contender;
use pushbench_core::feed::FeedSpec;
use pushbench_core::payload::{Payload, PayloadKind};
use pushbench_core::sampling::Sampling;
use pushbench_core::schedule::Schedule;
use pushbench_core::units::{ByteSize, Count, Rate, Span};
use pushbench_metrics::record::control::LoadPlan;

use crate::role::Role;

/// How long clients may take to connect.
const CONNECT_LIMIT: Duration = Duration::from_secs(20);

/// How long a long poll is held: longer than any trial, so that only messages answer it.
const HOLD: Duration = Duration::from_secs(60);

/// Load generator and server against bare loops that do the same with nothing else
#[derive(Debug, Clone, Parser)]
#[command(
    name = "floors",
    after_help = "Example:
  cargo bench --bench floors -- --only websocket --repeats 9 --seconds 5s"
)]
pub(crate) struct Args {
    /// Clients of each trial
    #[arg(short, long, default_value = "1000", env = "FLOORS_CLIENTS")]
    pub(crate) clients: Count,
    /// Messages in a unit of time to each client of a stream
    #[arg(short = 'R', long, default_value = "100/s", env = "FLOORS_RATE")]
    pub(crate) rate: Rate,
    /// Messages in a unit of time to each long-polling client
    #[arg(long, default_value = "10/s", env = "FLOORS_LONG_POLL_RATE")]
    pub(crate) long_poll_rate: Rate,
    /// Size of a payload
    #[arg(long, default_value = "64B", env = "FLOORS_PAYLOAD")]
    pub(crate) payload: ByteSize,
    /// Rounds: each plays every contest once
    #[arg(short, long, default_value_t = 5, env = "FLOORS_REPEATS")]
    pub(crate) repeats: u32,
    /// Length of a trial's window
    #[arg(short, long, default_value = "2s", env = "FLOORS_SECONDS")]
    pub(crate) seconds: Span,
    /// Only comparisons whose name contains this
    #[arg(long)]
    pub(crate) only: Option<String>,
    /// Write each trial's figures to this CSV file
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<std::path::PathBuf>,
    /// What a child process plays
    #[arg(long, hide = true)]
    pub(crate) role: Option<Role>,
    /// What cargo says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

impl Args {
    /// The feed of a trial with `contender`.
    pub(crate) fn feed(&self, contender: Contender) -> FeedSpec {
        let rate = if contender == Contender::LONG_POLL { self.long_poll_rate } else { self.rate };
        let bytes = usize::try_from(self.payload.0).unwrap_or(usize::MAX);
        FeedSpec {
            seed: 1,
            schedule: Schedule::Constant { rate },
            payload: Payload::Generated { kind: PayloadKind::Text, bytes },
        }
    }

    /// What server and load generator of a run would stamp.
    pub(crate) fn sampling(&self, contender: Contender) -> Option<Sampling> {
        let clients = u32::try_from(self.clients.0).unwrap_or(u32::MAX);
        let rate = self.feed(contender).schedule.mean_hz()?;
        Some(Sampling::new(clients, 1, rate * self.seconds.0.as_secs_f64()))
    }

    /// The plan of a trial's load process.
    pub(crate) fn load_plan(&self, contender: Contender, target: SocketAddr) -> LoadPlan {
        let clients = u32::try_from(self.clients.0).unwrap_or(u32::MAX);
        LoadPlan {
            long_poll_timeout: HOLD,
            connect_timeout: CONNECT_LIMIT,
            stamps: self.sampling(contender),
            // What a bare receiver has to know; the role decides who is bare, and not this.
            bare: Some(self.feed(contender).payload),
            ..LoadPlan::new(target, contender, clients)
        }
    }
}
