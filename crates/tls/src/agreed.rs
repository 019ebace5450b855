//! The agreement of both ends, as rustls has it, by the names that standards give it.

use pushbench_core::security::Agreed;
use rustls::pki_types::{CertificateDer, alg_id};
use rustls::server::ParsedCertificate;
use rustls::{CommonState, HandshakeKind};

pub(crate) fn agreed(common: &CommonState) -> Agreed {
    let version = common.protocol_version().map(|version| format!("{version:?}"));
    let cipher = common.negotiated_cipher_suite().map(|it| format!("{:?}", it.suite()));
    let group = common.negotiated_key_exchange_group().map(|it| format!("{:?}", it.name()));
    let certificate = common.peer_certificates().and_then(<[_]>::first);
    Agreed {
        version: version.unwrap_or_default().trim_start_matches("TLSv").replace('_', "."),
        cipher: cipher.unwrap_or_default().replacen("TLS13_", "TLS_", 1),
        group: group.unwrap_or_default(),
        certificate: certificate.map(key_of).unwrap_or_default(),
    }
}

/// The kind of a certificate's key; empty where it is none of those that servers have.
fn key_of(certificate: &CertificateDer<'_>) -> String {
    let Ok(certificate) = ParsedCertificate::try_from(certificate) else { return String::new() };
    let key = certificate.subject_public_key_info();
    let is = |id: &[u8]| key.windows(id.len()).take(ALGORITHM).any(|part| part == id);
    match () {
        () if is(&alg_id::ECDSA_P256) => "p256".to_owned(),
        () if is(&alg_id::ECDSA_P384) => "p384".to_owned(),
        () if is(&alg_id::ED25519) => "ed25519".to_owned(),
        () if is(&alg_id::RSA_ENCRYPTION) => format!("rsa-{}", modulus_bits(key.len())),
        () => String::new(),
    }
}

/// How far into a key's DER (RFC 5280 §4.1) its algorithm begins at most.
const ALGORITHM: usize = 8;

/// The bits of the modulus of an RSA key of so many bytes of DER (RFC 3279 §2.3.1): 38 are of what
/// is around a modulus, with the exponent that all have, and moduli are of 256 bits' multiples.
const fn modulus_bits(length: usize) -> usize {
    (length.saturating_sub(38) + 16) / 32 * 256
}

/// Whether the session of an earlier connection was taken up again.
pub(crate) fn is_resumed(common: &CommonState) -> bool {
    common.handshake_kind() == Some(HandshakeKind::Resumed)
}
