//! The two ends of a secured connection: who the server is, and whom its clients trust.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::tls::Tls;

/// A certificate, those that it rests on, and its private key, as PEM (RFC 7468).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// The certificates, the server's own first.
    pub certificates: String,
    /// The private key: a secret.
    pub key: String,
}

impl fmt::Debug for Credentials {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("certificates", &self.certificates)
            .finish_non_exhaustive()
    }
}

/// The server's end of secured connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerSecurity {
    /// Who it is.
    pub credentials: Credentials,
    /// The settings that it agrees on.
    pub tls: Tls,
}

/// The authorities whose certificates are believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// Those that the system trusts.
    System,
    /// Those of a PEM text.
    Authorities(String),
    /// None is asked: anybody may be the server.
    Anybody,
}

/// The clients' end of secured connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSecurity {
    /// The server's name or address: it is asked for (RFC 6066 §3), and its certificate has to be
    /// for it.
    pub host: String,
    /// Who may say so.
    pub trust: Trust,
    /// The settings that they agree on.
    pub tls: Tls,
    /// A file that gets the secrets of each connection, for tools that read captured packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_log: Option<PathBuf>,
}

impl ClientSecurity {
    /// Whether the server's certificate is checked.
    #[must_use]
    pub fn verifies(&self) -> bool {
        self.trust != Trust::Anybody
    }
}

/// The agreement that a handshake ends with; cipher and group by the names that IANA's registries
/// have. What is not known is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreed {
    /// The version of TLS: `1.3`.
    pub version: String,
    /// The cipher suite: `TLS_AES_256_GCM_SHA384`.
    pub cipher: String,
    /// The group of the key exchange: `X25519MLKEM768`. A session of TLS 1.2 that is resumed has none.
    pub group: String,
    /// The key of the server's certificate: `p256`, `rsa-2048`.
    #[serde(default)]
    pub certificate: String,
}

/// The security of a trial's connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secured {
    /// The agreement that secured the first of them.
    pub agreed: Agreed,
    /// Whether the server's certificate was checked: that somebody who is trusted says it is the
    /// server's.
    pub verified: bool,
}
