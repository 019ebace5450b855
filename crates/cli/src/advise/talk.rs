//! The trials in which clients only speak, for what a message of theirs costs.
//!
//! A WebSocket takes it on the connection on which its client listens; all others send a request on a
//! connection of its own, which is the same whatever they listen by. So one contender speaks for all that
//! do so on the same security: a stream, which costs nothing while nothing comes on it.

use std::time::Duration;

use anyhow::anyhow;
use pushbench_core::contender::{Contender, Stack, Transport};
use pushbench_core::scenario::{Scenario, Values};
use pushbench_core::talk::{LEAST_SAID, Pattern};
use pushbench_core::units::{ByteSize, Count, Rate, Span};
use pushbench_metrics::judge::advice::{Candidate, said};
use pushbench_metrics::record::RunRecord;
use pushbench_run::Plan;
use pushbench_run::place::Layout;

use super::design::{Design, REST, apart};
use super::polls::two_digits_down;
use super::workload::Workload;
use crate::args::AdviseArgs;
use crate::exit::Failure;

/// The most clients that speak, and the most messages of all of them in a second: of more one costs no
/// less.
const MOST_CLIENTS: f64 = 200.0;
const MOST_SAID_HZ: f64 = 2_000.0;

/// The most bytes that all of them say in a second.
const MOST_SAID_BYTES_HZ: f64 = 50e6;

/// Messages that a client says in a second, where that leaves one answered before the next.
const SAID_HZ: f64 = 8.0;

/// Messages of all clients in a window, at least, and a window where there are more.
const MESSAGES: f64 = 100.0;
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
    warmup: Duration,
    window: Duration,
}

impl Talk {
    /// The talk of that workload, in as many rounds as its design has; `None` where clients are silent.
    pub(super) fn of(
        workload: &Workload,
        design: &Design,
        window: Option<Span>,
    ) -> Result<Option<Self>, Failure> {
        let Some(rate) = workload.talk else { return Ok(None) };
        let payload = ByteSize(workload.payload.0.max(LEAST_SAID as u64));
        check_rate(workload, rate, payload)?;
        // One is over when the next begins, also where its own bytes take long: half the line at most.
        let line = workload.answer_to(payload.0).saturating_sub(workload.answer_to(0));
        let one = apart(workload) + line * 2;
        let hz = two_digits_down(SAID_HZ.min(1.0 / one.as_secs_f64())).max(rate.hz());
        let most_hz = MOST_SAID_HZ.min(MOST_SAID_BYTES_HZ / payload.0 as f64);
        let clients = MOST_CLIENTS.min(most_hz / hz).min(design.clients().into()).max(1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 200")]
        let clients = clients as u32;
        let least = Duration::from_secs_f64(MESSAGES / (hz * f64::from(clients)));
        let window = window.map_or(WINDOW, |window| window.0).max(least);
        // The answers to what was said before a window come in it, as those to what is said in it come behind.
        let warmup = WARMUP.max(workload.answer_to(payload.0) * 2);
        let measured = Rate::from_hz(hz).unwrap_or(Rate::ONE);
        Ok(Some(Self { rate, payload, clients, measured, rounds: design.rounds, warmup, window }))
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
            warmup: Span(self.warmup),
            duration: Span(self.window),
            runs: self.rounds,
            seed: args.seed,
            ..Scenario::default()
        };
        scenario.talk.pattern = Some(Values::One(Pattern::Upload));
        scenario.talk.rate = Values::One(self.measured);
        args.link.apply(&mut scenario);
        let plan = Plan::of(scenario, None, layout);
        Plan { stamps: false, rest: Some(REST), allow_busy: args.allow_busy, ..plan }
    }
}

/// Refuses a rate that requests, which go one at a time, cannot keep up with over the link.
fn check_rate(workload: &Workload, rate: Rate, payload: ByteSize) -> Result<(), Failure> {
    let taken = workload.answer_to(payload.0);
    let asks = workload.contenders.iter().any(|it| !it.transport.is_duplex());
    if !asks || rate.hz() * taken.as_secs_f64() < 1.0 {
        return Ok(());
    }
    Err(Failure::usage(anyhow!(
        "--talk-rate: a client's requests go one at a time, and over this link one takes {}: choose less than \
         {:.2}/s, or -t websocket",
        Span(taken),
        1.0 / taken.as_secs_f64()
    )))
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

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::advise::design::Effort;
    use crate::args::{Cli, Command};

    fn talk(more: &str) -> Talk {
        let line = format!("pushbench advise -c 500 -R 1/s --fresh 2s {more}");
        let Command::Advise(args) = Cli::parse_from(line.split(' ')).command else { panic!() };
        let workload = Workload::of(&args).unwrap();
        let design = Design::of(&workload, Effort::quick(&workload));
        Talk::of(&workload, &design, args.duration).unwrap().unwrap()
    }

    #[test]
    fn who_speaks_by_requests_is_measured_by_one_of_them_and_the_others_by_themselves() {
        for (contender, expected) in [
            ("short-poll", "sse"),
            ("short-poll-close", "sse"),
            ("long-poll+tls", "sse+tls"),
            ("sse+gzip", "sse"),
            ("websocket", "websocket"),
            ("websocket+deflate", "websocket+deflate"),
        ] {
            let spoken = speaker(contender.parse().unwrap());
            assert_eq!(spoken.name(), expected, "{contender}");
        }
    }

    /// 8 a second, or as many as are over one by one: 120 ms and four round trips of 80 ms apart. At most 200
    /// clients, 2,000 messages and 50 MB a second.
    #[test]
    fn clients_speak_as_often_as_is_one_by_one_and_no_more_than_is_needed() {
        let of = |more: &str| {
            let talk = talk(more);
            (talk.clients, talk.measured.hz())
        };
        assert_eq!(of("--payload 64B --talk-rate 6/m"), (200, 8.0));
        assert_eq!(of("--payload 64B --talk-rate 6/m --delay 40ms"), (200, 2.2));
        assert_eq!(of("--payload 64B --talk-rate 500/s"), (4, 500.0));
        assert_eq!(of("--payload 1MiB --talk-rate 6/m"), (5, 8.0));
        // Of a line they take half at most: 256 KiB are 2.1 s of 1 Mbit/s.
        let narrow = talk("--payload 256KiB --talk-rate 1/m --up 1Mbit/s");
        assert!(narrow.measured.hz() <= 0.5 / 2.1, "{narrow:?}");
        assert!(narrow.warmup >= Duration::from_millis(2 * 2_097), "{narrow:?}");
        // A queue that is empty keeps no request.
        assert_eq!(talk("--payload 64B --link 4g --talk-rate 4/s").rate.hz(), 4.0);
        // A hundred messages at least.
        assert_eq!(talk("--payload 64B --talk-rate 6/m").window, WINDOW);
        assert_eq!(talk("--payload 1MiB --talk-rate 6/m").window, Duration::from_millis(2_500));
        assert_eq!(talk("--payload 10B --talk-rate 6/m").payload, ByteSize(20));
    }
}
