//! The contract of a channel, over loopback, with a peer that is written here.

pub(crate) mod peer;
mod tls;

use std::io::{self, Write as _};
use std::net::{Shutdown, TcpListener};
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::{Events, Poll, Token};
use pushbench_os::net::rx_stamp::KeptOn;

use self::peer::Peer;
use super::{Channel, Moved, Received};

const PATIENCE: Duration = Duration::from_secs(10);

/// A channel and the bytes that it told of, beside its other end.
struct Pair {
    poll: Poll,
    channel: Channel,
    peer: Peer,
    moved: Moved,
    /// All that reads, writes and overhead have told of.
    told: Moved,
    buffer: Vec<u8>,
}

impl Pair {
    /// One in clear, which stands.
    fn clear() -> Self {
        let mut pair = Self::begin(None, Peer::new);
        pair.open().unwrap();
        pair
    }

    /// One that is being opened, with a peer made of the socket that was accepted.
    fn begin(
        layer: Option<super::Layer<super::ClientEnd>>,
        peer: impl FnOnce(std::net::TcpStream) -> Peer,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let poll = Poll::new().unwrap();
        let target = listener.local_addr().unwrap();
        let channel = Channel::connect(layer, target, None, poll.registry(), Token(7)).unwrap();
        assert!(!channel.is_open());
        let (socket, _) = listener.accept().unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_nodelay(true).unwrap();
        let (moved, told, buffer) = (Moved::default(), Moved::default(), vec![0; 256 << 10]);
        Self { poll, channel, peer: peer(socket), moved, told, buffer }
    }

    /// Opens the channel, whose peer does its part elsewhere.
    fn open(&mut self) -> io::Result<()> {
        loop {
            if self.advance()? {
                assert!(self.channel.is_open());
                return Ok(());
            }
            assert!(!self.channel.is_open());
        }
    }

    /// Takes the opening on with the next readiness; whether it is done.
    fn advance(&mut self) -> io::Result<bool> {
        let mut advanced = Ok(false);
        let Self { poll, channel, moved, .. } = self;
        wait(poll, |event| {
            advanced = channel.advance(event, moved);
            true
        });
        self.take_overhead();
        advanced
    }

    fn take_overhead(&mut self) {
        let overhead = self.channel.take_overhead();
        self.told.up += overhead.sent;
        self.told.down += overhead.received;
    }

    fn wait_until(&mut self, done: impl FnMut(&Event) -> bool) {
        wait(&mut self.poll, done);
    }

    fn try_read(&mut self) -> io::Result<Option<(Received, Vec<u8>)>> {
        let read = self.channel.read(&mut self.buffer, &mut self.moved)?;
        self.told.down += read.map_or(0, |received| received.sealed as u64);
        Ok(read.map(|received| (received, self.buffer[..received.plaintext].to_vec())))
    }

    /// The next read that does not block.
    fn wait_and_read(&mut self) -> io::Result<Option<(Received, Vec<u8>)>> {
        loop {
            match self.try_read() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.wait_until(|event| event.is_readable() || event.is_read_closed());
                }
                read => return read,
            }
        }
    }

    /// The next read, which gives something, and its plaintext.
    fn read(&mut self) -> (Received, Vec<u8>) {
        self.wait_and_read().unwrap().expect("the stream goes on")
    }

    fn write(&mut self, plaintext: &[u8]) -> io::Result<super::Written> {
        let written = self.channel.write(plaintext, &mut self.moved)?;
        self.told.up += written.sealed as u64;
        Ok(written)
    }

    /// Writes until the socket is full; how much was taken.
    fn fill(&mut self, chunk: &[u8]) -> usize {
        let mut taken = 0;
        loop {
            match self.write(chunk) {
                Ok(written) => taken += written.taken,
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                    return taken;
                }
            }
        }
    }

    /// Closes the channel, which has told of each byte that was moved; its peer is left.
    fn close(mut self) -> Peer {
        let rest = self.channel.close(&mut self.moved);
        self.told.up += rest.sent;
        self.told.down += rest.received;
        assert_eq!(self.told, self.moved, "each byte is plaintext or overhead");
        self.peer
    }
}

fn wait(poll: &mut Poll, mut done: impl FnMut(&Event) -> bool) {
    let mut events = Events::with_capacity(8);
    loop {
        poll.poll(&mut events, Some(PATIENCE)).unwrap();
        assert!(!events.is_empty(), "the channel is not woken");
        if events.iter().any(&mut done) {
            return;
        }
    }
}

fn kind(error: &io::Result<impl Sized>) -> Option<io::ErrorKind> {
    error.as_ref().err().map(io::Error::kind)
}

#[test]
fn a_clear_channel_is_its_socket() {
    let mut pair = Pair::clear();
    assert_eq!(pair.channel.agreed(), None);
    assert_eq!(kind(&pair.try_read()), Some(io::ErrorKind::WouldBlock));
    let written = pair.write(b"question").unwrap();
    assert_eq!((written.taken, written.sealed, pair.channel.waits()), (8, 8, false));
    assert_eq!(pair.peer.hear_raw(8), b"question");
    pair.peer.socket.write_all(b"answer").unwrap();
    let (received, plaintext) = pair.read();
    assert_eq!((received.sealed, received.more, received.stamp), (6, false, None));
    assert_eq!(plaintext, b"answer");
    assert_eq!(pair.moved, Moved { up: 8, down: 6 });
    pair.peer.socket.shutdown(Shutdown::Write).unwrap();
    assert_eq!(pair.wait_and_read().unwrap(), None);
    pair.close();
}

#[test]
fn a_read_that_fills_the_buffer_says_that_there_may_be_more() {
    let mut pair = Pair::clear();
    pair.buffer.truncate(4);
    pair.peer.socket.write_all(b"fourmore!").unwrap();
    let reads = [pair.read(), pair.read(), pair.read()];
    assert_eq!(
        reads.map(|(received, _)| (received.plaintext, received.more)),
        [(4, true), (4, true), (1, false)]
    );
}

#[test]
fn stamps_come_along_where_they_are_asked_for() {
    let _kept_on = KeptOn::new().unwrap();
    for mut pair in [Pair::clear(), tls::opened()] {
        pair.channel.ask_for_stamps();
        assert!(pair.channel.is_stamped());
        // The kernel takes a moment to begin.
        let begun = Instant::now();
        loop {
            pair.peer.say(b"stamped");
            let (received, plaintext) = pair.read();
            assert!(plaintext.ends_with(b"stamped"));
            if received.stamp.is_some() {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "no stamp comes on {:?}", pair.channel);
        }
    }
}

#[test]
fn a_connection_that_is_refused_never_opens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap();
    drop(listener);
    for layer in [None, Some(tls::layer())] {
        let mut poll = Poll::new().unwrap();
        let registry = poll.registry();
        let mut channel = Channel::connect(layer, target, None, registry, Token(0)).unwrap();
        let mut moved = Moved::default();
        wait(&mut poll, |event| {
            let advanced = channel.advance(event, &mut moved);
            assert_eq!(kind(&advanced), Some(io::ErrorKind::ConnectionRefused));
            true
        });
        assert!(!channel.is_open() && channel.tcp_info().is_none());
        assert_eq!((channel.close(&mut moved), moved), Default::default());
    }
}
