//! The ends of a trial's sides, and what they leave.

use pushbench_metrics::observe::cross::CrossMeasured;
use pushbench_metrics::observe::device::RouterMeasured;
use pushbench_metrics::record::control::{LoadMeasured, ServerMeasured, TrialTiming};
use pushbench_metrics::record::warning::Invalid;

use super::{Cost, Trial};
use crate::error::{RunError, TrialError};
use crate::player::browser::BrowserSide;
use crate::player::cross::CrossSide;
use crate::player::link::LinkError;
use crate::player::proxy::ProxySide;
use crate::player::subject::SubjectSide;

impl Trial<'_> {
    /// Ends the servers, where they are this run's.
    pub(super) fn stop_servers(&mut self) -> Result<Vec<ServerMeasured>, TrialError> {
        if !self.server.stop() {
            return Ok(Vec::new());
        }
        self.inbox.stopped(self.close_limit())
    }

    /// Ends the traffic beside the feed.
    pub(super) fn stop_cross(&mut self) -> Result<Option<CrossMeasured>, TrialError> {
        self.cross.take().map(CrossSide::stop).transpose().map_err(cross_died)
    }

    /// Ends the router, and puts the packets that it saw into the ledger.
    pub(super) fn stop_link(
        &mut self,
        load: &mut LoadMeasured,
    ) -> Result<Option<RouterMeasured>, TrialError> {
        let Some(link) = self.link.take() else { return Ok(None) };
        let router = link.stop(load.closing).map_err(router_died)?;
        router.link.add_to(&mut load.measured.ledger);
        Ok(Some(router))
    }

    /// Puts captured packets into the ledger; how many the capture missed.
    pub(super) fn stop_capture(&mut self, load: &mut LoadMeasured) -> Result<u64, TrialError> {
        let Some(wire) = self.wire.take() else { return Ok(0) };
        let missed = wire.stop(load.closing, &mut load.measured.ledger);
        Ok(missed.map_err(RunError::Captured)?)
    }

    /// Takes what a browser costs without tabs off what its tabs cost, now that these are closed.
    pub(super) fn settle_browser(
        &self,
        timing: &TrialTiming,
        load: &mut LoadMeasured,
        cost: &mut Cost,
    ) {
        if let Some((browser, record)) = self.browser.as_ref().zip(load.browser.as_mut()) {
            record.empty_cpu = browser.empty_cpu(timing.window.duration());
            cost.without(record.empty_cpu);
        }
    }

    /// Why sides came to an end that nobody asked for.
    pub(super) fn ended_early(&mut self) -> Vec<Invalid> {
        let mut ended_early = self.inbox.ended_early();
        ended_early.extend(self.proxies.as_ref().and_then(ProxySide::failure));
        ended_early.extend(self.browser.as_ref().and_then(BrowserSide::failure));
        ended_early.extend(self.server.foreign().and_then(SubjectSide::failure));
        ended_early
    }
}

/// Traffic beside the feed that does not flow any more.
pub(super) fn cross_died(error: LinkError) -> TrialError {
    TrialError::Invalid(Invalid::CrossIdle { direction: None, error: Some(error.to_string()) })
}

/// A router that does not do its part any more.
pub(super) fn router_died(error: LinkError) -> TrialError {
    TrialError::Invalid(Invalid::RouterDied { error: error.to_string() })
}
