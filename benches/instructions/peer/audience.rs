//! Everybody whom the server serves: clients of one transport, and whoever publishes.

use std::io::Write as _;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::ensure;
use pushbench_benches::asleep::Watch;
use pushbench_benches::reads;
use pushbench_core::feed::message::SEQ_DIGITS;
use pushbench_core::security::Trust;
use pushbench_core::{Contender, Seq};
use pushbench_load::session::Sessions;
use pushbench_metrics::record::control::LoadPlan;
use pushbench_tls::{ClientEnd, Connector};

use super::client::{Client, connect};
use super::more;
use super::socket::Socket;
use crate::counted::CLIENTS;
use crate::security;

/// How long the server holds a long poll: as long as it holds any, so that messages alone answer.
const HOLD: Duration = Duration::from_secs(300);

/// Clients and publisher of one server.
#[derive(Debug)]
pub(crate) struct Audience<'a> {
    watch: &'a Watch,
    address: SocketAddr,
    contender: Contender,
    sessions: Sessions,
    connector: Option<Rc<Connector>>,
    clients: Vec<Client>,
    publisher: Publisher,
}

impl<'a> Audience<'a> {
    /// Nobody but the publisher is connected yet.
    pub(crate) fn new(
        address: SocketAddr,
        contender: Contender,
        watch: &'a Watch,
    ) -> anyhow::Result<Self> {
        let plan = LoadPlan::new(address, contender, CLIENTS);
        let sessions = Sessions::new(&LoadPlan { long_poll_timeout: HOLD, ..plan });
        let connector = security::client(contender, Trust::Anybody)
            .map(|security| Connector::new(&security).map(Rc::new))
            .transpose()?;
        let publisher = Publisher::new(address, connector.as_deref(), watch)?;
        Ok(Self { watch, address, contender, sessions, connector, clients: Vec::new(), publisher })
    }

    /// As many further clients connect and subscribe.
    pub(crate) fn subscribe(&mut self, clients: u32) -> anyhow::Result<()> {
        for number in (0..).skip(self.clients.len()).take(clients as usize) {
            let session = self.sessions.session(number);
            let connector = self.connector.clone();
            let mut client = Client::new(self.address, self.contender, session, connector);
            client.subscribe(self.watch)?;
            self.clients.push(client);
        }
        Ok(())
    }

    /// As many messages are published, whoever hears of them.
    pub(crate) fn publish(&mut self, times: u64) -> anyhow::Result<()> {
        (0..times).try_for_each(|_| self.publisher.publish(self.watch).map(drop))
    }

    /// As many messages are published, each once everybody has the one before.
    pub(crate) fn rounds(&mut self, rounds: u64) -> anyhow::Result<()> {
        let watch = self.watch;
        // What they wanted to send when they had subscribed: a long poll that waits.
        self.clients.iter_mut().try_for_each(|client| client.go_on(watch))?;
        for _ in 0..rounds {
            let seq = self.publisher.publish(watch)?;
            self.clients.iter_mut().try_for_each(|client| client.hear(watch, seq))?;
        }
        Ok(())
    }

    /// Each client polls once, and is told that there is nothing.
    pub(crate) fn poll_in_vain(&mut self) -> anyhow::Result<()> {
        self.clients.iter_mut().try_for_each(|client| client.poll_in_vain(self.watch))
    }
}

/// Who publishes messages by hand, on a connection of its own.
#[derive(Debug)]
struct Publisher {
    stream: Socket<ClientEnd>,
    request: Vec<u8>,
    newest: Seq,
}

impl Publisher {
    /// Connects.
    fn new(
        server: SocketAddr,
        connector: Option<&Connector>,
        watch: &Watch,
    ) -> anyhow::Result<Self> {
        let stream = connect(server, connector, watch)?;
        // The server puts the message's number in front.
        let body = "x".repeat(reads::PAYLOAD - SEQ_DIGITS);
        let request = format!(
            "POST /feed/publish HTTP/1.1\r\nHost: {server}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        Ok(Self { stream, request: request.into(), newest: Seq::NONE })
    }

    /// Publishes a message; its number.
    fn publish(&mut self, watch: &Watch) -> anyhow::Result<Seq> {
        self.newest = self.newest.next();
        watch.after(|| {
            self.stream.write_all(&self.request)?;
            let mut answer = Vec::new();
            while !answer.ends_with(b"}") {
                ensure!(more(&mut self.stream, &mut answer)?, "the server does not publish");
            }
            let said = String::from_utf8_lossy(&answer);
            let expected = format!("{{\"seq\":{}}}", self.newest);
            ensure!(said.ends_with(&expected), "the server said {said}");
            Ok(())
        })?;
        Ok(self.newest)
    }
}
