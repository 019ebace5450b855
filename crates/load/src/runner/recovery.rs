//! After a failure: whether a client tries again, when, and who is out of the trial for good.

use std::time::{Duration, SystemTime};

use pushbench_core::{MonoInstant, random};
use pushbench_metrics::record::control::LoadPlan;
use pushbench_os::time::clock::Clock;

use super::measure::Measure;
use super::slot::Link;
use super::timers::Alarm;
use super::{Runner, Stage};
use crate::session::{Ending, ProtocolError, RetryAfter, Verdict};

/// The stream of random numbers that pauses are drawn from.
const PAUSE_STREAM: u64 = 202;

/// How soon an answer without news is too soon where the server was told no time to hold a poll.
const UNTOLD: Duration = Duration::from_secs(1);

/// A connection that stood for so long before it was closed between two polls was not refused.
const SETTLED: Duration = Duration::from_secs(1);

/// What is known of polls that the server is to hold, to tell when one was answered too soon.
#[derive(Debug, Default)]
pub(super) struct Holding {
    /// An answer without news that comes sooner is too soon: half the time that was asked for.
    patience: Duration,
    /// When each client asked last; empty where polls are not to be held.
    asked: Vec<MonoInstant>,
}

impl Holding {
    pub(super) fn new(plan: &LoadPlan) -> Self {
        if plan.contender.shape().streams() || plan.contender.shape().asks() {
            return Self::default();
        }
        let told = (!plan.subject.is_foreign()).then(|| plan.long_poll_timeout / 2);
        let patience = told.filter(|half| !half.is_zero()).unwrap_or(UNTOLD);
        Self { patience, asked: vec![MonoInstant::default(); plan.clients as usize] }
    }

    /// A client asks.
    pub(super) fn asked(&mut self, client: u32, at: MonoInstant) {
        if let Some(asked) = self.asked.get_mut(client as usize) {
            *asked = at;
        }
    }

    /// Whether an answer without news is too soon.
    fn is_too_soon(&self, client: u32, at: MonoInstant) -> bool {
        let asked = self.asked.get(client as usize);
        asked.is_some_and(|&asked| at.saturating_since(asked) < self.patience)
    }
}

impl<M: Measure, C: Clock> Runner<M, C> {
    /// Keeps in mind what has failed until [`recover`](Self::recover) acts upon it, and counts
    /// whom a browser would have given up.
    pub(super) fn blame(&mut self, client: u32, error: &ProtocolError) {
        let slot = &mut self.slots[client as usize];
        slot.trouble = slot.trouble.max(Some(error.verdict()));
        slot.status = error.status().unwrap_or(slot.status);
        let stops = self.plan.contender.shape().streams() && !slot.ready && error.stops_browser();
        if stops && !std::mem::replace(&mut slot.browser_stopped, true) {
            *self.attempts.browser_stops.entry(slot.status).or_default() += 1;
        }
    }

    /// The server asks to be left alone: a refusal says how long.
    pub(super) fn leave_alone(&mut self, client: u32, at: MonoInstant, wait: RetryAfter) {
        let wait = wait.from(SystemTime::now());
        // A date is a full second, and some of the last one has passed.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.attempts.retry_after_s = self.attempts.retry_after_s.max(seconds);
        self.not_before(client, at + wait);
    }

    /// A client does not ask before that instant.
    pub(super) fn not_before(&mut self, client: u32, until: MonoInstant) {
        let slot = &mut self.slots[client as usize];
        slot.until = slot.until.max(until);
    }

    /// A poll was answered without news: whether the server should have held it is seen by the
    /// time that it took.
    pub(super) fn without_news(&mut self, client: u32, at: MonoInstant) {
        let slot = &mut self.slots[client as usize];
        // The answer to a subscription is to come at once.
        if !slot.ready || !self.holding.is_too_soon(client, at) {
            return;
        }
        slot.backoff.too_soon();
        self.attempts.early_answers += 1;
        let until = at + self.pause(client);
        self.not_before(client, until);
    }

    /// Has the client ask again on its connection, once that may be.
    pub(super) fn ask_again(&mut self, client: u32, at: MonoInstant) {
        let slot = &mut self.slots[client as usize];
        if at < slot.until {
            return self.timers.set(slot.until, Alarm::Ask(client));
        }
        let is_open = matches!(slot.link, Link::Open(_));
        if !is_open || matches!(self.stage, Stage::Closing | Stage::Over) {
            return;
        }
        self.out.clear();
        slot.session.ask_again(&mut self.out);
        self.act(client, at);
    }

    /// Whether a connection that has ended is followed by another as a matter of course.
    pub(super) fn renews(&self, client: u32, at: MonoInstant, ending: Ending) -> bool {
        let slot = &self.slots[client as usize];
        let Ending::Idle { served } = ending else { return false };
        slot.trouble.is_none() && (served || at.saturating_since(slot.opened) >= SETTLED)
    }

    /// Decides how a client goes on after a failure, or after its connection has ended.
    pub(super) fn recover(&mut self, client: u32, at: MonoInstant, ending: Ending) {
        let renews = self.renews(client, at, ending);
        let slot = &mut self.slots[client as usize];
        let trouble = slot.trouble.take();
        let limit = match self.stage {
            Stage::Connecting => self.ramp.limit,
            Stage::Connected => MonoInstant(u64::MAX),
            Stage::Running => self.phases.timing().map_or(at, |timing| timing.drain_deadline),
            Stage::Idle | Stage::Closing | Stage::Over => return,
        };
        let verdict = match (trouble, ending) {
            (Some(verdict), _) => verdict,
            (None, Ending::Done) => return,
            (None, Ending::Idle { .. }) if renews => {
                return self.timers.set(slot.until.max(at), Alarm::Retry(client));
            }
            (None, Ending::Idle { .. } | Ending::Broken) => Verdict::Retry,
        };
        if !slot.backoff.again(verdict) {
            return self.leave(client);
        }
        let until = slot.until.max(at) + self.pause(client);
        if until >= limit {
            return self.leave(client);
        }
        self.attempts.repeated += 1;
        self.slots[client as usize].until = until;
        if ending != Ending::Done {
            self.timers.set(until, Alarm::Retry(client));
        }
    }

    /// The client's next pause.
    fn pause(&mut self, client: u32) -> Duration {
        let slot = &mut self.slots[client as usize];
        let number = u64::from(self.plan.first_client + client) << 32 | u64::from(slot.pauses);
        slot.pauses = slot.pauses.wrapping_add(1);
        slot.backoff.pause(random::uniform(self.plan.seed, PAUSE_STREAM, number))
    }

    /// A client is out of the trial for good.
    fn leave(&mut self, client: u32) {
        self.drop_link(client);
        self.leave_ramp(client);
        self.unsubscribed(client);
        let slot = &mut self.slots[client as usize];
        slot.given_up = true;
        self.attempts.out(slot.status);
    }

    /// The trial's end is known now: clients that were asked to wait until then are out.
    pub(super) fn leave_those_told_to_wait(&mut self) {
        let Some(end) = self.phases.timing().map(|timing| timing.drain_deadline) else { return };
        for client in 0..self.plan.clients {
            let slot = &self.slots[client as usize];
            if slot.until >= end && !slot.given_up {
                self.leave(client);
            }
        }
    }
}
