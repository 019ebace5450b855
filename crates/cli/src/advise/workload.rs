//! The workload that advice is wanted for: from flags, or from answers at a terminal.

use std::fmt::Display;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::str::FromStr;
use std::time::Duration;

use anyhow::anyhow;
use pushbench_core::Delivery;
use pushbench_core::contender::{Contender, Security, Stack, Transport};
use pushbench_core::link::Link;
use pushbench_core::units::{ByteSize, Count, Rate, Span};

use crate::args::AdviseArgs;
use crate::exit::Failure;

/// A workload in the user's own numbers.
#[derive(Debug, Clone)]
pub(super) struct Workload {
    pub(super) clients: u32,
    pub(super) rate_hz: f64,
    pub(super) payload: ByteSize,
    pub(super) fresh: Duration,
    pub(super) delivery: Delivery,
    pub(super) link: Option<Link>,
    /// Those to choose from.
    pub(super) contenders: Vec<Contender>,
}

impl Workload {
    /// Of the flags, and of answers where some are missing.
    pub(super) fn of(args: &AdviseArgs) -> Result<Self, Failure> {
        let clients: Count = given(args.clients, "--clients", "How many clients?", "5k")?;
        let rate: Rate = given(args.rate, "--rate", "How many messages to each of them?", "2/s")?;
        let payload = given(args.payload, "--payload", "How large is a message?", "300B")?;
        let fresh: Span = given(
            args.fresh,
            "--fresh",
            "How long after it is due may a client be without it, or a newer one?",
            "1s",
        )?;
        let many = || Failure::usage(anyhow!("--clients: from 1 to 1M, such as 5k"));
        let clients =
            u32::try_from(clients.0).ok().filter(|clients| (1..=1_000_000).contains(clients));
        if fresh.0 < Duration::from_millis(1) || fresh.0 > Duration::from_secs(3600) {
            return Err(Failure::usage(anyhow!("--fresh: from 1ms to 1h, such as 1s")));
        }
        Ok(Self {
            clients: clients.ok_or_else(many)?,
            rate_hz: rate.hz(),
            payload,
            fresh: fresh.0,
            delivery: args.delivery,
            link: args.link.chosen()?,
            contenders: contenders(args),
        })
    }

    /// Whether each connection is dear: secured, or over a link that a router keeps up.
    pub(super) fn is_dear(&self) -> bool {
        let secured = |it: &Contender| it.stack.security == Security::Tls;
        self.link.is_some() || self.contenders.iter().any(secured)
    }

    /// From a client to the server and back, at the most.
    pub(super) fn round_trip(&self) -> Duration {
        self.link.as_ref().map_or(Duration::ZERO, Link::round_trip)
    }
}

/// Those that are given, else each transport on the stack that is asked for.
fn contenders(args: &AdviseArgs) -> Vec<Contender> {
    if !args.contenders.is_empty() {
        return args.contenders.clone();
    }
    let security = if args.tls { Security::Tls } else { Security::Clear };
    let on = |transport| Contender { transport, stack: Stack { security, ..Stack::PLAIN } };
    Transport::ALL.into_iter().map(on).collect()
}

/// The flag's value, or the answer to the question.
fn given<T: FromStr>(
    flag: Option<T>,
    name: &str,
    question: &str,
    example: &str,
) -> Result<T, Failure>
where
    T::Err: Display,
{
    if let Some(value) = flag {
        return Ok(value);
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(anyhow!(
            "{name} is missing; pass it, such as `{name} {example}`"
        )));
    }
    loop {
        let mut out = std::io::stderr().lock();
        // Whoever closed standard error sees no question, and may answer all the same.
        let _ = write!(out, "{question} [such as {example}] ");
        let _ = out.flush();
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        if !matches!(read, Ok(bytes) if bytes > 0) {
            return Err(Failure::usage(anyhow!("{name} is missing; pass it, or answer")));
        }
        match line.trim().parse() {
            Ok(value) => return Ok(value),
            Err(error) => crate::tell(format_args!("{error}")),
        }
    }
}
