//! Flags of secured connections, of either end.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::Args;
use pushbench_core::named::Preference;
use pushbench_core::security::{Credentials, ServerSecurity, Trust};
use pushbench_core::tls::{CertificateKey, Cipher, Group, Tls, Version};
use pushbench_report::bounded;
use pushbench_tls::self_signed;

use crate::exit::Failure;

/// The most bytes of a file of certificates or of a key.
const MAX_PEM_BYTES: u64 = 1 << 20;

/// The name under which a server on this machine is known.
const LOCALHOST: &str = "localhost";

/// Certificate and settings of a server that speaks TLS.
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
pub(crate) struct ServerTlsArgs {
    /// Speak TLS, with a certificate that is made now and whose fingerprint is told, for localhost and
    /// the address listened on
    #[arg(long)]
    tls: bool,
    /// Speak TLS with this certificate, and those that it rests on: a PEM file
    #[arg(long, value_name = "FILE", requires = "tls_key", conflicts_with = "tls")]
    tls_cert: Option<PathBuf>,
    /// Private key of that certificate: a PEM file
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Key of a certificate that is made: p256 or rsa-2048 [default: p256]
    #[arg(long, value_name = "KEY", requires = "tls")]
    tls_certificate: Option<CertificateKey>,
    /// Groups of the key exchange by preference [default: X25519MLKEM768:X25519]
    #[arg(long, value_name = "GROUPS")]
    tls_groups: Option<Preference<Group>>,
    /// Versions by preference [default: 1.3:1.2]
    #[arg(long, value_name = "VERSIONS")]
    tls_versions: Option<Preference<Version>>,
    /// Cipher: any, aes-128-gcm, aes-256-gcm or chacha20-poly1305 [default: any]
    #[arg(long, value_name = "CIPHER")]
    tls_cipher: Option<Cipher>,
    /// Whether clients that come again may resume their session [default: true]
    #[arg(long, value_name = "true|false")]
    tls_resumption: Option<bool>,
}

impl ServerTlsArgs {
    /// What secures the connections of a server on `host`; `None` has them in clear.
    pub(crate) fn security(&self, host: IpAddr) -> Result<Option<ServerSecurity>, Failure> {
        let tls = self.settings();
        let credentials = match (&self.tls_cert, &self.tls_key) {
            (Some(certificates), Some(key)) => {
                Credentials { certificates: read(certificates)?, key: read(key)? }
            }
            _ if self.tls => {
                let names = [LOCALHOST.to_owned(), host.to_string()];
                self_signed(&names, tls.certificate).map_err(Failure::failed)?
            }
            _ if tls != Tls::default() => {
                return Err(Failure::usage(anyhow!(
                    "settings of TLS go with --tls, or with --tls-cert and --tls-key"
                )));
            }
            _ => return Ok(None),
        };
        Ok(Some(ServerSecurity { credentials, tls }))
    }

    fn settings(&self) -> Tls {
        let default = Tls::default();
        Tls {
            groups: self.tls_groups.clone().unwrap_or(default.groups),
            certificate: self.tls_certificate.unwrap_or(default.certificate),
            versions: self.tls_versions.clone().unwrap_or(default.versions),
            cipher: self.tls_cipher.unwrap_or(default.cipher),
            resumption: self.tls_resumption.unwrap_or(default.resumption),
        }
    }
}

/// The authorities that clients believe.
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
pub(crate) struct TrustArgs {
    /// Believe the authorities of this PEM file alone, not those of the system; goes with an https
    /// target
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Take any certificate: whoever answers is measured
    #[arg(long, conflicts_with = "ca")]
    pub(crate) insecure: bool,
    /// File to add the secrets of each connection to, for Wireshark: whoever has it can read what was
    /// sent
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_key_log: Option<PathBuf>,
}

impl TrustArgs {
    /// Whom to believe.
    pub(crate) fn trust(&self) -> Result<Trust, Failure> {
        Ok(match &self.ca {
            Some(file) => Trust::Authorities(read(file)?),
            None if self.insecure => Trust::Anybody,
            None => Trust::System,
        })
    }

    /// The flag that was given, if one was.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let flags = [
            (self.ca.is_some(), "--ca"),
            (self.insecure, "--insecure"),
            (self.tls_key_log.is_some(), "--tls-key-log"),
        ];
        flags.into_iter().find_map(|(is_given, flag)| is_given.then_some(flag))
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    bounded::read_text(file, MAX_PEM_BYTES)
        .with_context(|| format!("cannot read {}", file.display()))
        .map_err(Failure::Usage)
}
