//! The link of a trial, or one that a user makes by hand: the process that is its router, and the
//! networks that it made for the others.

mod trial_run;

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use pushbench_core::link::Link;
use pushbench_core::{IpVersion, MonoInstant};
use pushbench_link::Addressing;
use pushbench_link::network::{Namespaces, NetworkPlan, TooManyClients, addressing};
use pushbench_link::process::{RouterNews, RouterOrder, RouterPlan};
use pushbench_metrics::observe::device::{Backend, RouterMeasured};
use pushbench_metrics::record::control::Place;
use pushbench_os::net::source;
use thiserror::Error;

pub use self::trial_run::{Tried, try_out};
use super::process::{Output, Process, ProcessError};

/// How long the router may take to make the networks, and to say what it counted.
const LIMIT: Duration = Duration::from_secs(10);

/// A link that cannot be played.
#[derive(Debug, Error)]
pub enum LinkError {
    /// A router process that cannot be started, or takes no orders.
    #[error("cannot start the router of the link")]
    Process(#[from] ProcessError),
    /// More clients than addresses.
    #[error(transparent)]
    Clients(#[from] TooManyClients),
    /// A system that does not give this user what a link takes.
    #[error("{0}")]
    Refused(String),
    /// A router that cannot do its work for another reason.
    #[error("{0}")]
    Router(String),
    /// Traffic beside the feed that cannot be played.
    #[error("cannot fill the line beside the feed: {0}")]
    Cross(String),
    /// A router that says nothing.
    #[error("the router of the link said nothing for 10 s")]
    Silent,
}

/// A router, whose networks are there as long as this is.
#[derive(Debug)]
pub struct LinkSide {
    router: Process,
    news: Receiver<Output<RouterNews>>,
    network: LinkNetwork,
    backend: Backend,
}

/// The networks of a link, and who has which address in them.
#[derive(Debug, Clone)]
pub struct LinkNetwork {
    /// `None` where this process is in one of them itself.
    namespaces: Option<Namespaces>,
    addressing: Addressing,
}

impl LinkSide {
    /// Starts the router of `link` at `place`, for so many clients, and waits for the networks.
    ///
    /// # Errors
    ///
    /// A system that does not give this user what it takes, or a router that cannot do its work.
    pub fn start(
        command: &[String],
        place: &Place,
        link: &Link,
        clients: u32,
        seed: u64,
    ) -> Result<Self, LinkError> {
        let addressing = addressing(link.ip_version, clients)?;
        let plan = RouterPlan {
            link: link.clone(),
            clients,
            seed,
            backend: None,
            queue: NetworkPlan::QUEUE,
        };
        let (sender, news) = channel();
        let router = Process::start(command, place, &plan, move |output| {
            // The trial may be over: then nobody listens.
            let _ = sender.send(output);
        })?;
        match next(&news)? {
            RouterNews::Ready { namespaces, backend } => {
                let network = LinkNetwork { namespaces: Some(namespaces), addressing };
                Ok(Self { router, news, network, backend })
            }
            RouterNews::Refused(why) => Err(LinkError::Refused(why)),
            RouterNews::Failed(why) => Err(LinkError::Router(why)),
            RouterNews::Ended(_) => Err(LinkError::Silent),
        }
    }

    /// Its networks.
    #[must_use]
    pub const fn network(&self) -> &LinkNetwork {
        &self.network
    }

    /// The process id of the router.
    pub(crate) fn pid(&self) -> u32 {
        self.router.pid()
    }

    /// Says when the phases begin; before warm-up does.
    pub(crate) fn set_phases(
        &mut self,
        warmup: MonoInstant,
        window: Range<MonoInstant>,
    ) -> Result<(), LinkError> {
        Ok(self.router.order(&RouterOrder::Phases { warmup, window })?)
    }

    /// Why it came to an end that nobody asked for, if it has.
    #[must_use]
    pub fn failure(&self) -> Option<LinkError> {
        match self.news.try_recv().ok()? {
            Output::News(RouterNews::Refused(why) | RouterNews::Failed(why)) => {
                Some(LinkError::Router(why))
            }
            Output::News(RouterNews::Ready { .. } | RouterNews::Ended(_)) => None,
            Output::Ended(why) => Some(router_ended(&why)),
        }
    }

    /// Ends the router, which says what it counted; the drain ended at `closing`.
    ///
    /// # Errors
    ///
    /// A router that has ended before, or says nothing.
    pub fn stop(mut self, closing: MonoInstant) -> Result<RouterMeasured, LinkError> {
        self.router.order(&RouterOrder::Stop { closing })?;
        match next(&self.news)? {
            RouterNews::Ended(measured) => Ok(*measured),
            RouterNews::Refused(why) | RouterNews::Failed(why) => Err(LinkError::Router(why)),
            RouterNews::Ready { .. } => Err(LinkError::Silent),
        }
    }
}

fn next(news: &Receiver<Output<RouterNews>>) -> Result<RouterNews, LinkError> {
    match news.recv_timeout(LIMIT) {
        Ok(Output::News(news)) => Ok(news),
        Ok(Output::Ended(why)) => Err(router_ended(&why)),
        Err(_) => Err(LinkError::Silent),
    }
}

fn router_ended(why: &str) -> LinkError {
    LinkError::Router(format!("the router of the link: {why}"))
}

impl LinkNetwork {
    /// The network that this process is in, where it is that of the clients of a link whose server is
    /// at `target`: then each of so many clients can have an address, and so a line, of its own.
    #[must_use]
    pub fn around(target: IpAddr, clients: u32) -> Option<Self> {
        let addressing = addressing(IpVersion::of(target), clients).ok()?;
        let prefix = addressing.prefix;
        // Of a whole prefix no other network makes its own, and goes out from its first address.
        let last = prefix.address(prefix.clients() - 1)?;
        let is_inside = addressing.server == target
            && source::is_own(last)
            && source::towards(target) == prefix.address(0);
        is_inside.then_some(Self { namespaces: None, addressing })
    }

    /// The server's address.
    #[must_use]
    pub const fn server(&self) -> IpAddr {
        self.addressing.server
    }

    /// Where they are, for processes that are to live there; `None` of those around this one.
    #[must_use]
    pub const fn namespaces(&self) -> Option<&Namespaces> {
        self.namespaces.as_ref()
    }

    /// Who has which address.
    pub(crate) const fn addressing(&self) -> &Addressing {
        &self.addressing
    }

    /// The place of a server process that would be at `place` without a link.
    #[must_use]
    pub fn of_server(&self, place: Place) -> Place {
        let listen = SocketAddr::new(self.addressing.server, place.listen.port());
        Place { listen, ..self.inside(place, |all| &all.server) }
    }

    /// The place of a load process that would be at `place`, and plays `clients` from the `first` on:
    /// each has an address of its own.
    pub(crate) fn of_load(&self, place: Place, first: u32, clients: u32) -> Place {
        let address = |client| self.addressing.prefix.address(client);
        let sources: Vec<IpAddr> = (first..first + clients).filter_map(address).collect();
        Place { sources, ..self.inside(place, |all| &all.load) }
    }

    fn inside(&self, place: Place, of: impl Fn(&Namespaces) -> &PathBuf) -> Place {
        Place { namespace: self.namespaces.as_ref().map(|all| of(all).clone()), ..place }
    }
}
