//! How old what a client holds is: on average, and at its worst.

use plotters::style::RGBColor;

use super::bars::{Bars, Group};
use super::style::lighter;
use super::{Key, Picture, Plot};
use crate::human;
use crate::rows::{Block, Row, Spread};
use crate::sentence::{SAME, are_within};
use pushbench_core::Figure;

pub(crate) const CAPTION: &str = "Freshness: how old the newest message that a client holds is. \
    In full colour the mean over time and clients, in light the oldest that any client ever \
    held within the window. It cannot be less than half the time between two messages; what is \
    above comes from the transport.";

/// The picture of a block, where there are ages.
pub(super) fn picture(block: &Block<'_>, conditions: &str) -> Option<Picture> {
    let groups: Vec<Group> = block.rows.iter().filter_map(group).collect();
    if groups.is_empty() {
        return None;
    }
    let axis = "age of information";
    let bars = Bars { groups, axis, unit: 1.0, tick: human::short_time };
    let grey = RGBColor(0x55, 0x55, 0x55);
    Some(Picture {
        title: title(block),
        subtitle: format!("Age of information: {conditions}"),
        keys: vec![Key::Area(grey, "mean"), Key::Area(lighter(grey), "greatest")],
        height: bars.height(),
        plot: Plot::Bars(bars),
    })
}

fn group(row: &Row<'_>) -> Option<Group> {
    Group::of_times(row.contender(), [row.get(Figure::AgeMean), row.age_max_us()])
}

/// The freshest and the stalest, if the trials put them apart.
fn title(block: &Block<'_>) -> String {
    let with_age = |row| Some((row, Row::spread(row, Figure::AgeMean)?));
    let mut all: Vec<(&Row<'_>, Spread)> = block.rows.iter().filter_map(with_age).collect();
    all.sort_by(|one, two| one.1.middle.total_cmp(&two.1.middle));
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
