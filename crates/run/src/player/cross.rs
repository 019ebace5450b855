//! The traffic beside the feed of a trial: a process on each side of its link.

use std::ops::Range;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_core::link::Link;
use pushbench_link::cross::{
    CONGESTION, CrossCount, CrossNews, CrossOrder, CrossPart, CrossPlan, CrossPorts,
};
use pushbench_link::router::Side;
use pushbench_metrics::observe::cross::CrossMeasured;
use pushbench_metrics::record::control::Place;

use super::link::{LinkError, LinkNetwork};
use super::process::{Output, Process};

/// How long a process may take to say what it is asked for.
const LIMIT: Duration = Duration::from_secs(10);

/// The processes that fill the line of a trial. Dropping them ends what flows.
#[derive(Debug)]
pub(crate) struct CrossSide {
    server: Player,
    clients: Player,
    has_down: bool,
    has_up: bool,
}

/// One of them.
#[derive(Debug)]
struct Player {
    process: Process,
    news: Receiver<Output<CrossNews>>,
}

impl CrossSide {
    /// Starts both, at the ends of `link`; nothing flows yet. `None` where nothing is to.
    pub(crate) fn start(
        command: &[String],
        link: &Link,
        network: &LinkNetwork,
    ) -> Result<Option<Self>, LinkError> {
        if !link.has_load() {
            return Ok(None);
        }
        let namespaces =
            network.namespaces().ok_or_else(|| failed("its networks are not known"))?;
        let play = |side, part| {
            let namespace = namespaces.of(side).to_owned();
            Player::start(command, &CrossPlan { namespace, part })
        };
        let addressing = network.addressing();
        let (server, ports) = play(Side::Server, CrossPart::Server { address: addressing.server })?;
        let ports = ports.ok_or_else(|| failed("it listens nowhere"))?;
        let source = addressing.cross().ok_or_else(|| failed("there is no address left for it"))?;
        let part = CrossPart::Clients { source, ports, down: link.load_down, up: link.load_up };
        let (clients, _) = play(Side::Clients, part)?;
        let (has_down, has_up) = (link.load_down > 0, link.load_up > 0);
        Ok(Some(Self { server, clients, has_down, has_up }))
    }

    /// The ids of the processes.
    pub(crate) fn pids(&self) -> [u32; 2] {
        [self.server.process.pid(), self.clients.process.pid()]
    }

    /// Says when it is to begin, and what the window is.
    pub(crate) fn set_phases(
        &mut self,
        warmup: MonoInstant,
        window: Range<MonoInstant>,
    ) -> Result<(), LinkError> {
        let order = CrossOrder::Run { warmup, window };
        self.server.order(&order)?;
        self.clients.order(&order)
    }

    /// Ends it once the drain has; what came of it within the window.
    pub(crate) fn stop(mut self) -> Result<CrossMeasured, LinkError> {
        let (up, down) = (self.server.count()?, self.clients.count()?);
        Ok(CrossMeasured {
            down_bytes: self.has_down.then_some(down.received),
            up_bytes: self.has_up.then_some(up.received),
            congestion: CONGESTION.to_owned(),
            error: down.error.or(up.error),
        })
    }
}

impl Player {
    fn start(
        command: &[String],
        plan: &CrossPlan,
    ) -> Result<(Self, Option<CrossPorts>), LinkError> {
        let (sender, news) = channel();
        let process = Process::start(command, &Place::default(), plan, move |output| {
            // The trial may be over: then nobody listens.
            let _ = sender.send(output);
        });
        let process = process.map_err(|error| failed(&error.to_string()))?;
        let player = Self { process, news };
        match player.next()? {
            CrossNews::Ready(ports) => Ok((player, ports)),
            other => Err(unasked(&other)),
        }
    }

    fn order(&mut self, order: &CrossOrder) -> Result<(), LinkError> {
        self.process.order(order).map_err(|error| failed(&error.to_string()))
    }

    fn count(&mut self) -> Result<CrossCount, LinkError> {
        self.order(&CrossOrder::Stop)?;
        match self.next()? {
            CrossNews::Counted(count) => Ok(count),
            other => Err(unasked(&other)),
        }
    }

    fn next(&self) -> Result<CrossNews, LinkError> {
        match self.news.recv_timeout(LIMIT) {
            Ok(Output::News(CrossNews::Failed(why)) | Output::Ended(why)) => Err(failed(&why)),
            Ok(Output::News(news)) => Ok(news),
            Err(_) => Err(failed("a process said nothing for 10 s")),
        }
    }
}

fn failed(why: &str) -> LinkError {
    LinkError::Cross(why.to_owned())
}

fn unasked(news: &CrossNews) -> LinkError {
    failed(&format!("a process said {news:?}"))
}
