//! A relay that puts records around whatever passes: a peer for channels that keep bytes back.
//!
//! A record is `17 03 03`, its length in two bytes, and up to 16 KiB of plaintext. It is taken apart
//! and put together here once more, so that the load generator's own records are held against
//! somebody else's, before any server that can be loaded by each transport.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// Bytes before each record's plaintext.
pub const HEADER: usize = 5;

/// The most plaintext in a record.
const LONGEST: usize = 16 << 10;

/// Records and their bytes, headers included, that went one way.
#[derive(Debug, Default)]
pub struct Relayed {
    records: AtomicU64,
    bytes: AtomicU64,
}

impl Relayed {
    /// How many records.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::SeqCst)
    }

    /// Their bytes on the clients' side.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::SeqCst)
    }

    fn add(&self, plaintext: usize) {
        self.records.fetch_add(1, Ordering::SeqCst);
        self.bytes.fetch_add((HEADER + plaintext) as u64, Ordering::SeqCst);
    }
}

/// A relay on a loopback port: records on the side of clients, plaintext on that of the server.
#[derive(Debug)]
pub struct RecordRelay {
    addr: SocketAddr,
    up: Arc<Relayed>,
    down: Arc<Relayed>,
}

impl RecordRelay {
    /// A relay before `server`, which lives as long as its process.
    ///
    /// # Panics
    ///
    /// Where it cannot listen on the loopback address.
    #[must_use]
    pub fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of the loopback is free");
        let addr = listener.local_addr().expect("it listens");
        let relay = Self { addr, up: Arc::default(), down: Arc::default() };
        let (up, down) = (relay.up.clone(), relay.down.clone());
        thread::spawn(move || {
            for client in listener.incoming() {
                // A client that is gone, or a server that is, ends a connection and nothing else.
                let _ = client.and_then(|client| join(client, server, &up, &down));
            }
        });
        relay
    }

    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What came from the clients.
    #[must_use]
    pub fn up(&self) -> &Relayed {
        &self.up
    }

    /// What went to them.
    #[must_use]
    pub fn down(&self) -> &Relayed {
        &self.down
    }
}

/// Connects `client` with the server, each way in a thread of its own.
fn join(
    client: TcpStream,
    server: SocketAddr,
    up: &Arc<Relayed>,
    down: &Arc<Relayed>,
) -> io::Result<()> {
    let server = TcpStream::connect(server)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    let (up, down) = (up.clone(), down.clone());
    thread::spawn(move || {
        let _ = open(&mut from_client, &mut to_server, &up);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let (mut from_server, mut to_client) = (server, client);
    thread::spawn(move || {
        let _ = seal(&mut from_server, &mut to_client, &down);
        let _ = to_client.shutdown(Shutdown::Write);
    });
    Ok(())
}

/// Takes records apart until there are no more.
fn open(from: &mut impl Read, to: &mut impl Write, relayed: &Relayed) -> io::Result<()> {
    let mut plaintext = vec![0; LONGEST];
    loop {
        let mut header = [0; HEADER];
        from.read_exact(&mut header)?;
        let [0x17, 3, 3, high, low] = header else { return Err(io::ErrorKind::InvalidData.into()) };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let plaintext = plaintext.get_mut(..length).ok_or(io::ErrorKind::InvalidData)?;
        from.read_exact(plaintext)?;
        relayed.add(length);
        to.write_all(plaintext)?;
    }
}

/// Puts records together until there is nothing more, and sends each in two pieces, the first of
/// which ends within its header.
fn seal(from: &mut impl Read, to: &mut impl Write, relayed: &Relayed) -> io::Result<()> {
    let mut plaintext = vec![0; LONGEST];
    loop {
        let length = from.read(&mut plaintext)?;
        if length == 0 {
            return Ok(());
        }
        // No more than a record holds.
        let [high, low] = (length as u16).to_be_bytes();
        let record = [&[0x17, 3, 3, high, low], &plaintext[..length]].concat();
        relayed.add(length);
        to.write_all(&record[..3])?;
        to.write_all(&record[3..])?;
    }
}
