//! Clients that leave while the feed runs, and others that come in their place.
//!
//! A client that leaves does what a page does that is left: a WebSocket says so in a close frame, and
//! the connection is gone. The one that comes in its place connects at once, and goes on from the
//! message that the other had.

use pushbench_core::MonoInstant;
use pushbench_metrics::observe::measure::Measure;
use pushbench_metrics::observe::observer::Event;
use pushbench_os::time::clock::Clock;

use super::state::{LoadState, Runner};
use super::timers::Alarm;

impl<M: Measure, C: Clock> Runner<M, C> {
    /// Plans when clients leave next.
    pub(super) fn plan_leaving(&mut self) {
        let window = self.phases.timing().map(|timing| timing.window);
        let next = self.leaving.as_ref().zip(window).and_then(|(it, window)| it.next(&window));
        if let Some(at) = next {
            self.timers.set(at, Alarm::Leave);
        }
    }

    /// Those leave whose turn it is, as far as this process plays them.
    pub(super) fn leave_in_turn(&mut self, now: MonoInstant) {
        let is_running = self.state == LoadState::Running;
        let Some(leaving) = self.leaving.as_mut().filter(|_| is_running) else { return };
        let numbers = leaving.take(self.plan.total_clients);
        let first = self.plan.first_client as usize;
        for number in numbers {
            let own = number.checked_sub(first).and_then(|client| u32::try_from(client).ok());
            if let Some(client) = own.filter(|client| *client < self.plan.clients) {
                self.leave_and_return(client, now);
            }
        }
        self.plan_leaving();
    }

    /// A client leaves, if it is there, and another comes in its place.
    fn leave_and_return(&mut self, client: u32, now: MonoInstant) {
        let leaver = &mut self.clients[client as usize];
        if !leaver.ready || leaver.given_up || !leaver.outlet.is_open() {
            return;
        }
        self.measure.happened(self.phases.phase(), now, &Event::Left { client });
        self.out.clear();
        leaver.session.close(&mut self.out);
        // What cannot be sent has ended the connection, from which the client recovers.
        if !self.out.send.is_empty() && !self.send(client, now) {
            return;
        }
        let stamped = self.clients[client as usize].outlet.is_stamped();
        self.disconnect(client);
        self.unsubscribed(client);
        self.out.clear();
        self.clients[client as usize].session.closed(&mut self.out);
        self.stamps.was_read(None);
        self.deliver(client, now, stamped);
        self.ramp.waiting.push_back(client);
    }
}
