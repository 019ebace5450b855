//! The plan of all trials that decide: of the feed, of what clients say, and of a check at the user's own
//! numbers, within the time that there is.

use std::time::Duration;

use anyhow::anyhow;
use pushbench_core::price::Price;
use pushbench_core::units::Span;
use pushbench_run::Plan;
use pushbench_run::place::Layout;

use super::design::{Design, Effort};
use super::polls::longest_period;
use super::talk::Talk;
use super::workload::Workload;
use crate::args::AdviseArgs;
use crate::exit::Failure;
use crate::progress::human;

/// Rounds where there is time for more than the fewest.
const ROUNDS: u32 = 9;

/// Rounds of the check where there is time for more than one: a trial's server CPU is off by a third at times,
/// where polls wake it one by one.
const CHECK_ROUNDS: u32 = 3;

/// The window of trials at a faster pace where there is time.
const WINDOW: Duration = Duration::from_secs(5);
const WARMUP: Duration = Duration::from_secs(1);

/// The part of the budget that is planned with: a trial may have to be repeated.
const PLANNED: f64 = 0.85;

/// Trials of one kind, and how they are read.
#[derive(Debug, Clone)]
pub(super) struct Part<T> {
    pub(super) design: T,
    pub(super) plan: Plan,
}

/// All trials of an advice, in the order in which they are played.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) feed: Part<Design>,
    /// Those of what clients say; `None` where they are silent.
    pub(super) talk: Option<Part<Talk>>,
    /// Those at the user's own numbers, where costs are composed and there is time.
    pub(super) check: Option<Part<Design>>,
}

impl Planned {
    /// The best that there is time for: at the user's own numbers, in many rounds, else in the fewest,
    /// else at a faster pace.
    pub(super) fn of(
        workload: &Workload,
        args: &AdviseArgs,
        layout: Layout,
        price: Option<Price>,
    ) -> Result<Self, Failure> {
        let planner = Planner { workload, args, layout, price };
        let planned = planner.chosen()?;
        let check = planner.check(&planned);
        Ok(Self { check, ..planned })
    }

    /// Its plans, in the order in which they are played.
    pub(super) fn plans(&self) -> impl Iterator<Item = &Plan> {
        let talk = self.talk.iter().map(|part| &part.plan);
        let check = self.check.iter().map(|part| &part.plan);
        std::iter::once(&self.feed.plan).chain(talk).chain(check)
    }

    /// The time that all of it takes.
    pub(super) fn time(&self) -> Duration {
        self.plans().map(Plan::total_estimate).sum()
    }

    /// The plan in words.
    pub(super) fn describe(&self, workload: &Workload) -> String {
        let mut text = format!(
            "advise: {} clients, {} messages/s of {}, fresh within {}, delivery {}{}",
            workload.clients,
            workload.rate_hz,
            workload.payload,
            Span(workload.fresh),
            workload.delivery,
            workload.talk.map_or_else(String::new, |rate| format!(", each says {rate}"))
        );
        let rows = self.rows(workload);
        let wide = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        for (name, words) in rows {
            text.push_str(&format!("\n  {name:<wide$}  {words}"));
        }
        text
    }

    /// The lines of that, each with its name.
    fn rows(&self, workload: &Workload) -> Vec<(&'static str, String)> {
        let Part { design, plan } = &self.feed;
        let mut rows = Vec::new();
        for it in &design.contenders {
            let period = it.poll_interval.map(|period| format!(" each {}", Span(period)));
            let pace = if it.pace > 1.0 {
                format!(", {} times as fast as yours: costs are composed", it.pace)
            } else {
                String::new()
            };
            let words = format!("{} clients{}{pace}", it.clients, period.unwrap_or_default());
            rows.push((it.contender.name(), words));
        }
        if let Some(Part { design: Talk { clients, measured, payload, .. }, .. }) = &self.talk {
            let said = format!("each say {measured} of {payload}, in trials of their own");
            rows.push(("talk", format!("{clients} clients that {said}")));
        }
        if let Some(price) = &plan.price {
            rows.push(("prices", format!("of {} as of {}", price.name, price.as_of)));
        }
        if has_no_period(workload) {
            let left_out = workload.contenders.iter().filter(|it| it.shape().asks());
            let words = || "left out: no period is fresh enough".to_owned();
            rows.extend(left_out.map(|contender| (contender.name(), words())));
        }
        rows.push(("trials", self.trials()));
        rows.push(("time", format!("about {}", human(self.time()))));
        rows
    }

    fn trials(&self) -> String {
        let Part { design, plan } = &self.feed;
        let mut text = format!(
            "{} = {} contenders × {} rounds, each with a window of {:.1} s",
            plan.trials.len(),
            design.contenders.len(),
            design.rounds,
            design.window.as_secs_f64(),
        );
        if let Some(talk) = &self.talk {
            text.push_str(&format!("; {} of talk", talk.plan.trials.len()));
        }
        if let Some(check) = &self.check {
            text.push_str(&format!(
                "; then {} at your own numbers, to check the composed costs",
                check.plan.trials.len()
            ));
        }
        text
    }
}

