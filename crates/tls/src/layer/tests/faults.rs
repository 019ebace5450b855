//! A peer that breaks the rules behind an opening that was good.

use super::super::records::MAX_KEPT;
use super::*;

/// Types of content (RFC 8446 §5.1), and the type of a message (§4.6.3).
const HANDSHAKE: u8 = 22;
const DATA: u8 = 23;
const KEY_UPDATE: u8 = 24;

/// A server whose client is written here, from its last message of the opening on.
struct Faced {
    server: Layer<ServerEnd>,
    client: Sealer,
    up: Pipe,
    down: Pipe,
}

impl Faced {
    /// The client's last message of the opening is on its way.
    fn opening() -> Self {
        let mut pair = Pair::giving_keys_out(&of(Version::V1_3, Cipher::Aes128Gcm));
        while !pair.client.is_open() {
            let Pair { client, server, up, down } = &mut pair;
            client.advance(|bytes| down.receive(bytes), |bytes| up.send(bytes)).unwrap();
            if !client.is_open() {
                server.advance(|bytes| up.receive(bytes), |bytes| down.send(bytes)).unwrap();
            }
        }
        let Pair { client, server, up, down } = pair;
        Self { server, client: client.into_bare().unwrap().0, up, down }
    }

    fn opened() -> Self {
        let mut faced = Self::opening();
        assert_eq!(faced.advance().unwrap(), Handshake::Done);
        faced.down.bytes.clear();
        std::mem::take(faced.server.overhead());
        faced
    }

    fn advance(&mut self) -> io::Result<Handshake> {
        let Self { server, up, down, .. } = self;
        server.advance(|bytes| up.receive(bytes), |bytes| down.send(bytes))
    }

    fn send(&mut self, kind: u8, content: &[u8]) {
        let mut record = vec![0; content.len() + 22];
        self.client.seal_as(kind, content, &mut record).unwrap();
        self.up.send(&record).unwrap();
    }

    fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut buffer = [0; 100];
        let count = self.server.read(&mut buffer, |bytes| self.up.receive(bytes))?;
        Ok(count.map(|count| buffer[..count].to_vec()))
    }

    fn write(&mut self) -> io::Result<usize> {
        self.server.write(&[IoSlice::new(b"answer")], |bytes| self.down.send(bytes))
    }

    /// Data amid a message, which RFC 8446 §5.1 forbids, with data ahead of both.
    fn interrupt_a_message(&mut self) {
        self.send(DATA, b"ahead");
        self.send(HANDSHAKE, &[KEY_UPDATE, 0, 0]);
        self.send(DATA, b"amid");
    }

    /// Neither opens nor seals any more, and says why each time.
    fn is_broken(&mut self) {
        for _ in 0..2 {
            let errors = [self.read().unwrap_err(), self.write().unwrap_err()];
            for error in errors {
                assert!(TlsError::within(&error).is_some(), "{error}");
            }
        }
        assert!(!self.server.is_open());
    }
}

#[test]
fn nothing_is_sealed_behind_what_broke_the_connection() {
    let mut faced = Faced::opened();
    let before = faced.up.moved;
    faced.interrupt_a_message();
    assert_eq!(faced.read().unwrap().unwrap(), b"ahead");
    assert!(faced.server.may_give_more());
    faced.is_broken();
    let received = faced.server.overhead().received;
    assert_eq!(received + b"ahead".len() as u64, faced.up.moved - before);
    // Nothing but an alert is left to say: two bytes (RFC 8446 §6) in a record.
    faced.server.finish(|bytes| faced.down.send(bytes)).unwrap();
    assert!(faced.down.bytes.len() <= 22 + 2);
}

#[test]
fn an_opening_ends_where_what_follows_it_at_once_is_no_tls() {
    let mut faced = Faced::opening();
    faced.interrupt_a_message();
    for _ in 0..2 {
        let error = faced.advance().unwrap_err();
        assert!(TlsError::within(&error).is_some(), "{error}");
        faced.up.bytes.push_back(DATA);
    }
    let unread = faced.server.leftover().received;
    assert_eq!(unread, 5, "what nobody reads is accounted for");
}

#[test]
fn a_record_that_was_changed_is_followed_by_the_alert_alone() {
    let mut faced = Faced::opened();
    faced.send(DATA, b"ahead");
    faced.send(DATA, b"changed");
    *faced.up.bytes.back_mut().unwrap() ^= 1;
    assert_eq!(faced.read().unwrap().unwrap(), b"ahead");
    faced.is_broken();
    faced.server.flush(|bytes| faced.down.send(bytes)).unwrap();
    assert_eq!(faced.down.bytes.len(), 22 + 2);
}

#[test]
fn a_message_that_never_becomes_whole_is_given_up_before_it_costs_much() {
    let mut faced = Faced::opened();
    faced.send(HANDSHAKE, &[KEY_UPDATE, 0, 0xff, 0xff]);
    for _ in 0..3000 {
        faced.send(HANDSHAKE, &[0]);
    }
    faced.up.at_a_time = 1000;
    let error = faced.read().unwrap_err();
    assert!(matches!(TlsError::within(&error), Some(TlsError::TooLong)), "{error}");
    let taken = faced.server.leftover().received;
    assert!(taken <= MAX_KEPT as u64 + 1000, "{taken} bytes were kept");
    faced.is_broken();
}

#[test]
fn bytes_that_are_no_record_are_a_client_in_clear_at_the_beginning_alone() {
    let mut faced = Faced::opened();
    faced.up.bytes.extend(b"GET / HTTP/1.1\r\n\r\n");
    let error = faced.read().unwrap_err();
    let reason = TlsError::within(&error);
    assert!(reason.is_some_and(|it| !matches!(it, TlsError::NotTls)), "{error}");
}

#[test]
fn an_opening_is_done_when_its_last_bytes_are_with_the_socket() {
    let mut faced = Faced::opening();
    faced.down.bytes.clear();
    // The tickets do not fit.
    faced.down.room = 10;
    assert_eq!(faced.advance().unwrap(), Handshake::Waits);
    assert!(faced.server.waits());
    faced.down.room = usize::MAX;
    assert_eq!(faced.advance().unwrap(), Handshake::Done);
    assert!(!faced.server.waits());
}

#[test]
fn a_goodbye_that_does_not_fit_is_not_forgotten_and_said_once() {
    let mut faced = Faced::opened();
    let mut finish = |room: usize| {
        faced.down.room = room;
        faced.server.finish(|bytes| faced.down.send(bytes))
    };
    for _ in 0..2 {
        assert_eq!(finish(10).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
    for _ in 0..2 {
        finish(usize::MAX).unwrap();
    }
    assert_eq!(faced.down.bytes.len(), 22 + 2);
}
