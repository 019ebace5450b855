//! Channels that TLS secures: what is moved, what is told of it, and what a peer does that fails.

use std::io::{self, Write as _};
use std::net::Shutdown;
use std::sync::Arc;

use pushbench_core::security::{ClientSecurity, Trust};
use pushbench_core::tls::Tls;
use pushbench_tls::{ClientEnd, Connector, Layer, MAX_PLAINTEXT, TlsError};
use rustls::{AlertDescription, ContentType, ServerConfig};

use super::peer::{CREDENTIALS, Peer, config, config_of_1_2};
use super::{Moved, Pair, kind};

/// Bytes that a record of TLS 1.3 adds to its plaintext (RFC 8446 §5.2).
const RECORD: usize = 22;

/// An alert, which is two bytes (RFC 8446 §6), in a record of its own.
const ALERT: usize = RECORD + 2;

fn connector(trust: Trust) -> Connector {
    let (host, tls) = ("localhost".to_owned(), Tls::default());
    Connector::new(&ClientSecurity { host, trust, tls, key_log: None }).unwrap()
}

fn trusting() -> Connector {
    connector(Trust::Authorities(CREDENTIALS.certificates.clone()))
}

/// A layer of a client that trusts the peer.
pub(super) fn layer() -> Layer<ClientEnd> {
    let connector = trusting();
    connector.layer(&connector.client())
}

/// Opens a channel to a server of this configuration, each end as far as it comes.
fn open(layer: Layer<ClientEnd>, config: ServerConfig) -> (Pair, io::Result<()>, io::Result<()>) {
    let mut pair = Pair::begin(Some(layer), Peer::new);
    let peer = Peer::new(pair.peer.socket.try_clone().unwrap()).open(&Arc::new(config));
    let opened = pair.open();
    let (peer, peers) = peer.join().unwrap();
    pair.peer = peer;
    (pair, opened, peers)
}

/// A channel that stands.
pub(super) fn opened() -> Pair {
    let (pair, opened, peers) = open(layer(), config());
    opened.and(peers).unwrap();
    pair
}

fn reason(error: &io::Error) -> &TlsError {
    TlsError::within(error).unwrap_or_else(|| panic!("{error}"))
}

#[test]
fn what_opens_a_channel_is_told_of_and_so_is_what_was_agreed() {
    let pair = opened();
    assert!(pair.moved.up > 0 && pair.moved.down > 0);
    assert_eq!(pair.told, pair.moved, "nothing but overhead so far");
    let agreed = pair.channel.agreed().unwrap();
    assert_eq!((&agreed.version[..], &agreed.group[..]), ("1.3", "X25519MLKEM768"));
    assert!(agreed.cipher.starts_with("TLS_AES_"), "{agreed:?}");
    assert_eq!((&agreed.certificate[..], pair.channel.is_resumed()), ("p256", Some(false)));
    pair.close();
}

/// A channel that waits for what its peer answers to its hello, and that answer.
fn answered(config: ServerConfig) -> (Pair, Vec<u8>) {
    let mut pair = Pair::begin(Some(layer()), Peer::new);
    let mut tls = rustls::ServerConnection::new(Arc::new(config)).unwrap();
    // The hello is on the way once TCP's handshake is done.
    assert!(!pair.advance().unwrap());
    while tls.wants_read() && !tls.wants_write() {
        tls.read_tls(&mut pair.peer.socket).unwrap();
        tls.process_new_packets().unwrap();
    }
    pair.peer.tls = Some(tls);
    let answer = pair.peer.waiting();
    (pair, answer)
}

#[test]
fn a_channel_opens_by_steps_however_the_handshake_comes() {
    let (mut pair, answer) = answered(config());
    let (last, first) = answer.split_last().unwrap();
    for piece in first.chunks(400) {
        let due = pair.moved.down + piece.len() as u64;
        pair.peer.socket.write_all(piece).unwrap();
        while pair.moved.down < due {
            assert!(!pair.advance().unwrap());
        }
    }
    pair.peer.socket.write_all(&[*last]).unwrap();
    pair.open().unwrap();
    assert_eq!(pair.moved.down, answer.len() as u64);
    pair.write(b"question").unwrap();
    assert_eq!(pair.peer.hear(8), b"question");
    pair.close();
}

