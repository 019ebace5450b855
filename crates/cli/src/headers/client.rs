//! One client: the load generator's own session, over a channel whose packets are watched.
//!
//! The session says what to send and which layer each byte belongs to; the bytes themselves are
//! kept, so that heads are measured on what was really sent and received.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use pushbench_core::Contender;
use pushbench_core::contender::Connection;
use pushbench_load::session::{Demand, Ending, Note, Output, Session};
use pushbench_metrics::observe::ledger::{Direction, Layer, Tally};
use pushbench_metrics::record::headers::{Exchange, Traffic};
use pushbench_protocol::headers::HeadSize;
use pushbench_tls::Connector;

use super::traffic::TrafficCount;
use super::watched::{PAUSE, WatchedChannel};

/// The results of a client's step so far.
#[derive(Default)]
struct Step {
    sent: Vec<u8>,
    received: Vec<u8>,
    tally: Tally,
    messages: usize,
    subscribed: bool,
    /// Traffic on the connection before; nothing on one that the step opened.
    before: Traffic,
    /// Traffic by its end, once it is over.
    traffic: Option<Traffic>,
}

/// The event that a step waits for before the connection has to come to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// The connection is open.
    Open,
    /// The subscription stands.
    Subscribed,
    /// A message has come.
    Message,
    /// Both ends have closed.
    Closed,
}

/// A layer for each connection, and what is kept from one to the next.
pub(super) type Security = (Rc<Connector>, pushbench_tls::Client);

/// A client of one transport.
pub(super) struct Client {
    pub(super) contender: Contender,
    peer: SocketAddr,
    session: Box<dyn Session>,
    security: Option<Security>,
    /// Whether the session hears ticks.
    ticks: bool,
    /// How long an exchange may take.
    limit: Duration,
    channel: Option<WatchedChannel>,
    out: Output,
    step: Step,
}

impl Client {
    pub(super) fn new(
        contender: Contender,
        peer: SocketAddr,
        session: Box<dyn Session>,
        security: Option<Security>,
        limit: Duration,
    ) -> Self {
        let ticks = contender.shape().asks();
        let (channel, out, step) = (None, Output::default(), Step::default());
        Self { contender, peer, session, security, ticks, limit, channel, out, step }
    }

    /// Whether each exchange has a connection of its own.
    pub(super) fn reconnects(&self) -> bool {
        self.contender.stack.connection == Connection::Closed
    }

    /// Opens the connection, and sends nothing yet.
    pub(super) fn open(&mut self) -> anyhow::Result<()> {
        self.begin(Traffic::default());
        self.connect()
    }

    fn connect(&mut self) -> anyhow::Result<()> {
        let layer = self.security.as_ref().map(|(connector, own)| connector.layer(own));
        self.channel = Some(WatchedChannel::open(self.peer, layer, self.limit)?);
        Ok(())
    }

    /// Sends the first request.
    pub(super) fn subscribe(&mut self) -> anyhow::Result<()> {
        let before = if self.reconnects() { Traffic::default() } else { self.passed() };
        self.begin(before);
        self.out.clear();
        self.session.opened(&mut self.out);
        self.act()
    }

    /// A message has been, or is about to be, published: asks for it where that is the client's
    /// part.
    pub(super) fn exchange(&mut self) -> anyhow::Result<()> {
        if !self.ticks {
            return Ok(());
        }
        self.out.clear();
        self.session.tick(&mut self.out);
        self.act()
    }

    /// Everything that is counted from now on belongs to the next exchange.
    pub(super) fn prepare(&mut self) {
        let before = if self.reconnects() { Traffic::default() } else { self.passed() };
        self.begin(before);
    }

    /// Says good-bye.
    pub(super) fn close(&mut self) -> anyhow::Result<()> {
        self.prepare();
        self.out.clear();
        self.session.close(&mut self.out);
        self.act()
    }

    fn begin(&mut self, before: Traffic) {
        self.step = Step { before, ..Step::default() };
        if let Some(channel) = &mut self.channel {
            channel.mark();
        }
    }

    /// Traffic on the connection by the end of the last step.
    fn passed(&self) -> Traffic {
        self.step.traffic.unwrap_or_default()
    }

    /// Does what the session wants.
    fn act(&mut self) -> anyhow::Result<()> {
        loop {
            for note in &self.out.notes {
                match note {
                    Note::Failed(error) => bail!("{}: {error}", self.contender),
                    Note::Subscribed => self.step.subscribed = true,
                    Note::SkippedPoll => bail!("{}: a poll is still under way", self.contender),
                    Note::Request
                    | Note::EmptyResponse
                    | Note::StaleResponse
                    | Note::RetryAfter(_)
                    | Note::Reconnection(_)
                    | Note::OtherEvent(_)
                    | Note::Wake(..)
                    | Note::Closing => {}
                }
            }
            self.step.messages += self.out.messages.len();
            self.step.tally.merge(&self.out.received);
            self.send()?;
            match self.out.demand {
                // The server is waited for, so that its packets are counted.
                Demand::Keep | Demand::HangUp => return Ok(()),
                Demand::Close => {
                    return self.channel.as_mut().map_or(Ok(()), WatchedChannel::finish);
                }
                Demand::AskAgain => {
                    self.out.clear();
                    self.session.ask_again(&mut self.out);
                }
                Demand::Connect => {
                    self.connect()?;
                    self.out.clear();
                    self.session.opened(&mut self.out);
                }
            }
        }
    }

