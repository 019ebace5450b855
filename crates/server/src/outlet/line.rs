//! The connection or pipe over which messages are given to a server.

use std::cell::RefCell;
use std::io;
use std::net::{SocketAddr, TcpStream as StdStream};
use std::rc::Rc;
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use pushbench_core::Seq;
use pushbench_metrics::record::control::Outlet;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::net::unix::pipe;
use tokio::sync::Notify;

use super::OutletError;
use super::way::{After, Way};

/// How long a server may take to take a connection, and to answer that it opens a WebSocket.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most bytes that wait for the server to take them.
const MOST: usize = 64 << 20;

/// How much is read at once.
const READ: usize = 16 << 10;

/// Either kind of stream.
#[derive(Debug)]
pub(super) enum Stream {
    Socket(TcpStream),
    Pipe(pipe::Sender),
}

impl Stream {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Socket(socket) => socket.try_write(bytes),
            Self::Pipe(pipe) => pipe.try_write(bytes),
        }
    }

    /// Waits until there is something to read, or room to write where that `is_wanted`.
    async fn ready(&self, is_wanted: bool) -> io::Result<()> {
        let ready = match (self, is_wanted) {
            (Self::Socket(socket), true) => {
                socket.ready(Interest::READABLE | Interest::WRITABLE).await
            }
            (Self::Socket(socket), false) => socket.ready(Interest::READABLE).await,
            (Self::Pipe(pipe), true) => pipe.ready(Interest::WRITABLE).await,
            // Nothing is ever read from it.
            (Self::Pipe(_), false) => std::future::pending().await,
        };
        ready.map(drop)
    }

    /// The bytes that have come: `None` where nothing has, and nothing where the other side has ended it.
    fn read<'b>(&self, room: &'b mut [u8]) -> io::Result<Option<&'b [u8]>> {
        let Self::Socket(socket) = self else { return Ok(None) };
        match socket.try_read(room) {
            Ok(length) => Ok(Some(&room[..length])),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            // Whoever ends it with something unread resets it.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(Some(&[])),
            Err(error) => Err(error),
        }
    }
}

/// The way to a server, and what waits to be sent over it.
#[derive(Debug)]
pub(super) struct Line {
    address: SocketAddr,
    /// `None` while it is opened anew.
    stream: RefCell<Option<Rc<Stream>>>,
    waiting: RefCell<BytesMut>,
    /// That there is something to write.
    some: Notify,
    way: RefCell<Way>,
}

impl Line {
    /// Opens the way of `outlet`; `seed` is for keys and masks.
    pub(super) fn open(outlet: &Outlet, seed: u64) -> Result<Self, OutletError> {
        let mut way = Way::of(outlet, seed);
        let stream = match &outlet.stdin {
            Some(path) => {
                let pipe = pipe::OpenOptions::new().open_sender(path);
                Stream::Pipe(pipe.map_err(OutletError::Connect)?)
            }
            None => {
                let socket = StdStream::connect_timeout(&outlet.address, PATIENCE);
                let mut socket = socket.map_err(OutletError::Connect)?;
                socket.set_read_timeout(Some(PATIENCE)).map_err(OutletError::Setup)?;
                way.open(&mut socket)?;
                Stream::Socket(watched(socket).map_err(OutletError::Setup)?)
            }
        };
        Ok(Self {
            address: outlet.address,
            stream: RefCell::new(Some(Rc::new(stream))),
            waiting: RefCell::default(),
            some: Notify::new(),
            way: RefCell::new(way),
        })
    }

    /// A message, as it is sent.
    pub(super) fn encode(&self, seq: Seq, payload: &[u8]) -> Result<Vec<u8>, OutletError> {
        self.way.borrow_mut().encode(seq, payload)
    }

    /// Sends a message, behind those that wait.
    pub(super) fn send(&self, message: &[u8]) -> Result<(), OutletError> {
        self.way.borrow_mut().sent();
        self.put(message)
    }

    fn put(&self, bytes: &[u8]) -> Result<(), OutletError> {
        let mut waiting = self.waiting.borrow_mut();
        let written = match (&*self.stream.borrow(), waiting.is_empty()) {
            (Some(stream), true) => self.some_of(stream.try_write(bytes))?,
            _ => 0,
        };
        if written < bytes.len() {
            waiting.extend_from_slice(&bytes[written..]);
            self.some.notify_one();
        }
        if waiting.len() > MOST { Err(OutletError::Behind(MOST >> 20)) } else { Ok(()) }
    }

    /// Reads what the server says and writes what waits, for as long as that goes well.
    pub(super) async fn tend(&self) -> OutletError {
        loop {
            if let Err(error) = self.turn().await {
                return error;
            }
        }
    }

    async fn turn(&self) -> Result<(), OutletError> {
        let stream = self.stream.borrow().clone();
        let Some(stream) = stream else { return self.open_anew().await };
        let is_waiting = !self.waiting.borrow().is_empty();
        tokio::select! {
            ready = stream.ready(is_waiting) => ready.map_err(OutletError::Io)?,
            () = self.some.notified(), if !is_waiting => return Ok(()),
        }
        // First what the server says, which is why it takes no more.
        self.read(&stream)?;
        self.write(&stream)
    }

    fn write(&self, stream: &Stream) -> Result<(), OutletError> {
        let mut waiting = self.waiting.borrow_mut();
        while !waiting.is_empty() {
            match self.some_of(stream.try_write(&waiting))? {
                0 => break,
                written => waiting.advance(written),
            }
        }
        Ok(())
    }

    fn read(&self, stream: &Stream) -> Result<(), OutletError> {
        let mut room = [0; READ];
        while let Some(input) = stream.read(&mut room).map_err(OutletError::Io)? {
            let (after, reply) = self.way.borrow_mut().heard(input)?;
            if !reply.is_empty() {
                self.put(&reply)?;
            }
            if after == After::Reopen {
                self.stream.replace(None);
                return Ok(());
            }
        }
        Ok(())
    }

    /// How much was written; nothing where there is no room.
    fn some_of(&self, written: io::Result<usize>) -> Result<usize, OutletError> {
        match written {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            Err(error) => Err(self.way.borrow().cut(error)),
            Ok(written) => Ok(written),
        }
    }

    /// Connects again to a server that has closed the connection with nothing under way.
    async fn open_anew(&self) -> Result<(), OutletError> {
        let socket = connect(self.address).await.map_err(OutletError::Connect)?;
        self.stream.replace(Some(Rc::new(Stream::Socket(socket))));
        Ok(())
    }
}

fn watched(socket: StdStream) -> io::Result<TcpStream> {
    socket.set_nodelay(true)?;
    socket.set_nonblocking(true)?;
    TcpStream::from_std(socket)
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    Ok(socket)
}
