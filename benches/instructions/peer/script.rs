//! A server that follows a script: it lets clients subscribe, and brings each of them one message
//! after another.

use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use pushbench_benches::asleep::Watch;
use pushbench_benches::reads;
use pushbench_core::security::ServerSecurity;
use pushbench_core::{Contender, Seq};
use pushbench_tls::{Acceptor, ServerEnd};

use super::socket::Socket;
use super::{PATIENCE, more, patient};

/// What stands before the cursor in a request.
const BEFORE_CURSOR: &str = "after=";

/// From one look for a request to the next.
const PAUSE: Duration = Duration::from_micros(50);

/// The server.
#[derive(Debug)]
pub(crate) struct Script {
    contender: Contender,
    listener: TcpListener,
    acceptor: Option<Acceptor>,
    /// Connections, in the order in which they were opened.
    connections: Vec<Connection>,
    /// The last message that everybody was brought.
    newest: Seq,
}

#[derive(Debug)]
struct Connection {
    stream: Socket<ServerEnd>,
    /// What came of a request that is not whole yet.
    unread: Vec<u8>,
    /// The cursor of a request that is to be answered.
    asked: Option<Seq>,
}

impl Script {
    /// Listens on a free port of loopback.
    pub(crate) fn new(
        contender: Contender,
        security: Option<&ServerSecurity>,
    ) -> anyhow::Result<Self> {
        let acceptor = security.map(Acceptor::new).transpose()?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        Ok(Self { contender, listener, acceptor, connections: Vec::new(), newest: Seq::NONE })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers the first requests of as many clients. The next client's waits then, if there is one.
    pub(crate) fn subscribe(&mut self, watch: &Watch, clients: u32) -> anyhow::Result<()> {
        for _ in 0..clients {
            let mut connection = within(PATIENCE, || self.accept())?.context("nobody connects")?;
            let request = connection.request()?;
            let answer = reads::subscribed(self.contender, request.as_bytes());
            self.answer(watch, connection, &answer)?;
        }
        Ok(())
    }

    /// Brings as many further messages to each of so many clients.
    pub(crate) fn rounds(
        &mut self,
        rounds: u64,
        watch: &Watch,
        clients: u32,
    ) -> anyhow::Result<()> {
        (0..rounds).try_for_each(|_| self.round(watch, clients))
    }

    fn round(&mut self, watch: &Watch, clients: u32) -> anyhow::Result<()> {
        let before = self.newest;
        self.newest = before.next();
        let message = reads::message(self.contender, self.newest);
        if !self.contender.shape().streams() {
            for _ in 0..clients {
                let connection = within(PATIENCE, || self.asking(before))?;
                let connection = connection
                    .with_context(|| format!("nobody asks for what comes after {before}"))?;
                self.answer(watch, connection, &message)?;
            }
            return Ok(());
        }
        ensure!(self.connections.len() == clients as usize, "{} streams", self.connections.len());
        for connection in &mut self.connections {
            watch.after(|| Ok(connection.stream.write_all(&message)?))?;
        }
        Ok(())
    }

    /// Answers a request, and closes the connection where it was to be the only one.
    fn answer(
        &mut self,
        watch: &Watch,
        mut connection: Connection,
        answer: &[u8],
    ) -> anyhow::Result<()> {
        watch.after(|| Ok(connection.stream.write_all(answer)?))?;
        if self.contender == Contender::SHORT_POLL_CLOSE {
            watch.after(|| {
                drop(connection);
                Ok(())
            })?;
        } else {
            self.connections.push(connection);
        }
        Ok(())
    }

    fn accept(&self) -> anyhow::Result<Option<Connection>> {
        match self.listener.accept() {
            Ok((stream, _)) => {
                let layer = self.acceptor.as_ref().map(Acceptor::layer);
                let stream = Socket::open(layer, patient(stream)?)?;
                Ok(Some(Connection { stream, unread: Vec::new(), asked: None }))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the first connection out on which a request with this cursor waits.
    fn asking(&mut self, cursor: Seq) -> anyhow::Result<Option<Connection>> {
        while let Some(connection) = self.accept()? {
            self.connections.push(connection);
        }
        for index in 0..self.connections.len() {
            let connection = &mut self.connections[index];
            if connection.asked.is_none() {
                connection.look()?;
            }
            if connection.asked == Some(cursor) {
                connection.asked = None;
                return Ok(Some(self.connections.remove(index)));
            }
        }
        Ok(None)
    }
}

impl Connection {
    /// The next request, when it is there.
    fn request(&mut self) -> anyhow::Result<String> {
        while !self.unread.ends_with(b"\r\n\r\n") {
            ensure!(more(&mut self.stream, &mut self.unread)?, "a client leaves");
        }
        Ok(String::from_utf8(std::mem::take(&mut self.unread))?)
    }

    /// Takes note of a request, if one has come.
    fn look(&mut self) -> anyhow::Result<()> {
        self.stream.below().set_nonblocking(true)?;
        let came = more(&mut self.stream, &mut self.unread);
        self.stream.below().set_nonblocking(false)?;
        match came {
            Ok(true) => self.asked = Some(cursor(&self.request()?)?),
            Ok(false) => bail!("a client leaves"),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

/// The cursor in a request.
fn cursor(request: &str) -> anyhow::Result<Seq> {
    let rest = request.split_once(BEFORE_CURSOR).map(|(_, rest)| rest);
    let digits = rest.and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
    let number = digits.and_then(|digits| digits.parse().ok());
    Ok(Seq(number.with_context(|| format!("a request has no cursor: {request}"))?))
}

/// Looks for something until it is there, or for as long as `limit`.
fn within<T>(
    limit: Duration,
    mut look: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<Option<T>> {
    let begun = Instant::now();
    loop {
        let found = look()?;
        if found.is_some() || begun.elapsed() > limit {
            return Ok(found);
        }
        thread::sleep(PAUSE);
    }
}
