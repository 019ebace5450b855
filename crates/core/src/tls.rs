//! Settings of TLS: what both ends of a connection may agree on.

use std::fmt;
use std::str::FromStr;

use serde::de::value;
use serde::{Deserialize, Serialize};

use crate::named::{Preference, by_name};

/// The settings of the contenders in TLS at a point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// The groups of the key exchange, as the client prefers them: the server takes the first of the
    /// client's that it knows.
    pub groups: Preference<Group>,
    /// The key of the server's certificate.
    pub certificate: CertificateKey,
    /// The versions that are spoken: the newest that both ends know is taken.
    pub versions: Versions,
    /// The cipher that seals records.
    pub cipher: Cipher,
    /// Whether a client that comes again resumes its session (RFC 8446 §2.2).
    pub resumption: bool,
}

/// A group of the key exchange, by its name in IANA's registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Group {
    /// X25519 and ML-KEM-768 together, against who records today and computes later.
    #[serde(rename = "X25519MLKEM768")]
    X25519MlKem768,
    /// Curve25519 (RFC 7748).
    X25519,
    /// NIST's P-256.
    #[serde(rename = "secp256r1")]
    Secp256r1,
    /// NIST's P-384.
    #[serde(rename = "secp384r1")]
    Secp384r1,
}

/// The key of a server's certificate, on which hangs what a handshake costs the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateKey {
    /// ECDSA on NIST's P-256.
    P256,
    /// RSA of 2048 bits.
    #[serde(rename = "rsa-2048")]
    Rsa2048,
}

/// A version of TLS. Newer ones come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Version {
    /// TLS 1.3 (RFC 8446).
    #[serde(rename = "1.3")]
    V1_3,
    /// TLS 1.2 (RFC 5246).
    #[serde(rename = "1.2")]
    V1_2,
}

/// Versions of TLS, the newest first in whatever order they are named: the newest that both ends know
/// is taken (RFC 8446 §4.2.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Preference<Version>")]
pub struct Versions(Preference<Version>);

impl Versions {
    /// The versions, the newest first; at least one.
    #[must_use]
    pub fn as_slice(&self) -> &[Version] {
        self.0.as_slice()
    }
}

impl From<Preference<Version>> for Versions {
    fn from(named: Preference<Version>) -> Self {
        Self(named.sorted())
    }
}

impl FromStr for Versions {
    type Err = value::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Preference::into)
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The cipher that seals records: an AEAD (RFC 5116), which both versions have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cipher {
    /// The one that the library prefers.
    Any,
    /// AES with a key of 128 bits in Galois/Counter mode.
    #[serde(rename = "aes-128-gcm")]
    Aes128Gcm,
    /// AES with a key of 256 bits in Galois/Counter mode.
    #[serde(rename = "aes-256-gcm")]
    Aes256Gcm,
    /// ChaCha20 with Poly1305 (RFC 8439).
    #[serde(rename = "chacha20-poly1305")]
    Chacha20Poly1305,
}

by_name!(Group, CertificateKey, Version, Cipher);

impl Default for Tls {
    /// As browsers have it.
    fn default() -> Self {
        Self {
            groups: Preference::of([Group::X25519MlKem768, Group::X25519]),
            certificate: CertificateKey::P256,
            versions: Preference::of([Version::V1_3, Version::V1_2]).into(),
            cipher: Cipher::Any,
            resumption: true,
        }
    }
}

/// Checks that a handshake can come about: what contains ML-KEM is of TLS 1.3 alone (RFC 8446
/// §4.2.8, draft-ietf-tls-ecdhe-mlkem).
///
/// # Errors
///
/// A sentence that says which group is missing.
pub fn check_groups(groups: &Preference<Group>, versions: &Versions) -> Result<(), String> {
    let is_old = versions.as_slice() == [Version::V1_2];
    if is_old && groups.as_slice() == [Group::X25519MlKem768] {
        return Err(format!("TLS {versions} has no {groups}; name another group behind it"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_written_by_the_names_that_standards_have() {
        let json = serde_json::to_value(Tls::default()).unwrap();
        let expected = serde_json::json!({
            "groups": "X25519MLKEM768:X25519", "certificate": "p256", "versions": "1.3:1.2",
            "cipher": "any", "resumption": true,
        });
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_value::<Tls>(json).unwrap(), Tls::default());
    }

    #[test]
    fn other_names_are_refused_with_those_that_there_are() {
        let error = "rc4".parse::<Cipher>().unwrap_err().to_string();
        assert!(error.contains("`rc4`") && error.contains("`aes-256-gcm`"), "{error}");
        assert_eq!("chacha20-poly1305".parse(), Ok(Cipher::Chacha20Poly1305));
        assert_eq!("rsa-2048".parse(), Ok(CertificateKey::Rsa2048));
        assert_eq!("1.2".parse(), Ok(Version::V1_2));
    }

    #[test]
    fn versions_are_a_set() {
        let [one, other] = ["1.2:1.3", "1.3:1.2"].map(|text| text.parse::<Versions>().unwrap());
        assert_eq!(one, other);
        assert_eq!(one.to_string(), "1.3:1.2");
        assert_eq!(serde_json::from_str::<Versions>("\"1.2:1.3\"").unwrap(), other);
    }

    #[test]
    fn a_preference_keeps_its_order_and_names_each_once() {
        let read = |text: &str| text.parse::<Preference<Group>>();
        let groups = read("secp256r1:X25519").unwrap();
        assert_eq!(groups.as_slice(), [Group::Secp256r1, Group::X25519]);
        assert_eq!(groups.to_string(), "secp256r1:X25519");
        for (text, part) in [
            ("X25519:X25519", "`X25519` is named twice"),
            ("X25519:", "``, expected one of `X25519MLKEM768`, `X25519`, `secp256r1`, `secp384r1`"),
            ("", "``, expected one of"),
            ("x448", "`x448`, expected one of"),
            ("X25519, secp256r1", "`X25519, secp256r1`, expected one of"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
