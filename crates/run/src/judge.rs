//! Judgement of a finished trial: why it cannot be used, and what to know before believing it.

mod arrivals;
pub(crate) mod breakdown;
pub(crate) mod model;
pub(crate) mod stability;
mod standstill;

use std::time::Duration;

use pushbench_metrics::judge::breakdown::Breakdown;
use pushbench_metrics::judge::models::Check;
use pushbench_metrics::observe::censored::Censored;
use pushbench_metrics::observe::observer::Window;
use pushbench_metrics::record::Resources;
use pushbench_metrics::record::control::{LoadMeasured, ServerMeasured};
use pushbench_metrics::record::warning::{
    FEW_MESSAGES, Invalid, LOAD_LATE_US, Lag, PUBLISHER_LATE_US, SATURATED_SHARE, Warning,
};
use pushbench_protocol::batch::MAX_BATCH;

use self::stability::Stability;

/// All that a judgement is drawn from.
#[derive(Debug)]
pub(crate) struct Evidence<'a> {
    pub(crate) wanted: u32,
    pub(crate) window: Window,
    pub(crate) load: &'a LoadMeasured,
    /// Its latencies, those of late messages included.
    pub(crate) latencies: Censored<'a, 3>,
    pub(crate) server: Option<&'a ServerMeasured>,
    pub(crate) breakdown: Option<&'a Breakdown>,
    pub(crate) resources: &'a Resources,
    pub(crate) busiest_server: Option<Duration>,
    pub(crate) busiest_load: Option<Duration>,
    /// Processes of the server that ended within the window, where what they used is not known.
    pub(crate) servers_ended: Option<u32>,
    /// How late the worst load process was for its own plans.
    pub(crate) load_lag: Option<Lag>,
    /// The fewest and the most messages of the window that a server process published.
    pub(crate) published: Option<(u64, u64)>,
    /// Payload bytes that fall due between two polls of a client that wants them all; 0 where it
    /// does not poll.
    pub(crate) due_between_polls: u64,
    /// Whether the server that ran already is no longer the same.
    pub(crate) feed_changed: bool,
    /// Packets that a capture did not see.
    pub(crate) uncaptured: u64,
    /// Whether the server is a child of this run.
    pub(crate) own_server: bool,
    /// Whether the server's instants are on this machine's clock.
    pub(crate) same_clock: bool,
    /// How the trial compares with its model.
    pub(crate) check: &'a Check,
    /// Whether a busy machine is only warned of.
    pub(crate) allow_busy: bool,
    /// Whether server and load generator share the only physical core.
    pub(crate) one_core: bool,
}

