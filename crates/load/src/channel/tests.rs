//! The contract of a channel, over loopback, with a peer that is written here.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream as Peer};
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};
use pushbench_os::net::rx_stamp::KeptOn;

use super::records::{HEADER, LONGEST};
use super::{Channel, ChannelKind, Moved, Received};

const PATIENCE: Duration = Duration::from_secs(10);

/// A channel that stands, and its other end.
struct Pair {
    poll: Poll,
    channel: Channel,
    peer: Peer,
    moved: Moved,
    buffer: Vec<u8>,
}

impl Pair {
    fn new(kind: ChannelKind) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let poll = Poll::new().unwrap();
        let target = listener.local_addr().unwrap();
        let channel = Channel::connect(kind, target, None, poll.registry(), Token(7)).unwrap();
        let (peer, _) = listener.accept().unwrap();
        peer.set_read_timeout(Some(PATIENCE)).unwrap();
        let (moved, buffer) = (Moved::default(), vec![0; 64 << 10]);
        let mut pair = Self { poll, channel, peer, moved, buffer };
        assert!(!pair.channel.is_open());
        pair.wait_until(|channel, event| channel.advance(event).unwrap());
        assert!(pair.channel.is_open());
        pair
    }

    fn wait_until(&mut self, mut done: impl FnMut(&mut Channel, &mio::event::Event) -> bool) {
        let mut events = Events::with_capacity(8);
        loop {
            self.poll.poll(&mut events, Some(PATIENCE)).unwrap();
            assert!(!events.is_empty(), "the channel is not woken");
            if events.iter().any(|event| done(&mut self.channel, event)) {
                return;
            }
        }
    }

    /// The next read that gives something, and its plaintext.
    fn read(&mut self) -> (Received, Vec<u8>) {
        loop {
            match self.try_read() {
                Ok(read) => return read.expect("the stream goes on"),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.wait_until(|_, event| event.is_readable());
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn try_read(&mut self) -> io::Result<Option<(Received, Vec<u8>)>> {
        let read = self.channel.read(&mut self.buffer, &mut self.moved)?;
        Ok(read.map(|received| (received, self.buffer[..received.plaintext].to_vec())))
    }

    /// Reads the end of the stream, before which there is nothing.
    fn end(&mut self) {
        loop {
            match self.try_read() {
                Ok(end) => return assert_eq!(end, None),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.wait_until(|_, event| event.is_read_closed());
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn hear(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.peer.read_exact(&mut bytes).unwrap();
        bytes
    }
}

fn record(plaintext: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(plaintext.len()).unwrap().to_be_bytes();
    [&[0x17, 3, 3, high, low], plaintext].concat()
}

fn kind(error: &io::Result<impl Sized>) -> Option<io::ErrorKind> {
    error.as_ref().err().map(io::Error::kind)
}

#[test]
fn a_clear_channel_is_its_socket() {
    let mut pair = Pair::new(ChannelKind::Clear);
    assert_eq!(kind(&pair.try_read()), Some(io::ErrorKind::WouldBlock));
    let written = pair.channel.write(b"question", &mut pair.moved).unwrap();
    assert_eq!((written.taken, written.sealed, pair.channel.waits()), (8, 8, false));
    assert_eq!(pair.hear(8), b"question");
    pair.peer.write_all(b"answer").unwrap();
    let (received, plaintext) = pair.read();
    assert_eq!((received.sealed, received.more, received.stamp), (6, false, None));
    assert_eq!(plaintext, b"answer");
    assert_eq!(pair.moved, Moved { up: 8, down: 6 });
    pair.peer.shutdown(Shutdown::Write).unwrap();
    pair.end();
    assert_eq!(pair.channel.close(&mut pair.moved), 0);
}

#[test]
fn a_read_that_fills_the_buffer_says_that_there_may_be_more() {
    let mut pair = Pair::new(ChannelKind::Clear);
    pair.buffer.truncate(4);
    pair.peer.write_all(b"fourmore!").unwrap();
    let reads = [pair.read(), pair.read(), pair.read()];
    assert_eq!(
        reads.map(|(received, _)| (received.plaintext, received.more)),
        [(4, true), (4, true), (1, false)]
    );
}

#[test]
fn a_record_opens_only_when_it_is_whole() {
    let mut pair = Pair::new(ChannelKind::Records);
    let sealed = record(b"hello");
    for (come, byte) in (1..).zip(&sealed[..sealed.len() - 1]) {
        pair.peer.write_all(&[*byte]).unwrap();
        while pair.moved.down < come {
            pair.wait_until(|_, event| event.is_readable());
            assert_eq!(kind(&pair.try_read()), Some(io::ErrorKind::WouldBlock), "{come} bytes");
        }
    }
    pair.peer.write_all(&sealed[sealed.len() - 1..]).unwrap();
    let (received, plaintext) = pair.read();
    assert_eq!((received.plaintext, received.sealed), (5, 5 + HEADER));
    assert_eq!(plaintext, b"hello");
}

#[test]
fn what_has_come_is_given_out_without_a_further_readiness() {
    let mut pair = Pair::new(ChannelKind::Records);
    let records = [record(b"one"), record(b""), record(b"two"), record(&[b'x'; LONGEST])];
    let (all, half) = (records.concat(), record(b"half"));
    pair.peer.write_all(&[&all[..], &half[..6]].concat()).unwrap();
    let (mut sealed, mut lengths) = (0, Vec::new());
    while lengths.len() < 3 {
        let (received, _) = pair.read();
        // One that says there is no more has to be followed by nothing.
        assert!(received.more, "{received:?}");
        sealed += received.sealed;
        lengths.push(received.plaintext);
    }
    assert_eq!(lengths, [3, 3, LONGEST]);
    assert_eq!(sealed, all.len(), "an empty record counts with the one behind it");
    pair.peer.shutdown(Shutdown::Write).unwrap();
    pair.end();
    let moved = usize::try_from(pair.moved.down).unwrap();
    assert_eq!(moved, all.len() + 6);
    assert_eq!(pair.channel.close(&mut pair.moved), 6, "all that came is in a read or left over");
}

#[test]
fn what_is_no_record_breaks_the_channel() {
    for wrong in [&b"HTTP/1.1 "[..], &[0x17, 3, 3, 0x40, 1], &[0x15, 3, 3, 0, 2, 1, 0]] {
        let mut pair = Pair::new(ChannelKind::Records);
        pair.peer.write_all(wrong).unwrap();
        pair.wait_until(|_, event| event.is_readable());
        assert_eq!(kind(&pair.try_read()), Some(io::ErrorKind::InvalidData));
    }
}

#[test]
fn a_write_takes_a_record_at_most_and_what_it_took_is_sent() {
    let mut pair = Pair::new(ChannelKind::Records);
    let long = vec![b'y'; LONGEST + 1];
    let written = pair.channel.write(&long, &mut pair.moved).unwrap();
    assert_eq!((written.taken, written.sealed), (LONGEST, LONGEST + HEADER));
    let written = pair.channel.write(&long[LONGEST..], &mut pair.moved).unwrap();
    assert_eq!((written.taken, written.sealed), (1, 1 + HEADER));
    let sent = [record(&long[..LONGEST]), record(b"y")].concat();
    assert_eq!(pair.hear(sent.len()), sent);
    assert_eq!(pair.moved.up, sent.len() as u64);
}

#[test]
fn a_full_socket_keeps_sealed_bytes_back_and_takes_no_more_until_they_are_sent() {
    let mut pair = Pair::new(ChannelKind::Records);
    let (chunk, mut taken, mut sealed) = (vec![b'z'; LONGEST], 0, 0);
    let full = loop {
        match pair.channel.write(&chunk, &mut pair.moved) {
            Ok(written) => {
                taken += written.taken;
                sealed += written.sealed as u64;
            }
            Err(error) => break error.kind(),
        }
    };
    assert_eq!((full, pair.channel.waits()), (io::ErrorKind::WouldBlock, true));
    assert!(pair.moved.up < sealed, "what was taken is not all moved");
    let mut peer = pair.peer.try_clone().unwrap();
    let reader = std::thread::spawn(move || {
        let mut all = vec![0; usize::try_from(sealed).unwrap()];
        peer.read_exact(&mut all).unwrap();
        all
    });
    while pair.channel.flush(&mut pair.moved).unwrap() {
        pair.wait_until(|_, event| event.is_writable());
    }
    assert!(!pair.channel.waits());
    assert_eq!(pair.moved.up, sealed);
    let all = reader.join().unwrap();
    assert!(all.chunks(LONGEST + HEADER).all(|piece| piece == record(&chunk)));
    assert_eq!(all.len() / (LONGEST + HEADER) * LONGEST, taken);
}

#[test]
fn sealed_bytes_that_were_never_sent_count_as_moved() {
    let mut pair = Pair::new(ChannelKind::Records);
    let (chunk, mut sealed) = (vec![b'z'; LONGEST], 0);
    while let Ok(written) = pair.channel.write(&chunk, &mut pair.moved) {
        sealed += written.sealed as u64;
    }
    assert!(pair.moved.up < sealed);
    pair.channel.close(&mut pair.moved);
    assert_eq!(pair.moved.up, sealed);
}

#[test]
fn stamps_come_along_where_they_are_asked_for() {
    let _kept_on = KeptOn::new().unwrap();
    for kind in [ChannelKind::Clear, ChannelKind::Records] {
        let mut pair = Pair::new(kind);
        pair.channel.ask_for_stamps();
        assert!(pair.channel.is_stamped());
        // The kernel takes a moment to begin.
        let begun = Instant::now();
        loop {
            pair.peer.write_all(&record(b"stamped")).unwrap();
            let (received, plaintext) = pair.read();
            assert!(plaintext.ends_with(b"stamped"));
            if received.stamp.is_some() {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "no stamp comes on {kind:?}");
        }
    }
}

#[test]
fn a_connection_that_is_refused_never_opens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap();
    drop(listener);
    let mut poll = Poll::new().unwrap();
    let registry = poll.registry();
    let mut channel =
        Channel::connect(ChannelKind::Clear, target, None, registry, Token(0)).unwrap();
    let mut events = Events::with_capacity(8);
    poll.poll(&mut events, Some(PATIENCE)).unwrap();
    let error = channel.advance(events.iter().next().unwrap()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    assert!(!channel.is_open() && channel.tcp_info().is_none());
}
