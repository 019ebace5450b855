//! TLS of both ends, as bytes in and bytes out.
//!
//! Nothing here has a socket: a [`Layer`] is given functions that receive and send.

mod agreed;
mod bare;
mod certificate;
mod client;
mod end;
mod error;
mod key_log;
mod layer;
mod provider;
mod scratch;
mod server;
mod stream;
mod tickets;

pub use rustls::client::UnbufferedClientConnection as ClientEnd;
pub use rustls::server::UnbufferedServerConnection as ServerEnd;

pub use self::bare::{Opener, Sealer};
pub use self::certificate::{CertificateError, fingerprint, self_signed};
pub use self::client::{Client, Connector, ConnectorError, roots};
pub use self::end::End;
pub use self::error::TlsError;
pub use self::layer::{Handshake, Layer, Overhead};
pub use self::provider::provider;
pub use self::scratch::{MAX_PLAINTEXT, MAX_RECORD};
pub use self::server::Acceptor;
pub use self::stream::Stream;
