//! Flags of `pushbench advise`: one workload in numbers, and what is wanted.

use clap::Args;
use pushbench_core::units::{ByteSize, Count, Rate, Share, Span};
use pushbench_core::{Contender, Delivery};

use super::link::LinkArgs;
use super::processes::ProcessArgs;
use super::settings::{LiveArgs, OutputArgs};
use super::single::of_one_value;

/// `pushbench advise`.
#[derive(Debug, Args)]
#[command(
    mut_args(of_one_value),
    mut_arg("json", |arg| arg.help("Print the advice as JSON on standard output, and nothing else")),
    after_help = "Clients, rate, payload and freshness are asked for where they are missing and this is a terminal.
Exit status is 3 where a contender could not be judged, its trials being invalid.

Examples:
  pushbench advise --clients 1k --rate 10/s --payload 64B --fresh 1s
  pushbench advise -c 5k --rate 0.05/s --payload 1KiB --fresh 30s --delay 40ms --tls
  pushbench advise -c 1k --rate 20/s --payload 64B --fresh 10s --delivery latest --quick
  pushbench advise -c 5k --rate 2/s --payload 300B --fresh 1s --price my-provider.toml
  pushbench advise -c 2k --rate 2/s --payload 300B --fresh 1s --talk-rate 6/m
  pushbench advise -c 500 --rate 2/s --payload 300B --fresh 1s --dry-run"
)]
pub(crate) struct AdviseArgs {
    /// Clients that there will be, such as 5k
    #[arg(short, long, value_name = "N", help_heading = "Workload")]
    pub(crate) clients: Option<Count>,
    /// Messages in a unit of time, such as 2/s or 3/m
    #[arg(short = 'R', long, value_name = "RATE", help_heading = "Workload")]
    pub(crate) rate: Option<Rate>,
    /// Size of a message, such as 300B
    #[arg(long, value_name = "SIZE", help_heading = "Workload")]
    pub(crate) payload: Option<ByteSize>,
    /// How long after it is due a client may be without a message, or a newer one, in 99 of 100 cases
    #[arg(long, value_name = "TIME", help_heading = "Workload")]
    pub(crate) fresh: Option<Span>,
    /// Promise to clients: every message, or the latest one [default: every]
    #[arg(long, value_name = "every|latest", help_heading = "Workload")]
    pub(crate) delivery: Option<Delivery>,
    /// Messages that each client says to the server in a unit of time, such as 6/m, as large as those it hears:
    /// by a request, or on a WebSocket [default: none]
    #[arg(long, value_name = "RATE", help_heading = "Workload")]
    pub(crate) talk_rate: Option<Rate>,
    /// Connections are secured by TLS
    #[arg(long, help_heading = "Workload")]
    pub(crate) tls: bool,
    /// Contender to choose from, such as websocket or websocket+deflate; repeat for several
    /// [default: short-poll, long-poll, sse and websocket, with --tls in TLS]
    #[arg(
        short = 't',
        long = "transport",
        value_name = "NAME",
        value_delimiter = ',',
        conflicts_with = "tls",
        help_heading = "Workload"
    )]
    pub(crate) contenders: Vec<Contender>,
    #[command(flatten)]
    pub(crate) link: LinkArgs,
    /// Prices, to decide by what a client costs a month: a TOML file, or the name of an example to start
    /// from, aws-api-gateway or gcp-e2
    #[arg(long, value_name = "FILE")]
    pub(crate) price: Option<String>,
    /// By how much one has to be cheaper than another for it to matter
    #[arg(long, value_name = "SHARE", default_value = "10%", value_parser = margin)]
    pub(crate) margin: Share,
    /// Time that it may take, at most
    #[arg(long, value_name = "TIME", default_value = "10m")]
    pub(crate) budget: Span,
    /// Take less than two minutes, half a minute more with --talk-rate: the fewest rounds, and no check trials
    #[arg(long)]
    pub(crate) quick: bool,
    /// Length of the measured windows, at least [default: 5s, with --quick 2.5s]
    #[arg(short, long, value_name = "TIME")]
    pub(crate) duration: Option<Span>,
    /// Seed of the feed, of the trials' order and of poll phases
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Keep trials that a busy or stalling machine disturbed
    #[arg(long, env = "PUSHBENCH_ALLOW_BUSY", value_parser = clap::builder::FalseyValueParser::new())]
    pub(crate) allow_busy: bool,
    #[command(flatten)]
    pub(crate) processes: ProcessArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) live: LiveArgs,
    /// Print what would be measured and the time it would take, and stop
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// A margin: above nothing, so that there is something that does not matter, and no multiple.
fn margin(text: &str) -> Result<Share, String> {
    let share: Share = text.parse().map_err(|error| format!("{error}"))?;
    if (0.001..=1.0).contains(&share.0) {
        Ok(share)
    } else {
        Err("it is from 0.1% to 100%, such as 10%".to_owned())
    }
}
