//! The measurements of a trial, as load processes hand them over and a record keeps them, whoever took
//! them.

use pushbench_core::MonoInstant;
use serde::{Deserialize, Serialize};

use crate::observe::age::{AgeTotals, Before};
use crate::observe::audit::AuditTotals;
use crate::observe::away::Away;
use crate::observe::censored::Censored;
use crate::observe::cuts::Cuts;
use crate::observe::fit::Fit;
use crate::observe::fresh::Fresh;
use crate::observe::heard::Heard;
use crate::observe::histogram::LatencyHistogram;
use crate::observe::ledger::{Ledger, Phase};
use crate::observe::observer::Event;
use crate::observe::polls::PollsMeasured;
use crate::observe::seen::{Seen, Senders};
use crate::observe::series::Series;
use crate::observe::silence::Silence;

/// How close to each other messages of one client arrive that came together, and are due that came to be
/// together.
const LUMP_NS: u64 = 2_000_000;

/// How often things happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Requests sent in the window's phase.
    pub requests: u64,
    /// Responses without a message in the window's phase.
    pub empty_responses: u64,
    /// Polls skipped in the window's phase, one being outstanding.
    pub skipped_polls: u64,
    /// Connections lost from warm-up on.
    pub connections_lost: u64,
    /// Clients that were ready again after a loss, from warm-up on, each time.
    pub reconnects: u64,
    /// Failures from warm-up on.
    pub errors: u64,
    /// Those of them in which the server broke its protocol.
    #[serde(default)]
    pub protocol_errors: u64,
    /// Connections secured from connecting to the drain's end.
    #[serde(default)]
    pub handshakes: u64,
    /// Those of them that were secured while clients connected.
    #[serde(default)]
    pub handshakes_connecting: u64,
    /// Those of all that took up the session of an earlier connection.
    #[serde(default)]
    pub resumed: u64,
    /// Times between the window's start and end at which a client got messages, those within 2 ms of
    /// one another being one.
    #[serde(default)]
    pub lumps: u64,
    /// Times at which the same messages were due, or were stamped, those within 2 ms of one another being
    /// one.
    #[serde(default)]
    pub due_lumps: u64,
    /// Messages that arrived between the window's start and end, duplicates left out, those due
    /// before it included: what the window's bytes are divided by.
    pub messages_in_window: u64,
    /// Messages that clients said in the window's phase.
    #[serde(default)]
    pub said: u64,
}

impl Counters {
    /// Adds the figures of another load process of the same trial.
    pub const fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.empty_responses += other.empty_responses;
        self.skipped_polls += other.skipped_polls;
        self.connections_lost += other.connections_lost;
        self.reconnects += other.reconnects;
        self.errors += other.errors;
        self.protocol_errors += other.protocol_errors;
        self.handshakes += other.handshakes;
        self.handshakes_connecting += other.handshakes_connecting;
        self.resumed += other.resumed;
        self.lumps += other.lumps;
        self.due_lumps += other.due_lumps;
        self.messages_in_window += other.messages_in_window;
        self.said += other.said;
    }

    /// A message came between the window's start and end at `at`, and was due at `due`; before it the
    /// client had another, if any.
    #[inline]
    pub(super) fn came(&mut self, due: MonoInstant, at: MonoInstant, before: Option<Before>) {
        self.messages_in_window += 1;
        let is_apart = |now: MonoInstant, then: MonoInstant| now.0 > then.0 + LUMP_NS;
        self.lumps += u64::from(before.is_none_or(|before| is_apart(at, before.came)));
        self.due_lumps += u64::from(before.is_none_or(|before| is_apart(due, before.due)));
    }

    #[inline]
    pub(super) fn count(&mut self, phase: Phase, event: &Event) {
        let in_window = u64::from(phase == Phase::Window);
        let since_warmup = u64::from(phase >= Phase::Warmup);
        match event {
            Event::Request { .. } => self.requests += in_window,
            Event::EmptyResponse { .. } => self.empty_responses += in_window,
            Event::SkippedPoll => self.skipped_polls += in_window,
            Event::Said { .. } => self.said += in_window,
            Event::ConnectionLost { .. } => self.connections_lost += since_warmup,
            Event::Reconnected { .. } => self.reconnects += since_warmup,
            Event::Failed { .. } => self.errors += since_warmup,
            Event::BrokeProtocol { .. } => self.protocol_errors += since_warmup,
            Event::Secured { resumed, .. } => {
                self.handshakes += 1;
                self.handshakes_connecting += u64::from(phase == Phase::Connect);
                self.resumed += u64::from(*resumed);
            }
            Event::TcpOpened { .. }
            | Event::Connected { .. }
            | Event::Opening { .. }
            | Event::Left { .. } => {}
        }
    }
}

