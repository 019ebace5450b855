//! Talk: clients that speak as well as listen, in rooms.
//!
//! Clients are numbered from 0 over the whole trial and are in rooms of one size, in the order of
//! their numbers. Each says messages on a schedule of its own, a pure function of (seed, client), so
//! that whoever knows the seed knows when which message was to be said: latency counts from that
//! instant, however late the client got round to saying it. A said message begins with its sender
//! and its number, ten digits each.

use std::ops::Range;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::feed::identity::{Identity, Sender};
use crate::feed::message::SEQ_DIGITS;
use crate::feed::schedule::{Checkpoint, Schedule, Timetable, WalkError};
use crate::instant::MonoInstant;
use crate::named::by_name;
use crate::random;
use crate::units::Rate;

/// The stream of random numbers that the senders' phases are drawn from.
const PHASE_STREAM: u64 = 401;

/// The stream of random numbers that the senders' seeds are drawn from.
const SEED_STREAM: u64 = 402;

/// The fewest bytes of a said message: its sender and its number.
pub const LEAST_SAID: usize = 2 * SEQ_DIGITS;

/// Who hears what a client says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// Everyone in its room, itself included.
    Chat,
    /// Itself alone.
    Echo,
    /// No client: it goes to the server alone.
    Upload,
}

impl Pattern {
    /// Whether a client has its room for itself.
    #[must_use]
    pub const fn is_alone(self) -> bool {
        matches!(self, Self::Echo | Self::Upload)
    }

    /// Whether clients hear what is said.
    #[must_use]
    pub const fn is_heard(self) -> bool {
        !matches!(self, Self::Upload)
    }
}

/// The law of the instants at which a client speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pace {
    /// Evenly spaced, each client with a phase of its own.
    #[default]
    Constant,
    /// Exponentially distributed gaps.
    Poisson,
}

by_name!(Pattern, Pace);

/// The way in which the clients of a trial talk.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Talk {
    /// Who hears what a client says.
    pub pattern: Pattern,
    /// Messages that each client says in a unit of time.
    pub rate: Rate,
    /// The law of their instants.
    pub pace: Pace,
    /// Clients in a room; the last room may have fewer.
    pub room_size: u32,
    /// Bytes of a said message, at least [`LEAST_SAID`].
    pub bytes: u32,
}

impl Talk {
    /// The room of a client.
    #[must_use]
    pub const fn room_of(&self, client: u32) -> u32 {
        client / self.room_size
    }

    /// How many rooms so many clients fill.
    #[must_use]
    pub const fn rooms(&self, clients: u32) -> u32 {
        clients.div_ceil(self.room_size)
    }

    /// The members of a room, of so many clients in all.
    #[must_use]
    pub const fn members(&self, room: u32, clients: u32) -> Range<u32> {
        let first = room.saturating_mul(self.room_size);
        let end = first.saturating_add(self.room_size);
        first..if end < clients { end } else { clients }
    }

    /// The name of a room at the server.
    #[must_use]
    pub fn room_name(room: u32) -> String {
        format!("room-{room}")
    }

    /// The instants at which `sender` speaks, where all begin at `origin`: from the message on that is
    /// due at `from` or later.
    ///
    /// # Errors
    ///
    /// Those of [`Timetable::starting_at`].
    pub fn timetable(
        &self,
        seed: u64,
        sender: Sender,
        origin: MonoInstant,
        from: MonoInstant,
    ) -> Result<Timetable, WalkError> {
        let own = u64::from(sender.0);
        let (schedule, phase) = match self.pace {
            Pace::Constant => {
                let phase = random::uniform(seed, PHASE_STREAM, own) / self.rate.hz();
                (Schedule::Constant { rate: self.rate }, phase)
            }
            Pace::Poisson => (Schedule::Poisson { rate: self.rate }, 0.0),
        };
        let origin = origin + Duration::from_secs_f64(phase);
        let seed = random::bits(seed, SEED_STREAM, own);
        Timetable::starting_at(schedule, seed, origin, Checkpoint::START, from)
    }

    /// Appends the message: its sender, its number, and filling.
    pub fn push_message(&self, message: Identity, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(format!("{:010}", message.sender.0).as_bytes());
        out.extend_from_slice(&message.seq.digits());
        let filling = (self.bytes as usize).saturating_sub(out.len() - start);
        out.extend((0..filling).map(|at| b'a' + (at % 26) as u8));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::message::Seq;
    use crate::feed::said::SaidReader;

    fn talk(pace: Pace) -> Talk {
        let rate = Rate::from_hz(10.0).unwrap();
        Talk { pattern: Pattern::Chat, rate, pace, room_size: 3, bytes: 30 }
    }

    #[test]
    fn rooms_hold_the_clients_in_their_order_and_the_last_one_the_rest() {
        let talk = talk(Pace::Constant);
        assert_eq!([0, 2, 3, 7].map(|client| talk.room_of(client)), [0, 0, 1, 2]);
        assert_eq!((talk.rooms(8), talk.rooms(9)), (3, 3));
        assert_eq!((talk.members(1, 8), talk.members(2, 8)), (3..6, 6..8));
    }

    #[test]
    fn a_message_begins_with_its_sender_and_its_number() {
        let (talk, mut bytes) = (talk(Pace::Constant), Vec::new());
        let message = Identity { sender: Sender(7), seq: Seq(42) };
        talk.push_message(message, &mut bytes);
        assert_eq!(bytes, b"00000000070000000042abcdefghij");
        assert_eq!(SaidReader::default().last(&bytes).map(Identity::of_client), Ok(message));
    }

    /// Two senders do not speak in step, and each keeps its own rate.
    #[test]
    fn each_sender_has_instants_of_its_own() {
        let origin = MonoInstant(1_000_000_000);
        let end = origin + Duration::from_secs(100);
        for pace in [Pace::Constant, Pace::Poisson] {
            let dues = [0, 1].map(|sender| {
                let mut table = talk(pace).timetable(1, Sender(sender), origin, origin).unwrap();
                let (first, last) = table.between(origin, end).unwrap();
                assert_eq!(first, Seq(1));
                // Of a Poisson number with a mean of 1000 the deviation is 32.
                assert!((800..1_200).contains(&last.0), "{pace}: {last}");
                table.due(Seq(1)).unwrap()
            });
            assert_ne!(dues[0], dues[1], "{pace}");
            assert!(dues.iter().all(|&due| due >= origin), "{pace}");
        }
    }
}
