//! `pushbench advise`: the few trials that decide which contender is to be taken for a workload, and
//! what they come to.

mod design;
mod planned;
mod polls;
mod questions;
mod talk;
mod workload;

use std::fs;

use anyhow::Context as _;
use pushbench_metrics::judge::advice::check::Check;
use pushbench_metrics::judge::advice::compose::Course;
use pushbench_metrics::judge::advice::{Answer, Candidate, Out, Round, Wishes, advise};
use pushbench_metrics::record::RunRecord;
use pushbench_report::RunFolder;
use pushbench_report::advice::{Advised, Checked, Spoken};
use pushbench_report::human;
use pushbench_run::Plan;
use pushbench_run::place::Layout;
use pushbench_run::player::Players;

use self::design::Design;
use self::planned::{Part, Planned, has_no_period};
use self::talk::Talk;
use self::workload::Workload;
use crate::args::{AdviseArgs, OutputArgs};
use crate::exit::{Failure, Outcome};
use crate::run::{self, Measured};
use crate::screen::plain;
use crate::{interrupt, live, price, print, tell};

/// Advises.
pub(crate) fn command(args: &AdviseArgs) -> Result<Outcome, Failure> {
    live::prepare(args.live.live)?;
    let workload = Workload::of(args)?;
    let price = price::read(args.price.as_deref())?;
    let layout = Layout::loopback(args.processes.spread(None));
    let planned = Planned::of(&workload, args, layout, price)?;
    let words = planned.describe(&workload);
    if args.dry_run {
        print(&format!("{words}\n"))?;
        return Ok(Outcome::Done);
    }
    let has_link = |plan: &&Plan| plan.points.iter().any(|point| point.link.is_some());
    planned.plans().filter(has_link).try_for_each(|plan| run::check_link(plan, None))?;
    interrupt::listen()?;
    if !args.output.quiet && !args.output.json {
        tell(words);
    }
    play(&workload, args, &planned)
}

/// Plays all trials and shows what they come to.
fn play(workload: &Workload, args: &AdviseArgs, planned: &Planned) -> Result<Outcome, Failure> {
    let mut feed = Played::of(&planned.feed.plan, &args.output)?;
    let talk =
        planned.talk.as_ref().map(|talk| Played::of(&talk.plan, &args.output)).transpose()?;
    let mut advised = advised(workload, args, planned, &feed, talk.as_ref());
    // Who interrupts the check has the answer all the same.
    let checked = planned
        .check
        .as_ref()
        .map_or(Ok(()), |part| check(&mut advised, workload, part, &feed, &args.output));
    feed.answered(&advised);
    show(&feed.folder, &advised, &args.output)?;
    let talked = talk.map_or(Ok(()), |talk| talk.written);
    checked.and(talked).and(feed.written).map(|()| outcome(&advised))
}

/// Plays the check of composed costs, and adds what it came to.
fn check(
    advised: &mut Advised,
    workload: &Workload,
    part: &Part<Design>,
    feed: &Played,
    output: &OutputArgs,
) -> Result<(), Failure> {
    let played = Played::of(&part.plan, output)?;
    // Both of as many clients as were there.
    let alike = |courses: &[Course]| part.design.alike(courses);
    let own = hearing(&alike(&part.design.courses(workload, &part.plan)), &played);
    advised.check(checks(&hearing(&alike(&advised.courses), feed), &own, &part.design));
    played.written
}

/// Trials that were all played.
struct Played {
    folder: RunFolder,
    record: RunRecord,
    /// Whether all files of the folder were written; the link `latest` may be missing.
    written: Result<(), Failure>,
}

impl Played {
    fn of(plan: &Plan, output: &OutputArgs) -> Result<Self, Failure> {
        let Measured { folder, record, played } =
            run::measured(plan.clone(), Players::real(), output, 0)?;
        let written = if record.trials.is_empty() {
            folder.save_record(&record).map_err(Failure::failed)
        } else {
            run::written(folder.save_record(&record).and_then(|()| folder.write_all(&record)))
        };
        played?;
        Ok(Self { folder, record, written })
    }