/// The measurements of load processes in one trial.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The fate of the messages due in the window.
    pub audit: AuditTotals,
    /// One sample for each delivery: arrival minus intended publish instant.
    pub latency: LatencyHistogram,
    /// One lower bound for each message that was late: the drain's end minus its intended publish
    /// instant.
    #[serde(default, skip_serializing_if = "LatencyHistogram::is_empty")]
    pub late: LatencyHistogram,
    /// Messages that were not in their order, as far as freshness is concerned.
    #[serde(default, skip_serializing_if = "Fresh::is_orderly")]
    pub fresh: Fresh,
    /// Where clients waited in vain for the rest of the window's messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<Silence>,
    /// One sample for each client: how long TCP took to open its connection. Empty in records of
    /// before this was measured.
    #[serde(default, skip_serializing_if = "LatencyHistogram::is_empty")]
    pub tcp_open: LatencyHistogram,
    /// One sample for each client: how long it took to be ready.
    pub connect: LatencyHistogram,
    /// One sample for each connection that took up the session of an earlier one: how long it took to
    /// be secured.
    #[serde(default, skip_serializing_if = "LatencyHistogram::is_empty")]
    pub resumed: LatencyHistogram,
    /// Age of information during the window.
    pub age: AgeTotals,
    /// Bytes by phase, direction and layer.
    pub ledger: Ledger,
    /// The window second by second.
    pub series: Series,
    /// How often things happened.
    pub counters: Counters,
    /// Connections that were lost after a silence, from warm-up on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cuts: Option<Cuts>,
    /// Misfits with the feed's description.
    #[serde(default, skip_serializing_if = "Fit::is_perfect")]
    pub fit: Fit,
    /// Of senders whose schedule is not known, what each load process saw: taken by
    /// [`settle`](Self::settle), and in no record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<Seen>,
    /// Of the same, what is to be known of their numbers and stamps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub senders: Option<Senders>,
    /// Of clients that talk, how their rooms heard them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<Heard>,
    /// Where connections end because that was asked for, who was cut off, and for how long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<Away>,
    /// Of clients that poll on a period, what their model is checked with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polls: Option<PollsMeasured>,
}

impl Measured {
    /// Adds the figures of another load process of the same trial.
    pub fn merge(&mut self, other: &Self) {
        self.audit.merge(&other.audit);
        self.latency.merge(&other.latency);
        self.late.merge(&other.late);
        self.fresh.merge(&other.fresh);
        if let Some(theirs) = &other.silence {
            self.silence.get_or_insert_default().merge(theirs);
        }
        self.tcp_open.merge(&other.tcp_open);
        self.connect.merge(&other.connect);
        self.resumed.merge(&other.resumed);
        self.age.merge(&other.age);
        self.ledger.merge(&other.ledger);
        self.series.merge(&other.series);
        self.counters.merge(&other.counters);
        if let Some(theirs) = &other.cuts {
            self.cuts.get_or_insert_default().merge(theirs);
        }
        self.fit.merge(&other.fit);
        self.seen.extend(other.seen.iter().cloned());
        if let Some(theirs) = &other.heard {
            self.heard.get_or_insert_default().merge(theirs);
        }
        if let Some(theirs) = &other.away {
            self.away.get_or_insert_default().merge(theirs);
        }
        if let Some(theirs) = &other.polls {
            self.polls.get_or_insert_default().merge(theirs);
        }
    }

    /// Takes what servers heard of clients that upload, who themselves hear nothing: it is for the servers
    /// that each of their messages was.
    pub fn hear_at_servers(&mut self, heard: &Self) {
        let AuditTotals { published, clients, .. } = self.audit;
        let AuditTotals { delivered, duplicated, reordered, newest, .. } = heard.audit;
        self.audit = AuditTotals {
            published,
            clients,
            expected: published,
            due: Some(published),
            delivered,
            lost: published.saturating_sub(delivered),
            duplicated,
            reordered,
            newest,
            ..AuditTotals::default()
        };
        self.latency.merge(&heard.latency);
        self.age.merge(&heard.age);
        self.series.merge(&heard.series);
        self.fit.merge(&heard.fit);
        self.counters.messages_in_window += heard.counters.messages_in_window;
        self.counters.lumps += heard.counters.lumps;
        self.heard.clone_from(&heard.heard);
    }

    /// The latencies of all messages that were delivered or late.
    #[must_use]
    pub fn latencies(&self) -> Censored<'_, 3> {
        Censored::new(&self.latency, &self.late)
    }

    /// Whether there is one latency for each delivery, and one lower bound for each late message,
    /// but for those that have none.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        let AuditTotals { delivered, late, untimed, late_untimed, .. } = self.audit;
        self.latency.count() + untimed == delivered && self.late.count() + late_untimed == late
    }

    /// Whether audit and ledger balance, and each message is a sample. A trial that
    /// does not is wrong.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.audit.balances() && self.ledger.balances() && self.is_sampled()
    }
}
