//! A relay of TLS: it passes bytes on as they are, and reads the headers of the records that they
//! are, so that what either end counts stands beside the count of a third.
//!
//! A record is its type, a version and its length in five bytes, and so many bytes (RFC 8446 §5.1).

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};

use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

/// Bytes before what a record holds.
const HEADER: usize = 5;

/// The most that a record holds (RFC 8446 §5.2).
const LONGEST: usize = (16 << 10) + 256;

/// Bytes and records that went one way, and that whom they were for has had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Relayed {
    /// Bytes, headers included.
    pub bytes: u64,
    /// Records of the type `change_cipher_spec`.
    pub change_cipher_spec: u64,
    /// Those of the type `alert`.
    pub alert: u64,
    /// Those of the type `handshake`.
    pub handshake: u64,
    /// Those of the type `application_data`, which in TLS 1.3 are all that are encrypted.
    pub application_data: u64,
}

/// The counts of a relay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections that clients opened.
    pub connections: u64,
    /// Those that a client closed although it had bytes to read, which are counted all the same.
    pub cut: u64,
    /// From clients.
    pub up: Relayed,
    /// To them.
    pub down: Relayed,
}

/// A relay on a loopback port.
#[derive(Debug)]
pub struct TlsRelay {
    addr: SocketAddr,
    counts: Arc<Mutex<Counts>>,
    ways: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl TlsRelay {
    /// A relay before `server`, which lives as long as its process.
    ///
    /// # Panics
    ///
    /// Where it cannot listen on the loopback address.
    #[must_use]
    pub fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of the loopback is free");
        let addr = listener.local_addr().expect("it listens");
        let relay = Self { addr, counts: Arc::default(), ways: Arc::default() };
        let (counts, ways) = (Arc::clone(&relay.counts), Arc::clone(&relay.ways));
        thread::spawn(move || {
            for client in listener.incoming() {
                // A client that is gone, or a server that is, ends a connection and nothing else.
                let joined = client.and_then(|client| join(&client, server, &counts));
                lock(&ways).extend(joined.into_iter().flatten());
            }
        });
        relay
    }

    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What went through it so far.
    ///
    /// # Panics
    ///
    /// Where one of its threads has, since what passed was no TLS.
    #[must_use]
    pub fn counts(&self) -> Counts {
        *lock(&self.counts)
    }

    /// What went through it, once all clients that have connected are gone, and so is the server.
    ///
    /// # Panics
    ///
    /// As [`counts`](Self::counts).
    #[must_use]
    pub fn rest(&self) -> Counts {
        let ways = std::mem::take(&mut *lock(&self.ways));
        ways.into_iter().for_each(|way| way.join().expect("what passes is TLS"));
        self.counts()
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().expect("what passes is TLS")
}

/// Connects `client` with the server, each way in a thread of its own.
fn join(
    client: &TcpStream,
    server: SocketAddr,
    counts: &Arc<Mutex<Counts>>,
) -> io::Result<[JoinHandle<()>; 2]> {
    lock(counts).connections += 1;
    let server = TcpStream::connect(server)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from, to, up) = (client.try_clone()?, server.try_clone()?, Arc::clone(counts));
    let (client, counts) = (client.try_clone()?, Arc::clone(counts));
    Ok([
        thread::spawn(move || {
            if pass(&from, &to, |records, bytes| records.read(bytes, &mut lock(&up).up)).is_err() {
                lock(&up).cut += 1;
            }
            // What it is told from now on nobody reads.
            let _ = to.shutdown(Shutdown::Write);
        }),
        thread::spawn(move || {
            let _ = pass(&server, &client, |records, bytes| {
                if !is_closed(&client) {
                    records.read(bytes, &mut lock(&counts).down);
                }
            });
            let _ = client.shutdown(Shutdown::Write);
        }),
    ])
}

/// Passes bytes on until there are no more; an error is one of reading.
fn pass(
    mut from: &TcpStream,
    mut to: &TcpStream,
    mut count: impl FnMut(&mut Records, &[u8]),
) -> io::Result<()> {
    let (mut bytes, mut records) = (vec![0; 64 << 10], Records::default());
    loop {
        let length = from.read(&mut bytes)?;
        if length == 0 {
            return Ok(());
        }
        count(&mut records, &bytes[..length]);
        // Whoever takes no more is heard of by the other thread.
        let _ = to.write_all(&bytes[..length]);
    }
}

/// Whether the other end has closed the connection, once all that it sent before is passed on.
fn is_closed(peer: &TcpStream) -> bool {
    loop {
        match recv(peer, &mut [0; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT) {
            Ok((_, 0)) => return true,
            Ok(_) => thread::yield_now(),
            Err(error) => return error != Errno::AGAIN,
        }
    }
}

/// The place in a stream of records.
#[derive(Debug, Default)]
struct Records {
    /// The beginning of a header that is not whole.
    header: Vec<u8>,
    /// Bytes until the next header.
    left: usize,
}

impl Records {
    /// Reads further bytes of the stream.
    fn read(&mut self, mut bytes: &[u8], relayed: &mut Relayed) {
        relayed.bytes += bytes.len() as u64;
        while !bytes.is_empty() {
            let skipped = self.left.min(bytes.len());
            (self.left, bytes) = (self.left - skipped, &bytes[skipped..]);
            let taken = (HEADER - self.header.len()).min(bytes.len());
            self.header.extend(&bytes[..taken]);
            bytes = &bytes[taken..];
            if let [kind, 3, 1..=4, high, low] = self.header[..] {
                self.left = usize::from(u16::from_be_bytes([high, low]));
                assert!(self.left <= LONGEST, "a record of {} bytes", self.left);
                relayed.begins(kind);
                self.header.clear();
            }
            assert!(self.header.len() < HEADER, "no header of a record: {:02x?}", self.header);
        }
    }
}

impl Relayed {
    /// A record of this type begins (RFC 8446 §B.1).
    fn begins(&mut self, kind: u8) {
        let count = match kind {
            20 => &mut self.change_cipher_spec,
            21 => &mut self.alert,
            22 => &mut self.handshake,
            23 => &mut self.application_data,
            _ => panic!("a record of the type {kind}"),
        };
        *count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_however_they_come() {
        let (hello, secret) = (b"\x16\x03\x01\x00\x02ab", b"\x17\x03\x03\x01\x00");
        let stream = [&hello[..], b"\x14\x03\x03\x00\x01\x01", secret, &[7; 256], hello].concat();
        for at_a_time in [1, 3, 256, stream.len()] {
            let (mut records, mut relayed) = (Records::default(), Relayed::default());
            stream.chunks(at_a_time).for_each(|piece| records.read(piece, &mut relayed));
            let bytes = stream.len() as u64;
            let expected = Relayed {
                bytes,
                change_cipher_spec: 1,
                alert: 0,
                handshake: 2,
                application_data: 1,
            };
            assert_eq!(relayed, expected, "{at_a_time} at a time");
        }
    }

    #[test]
    #[should_panic(expected = "no header of a record")]
    fn what_is_no_record_is_not_passed_over() {
        Records::default().read(b"GET / HTTP/1.1\r\n", &mut Relayed::default());
    }
}
