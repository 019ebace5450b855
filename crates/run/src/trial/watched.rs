//! A trial that a person watches.

use super::Trial;
use crate::player::browser::BrowserSide;
use crate::player::cpu::{CpuWatch, Side};

impl Trial<'_> {
    /// Has the CPU of both sides told from now on, where a person watches; `servers` are the processes of
    /// the server.
    pub(super) fn watch_cpu(&mut self, servers: &[u32]) {
        if !self.plan.is_watched {
            return;
        }
        let server = if self.server.is_own() { Side::each(servers) } else { Side::tree(servers) };
        let load = match self.browser.as_ref().map(BrowserSide::pid) {
            Some(browser) => Side::tree(&[browser]),
            None => Side::each(&self.clients.pids()),
        };
        self.inbox.watch_cpu(CpuWatch::new(server, load));
    }
}
