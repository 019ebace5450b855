//! The part of a load process, played by a browser.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use pushbench_core::MonoInstant;
use pushbench_core::poll_phases::PollPhases;
use pushbench_metrics::observe::attempts::Attempts;
use pushbench_metrics::record::browser::{BrowserMeasured, Waiting};
use pushbench_metrics::record::control::{
    BrowserPlan, KEPT_ERRORS, LoadMeasured, LoadNews, LoadOrder, LoadPlan, TrialTiming,
};
use pushbench_os::time::clock;
use serde_json::json;

use crate::clock::{self as tab_clock, Offset};
use crate::devtools::Devtools;
use crate::error::BrowserError;
use crate::replay::{Tape, replay};
use crate::tab::Tab;

/// How long tabs may take to be subscribed; those that wait for a connection take for ever.
const OPEN_WITHIN: Duration = Duration::from_secs(3);

/// How often tabs are asked whether they have all, once the window is over.
const LOOK: Duration = Duration::from_millis(50);

/// How long after the window's end tabs are left alone, so that whoever reads the processes' clocks
/// there may be late.
const LINGER: Duration = Duration::from_millis(200);

/// Plays the clients of `plan` with the tabs of a browser that runs. `hear` waits for the next order.
///
/// # Errors
///
/// A browser that does not do its part, and an order out of turn.
pub fn play(
    plan: &LoadPlan,
    browser: &BrowserPlan,
    mut hear: impl FnMut() -> io::Result<LoadOrder>,
    mut say: impl FnMut(LoadNews),
) -> Result<(), BrowserError> {
    say(LoadNews::Ready);
    let Ok(LoadOrder::Connect) = hear() else { return Err(BrowserError::Order("connect")) };
    let mut tabs = Tabs::open(plan, browser)?;
    let clients = tabs.await_subscribed()?;
    let missing = plan.clients - clients;
    let error = (missing > 0).then(|| format!("{missing} tabs have no connection yet"));
    say(LoadNews::Connected { clients, error, attempts: Attempts::default() });
    let Ok(LoadOrder::Run(timing)) = hear() else { return Err(BrowserError::Order("run")) };
    tabs.begin(&timing)?;
    clock::sleep_until(timing.window.end + LINGER);
    let drained = tabs.drain(&timing)?;
    let measured = tabs.finish(&timing, browser, drained)?;
    say(LoadNews::Finished(Box::new(measured)));
    Ok(())
}

/// The tabs of a trial, and where their clocks were before it.
struct Tabs<'a> {
    plan: &'a LoadPlan,
    kind: &'static str,
    devtools: Devtools,
    version: String,
    tabs: Vec<Tab>,
    before: Vec<Offset>,
}

impl<'a> Tabs<'a> {
    /// Opens all tabs, has them know the feed and then subscribe, in the order of their numbers.
    fn open(plan: &'a LoadPlan, browser: &BrowserPlan) -> Result<Self, BrowserError> {
        let mut devtools = Devtools::open(browser.devtools)?;
        let version = devtools.call("Browser.getVersion", None, &json!({}))?;
        let version = version["product"].as_str().unwrap_or_default().to_owned();
        let mut tabs = Vec::new();
        for number in 0..plan.clients {
            let tab = Tab::open(&mut devtools, number, plan.target, browser.hidden)?;
            // One after the other: a hundred that load at once have none ready for seconds.
            tab.await_page(&mut devtools)?;
            tab.evaluate(&mut devtools, "feed.learn()")?;
            tabs.push(tab);
        }
        if browser.hidden {
            Tab::cover(&mut devtools)?;
        }
        let kind = plan.contender.transport.name();
        for tab in &tabs {
            tab.evaluate(&mut devtools, &format!("feed.open('{kind}')"))?;
        }
        let before = tabs.iter().map(|tab| tab.clock(&mut devtools));
        let before = before.collect::<Result<Vec<_>, _>>()?;
        Ok(Self { plan, kind, devtools, version, tabs, before })
    }

    /// How many are subscribed, as soon as all are, or once they have had their time.
    fn await_subscribed(&mut self) -> Result<u32, BrowserError> {
        let deadline = Instant::now() + OPEN_WITHIN;
        loop {
            let mut open = 0;
            for tab in &self.tabs {
                open +=
                    u32::from(tab.evaluate(&mut self.devtools, "feed.opened !== null")? == true);
            }
            if open == self.plan.clients || Instant::now() >= deadline {
                return Ok(open);
            }
            thread::sleep(LOOK);
        }
    }

