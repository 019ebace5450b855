//! The course of a window in which connections end because that was asked for: what the server spends
//! from tenth to tenth of a second, and how it goes and comes back.

use std::net::SocketAddr;
use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_core::life::{Life, Restart};
use pushbench_metrics::observe::away::TENTH;
use pushbench_metrics::record::control::{Begun, TrialTiming};
use pushbench_metrics::record::course::{CpuSample, Restarted, ServerCourse};
use pushbench_metrics::record::warning::Invalid;
use pushbench_os::time::clock;

use super::Trial;
use super::cost::CostMeter;
use super::disturbance::DisturbanceWatch;
use crate::error::{RunError, TrialError};

/// How often it is looked whether a server that was told to go has ended.
const LOOK_EACH: Duration = Duration::from_millis(2);

/// How long it may take to: what it gives its clients to leave, and as long again.
const GONE_WITHIN: Duration = Duration::from_secs(5);

/// The meters of a window, which follow the server from one process to the next.
pub(super) struct Meters<'a> {
    pub(super) cost: &'a mut CostMeter,
    pub(super) watch: &'a mut DisturbanceWatch,
}

impl Trial<'_> {
    /// Goes through the window, up to its end. Returns for how long this process stood still over that,
    /// and, where the trial's `life` has anything happen, the server's course.
    pub(super) fn go_through(
        &mut self,
        timing: &TrialTiming,
        life: &Life,
        mut meters: Meters<'_>,
    ) -> Result<(Duration, Option<ServerCourse>), TrialError> {
        let window = timing.window;
        if !life.is_eventful() {
            return Ok((self.inbox.wait_until(window.end)?, None));
        }
        let mut course = ServerCourse::default();
        let mut next = window.start;
        if let Some((restart, at)) = life.restart.zip(timing.halt) {
            self.sample_until(at, (window.start, &mut next), &mut course, &meters)?;
            course.restarted = Some(self.restart(timing, restart, &mut course, &mut meters)?);
            next = next.max(clock::now());
        }
        let late =
            self.sample_until(window.end, (window.start, &mut next), &mut course, &meters)?;
        Ok((late, Some(course)))
    }

    /// Waits until `instant`, and reads the server's clock about each tenth of a second on the way, the
    /// first time at `next`.
    fn sample_until(
        &mut self,
        instant: MonoInstant,
        (start, next): (MonoInstant, &mut MonoInstant),
        course: &mut ServerCourse,
        meters: &Meters<'_>,
    ) -> Result<Duration, TrialError> {
        while *next < instant {
            self.inbox.wait_until(*next)?;
            sample(course, start, meters);
            *next = *next + TENTH;
        }
        self.inbox.wait_until(instant)
    }

    /// Has the server go, and another come in its place.
    fn restart(
        &mut self,
        timing: &TrialTiming,
        restart: Restart,
        course: &mut ServerCourse,
        meters: &mut Meters<'_>,
    ) -> Result<Restarted, TrialError> {
        let start = timing.window.start;
        let since = |at: MonoInstant| at.saturating_since(start);
        let own = self.server.own_mut().ok_or(RunError::Stopped)?;
        sample(course, start, meters);
        let before = own.pids();
        meters.goes();
        let halted = clock::now();
        own.halt(restart.how).map_err(RunError::Server)?;
        self.wait_until_gone(meters)?;
        let gone = clock::now();
        self.inbox.wait_until(gone + restart.down.0)?;
        let (begun, addresses) =
            (Begun { origin: timing.origin, window: timing.window }, self.listened.clone());
        let own = self.server.own_mut().ok_or(RunError::Stopped)?;
        own.succeed(begun, &addresses).map_err(RunError::Server)?;
        meters.comes(&before, &own.pids());
        self.inbox.server_comes(&own.pids());
        let there: Vec<SocketAddr> = self.inbox.server_addresses()?;
        debug_assert_eq!(there, addresses);
        Ok(Restarted { halted: since(halted), gone: since(gone), back: since(clock::now()) })
    }

    /// Waits until the server has ended that was told to, and follows its clock until then.
    fn wait_until_gone(&mut self, meters: &mut Meters<'_>) -> Result<(), TrialError> {
        let limit = clock::now() + GONE_WITHIN;
        while !self.server.own_mut().is_none_or(|own| own.have_ended()) {
            if clock::now() >= limit {
                let error = format!("it was told to go and did not within {GONE_WITHIN:?}");
                return Err(TrialError::Invalid(Invalid::ServerDied { error }));
            }
            meters.goes();
            self.inbox.wait_until(clock::now() + LOOK_EACH)?;
        }
        Ok(())
    }
}

fn sample(course: &mut ServerCourse, start: MonoInstant, meters: &Meters<'_>) {
    if let Some(spent) = meters.cost.server_spent() {
        let at = clock::now().saturating_since(start);
        course.cpu.push(CpuSample { at, spent });
    }
}

impl Meters<'_> {
    /// The server processes are about to end: what they have spent is kept.
    fn goes(&mut self) {
        self.cost.server_goes();
        self.watch.goes();
    }

    /// Others have come in their place.
    fn comes(&mut self, before: &[u32], now: &[u32]) {
        self.cost.server_comes(now);
        self.watch.comes(before, now);
    }
}
