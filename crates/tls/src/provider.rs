//! The cryptography that both ends use: AWS-LC, with what the settings leave of it.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion, version};

use crate::settings::{Cipher, Group, TlsSettings, Version};

/// What TLS may agree upon under these settings.
pub(crate) fn provider(settings: &TlsSettings) -> Arc<CryptoProvider> {
    let kx_groups = settings.groups.iter().map(|group| of_group(*group)).collect();
    let cipher_suites = match settings.cipher {
        Some(cipher) => of_cipher(cipher).into(),
        None => default_provider().cipher_suites,
    };
    Arc::new(CryptoProvider { kx_groups, cipher_suites, ..default_provider() })
}

/// The versions of the protocol under these settings.
pub(crate) fn versions(settings: &TlsSettings) -> Vec<&'static SupportedProtocolVersion> {
    let of = |known: &Version| match known {
        Version::Tls12 => &version::TLS12,
        Version::Tls13 => &version::TLS13,
    };
    settings.versions.iter().map(of).collect()
}

fn of_group(group: Group) -> &'static dyn SupportedKxGroup {
    match group {
        Group::X25519Mlkem768 => kx_group::X25519MLKEM768,
        Group::X25519 => kx_group::X25519,
        Group::Secp256r1 => kx_group::SECP256R1,
        Group::Secp384r1 => kx_group::SECP384R1,
    }
}

/// The suites of a cipher, of either version and either kind of certificate.
fn of_cipher(cipher: Cipher) -> [SupportedCipherSuite; 3] {
    match cipher {
        Cipher::Aes128Gcm => [
            cipher_suite::TLS13_AES_128_GCM_SHA256,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        ],
        Cipher::Aes256Gcm => [
            cipher_suite::TLS13_AES_256_GCM_SHA384,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        ],
        Cipher::Chacha20Poly1305 => [
            cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
            cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        ],
    }
}
