//! Arguments, and the runs that they make.

use std::time::Duration;

use clap::Parser;
use pushbench_core::Contender;
use pushbench_core::feed::payload::PayloadKind;
use pushbench_core::scenario::{Scenario, Values};
use pushbench_core::talk::Pattern;
use pushbench_core::tls::Cipher;
use pushbench_core::units::{ByteSize, Count, Rate, Span};
use pushbench_run::place::{Layout, Spread};
use pushbench_run::player::{Commands, Players, Server};
use pushbench_run::{Plan, Run};

use crate::contest::{Contest, Feed};
use crate::role::Role;

/// How long the feed runs before the window, at least.
const WARMUP: Duration = Duration::from_millis(500);

/// How long a long poll is held: longer than any trial, so that only messages answer it.
const HOLD: Duration = Duration::from_secs(60);

/// The version of TLS, and the cipher, of all that is in TLS: what a browser and a server agree on.
pub(crate) const VERSION: &str = "1.3";
pub(crate) const CIPHER: Cipher = Cipher::Aes128Gcm;

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
    /// Messages in a unit of time that each client says to itself
    #[arg(long, default_value = "10/s", env = "FLOORS_ECHO_RATE")]
    pub(crate) echo_rate: Rate,
    /// Size of a payload
    #[arg(long, default_value = "64B", env = "FLOORS_PAYLOAD")]
    pub(crate) payload: ByteSize,
    /// Size of a payload where messages are compressed, or compared with such
    #[arg(long, default_value = "1KiB", env = "FLOORS_QUOTES")]
    pub(crate) quotes: ByteSize,
    /// Clients that have a compressor each
    #[arg(long, default_value = "100", env = "FLOORS_CONTEXTS")]
    pub(crate) contexts: Count,
    /// Messages in a unit of time to each of these
    #[arg(long, default_value = "40/s", env = "FLOORS_CONTEXTS_RATE")]
    pub(crate) contexts_rate: Rate,
    /// Few clients, which share what it takes to compress a message
    #[arg(long, default_value = "10", env = "FLOORS_FEW_CLIENTS")]
    pub(crate) few_clients: Count,
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
    /// Part that a child process plays
    #[arg(long, hide = true)]
    pub(crate) role: Option<Role>,
    /// Said by cargo to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

impl Args {
    /// The run of a contest: one trial.
    pub(crate) fn run(&self, contest: Contest) -> Run {
        // As many processes as there are parts, which the system may put on any core.
        let layout = Layout::loopback(Spread { servers: Some(1), loads: Some(1), pins: false });
        let plan = Plan::of(self.scenario(contest), None, layout);
        let payload = plan.feed(plan.trials[0]).payload;
        let players = Players {
            server: Server::Children(contest.server.server_player()),
            load: contest.load.load_player(payload),
            chromium: None,
        };
        let commands = Commands {
            server: contest.server.arguments(),
            load: contest.load.arguments(),
            link: Vec::new(),
            cross: Vec::new(),
            program: Vec::new(),
            tied: Vec::new(),
        };
        Run { plan, players, commands }
    }

    /// The clients of a contest, its payloads and their size.
    const fn feed(&self, feed: Feed) -> (Count, PayloadKind, ByteSize) {
        match feed {
            Feed::Text | Feed::Echo | Feed::Room => (self.clients, PayloadKind::Text, self.payload),
            Feed::Quotes => (self.clients, PayloadKind::Quotes, self.quotes),
            Feed::QuotesToSome => (self.contexts, PayloadKind::Quotes, self.quotes),
            Feed::QuotesToFew => (self.few_clients, PayloadKind::Quotes, self.quotes),
        }
    }

    fn rate(&self, Contest { contender, feed, .. }: Contest) -> Rate {
        match feed {
            Feed::QuotesToSome => self.contexts_rate,
            _ if contender == Contender::LONG_POLL => self.long_poll_rate,
            _ => self.rate,
        }
    }

    /// Has clients talk: each to itself, or all to all so that a client hears the rate of a stream.
    fn talk(&self, feed: Feed, scenario: &mut Scenario) {
        let (pattern, rate) = match feed {
            Feed::Echo => (Pattern::Echo, Some(self.echo_rate)),
            Feed::Room => {
                let rate = self.rate.hz() / self.clients.0 as f64;
                (Pattern::Chat, Rate::from_hz(rate))
            }
            _ => return,
        };
        scenario.talk.pattern = Some(Values::One(pattern));
        scenario.talk.rate = Values::One(rate.unwrap_or(Rate::ONE));
        scenario.talk.room_size = Values::One(self.clients);
    }

    fn scenario(&self, contest: Contest) -> Scenario {
        let (clients, payload, bytes) = self.feed(contest.feed);
        let rate = self.rate(contest);
        // Whole gaps, so that each edge of the window is half a gap away from a message.
        let gap = 1.0 / rate.hz();
        let gaps =
            |time: Duration| Span(Duration::from_secs_f64(gap * (time.as_secs_f64() / gap).ceil()));
        let mut scenario = Scenario {
            name: "floors".to_owned(),
            contenders: vec![contest.contender],
            clients: Values::One(clients),
            rate: Values::One(rate),
            payload: Values::One(bytes),
            long_poll_timeout: Values::One(Span(HOLD)),
            warmup: gaps(WARMUP),
            duration: gaps(self.seconds.0),
            runs: 1,
            ..Scenario::default()
        };
        scenario.feed.payload = payload;
        self.talk(contest.feed, &mut scenario);
        scenario.tls.cipher = Values::One(CIPHER);
        scenario.tls.versions = Values::One(VERSION.parse().expect("it is one"));
        scenario
    }
}
