use std::collections::VecDeque;

mod faults;

use super::*;
use pushbench_core::security::{ClientSecurity, Credentials, ServerSecurity, Trust};
use pushbench_core::tls::{CertificateKey, Cipher, Tls, Version};

use crate::{Acceptor, ClientEnd, Connector, ServerEnd, self_signed};

/// One direction of a socket, which takes and gives at most so many bytes at a time.
struct Pipe {
    bytes: VecDeque<u8>,
    at_a_time: usize,
    room: usize,
    moved: u64,
    closed: bool,
}

impl Pipe {
    fn new() -> Self {
        let bytes = VecDeque::new();
        Self { bytes, at_a_time: usize::MAX, room: usize::MAX, moved: 0, closed: false }
    }

    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.len().min(buffer.len()).min(self.at_a_time);
        if count == 0 && !self.closed {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.bytes.drain(..count).zip(buffer).for_each(|(byte, place)| *place = byte);
        Ok(count)
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(self.room - self.bytes.len().min(self.room));
        if count == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.bytes.extend(&bytes[..count]);
        self.moved += count as u64;
        Ok(count)
    }
}

/// A client and a server, and the two directions between them.
struct Pair {
    client: Layer<ClientEnd>,
    server: Layer<ServerEnd>,
    up: Pipe,
    down: Pipe,
}

fn credentials() -> Credentials {
    self_signed(&["localhost".into()], CertificateKey::P256).unwrap()
}

fn acceptor(credentials: &Credentials, tls: &Tls) -> Acceptor {
    let security = ServerSecurity { credentials: credentials.clone(), tls: tls.clone() };
    Acceptor::new(&security).unwrap()
}

fn connector(host: &str, trust: Trust, tls: &Tls) -> Connector {
    let security = ClientSecurity { host: host.into(), trust, tls: tls.clone(), key_log: None };
    Connector::new(&security).unwrap()
}

fn trust(credentials: &Credentials) -> Trust {
    Trust::Authorities(credentials.certificates.clone())
}

impl Pair {
    fn new(settings: &Tls) -> Self {
        let credentials = credentials();
        let acceptor = acceptor(&credentials, settings);
        let connector = connector("localhost", trust(&credentials), settings);
        Self::of(&connector, &connector.client(), &acceptor)
    }

    fn giving_keys_out(settings: &Tls) -> Self {
        let credentials = credentials();
        let acceptor = acceptor(&credentials, settings).giving_keys_out();
        let connector = connector("localhost", trust(&credentials), settings).giving_keys_out();
        Self::of(&connector, &connector.client(), &acceptor)
    }

    fn of(connector: &Connector, client: &crate::Client, acceptor: &Acceptor) -> Self {
        let (client, server) = (connector.layer(client), acceptor.layer());
        Self { client, server, up: Pipe::new(), down: Pipe::new() }
    }

    /// Opens both ends, which takes so few steps that more of them are a fault.
    fn open(&mut self) -> io::Result<()> {
        let Self { client, server, up, down } = self;
        for _ in 0..100_000 {
            if !client.is_open() {
                client.advance(|bytes| down.receive(bytes), |bytes| up.send(bytes))?;
            }
            if !server.is_open() {
                server.advance(|bytes| up.receive(bytes), |bytes| down.send(bytes))?;
            }
            if client.is_open() && server.is_open() {
                return Ok(());
            }
        }
        panic!("it does not open");
    }

    fn opened(settings: &Tls) -> Self {
        let mut pair = Self::new(settings);
        pair.open().unwrap();
        pair.read_nothing();
        std::mem::take(pair.client.overhead());
        std::mem::take(pair.server.overhead());
        pair
    }

    /// Has the client take what comes behind the handshake, which is no plaintext.
    fn read_nothing(&mut self) {
        let error = self.read(9).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }

    fn write(&mut self, slices: &[&[u8]]) -> io::Result<usize> {
        let slices: Vec<IoSlice<'_>> = slices.iter().map(|slice| IoSlice::new(slice)).collect();
        self.server.write(&slices, |bytes| self.down.send(bytes))
    }

    fn read(&mut self, room: usize) -> io::Result<Option<Vec<u8>>> {
        let mut buffer = vec![0; room];
        let count = self.client.read(&mut buffer, |bytes| self.down.receive(bytes))?;
        Ok(count.map(|count| buffer[..count].to_vec()))
    }
}

fn of(version: Version, cipher: Cipher) -> Tls {
    Tls { versions: version.to_string().parse().unwrap(), cipher, ..Tls::default() }
}

