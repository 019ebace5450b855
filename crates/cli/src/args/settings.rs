//! Flags that set a scenario's values: each overrides what the scenario says.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, ColorChoice};
use pushbench_core::feed::payload::PayloadKind;
use pushbench_core::scenario::{Scenario, ScheduleKind, Threshold};
use pushbench_core::units::{ByteSize, Count, Rate, Span};
use pushbench_core::{Contender, Delivery};
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer as _};

use super::coding::CompressionSettings;
use super::known;
use super::security::{CertificateSettings, TlsSettings};

/// The clients, and how long they are watched.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Clients")]
pub(crate) struct ClientArgs {
    /// Subscribers, such as 100 or 5k; may be a list
    #[arg(short, long, value_name = "N", value_delimiter = ',', allow_hyphen_values = true)]
    pub(crate) clients: Vec<Count>,
    /// Transport to measure: short-poll, short-poll-close, short-poll-conditional, long-poll, sse
    /// or websocket (or ws). Behind it +tls, and behind that what it is compressed with: +gzip, of websocket
    /// +deflate or +deflate-takeover. Repeat for several
    #[arg(
        short = 't', long = "transport", value_name = "NAME", value_delimiter = ',',
        value_parser = known::contender(), hide_possible_values = true
    )]
    pub(crate) contenders: Vec<Contender>,
    /// Length of the measured window
    #[arg(short, long, value_name = "TIME")]
    pub(crate) duration: Option<Span>,
    /// How long the feed runs before the window
    #[arg(short, long, value_name = "TIME")]
    pub(crate) warmup: Option<Span>,
    /// Trials of each transport at each point
    #[arg(short, long, value_name = "N")]
    pub(crate) runs: Option<u32>,
    /// Period of short polls; may be a list
    #[arg(long, value_name = "TIME", value_delimiter = ',')]
    pub(crate) poll_interval: Vec<Span>,
    /// How long the server is asked to hold a long poll; may be a list
    #[arg(long, value_name = "TIME", value_delimiter = ',')]
    pub(crate) long_poll_timeout: Vec<Span>,
    /// What clients are promised: every message, or the latest one
    #[arg(
        long, value_name = "every|latest",
        value_parser = known::delivery(), hide_possible_values = true
    )]
    pub(crate) delivery: Option<Delivery>,
    /// Header profile of clients and server: minimal, kaazing-2009, curl, chromium, firefox, or a
    /// file
    #[arg(
        long, visible_alias = "profile", value_name = "PROFILE",
        value_parser = known::profile(), hide_possible_values = true
    )]
    pub(crate) headers: Option<String>,
    /// Bytes of cookies that each request has beside its profile's; may be a list
    #[arg(long, value_name = "N", value_delimiter = ',')]
    pub(crate) cookie_bytes: Vec<Count>,
    #[command(flatten)]
    tls: TlsSettings,
    #[command(flatten)]
    compression: CompressionSettings,
    /// Seed of the feed, of the trials' order and of poll phases
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Count packets on the wire instead of asking the kernel; needs the privilege CAP_NET_RAW,
    /// and leaves the CPU columns empty
    #[arg(long)]
    pub(crate) capture: bool,
    /// Stamp no message along its way: to see what stamping costs
    #[arg(long, hide = true)]
    pub(crate) no_stamps: bool,
    /// What the run must come to, such as `websocket.latency.p99 < 50ms` or `*.lost < 1`; repeat
    /// for several. A broken one ends with status 99
    #[arg(long = "threshold", value_name = "CONDITION")]
    pub(crate) thresholds: Vec<Threshold>,
    /// Keep trials that a busy or stalling machine disturbed, with a warning: their bytes and
    /// deliveries are true, their latencies and CPU times are not the transports' alone
    #[arg(long, env = "PUSHBENCH_ALLOW_BUSY", value_parser = FalseyValueParser::new())]
    pub(crate) allow_busy: bool,
}

