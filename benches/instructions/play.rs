//! One process that is counted, the other side, and what comes of it.

use std::fmt;
use std::path::Path;

use anyhow::{Context as _, ensure};
use pushbench_benches::asleep::Watch;
use pushbench_benches::callgrind::{Counted, Equal};
use pushbench_benches::counts::{Row, Way};
use pushbench_benches::in_tls;
use pushbench_core::security::ServerSecurity;
use pushbench_core::{Contender, Stack};

use crate::counted::{CLIENTS, Part, ROUNDS_PER_SECOND};
use crate::peer::{Audience, Script};
use crate::security;

/// Stretches that are counted of what goes by the clock in no way, and so is the same in each.
const STRETCHES: u32 = 3;

/// Those of the server, which are shorter than what it does by the clock is apart, mostly.
const SERVER_STRETCHES: u32 = 9;

/// The share of either where it is to be quick.
const QUICK_SHARE: u32 = 3;

/// Connections in each stretch; as many come before.
const CONNECTIONS: u32 = 9;

/// Messages that are published before any is counted: the numbers of all that are have three digits.
const FIRST_MESSAGES: u64 = 100;

/// Rounds in each stretch of a server that needs few instructions for each client of them, so that
/// they are many beside those of publishing.
const STREAM_ROUNDS: u64 = 10;

/// What is played.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Play {
    part: Part,
    contender: Contender,
}

impl fmt::Display for Play {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.part.name(), self.contender)
    }
}

