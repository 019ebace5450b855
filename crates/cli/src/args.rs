//! What users can say on the command line.

mod advise;
mod browser;
mod capacity;
mod coding;
mod compare;
mod feed;
mod headers;
mod history;
mod known;
mod life;
mod link;
mod processes;
mod rules;
mod security;
mod settings;
mod single;
mod subject;
mod talk;

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use pushbench_core::proxy::Via;
use pushbench_core::units::{Count, Rate, Span};
use pushbench_server::PublishToken;
use pushbench_server::access::{AllowedHost, AllowedOrigin};

pub(crate) use self::advise::AdviseArgs;
pub(crate) use self::browser::BrowserArgs;
pub(crate) use self::capacity::CapacityArgs;
use self::coding::ServerCodingArgs;
pub(crate) use self::compare::{CompareArgs, Format};
pub(crate) use self::feed::FeedArgs;
pub(crate) use self::headers::HeadersArgs;
pub(crate) use self::history::HistoryArgs;
pub(crate) use self::life::LifeArgs;
pub(crate) use self::link::{EnterArgs, JoinArgs, LinkArgs};
pub(crate) use self::processes::ProcessArgs;
use self::rules::RuleArgs;
use self::security::{ServerTlsArgs, TrustArgs};
pub(crate) use self::settings::{ClientArgs, FeedSettings, LiveArgs, OutputArgs, ResultArgs};
pub(crate) use self::subject::{SubjectArgs, SubjectsArgs, SubjectsCommand};
pub(crate) use self::talk::TalkArgs;

/// Measures short polling, long polling, server-sent events and WebSocket on one feed.
///
/// pushbench starts a server and load generators of its own, sends one and the same feed through
/// each transport, and reports what each delivered and what it cost: latency from the instant a
/// message was due, age of information, bytes by layer, CPU and memory, and loss.
#[derive(Debug, Parser)]
#[command(
    version,
    arg_required_else_help = true,
    after_help = "Examples:
  pushbench run                                     compare all transports in under a minute
  pushbench run ticker -c 500 -d 20s                a thousand users' price ticker, changed
  pushbench run --rate 1/s,10/s,100/s -t websocket -t sse
  pushbench serve --port 8080 --rate 5/s            only the server
  pushbench load --target http://127.0.0.1:8080 -t websocket -c 500 -d 5s
  pushbench link --delay 40ms --server 'pushbench serve --host 10.0.0.1' -- bash
  pushbench advise -c 5k --rate 2/s --payload 300B --fresh 1s
                                                    which transport to take for these numbers
  pushbench headers --reproduce                     \"871 bytes of headers against 2\", to the byte
  pushbench compare results/BEFORE results/AFTER    what changed, and is it more than noise
  pushbench capacity --objective 'latency.p99 < 50ms'   how many clients each transport serves
  pushbench doctor                                  what this machine can measure