    /// Puts the answer into the record, and first on its pages, which were written without it in case that
    /// whoever waits for the check ends the run.
    fn answered(&mut self, advised: &Advised) {
        if self.written.is_err() || self.record.trials.is_empty() {
            return;
        }
        self.record.advice = Some(advised.given());
        let (folder, record) = (&self.folder, &self.record);
        self.written =
            run::written(folder.save_record(record).and_then(|()| folder.write_all(record)));
    }
}

/// The candidates as far as they only listen.
fn hearing(courses: &[Course], feed: &Played) -> Vec<Candidate> {
    courses.iter().map(|it| it.candidate(&feed.record)).collect()
}

/// The advice that the trials come to.
fn advised(
    workload: &Workload,
    args: &AdviseArgs,
    planned: &Planned,
    feed: &Played,
    talked: Option<&Played>,
) -> Advised {
    let Part { design, plan } = &planned.feed;
    let courses = design.courses(workload, plan);
    let mut candidates = hearing(&courses, feed);
    let talk = planned.talk.as_ref().zip(talked).map(|(part, played)| {
        let talk = &part.design;
        candidates.iter_mut().for_each(|it| *it = talk.speaking(it, &played.record));
        let Talk { rate, payload, clients, measured, .. } = *talk;
        Spoken { rate, payload, clients, measured }
    });
    let wishes =
        Wishes { fresh: workload.fresh, delivery: workload.delivery, margin: args.margin.0 };
    Advised {
        advice: advise(&candidates, &wishes),
        wishes,
        clients: workload.clients,
        rate_hz: workload.rate_hz,
        talk,
        price: feed.record.price.clone(),
        round_trip: workload.round_trip(),
        polls_from: has_no_period(workload).then(|| polls::least_bound(workload)).flatten(),
        scaled: [scaled(workload, design), without_rest(&courses, &feed.record)].concat(),
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
    let (least, most) = (human::count(least.into()), human::count(most.into()));
    let measured = if least == most { least } else { format!("{least} to {most}") };
    vec![format!(
        "Measured with {measured} clients in place of your {}: what one costs is taken to be the same.",
        human::count(workload.clients.into())
    )]
}

/// That composed costs are without the server's own, where no stream has shown it.
fn without_rest(courses: &[Course], record: &RunRecord) -> Vec<String> {
    let has_rested = record.standing().any(|trial| trial.resources.resting.is_some());
    if has_rested || !courses.iter().any(Course::is_composed) {
        return Vec::new();
    }
    vec![
        "CPU that the server takes by itself, whatever comes, is in no composed cost: only a stream's clients \
         can rest, and none was measured."
            .to_owned(),
    ]
}

/// Checks of composed costs by those of trials at the user's own numbers.
fn checks(candidates: &[Candidate], own: &[Candidate], design: &Design) -> Vec<Checked> {
    let each = candidates.iter().zip(own).zip(&design.contenders).enumerate();
    let checked = each.filter_map(|(at, ((candidate, own), measured))| {
        let valid: Vec<Round> = own.rounds.iter().flatten().copied().collect();
        let check = Check::of(candidate, &valid)?;
        Some(Checked { candidate: at, clients: measured.clients, check })
    });
    checked.collect()
}

/// Prints the answer, and keeps it in the folder.
fn show(folder: &RunFolder, advised: &Advised, output: &OutputArgs) -> Result<(), Failure> {
    // Trials that came behind have moved the link. That it cannot be made was told with them.
    let _ = folder.point_latest();
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
        Answer::Any { .. } if advised.advice.order.is_empty() => Outcome::Invalid,
        _ if advised.advice.out.iter().any(is_unjudged) => Outcome::Invalid,
        _ => Outcome::Done,
    }
}
