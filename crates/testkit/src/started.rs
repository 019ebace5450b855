//! A real server on a loopback port, in a thread of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use pushbench_core::compression::CompressionTerms;
use pushbench_core::feed::payload::{Payload, PayloadKind};
use pushbench_core::feed::schedule::Schedule;
use pushbench_core::feed::{FeedDescription, FeedSpec};
use pushbench_core::{MonoInstant, Seq};
use pushbench_metrics::observe::observer::Window;
use pushbench_metrics::record::control::ServerMeasured;
use pushbench_os::time::clock;
use pushbench_server::{Server, ServerConfig, ServerHandle};
use tokio::sync::{Mutex, oneshot};
use tokio::time::timeout;

use crate::PATIENCE;
use crate::http::{HttpClient, Target};

/// How long a stopping server waits for clients, unless a test says otherwise: tests stop theirs
/// with connections open that nobody will close.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(100);

/// A server that runs. Dropping it stops it and waits for its thread.
#[derive(Debug)]
pub struct StartedServer {
    addr: SocketAddr,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
    measured: oneshot::Receiver<ServerMeasured>,
    publisher: Mutex<HttpClient>,
}

impl StartedServer {
    /// A server whose feed is published by hand.
    #[must_use]
    pub fn manual() -> Self {
        Self::start(manual_config())
    }

    /// A server of `feed`, whose schedule begins with [`StartedServer::start_schedule`].
    #[must_use]
    pub fn feed(feed: FeedSpec) -> Self {
        Self::start(config(feed))
    }

    /// A server with settings of its own.
    ///
    /// # Panics
    ///
    /// Where it cannot listen on the loopback address.
    #[must_use]
    pub fn start(config: ServerConfig) -> Self {
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = Server::bind(any_port, config).expect("a port of the loopback is free");
        let (addr, handle) = (server.local_addr(), server.handle());
        let named = thread::Builder::new().name("server under test".into());
        let (said, measured) = oneshot::channel();
        let serve = move || {
            // A test that does not ask is not told.
            let _ = said.send(server.run());
        };
        let thread = Some(named.spawn(serve).expect("a thread can be started"));
        let publisher = Mutex::new(HttpClient::keeping(Target::new(addr)));
        Self { addr, handle, thread, measured, publisher }
    }

    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where it listens, for a client with the system's own buffers.
    #[must_use]
    pub const fn target(&self) -> Target {
        Target::new(self.addr)
    }

    /// Publishes through `POST /feed/publish`, and gives the number that the message got. Its
    /// payload is [`payload::numbered`](crate::payload::numbered).
    ///
    /// # Panics
    ///
    /// Where the server does not take it.
    pub async fn publish(&self, body: &[u8]) -> Seq {
        let mut publisher = self.publisher.lock().await;
        let answer = publisher.post("/feed/publish", body).await.expect("publishing is answered");
        assert!(answer.status.is_success(), "publishing: {} {}", answer.status, answer.text());
        let said: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let seq = said["seq"].as_u64().map(Seq);
        seq.unwrap_or_else(|| panic!("publishing: no number in {}", answer.text()))
    }

    /// Publishes each of `bodies` in turn, and gives the number of the last.
    ///
    /// # Panics
    ///
    /// Where the server does not take one, or there is none.
    pub async fn publish_all<B: AsRef<[u8]>>(&self, bodies: impl IntoIterator<Item = B>) -> Seq {
        let mut last = None;
        for body in bodies {
            last = Some(self.publish(body.as_ref()).await);
        }
        last.expect("there is a message to publish")
    }

    /// The answer to `GET /feed`.
    ///
    /// # Panics
    ///
    /// Where it says nothing, or something else than a feed.
    pub async fn describe(&self) -> FeedDescription {
        let mut client = HttpClient::closing(self.target());
        let answer = client.get("/feed").await.expect("the feed is described");
        serde_json::from_slice(&answer.body).expect("the description is one")
    }

    /// Starts the schedule now, and says which instant that was.
    pub fn start_schedule(&self) -> MonoInstant {
        let origin = clock::now();
        self.handle.start(origin);
        origin
    }

    /// Starts the schedule so that its zero is at `origin`.
    pub fn start_schedule_at(&self, origin: MonoInstant) {
        self.handle.start(origin);
    }

    /// Measures the publisher over this window.
    pub fn measure(&self, window: Window) {
        self.handle.measure(window);
    }

    /// Tells the server to stop, and does not wait until it has.
    pub fn begin_stop(&self) {
        self.handle.stop();
    }

    /// Waits until the server has taken every request that was sent before: it is asked something
    /// else, over new connections and more than once, and does one thing after the other.
    ///
    /// # Panics
    ///
    /// Where it does not answer.
    pub async fn has_read_everything(&self) {
        for _ in 0..3 {
            let mut client = HttpClient::closing(self.target());
            let answer = client.get("/healthz").await.expect("the server answers");
            assert!(answer.status.is_success(), "{}", answer.status);
        }
    }

    /// Stops the server and waits until it has, while its clients go on.
    ///
    /// # Panics
    ///
    /// Where it panicked, or does not stop for longer than a test waits.
    pub async fn stop(mut self) -> ServerMeasured {
        self.handle.stop();
        match timeout(PATIENCE, &mut self.measured).await {
            Ok(measured) => measured.expect("the server does not panic"),
            Err(_) => {
                // There is no use in waiting for it once more.
                self.thread = None;
                panic!("the server does not stop");
            }
        }
    }

    /// Stops the server and waits until it has, for a test without a runtime. Blocks the thread.
    ///
    /// # Panics
    ///
    /// Where it panicked.
    #[must_use]
    pub fn stop_blocking(mut self) -> ServerMeasured {
        self.handle.stop();
        let thread = self.thread.take().expect("only this and `drop` take it");
        thread.join().expect("the server does not panic");
        self.measured.try_recv().expect("it has said what it measured")
    }
}

impl Drop for StartedServer {
    fn drop(&mut self) {
        self.handle.stop();
        let panicked = self.thread.take().is_some_and(|server| server.join().is_err());
        assert!(!panicked || thread::panicking(), "the server panicked");
    }
}

/// The settings of a server of `feed` for a test. It compresses for clients that ask for it, as they
/// ask for it.
#[must_use]
pub fn config(feed: FeedSpec) -> ServerConfig {
    let compression = Some(CompressionTerms { takeover: true, ..CompressionTerms::default() });
    ServerConfig { close_timeout: CLOSE_TIMEOUT, compression, ..ServerConfig::new(feed) }
}

/// The settings of a server whose feed is published by hand, for a test.
#[must_use]
pub fn manual_config() -> ServerConfig {
    let payload = Payload::Generated { kind: PayloadKind::Text, bytes: 64 };
    config(FeedSpec { seed: 1, schedule: Schedule::Manual, payload })
}
