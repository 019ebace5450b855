//! temporary stand-in until core has them
#![allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    X25519Mlkem768,
    X25519,
    Secp256r1,
    Secp384r1,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    Tls12,
    Tls13,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cipher {
    Aes128Gcm,
    Aes256Gcm,
    Chacha20Poly1305,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateKey {
    P256,
    Rsa2048,
}
#[derive(Debug, Clone)]
pub struct TlsSettings {
    pub groups: Vec<Group>,
    pub versions: Vec<Version>,
    pub cipher: Option<Cipher>,
    pub resumption: bool,
}
impl Default for TlsSettings {
    fn default() -> Self {
        Self {
            groups: vec![Group::X25519Mlkem768, Group::X25519],
            versions: vec![Version::Tls13, Version::Tls12],
            cipher: None,
            resumption: true,
        }
    }
}