#[test]
fn plaintext_that_comes_with_the_end_of_the_opening_needs_no_further_readiness() {
    let mut eager = config();
    eager.send_half_rtt_data = true;
    let (mut pair, mut answer) = answered(eager);
    answer.extend(pair.peer.sealed(b"early"));
    answer.extend(&pair.peer.sealed(b"half")[..6]);
    pair.peer.socket.write_all(&answer).unwrap();
    pair.open().unwrap();
    assert_eq!(pair.try_read().unwrap().unwrap().1, b"early");
    pair.close();
}

#[test]
fn a_client_that_comes_again_resumes_its_session() {
    let tickets = || {
        let mut config = config();
        config.send_tls13_tickets = 2;
        config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new().unwrap();
        config
    };
    let (connector, server) = (trusting(), tickets());
    let clients = [connector.client(), connector.client()];
    for (client, resumes) in [(0, false), (1, false), (0, true), (0, true), (1, true)] {
        let (mut pair, opened, peers) = open(connector.layer(&clients[client]), server.clone());
        opened.and(peers).unwrap();
        assert_eq!(pair.channel.is_resumed(), Some(resumes));
        pair.peer.say(b"behind the tickets");
        assert_eq!(pair.read().1, b"behind the tickets");
        pair.close();
    }
}

#[test]
fn a_record_opens_only_when_it_is_whole() {
    let mut pair = opened();
    let sealed = pair.peer.sealed(b"hello");
    assert_eq!(sealed.len(), 5 + RECORD);
    for byte in &sealed[..sealed.len() - 1] {
        let due = pair.moved.down + 1;
        pair.peer.socket.write_all(&[*byte]).unwrap();
        while pair.moved.down < due {
            pair.wait_until(mio::event::Event::is_readable);
            assert_eq!(kind(&pair.try_read()), Some(io::ErrorKind::WouldBlock));
        }
    }
    pair.peer.socket.write_all(&sealed[sealed.len() - 1..]).unwrap();
    let (received, plaintext) = pair.read();
    assert_eq!((received.plaintext, received.sealed), (5, 5 + RECORD));
    assert_eq!(plaintext, b"hello");
    pair.close();
}

#[test]
fn what_has_come_is_given_out_without_a_further_readiness() {
    // With room for all that is taken from the socket at a time, or for a single record.
    for room in [256 << 10, MAX_PLAINTEXT] {
        let mut pair = opened();
        pair.buffer.truncate(room);
        // More than is taken from the socket at a time.
        let long = [b'x'; MAX_PLAINTEXT];
        for piece in [b"one", b"two", &long[..], &long, &long, &long, &long] {
            pair.peer.say(piece);
        }
        let half = pair.peer.sealed(b"half");
        pair.peer.socket.write_all(&half[..6]).unwrap();
        let (mut received, mut read) = pair.read();
        while received.more {
            let Ok(more) = pair.try_read() else { break };
            let (next, plaintext) = more.expect("the stream goes on");
            read.extend(plaintext);
            received = next;
        }
        let all = [&b"onetwo"[..], &[b'x'; 5 * MAX_PLAINTEXT]].concat();
        assert!(read == all, "{} of {} bytes, {room} at a time", read.len(), all.len());
        assert_eq!(kind(&pair.try_read()), Some(io::ErrorKind::WouldBlock));
        pair.peer.socket.shutdown(Shutdown::Write).unwrap();
        let error = pair.wait_and_read().unwrap_err();
        assert!(matches!(reason(&error), TlsError::CutShort), "{error}");
        let told = pair.told.down;
        assert_eq!(pair.moved.down - told, 6, "all that came is told of or left over");
        pair.close();
    }
}

