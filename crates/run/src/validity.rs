//! Validity of a finished trial: why it cannot be used, and what to know before believing it.

mod arrivals;
mod breakdown;
mod browser;
mod findings;
mod link;
mod model;
mod proxy;
pub(crate) mod record;
pub(crate) mod stability;
mod standstill;

use std::time::Duration;

use pushbench_core::feed::stamp::LatencyFrom;
use pushbench_core::link::Link;
use pushbench_metrics::judge::breakdown::Breakdown;
use pushbench_metrics::judge::models::Check;
use pushbench_metrics::observe::censored::Censored;
use pushbench_metrics::observe::cuts::Cuts;
use pushbench_metrics::record::TrialId;
use pushbench_metrics::record::control::LoadMeasured;
use pushbench_metrics::record::warning::{
    FEW_MESSAGES, Gone, Invalid, LOAD_LATE_US, Lag, PUBLISHER_LATE_US, PathFault, RoomDoubt,
    SATURATED_SHARE, Warning,
};
use pushbench_protocol::batch::MAX_BATCH;

use self::link::Routing;
use self::stability::Stability;
use crate::plan::Plan;
use crate::trial::Played;

/// All that the validity of a trial is concluded from.
#[derive(Debug)]
pub(crate) struct Evidence<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) id: TrialId,
    pub(crate) played: &'a Played,
    /// Its latencies, those of late messages included.
    pub(crate) latencies: Censored<'a, 3>,
    pub(crate) breakdown: Option<&'a Breakdown>,
    /// How the trial compares with its model.
    pub(crate) check: &'a Check,
}

