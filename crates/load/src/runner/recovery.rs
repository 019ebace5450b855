//! After a failure: whether a client tries again, when, and who is out of the trial for good.

use std::time::{Duration, SystemTime};

use pushbench_core::{MonoInstant, random};
use pushbench_metrics::observe::measure::Measure;
use pushbench_os::time::clock::Clock;

use super::state::{LoadState, Runner};
use super::timers::Alarm;
use crate::session::{Ending, ProtocolError, RetryAfter, Retryability};

/// The stream of random numbers that pauses are drawn from.
const PAUSE_STREAM: u64 = 202;

/// A connection that stood for so long before it was closed between two polls was not refused.
const SETTLED: Duration = Duration::from_secs(1);

impl<M: Measure, C: Clock> Runner<M, C> {
    /// Keeps in mind what has failed until [`recover`](Self::recover) acts upon it, and counts
    /// whom a browser would have given up.
    pub(super) fn remember_failure(&mut self, client: u32, error: &ProtocolError) {
        let subscriber = &mut self.clients[client as usize];
        subscriber.failed = subscriber.failed.max(Some(error.retryability()));
        subscriber.status = error.status().unwrap_or(subscriber.status);
        let stops =
            self.plan.contender.shape().streams() && !subscriber.ready && error.stops_browser();
        if stops && !std::mem::replace(&mut subscriber.browser_stopped, true) {
            *self.attempts.browser_stops.entry(subscriber.status).or_default() += 1;
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
        let subscriber = &mut self.clients[client as usize];
        subscriber.until = subscriber.until.max(until);
    }

    /// A poll was answered without news: whether the server should have held it is seen by the
    /// time that it took.
    pub(super) fn without_news(&mut self, client: u32, at: MonoInstant) {
        let subscriber = &mut self.clients[client as usize];
        // The answer to a subscription is to come at once.
        if !subscriber.ready || !self.holding.is_too_soon(client, at) {
            return;
        }
        subscriber.backoff.too_soon();
        self.attempts.early_answers += 1;
        let until = at + self.pause(client);
        self.not_before(client, until);
    }

    /// Has the client ask again on its connection, once that may be.
    pub(super) fn ask_again(&mut self, client: u32, at: MonoInstant) {
        let subscriber = &mut self.clients[client as usize];
        if at < subscriber.until {
            return self.timers.set(subscriber.until, Alarm::Ask(client));
        }
        let is_open = subscriber.outlet.is_open();
        if !is_open || matches!(self.state, LoadState::Closing | LoadState::Over) {
            return;
        }
        self.out.clear();
        subscriber.session.ask_again(&mut self.out);
        self.act(client, at);
    }

    /// Whether a connection that has ended is followed by another as a matter of course.
    pub(super) fn renews(&self, client: u32, at: MonoInstant, ending: Ending) -> bool {
        let subscriber = &self.clients[client as usize];
        let Ending::Idle { served } = ending else { return false };
        subscriber.failed.is_none()
            && (served || at.saturating_since(subscriber.outlet.opened) >= SETTLED)
    }

    /// Decides how a client goes on after a failure, or after its connection has ended.
    pub(super) fn recover(&mut self, client: u32, at: MonoInstant, ending: Ending) {
        let renews = self.renews(client, at, ending);
        let subscriber = &mut self.clients[client as usize];
        let failed = subscriber.failed.take();
        let limit = match self.state {
            LoadState::Connecting => self.ramp.limit,
            LoadState::Connected => MonoInstant(u64::MAX),
            LoadState::Running => self.phases.timing().map_or(at, |timing| timing.drain_deadline),
            LoadState::Idle | LoadState::Closing | LoadState::Over => return,
        };
        let retryability = match (failed, ending) {
            (Some(retryability), _) => retryability,
            (None, Ending::Done) => return,
            (None, Ending::Idle { .. }) if renews => {
                return self.timers.set(subscriber.until.max(at), Alarm::Retry(client));
            }
            (None, Ending::Idle { .. } | Ending::Broken) => Retryability::Retry,
        };
        if !subscriber.backoff.again(retryability) {
            let is_final = retryability == Retryability::Final;
            self.attempts.never_in += u64::from(is_final && self.state == LoadState::Connecting);
            return self.leave(client);
        }
        let until = subscriber.until.max(at) + self.pause(client);
        if until >= limit {
            return self.leave(client);
        }
        self.attempts.repeated += 1;
        self.clients[client as usize].until = until;
        if ending != Ending::Done {
            self.timers.set(until, Alarm::Retry(client));
        }
    }

    /// The client's next pause.
    fn pause(&mut self, client: u32) -> Duration {
        let subscriber = &mut self.clients[client as usize];
        let number =
            u64::from(self.plan.first_client + client) << 32 | u64::from(subscriber.pauses);
        subscriber.pauses = subscriber.pauses.wrapping_add(1);
        subscriber
            .backoff
            .pause(self.plan.life.reconnect, random::uniform(self.plan.seed, PAUSE_STREAM, number))
    }

    /// A client has no attempt left that may succeed.
    fn leave(&mut self, client: u32) {
        self.give_up(client);
        self.unsubscribed(client);
        self.attempts.out(self.clients[client as usize].status);
    }

    /// The trial's end is known now: clients that were asked to wait until then are out.
    pub(super) fn give_up_on_waiting_clients(&mut self) {
        let Some(end) = self.phases.timing().map(|timing| timing.drain_deadline) else { return };
        for client in 0..self.connections() {
            let subscriber = &self.clients[client as usize];
            if subscriber.until >= end && !subscriber.given_up {
                self.leave(client);
            }
        }
    }
}
