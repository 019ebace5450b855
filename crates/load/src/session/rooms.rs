//! Sessions of clients that talk: each listens in its room, by whatever transport.

use std::sync::{Mutex, PoisonError};

use pushbench_core::feed::identity::IdentityReader;
use pushbench_core::feed::said::SaidReader;
use pushbench_core::talk::{Pattern, Talk};
use pushbench_metrics::record::control::{LoadPlan, Room, Subject};

use super::{Make, Maker};

fn room_of(plan: &LoadPlan, talk: &Talk, client: u32) -> Room {
    match talk.pattern {
        Pattern::Echo if plan.contender.transport.is_duplex() => Room::Echo,
        Pattern::Chat | Pattern::Echo | Pattern::Upload => {
            Room::Named(Talk::room_name(talk.room_of(client)))
        }
    }
}

/// A thing that all clients of a room share. They are made in the order of their numbers, so that those
/// of a room come one after another and only the last room's is kept.
pub(super) struct OfRoom<T>(Mutex<Option<(u32, T)>>);

impl<T> Default for OfRoom<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> OfRoom<T> {
    /// The thing of that room, made where it is not the last one's, for `take` to take from it.
    pub(super) fn with<R>(
        &self,
        room: u32,
        make: impl FnOnce() -> T,
        take: impl FnOnce(&T) -> R,
    ) -> R {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = last.take().filter(|(known, _)| *known == room);
        let (_, thing) = last.insert(known.unwrap_or_else(|| (room, make())));
        take(thing)
    }
}

/// Clients of a transport's `sessions`, whose requests all of a room share.
pub(super) fn sessions(plan: &LoadPlan, talk: Talk, sessions: Maker) -> Make {
    let plan = plan.clone();
    let makers = OfRoom::default();
    Box::new(move |client| {
        let maker = || {
            let room = Some(room_of(&plan, &talk, client));
            let subject = Subject { room, ..plan.subject.clone() };
            let plan = LoadPlan { subject, ..plan.clone() };
            sessions(&plan, IdentityReader::Room(SaidReader::default()), None)
        };
        makers.with(talk.room_of(client), maker, |make: &Make| make(client))
    })
}
