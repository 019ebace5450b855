//! Both ends of connections in TLS, as in a run: the settings are the defaults, and the certificate
//! is nobody else's.

use pushbench_core::Contender;
use pushbench_core::contender::Security;
use pushbench_core::security::{ClientSecurity, ServerSecurity, Trust};
use pushbench_core::tls::Tls;
use pushbench_tls::{CertificateError, self_signed};

/// The name that clients ask for.
const HOST: &str = "localhost";

/// The server's end, with a fresh certificate; `None` in clear.
pub(crate) fn server(contender: Contender) -> Result<Option<ServerSecurity>, CertificateError> {
    if contender.stack.security == Security::Clear {
        return Ok(None);
    }
    let tls = Tls::default();
    let credentials = self_signed(&[HOST.to_owned()], tls.certificate)?;
    Ok(Some(ServerSecurity { credentials, tls }))
}

/// The clients' end; `None` in clear.
pub(crate) fn client(contender: Contender, trust: Trust) -> Option<ClientSecurity> {
    if contender.stack.security == Security::Clear {
        return None;
    }
    Some(ClientSecurity { host: HOST.to_owned(), trust, tls: Tls::default(), key_log: None })
}