const ALL: [(Version, Cipher, u64); 6] = [
    (Version::V1_3, Cipher::Aes128Gcm, 22),
    (Version::V1_3, Cipher::Aes256Gcm, 22),
    (Version::V1_3, Cipher::Chacha20Poly1305, 22),
    (Version::V1_2, Cipher::Aes128Gcm, 29),
    (Version::V1_2, Cipher::Aes256Gcm, 29),
    (Version::V1_2, Cipher::Chacha20Poly1305, 21),
];

#[test]
fn a_record_costs_what_the_standards_say() {
    // RFC 8446 §5.2: header 5, content type 1, tag 16. RFC 5288 §3: header 5, explicit nonce 8,
    // tag 16. RFC 7905 §2: header 5, tag 16.
    for (version, cipher, cost) in ALL {
        let mut pair = Pair::opened(&of(version, cipher));
        let before = pair.down.moved;
        for text in [&b"0000000001"[..], &[b'x'; 64], &[b'y'; MAX_PLAINTEXT]] {
            assert_eq!(pair.write(&[text]).unwrap(), text.len());
            assert_eq!(
                std::mem::take(pair.server.overhead()).sent,
                cost,
                "{version:?}, {cipher:?}"
            );
            assert_eq!(pair.read(MAX_PLAINTEXT).unwrap().unwrap(), text);
            assert_eq!(
                std::mem::take(pair.client.overhead()).received,
                cost,
                "{version:?}, {cipher:?}"
            );
        }
        let plaintext = (10 + 64 + MAX_PLAINTEXT) as u64;
        assert_eq!(pair.down.moved - before, plaintext + 3 * cost);
    }
}

#[test]
fn keys_are_given_out_only_by_ends_that_were_told_so() {
    let refusals = |pair: Pair| [pair.client.into_bare().err(), pair.server.into_bare().err()];
    for refused in refusals(Pair::opened(&Tls::default())) {
        let why = refused.expect("keys were given out").to_string();
        assert!(why.contains("Secret extraction"), "{why}");
    }
    let mut told = Pair::giving_keys_out(&Tls::default());
    told.open().unwrap();
    assert!(refusals(told).iter().all(Option::is_none));
}

#[test]
fn what_is_written_together_shares_records_of_16_kib() {
    let mut pair = Pair::opened(&Tls::default());
    assert_eq!(pair.write(&[b"one", b"", b"two"]).unwrap(), 6);
    assert_eq!(std::mem::take(pair.server.overhead()).sent, 22);
    assert_eq!(pair.read(99).unwrap().unwrap(), b"onetwo");
    let batch = vec![b'z'; 1 << 20];
    let mut taken = 0;
    while taken < batch.len() {
        taken += pair.write(&[&batch[taken..]]).unwrap();
    }
    assert_eq!(std::mem::take(pair.server.overhead()).sent, 64 * 22, "1 MiB is 64 records");
    let mut read = Vec::new();
    while read.len() < batch.len() {
        read.extend(pair.read(256 << 10).unwrap().unwrap());
    }
    assert!(read == batch);
}

#[test]
fn all_bytes_are_plaintext_or_overhead_however_they_come() {
    for at_a_time in [1, 7, 4096, usize::MAX] {
        let mut pair = Pair::new(&Tls::default());
        (pair.up.at_a_time, pair.down.at_a_time) = (at_a_time, at_a_time);
        pair.open().unwrap();
        let text = [7; 3000];
        pair.write(&[&text]).unwrap();
        let mut read = Vec::new();
        while read.len() < text.len() {
            match pair.read(100) {
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
                Ok(piece) => read.extend(piece.unwrap()),
            }
        }
        assert_eq!(read, text);
        let (client, server) =
            (std::mem::take(pair.client.overhead()), std::mem::take(pair.server.overhead()));
        assert_eq!(client.received + 3000, pair.down.moved, "{at_a_time} at a time");
        assert_eq!(server.sent, client.received);
        assert_eq!((client.sent, server.received), (pair.up.moved, pair.up.moved));
    }
}

