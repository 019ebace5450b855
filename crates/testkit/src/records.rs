//! A relay of records: a peer for channels that keep bytes back, and a count of what passes.
//!
//! A record is `17 03 03`, its length in two bytes, and up to 16 KiB of plaintext. It is taken apart
//! and put together here once more, so that the load generator's own records are held against
//! somebody else's, and what either end counts against the count of a third.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// Bytes before each record's plaintext.
pub const HEADER: usize = 5;

/// The most plaintext in a record.
const LONGEST: usize = 16 << 10;

/// Records that went one way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Relayed {
    /// How many.
    pub records: u64,
    /// Their bytes, headers included.
    pub bytes: u64,
}

impl Relayed {
    const fn add(&mut self, plaintext: usize) {
        self.records += 1;
        self.bytes += (HEADER + plaintext) as u64;
    }
}

/// How a relay talks to its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerSide {
    /// In plaintext.
    Clear,
    /// In records as well, which it passes on.
    Records,
}

/// A relay on a loopback port, with records on the side of clients.
#[derive(Debug)]
pub struct RecordRelay {
    addr: SocketAddr,
    up: Arc<Mutex<Relayed>>,
    down: Arc<Mutex<Relayed>>,
    /// The threads that take apart what clients send.
    clients: Clients,
}

type Clients = Arc<Mutex<Vec<JoinHandle<()>>>>;

impl RecordRelay {
    /// A relay before `server`, which lives as long as its process.
    ///
    /// # Panics
    ///
    /// Where it cannot listen on the loopback address.
    #[must_use]
    pub fn before(server: SocketAddr, side: ServerSide) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of the loopback is free");
        let addr = listener.local_addr().expect("it listens");
        let (up, down, clients) = (Arc::default(), Arc::default(), Clients::default());
        let relay = Self { addr, up, down, clients };
        let (up, down, clients) = (relay.up.clone(), relay.down.clone(), relay.clients.clone());
        thread::spawn(move || {
            for client in listener.incoming() {
                // A client that is gone, or a server that is, ends a connection and nothing else.
                let joined = client.and_then(|client| join(client, (server, side), &up, &down));
                clients.lock().expect("no thread panics").extend(joined);
            }
        });
        relay
    }

    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Waits until all clients that have connected are gone, and what they sent is counted.
    ///
    /// # Panics
    ///
    /// Where one of its threads has.
    pub fn rest(&self) {
        let clients = std::mem::take(&mut *self.clients.lock().expect("no thread panics"));
        clients.into_iter().for_each(|client| client.join().expect("no thread panics"));
    }

    /// Records that came from the clients.
    ///
    /// # Panics
    ///
    /// Where one of its threads has.
    #[must_use]
    pub fn up(&self) -> Relayed {
        *self.up.lock().expect("no thread panics")
    }

    /// Records that were sent to them.
    ///
    /// # Panics
    ///
    /// Where one of its threads has.
    #[must_use]
    pub fn down(&self) -> Relayed {
        *self.down.lock().expect("no thread panics")
    }
}

/// Connects `client` with the server, each way in a thread of its own, of which the one from the client
/// comes back.
fn join(
    client: TcpStream,
    (server, side): (SocketAddr, ServerSide),
    up: &Arc<Mutex<Relayed>>,
    down: &Arc<Mutex<Relayed>>,
) -> io::Result<JoinHandle<()>> {
    let server = TcpStream::connect(server)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    let (up, down) = (up.clone(), down.clone());
    let way_up = thread::spawn(move || {
        let _ = take_apart(&mut from_client, &mut to_server, side, &up);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let (mut from_server, mut to_client) = (server, client);
    thread::spawn(move || {
        let _ = match side {
            ServerSide::Clear => put_together(&mut from_server, &mut to_client, &down),
            ServerSide::Records => take_apart(&mut from_server, &mut to_client, side, &down),
        };
        let _ = to_client.shutdown(Shutdown::Write);
    });
    Ok(way_up)
}

/// Takes records apart until there are no more, and passes their plaintext on, or both parts of each,
/// one after the other.
fn take_apart(
    from: &mut impl Read,
    to: &mut impl Write,
    side: ServerSide,
    relayed: &Mutex<Relayed>,
) -> io::Result<()> {
    let mut plaintext = vec![0; LONGEST];
    loop {
        let mut header = [0; HEADER];
        from.read_exact(&mut header)?;
        let [0x17, 3, 3, high, low] = header else { return Err(io::ErrorKind::InvalidData.into()) };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let plaintext = plaintext.get_mut(..length).ok_or(io::ErrorKind::InvalidData)?;
        from.read_exact(plaintext)?;
        relayed.lock().expect("no thread panics").add(length);
        if side == ServerSide::Records {
            to.write_all(&header)?;
        }
        to.write_all(plaintext)?;
    }
}

/// Puts records together until there is nothing more, and sends each in two pieces, the first of
/// which ends within its header.
fn put_together(
    from: &mut impl Read,
    to: &mut impl Write,
    relayed: &Mutex<Relayed>,
) -> io::Result<()> {
    let mut plaintext = vec![0; LONGEST];
    loop {
        let length = from.read(&mut plaintext)?;
        if length == 0 {
            return Ok(());
        }
        // No more than a record holds.
        let [high, low] = (length as u16).to_be_bytes();
        let record = [&[0x17, 3, 3, high, low], &plaintext[..length]].concat();
        relayed.lock().expect("no thread panics").add(length);
        to.write_all(&record[..3])?;
        to.write_all(&record[3..])?;
    }
}