#[test]
fn a_write_takes_a_record_at_most_and_what_it_took_is_sent() {
    let mut pair = opened();
    let opening = pair.moved.up;
    let long = [b'y'; MAX_PLAINTEXT + 1];
    let written = pair.write(&long).unwrap();
    assert_eq!((written.taken, written.sealed), (MAX_PLAINTEXT, MAX_PLAINTEXT + RECORD));
    let written = pair.write(&long[MAX_PLAINTEXT..]).unwrap();
    assert_eq!((written.taken, written.sealed), (1, 1 + RECORD));
    assert_eq!(pair.peer.hear(long.len()), long);
    assert_eq!(pair.moved.up - opening, (long.len() + 2 * RECORD) as u64);
    pair.close();
}

#[test]
fn a_full_socket_keeps_sealed_bytes_back_and_takes_no_more_until_they_are_sent() {
    let mut pair = opened();
    let taken = pair.fill(&[b'z'; MAX_PLAINTEXT]);
    assert!(pair.channel.waits());
    let waiting = pair.told.up - pair.moved.up;
    assert!((1..=(MAX_PLAINTEXT + RECORD) as u64).contains(&waiting), "{waiting} bytes wait");
    let mut peer = std::mem::replace(&mut pair.peer, Peer::new(socket_of_nobody()));
    let reader = std::thread::spawn(move || {
        let heard = peer.hear(taken);
        (peer, heard.iter().all(|byte| *byte == b'z'))
    });
    while pair.channel.flush(&mut pair.moved).unwrap() {
        pair.wait_until(mio::event::Event::is_writable);
    }
    assert!(!pair.channel.waits());
    assert_eq!(pair.moved.up, pair.told.up);
    let (peer, is_same) = reader.join().unwrap();
    assert!(is_same);
    pair.peer = peer;
    pair.close();
}

fn socket_of_nobody() -> std::net::TcpStream {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap()
}

#[test]
fn sealed_bytes_that_were_never_sent_count_as_moved() {
    let mut pair = opened();
    pair.fill(&[b'z'; MAX_PLAINTEXT]);
    assert!(pair.moved.up < pair.told.up);
    pair.close();
}

#[test]
fn what_was_sealed_for_a_connection_that_broke_counts_as_moved() {
    let mut pair = opened();
    pair.peer.say(b"unread");
    drop(std::mem::replace(&mut pair.peer, Peer::new(socket_of_nobody())));
    pair.wait_until(mio::event::Event::is_read_closed);
    // The first write may still be taken by the kernel; it is told that nobody is there.
    while pair.write(b"to nobody").is_ok() {}
    pair.close();
}

#[test]
fn the_end_is_announced_by_either_side() {
    let mut pair = opened();
    let before = pair.moved;
    pair.peer.tls.as_mut().unwrap().send_close_notify();
    let sealed = [pair.peer.sealed(b""), pair.peer.waiting()].concat();
    pair.peer.socket.write_all(&sealed).unwrap();
    assert_eq!(pair.wait_and_read().unwrap(), None);
    assert_eq!(pair.moved.down - before.down, ALERT as u64);
    pair.channel.finish(&mut pair.moved).unwrap();
    assert_eq!(pair.moved.up - before.up, ALERT as u64);
    pair.peer.hear_end().unwrap();
    pair.take_overhead();
    assert_eq!(pair.told, pair.moved);
    pair.close();
}

#[test]
fn a_channel_that_is_closed_says_so() {
    let mut pair = opened();
    pair.write(b"last").unwrap();
    let mut peer = pair.close();
    assert_eq!(peer.hear(4), b"last");
    peer.hear_end().unwrap();
}

#[test]
fn an_end_without_a_word_is_a_connection_that_was_cut() {
    let mut pair = opened();
    pair.peer.say(b"whole");
    pair.peer.socket.shutdown(Shutdown::Write).unwrap();
    assert_eq!(pair.read().1, b"whole");
    let error = pair.wait_and_read().unwrap_err();
    assert!(matches!(reason(&error), TlsError::CutShort), "{error}");
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    pair.close();
}

