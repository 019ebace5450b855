//! The server of a case: a child as `run` starts it, whose messages are published one at a time.

use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use pushbench_core::feed::FeedSpec;
use pushbench_core::feed::message::SEQ_DIGITS;
use pushbench_core::feed::payload::{Payload, PayloadKind};
use pushbench_core::feed::schedule::Schedule;
use pushbench_core::tls::Tls;
use pushbench_metrics::record::control::{Place, ServerNews, ServerPlan};
use pushbench_run::player::process::{Output, Process};
use pushbench_run::security;
use pushbench_tls::Connector;
use ureq::tls::TlsConfig;

use super::case::Case;

/// How long the server may take to start, and to take a message.
const LIMIT: Duration = Duration::from_secs(10);

/// A running server, ended when dropped.
pub(super) struct Server {
    _process: Process,
    pub(super) address: SocketAddr,
    /// Of clients that trust it alone; `None` where it speaks in clear.
    pub(super) connector: Option<Rc<Connector>>,
    agent: ureq::Agent,
    /// The text of each message behind its number.
    body: String,
}

impl Server {
    /// Starts the server of `case` on a free port of `host`.
    pub(super) fn start(case: &Case, host: IpAddr, is_secured: bool) -> anyhow::Result<Self> {
        let ends = is_secured.then(|| security::ends(&Tls::default())).transpose()?;
        let (security, client) = ends.unzip();
        let payload = Payload::Generated { kind: PayloadKind::Text, bytes: case.payload };
        let feed = FeedSpec { seed: 1, schedule: Schedule::Manual, payload };
        let (listen, headers) = (SocketAddr::new(host, 0), case.profile.clone());
        let place = Place { listen, ..Place::default() };
        let plan = ServerPlan { place: place.clone(), headers, security, ..ServerPlan::new(feed) };
        let (sender, news) = channel();
        let process = Process::start(&["worker-server".to_owned()], &place, &plan, move |output| {
            // Nobody listens once it has said where it is.
            let _ = sender.send(output);
        })
        .context("cannot start the server")?;
        let deadline = Instant::now() + LIMIT;
        let address = loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match news.recv_timeout(left).context("the server does not start in time")? {
                Output::News(ServerNews::Listening { address }) => break address,
                Output::News(ServerNews::Failed { error }) | Output::Ended(error) => {
                    bail!("the server cannot start: {error}")
                }
                Output::News(ServerNews::Stopped(_)) => {}
            }
        };
        let connector = client.as_ref().map(Connector::new).transpose()?.map(Rc::new);
        // The certificate is for a name, and the process was started here.
        let tls = TlsConfig::builder()
            .disable_verification(true)
            .unversioned_rustls_crypto_provider(pushbench_tls::provider(&Tls::default()))
            .build();
        let agent = ureq::Agent::config_builder().timeout_global(Some(LIMIT)).proxy(None);
        let agent = agent.tls_config(tls).build().into();
        let body = "x".repeat(case.payload - SEQ_DIGITS);
        Ok(Self { _process: process, address, connector, agent, body })
    }

    /// Publishes the next message, over a connection of its own.
    pub(super) fn publish(&self) -> anyhow::Result<()> {
        let scheme = if self.connector.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}/feed/publish", self.address);
        let answer = self.agent.post(url).send(&self.body);
        // Read to its end, so that the connection can be used again.
        let read = answer.and_then(|mut answer| answer.body_mut().read_to_string());
        read.map(drop).context("cannot publish a message")
    }
}