#[test]
fn a_full_socket_keeps_one_record_and_no_more_is_taken() {
    let mut pair = Pair::opened(&Tls::default());
    pair.down.room = 100;
    assert_eq!(pair.write(&[&[1; 500]]).unwrap(), 500);
    assert!(pair.server.waits());
    assert_eq!(pair.write(&[b"more"]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    assert_eq!(pair.server.leftover().sent, 522 - 100);
    pair.down.room = usize::MAX;
    assert_eq!(pair.write(&[b"more"]).unwrap(), 4);
    assert!(!pair.server.waits());
    let both = [&[1; 500][..], b"more"].concat();
    assert!(pair.read(999).unwrap().unwrap() == both, "two records in one read");
}

#[test]
fn the_end_is_announced_or_the_connection_was_cut() {
    let mut pair = Pair::opened(&Tls::default());
    pair.write(&[b"last"]).unwrap();
    pair.server.finish(|bytes| pair.down.send(bytes)).unwrap();
    // An alert of two bytes is a record (RFC 8446 §6.1).
    assert_eq!(std::mem::take(pair.server.overhead()).sent, 22 + 24);
    assert_eq!(pair.read(9).unwrap().unwrap(), b"last");
    assert_eq!(pair.read(9).unwrap(), None);

    let mut cut = Pair::opened(&Tls::default());
    cut.write(&[b"last"]).unwrap();
    cut.down.bytes.truncate(20);
    cut.down.closed = true;
    let error = cut.read(9).unwrap_err();
    assert!(matches!(TlsError::within(&error), Some(TlsError::CutShort)), "{error}");
    assert_eq!(cut.client.leftover().received, 20);
}

#[test]
fn bytes_that_were_changed_are_refused_and_the_other_end_is_told() {
    let mut pair = Pair::opened(&Tls::default());
    pair.write(&[b"text"]).unwrap();
    *pair.down.bytes.back_mut().unwrap() ^= 1;
    let error = pair.read(9).unwrap_err();
    assert!(matches!(TlsError::within(&error), Some(TlsError::Undecryptable)), "{error}");
    pair.client.flush(|bytes| pair.up.send(bytes)).unwrap();
    let error = pair.server.read(&mut [0; 9], |bytes| pair.up.receive(bytes)).unwrap_err();
    assert_eq!(error.to_string(), "the other end refused with the TLS alert BadRecordMac");
}

#[test]
fn a_peer_that_does_not_speak_tls_is_named_so() {
    let mut pair = Pair::new(&Tls::default());
    pair.down.bytes.extend(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    let error = pair.open().unwrap_err();
    assert!(matches!(TlsError::within(&error), Some(TlsError::NotTls)), "{error}");
    // No alert goes to who would not know it, and none is counted.
    assert_eq!(std::mem::take(pair.client.overhead()).sent, pair.up.moved);
    let mut pair = Pair::new(&Tls::default());
    pair.up.bytes.extend(b"GET / HTTP/1.1\r\n\r\n");
    let Pair { server, up, down, .. } = &mut pair;
    let advanced = server.advance(|bytes| up.receive(bytes), |bytes| down.send(bytes));
    let error = advanced.unwrap_err();
    assert!(matches!(TlsError::within(&error), Some(TlsError::NotTls)), "{error}");
}

#[test]
fn a_certificate_is_held_against_who_is_trusted_and_the_host() {
    let settings = Tls::default();
    let (own, other) = (credentials(), credentials());
    let acceptor = acceptor(&own, &settings);
    let outcome = |host: &str, trust: Trust| {
        let connector = connector(host, trust, &settings);
        let mut pair = Pair::of(&connector, &connector.client(), &acceptor);
        let told = pair.open();
        told.map_err(|error| TlsError::within(&error).expect("TLS's").clone())
    };
    assert!(outcome("localhost", trust(&own)).is_ok());
    assert!(outcome("example.org", Trust::Anybody).is_ok());
    assert!(matches!(
        outcome("localhost", trust(&other)),
        Err(TlsError::UnknownIssuer | TlsError::Certificate(_))
    ));
    assert!(matches!(outcome("example.org", trust(&own)), Err(TlsError::OtherName(_))));
}

#[test]
fn each_client_resumes_its_own_session_and_nobody_elses() {
    let settings = Tls::default();
    let credentials = credentials();
    let kinds = |settings: &Tls, version: Version| {
        let settings = Tls { versions: version.to_string().parse().unwrap(), ..settings.clone() };
        let acceptor = acceptor(&credentials, &settings);
        let connector = connector("localhost", trust(&credentials), &settings);
        let clients = [connector.client(), connector.client()];
        [0, 1, 0, 0, 1].map(|client: usize| {
            let mut pair = Pair::of(&connector, &clients[client], &acceptor);
            pair.open().unwrap();
            pair.read_nothing();
            let resumed = pair.client.is_resumed();
            assert_eq!(pair.server.is_resumed(), resumed);
            resumed
        })
    };
    for version in [Version::V1_3, Version::V1_2] {
        assert_eq!(kinds(&settings, version), [false, false, true, true, true], "{version:?}");
        let off = Tls { resumption: false, ..settings.clone() };
        assert_eq!(kinds(&off, version), [false; 5], "{version:?}");
    }
}
