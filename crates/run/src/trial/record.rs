//! Records of trials: their figures, and the judgement on them.

use pushbench_core::{MonoInstant, Seq};
use pushbench_metrics::judge::breakdown::Breakdown;
use pushbench_metrics::judge::models::Check;
use pushbench_metrics::observe::observer::Window;
use pushbench_metrics::record::control::{LoadMeasured, TrialTiming};
use pushbench_metrics::record::warning::Invalid;
use pushbench_metrics::record::{Resources, TrialRecord};

use super::cost::Cost;
use super::merged::Merged;
use super::{Played, Trial};
use crate::judge::{self, Evidence};
use crate::plan::Plan;
use crate::setup::Attempt;

/// The record of a trial that came to nothing.
pub(super) fn without_figures(plan: &Plan, attempt: Attempt, reason: Invalid) -> TrialRecord {
    let nothing = MonoInstant::default();
    TrialRecord {
        id: attempt.id,
        order: attempt.order,
        attempt: attempt.number,
        invalid: vec![reason],
        warnings: Vec::new(),
        window: Window {
            start: nothing,
            end: nothing + plan.scenario.duration.0,
            first: Seq(1),
            last: Seq::NONE,
        },
        connected: 0,
        measured: Default::default(),
        loop_lag: Default::default(),
        server: None,
        breakdown: None,
        resources: Resources::default(),
        errors: Vec::new(),
        check: Default::default(),
    }
}

impl Trial<'_> {
    /// The trial's record, with the judgement on it.
    pub(super) fn record(self, played: Played) -> TrialRecord {
        let Played { timing, mut merged, mut cost, uncaptured, fallen, feed_changed } = played;
        self.complete(&mut cost.resources);
        if !self.same_clock {
            merged.load.measured.latency = Default::default();
            merged.load.measured.late = Default::default();
            merged.load.measured.age = Default::default();
        }
        let breakdown =
            judge::breakdown::join(&merged.server_stamps, &merged.load_stamps, self.same_clock);
        let check = self.check(&timing, &merged.load, &cost.resources);
        if let Some(polls) = &mut merged.load.measured.polls {
            // What chance makes of them is known now; a record would grow with them.
            polls.kept.clear();
        }
        let window = timing.window;
        let evidence = Evidence {
            uncaptured,
            feed_changed,
            ..self.evidence(window, &merged, breakdown.as_ref(), &cost, &check)
        };
        let warnings = evidence.warnings();
        let invalid = fallen.into_iter().chain(evidence.invalid()).collect();
        let Merged { load, server, .. } = merged;
        TrialRecord {
            id: self.attempt.id,
            order: self.attempt.order,
            attempt: self.attempt.number,
            invalid,
            warnings,
            window,
            connected: load.connected_at_start,
            measured: load.measured,
            loop_lag: load.loop_lag,
            server,
            breakdown,
            resources: cost.resources,
            errors: load.errors,
            check,
        }
    }

    /// Adds how the trial was laid out, and takes away what capturing spoils.
    fn complete(&self, resources: &mut Resources) {
        if self.plan.capture {
            // Capturing takes tens of per cent, part of it in the sender's context.
            (resources.server_cpu, resources.load_cpu) = (None, None);
        }
        resources.server_processes = self.server.own_processes() as u32;
        resources.source_addresses = self.places.source_addresses;
        resources.pinned.clone_from(&self.places.pinned);
    }

    fn evidence<'e>(
        &self,
        window: Window,
        merged: &'e Merged,
        breakdown: Option<&'e Breakdown>,
        cost: &'e Cost,
        check: &'e Check,
    ) -> Evidence<'e> {
        Evidence {
            wanted: self.plan.point(self.attempt.id).clients,
            window,
            load: &merged.load,
            latencies: merged.load.measured.latencies(),
            server: merged.server.as_ref(),
            breakdown,
            resources: &cost.resources,
            busiest_server: cost.busiest_server,
            servers_ended: cost.servers_ended,
            busiest_load: cost.busiest_load,
            load_lag: merged.load_lag,
            published: merged.published,
            due_between_polls: self.plan.due_between_polls(self.attempt.id),
            feed_changed: false,
            uncaptured: 0,
            own_server: self.server.is_own(),
            same_clock: self.same_clock,
            check,
            allow_busy: self.plan.allow_busy,
            one_core: self.plan.layout.has_one_core() && self.same_clock,
        }
    }

    /// Compares the trial with its model, where its latencies are known.
    fn check(&self, timing: &TrialTiming, load: &LoadMeasured, resources: &Resources) -> Check {
        if !self.same_clock {
            return Check::default();
        }
        let (id, scenario) = (self.attempt.id, &self.plan.scenario);
        let trial = judge::model::Trial {
            point: self.plan.point(id),
            contender: id.contender,
            delivery: scenario.delivery,
            timing,
            measured: &load.measured,
            resources,
            seed: scenario.seed,
        };
        trial.check()
    }
}
