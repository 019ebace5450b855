//! Reasons for which a run cannot go on, and those for which only a trial has no figures.

use pushbench_core::feed::schedule::WalkError;
use pushbench_metrics::record::proxy::ProxyRecord;
use pushbench_metrics::record::warning::{Invalid, Warning};
use pushbench_os::net::capture::CaptureError;
use pushbench_tls::CertificateError;
use thiserror::Error;

use crate::place::PlaceError;
use crate::player::link::LinkError;
use crate::player::process::ProcessError;
use crate::player::target::TargetError;

/// A run that ends before its plan does.
#[derive(Debug, Error)]
pub enum RunError {
    /// Whoever hears the run's events wants it to end.
    #[error("the run was stopped")]
    Stopped,
    /// A trial that this machine has no room for.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// A server process that cannot be started.
    #[error("cannot start the server")]
    Server(#[source] ProcessError),
    /// Another child process that cannot be started, or one that takes no orders.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A link that cannot be played.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A certificate of a trial's own that cannot be made.
    #[error("cannot secure the server's connections")]
    Certificate(#[source] CertificateError),
    /// A running server whose feed cannot be followed.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// A window whose messages cannot be told.
    #[error("cannot say which messages are due")]
    Due(#[source] WalkError),
    /// A capture that cannot begin.
    #[error("cannot capture the trial's packets")]
    Capture(#[source] CaptureError),
    /// A capture that cannot be read to its end.
    #[error("cannot read the captured packets")]
    Captured(#[source] CaptureError),
}

/// A finding in the place of figures.
#[derive(Debug)]
pub struct Found {
    /// The proxy that it is about.
    pub proxy: ProxyRecord,
    /// The finding.
    pub finding: Warning,
}

/// The error for which a trial has no figures.
#[derive(Debug)]
pub enum TrialError {
    /// A process of the trial failed: the trial is invalid.
    Invalid(Invalid),
    /// A finding that is all that there is to find.
    Found(Box<Found>),
    /// The run cannot go on.
    Run(RunError),
}

impl<E: Into<RunError>> From<E> for TrialError {
    fn from(error: E) -> Self {
        Self::Run(error.into())
    }
}
