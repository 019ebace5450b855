//! The other end of a channel: a socket, and above it, where there is TLS, the part of rustls that has
//! buffers of its own.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, LazyLock};
use std::thread::{self, JoinHandle};

use pushbench_core::security::Credentials;
use pushbench_core::tls::CertificateKey;
use pushbench_tls::self_signed;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::crypto::cipher::{OutboundChunks, OutboundPlainMessage};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ConnectionTrafficSecrets, ContentType, ProtocolVersion, ServerConfig};
use rustls::{ServerConnection, SupportedCipherSuite};

pub(crate) static CREDENTIALS: LazyLock<Credentials> =
    LazyLock::new(|| self_signed(&["localhost".to_owned()], CertificateKey::P256).unwrap());

/// The suite of a server that speaks TLS 1.2 alone.
const OF_1_2: SupportedCipherSuite = TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256;

/// A server that gives no tickets: a client that was told nothing has nothing to read.
pub(crate) fn config() -> ServerConfig {
    of_suites(default_provider().cipher_suites)
}

/// A server that speaks TLS 1.2 alone, and goes on without rustls.
pub(super) fn config_of_1_2() -> ServerConfig {
    let mut config = of_suites(vec![OF_1_2]);
    config.enable_secret_extraction = true;
    config
}

fn of_suites(cipher_suites: Vec<SupportedCipherSuite>) -> ServerConfig {
    let certificate = CertificateDer::from_pem_slice(CREDENTIALS.certificates.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(CREDENTIALS.key.as_bytes()).unwrap();
    let versions: Vec<_> = cipher_suites.iter().map(SupportedCipherSuite::version).collect();
    let provider = CryptoProvider { cipher_suites, ..default_provider() };
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    config.send_tls13_tickets = 0;
    config
}

/// A peer, whose bytes are plaintext where it has no TLS.
pub(super) struct Peer {
    pub(super) socket: TcpStream,
    pub(super) tls: Option<ServerConnection>,
}

impl Peer {
    pub(super) const fn new(socket: TcpStream) -> Self {
        Self { socket, tls: None }
    }

    /// Does its part of the opening in a thread of its own, from which it comes back.
    pub(super) fn open(mut self, config: &Arc<ServerConfig>) -> JoinHandle<(Self, io::Result<()>)> {
        let mut tls = ServerConnection::new(Arc::clone(config)).unwrap();
        tls.set_buffer_limit(None);
        thread::spawn(move || {
            let mut opened = Ok(());
            while tls.is_handshaking() && opened.is_ok() {
                opened = tls.complete_io(&mut self.socket).map(drop);
            }
            // The tickets, if any.
            while tls.wants_write() && opened.is_ok() {
                opened = tls.write_tls(&mut self.socket).map(drop);
            }
            self.tls = Some(tls);
            (self, opened)
        })
    }

    /// Bytes that it would send of `plaintext`.
    pub(super) fn sealed(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let Some(tls) = &mut self.tls else { return plaintext.to_vec() };
        tls.writer().write_all(plaintext).unwrap();
        self.waiting()
    }

    /// Bytes that its end of TLS has to send.
    pub(super) fn waiting(&mut self) -> Vec<u8> {
        let (tls, mut sealed) = (self.tls.as_mut().unwrap(), Vec::new());
        while tls.wants_write() {
            tls.write_tls(&mut sealed).unwrap();
        }
        sealed
    }

    pub(super) fn say(&mut self, plaintext: &[u8]) {
        let sealed = self.sealed(plaintext);
        self.socket.write_all(&sealed).unwrap();
    }

    /// A record of TLS 1.2 that rustls would not send, and nothing behind it.
    pub(super) fn say_sealed(&mut self, typ: ContentType, content: &[u8]) {
        let secrets = self.tls.take().unwrap().dangerous_extract_secrets().unwrap();
        let (number, ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv }) = secrets.tx else {
            panic!("another suite")
        };
        let SupportedCipherSuite::Tls12(suite) = OF_1_2 else { panic!("another version") };
        let payload = OutboundChunks::Single(content);
        let message = OutboundPlainMessage { typ, version: ProtocolVersion::TLSv1_2, payload };
        let mut sealer = suite.aead_alg.encrypter(key, iv.as_ref(), &[]);
        let record = sealer.encrypt(message, number).unwrap().encode();
        self.socket.write_all(&record).unwrap();
    }

    /// So many bytes of the socket.
    pub(super) fn hear_raw(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.socket.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// So many bytes of plaintext.
    pub(super) fn hear(&mut self, length: usize) -> Vec<u8> {
        let mut heard = vec![0; length];
        let mut stream = rustls::Stream::new(self.tls.as_mut().unwrap(), &mut self.socket);
        stream.read_exact(&mut heard).unwrap();
        heard
    }

    /// The end of what the channel says, and how that came.
    pub(super) fn hear_end(&mut self) -> io::Result<()> {
        let mut stream = rustls::Stream::new(self.tls.as_mut().unwrap(), &mut self.socket);
        stream.read_to_end(&mut Vec::new()).map(|heard| assert_eq!(heard, 0))
    }
}
