//! Records of TLS 1.3 without a library of TLS: what a program that seals or opens them cannot save.
//!
//! The keys are those that a handshake has ended with, and the cipher is the provider's own, called
//! in place.

use std::fmt;
use std::io;

use aws_lc_rs::aead::{self, Aad, Algorithm, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use pushbench_core::tls::Cipher;
use rustls::ConnectionTrafficSecrets;

/// The header of a record of application data (RFC 8446 §5.2), without its length.
const HEADER: [u8; 3] = [23, 3, 3];

/// The type of application data, behind the plaintext (RFC 8446 §5.2).
const APPLICATION_DATA: u8 = 23;

/// Length of a header.
const HEADER_LEN: usize = 5;

/// Seals records, each in place.
#[derive(Debug)]
pub struct Sealer(Half);

/// Opens records where they stand.
#[derive(Debug)]
pub struct Opener {
    half: Half,
    /// The beginning of a record that is not whole.
    kept: Vec<u8>,
}

/// One direction of a connection.
struct Half {
    key: LessSafeKey,
    iv: [u8; NONCE_LEN],
    /// The next record's number.
    number: u64,
}

impl fmt::Debug for Half {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Half").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Half {
    fn new((number, secrets): (u64, ConnectionTrafficSecrets)) -> io::Result<Self> {
        let (algorithm, key, iv) = match &secrets {
            ConnectionTrafficSecrets::Aes128Gcm { key, iv } => (&aead::AES_128_GCM, key, iv),
            ConnectionTrafficSecrets::Aes256Gcm { key, iv } => (&aead::AES_256_GCM, key, iv),
            ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => {
                (&aead::CHACHA20_POLY1305, key, iv)
            }
            _ => return Err(io::Error::other("a cipher that is not known")),
        };
        let iv = iv.as_ref().try_into().map_err(io::Error::other)?;
        Self::with_key(algorithm, key.as_ref(), iv, number)
    }

    fn with_key(
        algorithm: &'static Algorithm,
        key: &[u8],
        iv: [u8; NONCE_LEN],
        number: u64,
    ) -> io::Result<Self> {
        let key = UnboundKey::new(algorithm, key).map_err(io::Error::other)?;
        Ok(Self { key: LessSafeKey::new(key), iv, number })
    }

    /// The next record's nonce (RFC 8446 §5.3).
    #[inline]
    fn nonce(&mut self) -> Nonce {
        let mut nonce = self.iv;
        let number = self.number.to_be_bytes();
        nonce[NONCE_LEN - number.len()..].iter_mut().zip(number).for_each(|(byte, it)| *byte ^= it);
        self.number += 1;
        Nonce::assume_unique_for_key(nonce)
    }
}

impl Sealer {
    pub(crate) fn new(secrets: (u64, ConnectionTrafficSecrets)) -> io::Result<Self> {
        Half::new(secrets).map(Self)
    }

    /// A sealer whose key everybody knows, to measure what a cipher costs.
    ///
    /// # Errors
    ///
    /// A provider that does not have the cipher.
    pub fn to_measure(cipher: Cipher) -> io::Result<Self> {
        let algorithm = match cipher {
            Cipher::Any | Cipher::Aes256Gcm => &aead::AES_256_GCM,
            Cipher::Aes128Gcm => &aead::AES_128_GCM,
            Cipher::Chacha20Poly1305 => &aead::CHACHA20_POLY1305,
        };
        Half::with_key(algorithm, &[0; 32][..algorithm.key_len()], [0; NONCE_LEN], 0).map(Self)
    }

    /// Makes a record of `plaintext` in `record`; its length. Both are of one record's size at most.
    ///
    /// # Errors
    ///
    /// Plaintext that is too long for a record.
    #[inline]
    pub fn seal(&mut self, plaintext: &[u8], record: &mut [u8]) -> io::Result<usize> {
        self.seal_as(APPLICATION_DATA, plaintext, record)
    }

    /// The same of content of that type.
    #[inline]
    pub(crate) fn seal_as(
        &mut self,
        kind: u8,
        plaintext: &[u8],
        record: &mut [u8],
    ) -> io::Result<usize> {
        let (header, body) = record.split_at_mut(HEADER_LEN);
        let (content, tag) = body.split_at_mut(plaintext.len() + 1);
        content[..plaintext.len()].copy_from_slice(plaintext);
        content[plaintext.len()] = kind;
        let tag_len = self.0.key.algorithm().tag_len();
        let length = u16::try_from(content.len() + tag_len).map_err(io::Error::other)?;
        header[..HEADER.len()].copy_from_slice(&HEADER);
        header[HEADER.len()..].copy_from_slice(&length.to_be_bytes());
        let nonce = self.0.nonce();
        let sealed = self.0.key.seal_in_place_separate_tag(nonce, Aad::from(&*header), content);
        tag[..tag_len].copy_from_slice(sealed.map_err(io::Error::other)?.as_ref());
        Ok(HEADER_LEN + usize::from(length))
    }
}

impl Opener {
    pub(crate) fn new(secrets: (u64, ConnectionTrafficSecrets), kept: Vec<u8>) -> io::Result<Self> {
        Ok(Self { half: Half::new(secrets)?, kept })
    }

    /// Puts what was kept at the beginning of `buffer`, so that the next bytes go behind it; how many
    /// bytes that is.
    #[inline]
    pub fn put_back(&mut self, buffer: &mut [u8]) -> usize {
        let length = self.kept.len();
        buffer[..length].copy_from_slice(&self.kept);
        self.kept.clear();
        length
    }

    /// Opens all records that are whole in `bytes`, and keeps the rest; bytes of application data.
    ///
    /// # Errors
    ///
    /// A record that the other end has not sealed.
    #[inline]
    pub fn open(&mut self, mut bytes: &mut [u8]) -> io::Result<u64> {
        let mut plaintext = 0;
        while let Some((&[kind, _, _, high, low], _)) = bytes.split_first_chunk() {
            let end = HEADER_LEN + usize::from(u16::from_be_bytes([high, low]));
            if bytes.len() < end {
                break;
            }
            let (record, rest) = bytes.split_at_mut(end);
            bytes = rest;
            if kind == APPLICATION_DATA {
                plaintext += self.open_one(record)?;
            }
        }
        if !bytes.is_empty() {
            self.kept.extend_from_slice(bytes);
        }
        Ok(plaintext)
    }

    #[inline]
    fn open_one(&mut self, record: &mut [u8]) -> io::Result<u64> {
        let (header, sealed) = record.split_at_mut(HEADER_LEN);
        let nonce = self.half.nonce();
        let opened = self.half.key.open_in_place(nonce, Aad::from(&*header), sealed);
        let content = opened.map_err(io::Error::other)?;
        // A ticket is of another type, and nobody pads.
        let is_data = content.last() == Some(&APPLICATION_DATA);
        Ok(if is_data { content.len() as u64 - 1 } else { 0 })
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    use pushbench_core::security::{ClientSecurity, ServerSecurity, Trust};
    use pushbench_core::tls::{Cipher, Tls};

    use super::*;
    use crate::stream::Stream;
    use crate::{Acceptor, ClientEnd, Connector, ServerEnd, self_signed};

    /// Both ends of a connection on which a handshake has been made.
    fn pair(tls: &Tls) -> (Stream<TcpStream, ServerEnd>, Stream<TcpStream, ClientEnd>) {
        let credentials = self_signed(&["localhost".to_owned()], tls.certificate).unwrap();
        let server = ServerSecurity { credentials, tls: tls.clone() };
        let (host, trust) = ("localhost".to_owned(), Trust::Anybody);
        let client = ClientSecurity { host, trust, tls: tls.clone(), key_log: None };
        let connector = Connector::new(&client).unwrap().giving_keys_out();
        let acceptor = Acceptor::new(&server).unwrap().giving_keys_out();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = thread::spawn(move || {
            Stream::open(acceptor.layer(), listener.accept().unwrap().0).unwrap()
        });
        let socket = TcpStream::connect(address).unwrap();
        let client = Stream::open(connector.layer(&connector.client()), socket).unwrap();
        (accepting.join().unwrap(), client)
    }

    fn with(cipher: Cipher) -> Tls {
        Tls { cipher, ..Tls::default() }
    }

    #[test]
    fn what_is_sealed_without_a_library_is_opened_with_one() {
        for cipher in [Cipher::Aes128Gcm, Cipher::Aes256Gcm, Cipher::Chacha20Poly1305] {
            let (server, mut client) = pair(&with(cipher));
            let (mut socket, mut sealer, _) = server.into_bare().unwrap();
            let mut record = [0; 256];
            for text in ["the first", "and the second"] {
                let length = sealer.seal(text.as_bytes(), &mut record).unwrap();
                assert_eq!(length, text.len() + 22);
                io::Write::write_all(&mut socket, &record[..length]).unwrap();
                let mut read = [0; 64];
                let length = io::Read::read(&mut client, &mut read).unwrap();
                assert_eq!(&read[..length], text.as_bytes(), "{cipher}");
            }
        }
    }

    #[test]
    fn what_a_library_seals_is_opened_without_one_however_it_is_cut() {
        let (mut server, client) = pair(&with(Cipher::Aes128Gcm));
        let (mut socket, _, mut opener) = client.into_bare().unwrap();
        for text in ["the first", "and the second"] {
            io::Write::write_all(&mut server, text.as_bytes()).unwrap();
        }
        let (mut buffer, mut plaintext) = ([0; 4096], 0);
        while plaintext < 23 {
            let kept = opener.put_back(&mut buffer);
            let read = io::Read::read(&mut socket, &mut buffer[kept..kept + 7]).unwrap();
            plaintext += opener.open(&mut buffer[..kept + read]).unwrap();
        }
        assert_eq!(plaintext, 23, "tickets are no plaintext");
    }

    #[test]
    fn a_version_with_records_of_another_form_is_refused() {
        let versions = "1.2".parse().unwrap();
        let (server, _client) = pair(&Tls { versions, ..Tls::default() });
        assert!(server.into_bare().unwrap_err().to_string().contains("TLS 1.3"));
    }
}
