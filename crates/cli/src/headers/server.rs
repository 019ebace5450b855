//! The server of a case, a child as `run` starts it, and who publishes its messages, one at a time.

use std::fs::File;
use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use pushbench_core::feed::FeedSpec;
use pushbench_core::feed::message::SEQ_DIGITS;
use pushbench_core::feed::payload::{Payload, PayloadKind};
use pushbench_core::feed::schedule::Schedule;
use pushbench_core::security::ClientSecurity;
use pushbench_core::tls::Tls;
use pushbench_metrics::record::control::{Place, ServerNews, ServerPlan};
use pushbench_run::player::process::{Output, Process};
use pushbench_run::security;
use ureq::tls::TlsConfig;

use super::case::Case;

/// How long the server may take to start, and to take a message.
const LIMIT: Duration = Duration::from_secs(10);

/// How long a connection for publishing is kept: longer than any case takes.
const KEPT: Duration = Duration::from_secs(3_600);

/// A running server, ended when dropped.
pub(super) struct Server {
    _process: Process,
    pub(super) address: SocketAddr,
    /// Of clients that trust it alone; `None` where it speaks in clear.
    pub(super) security: Option<ClientSecurity>,
    /// What it asks of who publishes: nobody else on a link can.
    pub(super) token: String,
}

impl Server {
    /// Starts the server of `case` at `place`.
    pub(super) fn start(case: &Case, place: Place, is_secured: bool) -> anyhow::Result<Self> {
        let ends = is_secured.then(|| security::ends(&Tls::default())).transpose()?;
        let (security, client) = ends.unzip();
        let payload = Payload::Generated { kind: PayloadKind::Text, bytes: case.payload };
        let feed = FeedSpec { seed: 1, schedule: Schedule::Manual, payload };
        let (headers, token) = (case.profile.clone(), token()?);
        let publish_token = Some(token.clone());
        let plan = ServerPlan {
            place: place.clone(),
            headers,
            security,
            publish_token,
            ..ServerPlan::new(feed)
        };
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
        Ok(Self { _process: process, address, security: client, token })
    }
}

/// 128 random bits.
fn token() -> anyhow::Result<String> {
    let mut bits = [0; 16];
    File::open("/dev/urandom")
        .and_then(|mut random| random.read_exact(&mut bits))
        .context("cannot read /dev/urandom")?;
    Ok(bits.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Publishes messages over a connection of its own, which is opened for the first.
pub(super) struct Publisher {
    agent: ureq::Agent,
    url: String,
    authorization: String,
    /// The text of each message behind its number.
    body: String,
}

impl Publisher {
    /// One for the server of `case` at `server`.
    pub(super) fn new(case: &Case, server: SocketAddr, is_secured: bool, token: &str) -> Self {
        // The certificate is for a name, and the process was started here.
        let tls = TlsConfig::builder()
            .disable_verification(true)
            .unversioned_rustls_crypto_provider(pushbench_tls::provider(&Tls::default()))
            .build();
        // A limit for all of it would have a thread look for the address.
        let agent = ureq::Agent::config_builder()
            .timeout_connect(Some(LIMIT))
            .timeout_recv_response(Some(LIMIT))
            .timeout_recv_body(Some(LIMIT))
            .max_idle_age(KEPT)
            .proxy(None);
        let scheme = if is_secured { "https" } else { "http" };
        let url = format!("{scheme}://{server}/feed/publish");
        let body = "x".repeat(case.payload - SEQ_DIGITS);
        let authorization = format!("Bearer {token}");
        Self { agent: agent.tls_config(tls).build().into(), url, authorization, body }
    }

    /// Publishes the next message.
    pub(super) fn publish(&self) -> anyhow::Result<()> {
        let request = self.agent.post(&self.url).header("Authorization", &self.authorization);
        let answer = request.send(&self.body);
        // Read to its end, so that the connection can be used again.
        let read = answer.and_then(|mut answer| answer.body_mut().read_to_string());
        read.map(drop).context("cannot publish a message")
    }
}