/// The feed of a run, and the certificate of the server that publishes it.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Feed")]
pub(crate) struct FeedSettings {
    /// Messages in a unit of time, such as 10/s or 0.5/s; may be a list
    #[arg(short = 'R', long, value_name = "RATE", value_delimiter = ',')]
    pub(crate) rate: Vec<Rate>,
    /// Messages delivered to all clients together in a unit of time, such as 20k/s: each client's
    /// rate is this divided by the clients
    #[arg(long, value_name = "RATE", conflicts_with = "rate")]
    pub(crate) total_rate: Option<Rate>,
    /// Size of a payload, 58B (ticker), 99B (quotes) or 10B to 1MiB; may be a list
    #[arg(long, value_name = "SIZE", value_delimiter = ',')]
    pub(crate) payload: Vec<ByteSize>,
    /// Kind of payload: ticker, quotes, text or binary
    #[arg(long, value_name = "KIND", value_parser = payload_kind)]
    pub(crate) payload_kind: Option<PayloadKind>,
    /// When messages are due: constant, poisson, burst or replay
    #[arg(long, value_name = "KIND", value_parser = schedule_kind)]
    pub(crate) schedule: Option<ScheduleKind>,
    /// Length of a burst
    #[arg(long, value_name = "TIME")]
    pub(crate) on: Option<Span>,
    /// Silence after a burst
    #[arg(long, value_name = "TIME")]
    pub(crate) off: Option<Span>,
    /// Trace to replay: a CSV file with offset_ms,payload, or `earthquakes`
    #[arg(long, value_name = "TRACE")]
    pub(crate) trace: Option<String>,
    /// How many times faster than recorded a trace is replayed; may be a list
    #[arg(long, value_name = "FACTOR", value_delimiter = ',')]
    pub(crate) speed: Vec<f64>,
    #[command(flatten)]
    certificate: CertificateSettings,
    /// Silence of a stream after which the server sends a comment or a ping, such as 15s; 0 sends
    /// none; may be a list
    #[arg(long, value_name = "TIME", value_delimiter = ',')]
    pub(crate) heartbeat: Vec<Span>,
    /// Publish each message so much later than it is due: to see whether that is found
    #[arg(long, hide = true, value_name = "TIME")]
    pub(crate) publish_delay: Option<Span>,
}

/// Where results go and what is shown.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Folder for results
    #[arg(short, long, value_name = "DIR", default_value = "results")]
    pub(crate) out: PathBuf,
    /// Print the run record as JSON on standard output, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    /// Show no progress: no bar, and no lines where standard error is no terminal
    #[arg(long)]
    pub(crate) no_progress: bool,
    /// When results have colours for best, worst and invalid
    #[arg(long, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    pub(crate) color: ColorChoice,
    /// Print only the sentence and the results' folder
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Print a line for each trial on standard error
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

/// The view of trials that run.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct LiveArgs {
    /// Show the trial that runs on the whole terminal: messages, latency, bytes by layer, CPU; q leaves
    /// it and the run goes on
    #[arg(long, conflicts_with_all = ["quiet", "no_progress"])]
    pub(crate) live: bool,
}

/// Places that a run's results go to beside its folder.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct ResultArgs {
    /// Prices, to tell what a client costs a month: a TOML file, or the name of an example to start from,
    /// aws-api-gateway or gcp-e2
    #[arg(long, value_name = "FILE")]
    pub(crate) price: Option<String>,
    /// Write the run record, as run.json, to this file too
    #[arg(long, value_name = "PATH")]
    pub(crate) export_json: Option<PathBuf>,
    /// Write the figures, as summary.csv, to this file too
    #[arg(long, value_name = "PATH")]
    pub(crate) export_csv: Option<PathBuf>,
    /// Write the sentence and the table, as report.md without its pictures, to this file too
    #[arg(long, value_name = "PATH")]
    pub(crate) export_markdown: Option<PathBuf>,
}

impl ResultArgs {
    /// Whether results go to a file beside the run's folder.
    pub(crate) const fn exports(&self) -> bool {
        self.export_json.is_some() || self.export_csv.is_some() || self.export_markdown.is_some()
    }
}

/// The name of a payload kind.
pub(super) fn payload_kind(name: &str) -> Result<PayloadKind, String> {
    one_of(name, "`ticker`, `quotes`, `text` or `binary`")
}

/// The name of a schedule that a run can have.
pub(super) fn schedule_kind(name: &str) -> Result<ScheduleKind, String> {
    one_of(name, "`constant`, `poisson`, `burst` or `replay`")
}

