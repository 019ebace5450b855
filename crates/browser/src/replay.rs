//! The notes of all tabs, told to a recorder as the load generator would have told them.

use std::time::Duration;

use pushbench_core::feed::schedule::{HORIZON, Timetable};
use pushbench_core::{Identity, MonoInstant, Sender, Seq};
use pushbench_metrics::observe::ledger::Phase;
use pushbench_metrics::observe::measure::Measure as _;
use pushbench_metrics::observe::measured::Measured;
use pushbench_metrics::observe::observer::{Arrival, Event, Observer as _};
use pushbench_metrics::observe::recorder::Recorder;
use pushbench_metrics::observe::silence::Coming;
use pushbench_metrics::record::control::{LoadPlan, TrialTiming};

use crate::clock;
use crate::error::BrowserError;
use crate::noted::Noted;

/// The notes of a tab, and where its clock is.
#[derive(Debug)]
pub(crate) struct Tape {
    pub(crate) noted: Noted,
    pub(crate) offset_ns: i64,
}

impl Tape {
    fn instant(&self, there: f64) -> MonoInstant {
        clock::instant(self.offset_ns, there)
    }

    /// Whether it was subscribed when the window began.
    pub(crate) fn is_in(&self, timing: &TrialTiming) -> bool {
        self.noted.opened.is_some_and(|there| self.instant(there) <= timing.window.start)
    }
}

/// Plays all tapes to a recorder; `closing` is when the tabs were told to end.
pub(crate) fn replay(
    plan: &LoadPlan,
    timing: &TrialTiming,
    tapes: &[Tape],
    closing: MonoInstant,
) -> Result<Measured, BrowserError> {
    let table = timetable(timing)?;
    let mut recorder = Recorder::new(plan.clients, plan.delivery);
    recorder.set_window(timing.window);
    recorder.set_dues(&|seq| table.due(seq));
    for (client, tape) in (0..).zip(tapes) {
        if !tape.is_in(timing) {
            recorder.exclude(client);
        }
    }
    for (client, tape) in (0..).zip(tapes) {
        arrivals(&mut recorder, (client, tape), timing, &table);
        events(&mut recorder, (client, tape), timing);
    }
    let coming = |client: u32| {
        let tape = &tapes[client as usize];
        let last = tape.noted.at.last().map(|there| tape.instant(*there));
        Coming { last: last.filter(|last| *last >= timing.window.end), under_way: false }
    };
    recorder.end_drain(closing, &coming, &|message: Identity| table.due(message.seq));
    Ok(recorder.finish())
}

/// When each message of the trial was due.
fn timetable(timing: &TrialTiming) -> Result<Timetable, BrowserError> {
    let (schedule, from) = (timing.schedule.clone(), timing.warmup - HORIZON);
    let table =
        Timetable::starting_at(schedule, timing.seed, timing.origin, timing.checkpoint, from);
    let mut table = table.map_err(|error| BrowserError::Due(error.to_string()))?;
    let walked = table.extend_to(timing.drain_deadline);
    walked.map_err(|error| BrowserError::Due(error.to_string()))?;
    Ok(table)
}

fn arrivals(
    recorder: &mut Recorder,
    (client, tape): (u32, &Tape),
    timing: &TrialTiming,
    table: &Timetable,
) {
    for (there, number) in tape.noted.at.iter().zip(&tape.noted.numbers) {
        let (at, seq) = (tape.instant(*there), Seq(*number));
        let sender = Sender::FEED;
        match table.due(seq) {
            Some(due) => recorder.arrived(&Arrival { client, sender, seq, due, at }),
            None if at < timing.drain_deadline || !table.is_beyond(seq) => {
                recorder.off_schedule(seq, table.is_beyond(seq));
            }
            None => {}
        }
    }
}

fn events(recorder: &mut Recorder, (client, tape): (u32, &Tape), timing: &TrialTiming) {
    let noted = &tape.noted;
    if let (Some(asked), Some(opened)) = (noted.asked, noted.opened) {
        let (asked, at) = (tape.instant(asked), tape.instant(opened));
        let took = at.saturating_since(asked);
        recorder.happened(phase(at, timing), at, &Event::Connected { client, took });
    }
    for (instants, event) in [
        (&noted.requests, Event::Request { client }),
        (&noted.empty, Event::EmptyResponse { client }),
        (&noted.skipped, Event::SkippedPoll),
        (&noted.lost, Event::ConnectionLost { client, quiet: Duration::ZERO }),
        (&noted.errors, Event::Failed { client }),
    ] {
        for at in instants.iter().map(|there| tape.instant(*there)) {
            recorder.happened(phase(at, timing), at, &event);
        }
    }
}

/// The phase of a trial that an instant belongs to.
fn phase(at: MonoInstant, timing: &TrialTiming) -> Phase {
    match at {
        _ if at < timing.warmup => Phase::Connect,
        _ if at < timing.window.start => Phase::Warmup,
        _ if at < timing.window.end => Phase::Window,
        _ => Phase::Drain,
    }
}
