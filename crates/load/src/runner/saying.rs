//! Clients that speak: what each has said, and saying what is due.
//!
//! A message is due by its sender's schedule, whatever became of the one before it: one that could not
//! be said in time, since the connection was not there or this process was late, is said as soon as
//! it can be, and its delay counts.

use pushbench_core::talk::Talk;
use pushbench_core::{Identity, MonoInstant, Sender, Seq};
use pushbench_metrics::observe::measure::Measure;
use pushbench_metrics::observe::observer::Event;
use pushbench_os::time::clock::Clock;

use super::state::{LoadState, Runner};
use super::timers::Alarm;

/// What this process's clients have said.
#[derive(Debug)]
pub(super) struct Saying {
    talk: Talk,
    /// The last message of each that was due.
    due: Vec<Seq>,
    /// The last message of each that was said.
    said: Vec<Seq>,
    /// The message that is being said.
    text: Vec<u8>,
}

impl Saying {
    pub(super) fn new(talk: Talk, clients: u32) -> Self {
        let none = vec![Seq::NONE; clients as usize];
        Self { talk, due: none.clone(), said: none, text: Vec::new() }
    }

    /// Renders the next message of a client, which has the number `sender` among all of the trial's,
    /// where one is due that was not said.
    fn render(&mut self, client: u32, sender: u32) -> Option<&[u8]> {
        let (due, said) = (self.due[client as usize], self.said[client as usize]);
        if said >= due {
            return None;
        }
        self.text.clear();
        let message = Identity { sender: Sender(sender), seq: said.next() };
        self.talk.push_message(message, &mut self.text);
        Some(&self.text)
    }
}

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
        let message = Identity { sender, seq: saying.due[client as usize].next() };
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
            let due = &mut saying.due[client as usize];
            *due = due.next();
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
            let said = &mut saying.said[client as usize];
            *said = said.next();
            self.measure.happened(phase, now, &Event::Said { client });
        }
        self.act(connection, now);
    }
}
