//! Flags of the link between server and clients: each overrides what the scenario says.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use pushbench_core::IpVersion;
use pushbench_core::link::{BurstLength, Link, LinkName, QueueLimit, Scope, Ways};
use pushbench_core::scenario::{Scenario, Values};
use pushbench_core::units::{BitRate, Count, Share, Span};

use super::known;
use crate::exit::Failure;

/// The link between server and clients.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Link")]
pub(crate) struct LinkArgs {
    /// Link by its name, such as 4g; may be a list [default: loopback]
    #[arg(
        long, value_name = "NAME", value_delimiter = ',',
        value_parser = known::link(), hide_possible_values = true
    )]
    link: Vec<LinkName>,
    /// One-way delay, or that down and up as 40ms:10ms; may be a list
    #[arg(long, value_name = "TIME", value_delimiter = ',')]
    delay: Vec<Ways<Span>>,
    /// How much a packet's delay may differ, to either side; may be a list
    #[arg(long, value_name = "TIME", value_delimiter = ',')]
    jitter: Vec<Ways<Span>>,
    /// Share of packets lost, such as 1%; may be a list
    #[arg(long, value_name = "SHARE", value_delimiter = ',')]
    loss: Vec<Ways<Share>>,
    /// How many packets are lost in a row, on average; may be a list [default: each by its own luck]
    #[arg(long, value_name = "N", value_delimiter = ',')]
    loss_burst: Vec<Ways<BurstLength>>,
    /// Rate from server to client, such as 10Mbit/s; may be a list [default: no limit]
    #[arg(long, value_name = "RATE", value_delimiter = ',')]
    down: Vec<BitRate>,
    /// Rate from client to server; may be a list [default: no limit]
    #[arg(long, value_name = "RATE", value_delimiter = ',')]
    up: Vec<BitRate>,
    /// How much may wait in front of a line with a rate, such as 200ms or 64KiB; may be a list
    /// [default: 200ms]
    #[arg(long, value_name = "LIMIT", value_delimiter = ',')]
    queue: Vec<Ways<QueueLimit>>,
    /// Whose lines they are: each client has its own, or all share one [default: client]
    #[arg(long, value_name = "client|shared")]
    scope: Option<Scope>,
    /// Downloads that fill a shared line with a rate beside the feed; may be a list [default: 0]
    #[arg(long, value_name = "N", value_delimiter = ',')]
    load_down: Vec<u32>,
    /// The same of uploads; may be a list [default: 0]
    #[arg(long, value_name = "N", value_delimiter = ',')]
    load_up: Vec<u32>,
    /// Version of IP at both ends of a link: ipv4, ipv6; may be a list [default: ipv4]
    #[arg(long, value_name = "VERSION", value_delimiter = ',')]
    ip_version: Vec<IpVersion>,
}

impl LinkArgs {
    /// Puts the flags that were given in place of the scenario's settings.
    pub(crate) fn apply(&self, Scenario { link, .. }: &mut Scenario) {
        set_some(&mut link.name, &self.link);
        set_some(&mut link.delay, &self.delay);
        set_some(&mut link.jitter, &self.jitter);
        set_some(&mut link.loss, &self.loss);
        set_some(&mut link.burst, &self.loss_burst);
        set_some(&mut link.down, &self.down);
        set_some(&mut link.up, &self.up);
        set_some(&mut link.queue, &self.queue);
        link.scope = self.scope.or(link.scope);
        set_some(&mut link.load_down, &self.load_down);
        set_some(&mut link.load_up, &self.load_up);
        set_some(&mut link.ip_version, &self.ip_version);
    }

    /// The one link that they say: without any, one that does nothing to packets but pass them on.
    pub(crate) fn one(&self) -> Result<Link, Failure> {
        Ok(self.chosen()?.unwrap_or_default())
    }

    /// The one link that they say; `None` without any.
    pub(crate) fn chosen(&self) -> Result<Option<Link>, Failure> {
        let mut scenario = Scenario::default();
        self.apply(&mut scenario);
        scenario.check().map_err(Failure::usage)?;
        match &scenario.points(None)[..] {
            [point] => Ok(point.link.clone()),
            _ => Err(Failure::usage(anyhow!(
                "there is one link here, so each setting has one value; `pushbench run` takes lists"
            ))),
        }
    }
}

/// `pushbench link`.
#[derive(Debug, Args)]
#[command(
    after_help = "Prints the server's address, and for each side the command that starts a program there. With
--server, or with a COMMAND, which is started at the clients' side, it ends with them, and has
COMMAND's exit status. A link by hand is one: no setting may be a list. What the router counted is
told at the end, on standard error.

Examples:
  pushbench link --delay 40ms --loss 1%
  pushbench link --link 4g --server 'pushbench serve --host 10.0.0.1' -- \\
    pushbench load --target http://10.0.0.1:8080 -t websocket -c 50
  pushbench link --delay 300ms --server 'nginx -g \"daemon off;\"' -- curl -s http://10.0.0.1/
  pushbench link --down 1Mbit/s --server 'iperf3 -s' -- bash"
)]
pub(crate) struct JoinArgs {
    #[command(flatten)]
    pub(crate) link: LinkArgs,
    /// How many clients have an address and a line each, from 10.128.0.1 or fd70:7573:6862:2::1 on
    #[arg(short, long, value_name = "N", default_value = "10k")]
    pub(crate) clients: Count,
    /// Seed of the draws of loss and jitter
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Command to run at the server's side, by the shell; COMMAND starts once it listens on a TCP port
    #[arg(long, value_name = "COMMAND")]
    pub(crate) server: Option<String>,
    /// Command to run at the clients' side
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// `pushbench enter`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  pushbench enter /proc/4242/fd/5 pushbench serve --host 10.0.0.1")]
pub(crate) struct EnterArgs {
    /// The network, as `pushbench link` prints it
    #[arg(value_name = "NETWORK")]
    pub(crate) network: PathBuf,
    /// Process that the program ends with.
    #[arg(long, hide = true, value_name = "PID")]
    pub(crate) end_with: Option<u32>,
    /// Stay before the program as the leader of its process group.
    #[arg(long, hide = true)]
    pub(crate) lead: bool,
    /// The program and its arguments
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "COMMAND"
    )]
    pub(crate) command: Vec<OsString>,
}

fn set_some<T: Clone>(setting: &mut Option<Values<T>>, flags: &[T]) {
    if !flags.is_empty() {
        *setting = Some(flags.to_vec().into());
    }
}
