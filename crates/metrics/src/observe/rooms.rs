//! The recorder of clients that talk: an audit for each room, of what each member heard of each other.
//! Where they upload it is the server that hears each of them, as if that were alone in its room.
//!
//! Messages are told apart by who said them and by their number among the sender's, and were due when
//! the sender's schedule had it. A room has one order: members that heard all of the window must have
//! heard it in the same.

mod room;

use pushbench_core::instant::saturating_nanos;
use pushbench_core::talk::Talk;
use pushbench_core::{Identity, MonoInstant, Sender};

use self::room::Room;
use crate::observe::age::Age;
use crate::observe::audit::{ArrivalClass, AuditTotals};
use crate::observe::ledger::{Direction, Phase, Source, Tally, TcpipTally};
use crate::observe::measure::Measure;
use crate::observe::measured::Measured;
use crate::observe::observer::{Arrival, Event, Observer, Window};
use crate::observe::recorder::Common;
use crate::observe::silence::{Coming, Silence};
use crate::observe::so_far::SoFar;

/// Measures the clients of one load process that talk, during one trial.
#[derive(Debug, Clone)]
pub struct RoomRecorder {
    talk: Talk,
    /// The number of this process's first client among all of the trial's.
    first_client: u32,
    rooms: Vec<Room>,
    /// Whether anything is to be heard here.
    hears: bool,
    /// Messages due in the window, of all senders of the trial.
    published: u64,
    strays: u64,
    age: Age,
    common: Common,
}

impl RoomRecorder {
    /// For `clients` clients of `total` that talk so, the first of which has the number
    /// `first_client`. Those that upload hear nothing.
    #[must_use]
    pub fn new(talk: Talk, first_client: u32, clients: u32, total: u32) -> Self {
        Self::of(talk, (first_client, clients), total, talk.pattern.is_heard())
    }

    /// For the server to which `clients` clients say what they have to say.
    #[must_use]
    pub fn of_server(talk: Talk, clients: u32) -> Self {
        Self::of(Talk { room_size: 1, ..talk }, (0, clients), clients, true)
    }

    fn of(talk: Talk, (first_client, clients): (u32, u32), total: u32, hears: bool) -> Self {
        let end = first_client.saturating_add(clients);
        let last = talk.room_of(end.saturating_sub(1));
        let rooms = (talk.room_of(first_client)..=last)
            .map(|room| Room::new(talk.members(room, total), &(first_client..end)))
            .collect();
        let (age, common) = (Age::new(clients), Common::default());
        Self { talk, first_client, rooms, hears, published: 0, strays: 0, age, common }
    }

    fn room_of(&self, client: u32) -> usize {
        let first = self.talk.room_of(self.first_client);
        (self.talk.room_of(self.first_client + client) - first) as usize
    }

    /// The room of a client, and its place among those members that this process plays.
    #[inline]
    fn place_of(&self, client: u32) -> (usize, u32) {
        let room = self.room_of(client);
        (room, self.first_client + client - self.rooms[room].first_here())
    }

    /// A message came that none of the clients has said.
    pub const fn strayed(&mut self) {
        self.strays += 1;
    }

    /// The totals of all rooms.
    fn audit(&self) -> AuditTotals {
        let mut audit = AuditTotals { due: Some(0), ..AuditTotals::default() };
        for room in &self.rooms {
            audit.merge(&AuditTotals { gaps: None, ..room.totals() });
        }
        AuditTotals { published: self.published, ..audit }
    }
}

impl Measure for RoomRecorder {
    fn set_window(&mut self, window: Window) {
        self.age.set_window(&window);
        self.common.set_window(window);
    }

    fn set_speakers(&mut self, windows: &[Window]) {
        self.published = windows.iter().map(Window::len).sum();
        let windows = if self.hears { windows } else { &[] };
        for room in &mut self.rooms {
            room.set_speakers(windows);
        }
    }

    fn exclude(&mut self, client: u32) {
        let (room, place) = self.place_of(client);
        self.rooms[room].exclude(place);
    }

    fn settled(&self) -> bool {
        !self.hears || self.rooms.iter().all(Room::settled)
    }

    fn so_far(&self) -> SoFar {
        SoFar::of(&self.common.measured)
    }

    fn end_drain(
        &mut self,
        end: MonoInstant,
        coming: &dyn Fn(u32) -> Coming,
        due: &dyn Fn(Identity) -> Option<MonoInstant>,
    ) {
        let Some(window) = self.common.window.filter(|_| self.hears) else { return };
        for room in &mut self.rooms {
            let first = room.first_here() - self.first_client;
            for place in room.awaiting() {
                let client = first + place;
                let coming = coming(client);
                if coming.under_way {
                    room.set_under_way(place);
                    continue;
                }
                let since = coming.last.or_else(|| self.age.held_since(client));
                let silence = Silence::of_client(room.newest(place), since, &window);
                self.common.measured.silence.get_or_insert_default().merge(&silence);
            }
            for (message, clients) in room.late() {
                let Some(due) = due(message) else { continue };
                let bound = end.saturating_since(due);
                self.common.measured.late.record_many_ns(saturating_nanos(bound), clients);
                if let Some(second) = window.second(due) {
                    self.common.measured.series.late(second, bound, clients);
                }
            }
        }
    }

    fn sockets_moved(&mut self, up: u64, down: u64) {
        self.common.sockets_moved(up, down);
    }

    fn tcpip(&mut self, phase: Phase, direction: Direction, source: Source, tally: &TcpipTally) {
        self.common.tcpip(phase, direction, source, tally);
    }

    fn finish(&mut self) -> Measured {
        let age = self.age.finish(|client| {
            let (room, place) = self.place_of(client);
            !self.rooms[room].excludes(place)
        });
        let audit = self.audit();
        let mut heard = self.common.measured.heard.take().unwrap_or_default();
        heard.strays = self.strays;
        self.rooms.iter().for_each(|room| room.compare(&mut heard));
        let heard = Some(heard);
        Measured { audit, age, heard, ..std::mem::take(&mut self.common.measured) }
    }
}

impl Observer for RoomRecorder {
    fn arrived(&mut self, arrival: &Arrival) {
        let (room, place) = self.place_of(arrival.client);
        let Some(sender) = self.rooms[room].member(arrival.sender) else {
            self.strays += 1;
            return;
        };
        if arrival.at < arrival.due {
            self.common.measured.fit.arrived_early(arrival);
        }
        let before = self.age.took(arrival.client, arrival.due, arrival.at);
        let within = Arrival { client: place, sender: Sender(sender), ..*arrival };
        let class = self.rooms[room].classify(&within);
        let Some(window) = self.common.window.filter(|_| class != ArrivalClass::Duplicate) else {
            return;
        };
        let measured = &mut self.common.measured;
        if window.spans(arrival.at) {
            measured.counters.came(arrival.due, arrival.at, before);
        }
        if class != ArrivalClass::New {
            return;
        }
        let latency = arrival.latency();
        measured.latency.record(latency);
        if let Some(second) = window.second(arrival.due) {
            measured.series.delivered(second, latency);
        }
        if let Some(took) = self.rooms[room].heard(&within) {
            measured.heard.get_or_insert_default().fan_out.record(took);
        }
    }

    #[inline]
    fn moved(&mut self, phase: Phase, at: MonoInstant, bytes: &Tally) {
        self.common.moved(phase, at, bytes);
    }

    #[inline]
    fn happened(&mut self, phase: Phase, at: MonoInstant, event: &Event) {
        self.common.happened(phase, at, event);
    }
}

#[cfg(test)]
mod tests;
