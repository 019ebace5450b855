//! The client's end: whom it trusts, what it offers, and a layer for each connection.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, Resumption, UnbufferedClientConnection, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use thiserror::Error as ThisError;

use pushbench_core::security::{ClientSecurity, Trust};

use crate::certificate::{CertificateError, read_certificates};
use crate::key_log::KeyLogFile;
use crate::layer::Layer;
use crate::provider::{provider, versions};
use crate::server::ALPN;
use crate::tickets::Ticket;

/// A client that cannot be set up.
#[derive(Debug, ThisError)]
pub enum ConnectorError {
    /// The authorities' text cannot be read.
    #[error("cannot read the authorities to trust: {0}")]
    Authorities(#[from] CertificateError),
    /// One of the authorities cannot be used.
    #[error("cannot trust a certificate as an authority: {0}; name one that signs others, in PEM")]
    Authority(Error),
    /// The system names no authority.
    #[error(
        "the system has no trusted authorities{0}; install its ca-certificates, name one with \
         --ca FILE, or pass --insecure"
    )]
    NoSystemRoots(String),
    /// The host's name is none that a certificate could hold.
    #[error("`{0}` is no host name or address that a certificate could be for")]
    Name(String),
    /// The settings leave nothing to agree upon.
    #[error("cannot set up TLS: {0}")]
    Settings(Error),
    /// The key log cannot be opened.
    #[error("cannot open the key log {}: {error}", path.display())]
    KeyLog {
        /// Its path.
        path: PathBuf,
        /// The reason.
        error: std::io::Error,
    },
}

/// Clients of one server: all that they have in common.
#[derive(Debug)]
pub struct Connector {
    config: ClientConfig,
    name: ServerName<'static>,
    resumes: bool,
}

/// A client's part in each of its connections: nobody resumes another's session.
#[derive(Debug, Clone)]
pub struct Client(Arc<ClientConfig>);

impl Connector {
    /// Clients of one server.
    ///
    /// # Errors
    ///
    /// Why nobody could be trusted, or nothing agreed upon.
    pub fn new(security: &ClientSecurity) -> Result<Self, ConnectorError> {
        let ClientSecurity { host, trust, tls, key_log } = security;
        let name =
            ServerName::try_from(host.clone()).map_err(|_| ConnectorError::Name(host.clone()))?;
        let provider = provider(tls);
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions(tls))
            .map_err(ConnectorError::Settings)?
            .dangerous()
            .with_custom_certificate_verifier(verifier(trust, provider)?)
            .with_no_client_auth();
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.resumption = Resumption::disabled();
        if let Some(path) = key_log {
            let log = KeyLogFile::open(path);
            let log = log.map_err(|error| ConnectorError::KeyLog { path: path.clone(), error })?;
            config.key_log = Arc::new(log);
        }
        Ok(Self { config, name, resumes: tls.resumption })
    }

    /// The same for bare loops, which go on with a connection's keys without this library.
    #[must_use]
    pub const fn giving_keys_out(mut self) -> Self {
        self.config.enable_secret_extraction = true;
        self
    }

    /// A client that keeps something between its connections: as a browser, the newest ticket.
    #[must_use]
    pub fn client(&self) -> Client {
        let mut config = self.config.clone();
        if self.resumes {
            config.resumption = Resumption::store(Arc::new(Ticket::default()));
        }
        Client(Arc::new(config))
    }

    /// The layer of a connection of `client`.
    ///
    /// # Panics
    ///
    /// Never: only a size of fragments that nobody sets could be refused.
    #[must_use]
    pub fn layer(&self, client: &Client) -> Layer<UnbufferedClientConnection> {
        let end = UnbufferedClientConnection::new(Arc::clone(&client.0), self.name.clone());
        Layer::new(end.expect("no size of fragments is set"), true)
    }
}

/// The certificates of the authorities that are believed: none where nobody is asked.
///
/// # Errors
///
/// Text that names no certificate, or a system that does not.
pub fn roots(trust: &Trust) -> Result<Vec<CertificateDer<'static>>, ConnectorError> {
    match trust {
        Trust::Anybody => Ok(Vec::new()),
        Trust::Authorities(pem) => Ok(read_certificates(pem.as_bytes())?),
        Trust::System => {
            let found = rustls_native_certs::load_native_certs();
            if found.certs.is_empty() {
                let why = found.errors.first().map(|error| format!(" ({error})"));
                return Err(ConnectorError::NoSystemRoots(why.unwrap_or_default()));
            }
            Ok(found.certs)
        }
    }
}

fn verifier(
    trust: &Trust,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, ConnectorError> {
    let mut store = RootCertStore::empty();
    match trust {
        Trust::Anybody => return Ok(Arc::new(AnyCertificate(provider))),
        // A system's list may hold what is no use any more.
        Trust::System => {
            if store.add_parsable_certificates(roots(trust)?).0 == 0 {
                return Err(ConnectorError::NoSystemRoots(" that can be used".to_owned()));
            }
        }
        Trust::Authorities(_) => {
            for root in roots(trust)? {
                store.add(root).map_err(ConnectorError::Authority)?;
            }
        }
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider).build();
    match verifier {
        Ok(verifier) => Ok(verifier),
        Err(error) => Err(ConnectorError::Settings(Error::General(error.to_string()))),
    }
}

/// A verifier that takes any certificate, and still holds its owner to have the key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
