//! Why packets could not be captured.

use std::io;

use thiserror::Error;

use super::filter::PortFilter;

/// A failure to start a capture, or to see it through.
#[derive(Debug, Error)]
pub enum CaptureError {
    /// The filter names no port, or more than fit.
    #[error(
        "cannot capture packets of {count} ports: a capture takes from 1 to {most}",
        most = PortFilter::MOST
    )]
    Ports {
        /// How many different ports there were.
        count: usize,
    },
    /// The process may not see packets.
    #[error(
        "cannot capture packets on lo: that takes the privilege CAP_NET_RAW; run as \
         root, or give it to the binary (`sudo setcap cap_net_raw+ep FILE`), or leave the \
         capture out and have the kernel count (TCP_INFO)"
    )]
    Privilege {
        /// The system's error.
        source: io::Error,
    },
    /// One step failed for another reason.
    #[error(
        "cannot {operation} to capture packets on lo: the system refused; check that \
         the interface is up (`ip link`) and that no sandbox forbids packet sockets"
    )]
    System {
        /// The step.
        operation: &'static str,
        /// The system's error.
        source: io::Error,
    },
}

impl CaptureError {
    /// Sorts what the system answered to `operation`.
    pub(super) fn from_io(operation: &'static str, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::PermissionDenied {
            Self::Privilege { source }
        } else {
            Self::System { operation, source }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_privilege_is_told_apart_and_says_what_to_do() {
        let denied = io::Error::from_raw_os_error(libc::EPERM);
        let error = CaptureError::from_io("open a socket", denied);
        assert!(matches!(error, CaptureError::Privilege { .. }));
        assert!(error.to_string().contains("setcap cap_net_raw+ep"), "{error}");

        let down = io::Error::from_raw_os_error(libc::ENETDOWN);
        let error = CaptureError::from_io("read packets", down);
        assert!(error.to_string().starts_with("cannot read packets to capture"), "{error}");
    }
}