impl Evidence<'_> {
    fn share(&self, cpu: Option<Duration>) -> Option<f64> {
        Some(cpu?.as_secs_f64() / self.window.duration().as_secs_f64())
    }

    /// Why the trial cannot be used; empty where it can.
    pub(crate) fn invalid(&self) -> Vec<Invalid> {
        let mut reasons = Vec::new();
        let measured = &self.load.measured;
        if let Some(error) = &self.load.coded {
            reasons.push(Invalid::Coded { error: error.clone() });
        }
        let connected = self.load.connected_at_start;
        reasons.extend(self.load.attempts.invalid(self.wanted, self.load.errors.first()));
        // Of clients that are out of the trial it is known why they are missing.
        let others = u64::from(self.wanted.saturating_sub(connected)) > self.load.attempts.left();
        if connected < self.wanted && (others || reasons.is_empty()) {
            let error = self.load.errors.first().cloned();
            reasons.push(Invalid::ClientsMissing { connected, wanted: self.wanted, error });
        }
        if !measured.audit.balances() || (self.same_clock && !measured.is_sampled()) {
            reasons.push(Invalid::AuditUnbalanced);
        }
        reasons.extend(self.invalid_arrivals());
        if let Some((least, most)) = self.published.filter(|(least, most)| least < most) {
            reasons.push(Invalid::ServersDisagree { least, most });
        }
        if self.feed_changed {
            reasons.push(Invalid::FeedChanged);
        }
        if !measured.ledger.balances() {
            reasons.push(Invalid::LedgerUnbalanced);
        }
        if self.uncaptured > 0 {
            reasons.push(Invalid::CaptureIncomplete { missed: self.uncaptured });
        }
        if let Some(share) = self.share(self.busiest_load).filter(|&s| s > SATURATED_SHARE) {
            reasons.push(Invalid::LoadSaturated { share });
        }
        reasons.extend(self.stability().map_or_else(Vec::new, |stability| stability.invalid()));
        reasons
    }

    fn stability(&self) -> Option<Stability<'_>> {
        Some(Stability {
            disturbance: self.resources.disturbance.as_ref()?,
            instrument: self.resources.instrument.as_ref(),
            window: self.window.duration(),
            latency: self.latencies.at_least(),
            allow_busy: self.allow_busy,
            own_server: self.own_server,
        })
    }

    /// Doubts to know of before believing the figures.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        let mut warnings = self.of_the_server();
        let (audit, counters) = (&self.load.measured.audit, &self.load.measured.counters);
        if let Some(lag) = self.load_lag.filter(|lag| lag.us > LOAD_LATE_US) {
            warnings.push(Warning::LoadLate(lag));
        }
        warnings.extend(self.breakdown.into_iter().flat_map(breakdown::warnings));
        if self.due_between_polls > MAX_BATCH as u64 {
            warnings.push(Warning::PollsTooRare { due_bytes: self.due_between_polls });
        }
        if audit.lost > 0 {
            warnings.push(Warning::Lost { messages: audit.lost });
        }
        if audit.late > 0 {
            warnings.push(Warning::Late { messages: audit.late });
        }
        warnings.extend(self.load.measured.silence.map(Warning::FellSilent));
        warnings.extend(self.falls_behind());
        if audit.duplicated > 0 {
            warnings.push(Warning::Duplicated { messages: audit.duplicated });
        }
        if audit.reordered > 0 {
            warnings.push(Warning::Reordered { messages: audit.reordered });
        }
        if counters.reconnects > 0 {
            warnings.push(Warning::Reconnects { count: counters.reconnects });
        }
        warnings.extend(self.of_errors());
        if !self.load.other_events.is_empty() {
            warnings.push(Warning::OtherEvents { events: self.load.other_events.clone() });
        }
        warnings.extend(self.load.attempts.warnings(self.wanted, self.load.errors.first()));
        if counters.skipped_polls > 0 {
            warnings.push(Warning::PollsSkipped { count: counters.skipped_polls });
        }
        if audit.published < FEW_MESSAGES {
            warnings.push(Warning::FewMessages { messages: audit.published });
        }
        warnings.extend(self.check.warnings());
        if self.one_core {
            warnings.push(Warning::OneCore);
        }
        if !self.same_clock {
            warnings.push(Warning::ForeignClock);
        }
        warnings.extend(self.stability().map_or_else(Vec::new, |stability| stability.warnings()));
        warnings
    }

    /// Breaches of the protocol, and apart from them all other failures.
    fn of_errors(&self) -> Vec<Warning> {
        let counters = &self.load.measured.counters;
        let (breaches, breach) = (counters.protocol_errors, &self.load.first_protocol_error);
        let others = counters.errors.saturating_sub(breaches);
        let mut warnings = Vec::new();
        if breaches > 0 {
            warnings.push(Warning::ProtocolErrors { count: breaches, first: breach.clone() });
        }
        if others > 0 {
            let mut errors = self.load.errors.iter();
            let first = errors.find(|error| Some(*error) != breach.as_ref()).cloned();
            warnings.push(Warning::Errors { count: others, first });
        }
        warnings
    }

    fn of_the_server(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if let Some(share) =
            self.share(self.busiest_server).filter(|&share| share > SATURATED_SHARE)
        {
            warnings.push(Warning::ServerSaturated { share });
        }
        let lag = self.server.and_then(|server| Lag::of(&server.publish_lag));
        if let Some(lag) = lag.filter(|lag| lag.us > PUBLISHER_LATE_US) {
            warnings.push(Warning::PublisherLate(lag));
        }
        match self.servers_ended {
            Some(ended) => warnings.push(Warning::ServerEnded { ended }),
            None if !self.own_server && self.busiest_server.is_none() => {
                warnings.push(Warning::ServerUnknown);
            }
            None => {}
        }
        warnings
    }
}
