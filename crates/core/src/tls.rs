//! Settings of TLS: what both ends of a connection may agree on.

use serde::{Deserialize, Serialize};

use crate::named::{Named, Preference, by_name};

/// The settings of the contenders in TLS at a point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// The groups of the key exchange, by preference.
    pub groups: Preference<Group>,
    /// The key of the server's certificate.
    pub certificate: CertificateKey,
    /// The versions that are spoken, by preference.
    pub versions: Preference<Version>,
    /// The cipher that seals records.
    pub cipher: Cipher,
    /// Whether a client that comes again resumes its session (RFC 8446 §2.2).
    pub resumption: bool,
}

/// A group of the key exchange, by its name in IANA's registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Group {
    /// X25519 and ML-KEM-768 together, against who records today and computes later.
    X25519MlKem768,
    /// Curve25519 (RFC 7748).
    X25519,
    /// NIST's P-256.
    Secp256r1,
    /// NIST's P-384.
    Secp384r1,
}

/// The key of a server's certificate, on which hangs what a handshake costs the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum CertificateKey {
    /// ECDSA on NIST's P-256.
    P256,
    /// RSA of 2048 bits.
    Rsa2048,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Version {
    /// TLS 1.3 (RFC 8446).
    V1_3,
    /// TLS 1.2 (RFC 5246).
    V1_2,
}

/// The cipher that seals records: an AEAD (RFC 5116), which both versions have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Cipher {
    /// The one that the library prefers.
    Any,
    /// AES with a key of 128 bits in Galois/Counter mode.
    Aes128Gcm,
    /// AES with a key of 256 bits in Galois/Counter mode.
    Aes256Gcm,
    /// ChaCha20 with Poly1305 (RFC 8439).
    Chacha20Poly1305,
}

impl Named for Group {
    const KIND: &'static str = "group of TLS";
    const NAMES: &'static [(Self, &'static str)] = &[
        (Self::X25519MlKem768, "X25519MLKEM768"),
        (Self::X25519, "X25519"),
        (Self::Secp256r1, "secp256r1"),
        (Self::Secp384r1, "secp384r1"),
    ];
}

impl Named for CertificateKey {
    const KIND: &'static str = "kind of certificate";
    const NAMES: &'static [(Self, &'static str)] =
        &[(Self::P256, "p256"), (Self::Rsa2048, "rsa-2048")];
}

impl Named for Version {
    const KIND: &'static str = "version of TLS";
    const NAMES: &'static [(Self, &'static str)] = &[(Self::V1_3, "1.3"), (Self::V1_2, "1.2")];
}

impl Named for Cipher {
    const KIND: &'static str = "cipher of TLS";
    const NAMES: &'static [(Self, &'static str)] = &[
        (Self::Any, "any"),
        (Self::Aes128Gcm, "aes-128-gcm"),
        (Self::Aes256Gcm, "aes-256-gcm"),
        (Self::Chacha20Poly1305, "chacha20-poly1305"),
    ];
}

by_name!(Group, CertificateKey, Version, Cipher);

impl Default for Tls {
    /// As browsers have it.
    fn default() -> Self {
        Self {
            groups: Preference::of(&[Group::X25519MlKem768, Group::X25519]),
            certificate: CertificateKey::P256,
            versions: Preference::of(&[Version::V1_3, Version::V1_2]),
            cipher: Cipher::Any,
            resumption: true,
        }
    }
}

/// That a handshake with these groups and versions can come about: what contains ML-KEM is of
/// TLS 1.3 alone (RFC 8446 §4.2.8, draft-ietf-tls-ecdhe-mlkem).
pub(crate) fn check_groups(
    groups: &Preference<Group>,
    versions: &Preference<Version>,
) -> Result<(), String> {
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
    fn every_name_is_read_as_it_is_written() {
        fn round<T: Named + std::fmt::Debug>() {
            for (value, name) in T::NAMES {
                assert_eq!(T::of_name(name), Ok(*value));
                assert_eq!(value.name(), *name);
            }
        }
        round::<Group>();
        round::<CertificateKey>();
        round::<Version>();
        round::<Cipher>();
    }

    #[test]
    fn a_preference_keeps_its_order_and_names_each_once() {
        let read = |text: &str| text.parse::<Preference<Group>>();
        let groups = read("secp256r1:X25519").unwrap();
        assert_eq!(groups.as_slice(), [Group::Secp256r1, Group::X25519]);
        assert_eq!(groups.to_string(), "secp256r1:X25519");
        for (text, part) in [
            ("X25519:X25519", "`X25519` is named twice"),
            ("X25519:", "`` is no group of TLS; there are X25519MLKEM768, X25519, secp256r1,"),
            ("", "`` is no group"),
            ("x448", "`x448` is no group of TLS"),
            ("X25519, secp256r1", "`X25519, secp256r1` is no group"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
