//! A server's certificate and its key: read from PEM, or made for a run.

use std::fmt::Write as _;

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use thiserror::Error;

use pushbench_core::security::Credentials;
use pushbench_core::tls::CertificateKey;

/// A certificate that cannot be used.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// The text of the certificate is not PEM, or holds none.
    #[error("cannot read a certificate: {0}; it is to be PEM, `-----BEGIN CERTIFICATE-----`")]
    Certificate(pem::Error),
    /// The text of the key is not PEM, or holds none.
    #[error("cannot read a private key: {0}; it is to be PEM, `-----BEGIN PRIVATE KEY-----`")]
    Key(pem::Error),
    /// Key and certificate do not belong together, or are of a kind that is not known.
    #[error("cannot use certificate and key: {0}")]
    Unusable(rustls::Error),
    /// A certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Making(rcgen::Error),
}

/// A certificate that has signed itself, for these host names and addresses.
///
/// # Errors
///
/// A name that no certificate may have.
pub fn self_signed(names: &[String], key: CertificateKey) -> Result<Credentials, CertificateError> {
    let key = match key {
        CertificateKey::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
        CertificateKey::Rsa2048 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
    }
    .map_err(CertificateError::Making)?;
    let params = CertificateParams::new(names).map_err(CertificateError::Making)?;
    let certificate = params.self_signed(&key).map_err(CertificateError::Making)?;
    Ok(Credentials { certificates: certificate.pem(), key: key.serialize_pem() })
}

/// Certificate and key, once they are known to belong together.
pub(crate) fn certified(credentials: &Credentials) -> Result<CertifiedKey, CertificateError> {
    let chain = read_certificates(credentials.certificates.as_bytes())?;
    let key =
        PrivateKeyDer::from_pem_slice(credentials.key.as_bytes()).map_err(CertificateError::Key)?;
    CertifiedKey::from_der(chain, key, &default_provider()).map_err(CertificateError::Unusable)
}

/// The SHA-256 fingerprint of the server's certificate, in the way that openssl prints it.
///
/// # Errors
///
/// Text that is no PEM, or holds no certificate.
pub fn fingerprint(credentials: &Credentials) -> Result<String, CertificateError> {
    let chain = read_certificates(credentials.certificates.as_bytes())?;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &chain[0]);
    let mut text = String::new();
    for (place, byte) in digest.as_ref().iter().enumerate() {
        let colon = if place > 0 { ":" } else { "" };
        write!(text, "{colon}{byte:02X}").expect("a string takes all");
    }
    Ok(text)
}

/// The certificates of a PEM text, of which there is one at least.
pub(crate) fn read_certificates(
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let read = read.map_err(CertificateError::Certificate)?;
    if read.is_empty() {
        Err(CertificateError::Certificate(pem::Error::NoItemsFound))
    } else {
        Ok(read)
    }
}
