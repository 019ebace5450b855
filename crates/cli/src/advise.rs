//! `pushbench advise`: the few trials that decide which contender is to be taken for a workload, and
//! what they come to.

mod design;
mod questions;
mod workload;

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use pushbench_core::units::Span;
use pushbench_metrics::judge::advice::compose::Course;
use pushbench_metrics::judge::advice::{Answer, Candidate, Out, Wishes, advise};
use pushbench_metrics::record::RunRecord;
use pushbench_report::RunFolder;
use pushbench_report::advice::{Advised, Checked};
use pushbench_run::Plan;
use pushbench_run::place::Layout;
use pushbench_run::player::Players;

use self::design::{Design, Effort};
use self::workload::Workload;
use crate::args::{AdviseArgs, OutputArgs};
use crate::exit::{Failure, Outcome};
use crate::progress::human;
use crate::run::{self, Measured};
use crate::screen::plain;
use crate::{interrupt, live, price, print, tell};

/// Rounds where there is time for more than the fewest.
const ROUNDS: u32 = 9;

/// The window of trials at a faster pace where there is time.
const WINDOW: Duration = Duration::from_secs(5);
const WARMUP: Duration = Duration::from_secs(1);

/// The part of the budget that is planned with: a trial may have to be repeated.
const PLANNED: f64 = 0.85;

/// Advises.
pub(crate) fn command(args: &AdviseArgs) -> Result<Outcome, Failure> {
    live::prepare(args.live.live)?;
    let workload = Workload::of(args)?;
    let price = price::read(args.price.as_deref())?;
    let layout = Layout::loopback(args.processes.spread(None));
    let (design, plan) = chosen(&workload, args, &layout)?;
    let plan = Plan { price, ..plan };
    let check = check(&workload, args, &design, &plan, &layout);
    let time = plan.total_estimate()
        + check.as_ref().map_or(Duration::ZERO, |(_, it)| it.total_estimate());
    let words = describe(&workload, &design, &plan, check.as_ref().map(|(_, plan)| plan));
    if args.dry_run {
        print(&format!("{words}  time        about {}\n", human(time)))?;
        return Ok(Outcome::Done);
    }
    if plan.points.iter().any(|point| point.link.is_some()) {
        run::check_link(&plan, None)?;
    }
    interrupt::listen()?;
    if !args.output.quiet && !args.output.json {
        tell(format_args!("{}  time        about {}", words, human(time)));
    }
    let measured = run::measured(plan.clone(), Players::real(), &args.output, 0)?;
    let mut advised = advised(&workload, args, &design, &plan, &measured.record);
    let finished = written(&measured);
    measured.played?;
    if let Some((design, plan)) = check {
        let checked = run::measured(plan.clone(), Players::real(), &args.output, 0)?;
        advised.checks =
            checks(&advised.candidates, &design.courses(&workload, &plan), &checked.record);
        written(&checked)?;
        checked.played?;
    }
    show(&measured.folder, &advised, &args.output)?;
    finished.map(|()| outcome(&advised))
}

/// The best design that there is time for: at the user's own numbers, in many rounds, else in the
/// fewest, else at a faster pace.
fn chosen(
    workload: &Workload,
    args: &AdviseArgs,
    layout: &Layout,
) -> Result<(Design, Plan), Failure> {
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
        let (design, plan) = fitting(workload, args, layout, Design::of(workload, effort))?;
        // Behind composed costs there are to be check trials.
        let most = if effort.as_it_is || args.quick { budget } else { budget.mul_f64(0.6) };
        if plan.total_estimate() <= most {
            return Ok((design, plan));
        }
        last = Some((design, plan));
    }
    let (design, plan) = last.expect("there is one effort at least");
    if plan.total_estimate() > args.budget.0 && !args.quick {
        return Err(Failure::usage(anyhow!(
            "--budget: the fewest trials that show anything take about {}; allow that, or give a \
             shorter `--fresh`",
            human(plan.total_estimate())
        )));
    }
    Ok((design, plan))
}

/// The design and its plan, with as many clients as this machine holds.
fn fitting(
    workload: &Workload,
    args: &AdviseArgs,
    layout: &Layout,
    mut design: Design,
) -> Result<(Design, Plan), Failure> {
    loop {
        let plan = design.plan(workload, args, layout.clone());
        plan.scenario.check().map_err(Failure::usage)?;
        match plan.check_limits() {
            Ok(()) => return Ok((design, plan)),
            Err(limit) if design.clients() < 2 => return Err(Failure::usage(limit)),
            Err(_) => {
                let most = design.clients() / 2;
                design = design.with_clients(most);
            }
        }
    }
}

/// One round at the user's own numbers, where costs are composed and there is time.
fn check(
    workload: &Workload,
    args: &AdviseArgs,
    design: &Design,
    plan: &Plan,
    layout: &Layout,
) -> Option<(Design, Plan)> {
    if args.quick || design.contenders.iter().all(|it| it.pace <= 1.0) {
        return None;
    }
    let effort = Effort {
        rounds: 1,
        window: WINDOW,
        warmup: WARMUP,
        messages: 2.0,
        polls: 1.0,
        as_it_is: true,
        most_clients: design.clients(),
    };
    let (design, check) = fitting(workload, args, layout, Design::of(workload, effort)).ok()?;
    let time = plan.total_estimate() + check.total_estimate();
    let mut check = Plan { price: plan.price.clone(), ..check };
    check.scenario.name = "advise-check".to_owned();
    (time <= args.budget.0.mul_f64(PLANNED)).then_some((design, check))
}

