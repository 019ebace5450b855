//! The server processes that are this run's own: how they start, go, and come back.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;

use pushbench_core::feed::FeedSpec;
use pushbench_core::life::Halt;
use pushbench_metrics::record::control::{Begun, Place, ServerNews, ServerOrder, ServerPlan};

use super::inbox::Message;
use super::link::LinkNetwork;
use super::process::{Output, Process, ProcessError};

/// The server processes of a trial, all with the same feed.
#[derive(Debug)]
pub(crate) struct OwnServers {
    each: Vec<OwnServer>,
    pub(crate) feed: FeedSpec,
    arguments: Vec<String>,
    messages: Sender<Message>,
}

/// One of them.
#[derive(Debug)]
struct OwnServer {
    plan: ServerPlan,
    process: Process,
    /// It goes because that was asked for, so that nobody is told of its end.
    dismissed: Arc<AtomicBool>,
}

impl OwnServers {
    /// Starts one with `plan` at each of `places`, each of which will say where it listens.
    pub(crate) fn start(
        arguments: &[String],
        plan: &ServerPlan,
        places: &[Place],
        network: Option<&LinkNetwork>,
        messages: &Sender<Message>,
    ) -> Result<Self, ProcessError> {
        let each = places.iter().enumerate().map(|(index, place)| {
            let place = network.map_or_else(|| place.clone(), |it| it.of_server(place.clone()));
            OwnServer::start(arguments, ServerPlan { place, ..plan.clone() }, index, messages)
        });
        Ok(Self {
            each: each.collect::<Result<_, _>>()?,
            feed: plan.feed.clone(),
            arguments: arguments.to_vec(),
            messages: messages.clone(),
        })
    }

    /// Their process ids.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.each.iter().map(|server| server.process.pid()).collect()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.each.len()
    }

    /// Gives all of them the same order.
    pub(crate) fn order(&mut self, order: &ServerOrder) -> Result<(), ProcessError> {
        self.each.iter_mut().try_for_each(|server| server.process.order(order))
    }

    /// Has all of them go. Whoever is killed has ended when this returns; who is told to go ends soon.
    pub(crate) fn halt(&mut self, how: Halt) -> Result<(), ProcessError> {
        for server in &mut self.each {
            server.dismissed.store(true, Ordering::Relaxed);
            match how {
                Halt::Kill => server.process.kill(),
                // As `SIGTERM` has a server do that was started by hand.
                Halt::Term => server.process.order(&ServerOrder::Stop)?,
            }
        }
        Ok(())
    }

    /// Whether all of them have ended.
    pub(crate) fn have_ended(&mut self) -> bool {
        self.each.iter_mut().all(|server| server.process.has_ended())
    }

    /// Starts another in the place of each, at the same address, which goes on with the feed as far as it
    /// has `begun`.
    pub(crate) fn succeed(
        &mut self,
        begun: Begun,
        addresses: &[SocketAddr],
    ) -> Result<(), ProcessError> {
        for (index, (server, listen)) in self.each.iter_mut().zip(addresses).enumerate() {
            let place = Place { listen: *listen, ..server.plan.place.clone() };
            let plan = ServerPlan { begun: Some(begun), place, ..server.plan.clone() };
            *server = OwnServer::start(&self.arguments, plan, index, &self.messages)?;
        }
        Ok(())
    }
}

impl OwnServer {
    fn start(
        arguments: &[String],
        plan: ServerPlan,
        index: usize,
        messages: &Sender<Message>,
    ) -> Result<Self, ProcessError> {
        let dismissed = Arc::new(AtomicBool::new(false));
        let (messages, is_dismissed) = (messages.clone(), Arc::clone(&dismissed));
        let tell = move |output: Output<ServerNews>| {
            if !is_dismissed.load(Ordering::Relaxed) {
                // The trial may be over: then nobody listens.
                let _ = messages.send(Message::Server(index, output));
            }
        };
        let process = Process::start(arguments, &plan.place, &plan, tell)?;
        Ok(Self { plan, process, dismissed })
    }
}
