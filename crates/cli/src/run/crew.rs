//! The load processes of a trial: who plays which clients, and orders to all of them.

use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::Sender;

use pushbench_metrics::record::Pinned;
use pushbench_metrics::record::control::{LoadOrder, LoadPlan};
use pushbench_metrics::record::warning::Invalid;
use pushbench_os::machine::limits::Room;
use pushbench_os::net::source::loopback_addresses;

use super::ear::{Note, name};
use super::subject::Source;
use super::trial::{Trouble, Turn, connect_limit};
use crate::child::Worker;
use crate::plan::Plan;

/// Where a trial's processes are.
pub(super) struct Places<'a> {
    pub(super) room: &'a Room,
    pub(super) pinned: Option<&'a Pinned>,
    /// The server processes, which load processes connect to in turn.
    pub(super) targets: &'a [SocketAddr],
}

/// The load processes of a trial.
pub(super) struct Crew(Vec<Worker<LoadOrder>>);

impl Crew {
    /// Starts the processes, without clients yet, for the server from `source`.
    pub(super) fn start(
        plan: &Plan,
        turn: Turn,
        places: &Places<'_>,
        source: &Source,
        notes: &Sender<Note>,
    ) -> anyhow::Result<Self> {
        let mut plans = load_plans(plan, turn, places);
        if let Source::Running(target, _) = source {
            plans.iter_mut().for_each(|plan| target.complete(plan));
        }
        let workers = plans.iter().enumerate().map(|(index, plan)| {
            let notes = notes.clone();
            let core = places.pinned.and_then(|pinned| core(&pinned.load, index));
            Worker::spawn("worker-load", core, plan, move |said| {
                // The trial may be over: then nobody listens.
                let _ = notes.send(Note::Load(index, said));
            })
        });
        Ok(Self(workers.collect::<anyhow::Result<_>>()?))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn pids(&self) -> Vec<u32> {
        self.0.iter().map(Worker::pid).collect()
    }

    /// Gives all of them the same order.
    pub(super) fn order(&mut self, order: &LoadOrder) -> Result<(), Trouble> {
        let count = self.0.len();
        for (index, worker) in self.0.iter_mut().enumerate() {
            worker.order(order).map_err(|error| {
                let error = format!("{}{error:#}", name(index, count));
                Trouble::Invalid(Invalid::LoadDied { error })
            })?;
        }
        Ok(())
    }
}

/// The core of process `index` among those that its kind has.
pub(super) fn core(cores: &[u32], index: usize) -> Option<u32> {
    cores.get(index % cores.len().max(1)).copied()
}

/// What each load process is to do. One that would have no client is left out.
fn load_plans(plan: &Plan, turn: Turn, places: &Places<'_>) -> Vec<LoadPlan> {
    let (point, room) = (plan.point(turn.id), places.room);
    let shares = shares(point.clients, room.load_processes);
    let plans = shares.into_iter().zip((0..).zip(places.targets).cycle());
    plans
        .map(|((first_client, clients), (server, &target))| LoadPlan {
            delivery: plan.scenario.delivery,
            headers: plan.request_headers(turn.id),
            first_client,
            total_clients: point.clients,
            poll_interval: point.poll_interval.0,
            long_poll_timeout: point.long_poll_timeout.0,
            // Each round has its own poll phases, so that none of them is measured twice.
            seed: plan.scenario.seed ^ (u64::from(turn.id.round) << 32),
            connect_timeout: connect_limit(point.clients),
            ramp: plan.layout.ramp(room),
            sources: sources(room, server),
            stamps: plan.sampling(turn.id),
            bare: plan.bare.then(|| plan.feed(turn.id).payload),
            ..LoadPlan::new(target, turn.id.contender, clients)
        })
        .collect()
}

/// The addresses to connect to a server process from; none where the system may choose. Each
/// server process is reached from others, so that a client's address is met once in a trial.
fn sources(room: &Room, server: u32) -> Vec<IpAddr> {
    if room.sources.max(room.server_processes) == 1 {
        return Vec::new();
    }
    loopback_addresses(server * room.sources, room.sources)
}

/// Divides clients among processes as evenly as can be: the first and the number of each.
fn shares(clients: u32, processes: u32) -> Vec<(u32, u32)> {
    let processes = processes.clamp(1, clients.max(1));
    let (each, more) = (clients / processes, clients % processes);
    let first = |index: u32| index * each + index.min(more);
    (0..processes).map(|index| (first(index), each + u32::from(index < more))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_is_played_once() {
        for (clients, processes) in [(1, 1), (10, 3), (100_000, 6), (2, 5), (7, 7)] {
            let shares = shares(clients, processes);
            assert_eq!(shares.len(), processes.min(clients) as usize);
            let mut next = 0;
            for (first, count) in &shares {
                assert_eq!(*first, next);
                assert!(*count > 0 && count.abs_diff(clients / processes.min(clients)) <= 1);
                next += count;
            }
            assert_eq!(next, clients);
        }
    }

    #[test]
    fn no_two_servers_are_reached_from_one_address() {
        let room = |server_processes, sources| {
            let room = Room { server_processes, load_processes: server_processes, sources };
            (0..server_processes).flat_map(move |server| self::sources(&room, server))
        };
        assert_eq!(room(1, 1).count(), 0);
        assert_eq!(room(1, 4).count(), 4);
        let all: std::collections::BTreeSet<IpAddr> = room(6, 2).collect();
        assert_eq!(all.len(), 12);
    }

    #[test]
    fn processes_take_their_cores_in_turn() {
        assert_eq!(core(&[], 3), None);
        assert_eq!([0, 1, 2].map(|index| core(&[4, 6], index)), [Some(4), Some(6), Some(4)]);
    }
}