/// The plan in words.
fn describe(workload: &Workload, design: &Design, plan: &Plan, check: Option<&Plan>) -> String {
    let mut text = format!(
        "advise: {} clients, {} messages/s of {}, fresh within {}, delivery {}\n",
        workload.clients,
        workload.rate_hz,
        workload.payload,
        Span(workload.fresh),
        workload.delivery
    );
    for it in &design.contenders {
        let period = it.poll_interval.map(|period| format!(" each {}", Span(period)));
        let pace = if it.pace > 1.0 {
            format!(", {} times as fast as yours: costs are composed", it.pace)
        } else {
            String::new()
        };
        text.push_str(&format!(
            "  {:<11} {} clients{}{pace}\n",
            it.contender.name(),
            it.clients,
            period.unwrap_or_default()
        ));
    }
    if let Some(price) = &plan.price {
        text.push_str(&format!("  prices      of {} as of {}\n", price.name, price.as_of));
    }
    if has_no_period(workload) {
        text.push_str("  short-poll  left out: no period is fresh enough\n");
    }
    text.push_str(&format!(
        "  trials      {} = {} contenders × {} rounds, each with a window of {:.1} s{}\n",
        plan.trials.len(),
        design.contenders.len(),
        design.rounds,
        design.window.as_secs_f64(),
        check.map_or_else(String::new, |check| format!(
            "; then {} at your own numbers, to check the composed costs",
            check.trials.len()
        ))
    ));
    text
}

/// Whether there are polls to choose from, and none that is fresh enough.
fn has_no_period(workload: &Workload) -> bool {
    let asks = workload.contenders.iter().any(|contender| contender.shape().asks());
    asks && design::longest_period(workload).is_none()
}

/// The advice that the trials come to.
fn advised(
    workload: &Workload,
    args: &AdviseArgs,
    design: &Design,
    plan: &Plan,
    record: &RunRecord,
) -> Advised {
    let courses = design.courses(workload, plan);
    let candidates: Vec<Candidate> = courses.iter().map(|it| it.candidate(record)).collect();
    let wishes =
        Wishes { fresh: workload.fresh, delivery: workload.delivery, margin: args.margin.0 };
    Advised {
        advice: advise(&candidates, &wishes),
        wishes,
        clients: workload.clients,
        rate_hz: workload.rate_hz,
        price: record.price.clone(),
        round_trip: workload.round_trip(),
        polls_from: has_no_period(workload).then(|| design::least_bound(workload)).flatten(),
        scaled: scaled(workload, design),
        courses,
        candidates,
        checks: Vec::new(),
    }
}

/// How many clients there were, where they are not as many as the user's.
fn scaled(workload: &Workload, design: &Design) -> Vec<String> {
    let clients = |it: &design::Measured| it.clients;
    let (least, most) = (
        design.contenders.iter().map(clients).min().unwrap_or(0),
        design.contenders.iter().map(clients).max().unwrap_or(0),
    );
    if (least, most) == (workload.clients, workload.clients) {
        return Vec::new();
    }
    let measured = if least == most { least.to_string() } else { format!("{least} to {most}") };
    vec![format!(
        "Measured with {measured} clients in place of your {}: what one costs is taken to be the same.",
        workload.clients
    )]
}

/// By how much composed costs are off from those of one trial at the user's own numbers.
fn checks(candidates: &[Candidate], courses: &[Course], record: &RunRecord) -> Vec<Checked> {
    let mut checks = Vec::new();
    for (at, (candidate, course)) in candidates.iter().zip(courses).enumerate() {
        let own = course.candidate(record);
        if let Some(Some(round)) = own.rounds.first() {
            checks.push(Checked::of(at, candidate, round));
        }
    }
    checks
}

/// Writes the files of a run; the link `latest` may be missing.
fn written(measured: &Measured) -> Result<(), Failure> {
    let Measured { folder, record, .. } = measured;
    if record.trials.is_empty() {
        return folder.save_record(record).map_err(Failure::failed);
    }
    run::written(folder.save_record(record).and_then(|()| folder.write_all(record)))
}

/// Prints the answer, and keeps it in the folder.
fn show(folder: &RunFolder, advised: &Advised, output: &OutputArgs) -> Result<(), Failure> {
    let document = serde_json::to_string_pretty(&advised.json()).map_err(Failure::failed)?;
    let file = folder.path().join("advice.json");
    fs::write(&file, format!("{document}\n"))
        .with_context(|| format!("cannot write {}", file.display()))
        .map_err(Failure::Failed)?;
    if output.json {
        return print(&format!("{document}\n"));
    }
    let screen = plain();
    let text = if output.quiet { advised.sentence(screen) } else { advised.text(screen) };
    print(&format!("{text}\nResults: {}\n", folder.path().display()))
}

/// Advice that rests on less than all contenders is not what was asked for.
fn outcome(advised: &Advised) -> Outcome {
    let is_unjudged = |out: &Option<Out>| matches!(out, Some(Out::Invalid { .. }));
    match &advised.advice.answer {
        Answer::NotJudged => Outcome::Invalid,
        _ if advised.advice.out.iter().any(is_unjudged) => Outcome::Invalid,
        _ => Outcome::Done,
    }
}
