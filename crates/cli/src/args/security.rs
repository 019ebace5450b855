//! Flags of secured connections, of either end, and of the settings of a run.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::Args;
use pushbench_core::named::Preference;
use pushbench_core::scenario::TlsTable;
use pushbench_core::security::{Credentials, ServerSecurity, Trust};
use pushbench_core::tls::{CertificateKey, Cipher, Group, Tls, Versions, check_groups};
use pushbench_report::bounded;
use pushbench_tls::self_signed;

use crate::exit::Failure;

/// The heading of the flags.
const HEADING: &str = "TLS";

/// The most bytes of a file of certificates or of a key.
const MAX_PEM_BYTES: u64 = 1 << 20;

/// The name under which a server on this machine is known.
const LOCALHOST: &str = "localhost";

/// Certificate and settings of a server that speaks TLS.
#[derive(Debug, Args)]
#[command(next_help_heading = HEADING)]
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
    /// Groups of the key exchange; the client's order decides [default: X25519MLKEM768:X25519]
    #[arg(long, value_name = "GROUPS")]
    tls_groups: Option<Preference<Group>>,
    /// Versions; the newest that both ends know is taken [default: 1.3:1.2]
    #[arg(long, value_name = "VERSIONS")]
    tls_versions: Option<Versions>,
    /// Cipher: any, aes-128-gcm, aes-256-gcm or chacha20-poly1305 [default: any]
    #[arg(long, value_name = "CIPHER")]
    tls_cipher: Option<Cipher>,
    /// Whether clients that come again may resume their session [default: true]
    #[arg(long, value_name = "true|false")]
    tls_resumption: Option<bool>,
}

impl ServerTlsArgs {
    /// The security of the connections of a server on `host`; `None` has them in clear.
    pub(crate) fn security(&self, host: IpAddr) -> Result<Option<ServerSecurity>, Failure> {
        let tls = self.settings();
        check_groups(&tls.groups, &tls.versions)
            .map_err(|why| Failure::usage(anyhow!("--tls-groups: {why}")))?;
        let credentials = match (&self.tls_cert, &self.tls_key) {
            (Some(certificates), Some(key)) => {
                Credentials { certificates: read(certificates)?, key: read(key)? }
            }
            _ if self.tls => self_signed(&names(host), tls.certificate).map_err(Failure::failed)?,
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

/// The names of a server that listens on `host`; one that listens on all addresses is called by none
/// of them, but by those of loopback.
fn names(host: IpAddr) -> Vec<String> {
    let loopback = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let addresses = if host.is_unspecified() { &loopback[..] } else { &[host] };
    let addresses = addresses.iter().map(IpAddr::to_string);
    std::iter::once(LOCALHOST.to_owned()).chain(addresses).collect()
}

/// The authorities that clients believe.
#[derive(Debug, Args)]
#[command(next_help_heading = HEADING)]
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

/// The settings of TLS under the transports of a run.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct TlsSettings {
    /// Groups of the key exchange as clients prefer them, such as secp256r1:X25519; may be a list [default:
    /// X25519MLKEM768:X25519]
    #[arg(long, value_name = "GROUPS", value_delimiter = ',', help_heading = HEADING)]
    tls_groups: Vec<Preference<Group>>,
    /// Versions, such as 1.2; may be a list [default: 1.3:1.2]
    #[arg(long, value_name = "VERSIONS", value_delimiter = ',', help_heading = HEADING)]
    tls_versions: Vec<Versions>,
    /// Cipher: any, aes-128-gcm, aes-256-gcm or chacha20-poly1305; may be a list [default: any]
    #[arg(long, value_name = "CIPHER", value_delimiter = ',', help_heading = HEADING)]
    tls_cipher: Vec<Cipher>,
    /// Whether clients that come again resume their session; may be a list [default: true]
    #[arg(long, value_name = "true|false", value_delimiter = ',', help_heading = HEADING)]
    tls_resumption: Vec<bool>,
}

/// The setting of TLS that a run's own server has alone.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct CertificateSettings {
    /// Key of the server's certificate: p256 or rsa-2048; may be a list [default: p256]
    #[arg(long, value_name = "KEY", value_delimiter = ',', help_heading = HEADING)]
    tls_certificate: Vec<CertificateKey>,
}

impl TlsSettings {
    /// Puts the flags that were given in place of the scenario's settings.
    pub(super) fn apply(&self, tls: &mut TlsTable) {
        tls.groups.override_with(&self.tls_groups);
        tls.versions.override_with(&self.tls_versions);
        tls.cipher.override_with(&self.tls_cipher);
        tls.resumption.override_with(&self.tls_resumption);
    }
}

impl CertificateSettings {
    /// Puts the flag in place of the scenario's setting, where it was given.
    pub(super) fn apply(&self, tls: &mut TlsTable) {
        tls.certificate.override_with(&self.tls_certificate);
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    bounded::read_text(file, MAX_PEM_BYTES)
        .with_context(|| format!("cannot read {}", file.display()))
        .map_err(Failure::Usage)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        tls: ServerTlsArgs,
    }

    #[test]
    fn a_server_that_nobody_could_agree_with_does_not_start() {
        let flags = ["serve", "--tls", "--tls-versions", "1.2", "--tls-groups", "X25519MLKEM768"];
        let host = Ipv4Addr::LOCALHOST.into();
        let refused = Cli::parse_from(flags).tls.security(host).unwrap_err();
        assert!(matches!(refused, Failure::Usage(_)), "{refused:?}");
        assert!(Cli::parse_from(&flags[..4]).tls.security(host).unwrap().is_some());
    }

    #[test]
    fn a_certificate_is_for_addresses_that_clients_may_call() {
        assert_eq!(names(Ipv4Addr::UNSPECIFIED.into()), ["localhost", "127.0.0.1", "::1"]);
        assert_eq!(names(Ipv4Addr::new(10, 0, 0, 1).into()), ["localhost", "10.0.0.1"]);
    }
}
