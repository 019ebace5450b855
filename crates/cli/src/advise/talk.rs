//! The trials in which clients only speak, for what a message of theirs costs.
//!
//! A WebSocket takes it on the connection on which its client listens; all others send a request on a
//! connection of its own, which is the same whatever they listen by. So one contender speaks for all that
//! do so on the same security: a stream, which costs nothing while nothing comes on it.

use std::time::Duration;

use pushbench_core::contender::{Contender, Stack, Transport};
use pushbench_core::scenario::{Scenario, Values};
use pushbench_core::talk::{LEAST_SAID, Pattern};
use pushbench_core::units::{ByteSize, Count, Rate, Span};
use pushbench_metrics::judge::advice::{Candidate, said};
use pushbench_metrics::record::RunRecord;
use pushbench_run::Plan;
use pushbench_run::place::Layout;

use super::design::{Design, apart};
use super::workload::Workload;
use crate::args::AdviseArgs;

/// The most clients that speak, and the most messages of all of them in a second: of more one costs no
/// less.
const MOST_CLIENTS: f64 = 200.0;
const MOST_SAID_HZ: f64 = 2_000.0;

/// Messages that a client says in a second, where that leaves one answered before the next.
const SAID_HZ: f64 = 8.0;

/// The measured window, and the time before it.
const WINDOW: Duration = Duration::from_millis(1_500);
const WARMUP: Duration = Duration::from_millis(300);

/// Clients that say something, as they are measured.
#[derive(Debug, Clone)]
pub(super) struct Talk {
    /// Messages that each client says, by the user's numbers.
    pub(super) rate: Rate,
    pub(super) payload: ByteSize,
    pub(super) clients: u32,
    /// Messages that each says in a second of a trial.
    pub(super) measured: Rate,
    rounds: u32,
}

impl Talk {
    /// The talk of that workload, in as many rounds as its design has; `None` where clients are silent.
    pub(super) fn of(workload: &Workload, design: &Design) -> Option<Self> {
        let rate = workload.talk?;
        let hz = SAID_HZ.min(1.0 / apart(workload).as_secs_f64()).max(rate.hz());
        let clients = MOST_CLIENTS.min(MOST_SAID_HZ / hz).min(design.clients().into()).max(1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 200")]
        let clients = clients as u32;
        let measured = Rate::from_hz(hz).unwrap_or(Rate::ONE);
        let payload = ByteSize(workload.payload.0.max(LEAST_SAID as u64));
        Some(Self { rate, payload, clients, measured, rounds: design.rounds })
    }

    /// The candidate whose clients also speak, by the trials of `record`.
    pub(super) fn speaking(&self, candidate: &Candidate, record: &RunRecord) -> Candidate {
        let spoken = said::rounds(record, speaker(candidate.contender), candidate.contender);
        candidate.speaking(&spoken, self.rate.hz())
    }

    /// The plan of its trials.
    pub(super) fn plan(&self, design: &Design, args: &AdviseArgs, layout: Layout) -> Plan {
        let mut speakers: Vec<Contender> = Vec::new();
        for speaker in design.contenders.iter().map(|it| speaker(it.contender)) {
            if !speakers.contains(&speaker) {
                speakers.push(speaker);
            }
        }
        let mut scenario = Scenario {
            name: "advise-talk".to_owned(),
            question: "What does a message cost that a client says?".to_owned(),
            contenders: speakers,
            clients: Values::One(Count(self.clients.into())),
            payload: Values::One(self.payload),
            warmup: Span(WARMUP),
            duration: args.duration.unwrap_or(Span(WINDOW)),
            runs: self.rounds,
            seed: args.seed,
            ..Scenario::default()
        };
        scenario.talk.pattern = Some(Values::One(Pattern::Upload));
        scenario.talk.rate = Values::One(self.measured);
        args.link.apply(&mut scenario);
        let plan = Plan::of(scenario, None, layout);
        Plan { stamps: false, allow_busy: args.allow_busy, ..plan }
    }
}

/// The contender whose clients speak as those of `contender` do.
fn speaker(contender: Contender) -> Contender {
    if contender.transport.is_duplex() {
        return contender;
    }
    let is_stream = |it: &Transport| it.shape().streams() && !it.is_duplex();
    let transport = Transport::ALL.into_iter().find(is_stream).unwrap_or(contender.transport);
    Contender { transport, stack: Stack { security: contender.stack.security, ..Stack::PLAIN } }
}
