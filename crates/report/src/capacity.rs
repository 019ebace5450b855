//! Capacity: what a search for the most load came to, in a sentence for each transport, in a table of
//! the loads that were tried, and as CSV.

use std::fmt::Write as _;

use pushbench_metrics::record::RunRecord;
use pushbench_metrics::record::capacity::{
    Capacity, Limit, Over, Place, Reading, Search, Step, Verdict,
};

use crate::csv::Sheet;
use crate::human::{self, NOTHING};

/// The columns of `capacity.csv`.
const COLUMNS: &str =
    "scenario,transport,over,verdict,holds,fails,limit,evidence,objectives,loads,trials";

/// The columns of `capacity_steps.csv`.
const STEPS: &str =
    "scenario,transport,over,load,point,trials,met,holds,limit,evidence,objective,median";

/// The answer: a line that asks, and one for each transport.
pub(crate) fn sentence(capacity: &Capacity) -> String {
    let mut text = format!("The most {} with {}:", many(capacity.over), objectives(capacity));
    for search in &capacity.searches {
        let _ = write!(text, "\n{}", answer(capacity, search));
    }
    text
}

/// The name of loads, where there are several.
const fn many(over: Over) -> &'static str {
    match over {
        Over::Clients => "clients",
        Over::Rate => "messages/s",
        Over::Payload => "bytes in a message",
    }
}

fn objectives(capacity: &Capacity) -> String {
    let texts: Vec<String> = capacity.objectives.iter().map(ToString::to_string).collect();
    human::list(&texts)
}

/// `websocket: 1,400 to 1,500 clients; server CPU gives out first: it used 97 % of a core.`
fn answer(capacity: &Capacity, search: &Search) -> String {
    let over = capacity.over;
    let of = |load: f64| words(over, load);
    let known = match &search.verdict {
        Verdict::Within { holds, fails, limit } => {
            format!("{} to {}; {}", number(*holds), of(*fails), gives_out(limit))
        }
        Verdict::AtLeast { holds, limit } => {
            format!("at least {}; {}", of(*holds), gives_out(limit))
        }
        Verdict::Misses { least, limit } => {
            let at = of(*least);
            let value = search.steps.first().and_then(missed);
            let value = value.unwrap_or_else(|| "the objective is missed".to_owned());
            format!("no capacity: {value} at {at} already, {}", by(limit))
        }
        Verdict::Unsettled { holds, limit } => {
            let held = holds.map(|load| format!(", though {} held", of(load))).unwrap_or_default();
            match limit.place {
                Place::Unknown => format!("not settled{held}; {}", limit.detail),
                _ => format!("not settled{held}; {}", gives_out(limit)),
            }
        }
        Verdict::Unfinished { holds } => {
            let held = holds.map(|load| format!("; {} held so far", of(load))).unwrap_or_default();
            format!("not finished{held}")
        }
    };
    format!("{}: {known}.", search.contender)
}

/// `1,400`.
fn number(load: f64) -> String {
    human::short_number(load, 9)
}

/// `1,400 clients`.
fn words(over: Over, load: f64) -> String {
    match over {
        Over::Clients if load == 1.0 => "1 client".to_owned(),
        Over::Clients => format!("{} clients", number(load)),
        Over::Rate => format!("{} messages/s", number(load)),
        Over::Payload => format!("{} B", number(load)),
    }
}

/// `server CPU gives out first: it used 97 % of a core`.
fn gives_out(limit: &Limit) -> String {
    let Limit { place, detail } = limit;
    let why = if detail.is_empty() { String::new() } else { format!(": {detail}") };
    match place {
        Place::Asked => detail.clone(),
        Place::Unknown => format!("nothing that was measured tells what gives out first{why}"),
        place if place.is_ours() => {
            format!("{} gives out first, not what is measured{why}", place.words())
        }
        place => format!("{} gives out first{why}", place.words()),
    }
}

/// `by its principle: it polls each 1s`.
fn by(limit: &Limit) -> String {
    let Limit { place, detail } = limit;
    let why = if detail.is_empty() { String::new() } else { format!(": {detail}") };
    match place {
        Place::Unknown => format!("and nothing that was measured tells why{why}"),
        place => format!("by {}{why}", place.words()),
    }
}

