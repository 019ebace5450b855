//! Messages of senders whose schedule is not known: each gets its arrival, and its stamp is put on
//! the clock of arrivals.

use pushbench_core::feed::stamp::Stamped;
use pushbench_core::{Identity, MonoInstant};
use pushbench_metrics::observe::measure::Measure;
use pushbench_metrics::observe::observer::{Arrival, Finding};
use pushbench_os::time::clock::Clock;

use super::state::Runner;
use super::traffic::{brought_nothing_new, off_schedule};

impl<M: Measure, C: Clock> Runner<M, C> {
    /// Stamps what rules found in the session's output, if anything, with its arrival.
    pub(super) fn deliver_found(&mut self, client: u32, at: MonoInstant) {
        if self.out.stamped.is_empty() {
            return;
        }
        self.progress.messages += self.out.stamped.len() as u64;
        let backoff = &mut self.clients[client as usize].backoff;
        if backoff.has_failed() && !brought_nothing_new(&self.out.notes) {
            backoff.recovered();
        }
        if self.plan.subject.has_schedule {
            return self.deliver_numbered(client, at);
        }
        // Before the order to run, and behind the drain, messages are nobody's.
        let (Some(_), Some(timing)) = (self.phases.dues(), self.phases.timing()) else { return };
        let offset = timing.stamps;
        for &Stamped { sender, seq, stamp } in &self.out.stamped {
            let due = offset.zip(stamp).map(|(offset, stamp)| offset.to_monotonic(stamp));
            let finding = Finding { client, sender, seq, stamp, due, at };
            self.measure.found(&finding);
            if let Some(latency) = finding.latency() {
                self.progress.arrived(latency);
            }
        }
    }

    /// Stamps messages whose numbers are those of the feed, so that they are as any other server's.
    fn deliver_numbered(&mut self, client: u32, at: MonoInstant) {
        let Some(dues) = self.phases.dues() else { return };
        for seq in self.out.stamped.iter().filter_map(|message| message.seq) {
            let message = Identity::of_feed(seq);
            let Some(due) = dues.due(message) else {
                off_schedule(&mut self.measure, &self.phases, message, at);
                continue;
            };
            let arrival = Arrival { client, sender: message.sender, seq, due, at };
            self.measure.arrived(&arrival);
            self.progress.arrived(arrival.latency());
        }
    }
}