/// A kind by the name that scenarios know it by; else which `names` there are.
fn one_of<T: DeserializeOwned>(name: &str, names: &str) -> Result<T, String> {
    let reader: StrDeserializer<'_, serde::de::value::Error> = name.into_deserializer();
    T::deserialize(reader).map_err(|_| format!("it is {names}"))
}

fn set<T: Clone>(setting: &mut T, flag: Option<&T>) {
    if let Some(value) = flag {
        *setting = value.clone();
    }
}

impl ClientArgs {
    /// Puts the flags that were given in place of the scenario's settings.
    pub(crate) fn apply(&self, scenario: &mut Scenario) {
        scenario.clients.override_with(&self.clients);
        scenario.poll_interval.override_with(&self.poll_interval);
        scenario.long_poll_timeout.override_with(&self.long_poll_timeout);
        scenario.cookie_bytes.override_with(&self.cookie_bytes);
        if !self.contenders.is_empty() {
            scenario.contenders.clone_from(&self.contenders);
        }
        self.tls.apply(&mut scenario.tls);
        self.compression.apply(&mut scenario.compression);
        set(&mut scenario.duration, self.duration.as_ref());
        set(&mut scenario.warmup, self.warmup.as_ref());
        set(&mut scenario.runs, self.runs.as_ref());
        set(&mut scenario.delivery, self.delivery.as_ref());
        set(&mut scenario.headers, self.headers.as_ref());
        set(&mut scenario.seed, self.seed.as_ref());
        scenario.thresholds.override_with(&self.thresholds);
    }
}