impl Play {
    /// All, in the order in which they are counted.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let parts = [Part::Session, Part::SessionAndRecord, Part::Load, Part::Server];
        let plays = parts
            .into_iter()
            .flat_map(|part| contenders().map(move |contender| Self { part, contender }));
        plays.filter(|play| play.needs_a_socket() || play.does_without())
    }

    const fn needs_a_socket(self) -> bool {
        matches!(self.part, Part::Load | Part::Server)
    }

    /// Whether its way can be gone without sockets: a poll on a connection of its own cannot, and
    /// one that is conditional is read as any other.
    fn does_without(self) -> bool {
        self.contender.stack == Stack::PLAIN
    }

    /// Plays it, and says what it counted. Callgrind's files are in `folder`.
    pub(crate) fn count(self, quick: bool, folder: &Path) -> anyhow::Result<Vec<Row>> {
        let part = if self.part == Part::Server { SERVER_STRETCHES } else { STRETCHES };
        let stretches = if quick { part / QUICK_SHARE } else { part };
        let file = folder.join(format!("{}-{}.callgrind", self.part.name(), self.contender));
        match self.part {
            Part::Session => self.replay(Way::Session, stretches, &file),
            Part::SessionAndRecord => self.replay(Way::SessionAndRecord, stretches, &file),
            Part::Load => self.load(stretches, &file),
            Part::Server => self.server(stretches, &file),
        }
    }

    fn start(self, stretches: u32, more: &[String], file: &Path) -> anyhow::Result<Counted> {
        let (part, contender) = (self.part.name(), self.contender.name());
        let stretches = stretches.to_string();
        let args = ["--part", part, "--contender", contender, "--stretches", &stretches];
        let args: Vec<_> =
            args.into_iter().map(str::to_owned).chain(more.iter().cloned()).collect();
        Counted::start(&args, file)
    }

    fn row(self, way: Way, total: u64, of: u64) -> Row {
        Row { way, contender: self.contender, instructions: total as f64 / of as f64 }
    }

    fn replay(self, way: Way, stretches: u32, file: &Path) -> anyhow::Result<Vec<Row>> {
        let messages = self.start(stretches, &[], file)?.finish()?.of_all()?;
        Ok(vec![self.row(way, messages, ROUNDS_PER_SECOND * u64::from(CLIENTS))])
    }

    /// The load generator. A client's answer lets the next one connect, so each stretch begins and
    /// ends with a request that waits.
    fn load(self, stretches: u32, file: &Path) -> anyhow::Result<Vec<Row>> {
        let security = security::server(self.contender)?;
        let mut script = Script::new(self.contender, security.as_ref())?;
        let mut more = vec!["--target".to_owned(), script.address()?.to_string()];
        if let Some(ServerSecurity { credentials, .. }) = security {
            more.push(format!("--trust={}", credentials.certificates));
        }
        let mut counted = self.start(stretches, &more, file)?;
        let watch = Watch::of(counted.pid())?;
        script.subscribe(&watch, CONNECTIONS)?;
        let connections = counted.stretches(stretches, || script.subscribe(&watch, CONNECTIONS))?;
        script.subscribe(&watch, CLIENTS - CONNECTIONS * (stretches + 1))?;
        let mut second = || script.rounds(ROUNDS_PER_SECOND, &watch, CLIENTS);
        second()?;
        let nothing = counted.stretches(1, || Ok(()))?;
        let messages = counted.stretches(stretches, second)?;
        script.rounds(1, &watch, CLIENTS)?;
        let said = counted.hear()?;
        ensure!(said == "done", "the load generator met with faults: {said}");
        let totals = counted.finish()?;
        let total = |stretches| less(totals.of(stretches)?, totals.of(&nothing)?);
        Ok(vec![
            self.row(Way::LoadMessage, total(&messages)?, ROUNDS_PER_SECOND * u64::from(CLIENTS)),
            self.row(Way::LoadConnection, total(&connections)?, CONNECTIONS.into()),
        ])
    }

    /// The server.
    fn server(self, stretches: u32, file: &Path) -> anyhow::Result<Vec<Row>> {
        let mut counted = self.start(stretches, &[], file)?;
        let rounds = if self.streams() { STREAM_ROUNDS } else { 1 };
        let served = self.serve(stretches, rounds, &mut counted)?;
        let totals = counted.finish()?;
        let nothing = totals.of(&served.nothing)?;
        let total = |stretches| less(totals.of(stretches)?, nothing);
        let (each, publishing) = (u64::from(CLIENTS), total(&served.publishing)? / STREAM_ROUNDS);
        // What publishing alone takes is no part of bringing a message to clients.
        let messages = less(total(&served.messages)?, publishing * rounds)?;
        let mut rows = vec![
            self.row(Way::ServerMessage, messages, rounds * each),
            self.row(Way::ServerConnection, total(&served.connections)?, CONNECTIONS.into()),
            self.row(Way::ServerPublish, publishing, 1),
        ];
        if let Some(polls) = served.polls_in_vain {
            rows.push(self.row(Way::ServerEmptyPoll, total(&polls)?, each));
        }
        Ok(rows)
    }

    /// Has a server do all that is counted, with messages in stretches of `rounds`.
    fn serve(self, stretches: u32, rounds: u64, counted: &mut Counted) -> anyhow::Result<Served> {
        let address = counted.hear()?.parse().context("the server says no address")?;
        let watch = Watch::of(counted.pid())?;
        let mut audience = Audience::new(address, self.contender, &watch)?;
        audience.publish(FIRST_MESSAGES)?;
        let nothing = counted.stretches(stretches, || Ok(()))?;
        let publishing = counted.stretches(stretches, || audience.publish(STREAM_ROUNDS))?;
        audience.subscribe(CONNECTIONS)?;
        let connections = counted.stretches(stretches, || audience.subscribe(CONNECTIONS))?;
        audience.subscribe(CLIENTS - CONNECTIONS * (stretches + 1))?;
        audience.rounds(rounds)?;
        let messages = counted.stretches(stretches, || audience.rounds(rounds))?;
        let polls_in_vain = if self.contender.shape().asks() {
            Some(counted.stretches(stretches, || audience.poll_in_vain())?)
        } else {
            None
        };
        Ok(Served { nothing, publishing, connections, messages, polls_in_vain })
    }

    const fn streams(self) -> bool {
        self.contender.shape().streams()
    }
}

/// All in clear; one in TLS shows what that takes, and the others would show the same.
fn contenders() -> impl Iterator<Item = Contender> {
    Contender::basic().chain([in_tls(Contender::WEBSOCKET)])
}

/// What a server was counted doing.
#[derive(Debug)]
struct Served {
    nothing: Equal,
    publishing: Equal,
    connections: Equal,
    messages: Equal,
    polls_in_vain: Option<Equal>,
}

/// One count without what another has counted too.
fn less(count: u64, other: u64) -> anyhow::Result<u64> {
    count.checked_sub(other).with_context(|| format!("{count} is no part of {other} instructions"))
}