#[test]
fn what_was_changed_on_the_way_breaks_the_channel_behind_what_was_not_and_the_peer_is_told() {
    let mut pair = opened();
    let mut sealed = [pair.peer.sealed(b"whole"), pair.peer.sealed(b"changed")].concat();
    *sealed.last_mut().unwrap() ^= 1;
    pair.peer.socket.write_all(&sealed).unwrap();
    let (received, plaintext) = pair.read();
    assert_eq!((plaintext.as_slice(), received.more), (&b"whole"[..], true));
    let error = pair.try_read().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    let error = pair.close().hear_end().unwrap_err();
    assert!(error.to_string().contains("BadRecordMac"), "{error}");
}

#[test]
fn a_peer_that_is_no_tls_server_is_named_so() {
    for answer in [&b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n"[..], b"SSH-2.0-x\r\n"]
    {
        let mut pair = Pair::begin(Some(layer()), Peer::new);
        assert!(!pair.advance().unwrap());
        pair.peer.socket.write_all(answer).unwrap();
        // With the hello unread, so that an error of the socket comes with the answer.
        drop(std::mem::replace(&mut pair.peer, Peer::new(socket_of_nobody())));
        let error = pair.open().unwrap_err();
        assert!(matches!(reason(&error), TlsError::NotTls), "{error}");
        assert_eq!(pair.moved.down, answer.len() as u64);
        pair.close();
    }
}

#[test]
fn a_peer_that_leaves_within_the_handshake_is_named_so() {
    let mut pair = Pair::begin(Some(layer()), Peer::new);
    pair.peer.socket.shutdown(Shutdown::Write).unwrap();
    let error = pair.open().unwrap_err();
    assert!(matches!(reason(&error), TlsError::EndedInHandshake), "{error}");
    pair.close();
}

#[test]
fn a_peer_that_wants_to_negotiate_anew_is_refused_at_once() {
    let (mut pair, opened, peers) = open(layer(), config_of_1_2());
    opened.and(peers).unwrap();
    // A HelloRequest (RFC 5246 §7.4.1.1).
    pair.peer.say_sealed(ContentType::Handshake, &[0; 4]);
    pair.wait_until(mio::event::Event::is_readable);
    assert_eq!(kind(&pair.try_read()), Some(io::ErrorKind::WouldBlock));
    // An alert of two bytes in a record (RFC 5246 §7.2.2, RFC 7905 §2), without a write.
    let alert = pair.peer.hear_raw(5 + 2 + 16);
    assert_eq!(alert[..5], [21, 3, 3, 0, 18]);
    pair.take_overhead();
    assert_eq!(pair.told, pair.moved);
    pair.close();
}

#[test]
fn a_peer_that_refuses_says_why() {
    let mut other = config();
    other.alpn_protocols = vec![b"h2".to_vec()];
    let (pair, opened, _) = open(layer(), other);
    let error = opened.unwrap_err();
    assert!(
        matches!(reason(&error), TlsError::Refused(AlertDescription::NoApplicationProtocol)),
        "{error}"
    );
    pair.close();
}

#[test]
fn a_peer_that_nobody_trusts_is_told() {
    let other = pushbench_tls::self_signed(
        &["localhost".to_owned()],
        pushbench_core::tls::CertificateKey::P256,
    );
    let connector = connector(Trust::Authorities(other.unwrap().certificates));
    let (pair, opened, peers) = open(connector.layer(&connector.client()), config());
    let error = opened.unwrap_err();
    assert!(
        matches!(reason(&error), TlsError::UnknownIssuer | TlsError::Certificate(_)),
        "{error}"
    );
    assert!(peers.unwrap_err().to_string().contains("alert"), "it is not left in the dark");
    assert_eq!(pair.told, pair.moved);
    assert_ne!(pair.moved, Moved::default());
    pair.close();
}