Exit status: 0 done; 1 failed while running; 2 bad arguments or scenario; 3 done, but the
measurement is invalid (a threshold says nothing then); 99 done, but a threshold is broken; 130
interrupted."
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run scenarios: start a server, put load on it through each transport, compare
    Run(Box<RunArgs>),
    /// Say which transport to take for your numbers, and what would change the answer
    Advise(Box<AdviseArgs>),
    /// Run the server alone, with its feed
    Serve(Box<ServeArgs>),
    /// Run the load generator alone, against a running server
    Load(Box<LoadArgs>),
    /// Emulate a link between any two programs: delay, loss, a thin line
    Link(JoinArgs),
    /// Run a program at one side of a link that `pushbench link` keeps up
    Enter(EnterArgs),
    /// Measure what HTTP headers cost for each message, to the byte, layer by layer
    Headers(HeadersArgs),
    /// Show what changed between two runs, and whether it is more than noise
    Compare(CompareArgs),
    /// Find the most load that still meets an objective, and what gives out first
    Capacity(Box<CapacityArgs>),
    /// Show a figure over many runs: how noisy each was, and what changed
    History(HistoryArgs),
    /// Say what this machine can measure, and what to change
    Doctor(DoctorArgs),
    /// Rebuild tables, charts and the page from a run's record
    Report(ReportArgs),
    /// List the built-in scenarios, or show one
    Scenarios(ScenariosArgs),
    /// List the servers that a run can start, and say which are installed
    Subjects(SubjectsArgs),
    /// Print shell completions
    #[command(after_help = "Example:
  pushbench completions bash > ~/.local/share/bash-completion/completions/pushbench")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the man page
    #[command(after_help = "Example:\n  pushbench man | man -l -")]
    Man,
    /// The server child of a run.
    #[command(hide = true)]
    WorkerServer,
    /// A load child of a run.
    #[command(hide = true)]
    WorkerLoad,
    /// The router of a run's link.
    #[command(hide = true)]
    WorkerLink,
    /// One of the two that fill a link's line beside the feed.
    #[command(hide = true)]
    WorkerCross,
    /// The clients of `headers`.
    #[command(hide = true)]
    WorkerHeaders,
    /// The guardian of a program that is somebody else's.
    #[command(hide = true)]
    WorkerProgram,
    /// Such a program, before it is one.
    #[command(hide = true)]
    WorkerTied {
        /// The process that it ends with
        parent: u32,
        /// The program and its arguments
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
}

/// `pushbench run`.
#[derive(Debug, Args)]
#[command(after_help = "Any number may be a list (`--rate 1/s,10/s`); the points are the product.

Examples:
  pushbench run
  pushbench run ticker -d 10s
  pushbench run my-feed.toml --runs 6 --out /tmp/results
  pushbench run results/latest
  pushbench run --rate 1/s,10/s,100/s -t websocket -t short-poll --dry-run
  pushbench run --rate 0.5/s,1/s,5/s,20/s --refine
  pushbench run --threshold 'websocket.latency.p99 < 50ms' --threshold '*.lost < 1'
  pushbench run ticker -t websocket -t websocket+tls --tls-certificate rsa-2048
  pushbench run ticker --headers chromium --cookie-bytes 0,400
  pushbench run --via direct,nginx,nginx-default
  pushbench run --subject pushbench,nchan,./my-server.toml --trust
  pushbench run -c 10 --client native,chromium
  pushbench run chat --talk-rate 0.5/s,2/s --room-size 10,100
  pushbench run quick --price aws-api-gateway --export-markdown summary.md
  pushbench run idle --json | jq '.trials[].measured.counters'")]
pub(crate) struct RunArgs {
    /// Scenario files, names of built-in scenarios, or the folder of a run, which is repeated [default: quick]
    #[arg(value_name = "SCENARIO", value_parser = known::scenario(), hide_possible_values = true)]
    pub(crate) scenarios: Vec<String>,
    #[command(flatten)]
    pub(crate) clients: ClientArgs,
    #[command(flatten)]
    pub(crate) feed: FeedSettings,
    #[command(flatten)]
    pub(crate) link: LinkArgs,
    /// Proxy between clients and server: direct, nginx, haproxy, apache, caddy, or one as it is by
    /// default, such as nginx-default; may be a list [default: direct]
    #[arg(
        long, value_name = "NAME", value_delimiter = ',', help_heading = "Link",
        value_parser = known::via(), hide_possible_values = true
    )]
    pub(crate) via: Vec<Via>,
    #[command(flatten)]
    pub(crate) subject: SubjectArgs,
    #[command(flatten)]
    pub(crate) talk: TalkArgs,
    #[command(flatten)]
    pub(crate) life: LifeArgs,
    #[command(flatten)]
    pub(crate) browser: BrowserArgs,
    #[command(flatten)]
    pub(crate) processes: ProcessArgs,
    /// Server processes, all with the same feed, each on its own port [default: one, or as many as
    /// the limit of open files asks for]
    #[arg(long, value_name = "N", value_parser = processes::processes(), help_heading = "Processes")]
    pub(crate) server_processes: Option<u64>,
    /// Packets in a second that the router of a link moves, such as 50k; a run with more is refused
    /// [default: tried before the run]
    #[arg(long, value_name = "N", help_heading = "Link")]
    pub(crate) router_packets: Option<Count>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) live: LiveArgs,
    /// After the rounds of a list of numbers, add points between two of them where two transports
    /// cross, to say more exactly where: up to six, each with its rounds
    #[arg(long)]
    pub(crate) refine: bool,
    #[command(flatten)]
    pub(crate) results: ResultArgs,
    /// Print the plan and the time it will take, with --json as JSON, and stop
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// `pushbench serve`.
#[derive(Debug, Args)]
#[command(after_help = "Prints one line with its address on standard output once it listens.

