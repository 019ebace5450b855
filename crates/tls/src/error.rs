//! Reasons for which a connection is not secured, or not any more.

use std::{fmt, io};

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};
use thiserror::Error as ThisError;

/// The name that rustls-webpki has for an authority's certificate in a server's place.
const NO_LEAF: &str = "CaUsedAsEndEntity";

/// A connection that TLS gave up.
#[derive(Debug, Clone, ThisError)]
pub enum TlsError {
    /// The socket's end came first.
    #[error(
        "the other end closed the connection during the TLS handshake; does it speak TLS at this \
         address?"
    )]
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
    #[error(
        "the server's certificate {0}; renew it, look at this machine's clock, or pass --insecure"
    )]
    OutOfTime(String),
    /// The certificate is for another host.
    #[error("the server's certificate is for another name: {0}; ask for that, or pass --insecure")]
    OtherName(String),
    /// The certificate is bad in another way.
    #[error(
        "the server's certificate is not valid: {0}; have its authority issue another, or pass \
         --insecure"
    )]
    Certificate(CertificateError),
    /// The other end refused.
    #[error("the other end refused with the TLS alert {0:?}{remedy}", remedy = remedy(*.0))]
    Refused(AlertDescription),
    /// The two ends have nothing to agree upon.
    #[error(
        "the two ends cannot agree on what secures the connection ({0:?}); compare the versions, \
         groups and ciphers that they allow"
    )]
    Incompatible(PeerIncompatible),
    /// A record is not what the other end has sealed.
    #[error(
        "a TLS record cannot be decrypted: it was changed on the way, or sealed wrongly; look at \
         what is between the two ends"
    )]
    Undecryptable,
    /// A message that would never be whole.
    #[error(
        "the other end sends a TLS message longer than any that this end takes; look at the length \
         of its certificates and tickets"
    )]
    TooLong,
    /// Anything else.
    #[error("TLS: {0}")]
    Other(Error),
}

impl From<Error> for TlsError {
    fn from(error: Error) -> Self {
        match error {
            Error::AlertReceived(alert) => Self::Refused(alert),
            Error::PeerIncompatible(why) => Self::Incompatible(why),
            Error::DecryptError => Self::Undecryptable,
            Error::InvalidCertificate(error) => Self::of_certificate(error),
            other => Self::Other(other),
        }
    }
}

impl TlsError {
    /// The reason for which a connection does not open.
    #[must_use]
    pub fn of_handshake(error: Error) -> Self {
        match error {
            Error::InvalidMessage(InvalidMessage::InvalidContentType) => Self::NotTls,
            other => other.into(),
        }
    }

    /// A record that does not fit where there ought to be room for the longest.
    pub(crate) fn of_room(error: impl fmt::Display) -> Self {
        Self::Other(Error::General(error.to_string()))
    }

    fn of_certificate(error: CertificateError) -> Self {
        use CertificateError::{
            BadSignature, ExpiredContext, NotValidForNameContext, NotValidYetContext, UnknownIssuer,
        };
        match error {
            // The second is one of an authority of the same name.
            UnknownIssuer | BadSignature => Self::UnknownIssuer,
            ExpiredContext { time, not_after } => {
                Self::OutOfTime(format!("expired {} ago", between(not_after, time)))
            }
            NotValidYetContext { time, not_before } => {
                Self::OutOfTime(format!("will be valid in {}", between(time, not_before)))
            }
            NotValidForNameContext { expected, presented } => {
                let found = if presented.is_empty() { "none".into() } else { presented.join(", ") };
                Self::OtherName(format!("{found} and not {}", expected.to_str()))
            }
            CertificateError::Other(error) if error.to_string() == NO_LEAF => Self::AnAuthoritys,
            other => Self::Certificate(other),
        }
    }

    /// Whether another attempt would find the same.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        use AlertDescription::{InternalError, UserCanceled};
        let passes = matches!(self, Self::Refused(InternalError | UserCanceled));
        !passes && !matches!(self, Self::EndedInHandshake | Self::CutShort)
    }

    /// The reason within an error of somebody who uses rustls, if it is TLS's.
    #[must_use]
    pub fn of_rustls(error: &io::Error) -> Option<Self> {
        let error: &Error = error.get_ref()?.downcast_ref()?;
        Some(Self::of_handshake(error.clone()))
    }

    /// The reason within an error of a channel, if it is TLS's.
    #[must_use]
    pub fn within(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

/// A time in its largest unit.
fn between(earlier: UnixTime, later: UnixTime) -> String {
    let seconds = later.as_secs().saturating_sub(earlier.as_secs());
    let units = [(86_400, "days"), (3_600, "hours"), (60, "minutes")];
    let fits = units.into_iter().find(|(unit, _)| seconds >= 2 * unit);
    let (unit, name) = fits.unwrap_or((1, "seconds"));
    format!("{} {name}", seconds / unit)
}

/// The remedy for an alert, where it says enough (RFC 8446 §6.2).
const fn remedy(alert: AlertDescription) -> &'static str {
    match alert {
        AlertDescription::HandshakeFailure
        | AlertDescription::ProtocolVersion
        | AlertDescription::InsufficientSecurity => {
            ": it has no version, cipher or group of the key exchange in common with this end"
        }
        AlertDescription::NoApplicationProtocol => ": it does not speak HTTP/1.1",
        AlertDescription::UnrecognisedName => ": it serves no host of that name",
        AlertDescription::CertificateRequired => ": it asks for a client's certificate",
        _ => "",
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