impl<'a> Evidence<'a> {
    fn load(&self) -> &'a LoadMeasured {
        &self.played.merged.load
    }

    fn wanted(&self) -> u32 {
        self.plan.point(self.id).clients
    }

    /// The share of the window that `cpu` took, where that is more than a process can spare.
    fn saturated(&self, cpu: Option<Duration>) -> Option<f64> {
        let share = cpu?.as_secs_f64() / self.played.timing.window.duration().as_secs_f64();
        (share > SATURATED_SHARE).then_some(share)
    }

    /// Why the trial cannot be used; empty where it can.
    pub(crate) fn invalid(&self) -> Vec<Invalid> {
        let (load, played, wanted) = (self.load(), self.played, self.wanted());
        let measured = &load.measured;
        let coded = load.coded.clone().map(|error| Invalid::Coded { error });
        let mut reasons: Vec<Invalid> = coded.into_iter().collect();
        let connected = load.connected_at_start;
        let was_there = if connected > 0 { Gone::WentAway } else { Gone::NotThere };
        let gone = played.server_gone.then_some(was_there);
        reasons.extend(load.attempts.invalid(wanted, load.errors.first(), gone));
        // Of clients that are out of the trial it is known why they are missing.
        let others = u64::from(wanted.saturating_sub(connected)) > load.attempts.left();
        let waits = self.waiting_tabs().is_some_and(|it| connected + it.tabs == wanted);
        if connected < wanted && !waits && (others || reasons.is_empty()) {
            let error = load.errors.first().cloned();
            reasons.push(Invalid::ClientsMissing { connected, wanted, error });
        }
        let audited = measured.audit.balances() && (!played.same_clock || measured.is_sampled());
        reasons.extend((!audited).then_some(Invalid::AuditUnbalanced));
        reasons.extend(self.invalid_arrivals());
        reasons.extend(self.invalid_tabs());
        let unequal = played.merged.published.filter(|(least, most)| least < most);
        reasons.extend(unequal.map(|(least, most)| Invalid::ServersDisagree { least, most }));
        reasons.extend(played.feed_changed.then_some(Invalid::FeedChanged));
        reasons.extend((!measured.ledger.balances()).then_some(Invalid::LedgerUnbalanced));
        let missed = any(played.uncaptured);
        reasons.extend(missed.map(|missed| Invalid::CaptureIncomplete { missed }));
        reasons.extend(self.routing().iter().flat_map(Routing::invalid));
        reasons.extend(played.cross.as_ref().and_then(link::idle));
        let saturated = self.saturated(played.cost.busiest_load);
        reasons.extend(saturated.map(|share| Invalid::LoadSaturated { share }));
        reasons.extend(self.stability().iter().flat_map(Stability::invalid));
        reasons
    }

    fn routing(&self) -> Option<Routing<'_>> {
        Some(Routing {
            router: self.played.router.as_ref()?,
            link: self.plan.point(self.id).link.as_ref()?,
            window: self.played.timing.window.duration(),
            allow_busy: self.plan.allow_busy,
        })
    }

    fn stability(&self) -> Option<Stability<'_>> {
        Stability::of(self.played, self.latencies.at_least(), self.plan.allow_busy)
    }

    /// Doubts to know of before believing the figures.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        let mut warnings = self.of_the_server();
        let (load, same_clock) = (self.load(), self.played.same_clock);
        let (audit, counters) = (&load.measured.audit, &load.measured.counters);
        let late = self.played.merged.load_lag.filter(|lag| lag.us > LOAD_LATE_US);
        warnings.extend(late.map(Warning::LoadLate));
        let loses = self.plan.point(self.id).link.as_ref().is_some_and(Link::loses);
        let doubts = self.breakdown.into_iter().flat_map(breakdown::warnings);
        // Behind a segment that was lost the kernel keeps what it has, and the load generator waits.
        warnings.extend(doubts.filter(|doubt| !(loses && matches!(doubt, Warning::LoadPart(_)))));
        let due_bytes = self.plan.due_between_polls(self.id);
        if due_bytes > MAX_BATCH as u64 {
            warnings.push(Warning::PollsTooRare { due_bytes });
        }
        warnings.extend(any(audit.lost).map(|messages| Warning::Lost { messages }));
        warnings.extend(any(audit.late).map(|messages| Warning::Late { messages }));
        warnings.extend(load.measured.silence.map(Warning::FellSilent));
        warnings.extend(self.falls_behind());
        warnings.extend(any(audit.duplicated).map(|messages| Warning::Duplicated { messages }));
        warnings.extend(any(audit.reordered).map(|messages| Warning::Reordered { messages }));
        let heard = load.measured.heard.as_ref();
        let disordered = heard.and_then(|heard| any(heard.disordered)).map(RoomDoubt::Disordered);
        let strays = heard.and_then(|heard| any(heard.strays)).map(RoomDoubt::Strays);
        let doubts = disordered.into_iter().chain(strays);
        warnings.extend(doubts.map(|doubt| Warning::Room { doubt }));
        // Of connections that a server's end has cut it is known why.
        warnings.extend(self.cut_when_quiet().filter(|_| !self.restarts()));
        warnings.extend(self.of_connections());
        warnings.extend(self.of_tabs());
        warnings.extend(self.of_errors());
        if !load.other_events.is_empty() {
            warnings.push(Warning::OtherEvents { events: load.other_events.clone() });
        }
        let attempts = load.attempts.warnings(self.wanted(), load.errors.first()).into_iter();
        // A server that goes answers what waits.
        let asked_for =
            |doubt: &Warning| self.restarts() && matches!(doubt, Warning::EarlyAnswers { .. });
        warnings.extend(attempts.filter(|doubt| !asked_for(doubt)));
        // Who is away does not poll.
        let life = self.plan.point(self.id).life;
        let skipped = any(counters.skipped_polls).filter(|_| !life.is_eventful());
        warnings.extend(skipped.map(|count| Warning::PollsSkipped { count }));
        let messages = audit.published.max(audit.unnumbered / audit.clients.max(1));
        if messages < FEW_MESSAGES {
            warnings.push(Warning::FewMessages { messages });
        }
        warnings.extend(self.of_findings());
        warnings.extend(self.check.warnings());
        warnings.extend(self.lumps());
        let one_core = self.plan.layout.has_one_core() && same_clock;
        warnings.extend(one_core.then_some(Warning::OneCore));
        let unverified = self.played.secured.as_ref().filter(|secured| !secured.verified);
        warnings.extend(unverified.map(|_| Warning::Unverified));
        let untimed = !same_clock && self.played.latency_from != LatencyFrom::Nothing;
        warnings.extend(untimed.then_some(Warning::ForeignClock));
        warnings.extend(self.stability().iter().flat_map(Stability::warnings));
        warnings.extend(self.routing().as_ref().and_then(Routing::warning));
        warnings
    }

    /// That most connections that were lost had been silent for one and the same time.
    fn cut_when_quiet(&self) -> Option<Warning> {
        let measured = &self.load().measured;
        let most = |cuts: &Cuts| cuts.connections * 2 > measured.counters.connections_lost;
        let streams = self.id.contender.shape().streams();
        let cuts = measured.cuts.filter(|cuts| streams && most(cuts) && cuts.are_alike());
        cuts.map(|cuts| Warning::Path(PathFault::CutWhenQuiet(cuts)))
    }

    /// Whether the server goes and comes back, as was asked for.
    fn restarts(&self) -> bool {
        self.plan.point(self.id).life.restart.is_some()
    }

    /// Connections that were lost though nobody asked for it, and clients that did not come back where
    /// somebody did.
    fn of_connections(&self) -> Option<Warning> {
        let measured = &self.load().measured;
        match &measured.away {
            Some(away) => any(away.not_back()).map(|times| Warning::NotBack { times }),
            None => any(measured.counters.reconnects).map(|count| Warning::Reconnects { count }),
        }
    }

    /// Breaches of the protocol, and apart from them all other failures.
    fn of_errors(&self) -> Vec<Warning> {
        let (load, counters) = (self.load(), &self.load().measured.counters);
        let (breaches, breach) = (counters.protocol_errors, &load.first_protocol_error);
        let others = counters.errors.saturating_sub(breaches);
        let other = load.errors.iter().find(|error| Some(*error) != breach.as_ref());
        let breaches =
            any(breaches).map(|count| Warning::ProtocolErrors { count, first: breach.clone() });
        // A server that is away is met with errors, which was asked for.
        let others = any(others).filter(|_| !self.restarts());
        let others = others.map(|count| Warning::Errors { count, first: other.cloned() });
        breaches.into_iter().chain(others).collect()
    }

    fn of_the_server(&self) -> Vec<Warning> {
        let (cost, server) = (&self.played.cost, self.played.merged.server.as_ref());
        let place = cost.resources.pinned.as_ref().and_then(|pinned| pinned.router);
        let with_router = place.is_some_and(|router| router.beside_server);
        let router = cost.resources.router_cpu.filter(|_| with_router);
        let busiest = cost.busiest_server.map(|cpu| cpu + router.unwrap_or_default().total);
        let saturated = self.saturated(busiest);
        let lag = server.and_then(|server| Lag::of(&server.publish_lag));
        let late = lag.filter(|lag| lag.us > PUBLISHER_LATE_US);
        let unknown = match cost.servers_ended {
            Some(ended) => Some(Warning::ServerEnded { ended }),
            None if self.played.own_server || cost.busiest_server.is_some() => None,
            None => Some(Warning::ServerUnknown),
        };
        let saturated = saturated.map(|share| Warning::ServerSaturated { share, with_router });
        [saturated, late.map(Warning::PublisherLate), unknown].into_iter().flatten().collect()
    }
}

/// The count of something, where it was at all.
fn any(count: u64) -> Option<u64> {
    (count > 0).then_some(count)
}
