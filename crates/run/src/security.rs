//! The security of the connections of a trial of one's own: a certificate that nobody else has, and
//! clients that trust it alone.

use pushbench_core::security::{ClientSecurity, ServerSecurity, Trust};
use pushbench_core::tls::Tls;
use pushbench_tls::{CertificateError, self_signed};

/// The name that clients of a trial's own server ask for.
const HOST: &str = "localhost";

/// Both ends of secured connections.
pub type Ends = (ServerSecurity, ClientSecurity);

/// Both ends of connections that are secured as `tls` says, with a fresh certificate.
///
/// # Errors
///
/// A certificate that cannot be made.
pub fn ends(tls: &Tls) -> Result<Ends, CertificateError> {
    let credentials = self_signed(&[HOST.to_owned()], tls.certificate)?;
    let trust = Trust::Authorities(credentials.certificates.clone());
    let host = HOST.to_owned();
    let client = ClientSecurity { host, trust, tls: tls.clone(), key_log: None };
    Ok((ServerSecurity { credentials, tls: tls.clone() }, client))
}
