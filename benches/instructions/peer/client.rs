//! A client of the server, played by a session of the load generator.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;

use anyhow::{Context as _, bail, ensure};
use pushbench_benches::asleep::Watch;
use pushbench_core::{Contender, Identity, Seq};
use pushbench_load::session::{Demand, Note, Output, Session};
use pushbench_tls::{ClientEnd, Connector};

use super::socket::Socket;
use super::{more, patient};

/// Connects to the server, and secures that if there is a `connector`.
pub(super) fn connect(
    server: SocketAddr,
    connector: Option<&Connector>,
    watch: &Watch,
) -> anyhow::Result<Socket<ClientEnd>> {
    let stream = patient(watch.after(|| Ok(TcpStream::connect(server)?))?)?;
    let Some(connector) = connector else { return Ok(Socket::open(None, stream)?) };
    let layer = connector.layer(&connector.client());
    watch.after(|| Ok(Socket::open(Some(layer), stream)?))
}

/// One client.
#[derive(Debug)]
pub(super) struct Client {
    server: SocketAddr,
    contender: Contender,
    session: Box<dyn Session>,
    connector: Option<Rc<Connector>>,
    stream: Option<Socket<ClientEnd>>,
    out: Output,
}

/// What one answer brought.
#[derive(Debug, Default)]
struct Brought {
    messages: Vec<Identity>,
    subscribed: bool,
    nothing: bool,
}

impl Client {
    /// A client that is not connected.
    pub(super) fn new(
        server: SocketAddr,
        contender: Contender,
        session: Box<dyn Session>,
        connector: Option<Rc<Connector>>,
    ) -> Self {
        Self { server, contender, session, connector, stream: None, out: Output::default() }
    }

    /// Connects and subscribes. What the session wants to send then waits for
    /// [`Client::go_on`].
    pub(super) fn subscribe(&mut self, watch: &Watch) -> anyhow::Result<()> {
        self.open(watch)?;
        let brought = watch.after(|| self.exchange(|brought| brought.subscribed))?;
        ensure!(brought.messages.is_empty(), "there was something before anything was published");
        self.leave_if_closed(watch)
    }

    /// Sends what the session wants to send.
    pub(super) fn go_on(&mut self, watch: &Watch) -> anyhow::Result<()> {
        if self.out.send.is_empty() {
            return Ok(());
        }
        watch.after(|| self.send())
    }

    /// Is brought message `seq` alone: asks for it first, where it polls on a period; otherwise it
    /// was written to everybody when it was published.
    pub(super) fn hear(&mut self, watch: &Watch, seq: Seq) -> anyhow::Result<()> {
        let polls = self.contender.shape().asks();
        let some = |brought: &Brought| !brought.messages.is_empty();
        let brought = if polls {
            self.tick(watch)?;
            watch.after(|| self.exchange(some))?
        } else {
            self.exchange(some)?
        };
        let message = Identity::of_feed(seq);
        ensure!(brought.messages == [message], "{:?} came for {seq}", brought.messages);
        self.go_on(watch)?;
        self.leave_if_closed(watch)
    }

    /// Polls, and is told that there is nothing.
    pub(super) fn poll_in_vain(&mut self, watch: &Watch) -> anyhow::Result<()> {
        self.tick(watch)?;
        let brought = watch.after(|| self.exchange(|brought| brought.nothing))?;
        ensure!(brought.messages.is_empty(), "{:?} came", brought.messages);
        self.leave_if_closed(watch)
    }

    /// The period has come round.
    fn tick(&mut self, watch: &Watch) -> anyhow::Result<()> {
        self.out.clear();
        self.session.tick(&mut self.out);
        match self.out.demand {
            Demand::Connect => self.open(watch),
            Demand::Keep => Ok(()),
            Demand::AskAgain | Demand::HangUp | Demand::Close => bail!("a session wants to leave"),
        }
    }

    fn open(&mut self, watch: &Watch) -> anyhow::Result<()> {
        // The server accepts before there is a request to be read, each time.
        self.stream = Some(connect(self.server, self.connector.as_deref(), watch)?);
        self.out.clear();
        self.session.opened(&mut self.out);
        Ok(())
    }

    /// Sends what the session wants to send, and reads until an answer is `enough`.
    fn exchange(&mut self, enough: impl Fn(&Brought) -> bool) -> anyhow::Result<Brought> {
        self.send()?;
        let (mut brought, mut input) = (Brought::default(), Vec::new());
        while !enough(&brought) {
            input.clear();
            let stream = self.stream.as_mut().context("a client is not connected")?;
            ensure!(more(stream, &mut input)?, "the server closes a connection");
            self.out.clear();
            self.session.receive(&input, &mut self.out)?;
            brought.messages.extend_from_slice(&self.out.messages);
            for note in &self.out.notes {
                brought.subscribed |= matches!(note, Note::Subscribed);
                brought.nothing |= matches!(note, Note::EmptyResponse);
            }
        }
        Ok(brought)
    }

    fn send(&mut self) -> anyhow::Result<()> {
        let stream = self.stream.as_mut().context("a client is not connected")?;
        stream.write_all(self.out.send.bytes())?;
        self.out.clear();
        Ok(())
    }

    /// Reads the end of a connection that the server closes after one answer.
    fn leave_if_closed(&mut self, watch: &Watch) -> anyhow::Result<()> {
        if self.contender != Contender::SHORT_POLL_CLOSE {
            return Ok(());
        }
        let mut stream = self.stream.take().context("a client is not connected")?;
        ensure!(!more(&mut stream, &mut Vec::new())?, "bytes come behind an answer");
        self.out.clear();
        self.session.closed(&mut self.out);
        drop(stream);
        watch.rest()
    }
}
