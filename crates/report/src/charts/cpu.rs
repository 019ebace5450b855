//! CPU time per message: the server's, and beside it the load generator's.

use std::borrow::Cow;

use pushbench_core::Figure;

use super::{Picture, bars};
use crate::human;
use crate::rows::{Block, Spread};
use crate::sentence::{SAME, are_within};

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
    let words = (title(block), format!("CPU time per message: {conditions}"));
    bars::of_times(block, words, "CPU time per message", ["server", "load generator"], |row| {
        [Figure::ServerCpu, Figure::LoadCpu].map(|figure| bars::length(row, figure))
    })
}

/// The cheapest and the dearest for the server, if the trials put them apart.
fn title(block: &Block<'_>) -> String {
    let all = block.ranked(|row| row.spread(Figure::ServerCpu));
    let time = |spread: &Spread| human::time(spread.middle);
    match all.as_slice() {
        [] => "CPU time of the load generator; the server's is not known".to_owned(),
        _ if let Some(least) = block.least_arrived() => {
            format!("CPU time per message that arrived; {least}")
        }
        [(only, cpu)] => {
            format!("{} costs the server {} of CPU per message", only.name(), time(cpu))
        }
        [(least, few), .., (most, much)] if most.is_apart_from(least, Figure::ServerCpu) => {
            format!(
                "{} costs the server {} of CPU per message, {} {}",
                least.name(),
                time(few),
                most.name(),
                time(much)
            )
        }
        [(_, few), .., (_, much)] if are_within(SAME, [few.middle, much.middle]) => {
            "The transports cost the server about the same CPU time".to_owned()
        }
        [(least, few), .., (most, much)] => {
            let (least, most) = (least.name(), most.name());
            format!("CPU per message: {least} {}, {most} {}: not told apart", time(few), time(much))
        }
    }
}
