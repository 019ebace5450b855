//! Doing what is planned: polls, pauses that are over, the loop's looks at itself.

use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_core::poll_phases::PollPhases;
use pushbench_metrics::observe::measure::Measure;
use pushbench_metrics::observe::observer::Event;
use pushbench_os::time::clock::Clock;

use super::loop_check::CHECK_PERIOD;
use super::state::{LoadState, Runner};
use super::timers::Alarm;
use crate::session::Wake;

impl<M: Measure, C: Clock> Runner<M, C> {
    /// Plans each client's first poll: its own place in the period, which the clients of all load
    /// processes fill evenly in a random order.
    pub(super) fn plan_polls(&mut self, warmup: MonoInstant, period: u64, now: MonoInstant) {
        self.timers.tick_together(Duration::from_nanos(period));
        let phases = PollPhases::new(self.plan.seed, self.plan.total_clients);
        for client in 0..self.plan.clients {
            if self.clients[client as usize].given_up {
                continue;
            }
            let number = self.plan.first_client + client;
            let offset = (period as f64 * phases.of(number)) as u64;
            let first = warmup.plus_nanos(offset);
            // A trial whose warm-up has begun by now: the same phase, some periods on.
            let late = now.0.saturating_sub(first.0).div_ceil(period);
            self.timers.set(first.plus_nanos(late * period), Alarm::Tick(client));
        }
    }

    /// Does everything that is due.
    #[inline]
    pub(super) fn do_what_is_due(&mut self) {
        let mut now = self.now();
        while let Some((planned, alarm)) = self.timers.due(now) {
            match alarm {
                Alarm::Phase => self.loop_lag.record(now.saturating_since(planned)),
                Alarm::Tick(client) => self.tick(client, planned, now),
                Alarm::Say(client) => self.say_next(client, planned, now),
                Alarm::CatchUp(client) => self.say_what_is_due(client, now),
                Alarm::Leave => self.leave_in_turn(now),
                Alarm::LoopCheck => self.check_loop(planned, now),
                Alarm::Retry(_) if matches!(self.state, LoadState::Closing | LoadState::Over) => {}
                Alarm::Retry(client) => self.ramp.waiting.push_back(client),
                Alarm::HangUp(client) => self.hang_up(client, planned, now),
                Alarm::Ask(client) => self.ask_again(client, now),
                Alarm::Wake(client, wake) => self.wake(client, wake, now),
                Alarm::Progress => self.progress.due = Some(planned),
                Alarm::ConnectLimit if self.state == LoadState::Connecting => self.end_ramp(),
                Alarm::CloseLimit if self.state == LoadState::Closing => self.disconnect_all(),
                Alarm::ConnectLimit | Alarm::CloseLimit => {}
            }
            now = self.now();
        }
    }

    /// Takes the lag of the loop, at a steady pace whatever the transport.
    #[cold]
    fn check_loop(&mut self, planned: MonoInstant, now: MonoInstant) {
        if self.state == LoadState::Running {
            self.loop_lag.record(now.saturating_since(planned));
            self.loop_check.look(planned, now, &self.clock, || self.measure.settled());
            // The pace is kept: a loop that was away is late for each instant that it missed.
            self.timers.set(planned + CHECK_PERIOD, Alarm::LoopCheck);
        }
    }

    /// Tells a client's session that a time is over.
    fn wake(&mut self, client: u32, wake: Wake, now: MonoInstant) {
        if matches!(self.state, LoadState::Closing | LoadState::Over) {
            return;
        }
        self.out.clear();
        match self.clients[client as usize].session.woken(wake, &mut self.out) {
            Ok(()) => self.act(client, now),
            Err(error) => self.broke_protocol(client, now, &error),
        }
    }

    fn tick(&mut self, client: u32, planned: MonoInstant, now: MonoInstant) {
        let Some(period) = self.cadence.filter(|_| self.state == LoadState::Running) else {
            return;
        };
        self.loop_lag.record(now.saturating_since(planned));
        let polling = &mut self.clients[client as usize];
        if polling.given_up {
            return;
        }
        self.timers.set(planned + period, Alarm::Tick(client));
        if now < polling.until {
            return self.measure.happened(self.phases.phase(), now, &Event::SkippedPoll);
        }
        self.out.clear();
        polling.session.tick(&mut self.out);
        self.act(client, now);
    }
}
