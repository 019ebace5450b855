//! The worth of a trial whose clients were a browser's tabs.

use pushbench_metrics::record::browser::{BrowserMeasured, TabFault, Waiting};
use pushbench_metrics::record::warning::{Invalid, Warning};

use super::Evidence;

impl Evidence<'_> {
    fn browser(&self) -> Option<&BrowserMeasured> {
        self.load().browser.as_ref()
    }

    /// Tabs that wait for a connection, as the browser has it.
    pub(super) fn waiting_tabs(&self) -> Option<Waiting> {
        self.browser()?.waiting
    }

    /// Why tabs say nothing of the transport; empty where they do.
    pub(super) fn invalid_tabs(&self) -> Vec<Invalid> {
        let Some(browser) = self.browser() else { return Vec::new() };
        let (hidden, seen) = (browser.hidden, self.wanted().saturating_sub(browser.hidden));
        let sight = match browser.hides {
            false => (hidden > 0).then_some(TabFault::Hidden { tabs: hidden }),
            true => (seen > 0).then_some(TabFault::Seen { tabs: seen }),
        };
        let bound = browser.bound_before + browser.bound_after;
        let torn = browser.torn.then_some(TabFault::Clock { shift: browser.shift, bound });
        sight.into_iter().chain(torn).map(Invalid::Tabs).collect()
    }

    /// The findings about a browser that gave some tabs no connection, and about what it does to tabs out
    /// of sight.
    pub(super) fn of_tabs(&self) -> impl Iterator<Item = Warning> {
        let hides = self.browser().is_some_and(|browser| browser.hides);
        let hides = hides.then_some(Warning::TabsHidden);
        self.waiting_tabs().map(Warning::TabsWait).into_iter().chain(hides)
    }
}
