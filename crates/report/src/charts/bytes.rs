//! Bytes per message by layer: what is asked for, and what comes with it.

use pushbench_metrics::figures::Figure;
use pushbench_metrics::ledger::Layer;

use super::bars::{Bar, Bars, Group};
use super::style::layer_colour;
use super::{Key, Picture, Plot};
use crate::human;
use crate::rows::{Block, Row, Spread};

pub(crate) const CAPTION: &str = "What the sockets moved for each message that arrived, in both \
    directions: the message itself, the transport's framing, and HTTP's request and response \
    lines and headers. Headers of TLS, TCP and IP come on top and are not counted here.";

const LAYERS: [(Layer, Figure, &str); Layer::ALL.len()] = [
    (Layer::Payload, Figure::PayloadBytes, "payload"),
    (Layer::Framing, Figure::FramingBytes, "framing"),
    (Layer::Http, Figure::HttpBytes, "HTTP headers"),
];

/// The picture of a block, where bytes were counted.
pub(super) fn picture(block: &Block<'_>, conditions: &str) -> Option<Picture> {
    let groups: Vec<Group> = block.rows.iter().filter_map(group).collect();
    if groups.is_empty() {
        return None;
    }
    let bars = Bars { groups, axis: "bytes per message", tick: human::size };
    let keys = LAYERS.map(|(layer, _, name)| Key::Area(layer_colour(layer), name));
    Some(Picture {
        title: title(block),
        subtitle: format!("Bytes per message at the socket: {conditions}"),
        keys: keys.into_iter().collect(),
        height: bars.height(),
        plot: Plot::Bars(bars),
    })
}

fn group(row: &Row<'_>) -> Option<Group> {
    let parts: Option<Vec<_>> = LAYERS
        .iter()
        .map(|&(layer, figure, _)| Some((row.get(figure)?, layer_colour(layer))))
        .collect();
    let parts = parts?;
    let value = human::size(parts.iter().map(|part| part.0).sum());
    Some(Group { transport: row.transport(), bars: vec![Bar { parts, value }] })
}

/// The leanest and the fattest, if the trials put them apart.
fn title(block: &Block<'_>) -> String {
    let rows = block.rows.iter();
    let mut all: Vec<(&str, Spread)> =
        rows.filter_map(|row| Some((row.transport().name(), row.socket_bytes()?))).collect();
    all.sort_by(|one, two| one.1.middle.total_cmp(&two.1.middle));
    let size = |spread: &Spread| human::spoken_size(spread.middle);
    match all.as_slice() {
        [(only, bytes)] => format!("{only} moves {} per message", size(bytes)),
        [(least, few), .., (most, many)] if many.is_apart_from(few) => format!(
            "{least} moves {} per message, {most} {} times as many",
            size(few),
            human::factor(many.middle / few.middle)
        ),
        _ => "The transports move about the same bytes per message".to_owned(),
    }
}
