//! Bytes per message by layer: what is asked for, and what comes with it.

use pushbench_core::Figure;
use pushbench_metrics::judge::figures::of_layer;
use pushbench_metrics::observe::ledger::Layer;

use super::bars::{Bar, Bars, Group, Part};
use super::style::{layer_colour, lighter};
use super::{Key, Picture, interval};
use crate::human;
use crate::rows::{Block, Reach, Row, Spread};
use crate::sentence::{NEAR, are_within};

/// How to read the picture.
pub(super) fn caption(block: &Block<'_>) -> String {
    let (again, lacks) = (block.reach.sent_again(), block.reach.lacks());
    let caption = match block.reach {
        Reach::Capture | Reach::Wire | Reach::Served => format!(
            "All that went over the wire for each message that arrived, at the IP layer and in \
             both directions: the message itself, the transport's framing, HTTP's request and \
             response lines and headers, TLS where it is in use, and what TCP and IP add: the \
             headers of every packet, those of bare ACKs too, and {again}.{lacks}"
        ),
        Reach::Socket => "What the sockets moved for each message that arrived, in both directions: the \
             message itself, the transport's framing, and HTTP's request and response lines and \
             headers, and TLS where it is in use. TCP and IP come on top and were not counted in this run."
            .to_owned(),
    };
    match block.least_arrived() {
        Some(least) => format!("{caption} Of the messages, {least}."),
        None => caption,
    }
}

/// The name of all above TCP where it is not told apart.
const TOGETHER: &str = "all above TCP";

const fn name(layer: Layer) -> &'static str {
    match layer {
        Layer::Payload => "payload",
        Layer::Framing => "framing",
        Layer::Http => "HTTP headers",
        Layer::Tls => "TLS",
        Layer::Tcpip => "TCP/IP headers",
    }
}

/// The picture of a block, where bytes were counted.
pub(super) fn picture(block: &Block<'_>, conditions: &str) -> Option<Picture> {
    let is_shown = |layer: &Layer| is_shown(block, *layer);
    let layers: Vec<Layer> = Layer::ALL.into_iter().filter(is_shown).collect();
    let groups: Vec<Group> = block.rows.iter().filter_map(|row| group(row, &layers)).collect();
    let bars =
        Bars { groups, axis: "bytes per message", unit: human::size_unit, words: human::size };
    let keys = layers.iter().map(|&layer| Key::Area(layer_colour(layer), name(layer)));
    let together = Key::Area(lighter(layer_colour(Layer::Payload)), TOGETHER);
    let is_together = |row: &Row<'_>| row.bytes().is_some() && !is_layered(row);
    let together = block.rows.iter().any(is_together).then_some(together);
    let subtitle = format!("Bytes per message {}: {conditions}", block.reach.place());
    bars.picture(title(block), subtitle, keys.chain(together).collect())
}

/// Whether what is above TCP is told apart, which of a browser's bytes it is not.
fn is_layered(row: &Row<'_>) -> bool {
    row.get(Figure::PayloadBytes).is_some()
}

/// TLS has a place where there is any, TCP and IP where they were counted throughout.
fn is_shown(block: &Block<'_>, layer: Layer) -> bool {
    match layer {
        Layer::Tls => block.rows.iter().any(|row| row.get(Figure::TlsBytes) > Some(0.0)),
        Layer::Tcpip => block.reach.is_wire(),
        Layer::Payload | Layer::Framing | Layer::Http => true,
    }
}

fn group(row: &Row<'_>, layers: &[Layer]) -> Option<Group> {
    let part = |&layer: &Layer| {
        let length = row.get(of_layer(layer))?;
        Some(Part { name: name(layer), length, colour: layer_colour(layer) })
    };
    // The median of the sums, which the sum of the layers' medians need not be to the byte.
    let whole = row.bytes()?;
    let parts = if is_layered(row) {
        layers.iter().map(part).collect::<Option<Vec<_>>>()?
    } else {
        let tcpip = part(&Layer::Tcpip)?;
        let length = whole.middle - tcpip.length;
        vec![Part { name: TOGETHER, length, colour: lighter(layer_colour(Layer::Payload)) }, tcpip]
    };
    let (value, note) = (human::size(whole.middle), interval(&whole, human::size));
    Some(Group { contender: row.contender(), bars: vec![Bar { parts, value, note }] })
}

/// The leanest and the fattest. Bytes hardly vary from trial to trial, so middles are compared;
/// where messages were superseded, they are of different shares and not compared.
fn title(block: &Block<'_>) -> String {
    if let Some(least) = block.least_arrived() {
        return format!("Bytes per message that arrived; {least}");
    }
    let all = block.ranked(Row::bytes);
    let size = |spread: &Spread| human::spoken_size(spread.middle);
    match all.as_slice() {
        [(only, bytes)] => format!("{} moves {} per message", only.name(), size(bytes)),
        [(least, few), .., (most, many)] if !are_within(NEAR, [few.middle, many.middle]) => {
            format!(
                "{} moves {} per message, {} {} times as many",
                least.name(),
                size(few),
                most.name(),
                human::factor(many.middle / few.middle)
            )
        }
        _ => "The transports move about the same bytes per message".to_owned(),
    }
}