    /// Has tabs that poll do so from the warm-up on, their phases spread over the period.
    fn begin(&mut self, timing: &TrialTiming) -> Result<(), BrowserError> {
        let plan = self.plan;
        let phases = PollPhases::new(plan.seed, plan.total_clients);
        let period = plan.poll_interval.as_secs_f64() * 1e3;
        let hold = plan.long_poll_timeout.as_millis();
        for (number, (tab, offset)) in (0_u32..).zip(self.tabs.iter().zip(&self.before)) {
            let first =
                tab_clock::milliseconds(offset.ns, timing.warmup) + period * phases.of(number);
            let begin = format!("feed.begin('{}', {first}, {period}, {hold}), 0", self.kind);
            tab.evaluate(&mut self.devtools, &begin)?;
        }
        Ok(())
    }

    /// Waits until each tab has the window's last message, or the drain is over; whether they have.
    fn drain(&mut self, timing: &TrialTiming) -> Result<bool, BrowserError> {
        let has_last = format!("feed.opened === null || feed.newest >= {}", timing.window.last);
        loop {
            let mut all = true;
            for tab in &self.tabs {
                all &= tab.evaluate(&mut self.devtools, &has_last)? == true;
            }
            if all || clock::now() >= timing.drain_deadline {
                return Ok(all);
            }
            thread::sleep(LOOK);
        }
    }

    /// Ends all tabs, and puts together what they noted.
    fn finish(
        mut self,
        timing: &TrialTiming,
        browser: &BrowserPlan,
        drained: bool,
    ) -> Result<LoadMeasured, BrowserError> {
        let closing = clock::now();
        let devtools = &mut self.devtools;
        let after = self.tabs.iter().map(|tab| tab.clock(devtools));
        let after = after.collect::<Result<Vec<_>, _>>()?;
        let mut tapes = Vec::new();
        for (tab, (before, after)) in self.tabs.iter().zip(self.before.iter().zip(&after)) {
            let offset_ns = before.between(*after);
            tapes.push(Tape { noted: tab.end(&mut self.devtools)?, offset_ns });
        }
        let errors = tapes.iter().flat_map(|tape| &tape.noted.words).take(KEPT_ERRORS);
        let both = || self.before.iter().zip(&after);
        let most = |offsets: &[Offset]| offsets.iter().map(|it| it.bound).max().unwrap_or_default();
        let record = BrowserMeasured {
            version: self.version,
            sandboxed: browser.sandboxed,
            bound_before: most(&self.before),
            bound_after: most(&after),
            shift: both().map(|(one, other)| one.shift(*other)).max().unwrap_or_default(),
            torn: both().any(|(one, other)| one.shift(*other) > one.bound + other.bound),
            hidden: count(&tapes, |tape| tape.noted.hidden > 0),
            hides: browser.hidden,
            // Whoever started it reads that once its tabs are closed.
            empty_cpu: None,
            waiting: waiting(&tapes, timing, closing),
        };
        Ok(LoadMeasured {
            connected_at_start: count(&tapes, |tape| tape.is_in(timing)),
            closing,
            errors: errors.cloned().collect(),
            measured: replay(self.plan, timing, &tapes, closing)?,
            drained,
            browser: Some(record),
            ..LoadMeasured::default()
        })
    }
}

fn count(tapes: &[Tape], is_one: impl Fn(&Tape) -> bool) -> u32 {
    tapes.iter().map(|tape| u32::from(is_one(tape))).sum()
}

/// The tabs that had no connection when the window began.
fn waiting(tapes: &[Tape], timing: &TrialTiming, closing: MonoInstant) -> Option<Waiting> {
    let tabs = count(tapes, |tape| !tape.is_in(timing));
    let waited = |tape: &Tape| {
        let instant = |there| tab_clock::instant(tape.offset_ns, there);
        let until = tape.noted.opened.map_or(closing, instant);
        tape.noted.asked.map(|asked| until.saturating_since(instant(asked)))
    };
    let waited = tapes.iter().filter(|tape| !tape.is_in(timing)).filter_map(waited);
    let longest = waited.max().unwrap_or_default();
    (tabs > 0).then_some(Waiting { tabs, longest })
}
