//! The workload that advice is wanted for: from flags, or from answers at a terminal.

use std::io::IsTerminal as _;
use std::time::Duration;

use pushbench_core::Delivery;
use pushbench_core::contender::{Contender, Security, Stack, Transport};
use pushbench_core::link::Link;
use pushbench_core::units::{ByteSize, Count, Rate, Span};

use super::questions::{Question, Questions};
use crate::args::AdviseArgs;
use crate::exit::Failure;

const CLIENTS: Question<Count> = Question {
    flag: "--clients",
    words: "How many clients?",
    example: "5k",
    is_possible: |clients| (1..=1_000_000).contains(&clients.0),
    range: "from 1 to 1M",
};

const RATE: Question<Rate> = Question {
    flag: "--rate",
    words: "How many messages are there for each of them, in a second (/s) or a minute (/m)?",
    example: "2/s",
    is_possible: |_| true,
    range: "above 0/s",
};

const PAYLOAD: Question<ByteSize> = Question {
    flag: "--payload",
    words: "How large is a message?",
    example: "300B",
    is_possible: |size| (10..=1 << 20).contains(&size.0),
    range: "from 10B, which number it, to 1MiB",
};

const FRESH: Question<Span> = Question {
    flag: "--fresh",
    words: "How long after it is due may a client be without it, or a newer one?",
    example: "1s",
    is_possible: |fresh| {
        fresh.0 >= Duration::from_millis(1) && fresh.0 <= Duration::from_secs(3600)
    },
    range: "from 1ms to 1h",
};

/// A workload in the user's own numbers.
#[derive(Debug, Clone)]
pub(super) struct Workload {
    pub(super) clients: u32,
    pub(super) rate_hz: f64,
    pub(super) payload: ByteSize,
    pub(super) fresh: Duration,
    pub(super) delivery: Delivery,
    /// Messages that each client says in a unit of time; `None` where it only listens.
    pub(super) talk: Option<Rate>,
    pub(super) link: Option<Link>,
    /// Those to choose from.
    pub(super) contenders: Vec<Contender>,
}

impl Workload {
    /// Of the flags, and of answers where some are missing.
    pub(super) fn of(args: &AdviseArgs) -> Result<Self, Failure> {
        let is_terminal = std::io::stdin().is_terminal();
        let mut questions = Questions {
            input: is_terminal.then(|| std::io::stdin().lock()),
            output: std::io::stderr(),
            asked: false,
        };
        let clients = questions.value(args.clients, &CLIENTS)?;
        let rate = questions.value(args.rate, &RATE)?;
        let payload = questions.value(args.payload, &PAYLOAD)?;
        let fresh = questions.value(args.fresh, &FRESH)?;
        let delivery = questions.value_or(
            args.delivery,
            "Is every message to come, or does only the latest count: every or latest?",
            Delivery::Every,
        );
        Ok(Self {
            clients: u32::try_from(clients.0).expect("the question's range"),
            rate_hz: rate.hz(),
            payload,
            fresh: fresh.0,
            delivery,
            talk: args.talk_rate,
            link: args.link.chosen()?,
            contenders: contenders(args),
        })
    }

    /// Whether each connection is dear: secured, or over a link that a router keeps up.
    pub(super) fn is_dear(&self) -> bool {
        let secured = |it: &Contender| it.stack.security == Security::Tls;
        self.link.is_some() || self.contenders.iter().any(secured)
    }

    /// From a client that says a message of so many bytes to the server and back, where nothing waits.
    pub(super) fn answer_to(&self, bytes: u64) -> Duration {
        self.link.as_ref().map_or(Duration::ZERO, |link| link.answer_to(bytes))
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
