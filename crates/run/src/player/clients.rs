//! The load processes of a trial: who plays which clients, and orders to all of them.

use std::net::SocketAddr;
use std::sync::mpsc::Sender;

use pushbench_metrics::record::control::{LoadOrder, LoadPlan, Place};
use pushbench_metrics::record::warning::Invalid;

use super::Commands;
use super::inbox::{Message, name};
use super::link::LinkNetwork;
use super::process::{Process, ProcessError};
use crate::error::TrialError;
use crate::place::Places;

/// The load processes of a trial.
pub(crate) struct ClientSide(Vec<Process>);

impl ClientSide {
    /// Starts the processes, without clients yet: `plan` is for all of the trial's clients in one.
    pub(crate) fn start(
        commands: &Commands,
        plan: &LoadPlan,
        places: &Places,
        targets: &[SocketAddr],
        network: Option<&LinkNetwork>,
        messages: &Sender<Message>,
    ) -> Result<Self, ProcessError> {
        let plans = split(plan, places, targets, network);
        let processes = plans.iter().enumerate().map(|(index, plan)| {
            let messages = messages.clone();
            Process::start(&commands.load, &plan.place, plan, move |output| {
                // The trial may be over: then nobody listens.
                let _ = messages.send(Message::Load(index, output));
            })
        });
        Ok(Self(processes.collect::<Result<_, _>>()?))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn pids(&self) -> Vec<u32> {
        self.0.iter().map(Process::pid).collect()
    }

    /// Gives all of them the same order.
    pub(crate) fn order(&mut self, order: &LoadOrder) -> Result<(), TrialError> {
        let count = self.0.len();
        for (index, process) in self.0.iter_mut().enumerate() {
            process.order(order).map_err(|error| {
                let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
                let error = format!("{}{error}{}", name(index, count), source.unwrap_or_default());
                TrialError::Invalid(Invalid::LoadDied { error })
            })?;
        }
        Ok(())
    }
}

/// Splits `plan` over `places`, whose processes connect to `targets` in turn. A process that would
/// have no client is left out.
fn split(
    plan: &LoadPlan,
    places: &Places,
    targets: &[SocketAddr],
    network: Option<&LinkNetwork>,
) -> Vec<LoadPlan> {
    let at = |place: &Place, first, clients| match network {
        Some(network) => network.of_load(place.clone(), first, clients),
        None => place.clone(),
    };
    // A room is in one process, which compares what its members heard, and at one server.
    let together = plan.talk.map_or(1, |talk| talk.room_size);
    let shares = shares(plan.total_clients, together, places.loads.len() as u32);
    let each = shares.into_iter().zip(&places.loads).zip(targets.iter().cycle());
    each.map(|(((first_client, clients), place), &target)| LoadPlan {
        place: at(place, first_client, clients),
        target,
        first_client,
        clients,
        ramp: places.ramp,
        ..plan.clone()
    })
    .collect()
}

/// Divides clients among processes as evenly as can be, so many of them staying together: the first
/// and the number of each.
fn shares(clients: u32, together: u32, processes: u32) -> Vec<(u32, u32)> {
    let groups = clients.div_ceil(together);
    let processes = processes.clamp(1, groups.max(1));
    let (each, more) = (groups / processes, groups % processes);
    let first = |index: u32| ((index * each + index.min(more)) * together).min(clients);
    (0..processes).map(|index| (first(index), first(index + 1) - first(index))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_is_played_once() {
        for (clients, processes) in [(1, 1), (10, 3), (100_000, 6), (2, 5), (7, 7)] {
            let shares = shares(clients, 1, processes);
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
    fn those_of_a_room_stay_together() {
        assert_eq!(shares(200, 20, 3), [(0, 80), (80, 60), (140, 60)]);
        assert_eq!(shares(50, 20, 2), [(0, 40), (40, 10)]);
        assert_eq!(shares(50, 50, 4), [(0, 50)]);
    }
}
