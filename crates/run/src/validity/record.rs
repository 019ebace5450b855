//! Records of trials: their figures, and how valid they are.

use pushbench_core::{MonoInstant, Seq};
use pushbench_metrics::observe::observer::Window;
use pushbench_metrics::record::{Resources, TrialRecord};

use super::{Evidence, breakdown, model};
use crate::error::{RunError, TrialError};
use crate::plan::Plan;
use crate::setup::Attempt;
use crate::trial::{Merged, Played};

/// The record of a trial, and what it is worth. One whose processes failed is invalid and has no
/// figures; what cannot be helped by a repeat is an error.
pub(crate) fn of(
    plan: &Plan,
    attempt: Attempt,
    played: Result<Played, TrialError>,
) -> Result<TrialRecord, RunError> {
    match played {
        Ok(played) => Ok(with_figures(plan, attempt, played)),
        Err(TrialError::Invalid(reason)) => {
            Ok(TrialRecord { invalid: vec![reason], ..without_figures(plan, attempt) })
        }
        Err(TrialError::Found(found)) => {
            let (warnings, proxy) = (vec![found.finding], Some(found.proxy));
            Ok(TrialRecord { warnings, proxy, ..without_figures(plan, attempt) })
        }
        Err(TrialError::Run(error)) => Err(error),
    }
}

/// The record of a trial that came to nothing.
pub(crate) fn without_figures(plan: &Plan, attempt: Attempt) -> TrialRecord {
    let nothing = MonoInstant::default();
    TrialRecord {
        id: attempt.id,
        order: attempt.order,
        attempt: attempt.number,
        invalid: Vec::new(),
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
        secured: None,
        server: None,
        router: None,
        cross: None,
        proxy: None,
        subject: None,
        browser: None,
        course: None,
        breakdown: None,
        latency_from: Default::default(),
        stamp_offset: None,
        resources: Resources::default(),
        errors: Vec::new(),
        check: Default::default(),
    }
}

/// The record of a trial that went through its phases, with what it is worth.
fn with_figures(plan: &Plan, attempt: Attempt, mut played: Played) -> TrialRecord {
    let (id, same_clock, merged) = (attempt.id, played.same_clock, &mut played.merged);
    if !same_clock {
        merged.load.measured.latency = Default::default();
        merged.load.measured.late = Default::default();
        merged.load.measured.age = Default::default();
    }
    let breakdown = breakdown::join(&merged.server_stamps, &merged.load_stamps, same_clock);
    let check = model::check(plan, id, &played);
    let evidence = Evidence {
        plan,
        id,
        played: &played,
        latencies: played.merged.load.measured.latencies(),
        breakdown: breakdown.as_ref(),
        check: &check,
    };
    let (warnings, faults) = (evidence.warnings(), evidence.invalid());
    let Played {
        timing,
        merged,
        cost,
        ended_early,
        secured,
        router,
        cross,
        proxy,
        subject,
        course,
        latency_from,
        ..
    } = played;
    let Merged { mut load, server, .. } = merged;
    if let Some(polls) = &mut load.measured.polls {
        // What chance makes of them is known now; a record would grow with them.
        polls.kept.clear();
    }
    TrialRecord {
        id,
        order: attempt.order,
        attempt: attempt.number,
        invalid: ended_early.into_iter().chain(faults).collect(),
        warnings,
        window: timing.window,
        connected: load.connected_at_start,
        measured: load.measured,
        loop_lag: load.loop_lag,
        secured,
        server,
        router,
        cross,
        proxy,
        subject,
        browser: load.browser,
        course,
        breakdown,
        latency_from,
        stamp_offset: timing.stamps,
        resources: cost.resources,
        errors: load.errors,
        check,
    }
}
