//! Hearing of a server whose clients upload: what they say goes to no room, but is counted.

use std::cell::RefCell;

use pushbench_core::feed::said::SaidReader;
use pushbench_core::{Identity, MonoInstant, Sender};
use pushbench_metrics::observe::measure::Measure as _;
use pushbench_metrics::observe::measured::Measured;
use pushbench_metrics::observe::observer::{Arrival, Observer as _, Window};
use pushbench_metrics::observe::rooms::RoomRecorder;
use pushbench_metrics::observe::speakers::Speakers;
use pushbench_metrics::record::control::Talkers;

/// The hearing of what clients upload.
#[derive(Debug)]
pub(crate) struct Hearing {
    talkers: Talkers,
    /// That of their schedules.
    seed: u64,
    trial: RefCell<Option<Trial>>,
}

/// A trial whose instants are known.
#[derive(Debug)]
struct Trial {
    speakers: Speakers,
    recorder: RoomRecorder,
}

impl Hearing {
    pub(crate) const fn new(talkers: Talkers, seed: u64) -> Self {
        Self { talkers, seed, trial: RefCell::new(None) }
    }

    /// Counts the messages of `window` from now on, of clients that have spoken since `origin`. Those of
    /// a schedule that cannot be walked are not counted: load processes refuse it.
    pub(crate) fn measure(&self, origin: MonoInstant, window: Window) {
        let Talkers { talk, clients } = self.talkers;
        let speakers = Speakers::new(&talk, self.seed, clients, origin, window.end);
        let begun = speakers.and_then(|mut speakers| {
            let mut recorder = RoomRecorder::of_server(talk, clients);
            recorder.set_window(window);
            recorder.set_speakers(&speakers.windows(&window)?);
            Ok(Trial { speakers, recorder })
        });
        *self.trial.borrow_mut() = begun.ok();
    }

    /// A message is whole, at `at`.
    pub(crate) fn hear(&self, payload: &[u8], at: MonoInstant) {
        let mut trial = self.trial.borrow_mut();
        let Some(Trial { speakers, recorder }) = trial.as_mut() else { return };
        let Ok((sender, seq)) = SaidReader::default().last(payload) else {
            return recorder.strayed();
        };
        let message = Identity { sender: Sender(sender), seq };
        match speakers.due(message) {
            Some(due) => {
                let sender = message.sender;
                recorder.arrived(&Arrival { client: sender.0, sender, seq, due, at });
            }
            // One that is due behind the window does not count.
            None if speakers.is_beyond(message) => {}
            None => recorder.strayed(),
        }
    }

    /// All that was heard.
    pub(crate) fn take(&self) -> Option<Box<Measured>> {
        self.trial.borrow_mut().take().map(|mut trial| Box::new(trial.recorder.finish()))
    }
}
