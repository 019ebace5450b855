//! Two processes that talk to each other, over a link or over loopback.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use pushbench_core::MonoInstant;
use pushbench_core::link::{Link, Ways};
use pushbench_core::units::Span;
use pushbench_link::network::{Namespaces, NetworkPlan, addressing};
use pushbench_link::process::{RouterNews, RouterOrder, RouterPlan};
use pushbench_metrics::observe::device::{Backend, RouterMeasured};
use pushbench_os::machine::affinity;
use serde::de::DeserializeOwned;

use crate::role::{ROLE, Role};

/// A process of a trial. Dropping it ends it.
pub(crate) struct Process {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts a process, on a core if one is given.
    pub(crate) fn start(role: &Role, core: Option<u32>) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .env(ROLE, serde_json::to_string(role)?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start a process of the trial")?;
        if let Some(core) = core {
            affinity::pin(child.id(), core)?;
        }
        let output = BufReader::new(child.stdout.take().context("a process has no output")?);
        Ok(Self { child, output })
    }

    /// The next line that it says.
    pub(crate) fn hear<T: DeserializeOwned>(&mut self) -> anyhow::Result<T> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        serde_json::from_str(&line).with_context(|| format!("a process said `{line}`"))
    }

    /// Waits until it listens.
    pub(crate) fn listens(&mut self) -> anyhow::Result<()> {
        let said: String = self.hear()?;
        ensure!(said == "listens", "a process said `{said}` before it listened");
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Where it has ended already nothing is killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The network between the two.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Between {
    /// The loopback device.
    Loopback,
    /// A link of that delay each way.
    Link(Backend, Duration),
}

impl Between {
    pub(crate) fn name(self) -> String {
        match self {
            Self::Loopback => "loopback".to_owned(),
            Self::Link(backend, delay) => format!("{}, {} ms", backend.name(), delay.as_millis()),
        }
    }

    pub(crate) const fn delay(self) -> Duration {
        match self {
            Self::Loopback => Duration::ZERO,
            Self::Link(_, delay) => delay,
        }
    }
}

/// The network between a trial's processes.
pub(crate) struct Ground {
    router: Option<(Process, Namespaces)>,
    /// Where the server is.
    pub(crate) server: SocketAddr,
    /// Where a client is.
    pub(crate) client: SocketAddr,
}

/// The port of the receiver.
const PORT: u16 = 47_117;

impl Ground {
    /// Makes the networks, if any are wanted, with the router on a core if one is given.
    pub(crate) fn make(between: Between, core: Option<u32>) -> anyhow::Result<Self> {
        let Between::Link(backend, delay) = between else {
            let address = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
            return Ok(Self { router: None, server: address(PORT), client: address(PORT + 1) });
        };
        let link = Link { delay: Ways::both(Span(delay)), ..Link::default() };
        Self::over(link, Some(backend), core)
    }

    /// The networks of a link, with the router on a core if one is given.
    pub(crate) fn over(
        link: Link,
        backend: Option<Backend>,
        core: Option<u32>,
    ) -> anyhow::Result<Self> {
        let addressing = addressing(link.ip_version, 1)?;
        let plan = RouterPlan { link, clients: 1, seed: 1, backend, queue: NetworkPlan::QUEUE };
        let mut router = Process::start(&Role::Router, core)?;
        let orders = router.child.stdin.as_mut().context("the router has no input")?;
        writeln!(orders, "{}", serde_json::to_string(&plan)?)?;
        let namespaces = match router.hear()? {
            RouterNews::Ready { namespaces, .. } => namespaces,
            RouterNews::Refused(reason) | RouterNews::Failed(reason) => bail!(reason),
            RouterNews::Ended(_) => bail!("the router ended before it was told to"),
        };
        let client = addressing.prefix.address(0).context("there is a client")?;
        let (server, client) =
            (SocketAddr::new(addressing.server, PORT), SocketAddr::new(client, PORT));
        Ok(Self { router: Some((router, namespaces)), server, client })
    }

    pub(crate) fn server_network(&self) -> Option<PathBuf> {
        Some(self.router.as_ref()?.1.server.clone())
    }

    pub(crate) fn load_network(&self) -> Option<PathBuf> {
        Some(self.router.as_ref()?.1.load.clone())
    }

    /// Says what the router is to count as the window.
    pub(crate) fn set_window(&mut self, window: Range<MonoInstant>) -> anyhow::Result<()> {
        let (router, _) = self.router.as_mut().context("loopback has no router")?;
        let orders = router.child.stdin.as_mut().context("the router has no input")?;
        let order = RouterOrder::Phases { warmup: window.start, window };
        Ok(writeln!(orders, "{}", serde_json::to_string(&order)?)?)
    }

    /// Stops the router; what it counted, if there is one.
    pub(crate) fn end(self) -> anyhow::Result<Option<RouterMeasured>> {
        let Some((mut router, _)) = self.router else { return Ok(None) };
        router.child.stdin = None;
        match router.hear()? {
            RouterNews::Ended(measured) => Ok(Some(*measured)),
            other => bail!("the router said {other:?}"),
        }
    }
}

/// Plays a trial again where its processes were kept from their cores for more than [`SHARE`] of
/// the time, or the router for longer than [`LONGEST`]; of those the one that was least.
pub(crate) fn quiet<T>(
    seconds: Duration,
    mut play: impl FnMut() -> anyhow::Result<(T, Duration, Option<RouterMeasured>)>,
) -> anyhow::Result<T> {
    let mut best: Option<(f64, T)> = None;
    for _ in 0..ATTEMPTS {
        let (trial, waited, router) = play()?;
        let longest = router.map_or(Duration::ZERO, |router| router.longest_wait);
        let disturbed = f64::max(
            waited.as_secs_f64() / seconds.as_secs_f64() / SHARE,
            longest.as_secs_f64() / LONGEST.as_secs_f64(),
        );
        if best.as_ref().is_none_or(|(least, _)| disturbed < *least) {
            best = Some((disturbed, trial));
        }
        if disturbed <= 1.0 {
            break;
        }
    }
    Ok(best.context("a trial is played at least once")?.1)
}

/// How often a trial is played before one that was disturbed is taken.
const ATTEMPTS: u32 = 8;
/// The share of its time for which a process may wait for a core.
const SHARE: f64 = 0.002;
/// How long the router may wait for its core at a time.
const LONGEST: Duration = Duration::from_millis(2);
