//! Reasons for which a connection is not secured, or not any more.

use std::io;

use rustls::{CertificateError, Error, InvalidMessage};
use thiserror::Error as ThisError;

/// What rustls-webpki calls an authority's certificate in a server's place.
const NO_LEAF: &str = "CaUsedAsEndEntity";

/// A connection that TLS gave up.
#[derive(Debug, Clone, ThisError)]
pub enum TlsError {
    /// The socket's end came first.
    #[error("the other end closed the connection during the TLS handshake")]
    EndedInHandshake,
    /// The socket's end came without the alert that announces it (RFC 8446 §6.1).
    #[error("the connection ended without TLS's close_notify: what came last may be cut short")]
    CutShort,
    /// The first bytes are no record of TLS.
    #[error("the other end does not speak TLS at this address; is it http:// or ws://?")]
    NotTls,
    /// The certificate is nobody's that is trusted.
    #[error(
        "the server's certificate is not trusted: no known authority has issued it; name its \
         authority with --ca FILE, or pass --insecure"
    )]
    UnknownIssuer,
    /// The certificate is an authority's own.
    #[error(
        "the server's certificate is an authority's own (CA:TRUE), which no server may show; make \
         one with CA:FALSE, or pass --insecure"
    )]
    AnAuthoritys,
    /// The certificate's time is over, or has not come.
    #[error("the server's certificate {0}; renew it, or pass --insecure")]
    OutOfTime(String),
    /// The certificate is for another host.
    #[error("the server's certificate is for another name: {0}; use that name, or pass --insecure")]
    OtherName(String),
    /// The certificate is bad in another way.
    #[error("the server's certificate is not valid: {0}")]
    Certificate(CertificateError),
    /// The other end refused.
    #[error("the other end refused with the TLS alert {0}")]
    Refused(String),
    /// Anything else.
    #[error("TLS: {0}")]
    Other(Error),
}

impl From<Error> for TlsError {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidMessage(InvalidMessage::InvalidContentType) => Self::NotTls,
            Error::AlertReceived(alert) => Self::Refused(format!("{alert:?}")),
            Error::InvalidCertificate(error) => Self::of_certificate(error),
            other => Self::Other(other),
        }
    }
}

impl TlsError {
    fn of_certificate(error: CertificateError) -> Self {
        use CertificateError::{
            Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet,
            NotValidYetContext, UnknownIssuer,
        };
        match error {
            UnknownIssuer => Self::UnknownIssuer,
            Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. } => {
                Self::OutOfTime(error.to_string())
            }
            NotValidForName | NotValidForNameContext { .. } => Self::OtherName(error.to_string()),
            CertificateError::Other(error) if error.to_string() == NO_LEAF => Self::AnAuthoritys,
            other => Self::Certificate(other),
        }
    }

    /// Whether another attempt would find the same.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        !matches!(self, Self::EndedInHandshake | Self::CutShort)
    }

    /// The reason within an error of somebody who uses rustls, if it is TLS's.
    #[must_use]
    pub fn of_rustls(error: &io::Error) -> Option<Self> {
        let error: &Error = error.get_ref()?.downcast_ref()?;
        Some(error.clone().into())
    }

    /// The reason within an error of a channel, if it is TLS's.
    #[must_use]
    pub fn within(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl From<TlsError> for io::Error {
    fn from(error: TlsError) -> Self {
        let kind = match error {
            TlsError::EndedInHandshake | TlsError::CutShort => io::ErrorKind::UnexpectedEof,
            TlsError::Refused(_) => io::ErrorKind::ConnectionRefused,
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}