/// The workload, and all that its plans have in common.
struct Planner<'a> {
    workload: &'a Workload,
    args: &'a AdviseArgs,
    layout: Layout,
    price: Option<Price>,
}

impl Planner<'_> {
    fn chosen(&self) -> Result<Planned, Failure> {
        let Self { workload, args, .. } = *self;
        let window = |usual| args.duration.map_or(usual, |duration| duration.0);
        let quick = Effort::quick(workload);
        let quick = Effort { window: window(quick.window), ..quick };
        let composed = Effort { window: window(WINDOW), warmup: WARMUP, ..quick };
        let as_it_is = Effort { as_it_is: true, ..composed };
        let many = |effort: Effort| Effort { rounds: ROUNDS, ..effort };
        if Design::of(workload, quick).contenders.is_empty() {
            return Err(Failure::usage(anyhow!(
                "--fresh: no period of polls is fresh enough; add a contender that is pushed to, or \
                 allow more"
            )));
        }
        let efforts = match args.quick {
            true => vec![quick],
            false => vec![many(as_it_is), as_it_is, many(composed), composed, quick],
        };
        let budget = args.budget.0.mul_f64(PLANNED);
        let mut last = None;
        for effort in efforts {
            let planned = self.at(effort)?;
            // Behind composed costs there are to be check trials.
            let most = if effort.as_it_is || args.quick { budget } else { budget.mul_f64(0.6) };
            if planned.time() <= most {
                return Ok(planned);
            }
            last = Some(planned);
        }
        let planned = last.expect("there is one effort at least");
        if planned.time() > args.budget.0 && !args.quick {
            let silent = if planned.talk.is_some() { ", or no --talk-rate" } else { "" };
            return Err(Failure::usage(anyhow!(
                "--budget: the fewest trials that show anything take about {}; allow that, or give a \
                 shorter `--fresh`{silent}",
                human(planned.time())
            )));
        }
        Ok(planned)
    }

    /// The trials of that effort.
    fn at(&self, effort: Effort) -> Result<Planned, Failure> {
        let feed = self.fitting(Design::of(self.workload, effort))?;
        let talk = Talk::of(self.workload, &feed.design, self.args.duration)?;
        let talk = talk.map(|talk| self.talk(talk, &feed.design)).transpose()?;
        Ok(Planned { feed, talk, check: None })
    }

    /// A design and its plan, with as many clients as this machine holds.
    fn fitting(&self, mut design: Design) -> Result<Part<Design>, Failure> {
        loop {
            let plan = design.plan(self.workload, self.args, self.layout.clone());
            plan.scenario.check().map_err(Failure::usage)?;
            match plan.check_limits() {
                Ok(()) => {
                    return Ok(Part { design, plan: Plan { price: self.price.clone(), ..plan } });
                }
                Err(limit) if design.clients() < 2 => return Err(Failure::usage(limit)),
                Err(_) => {
                    let most = design.clients() / 2;
                    design = design.with_clients(most);
                }
            }
        }
    }

    /// The plan of what clients say.
    fn talk(&self, talk: Talk, feed: &Design) -> Result<Part<Talk>, Failure> {
        let plan = talk.plan(feed, self.args, self.layout.clone());
        plan.scenario.check().map_err(Failure::usage)?;
        plan.check_limits().map_err(Failure::usage)?;
        Ok(Part { design: talk, plan: Plan { price: self.price.clone(), ..plan } })
    }

    /// Rounds at the user's own numbers, as many as there is time for, where costs are composed.
    fn check(&self, planned: &Planned) -> Option<Part<Design>> {
        (1..=CHECK_ROUNDS).rev().find_map(|rounds| self.check_of(rounds, planned))
    }

    fn check_of(&self, rounds: u32, planned: &Planned) -> Option<Part<Design>> {
        let feed = &planned.feed.design;
        if self.args.quick || feed.contenders.iter().all(|it| it.pace <= 1.0) {
            return None;
        }
        let effort = Effort {
            rounds,
            window: WINDOW,
            warmup: WARMUP,
            messages: 2.0,
            polls: 1.0,
            as_it_is: true,
            most_clients: feed.clients(),
        };
        let mut check = self.fitting(Design::of(self.workload, effort)).ok()?;
        check.plan.scenario.name = "advise-check".to_owned();
        let time = planned.time() + check.plan.total_estimate();
        (time <= self.args.budget.0.mul_f64(PLANNED)).then_some(check)
    }
}

/// Whether there are polls to choose from, and none that is fresh enough.
pub(super) fn has_no_period(workload: &Workload) -> bool {
    let asks = workload.contenders.iter().any(|contender| contender.shape().asks());
    asks && longest_period(workload).is_none()
}
