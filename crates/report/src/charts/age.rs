//! How old what a client holds is: on average, and at its worst.

use pushbench_core::Figure;

use super::{Picture, bars};
use crate::human;
use crate::rows::{Block, Spread};
use crate::sentence::{SAME, are_within};

pub(crate) const CAPTION: &str = "Freshness: how old the newest message that a client holds is. \
    In full colour the mean over time and clients, in light the oldest that any client ever \
    held within the window. It cannot be less than half the time between two messages; what is \
    above comes from the transport.";

/// The picture of a block, where there are ages.
pub(super) fn picture(block: &Block<'_>, conditions: &str) -> Option<Picture> {
    let words = (title(block), format!("Age of information: {conditions}"));
    bars::of_times(block, words, "age of information", ["mean", "greatest"], |row| {
        let oldest = row.age_max_us().map(|us| (us, "in any trial".to_owned()));
        [bars::length(row, Figure::AgeMean), oldest]
    })
}

/// The freshest and the stalest, if the trials put them apart.
fn title(block: &Block<'_>) -> String {
    let all = block.ranked(|row| row.spread(Figure::AgeMean));
    let time = |spread: &Spread| human::spoken_time(spread.middle);
    match all.as_slice() {
        [(least, few), .., (most, much)] if most.is_apart_from(least, Figure::AgeMean) => format!(
            "What a client holds is {} old on average with {}, {} with {}",
            time(few),
            least.contender(),
            time(much),
            most.contender()
        ),
        [(_, few), .., (_, much)] if are_within(SAME, [few.middle, much.middle]) => {
            "What a client holds is about equally fresh with all transports".to_owned()
        }
        [(only, age)] => {
            format!("{}: what a client holds is {} old on average", only.contender(), time(age))
        }
        _ => "How old what a client holds is".to_owned(),
    }
}
