//! The `[talk]` table of a scenario: clients that speak as well as listen.

use serde::{Deserialize, Serialize};

use super::check::check_list;
use super::{Point, Scenario, ScenarioError, Values, setting};
use crate::delivery::Delivery;
use crate::feed::schedule::check_rate;
use crate::subject::SubjectName;
use crate::talk::{LEAST_SAID, Pace, Pattern, Talk};
use crate::units::{ByteSize, Count, Rate};

/// The most clients that are in one room.
const MOST_IN_ROOM: u64 = 100_000;

/// The most pairs of a hearer and a member of its room: what each heard of each takes memory.
const MOST_PAIRS: u64 = 10_000_000;

/// The `[talk]` table of a scenario. With a pattern, clients speak in rooms and there is no feed;
/// the size of what they say is that of the scenario's `payload`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TalkTable {
    /// Who hears what a client says; `None` where clients only listen to the feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Values<Pattern>>,
    /// Messages that each client says in a unit of time.
    #[serde(skip_serializing_if = "is_usual_rate")]
    pub rate: Values<Rate>,
    /// The law of their instants.
    #[serde(skip_serializing_if = "is_usual_pace")]
    pub pace: Pace,
    /// Clients in a room.
    #[serde(skip_serializing_if = "is_usual_size")]
    pub room_size: Values<Count>,
}

const USUAL_RATE: Values<Rate> = Values::One(Rate::ONE);
const USUAL_SIZE: Values<Count> = Values::One(Count(20));

fn is_usual_rate(rate: &Values<Rate>) -> bool {
    *rate == USUAL_RATE
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde has it so")]
fn is_usual_pace(pace: &Pace) -> bool {
    *pace == Pace::default()
}

fn is_usual_size(size: &Values<Count>) -> bool {
    *size == USUAL_SIZE
}

impl Default for TalkTable {
    fn default() -> Self {
        Self { pattern: None, rate: USUAL_RATE, pace: Pace::default(), room_size: USUAL_SIZE }
    }
}

impl TalkTable {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The talk at a point whose other settings are chosen; without a pattern there is none.
    pub(super) fn settle(&self, point: &mut Point) {
        let Some(talk) = &mut point.talk else { return };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most 1 MiB"
        )]
        let bytes = point.payload_bytes as u32;
        talk.bytes = bytes;
        if talk.pattern.is_alone() {
            talk.room_size = 1;
        }
        talk.room_size = talk.room_size.min(point.clients);
        point.rate_hz = talk.rate.hz() * f64::from(talk.room_size);
    }

    /// Gives `point` the talk that the other lists are chosen for: of the pattern at place `at`, where
    /// there is any.
    pub(super) fn begin(&self, at: usize, point: &mut Point) {
        let pattern = self.pattern.as_ref().map(|patterns| patterns.as_slice()[at]);
        point.talk = pattern.map(|pattern| Talk {
            pattern,
            rate: Rate::ONE,
            pace: self.pace,
            room_size: 1,
            bytes: 0,
        });
    }
}

impl Scenario {
    /// Checks what talk needs of the other settings.
    pub(super) fn check_talk(&self) -> Result<(), ScenarioError> {
        let table = &self.talk;
        check_list("talk.rate", &table.rate, |rate| check_rate(*rate).map_err(|why| why.problem))?;
        check_list("talk.room_size", &table.room_size, |size| match size.0 {
            1..=MOST_IN_ROOM => Ok(()),
            size => Err(format!("{size} is not within 1 and 100k")),
        })?;
        let Some(patterns) = &table.pattern else {
            if table.is_empty() {
                return Ok(());
            }
            let problem = "the table says how clients talk, but not to whom; name `chat`, `echo` or \
                           `upload`";
            return Err(setting("talk.pattern", problem));
        };
        check_list("talk.pattern", patterns, |_| Ok(()))?;
        if let Some(size) = self.payload.as_slice().iter().find(|size| size.0 < LEAST_SAID as u64) {
            let least = ByteSize(LEAST_SAID as u64);
            let problem = format!(
                "{size} is too small; what a client says needs {least} for sender and number"
            );
            return Err(setting("payload", problem));
        }
        if self.delivery != Delivery::Every {
            let problem = "what clients say goes to whom it is for, whole: `every` alone";
            return Err(setting("delivery", problem));
        }
        if self.total_rate.is_some() {
            return Err(setting("total_rate", "clients talk at `talk.rate` each; leave it out"));
        }
        if !self.subject.as_slice().iter().all(SubjectName::is_own) {
            return Err(setting("subject", "only pushbench's own server has rooms to talk in"));
        }
        self.check_pairs()?;
        if self.floor {
            return Err(setting("floor", "bare loops do not talk; leave it out"));
        }
        Ok(())
    }
}

