//! Where the limit lies that a trial met: the evidence of its own figures.

use pushbench_core::link::Cause;
use pushbench_core::scenario::{Objective, Point};
use pushbench_metrics::judge::breakdown::Breakdown;
use pushbench_metrics::observe::disturbance::Disturbance;
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_metrics::observe::instrument::Process;
use pushbench_metrics::record::capacity::{Limit, Place};
use pushbench_metrics::record::warning::{
    Invalid, MATTERS, MOSTLY_WAITING, STALL, STALLED_SHARE, Warning,
};
use pushbench_metrics::record::{CpuTime, TrialRecord};

/// From this share of a core on a process has no time left for what comes unevenly.
const FULL: f64 = 0.85;

/// From this share of what all sockets may buffer on, the kernel keeps them short.
const SHORT: f64 = 0.8;

/// From this share of a limit on, a delay is what breaks it.
const MOST_OF: f64 = 0.5;

/// The limit that makes a trial invalid.
pub(super) fn of_invalid(invalid: &Invalid) -> Limit {
    let place = match invalid {
        Invalid::ServerDied { .. }
        | Invalid::ClientsMissing { .. }
        | Invalid::AttemptsUsed(_)
        | Invalid::NothingArrived { .. }
        | Invalid::LostToErrors { .. }
        | Invalid::ServersDisagree { .. }
        | Invalid::FeedChanged
        | Invalid::ProgramFailed { .. } => Place::ServerFailed,
        Invalid::RouterDied { .. }
        | Invalid::RouterLate { .. }
        | Invalid::RouterStalled(_)
        | Invalid::LinkLeaked { .. }
        | Invalid::CrossIdle { .. } => Place::Router,
        Invalid::MachineStalled { .. }
        | Invalid::MachineBusy(_)
        | Invalid::Throttled(_)
        | Invalid::ClockStepped { .. }
        | Invalid::Suspended { .. } => Place::Machine,
        Invalid::InstrumentStalled(own) if own.who == Process::Parent => Place::Machine,
        Invalid::InstrumentStalled(_)
        | Invalid::LoadDied { .. }
        | Invalid::LoadSaturated { .. }
        | Invalid::CaptureIncomplete { .. }
        | Invalid::Tabs(_)
        | Invalid::AuditUnbalanced
        | Invalid::LedgerUnbalanced
        | Invalid::Coded { .. }
        | Invalid::BeforeDue { .. }
        | Invalid::NotThisFeed { .. }
        | Invalid::NothingFound { .. }
        | Invalid::SharedNumbers { .. }
        | Invalid::StampedAhead { .. } => Place::LoadGenerator,
    };
    Limit::new(place, invalid.to_string())
}

/// Whether what makes a trial invalid can only have made delays longer: somebody stood still or had too
/// much to do on the way of messages, each of which was there at the instant that was noted, or before.
pub(super) const fn only_delays(invalid: &Invalid) -> bool {
    matches!(
        invalid,
        Invalid::InstrumentStalled(_)
            | Invalid::LoadSaturated { .. }
            | Invalid::MachineStalled { .. }
            | Invalid::MachineBusy(_)
            | Invalid::Throttled(_)
            | Invalid::RouterLate { .. }
            | Invalid::RouterStalled(_)
    )
}

/// Which of several reasons is told: the others may follow from it.
pub(super) const fn urgency(limit: &Limit) -> u32 {
    match limit.place {
        Place::ServerFailed => 0,
        Place::LoadGenerator => 1,
        Place::Router => 2,
        _ => 3,
    }
}

/// Whether polls of a point wait for longer than a limit by their period alone, at that quantile of a
/// delay.
pub(super) fn waits(point: &Point, limit_us: f64, quantile: Option<f64>) -> bool {
    // Its mean is half of the period.
    point.poll_interval.0.as_secs_f64() * 1e6 * quantile.unwrap_or(0.5) > limit_us
}

/// The longest delay that meets an objective, µs; `None` where it is about none.
pub(super) fn delay_us(objective: &Objective) -> Option<f64> {
    (objective.figure().is_delay() && objective.is_upper()).then_some(objective.limit())
}

/// A trial that does not meet an objective.
pub(super) struct Evidence<'a> {
    pub(super) trial: &'a TrialRecord,
    pub(super) point: &'a Point,
    pub(super) objective: &'a Objective,
    /// Bytes that all sockets of the machine may buffer.
    pub(super) tcp_bytes: Option<u64>,
}

