//! Flags of an application that is measured: its rules.

use std::path::Path;

use anyhow::anyhow;
use clap::Args;
use pushbench_core::contender::Transport;
use pushbench_core::rules::{
    Each, Field, Locator, Outside, Pattern, Reply, RuleError, Rules, StampSpec, Text,
};
use pushbench_protocol::rules::Engine;
use pushbench_report::bounded;

use crate::exit::Failure;

/// The most bytes of a file that is sent.
const MAX_TEXT_BYTES: u64 = 1 << 20;

/// The messages of an application, and the texts of its clients.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "An application's messages")]
pub(crate) struct RuleArgs {
    /// Messages in what arrives, a WebSocket message, an event's data or a body: every match is one,
    /// its first group the message [default: all of it]
    #[arg(long, value_name = "REGEX")]
    message: Option<Pattern>,
    /// Head of a payload, with the payload's length in bytes as its group
    #[arg(long, value_name = "REGEX")]
    message_len: Option<Pattern>,
    /// Take WebSocket messages as one stream of bytes: a message may share a frame or span two
    #[arg(long)]
    joined: bool,
    /// Texts that are no messages, such as greetings; what --message finds is never one
    #[arg(long, value_name = "REGEX")]
    ignore: Option<Pattern>,
    /// Where a message has its number: a JSON pointer such as /n, or re:REGEX
    #[arg(long, value_name = "PLACE")]
    seq: Option<Locator>,
    /// Messages have no number: count their arrivals alone
    #[arg(long, conflicts_with = "seq")]
    no_seq: bool,
    /// Where a message has the instant of its sender, in which unit and by which clock, such as
    /// /at:ms or re:at=(\d+):ns@monotonic; s, ms, us, ns or rfc3339; wall or monotonic
    #[arg(long, value_name = "PLACE:UNIT[@CLOCK]")]
    stamp: Option<StampSpec>,
    /// Where a message has the name of the counter that numbered it, if there are several
    #[arg(long, value_name = "PLACE")]
    key: Option<Locator>,
    /// Header field of requests; ${NAME} is a variable of the environment (repeatable)
    // Parsed here and not by clap, whose errors would show its value.
    #[arg(long, value_name = "'NAME: VALUE'")]
    header: Vec<String>,
    /// Subprotocol to offer in a WebSocket's handshake (repeatable)
    #[arg(long, value_name = "NAME")]
    subprotocol: Vec<String>,
    /// Origin that requests say that they come from
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
    /// Send this once a WebSocket is open, with \r \n \0 \t \xHH, {client}, ${NAME}, or the bytes of
    /// @FILE (repeatable, in order)
    #[arg(long, value_name = "TEXT")]
    send: Vec<Text>,
    /// Answer what matches from its start to its end; $1 is its first group (repeatable)
    #[arg(long, value_name = "REGEX=>TEXT")]
    reply: Vec<Reply>,
    /// Send this again and again, such as '25s=>ping' (repeatable)
    #[arg(long, value_name = "TIME=>TEXT")]
    each: Vec<Each>,
    /// Text that must have come before a client counts as connected
    #[arg(long, value_name = "REGEX")]
    ready: Option<Pattern>,
    /// Where the body of a long poll's answer has what the next one puts for {cursor} in --path
    #[arg(long, value_name = "PLACE")]
    cursor: Option<Locator>,
}

/// The process's environment and files.
struct Process;

impl Outside for Process {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        bounded::read(Path::new(path), MAX_TEXT_BYTES).map_err(|error| error.to_string())
    }
}

impl RuleArgs {
    /// Whether any rule says that the target is an application.
    pub(crate) const fn is_given(&self) -> bool {
        self.seq.is_some() || self.no_seq
    }

    /// A flag that says nothing without --seq or --no-seq, if there is one.
    pub(crate) fn alone(&self) -> Option<&'static str> {
        let given = [
            ("--message", self.message.is_some()),
            ("--message-len", self.message_len.is_some()),
            ("--joined", self.joined),
            ("--ignore", self.ignore.is_some()),
            ("--stamp", self.stamp.is_some()),
            ("--key", self.key.is_some()),
            ("--header", !self.header.is_empty()),
            ("--subprotocol", !self.subprotocol.is_empty()),
            ("--origin", self.origin.is_some()),
            ("--send", !self.send.is_empty()),
            ("--reply", !self.reply.is_empty()),
            ("--each", !self.each.is_empty()),
            ("--ready", self.ready.is_some()),
            ("--cursor", self.cursor.is_some()),
        ];
        given.iter().find(|(_, is_given)| *is_given).map(|(flag, _)| *flag)
    }

    /// The rules for clients of this transport.
    ///
    /// # Errors
    ///
    /// Rules that are none, that do not go together, or name what is not there.
    pub(crate) fn rules(
        &self,
        transport: Transport,
        path: Option<&str>,
        event: Option<&str>,
    ) -> Result<Rules, Failure> {
        let usage =
            |flag: &'static str| move |error: RuleError| Failure::usage(anyhow!("{flag}: {error}"));
        let fields = self.header.iter().map(|field| field.parse::<Field>());
        let mut rules = Rules {
            path: path.map(str::parse::<Text>).transpose().map_err(usage("--path"))?,
            event: event.map(str::to_owned),
            message: self.message.clone(),
            message_len: self.message_len.clone(),
            joined: self.joined,
            ignore: self.ignore.clone(),
            seq: self.seq.clone(),
            no_seq: self.no_seq,
            stamp: self.stamp.clone(),
            key: self.key.clone(),
            header: fields.collect::<Result<_, _>>().map_err(usage("--header"))?,
            subprotocol: self.subprotocol.clone(),
            origin: self.origin.clone(),
            send: self.send.clone(),
            reply: self.reply.clone(),
            each: self.each.clone(),
            ready: self.ready.clone(),
            cursor: self.cursor.clone(),
            ..Rules::default()
        };
        rules.check(transport).map_err(Failure::usage)?;
        rules.resolve(&Process).map_err(Failure::usage)?;
        Engine::new(&rules).map_err(Failure::usage)?;
        Ok(rules)
    }
}
