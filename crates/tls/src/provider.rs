//! The cryptography that both ends use: AWS-LC, with what the settings leave of it.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion, version};

use pushbench_core::tls::{Cipher, Group, Tls, Version};

/// The cryptography that TLS may agree on under these settings.
#[must_use]
pub fn provider(settings: &Tls) -> Arc<CryptoProvider> {
    let kx_groups = settings.groups.as_slice().iter().map(|group| of_group(*group)).collect();
    let cipher_suites = suites(settings.cipher);
    let provider = CryptoProvider { kx_groups, cipher_suites, ..default_provider() };
    warm_up(&provider);
    Arc::new(provider)
}

/// Has the library do at once what it does at its first use in a process, which took some 20 ms when
/// tried: mostly to seed its random numbers. A process that is measured is told apart from one that serves
/// or asks since long by nothing else, and its first connection would wait for that.
fn warm_up(provider: &CryptoProvider) {
    for group in &provider.kx_groups {
        // Where it fails, so does the handshake that needs it, which tells.
        let _ = group.start();
    }
}

/// The versions of the protocol under these settings.
pub(crate) fn versions(settings: &Tls) -> Vec<&'static SupportedProtocolVersion> {
    let of = |known: &Version| match known {
        Version::V1_2 => &version::TLS12,
        Version::V1_3 => &version::TLS13,
    };
    settings.versions.as_slice().iter().map(of).collect()
}

fn of_group(group: Group) -> &'static dyn SupportedKxGroup {
    match group {
        Group::X25519MlKem768 => kx_group::X25519MLKEM768,
        Group::X25519 => kx_group::X25519,
        Group::Secp256r1 => kx_group::SECP256R1,
        Group::Secp384r1 => kx_group::SECP384R1,
    }
}

/// The suites of a cipher, in each version and for each kind of certificate; those of all in the
/// order of browsers, which have AES with the shorter key first.
fn suites(cipher: Cipher) -> Vec<SupportedCipherSuite> {
    let known = match cipher {
        Cipher::Any => {
            let all = [Cipher::Aes128Gcm, Cipher::Aes256Gcm, Cipher::Chacha20Poly1305];
            return all.into_iter().flat_map(suites).collect();
        }
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
    };
    known.into()
}
