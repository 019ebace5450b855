//! Advice as people and programs read it: the sentence, what would change it, the table that it rests
//! on, and what was not measured.

mod money;
mod spreads;
mod talk;
mod totals;
mod turns;
mod words;

use std::fmt::Write as _;
use std::time::Duration;

use pushbench_core::price::Price;
use pushbench_core::units::Span;
use pushbench_metrics::judge::advice::check::Check;
use pushbench_metrics::judge::advice::compose::Course;
use pushbench_metrics::judge::advice::{
    Advice, Answer, Candidate, Cost, Out, Spread, Wishes, advise,
};
use pushbench_metrics::observe::censored::Bounded;
use pushbench_metrics::record::advised::AdviceGiven;
use serde_json::{Value, json};

use self::spreads::precise;
pub use self::talk::Spoken;
use self::words::{answer, out};
use crate::grid::Grid;
use crate::human::{self, NOTHING};
use crate::screen::Screen;

/// Advice, and all that it rests on.
#[derive(Debug, Clone)]
pub struct Advised {
    /// The wishes.
    pub wishes: Wishes,
    /// Clients, by the user's numbers.
    pub clients: u32,
    /// Messages each second, by the user's numbers.
    pub rate_hz: f64,
    /// The trials of what clients say; `None` where they only listen.
    pub talk: Option<Spoken>,
    /// The prices that costs are told at; `None` where none were given.
    pub price: Option<Price>,
    /// From a client to the server and back.
    pub round_trip: Duration,
    /// The least bound that some period of polls keeps to, where polls were to choose from and at the
    /// user's own none does.
    pub polls_from: Option<Duration>,
    /// How each candidate was measured.
    pub courses: Vec<Course>,
    /// The candidates.
    pub candidates: Vec<Candidate>,
    /// The advice.
    pub advice: Advice,
    /// How the numbers measured are not the user's, in sentences.
    pub scaled: Vec<String>,
    /// Check trials at the user's own numbers, and what they came to; empty without them.
    pub checks: Vec<Checked>,
}

/// Check trials of a candidate at the user's own numbers.
#[derive(Debug, Clone, Copy)]
pub struct Checked {
    /// The candidate.
    pub candidate: usize,
    /// Clients that they had.
    pub clients: u32,
    /// Their outcome.
    pub check: Check,
}

impl Checked {
    /// By how much a composed cost is more than what the trials measured: 0.1 is 10 %.
    fn off(part: Option<f64>) -> Option<f64> {
        Some(1.0 / part? - 1.0)
    }
}

/// `0.2 % too low`: by how much a cost is off.
fn off(part: Option<f64>) -> String {
    let Some(off) = Checked::off(part) else { return "not known".to_owned() };
    let percent = (off * 1e3).round() / 10.0;
    if percent.abs() < 0.1 {
        return "right to 0.1 %".to_owned();
    }
    format!("{:.1} % too {}", percent.abs(), if percent > 0.0 { "high" } else { "low" })
}

/// The part of checks in the intervals of composed costs.
const CHECKED: &str = " Intervals of these hold what the check measured.";

/// The heading of what would change the answer, also on pages.
pub(crate) const TURNS: &str = "What would change it, put together of the costs below";

impl Advised {
    /// The name of a candidate, with the period of its polls.
    fn name(&self, at: usize) -> String {
        let contender = self.candidates[at].contender;
        match self.courses[at].poll_interval {
            Some(period) => format!("{contender} each {}", Span(period)),
            None => contender.to_string(),
        }
    }