Examples:
  pushbench serve --port 8080 --rate 5/s
  pushbench serve --port 0 --schedule replay --trace earthquakes --speed 6000
  pushbench serve --schedule manual
  pushbench serve --tls --port 8443
  curl -d 'hello' http://127.0.0.1:8080/feed/publish")]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) feed: FeedArgs,
    /// Address of this machine to listen on; 0.0.0.0 is all of them
    #[arg(long, default_value = "127.0.0.1", value_parser = host)]
    pub(crate) host: IpAddr,
    /// Port to listen on; 0 picks a free one
    #[arg(long, default_value_t = 8080)]
    pub(crate) port: u16,
    /// Token that `POST /feed/publish` must carry as `Authorization: Bearer TOKEN`; needed off
    /// loopback
    #[arg(long, value_name = "TOKEN", env = "PUSHBENCH_PUBLISH_TOKEN", hide_env_values = true)]
    pub(crate) publish_token: Option<PublishToken>,
    /// Host that requests over loopback may be for, such as dev.example, beside localhost and
    /// loopback addresses (repeatable)
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<AllowedHost>,
    /// Origin whose pages may use the server, such as `http://dev.example:3000`, beside its own; `*`
    /// for every one (repeatable)
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) allow_origin: Vec<AllowedOrigin>,
    /// Have each message say when it is due, as "at": microseconds since 1970, in ticker's JSON and in
    /// no more bytes
    #[arg(long)]
    pub(crate) stamp: bool,
    /// Messages that one client may say in rooms in a unit of time, twice as many at once
    #[arg(long, value_name = "RATE", default_value = "200/s", value_parser = feed::above_zero)]
    pub(crate) say_limit: Rate,
    /// Silence of a stream after which it gets a comment or a ping; 0 sends none
    #[arg(long, value_name = "TIME", default_value = "15s")]
    pub(crate) heartbeat: Span,
    #[command(flatten)]
    pub(crate) tls: ServerTlsArgs,
    #[command(flatten)]
    pub(crate) coding: ServerCodingArgs,
}

