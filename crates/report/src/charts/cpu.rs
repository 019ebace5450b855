//! CPU time per message: the server's, and beside it the load generator's.

use std::borrow::Cow;

use plotters::style::RGBColor;

use super::bars::{Bars, Group};
use super::style::lighter;
use super::{Key, Picture, Plot};
use crate::human;
use crate::rows::{Block, Row, Spread};
use crate::sentence::{SAME, are_within};
use pushbench_core::Figure;

const CAPTION: &str = "CPU time of the server process for each message that arrived, \
    in full colour, and of the load generator, which plays all clients, in light. On one machine \
    the kernel does part of a receiver's work on the sender's account.";

/// How to read the picture.
pub(super) fn caption(block: &Block<'_>) -> Cow<'static, str> {
    match block.least_arrived() {
        Some(least) => format!("{CAPTION} Of the messages, {least}.").into(),
        None => CAPTION.into(),
    }
}

/// The picture of a block, where CPU time was measured.
pub(super) fn picture(block: &Block<'_>, conditions: &str) -> Option<Picture> {
    let groups: Vec<Group> = block.rows.iter().filter_map(group).collect();
    if groups.is_empty() {
        return None;
    }
    let bars = Bars { groups, axis: "CPU time per message", unit: 1.0, tick: human::short_time };
    let grey = RGBColor(0x55, 0x55, 0x55);
    Some(Picture {
        title: title(block),
        subtitle: format!("CPU time per message: {conditions}"),
        keys: vec![Key::Area(grey, "server"), Key::Area(lighter(grey), "load generator")],
        height: bars.height(),
        plot: Plot::Bars(bars),
    })
}

fn group(row: &Row<'_>) -> Option<Group> {
    Group::of_times(row.contender(), [row.get(Figure::ServerCpu), row.get(Figure::LoadCpu)])
}

/// The cheapest and the dearest for the server, if the trials put them apart.
fn title(block: &Block<'_>) -> String {
    let rows = block.rows.iter();
    let mut all: Vec<(&Row<'_>, Spread)> =
        rows.filter_map(|row| Some((row, row.spread(Figure::ServerCpu)?))).collect();
    all.sort_by(|one, two| one.1.middle.total_cmp(&two.1.middle));
    let name = |row: &Row<'_>| row.contender().name();
    let time = |spread: &Spread| human::time(spread.middle);
    match all.as_slice() {
        [] => "CPU time of the load generator; the server's is not known".to_owned(),
        _ if block.least_arrived().is_some() => format!(
            "CPU time per message that arrived; {}",
            block.least_arrived().unwrap_or_default()
        ),
        [(only, cpu)] => {
            format!("{} costs the server {} of CPU per message", name(only), time(cpu))
        }
        [(least, few), .., (most, much)] if most.is_apart_from(least, Figure::ServerCpu) => {
            format!(
                "{} costs the server {} of CPU per message, {} {}",
                name(least),
                time(few),
                name(most),
                time(much)
            )
        }
        [(_, few), .., (_, much)] if are_within(SAME, [few.middle, much.middle]) => {
            "The transports cost the server about the same CPU time".to_owned()
        }
        [(least, few), .., (most, much)] => {
            let (least, most) = (name(least), name(most));
            format!("CPU per message: {least} {}, {most} {}: not told apart", time(few), time(much))
        }
    }
}
