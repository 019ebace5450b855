//! Flags of the link between server and clients: each overrides what the scenario says.

use clap::Args;
use pushbench_core::link::{BurstLength, LinkName, QueueLimit, Ways};
use pushbench_core::scenario::{Scenario, Values};
use pushbench_core::units::{BitRate, Share, Span};

/// What lies between server and clients.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Link")]
pub(crate) struct LinkArgs {
    /// Link by its name, such as 4g; may be a list [default: loopback]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
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
    /// Downloads that fill a shared line with a rate beside the feed; may be a list [default: 0]
    #[arg(long, value_name = "N", value_delimiter = ',')]
    load_down: Vec<u32>,
    /// The same of uploads; may be a list [default: 0]
    #[arg(long, value_name = "N", value_delimiter = ',')]
    load_up: Vec<u32>,
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
        set_some(&mut link.load_down, &self.load_down);
        set_some(&mut link.load_up, &self.load_up);
    }
}

fn set_some<T: Clone>(setting: &mut Option<Values<T>>, flags: &[T]) {
    if !flags.is_empty() {
        *setting = Some(flags.to_vec().into());
    }
}
