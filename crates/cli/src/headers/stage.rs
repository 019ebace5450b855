//! The stage of a case: the server's process, that of the clients, and between them loopback or a link.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd as _;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use pushbench_core::contender::Security;
use pushbench_core::{Contender, IpVersion, Link};
use pushbench_metrics::observe::device::RouterMeasured;
use pushbench_metrics::observe::ledger::{Direction, Source};
use pushbench_metrics::record::control::Place;
use pushbench_metrics::record::headers::{HeaderCase, OverLink, Passed};
use pushbench_os::time::clock;
use pushbench_run::player::link::{LinkNetwork, LinkSide};
use pushbench_run::player::process::{Output, Process};
use serde::{Deserialize, Serialize};

use super::case::Case;
use super::play::{self, PlayPlan, Played};
use super::server::Server;
use super::watched::LIMIT;
use crate::args::HeadersArgs;
use crate::exit::{Failure, Outcome};
use crate::{interrupt, plan, print, run};

/// How often is looked whether the user wants an end.
const LOOK: Duration = Duration::from_millis(50);

/// Where cases are played.
#[derive(Debug)]
pub(super) struct Stage {
    /// The server's address.
    pub(super) address: IpAddr,
    /// The link to it; `None` for loopback.
    pub(super) link: Option<Link>,
    /// Who counts what TCP and IP carry.
    pub(super) source: Source,
}

/// News of the process that plays the clients.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum PlayNews {
    /// All went well.
    Played(Played),
    /// It did not.
    Failed(String),
}

impl Stage {
    /// The stage that the arguments ask for. What the system does not give is refused here.
    pub(super) fn of(args: &HeadersArgs) -> Result<Self, Failure> {
        let Some(mut link) = args.link.chosen()? else {
            let source = if plan::can_capture() { Source::Captured } else { Source::Kernel };
            let (v4, v6) = (Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into());
            let address = if args.ipv6 { v6 } else { v4 };
            return Ok(Self { address, link: None, source });
        };
        if args.reproduce {
            return Err(refused(
                "--reproduce: the published clients are on loopback, not on a link",
            ));
        }
        if link.has_load() {
            return Err(refused(
                "--load-down, --load-up: only `run` plays traffic beside the feed",
            ));
        }
        if args.ipv6 {
            link.ip_version = IpVersion::V6;
            link.check().map_err(Failure::usage)?;
        }
        let side = LinkSide::start(&run::commands().link, &Place::default(), &link, 1, 1)?;
        let address = side.network().server();
        Ok(Self { address, link: Some(link), source: Source::Kernel })
    }

    /// Plays a case by each of `contenders`.
    pub(super) fn play(
        &self,
        case: &Case,
        contenders: &[Contender],
    ) -> Result<HeaderCase, Failure> {
        let name = &case.profile.name;
        let played = self.perform(case, contenders);
        let played = played.with_context(|| format!("header profile {name}"));
        if interrupt::interrupted() {
            return Err(Failure::Interrupted);
        }
        let (Played { rows, .. }, over_link) = played.map_err(Failure::Failed)?;
        Ok(HeaderCase {
            profile: name.clone(),
            about: case.profile.about.clone(),
            cookie_bytes: case.cookie_bytes,
            delivery: case.delivery,
            payload_bytes: case.payload as u64,
            rows,
            over_link,
        })
    }

    fn perform(
        &self,
        case: &Case,
        contenders: &[Contender],
    ) -> anyhow::Result<(Played, Option<OverLink>)> {
        let start = |link| LinkSide::start(&run::commands().link, &Place::default(), link, 1, 1);
        let side = self.link.as_ref().map(start).transpose()?;
        let network = side.as_ref().map(LinkSide::network);
        let is_secured = contenders.iter().any(|it| it.stack.security == Security::Tls);
        let server = Server::start(case, self.server_place(network), is_secured)?;
        let plan = PlayPlan {
            case: case.clone(),
            contenders: contenders.to_vec(),
            server: server.address,
            token: server.token.clone(),
            security: server.security.clone(),
            source: self.source,
            networks: network.and_then(LinkNetwork::namespaces).cloned(),
            limit: LIMIT + self.link.as_ref().map_or(Duration::ZERO, Link::grace),
        };
        let played = clients(&plan)?;
        let measured = side.map(|side| side.stop(clock::now())).transpose()?;
        let over_link = measured.map(|measured| over_link(&measured, played.passed)).transpose()?;
        Ok((played, over_link))
    }

    fn server_place(&self, network: Option<&LinkNetwork>) -> Place {
        let place = Place { listen: SocketAddr::new(self.address, 0), ..Place::default() };
        match network {
            Some(network) => network.of_server(place),
            None => place,
        }
    }
}

fn refused(why: &'static str) -> Failure {
    Failure::usage(anyhow!(why))
}

/// What the router counted, beside the kernel's count.
fn over_link(measured: &RouterMeasured, kernel: Passed) -> anyhow::Result<OverLink> {
    let unasked = measured.unasked_drops();
    if unasked > 0 {
        bail!("{unasked} packets were lost though no line dropped them; run again");
    }
    let mut over = OverLink { kernel, ..OverLink::default() };
    for tally in Direction::ALL.map(|way| measured.link.total(way)) {
        over.router.packets += tally.packets();
        over.router.ip_bytes += tally.bytes();
        over.router.payload_bytes += tally.payload_bytes;
        over.sent_again += tally.retransmitted_segments;
        over.dropped += tally.dropped.iter().map(|cause| cause.packets).sum::<u64>();
    }
    Ok(over)
}

/// Has a process play the clients.
fn clients(plan: &PlayPlan) -> anyhow::Result<Played> {
    let (sender, news) = channel();
    let command = ["worker-headers".to_owned()];
    let _process = Process::start(&command, &Place::default(), plan, move |output| {
        // Who was interrupted does not listen.
        let _ = sender.send(output);
    })
    .context("cannot start the clients")?;
    hear(&news)
}

fn hear(news: &Receiver<Output<PlayNews>>) -> anyhow::Result<Played> {
    loop {
        match news.recv_timeout(LOOK) {
            Ok(Output::News(PlayNews::Played(played))) => return Ok(played),
            Ok(Output::News(PlayNews::Failed(why))) => bail!(why),
            Ok(Output::Ended(why)) => bail!("the clients: {why}"),
            Err(RecvTimeoutError::Timeout) if !interrupt::interrupted() => {}
            Err(_) => bail!("interrupted"),
        }
    }
}

/// The clients' side: a process that takes a [`PlayPlan`] on its standard input.
pub(crate) fn worker() -> Result<Outcome, Failure> {
    let input = io::stdin().as_fd().try_clone_to_owned().map_err(Failure::failed)?;
    let mut line = String::new();
    BufReader::new(File::from(input)).read_line(&mut line).map_err(Failure::failed)?;
    let plan: PlayPlan = serde_json::from_str(&line).map_err(|error| {
        Failure::failed(anyhow!("this command is started by `pushbench headers`: {error}"))
    })?;
    let news = match play::play(&plan) {
        Ok(played) => PlayNews::Played(played),
        Err(error) => PlayNews::Failed(format!("{error:#}")),
    };
    print(&(serde_json::to_string(&news).map_err(Failure::failed)? + "\n"))?;
    Ok(Outcome::Done)
}
