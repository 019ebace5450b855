//! A tab with the server's page in it.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use pushbench_os::time::clock;
use serde_json::{Value, json};

use crate::clock::Offset;
use crate::devtools::Devtools;
use crate::error::BrowserError;
use crate::noted::Noted;

/// How long a page may take to be there.
const LOADED_WITHIN: Duration = Duration::from_secs(10);

/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Round trips of which the shortest tells where a tab's clock is, at least and at most.
const ROUND_TRIPS: u32 = 50;
const MOST_ROUND_TRIPS: u32 = 400;

/// How surely that is to be known; there are further round trips until it is.
const SURE: Duration = Duration::from_micros(120);

/// The page is there, and may read its clock as finely as a page can.
const IS_THERE: &str = "document.readyState === 'complete' && crossOriginIsolated \
                        && typeof feed === 'object'";

#[derive(Debug)]
pub(crate) struct Tab {
    number: u32,
    target: String,
    session: String,
}

impl Tab {
    /// Opens a tab in a window of its own, in which it is visible, as if that had the focus; or, where it
    /// is to be hidden, in one window with the others. Behind another its timers fire once a second.
    pub(crate) fn open(
        browser: &mut Devtools,
        number: u32,
        server: SocketAddr,
        hidden: bool,
    ) -> Result<Self, BrowserError> {
        let blank = json!({ "url": "about:blank", "newWindow": !hidden });
        let target = text(&browser.call("Target.createTarget", None, &blank)?, "targetId")?;
        let attach = json!({ "targetId": target, "flatten": true });
        let session = text(&browser.call("Target.attachToTarget", None, &attach)?, "sessionId")?;
        let tab = Self { number, target, session };
        let focus = json!({ "enabled": !hidden });
        tab.call(browser, "Emulation.setFocusEmulationEnabled", &focus)?;
        let page = json!({ "url": format!("http://{server}/client") });
        tab.call(browser, "Page.navigate", &page)?;
        Ok(tab)
    }

    /// Opens an empty tab and shows it, behind which all are that are in the window with it.
    pub(crate) fn cover(browser: &mut Devtools) -> Result<(), BrowserError> {
        let blank = json!({ "url": "about:blank" });
        let front = text(&browser.call("Target.createTarget", None, &blank)?, "targetId")?;
        browser.call("Target.activateTarget", None, &json!({ "targetId": front }))?;
        Ok(())
    }

    /// Waits until its page is there.
    pub(crate) fn await_page(&self, browser: &mut Devtools) -> Result<(), BrowserError> {
        let deadline = Instant::now() + LOADED_WITHIN;
        while Instant::now() < deadline {
            // While it is on its way to the page a script has no place to run in.
            if self.evaluate(browser, IS_THERE).is_ok_and(|value| value == true) {
                return Ok(());
            }
            thread::sleep(LOOK);
        }
        Err(BrowserError::Page(self.number + 1))
    }

    /// Where its clock is on the monotonic one.
    pub(crate) fn clock(&self, browser: &mut Devtools) -> Result<Offset, BrowserError> {
        let mut best: Option<Offset> = None;
        for trip in 1..=MOST_ROUND_TRIPS {
            let sent = clock::now();
            let there = self.evaluate(browser, "performance.now()")?;
            let back = clock::now();
            let there = there.as_f64().ok_or_else(|| unclear("performance.now()"))?;
            let offset = Offset::of_round_trip(sent, there, back);
            let surest = best.map_or(offset, |best| best.surer(offset));
            best = Some(surest);
            if trip >= ROUND_TRIPS && surest.bound <= SURE {
                break;
            }
        }
        best.ok_or_else(|| unclear("performance.now()"))
    }

    /// Ends its client, and closes it.
    pub(crate) fn end(&self, browser: &mut Devtools) -> Result<Noted, BrowserError> {
        let notes = self.evaluate(browser, "feed.end()")?;
        let notes = notes.as_str().and_then(|notes| serde_json::from_str(notes).ok());
        browser.call("Target.closeTarget", None, &json!({ "targetId": self.target }))?;
        notes.ok_or_else(|| unclear("feed.end()"))
    }

    /// The value of an expression, or what its promise comes to.
    pub(crate) fn evaluate(
        &self,
        browser: &mut Devtools,
        expression: &str,
    ) -> Result<Value, BrowserError> {
        let script =
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut answer = self.call(browser, "Runtime.evaluate", &script)?;
        match answer["exceptionDetails"].take() {
            Value::Null => Ok(answer["result"]["value"].take()),
            details => {
                let words = details["exception"]["description"].as_str();
                Err(BrowserError::Script(words.unwrap_or(expression).to_owned()))
            }
        }
    }

    fn call(
        &self,
        browser: &mut Devtools,
        method: &str,
        params: &Value,
    ) -> Result<Value, BrowserError> {
        browser.call(method, Some(&self.session), params)
    }
}

fn text(answer: &Value, key: &str) -> Result<String, BrowserError> {
    answer[key].as_str().map(str::to_owned).ok_or_else(|| unclear(key))
}

fn unclear(what: &str) -> BrowserError {
    BrowserError::Answer(what.to_owned())
}