    fn send(&mut self) -> anyhow::Result<()> {
        let Some(channel) = &mut self.channel else { return Ok(()) };
        let deadline = Instant::now() + self.limit;
        if !self.out.send.is_empty() {
            channel.mark();
        }
        while !self.out.send.is_empty() {
            match channel.write(self.out.send.bytes()) {
                Ok(taken) => {
                    self.step.sent.extend_from_slice(&self.out.send.bytes()[..taken]);
                    self.out.send.sent(taken, &mut self.step.tally);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    ensure!(Instant::now() < deadline, "the server takes no request");
                    thread::sleep(PAUSE);
                }
                Err(error) => return Err(error).context("cannot send a request"),
            }
        }
        Ok(())
    }

    /// Reads what there is; whether there was anything.
    fn read(&mut self) -> anyhow::Result<bool> {
        let Some(channel) = self.channel.as_mut().filter(|channel| !channel.ended) else {
            return Ok(false);
        };
        let mut buffer = [0; 1 << 16];
        let length = match channel.read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            read => read.context("cannot read an answer")?,
        };
        self.out.clear();
        let Some(length) = length else { return self.ended().map(|()| true) };
        if channel.finished {
            // What a server says to one who has left is for nobody.
            return Ok(true);
        }
        self.step.received.extend_from_slice(&buffer[..length]);
        let received = self.session.receive(&buffer[..length], &mut self.out);
        received.with_context(|| format!("{}", self.contender))?;
        self.act()?;
        Ok(true)
    }

    /// The server has closed its side, and so does the client.
    fn ended(&mut self) -> anyhow::Result<()> {
        let expected = self.channel.as_ref().is_some_and(|channel| channel.finished);
        let ending = self.session.closed(&mut self.out);
        if !expected && ending != Ending::Done {
            bail!("{}: the server closed the connection", self.contender);
        }
        self.act()?;
        self.channel.as_mut().map_or(Ok(()), WatchedChannel::finish)
    }

    /// Whether what the step waits for has come.
    fn has(&self, until: Until) -> bool {
        let closed =
            || self.channel.as_ref().is_none_or(|channel| channel.ended && channel.finished);
        let over = !self.reconnects() || closed();
        match until {
            Until::Open => self.channel.as_ref().is_none_or(WatchedChannel::is_settled),
            Until::Subscribed => self.step.subscribed && over,
            Until::Message => self.step.messages > 0 && over,
            Until::Closed => closed(),
        }
    }

    /// Goes on as far as it can without waiting; whether anything happened.
    fn advance(&mut self, until: Until, count: &TrafficCount) -> anyhow::Result<bool> {
        if self.step.traffic.is_some() {
            return Ok(false);
        }
        if self.read()? {
            return Ok(true);
        }
        if !self.has(until) {
            return Ok(false);
        }
        let Some(channel) = &self.channel else {
            self.step.traffic = Some(Traffic::default());
            return Ok(true);
        };
        let traffic = count.at_rest(channel)?;
        self.step.traffic = traffic.map(|it| Traffic { tls: channel.tls(), ..it });
        Ok(self.step.traffic.is_some())
    }

    /// Bytes and packets that TCP and IP carried in the step.
    pub(super) fn traffic(&self) -> Traffic {
        self.passed().since(&self.step.before)
    }

    /// Result of the step; that all its bytes were attributed to a layer is checked.
    pub(super) fn outcome(&self) -> anyhow::Result<Exchange> {
        let Step { sent, received, tally, .. } = &self.step;
        let http = |direction| tally.get(direction, Layer::Http);
        // Requests here have no bodies, so that one may follow the other.
        let request = if http(Direction::Up) > 0 { heads(sent) } else { HeadSize::default() };
        let response =
            if http(Direction::Down) > 0 { HeadSize::of(received) } else { HeadSize::default() };
        let exchange = Exchange {
            request: request.into(),
            response: response.into(),
            payload: tally.layer(Layer::Payload),
            framing: tally.layer(Layer::Framing),
            traffic: self.traffic(),
        };
        let layers = exchange.http_bytes() + exchange.payload + exchange.framing;
        let moved = (sent.len() + received.len()) as u64;
        ensure!(
            layers == moved,
            "{}: {moved} bytes were moved and {layers} found a layer",
            self.contender
        );
        Ok(exchange)
    }
}

/// The size of one head after another.
fn heads(mut bytes: &[u8]) -> HeadSize {
    let mut sum = HeadSize::default();
    while !bytes.is_empty() {
        let size = HeadSize::of(bytes);
        sum += size;
        bytes = bytes.get(size.bytes.max(1)..).unwrap_or_default();
    }
    sum
}

/// Takes all clients to the end of their step, side by side: none of them keeps its server
/// waiting while another is looked after.
pub(super) fn finish(
    clients: &mut [Client],
    until: Until,
    count: &TrafficCount,
    limit: Duration,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + limit;
    loop {
        let mut busy = false;
        for client in &mut *clients {
            busy |= client.advance(until, count)?;
        }
        let Some(waiting) = clients.iter().find(|client| client.step.traffic.is_none()) else {
            return Ok(());
        };
        ensure!(
            Instant::now() < deadline,
            "{}: the connection does not come to rest within {} s",
            waiting.contender,
            limit.as_secs()
        );
        if !busy {
            thread::sleep(PAUSE);
        }
    }
}
