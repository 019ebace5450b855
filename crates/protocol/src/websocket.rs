//! The switch of a connection to WebSocket (RFC 6455 §4), as the head of a 101 tells of it.

use thiserror::Error;

use crate::deflate::{Agreement, ExtensionError, Offer};
use crate::http::field::{list, lossy};

/// Characters of a `Sec-WebSocket-Accept`: 20 bytes in base64 (RFC 6455 §4.2.2).
const ACCEPT_LEN: usize = 28;

/// A switch of protocols that is none to a WebSocket.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum HandshakeError {
    /// The status line is that of an older version.
    #[error("its status line says HTTP/1.0")]
    Version,
    /// It switches to nothing, or to something else.
    #[error("its Upgrade is not `websocket`")]
    Upgrade,
    /// It does not say that the connection changes.
    #[error("its Connection does not name `Upgrade`")]
    Connection,
    /// It does not answer the key that was sent.
    #[error("its Sec-WebSocket-Accept does not answer the key that was sent")]
    Accept,
    /// It names an extension that was not offered, or not so.
    #[error(transparent)]
    Extension(#[from] ExtensionError),
    /// It names a subprotocol.
    #[error("it chose the subprotocol `{0}`, which was not offered")]
    Subprotocol(String),
}

/// The fields of a switch of protocols that speak of the new one (RFC 6455 §4.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upgrade {
    old_version: bool,
    /// Whether it is to WebSocket, and to nothing else.
    websocket: Option<bool>,
    connection: bool,
    /// The only `Sec-WebSocket-Accept`.
    accept: Option<[u8; ACCEPT_LEN]>,
    accepts: u32,
    /// The values of all `Sec-WebSocket-Extensions`, joined by commas.
    extensions: String,
    subprotocol: Option<Box<str>>,
}

impl Upgrade {
    /// The switch in the head of a 101, by its version and fields.
    pub(crate) fn of(response: &httparse::Response<'_, '_>) -> Self {
        let mut upgrade = Self { old_version: response.version == Some(0), ..Self::default() };
        response.headers.iter().for_each(|header| upgrade.take(header));
        upgrade
    }

    fn take(&mut self, header: &httparse::Header<'_>) {
        let is = |wanted: &str| header.name.eq_ignore_ascii_case(wanted);
        let text = || (!header.value.is_empty()).then(|| lossy(header.value));
        if is("upgrade") {
            let websocket = header.value.eq_ignore_ascii_case(b"websocket");
            self.websocket = Some(websocket && self.websocket.unwrap_or(true));
        } else if is("connection") {
            self.connection |= list(header.value).any(|item| item.eq_ignore_ascii_case(b"upgrade"));
        } else if is("sec-websocket-accept") {
            self.accepts += 1;
            self.accept = header.value.try_into().ok();
        } else if is("sec-websocket-extensions") {
            let separator = if self.extensions.is_empty() { "" } else { ", " };
            self.extensions.extend([separator, &lossy(header.value)]);
        } else if is("sec-websocket-protocol") {
            self.subprotocol = self.subprotocol.take().or_else(text);
        }
    }

    /// The agreement on compressed messages, if there is one, where a WebSocket is open now, for a
    /// client that made `offer` and offered no other extension and these `subprotocols`, and whose
    /// key is answered by `accept`.
    ///
    /// # Errors
    ///
    /// The reason why the client must fail the connection.
    pub fn check(
        &self,
        accept: &str,
        offer: Option<&Offer>,
        subprotocols: &[String],
    ) -> Result<Option<Agreement>, HandshakeError> {
        if self.old_version {
            return Err(HandshakeError::Version);
        }
        if self.websocket != Some(true) {
            return Err(HandshakeError::Upgrade);
        }
        if !self.connection {
            return Err(HandshakeError::Connection);
        }
        let answered = self.accept.is_some_and(|answer| answer == accept.as_bytes());
        if self.accepts != 1 || !answered {
            return Err(HandshakeError::Accept);
        }
        let chosen = self.subprotocol.as_deref();
        if let Some(subprotocol) = chosen.filter(|name| !subprotocols.iter().any(|it| it == name)) {
            return Err(HandshakeError::Subprotocol(subprotocol.to_string()));
        }
        match offer {
            Some(offer) => Ok(offer.check(&self.extensions)?),
            None if self.extensions.is_empty() => Ok(None),
            None => Err(ExtensionError::NotOffered(self.extensions.clone()).into()),
        }
    }
}
