//! Opening connections, some at a time, and letting go of them.

use mio::Token;
use pushbench_metrics::observe::measure::Measure;
use pushbench_metrics::observe::observer::Event;
use pushbench_os::time::clock::Clock;

use super::ending::Cause;
use super::state::Runner;
use crate::channel::Channel;

impl<M: Measure, C: Clock> Runner<M, C> {
    /// Lets clients connect as far as the ramp has places.
    pub(super) fn fill_ramp(&mut self) {
        while let Some(client) = self.ramp.next(self.plan.ramp) {
            let waiting = &mut self.clients[client as usize];
            if waiting.given_up || waiting.outlet.channel().is_some() {
                continue;
            }
            waiting.on_ramp = true;
            self.ramp.under_way += 1;
            self.connect(client);
        }
    }

    /// Opens a connection for `client` now.
    pub(super) fn connect(&mut self, client: u32) {
        let at = self.now();
        self.disconnect(client);
        // In turn, so that each address has as many.
        let sources = &self.plan.place.sources;
        let number = (self.plan.first_client + self.of_client(client)) as usize;
        let source = sources.get(number % sources.len().max(1)).copied();
        let layer = self.security.as_ref().map(|security| security.layer(client));
        let (registry, token) = (self.poll.registry(), Token(client as usize));
        let channel = Channel::connect(layer, self.plan.target, source, registry, token);
        let connecting = &mut self.clients[client as usize];
        (connecting.outlet.opened, connecting.status) = (at, 0);
        self.measure.happened(self.phases.phase(), at, &Event::Opening { client });
        match channel {
            Ok(channel) => {
                self.clients[client as usize].outlet.set(channel);
                self.numbers.channels += 1;
            }
            Err(source) => self.ended(client, at, Cause::Unreachable(source)),
        }
    }

    /// Closes the client's connection, if it has one.
    pub(super) fn disconnect(&mut self, client: u32) {
        let leaving = &mut self.clients[client as usize].outlet;
        if let Some(channel) = leaving.channel_mut() {
            channel.take_leave(&mut self.moved);
        }
        self.read_tcpip_at_close(client);
        let Some(kept) = self.clients[client as usize].outlet.close(&mut self.moved) else {
            return;
        };
        self.numbers.channels -= 1;
        self.secured(kept);
    }

    /// The client's attempt has come to an end, good or bad.
    pub(super) fn leave_ramp(&mut self, client: u32) {
        let was_on_it = std::mem::take(&mut self.clients[client as usize].on_ramp);
        self.ramp.under_way -= u32::from(was_on_it);
    }

    /// A client is out of the trial for good.
    pub(super) fn give_up(&mut self, client: u32) {
        self.disconnect(client);
        self.leave_ramp(client);
        let given_up = std::mem::replace(&mut self.clients[client as usize].given_up, true);
        self.numbers.given_up += u32::from(!given_up);
    }

    /// Gives up every client that is not ready: connecting has taken long enough.
    pub(super) fn end_ramp(&mut self) {
        let at = self.now();
        let words = self.never_ready();
        self.ramp.waiting.clear();
        for client in 0..self.connections() {
            if self.clients[client as usize].ready {
                continue;
            }
            self.give_up(client);
            self.measure.happened(self.phases.phase(), at, &Event::Failed { client });
            self.keep_error(client, &words);
        }
    }

    /// The words for a client that has taken too long to connect.
    fn never_ready(&self) -> String {
        let (target, limit) = (self.plan.target, self.plan.connect_timeout);
        let late = format!("not subscribed at {target} within {limit:?}; is the server overloaded");
        let rules = self.plan.subject.rules.as_ref();
        if rules.is_none_or(|rules| rules.ready.is_none()) {
            return format!("{late}?");
        }
        let late = format!("{late}, or does what --ready waits for not come?");
        match self.sessions.found().first_of_none() {
            Some(first) => format!("{late} The first text for any client was no message: {first}"),
            None => late,
        }
    }
}