impl Evidence<'_> {
    /// The limit that it met, by the first evidence of those below.
    pub(super) fn limit(&self) -> Limit {
        let found = self
            .principle()
            .or_else(|| self.link())
            .or_else(|| self.kernel_memory())
            .or_else(|| self.machine())
            .or_else(|| self.load_generator())
            .or_else(|| self.full(Place::Proxy, self.share(self.trial.resources.proxy_cpu, 1)))
            .or_else(|| self.full(Place::ServerCpu, self.server_share()))
            .or_else(|| self.server());
        found.unwrap_or_else(|| Limit::new(Place::Unknown, ""))
    }

    fn delay_us(&self) -> Option<f64> {
        delay_us(self.objective)
    }

    /// A poll waits for its period, whatever the load.
    fn principle(&self) -> Option<Limit> {
        let asks = self.trial.id.contender.shape().asks();
        let waits = asks && waits(self.point, self.delay_us()?, self.objective.figure().quantile());
        let detail = format!("it polls each {}", self.point.poll_interval);
        waits.then(|| Limit::new(Place::Principle, detail))
    }

    fn link(&self) -> Option<Limit> {
        let link = self.point.link.as_ref()?;
        let limit_us = self.delay_us();
        let under_way = link.delay.down;
        if limit_us.is_some_and(|limit| under_way.0.as_secs_f64() * 1e6 > limit) {
            return Some(Limit::new(
                Place::Link,
                format!("a message is under way for {under_way}"),
            ));
        }
        let counts = &self.trial.router.as_ref()?.link;
        let dropped: u64 =
            counts.rows.iter().map(|row| row.tally.dropped(Cause::Queue).packets).sum();
        if dropped > 0 {
            let detail = format!("its queue was full for {dropped} packets");
            return Some(Limit::new(Place::Link, detail));
        }
        let mut queued = LatencyHistogram::default();
        counts.rows.iter().for_each(|row| queued.merge(&row.queued));
        let waited_us = queued.percentile_us(0.99)?;
        let detail = format!("packets waited {} for it at p99", time(waited_us));
        (waited_us > limit_us? * MOST_OF).then(|| Limit::new(Place::Link, detail))
    }

    fn kernel_memory(&self) -> Option<Limit> {
        let (used, most) = (self.trial.resources.socket_memory?, self.tcp_bytes?);
        let detail = format!("sockets held {} of {} MiB", used >> 20, most >> 20);
        (used as f64 > most as f64 * SHORT).then(|| Limit::new(Place::KernelMemory, detail))
    }

    /// A disturbance that would have made the trial invalid, had the user not allowed it.
    fn machine(&self) -> Option<Limit> {
        let median_us = self.trial.measured.latency.percentile_us(0.5).unwrap_or(0.0);
        let disturbance = self.trial.resources.disturbance.as_ref();
        let behind = disturbance.and_then(Disturbance::behind_others).unwrap_or_default();
        let disturbs = |warning: &&Warning| match warning {
            Warning::OthersBusy(busy) => {
                let shows = busy.wait.as_secs_f64() * 1e6 > median_us * MATTERS;
                shows || behind.share > MOSTLY_WAITING
            }
            Warning::ShortStalls { worst, share } => *worst > STALL || *share > STALLED_SHARE,
            Warning::Throttled(held) => held.share > STALLED_SHARE,
            _ => false,
        };
        let found = self.trial.warnings.iter().find(disturbs)?;
        Some(Limit::new(Place::Machine, found.to_string()))
    }

    /// It took the time that the objective is missed by, or had no more for what comes unevenly.
    fn load_generator(&self) -> Option<Limit> {
        if let Some(limit_us) = self.delay_us() {
            let breakdown = self.trial.breakdown.as_ref().filter(|all| !all.is_empty());
            if let Some((all, quantile)) = breakdown.zip(self.objective.figure().quantile()) {
                return self.behind_its_kernel(all, quantile);
            }
            let late = self.late_us().filter(|late_us| *late_us > limit_us * MOST_OF);
            if let Some(late_us) = late {
                let detail = format!("it was up to {} late", time(late_us));
                return Some(Limit::new(Place::LoadGenerator, detail));
            }
        }
        let resources = &self.trial.resources;
        self.full(Place::LoadGenerator, self.share(resources.load_cpu, resources.load_processes))
    }

    /// Without the time that passed between its kernel and its clients the objective would be met.
    fn behind_its_kernel(&self, all: &Breakdown, quantile: f64) -> Option<Limit> {
        let measured_us = all.latency.histogram.percentile_us(quantile)?;
        let without_us = all.without_load.percentile_us(quantile)?;
        let met = |us| self.objective.is_met_by(us);
        (!met(measured_us) && met(without_us)).then(|| {
            let (kernel, clients) = (time(without_us), time(measured_us));
            let detail =
                format!("its kernel had the messages after {kernel}, its clients after {clients}");
            Limit::new(Place::LoadGenerator, detail)
        })
    }

    /// How late it was, or for how long it stood still, µs.
    fn late_us(&self) -> Option<f64> {
        self.trial.warnings.iter().find_map(|warning| match warning {
            Warning::LoadLate(lag) => Some(lag.us),
            Warning::InstrumentStalls(own) if own.who != Process::Parent => {
                Some(own.worst.as_secs_f64() * 1e6)
            }
            _ => None,
        })
    }

    /// The server took most of the time, though not its core's.
    fn server(&self) -> Option<Limit> {
        let share = self.server_share()?;
        let detail = format!("it used {:.0} % of a core", share * 100.0);
        Some(Limit::new(Place::Server, detail))
    }

    fn server_share(&self) -> Option<f64> {
        let resources = &self.trial.resources;
        let saturated = self.trial.warnings.iter().find_map(|warning| match warning {
            Warning::ServerSaturated { share, .. } => Some(*share),
            _ => None,
        });
        saturated.or_else(|| self.share(resources.server_cpu, resources.server_processes))
    }

    /// The share of a core that each of some processes used.
    fn share(&self, cpu: Option<CpuTime>, processes: u32) -> Option<f64> {
        let window = self.trial.window.duration().as_secs_f64();
        Some(cpu?.total.as_secs_f64() / window / f64::from(processes.max(1)))
    }

    fn full(&self, place: Place, share: Option<f64>) -> Option<Limit> {
        let share = share.filter(|share| *share >= FULL)?;
        Some(Limit::new(place, format!("it used {:.0} % of a core", share * 100.0)))
    }
}

/// Microseconds as `7.3 ms`.
fn time(us: f64) -> String {
    match us {
        us if us < 999.5 => format!("{us:.0} µs"),
        us if us < 99_950.0 => format!("{:.1} ms", us / 1e3),
        us => format!("{:.0} ms", us / 1e3),
    }
}
