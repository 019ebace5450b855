//! Why a figure of a process could not be read.
//!
//! Readers of one process return [`io::Error`], whose kind tells apart a process that ended
//! ([`io::ErrorKind::NotFound`]); inside stands a [`ProcessError`] that says which process, and
//! what of it was wanted.

use std::io;

use thiserror::Error;

/// A failure to read something of a process from outside.
#[derive(Debug, Error)]
pub enum ProcessError {
    /// No such process, or another one bears its pid by now.
    #[error(
        "cannot read the {what} of process {pid}: there is no such process, or it has ended; \
         see what it wrote last, or check the pid"
    )]
    Ended {
        /// The figure that was to be read.
        what: &'static str,
        /// The process.
        pid: u32,
    },
    /// The operating system refused.
    #[error(
        "cannot read the {what} of process {pid}: the system refused; \
         check that /proc is mounted and shows that process"
    )]
    Refused {
        /// The figure that was to be read.
        what: &'static str,
        /// The process.
        pid: u32,
        /// The system's error.
        source: io::Error,
    },
    /// The kernel's text has no such figure: the process is a zombie or a kernel thread.
    #[error(
        "cannot read the {what} of process {pid}: /proc/{pid}/{file} does not tell; \
         has it ended without being waited for?"
    )]
    Absent {
        /// The figure that was to be read.
        what: &'static str,
        /// The process.
        pid: u32,
        /// The file below `/proc/PID`.
        file: &'static str,
    },
}

impl ProcessError {
    /// Sorts what the system answered when `what` of process `pid` was asked for.
    ///
    /// `ESRCH` comes from a call on a pid, and from reading a file of `/proc` that was opened
    /// while the process still lived.
    pub(crate) fn from_io(what: &'static str, pid: u32, source: io::Error) -> Self {
        let ended =
            source.kind() == io::ErrorKind::NotFound || source.raw_os_error() == Some(libc::ESRCH);
        if ended { Self::Ended { what, pid } } else { Self::Refused { what, pid, source } }
    }
}

impl From<ProcessError> for io::Error {
    fn from(error: ProcessError) -> Self {
        let kind = match &error {
            ProcessError::Ended { .. } => io::ErrorKind::NotFound,
            ProcessError::Refused { source, .. } => source.kind(),
            ProcessError::Absent { .. } => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_ended_is_told_apart() {
        let gone = ProcessError::from_io("memory", 77, io::Error::from_raw_os_error(libc::ESRCH));
        let gone = io::Error::from(gone);
        assert_eq!(gone.kind(), io::ErrorKind::NotFound);
        assert!(gone.to_string().starts_with("cannot read the memory of process 77: "));

        let denied =
            ProcessError::from_io("memory", 77, io::Error::from_raw_os_error(libc::EACCES));
        assert!(matches!(denied, ProcessError::Refused { pid: 77, .. }));
        assert_eq!(io::Error::from(denied).kind(), io::ErrorKind::PermissionDenied);
    }
}