impl FeedSettings {
    /// The flag that would change nothing with the schedule of `scenario`, and what to do: whoever
    /// gives it believes that it does.
    pub(crate) fn idle_flag(&self, scenario: &Scenario) -> Option<&'static str> {
        let schedule = scenario.feed.schedule;
        let replays = schedule == ScheduleKind::Replay;
        let bursts = self.on.is_some() || self.off.is_some();
        match () {
            () if bursts && schedule != ScheduleKind::Burst => {
                Some("--on and --off are of bursts; add `--schedule burst`")
            }
            () if !self.speed.is_empty() && !replays => {
                Some("--speed is of replays; add `--trace`")
            }
            () if !self.rate.is_empty() && replays => {
                Some("--rate: a replay brings its own; use `--speed`")
            }
            () if (!self.payload.is_empty() || self.payload_kind.is_some()) && replays => {
                Some("--payload and --payload-kind: what a replay sends is the trace's own")
            }
            () => None,
        }
    }

    /// Puts the flags that were given in place of the scenario's settings.
    pub(crate) fn apply(&self, scenario: &mut Scenario) {
        if self.total_rate.is_some() || !self.rate.is_empty() {
            scenario.total_rate = self.total_rate;
        }
        scenario.rate.override_with(&self.rate);
        scenario.payload.override_with(&self.payload);
        self.certificate.apply(&mut scenario.tls);
        scenario.heartbeat.override_with(&self.heartbeat);
        let feed = &mut scenario.feed;
        feed.speed.override_with(&self.speed);
        set(&mut feed.payload, self.payload_kind.as_ref());
        set(&mut feed.on, self.on.as_ref());
        set(&mut feed.off, self.off.as_ref());
        if self.trace.is_some() {
            feed.trace.clone_from(&self.trace);
            feed.schedule = ScheduleKind::Replay;
        }
        if let Some(schedule) = self.schedule {
            feed.schedule = schedule;
            if schedule != ScheduleKind::Replay {
                feed.trace = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::{CommandFactory as _, Parser as _};
    use pushbench_core::scenario::SETTINGS;
    use serde_json::Value;

    use super::*;
    use crate::args::{Cli, Command};

    /// The keys whose values differ.
    fn changed(one: &Value, other: &Value, key: &str, into: &mut BTreeSet<String>) {
        match (one, other) {
            (Value::Object(ones), Value::Object(others)) => {
                for name in ones.keys().chain(others.keys()) {
                    let get = |table: &serde_json::Map<String, Value>| {
                        table.get(name).cloned().unwrap_or(Value::Null)
                    };
                    let dot = if key.is_empty() { "" } else { "." };
                    changed(&get(ones), &get(others), &format!("{key}{dot}{name}"), into);
                }
            }
            // A table that is left out where nothing is in it.
            (Value::Null, Value::Object(_)) => {
                changed(&Value::Object(serde_json::Map::new()), other, key, into);
            }
            _ if one != other => drop(into.insert(key.to_owned())),
            _ => {}
        }
    }

    /// The keys of a scenario that the flags of `line` change.
    fn keys_set_by(line: &[&str]) -> BTreeSet<String> {
        let cli = Cli::parse_from([&["pushbench", "run"], line].concat());
        let Command::Run(args) = cli.command else { panic!("another command") };
        let (before, mut after) = (Scenario::default(), Scenario::default());
        args.clients.apply(&mut after);
        args.feed.apply(&mut after);
        args.link.apply(&mut after);
        after.via.override_with(&args.via);
        args.subject.apply(&mut after);
        args.talk.apply(&mut after);
        args.life.apply(&mut after);
        args.browser.apply(&mut after);
        let [before, after] = [before, after].map(|it| serde_json::to_value(it).unwrap());
        let mut keys = BTreeSet::new();
        changed(&before, &after, "", &mut keys);
        keys
    }

    /// A value for each flag, none of them the default.
    const VALUES: [(&str, &str); 55] = [
        ("transport", "sse"),
        ("delivery", "latest"),
        ("clients", "7"),
        ("rate", "7/s"),
        ("total-rate", "7/s"),
        ("payload", "70B"),
        ("poll-interval", "7s"),
        ("long-poll-timeout", "7s"),
        ("headers", "curl"),
        ("cookie-bytes", "7"),
        ("warmup", "7s"),
        ("duration", "7s"),
        ("runs", "7"),
        ("seed", "7"),
        ("schedule", "poisson"),
        ("payload-kind", "text"),
        ("on", "7s"),
        ("off", "7s"),
        ("trace", "t"),
        ("speed", "7"),
        ("tls-groups", "secp256r1:X25519"),
        ("tls-certificate", "rsa-2048"),
        ("tls-versions", "1.2"),
        ("tls-cipher", "aes-256-gcm"),
        ("tls-resumption", "false"),
        ("compression-level", "7"),
        ("compression-window-bits", "12"),
        ("compression-threshold", "70B"),
        ("link", "4g"),
        ("delay", "7ms"),
        ("jitter", "7ms"),
        ("loss", "7%"),
        ("loss-burst", "7"),
        ("down", "7Mbit/s"),
        ("up", "7Mbit/s"),
        ("queue", "7ms"),
        ("load-down", "7"),
        ("load-up", "7"),
        ("scope", "shared"),
        ("ip-version", "ipv6"),
        ("via", "nginx"),
        ("subject", "nchan"),
        ("talk", "echo"),
        ("talk-rate", "7/s"),
        ("talk-pace", "poisson"),
        ("room-size", "7"),
        ("heartbeat", "7s"),
        ("restart", "term"),
        ("restart-at", "1s"),
        ("restart-down", "700ms"),
        ("churn", "7/s"),
        ("churn-burst", "7"),
        ("reconnect", "browser"),
        ("client", "chromium"),
        ("threshold", "*.lost < 7"),
    ];

    #[test]
    fn each_flag_sets_its_own_setting_and_takes_a_list_where_that_does() {
        let cli = Cli::command();
        let run = cli.find_subcommand("run").unwrap();
        for setting in &SETTINGS {
            let flag = setting.flag.unwrap_or(setting.key);
            let arg = run.get_arguments().find(|arg| arg.get_long() == Some(flag));
            assert_eq!(arg.is_some(), setting.flag.is_some(), "--{flag}");
            let Some(arg) = arg else { continue };
            assert_eq!(arg.get_value_delimiter().is_some(), setting.takes_list, "--{flag}");
            let (_, value) = VALUES.iter().find(|(of, _)| *of == flag).expect("a value to try");
            let keys = keys_set_by(&[&format!("--{flag}"), value]);
            // A trace is replayed.
            let own = |key: &&String| setting.key != "feed.trace" || *key != "feed.schedule";
            let own: Vec<&str> = keys.iter().filter(own).map(String::as_str).collect();
            let is_own = own.len() == 1 && own[0].starts_with(setting.key);
            assert!(is_own, "--{flag} sets {keys:?}");
        }
    }
}