/// `latency.p99 is 990 ms`, of the first objective that a step's median does not meet.
fn missed(step: &Step) -> Option<String> {
    let is_missed = |reading: &&Reading| {
        reading.median.is_some_and(|median| !reading.objective.is_met_by(median))
    };
    let reading = step.readings.iter().find(is_missed)?;
    Some(format!("{} is {}", reading.objective.figure().name(), value(reading)))
}

fn value(reading: &Reading) -> String {
    let unit = reading.objective.figure().unit();
    reading.median.map_or_else(|| NOTHING.to_owned(), |median| human::quantity(unit, median))
}

/// A table for each transport: the loads that were tried, and what came of them.
#[must_use]
pub fn capacity_tables(capacity: &Capacity) -> String {
    let mut text = String::new();
    for search in &capacity.searches {
        let _ = writeln!(text, "{}", search.contender);
        push_table(&mut text, capacity, search);
    }
    text
}

fn push_table(text: &mut String, capacity: &Capacity, search: &Search) {
    let figures = search.steps.first().map_or(&[][..], |step| &step.readings[..]);
    let mut head = vec![many(capacity.over).to_owned(), "trials".to_owned(), "met".to_owned()];
    head.extend(figures.iter().map(|reading| reading.objective.figure().name().to_owned()));
    let cells = |step: &Step| {
        let counts = [number(step.load), step.trials.to_string(), step.met.to_string()];
        counts.into_iter().chain(step.readings.iter().map(value)).collect::<Vec<String>>()
    };
    let rows: Vec<Vec<String>> = search.steps.iter().map(cells).collect();
    let width = |column: usize| {
        let all = rows.iter().chain([&head]).filter_map(|row| row.get(column));
        all.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).map(|(cell, &width)| format!("  {cell:>width$}"));
        padded.collect::<String>()
    };
    let _ = writeln!(text, "{}", line(&head));
    for (row, step) in rows.iter().zip(&search.steps) {
        let _ = writeln!(text, "{}  {}", line(row), outcome(step));
    }
}

/// `fails: server CPU`.
fn outcome(step: &Step) -> String {
    match (step.holds, &step.limit) {
        (Some(true), _) => "holds".to_owned(),
        (Some(false), Some(limit)) => format!("fails: {}", limit.place.words()),
        (Some(false), None) => "fails".to_owned(),
        (None, _) => NOTHING.to_owned(),
    }
}

/// `capacity.csv`: a line for each transport.
pub(crate) fn csv(record: &RunRecord, capacity: &Capacity) -> Vec<u8> {
    let mut sheet = Sheet::new(&[COLUMNS]);
    for search in &capacity.searches {
        let Search { verdict, steps, .. } = search;
        let limit = verdict.limit();
        sheet.line([
            record.scenario.name.clone(),
            search.contender.to_string(),
            capacity.over.to_string(),
            verdict.name().to_owned(),
            optional(verdict.holds()),
            optional(verdict.fails()),
            limit.map(|limit| limit.place.name().to_owned()).unwrap_or_default(),
            limit.map(|limit| limit.detail.clone()).unwrap_or_default(),
            objectives(capacity),
            steps.len().to_string(),
            steps.iter().map(|step| step.trials).sum::<u32>().to_string(),
        ]);
    }
    sheet.finish()
}

/// `capacity_steps.csv`: a line for each transport, load and objective.
pub(crate) fn steps_csv(record: &RunRecord, capacity: &Capacity) -> Vec<u8> {
    let mut sheet = Sheet::new(&[STEPS]);
    for search in &capacity.searches {
        let readings = |step: &'_ Step| {
            step.readings.iter().map(|reading| (step.clone(), reading.clone())).collect::<Vec<_>>()
        };
        for (step, reading) in search.steps.iter().flat_map(readings) {
            sheet.line([
                record.scenario.name.clone(),
                search.contender.to_string(),
                capacity.over.to_string(),
                step.load.to_string(),
                step.point.to_string(),
                step.trials.to_string(),
                step.met.to_string(),
                step.holds.map(|holds| holds.to_string()).unwrap_or_default(),
                step.limit.as_ref().map(|limit| limit.place.name().to_owned()).unwrap_or_default(),
                step.limit.as_ref().map(|limit| limit.detail.clone()).unwrap_or_default(),
                reading.objective.to_string(),
                optional(reading.median),
            ]);
        }
    }
    sheet.finish()
}