    /// The mark before figures that are composed.
    fn sign(&self, at: usize) -> &'static str {
        if self.candidates[at].is_composed { "≈ " } else { "" }
    }

    /// Takes checks into account: what they measured is in all intervals of composed costs, and judged anew.
    pub fn check(&mut self, checks: Vec<Checked>) {
        for checked in &checks {
            self.candidates[checked.candidate].check = Some(checked.check);
        }
        self.advice = advise(&self.candidates, &self.wishes);
        self.checks = checks;
    }

    /// The answer alone.
    #[must_use]
    pub fn sentence(&self, screen: Screen) -> String {
        screen.wrapped(&answer(self))
    }

    /// The sentences on a terminal: the answer first.
    #[must_use]
    pub fn text(&self, screen: Screen) -> String {
        let mut text = screen.wrapped(&answer(self));
        let turns = turns::sentences(self);
        if !turns.is_empty() {
            let _ = writeln!(text, "\n{TURNS}");
            turns.iter().for_each(|turn| text.push_str(&screen.beside("- ", 2, turn)));
        }
        let _ = write!(text, "\n{}\n", self.table().shown(screen));
        for line in self.remarks() {
            text.push_str(&screen.wrapped(&line));
        }
        text.push_str("\nNot measured\n");
        for line in self.not_measured() {
            text.push_str(&screen.beside("- ", 2, line));
        }
        text
    }

    /// The same for the record, from which pages are made.
    #[must_use]
    pub fn given(&self) -> AdviceGiven {
        AdviceGiven {
            answer: answer(self),
            turns: turns::sentences(self),
            titles: self.titles(),
            rows: self.rows().collect(),
            remarks: self.remarks(),
            not_measured: self.not_measured().map(str::to_owned).collect(),
        }
    }

    fn table(&self) -> Grid {
        Grid::new(self.titles().into_iter(), self.rows()).with_words(&[1])
    }

    fn titles(&self) -> Vec<String> {
        let costs = ["server CPU/s", "bytes/s", "memory"].map(str::to_owned);
        let fresh = ["", "fresh?", "fresh p99"].map(str::to_owned);
        fresh.into_iter().chain(money::heading(self)).chain(costs).collect()
    }

    fn rows(&self) -> impl Iterator<Item = Vec<String>> {
        (0..self.candidates.len()).map(|at| self.row(at))
    }

    fn row(&self, at: usize) -> Vec<String> {
        let candidate = &self.candidates[at];
        let sign = self.sign(at);
        let shown = |spread: Option<Spread>, unit: fn(f64) -> String| {
            spread.map_or_else(
                || NOTHING.to_owned(),
                |spread| format!("{sign}{}", precise(&spread, unit)),
            )
        };
        let judged = match self.advice.out[at] {
            None => "yes".to_owned(),
            Some(reason) => out(&reason),
        };
        let mut row = vec![self.name(at), judged, shown(candidate.fresh_us(), human::time)];
        if self.price.is_some() {
            row.push(shown(money::of(candidate), money::amount));
        }
        row.push(shown(candidate.cost(Cost::ServerCpu), human::time));
        row.push(shown(candidate.cost(Cost::WireBytes), human::size));
        let memory = candidate.spread(|costs| costs.memory_bytes);
        row.push(memory.map_or_else(|| NOTHING.to_owned(), |memory| precise(&memory, human::size)));
        row
    }

    /// Remarks below the table.
    fn remarks(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "Costs are of one client: the median of {}, and its 95 % interval in brackets.{}",
            self.rounds(),
            self.deciding()
        )];
        if self.candidates.iter().any(|it| it.is_composed) {
            let has_check = |it: &Candidate| it.is_composed && it.check.is_some();
            let checked = if self.candidates.iter().any(has_check) { CHECKED } else { "" };
            lines.push(format!(
                "≈ composed: measured at a faster pace and put together for your numbers.{checked}"
            ));
        }
        lines.push(
            "Memory is what the server's grew by, for each client: with few of them mostly what a process \
             needs once."
                .to_owned(),
        );
        lines.extend(totals::remark(self));
        lines.extend(money::remarks(self));
        lines.extend(talk::remark(self));
        lines.extend(self.scaled.iter().cloned());
        lines.extend(self.checks.iter().map(|check| self.checked(check)));
        let is_unjudged = |out: &Option<Out>| matches!(out, Some(Out::Invalid { .. }));
        if self.advice.out.iter().any(is_unjudged) {
            lines.push(
                "Trials that stayed invalid say nothing: `pushbench doctor` shows what disturbs \
                 this machine."
                    .to_owned(),
            );
        }
        lines
    }

    /// The rounds that the costs are of, from the contender with the fewest valid ones to that with the most.
    fn rounds(&self) -> String {
        let valid = |candidate: &Candidate| candidate.rounds.iter().flatten().count();
        let counts = || self.candidates.iter().map(valid).filter(|count| *count > 0);
        let (least, most) = (counts().min().unwrap_or(0), counts().max().unwrap_or(0));
        if least == most { format!("{most} rounds") } else { format!("{least} to {most} rounds") }
    }

    /// Which cost decides before which; nothing where one alone does.
    fn deciding(&self) -> String {
        let [first, then] = self.advice.order[..] else { return String::new() };
        format!(
            " First {} decides, then {}: of all layers, in both directions.",
            words::cost(first),
            words::cost(then)
        )
    }

    fn checked(&self, check: &Checked) -> String {
        let own = &check.check;
        let trials = match own.trials {
            1 => String::new(),
            trials => format!(", the median of {trials} trials"),
        };
        let fresh = own.fresh_p99_us.and_then(Bounded::exact);
        let fresh = fresh.map(|us| format!("; fresh p99 {}", human::time(us)));
        let lost = (own.lost > 0).then(|| format!("; {} of its messages lost", own.lost));
        let money = self.price.as_ref().map(|_| format!(", money {}", off(own.money)));
        format!(
            "Check of {} at your own numbers with {} clients{}: by it the bytes above are {}, server CPU is {}{}{}.",
            self.name(check.candidate),
            human::count(check.clients.into()),
            trials,
            off(own.wire_bytes),
            off(own.server_cpu),
            money.unwrap_or_default(),
            fresh.unwrap_or_default() + &lost.unwrap_or_default()
        )
    }

    /// All of it for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let of = |at: usize| {
            let (candidate, course) = (&self.candidates[at], &self.courses[at]);
            json!({
                "transport": candidate.contender,
                "poll_interval_ms": course.poll_interval.map(|period| period.as_secs_f64() * 1e3),
                "composed": candidate.is_composed,
                "pace": course.pace,
                "rounds": candidate.rounds.len(),
                "valid": candidate.rounds.iter().flatten().count(),
                "out": self.advice.out[at],
                "fresh_p99_us": candidate.fresh_us(),
                "server_cpu_us_per_client_s": candidate.cost(Cost::ServerCpu),
                "wire_bytes_per_client_s": candidate.cost(Cost::WireBytes),
                "server_memory_bytes_per_client": candidate.spread(|costs| costs.memory_bytes),
                "money_per_client_month": money::of(candidate),
                "said": talk::json(self, at),
            })
        };
        let checks = self.checks.iter().map(|check| {
            json!({
                "transport": self.candidates[check.candidate].contender,
                "clients": check.clients,
                "trials": check.check.trials,
                "composed_server_cpu_off": Checked::off(check.check.server_cpu),
                "composed_wire_bytes_off": Checked::off(check.check.wire_bytes),
                "composed_money_off": Checked::off(check.check.money),
                "fresh_p99_us": check.check.fresh_p99_us.and_then(Bounded::exact),
                "lost": check.check.lost,
            })
        });
        json!({
            "wishes": {
                "fresh_us": self.wishes.fresh.as_secs_f64() * 1e6,
                "delivery": self.wishes.delivery,
                "margin": self.wishes.margin,
            },
            "clients": self.clients,
            "talk_rate_hz": self.talk.map(|talk| talk.rate.hz()),
            "price": self.price.as_ref().map(|price| &price.name),
            "currency": self.price.as_ref().and_then(Price::currency).map(|it| it.to_string()),
            "answer": self.advice.answer,
            "named": self.named(),
            "sentence": answer(self),
            "turns": turns::sentences(self),
            "candidates": (0..self.candidates.len()).map(of).collect::<Vec<Value>>(),
            "checks": checks.collect::<Vec<Value>>(),
            "scaled": self.scaled,
            "not_measured": self.not_measured().collect::<Vec<&str>>(),
        })
    }

    fn not_measured(&self) -> impl Iterator<Item = &'static str> {
        let silent = self.talk.is_none().then_some(
            "messages that clients send: pass `--talk-rate`, or run the scenarios `chat`, `echo` and `upload`",
        );
        NOT_MEASURED.into_iter().chain(silent)
    }

    /// The contenders that the answer names.
    fn named(&self) -> Vec<String> {
        let places = match &self.advice.answer {
            Answer::Take { best, .. } => vec![*best],
            Answer::Any { among, .. } => among.clone(),
            Answer::NoneMeets | Answer::NotJudged => Vec::new(),
        };
        places.into_iter().map(|at| self.candidates[at].contender.to_string()).collect()
    }
}

/// Things that nobody should believe to be in the figures.
const NOT_MEASURED: [&str; 6] = [
    "your own server and clients: these are pushbench's, and an application costs more",
    "proxies, caches and CDNs on the way, which a poll can use and a stream cannot",
    "openings: clients that come and go, and reconnects after a restart (run the scenarios `churn` \
     and `restart`)",
    "compression, cookies and the headers that browsers send (`pushbench run --headers chromium`)",
    "browsers, which slow down the timers of tabs in the background, and polls with them, and over \
     HTTP/1.1 hold six streams or long polls to a server at most (run the scenario `tabs`)",
    "batteries, and how hard each is to build and to keep running",
];

#[cfg(test)]
mod tests;
