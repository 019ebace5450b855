//! Clients that speak: saying what is due.
//!
//! A message is due by its sender's schedule, whatever became of the one before it: one that could not
//! be said in time, since the connection was not there or this process was late, is said as soon as
//! it can be, and its delay counts.

use pushbench_core::{Identity, MonoInstant, Sender};
use pushbench_metrics::observe::measure::Measure;
use pushbench_metrics::observe::observer::Event;
use pushbench_os::time::clock::Clock;

use super::client::Client;
use super::state::{LoadState, Runner};
use super::timers::Alarm;

impl<M: Measure, C: Clock> Runner<M, C> {
    /// Whether a connection is one on which a client only speaks: they come behind those on which
    /// clients listen, in the same order.
    pub(super) const fn is_speaker(&self, client: u32) -> bool {
        client >= self.plan.clients
    }

    /// The client whose connection it is.
    pub(super) const fn of_client(&self, connection: u32) -> u32 {
        connection % self.plan.clients
    }

    /// The connection on which a client speaks.
    const fn speaker_of(&self, client: u32) -> u32 {
        if self.sessions.speak_apart() { self.plan.clients + client } else { client }
    }

    /// Whether all connections of a client stand.
    pub(super) fn is_whole(&self, client: u32) -> bool {
        let stands = |connection: u32| self.clients[connection as usize].ready;
        stands(client) && (self.saying.is_none() || stands(self.speaker_of(client)))
    }

    /// Whether nothing that clients had to say waits here, where it is heard by no client that would wait
    /// for it.
    pub(super) fn has_said_all(&self) -> bool {
        let is_heard = self.plan.talk.is_none_or(|talk| talk.pattern.is_heard());
        let waits = |it: &Client| it.outlet.waits() || it.session.is_saying();
        is_heard || !self.clients.iter().any(waits)
    }

    /// Plans the first message of each client.
    pub(super) fn begin_saying(&mut self, now: MonoInstant) {
        for client in 0..self.saying.as_ref().map_or(0, |_| self.plan.clients) {
            self.plan_next(client, now);
        }
    }

    /// Plans the next message of a client, as far as the trial goes.
    fn plan_next(&mut self, client: u32, now: MonoInstant) {
        let (Some(saying), Some(dues)) = (&self.saying, self.phases.dues()) else { return };
        let sender = Sender(self.plan.first_client + client);
        let message = Identity { sender, seq: saying.next(client) };
        if let Some(due) = dues.due(message) {
            self.timers.set(due.max(now), Alarm::Say(client));
        }
    }

    /// A client's next message is due.
    pub(super) fn say_next(&mut self, client: u32, planned: MonoInstant, now: MonoInstant) {
        if self.state != LoadState::Running {
            return;
        }
        self.loop_lag.record(now.saturating_since(planned));
        if let Some(saying) = &mut self.saying {
            saying.fall_due(client);
        }
        // The next one may be due already, and is then said with this one.
        self.plan_next(client, planned);
        self.say_what_is_due(client, now);
    }

    /// A connection stands: says what waited for it.
    pub(super) fn catch_up(&mut self, connection: u32, at: MonoInstant) {
        let client = self.of_client(connection);
        if self.saying.is_some() && self.speaker_of(client) == connection {
            self.timers.set(at, Alarm::CatchUp(client));
        }
    }

    /// Says what is due of a client's messages, as far as its connection takes them.
    pub(super) fn say_what_is_due(&mut self, client: u32, now: MonoInstant) {
        let (connection, sender) = (self.speaker_of(client), self.plan.first_client + client);
        if self.state != LoadState::Running || self.clients[connection as usize].given_up {
            return;
        }
        self.out.clear();
        let phase = self.phases.phase();
        let Some(saying) = &mut self.saying else { return };
        let session = &mut self.clients[connection as usize].session;
        while let Some(text) = saying.render(client, sender) {
            if !session.say(text, &mut self.out) {
                break;
            }
            saying.pass(client);
            self.measure.happened(phase, now, &Event::Said { client });
        }
        self.act(connection, now);
    }
}