/// An address to listen on: no name is looked up, since it may have several.
fn host(text: &str) -> Result<IpAddr, String> {
    if text == "localhost" {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    text.parse()
        .map_err(|_| "it is an IP address, such as 127.0.0.1, or 0.0.0.0 for all".to_owned())
}

/// `pushbench load`.
#[derive(Debug, Args)]
#[command(
    after_help = "Rate, payload and schedule are the server's: it says them in GET /feed. Without -t the transports
of `quick` are measured. With --seq or --no-seq the target is an application: its messages are
found by rules.

Examples:
  pushbench load --target http://127.0.0.1:8080 -t websocket -c 500 -d 5s
  pushbench load --target http://127.0.0.1:8080 --server-pid 4242 --runs 6
  pushbench load --target https://127.0.0.1:8443 --insecure -t websocket -t sse
  pushbench load --target http://127.0.0.1:80 --feed feed.json --path /ws -t websocket
  pushbench load --target http://127.0.0.1:80 --feed feed.json --path /sse -t sse --event price
  pushbench load --target http://127.0.0.1:3000 --path /ws -t websocket --seq /n --stamp /at:ms
  pushbench load --target http://127.0.0.1:3000 --path /ws -t websocket --seq /data/n \\
    --stamp /data/at:ms --ignore '\"type\":\"hello\"'       behind a greeting
  pushbench load --target http://127.0.0.1:3000 --path /price -t short-poll --seq /version"
)]
pub(crate) struct LoadArgs {
    /// The server: http://HOST:PORT or https://HOST:PORT, perhaps with a path that all of its paths
    /// begin with
    #[arg(long, value_name = "URL")]
    pub(crate) target: String,
    /// Process id of the server on this machine, for its CPU and memory and those of all processes
    /// that descend from it; may be given several times
    #[arg(long, value_name = "PID")]
    pub(crate) server_pid: Vec<u32>,
    /// What the feed of a server is that is none of pushbench's: a JSON file like the answer to
    /// GET /feed
    #[arg(long, value_name = "FILE", requires = "path")]
    pub(crate) feed: Option<PathBuf>,
    /// Where such a server, or an application, offers the transport, such as /ws
    #[arg(long, value_name = "PATH")]
    pub(crate) path: Option<String>,
    /// Put load on this host, which is the target's and is not this machine: where the server is
    /// none of pushbench's, so that it has not agreed to it
    #[arg(long, value_name = "HOST")]
    pub(crate) yes_load: Option<String>,
    /// Type of the server-sent events that are the feed's, as their `event` field says it; goes
    /// with `-t sse` alone [default: message]
    #[arg(long, value_name = "NAME")]
    pub(crate) event: Option<String>,
    #[command(flatten)]
    pub(crate) rules: RuleArgs,
    #[command(flatten)]
    pub(crate) clients: ClientArgs,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
    #[command(flatten)]
    pub(crate) processes: ProcessArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) live: LiveArgs,
    #[command(flatten)]
    pub(crate) results: ResultArgs,
}

/// `pushbench doctor`.
///
/// Measures how late threads wake and how long a round trip over loopback takes, tries what takes
/// a privilege, and reads the limits; ends with what it would trust: the smallest difference of
/// latencies, the largest number of clients. It changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "Exit status is 0 whatever is limited.

Examples:
  pushbench doctor
  pushbench doctor --duration 30s
  pushbench doctor --json | jq '.checks[] | select(.verdict != \"ok\")'")]
pub(crate) struct DoctorArgs {
    /// For how long wake-ups and round trips are measured
    #[arg(short, long, value_name = "TIME", default_value = "5s")]
    pub(crate) duration: Span,
    /// Print the findings as JSON on standard output, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}

/// `pushbench report`.
#[derive(Debug, Args)]
#[command(
    after_help = "Of a folder that `pushbench headers` left, its tables and charts are rebuilt too.

Examples:
  pushbench report results/latest
  pushbench report results/latest --price my-provider.toml"
)]
pub(crate) struct ReportArgs {
    /// A run's folder, or its run.json
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// Prices that the run is told at from here on, in place of those in its record: a TOML file, or
    /// the name of an example, aws-api-gateway or gcp-e2
    #[arg(long, value_name = "FILE")]
    pub(crate) price: Option<String>,
}

/// `pushbench scenarios`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pushbench scenarios
  pushbench scenarios show ticker > my-feed.toml
  pushbench run my-feed.toml")]
pub(crate) struct ScenariosArgs {
    /// What to do; lists them when left out.
    #[command(subcommand)]
    pub(crate) command: Option<ScenariosCommand>,
}

/// `pushbench scenarios …`.
#[derive(Debug, Subcommand)]
pub(crate) enum ScenariosCommand {
    /// Print a built-in scenario, to start one of your own from
    Show {
        /// Its name
        #[arg(value_parser = known::scenario(), hide_possible_values = true)]
        name: String,
    },
}