impl Scenario {
    /// That what each client is to hear of each in its room can be kept.
    fn check_pairs(&self) -> Result<(), ScenarioError> {
        let most = |values: &Values<Count>| values.as_slice().iter().map(|count| count.0).max();
        let (clients, size) = (most(&self.clients), most(&self.talk.room_size));
        let (clients, size) = (clients.unwrap_or(0), size.unwrap_or(0));
        let is_chat = |patterns: &Values<Pattern>| patterns.as_slice().contains(&Pattern::Chat);
        if clients.saturating_mul(size.min(clients)) <= MOST_PAIRS
            || !self.talk.pattern.as_ref().is_some_and(is_chat)
        {
            return Ok(());
        }
        let problem = format!(
            "{clients} clients in rooms of {size} are more pairs of who hears whom than the 10000k \
             that are kept; use rooms of at most {}",
            MOST_PAIRS / clients.max(1)
        );
        Err(setting("talk.room_size", problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Scenario::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_client_hears_all_of_its_room_and_in_an_echo_itself_alone() {
        let text = "clients = 200\npayload = \"64B\"\n[talk]\npattern = \"chat\"\nrate = [1, \"2/s\"]\nroom_size = [20, 500]";
        let points = Scenario::parse(text).unwrap().points(None);
        let labels: Vec<&str> = points.iter().map(|point| point.label.as_str()).collect();
        assert_eq!(
            labels,
            [
                "talk-rate=1/s room=20",
                "talk-rate=1/s room=200",
                "talk-rate=2/s room=20",
                "talk-rate=2/s room=200"
            ]
        );
        let rates: Vec<f64> = points.iter().map(|point| point.rate_hz).collect();
        // A room holds no more than all.
        assert_eq!(rates, [20.0, 200.0, 40.0, 400.0]);
        let echo = text.replace("chat", "echo");
        for alone in [&echo, &text.replace("chat", "upload")] {
            let point = &Scenario::parse(alone).unwrap().points(None)[2];
            let talk = point.talk.unwrap();
            assert_eq!((point.rate_hz, talk.bytes, talk.room_size), (2.0, 64, 1));
        }
    }

    #[test]
    fn what_does_not_go_together_is_refused_by_its_key() {
        let chat = "[talk]\npattern = \"chat\"\n";
        for (text, part) in [
            ("[talk]\nrate = 5".to_owned(), "talk.pattern: the table says how"),
            (format!("{chat}room_size = 0"), "talk.room_size: 0 is not within"),
            (format!("clients = 20000\n{chat}room_size = 1000"), "use rooms of at most 500"),
            (format!("{chat}rate = 0"), "it must be above zero"),
            (format!("delivery = \"latest\"\n{chat}"), "delivery: what clients say"),
            (format!("total_rate = 5\n{chat}"), "total_rate: clients talk at"),
            (format!("subject = \"nchan\"\n{chat}"), "subject: only pushbench's own"),
            (
                format!("payload = \"19B\"\n{chat}\n[feed]\npayload = \"text\""),
                "payload: 19B is too small; what a client says needs 20B",
            ),
            ("[talk]\npattern = \"whisper\"".to_owned(), "unknown variant `whisper`"),
        ] {
            let error = refused(&text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