fn optional(number: Option<f64>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use pushbench_core::Contender;

    use super::*;

    fn search(
        contender: Contender,
        verdict: Verdict,
        steps: &[(f64, f64, Option<bool>)],
    ) -> Search {
        let step = |&(load, p99_us, holds): &(f64, f64, Option<bool>)| Step {
            load,
            point: 1,
            trials: 4,
            met: if holds == Some(true) { 4 } else { 0 },
            holds,
            limit: (holds == Some(false))
                .then(|| Limit::new(Place::ServerCpu, "it used 97 % of a core")),
            readings: vec![Reading {
                objective: "latency.p99 < 20ms".parse().unwrap(),
                median: Some(p99_us),
            }],
        };
        Search { contender, verdict, steps: steps.iter().map(step).collect() }
    }

    fn capacity(over: Over, searches: Vec<Search>) -> Capacity {
        let objectives = vec!["latency.p99 < 20ms".parse().unwrap()];
        Capacity { over, objectives, least: 1.0, most: 1e6, within: 0.1, searches }
    }

    #[test]
    fn the_answer_says_what_is_known_and_what_gave_out() {
        let full = Limit::new(Place::ServerCpu, "it used 97 % of a core");
        let within = Verdict::Within { holds: 1_400.0, fails: 1_500.0, limit: full };
        let ours = Limit::new(Place::LoadGenerator, "a load process used 99 % of a core");
        let at_least = Verdict::AtLeast { holds: 900.0, limit: ours };
        let principle = Limit::new(Place::Principle, "it polls each 1s");
        let misses = Verdict::Misses { least: 1.0, limit: principle };
        let busy = Limit::new(Place::Machine, "");
        let capacity = capacity(
            Over::Clients,
            vec![
                search(Contender::WEBSOCKET, within, &[]),
                search(Contender::SSE, at_least, &[]),
                search(Contender::SHORT_POLL, misses, &[(1.0, 990_000.0, Some(false))]),
                search(
                    Contender::LONG_POLL,
                    Verdict::Unsettled { holds: Some(64.0), limit: busy },
                    &[],
                ),
            ],
        );
        let sentence = sentence(&capacity);
        let lines: Vec<&str> = sentence.lines().collect();
        assert_eq!(
            lines,
            [
                "The most clients with latency.p99 < 20ms:",
                "websocket: 1,400 to 1,500 clients; server CPU gives out first: it used 97 % of a core.",
                "sse: at least 900 clients; the load generator gives out first, not what is measured: a load \
             process used 99 % of a core.",
                "short-poll: no capacity: latency.p99 is 990 ms at 1 client already, by its principle: it polls \
             each 1s.",
                "long-poll: not settled, though 64 clients held; the machine gives out first, not what is \
             measured.",
            ]
        );
    }

    #[test]
    fn a_search_that_was_cut_short_says_so() {
        let mut record = crate::fixture::capacity();
        record.partial = true;
        let capacity = record.capacity.as_mut().unwrap();
        capacity.searches[1].verdict = Verdict::Unfinished { holds: Some(2.0) };
        let page = crate::markdown(&record);
        assert!(page.contains("This search was cut short after 6 trials"), "{page}");
        assert!(page.contains("websocket: not finished; 2 clients held so far."), "{page}");
    }

    #[test]
    fn each_load_is_a_row() {
        let limit = Limit::new(Place::ServerCpu, "");
        let verdict = Verdict::Within { holds: 16.0, fails: 17.0, limit };
        let steps =
            [(8.0, 900.0, Some(true)), (16.0, 19_000.0, Some(true)), (17.0, 21_500.0, Some(false))];
        let capacity = capacity(Over::Rate, vec![search(Contender::SSE, verdict, &steps)]);
        let table = capacity_tables(&capacity);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(
            lines,
            [
                "sse",
                "  messages/s  trials  met  latency.p99",
                "           8       4    4       900 µs  holds",
                "          16       4    4      19.0 ms  holds",
                "          17       4    0      21.5 ms  fails: server CPU",
            ]
        );
    }
}
