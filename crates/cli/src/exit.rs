//! How the program ends: the one place that knows exit statuses.

use std::fmt;
use std::process::ExitCode;

use pushbench_run::RunError;
use pushbench_run::player::child::ChildError;
use pushbench_run::player::link::LinkError;
use pushbench_run::player::target::TargetError;

/// Outcome of a command that did not fail.
/// The worse stand behind, so that the worst of several is their maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// All went well: status 0.
    Done,
    /// Done, but a threshold is broken: status 99.
    Broken,
    /// Done, but the measurement is invalid, so that no threshold says anything, or it has not what
    /// a threshold asks for: status 3.
    Invalid,
    /// Done, and a command of the user's ended with this status, which is then ours.
    Command(u8),
}

/// The status of a command that the user stopped, as shells say it for SIGINT.
pub(crate) const INTERRUPTED: u8 = 130;

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Bad arguments or a bad scenario, before anything started: status 2.
    Usage(anyhow::Error),
    /// Something went wrong while it ran: status 1.
    Failed(anyhow::Error),
    /// The user stopped it: status [`INTERRUPTED`].
    Interrupted,
    /// Something went wrong that whoever started this process has been told: status 1, and no words.
    Told,
}

impl Failure {
    /// A failure of the arguments.
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self::Usage(error.into())
    }

    /// A failure while running.
    pub(crate) fn failed(error: impl Into<anyhow::Error>) -> Self {
        Self::Failed(error.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(error) | Self::Failed(error) => f.write_str(&chain(error)),
            Self::Interrupted => f.write_str("interrupted"),
            Self::Told => f.write_str("told"),
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Stopped => Self::Interrupted,
            error => Self::failed(error),
        }
    }
}

impl From<TargetError> for Failure {
    fn from(error: TargetError) -> Self {
        match error {
            TargetError::Url(_) => Self::usage(error),
            _ => Self::failed(error),
        }
    }
}

impl From<LinkError> for Failure {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Process(_) | LinkError::Cross(_) | LinkError::Silent => Self::failed(error),
            LinkError::Clients(_) | LinkError::Refused(_) | LinkError::Router(_) => {
                Self::usage(error)
            }
        }
    }
}

impl From<ChildError> for Failure {
    fn from(error: ChildError) -> Self {
        match error {
            ChildError::Plan(_) => Self::usage(error),
            ChildError::Failed => Self::Told,
            _ => Self::failed(error),
        }
    }
}

/// An error and its causes, but for a cause that the error before it has already told.
fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.contains(&cause) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause);
    }
    text
}

/// Says what went wrong, and gives the exit status.
pub(crate) fn report(outcome: Result<Outcome, Failure>) -> ExitCode {
    let code = match &outcome {
        Ok(Outcome::Done) => 0,
        Ok(Outcome::Broken) => 99,
        Ok(Outcome::Invalid) => 3,
        Ok(Outcome::Command(status)) => *status,
        Err(Failure::Failed(_) | Failure::Told) => 1,
        Err(Failure::Usage(_)) => 2,
        Err(Failure::Interrupted) => INTERRUPTED,
    };
    match outcome {
        Ok(_) | Err(Failure::Told) => {}
        Err(failure) => crate::tell(format_args!("error: {failure}")),
    }
    ExitCode::from(code)
}
