//! The server's end: what it offers, and a layer for each connection.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::server::{NoServerSessionStorage, ServerConfig, UnbufferedServerConnection};
use rustls::sign::SingleCertAndKey;

use pushbench_core::security::ServerSecurity;

use crate::certificate::{CertificateError, certified};
use crate::layer::Layer;
use crate::provider::{provider, versions};

/// The protocol that is spoken above TLS (RFC 7301, RFC 9112 §12.1).
pub(crate) const ALPN: &[u8] = b"http/1.1";

/// A server's offer to all of its clients.
#[derive(Debug, Clone)]
pub struct Acceptor(Arc<ServerConfig>);

impl Acceptor {
    /// A server with this certificate.
    ///
    /// It resumes by tickets that hold all there is to know (RFC 8446 §2.2, RFC 5077), since a store
    /// of sessions has a size, beyond which resumption fails and nobody is told.
    ///
    /// # Errors
    ///
    /// A certificate that cannot be used, or settings that leave nothing to agree upon.
    pub fn new(security: &ServerSecurity) -> Result<Self, CertificateError> {
        let ServerSecurity { credentials, tls } = security;
        let certified = certified(credentials)?;
        let mut config = ServerConfig::builder_with_provider(provider(tls))
            .with_protocol_versions(&versions(tls))
            .map_err(CertificateError::Unusable)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        if tls.resumption {
            config.ticketer = Ticketer::new().map_err(CertificateError::Unusable)?;
        } else {
            config.send_tls13_tickets = 0;
        }
        Ok(Self(Arc::new(config)))
    }

    /// The same for a bare loop, which goes on with a connection's keys without this library.
    #[must_use]
    pub fn giving_keys_out(mut self) -> Self {
        Arc::make_mut(&mut self.0).enable_secret_extraction = true;
        self
    }

    /// The layer of a connection that was accepted.
    ///
    /// # Panics
    ///
    /// Never: only a size of fragments that nobody sets could be refused.
    #[must_use]
    pub fn layer(&self) -> Layer<UnbufferedServerConnection> {
        let end = UnbufferedServerConnection::new(Arc::clone(&self.0));
        Layer::new(end.expect("no size of fragments is set"), false)
    }
}
