//! Instants of what each client of a trial says.

use pushbench_core::feed::schedule::{Timetable, WalkError};
use pushbench_core::talk::Talk;
use pushbench_core::{Identity, MonoInstant, Sender, Seq};

use crate::observe::observer::Window;

/// When each message of each client is due.
#[derive(Debug, Clone)]
pub struct Speakers(Vec<Timetable>);

impl Speakers {
    /// Those of so many clients that talk so from `origin` on, as far as the instant `until`.
    ///
    /// # Errors
    ///
    /// Those of [`Timetable::extend_to`].
    pub fn new(
        talk: &Talk,
        seed: u64,
        clients: u32,
        origin: MonoInstant,
        until: MonoInstant,
    ) -> Result<Self, WalkError> {
        let table = |client| {
            let mut table = talk.timetable(seed, Sender(client), origin, origin)?;
            table.extend_to(until)?;
            Ok(table)
        };
        (0..clients).map(table).collect::<Result<_, _>>().map(Self)
    }

    /// When a message was due, as far as that is known.
    #[inline]
    #[must_use]
    pub fn due(&self, message: Identity) -> Option<MonoInstant> {
        self.0.get(message.sender.index())?.due(message.seq)
    }

    /// Whether a message of one of the clients is due later than that.
    #[must_use]
    pub fn is_beyond(&self, message: Identity) -> bool {
        self.0.get(message.sender.index()).is_some_and(|table| table.is_beyond(message.seq))
    }

    /// The messages of each client that are due in `window`.
    ///
    /// # Errors
    ///
    /// Those of [`Timetable::between`].
    pub fn windows(&mut self, window: &Window) -> Result<Vec<Window>, WalkError> {
        let of = |table: &mut Timetable| {
            let (first, last): (Seq, Seq) = table.between(window.start, window.end)?;
            Ok(Window { first, last, ..*window })
        };
        self.0.iter_mut().map(of).collect()
    }
}
