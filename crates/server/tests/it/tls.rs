//! The same over TLS: nothing that a client is told depends on where a record ends, and a socket that
//! is full may hold the rest of one.

#![expect(clippy::unwrap_used, reason = "a failure of the test's own means is the test's failure")]

mod access;
mod autobahn;
mod client;
mod coded;
mod echo;
mod handshake;
mod lane;
mod lifecycle;
mod limits;
mod pages;
mod polls;
mod rooms;
mod sse;
mod uploads;
mod websocket;

use std::sync::{Arc, LazyLock};

use pushbench_core::security::{Credentials, ServerSecurity};
use pushbench_core::tls::{CertificateKey, Tls};
use pushbench_server::ChannelKind;
use pushbench_tls::{Acceptor, self_signed};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

static CREDENTIALS: LazyLock<Credentials> =
    LazyLock::new(|| self_signed(&["localhost".to_owned()], CertificateKey::P256).unwrap());

/// Without tickets, so that a client that was told nothing has nothing to read.
fn channel() -> ChannelKind {
    let tls = Tls { resumption: false, ..Tls::default() };
    let security = ServerSecurity { credentials: CREDENTIALS.clone(), tls };
    ChannelKind::Tls(Acceptor::new(&security).unwrap())
}

/// A client's end, by the part of rustls that has buffers of its own.
fn secured() -> Option<ClientConnection> {
    let mut roots = RootCertStore::empty();
    let own = CertificateDer::from_pem_slice(CREDENTIALS.certificates.as_bytes()).unwrap();
    roots.add(own).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    connection.set_buffer_limit(None);
    Some(connection)
}
