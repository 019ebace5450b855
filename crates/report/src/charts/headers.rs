//! One message by each transport under a header profile, layer by layer.

use plotters::style::RGBColor;
use pushbench_metrics::observe::ledger::Layer;
use pushbench_metrics::record::headers::{ContenderBytes, HeaderCase, HeadersRecord, Level};

use super::bars::{Bar, Bars, Group, Part};
use super::style::{ETHERNET, layer_colour};
use super::{Chart, Key, Picture};
use crate::headers::rows::{is_secured, name, times};
use crate::headers::sentence::subject;
use crate::human;

/// How to read the picture.
const CAPTION: &str = "All that goes to and fro for one message on a connection in use: the \
                       message, the transport's framing, HTTP's heads, what TLS adds, and the headers of TCP, IP \
                       and Ethernet, those of ACKs too.";

/// The profile that the picture called `headers` is of, where it was played: that of the claim
/// which everyone knows.
const BEST_KNOWN: &str = "kaazing-2009";

/// A picture for each case.
pub(crate) fn charts(record: &HeadersRecord) -> Vec<Chart> {
    let cases = record.cases.iter().enumerate();
    let chart = |(index, case)| {
        let (name, caption) = (chart_name(record, index), CAPTION.into());
        Some(Chart { name, caption, picture: picture(case)? })
    };
    cases.filter_map(chart).collect()
}

/// The name of a case's picture: that of the best known is `headers`, or of the first.
pub(crate) fn chart_name(record: &HeadersRecord, index: usize) -> String {
    let known = record.cases.iter().position(|case| case.profile == BEST_KNOWN).unwrap_or(0);
    match record.cases.get(index) {
        Some(case) if index != known => file_name(index, case),
        _ => "headers".to_owned(),
    }
}

/// A file's name: the number of a case tells apart profiles that share a name.
fn file_name(index: usize, case: &HeaderCase) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let profile: String = case.profile.chars().map(plain).collect();
    format!("headers-{}-{profile}", index + 1)
}

/// The layers of an exchange, with their colours.
const LAYERS: [(RGBColor, &str); 6] = [
    (layer_colour(Layer::Payload), "payload"),
    (layer_colour(Layer::Framing), "framing"),
    (layer_colour(Layer::Http), "HTTP headers"),
    (layer_colour(Layer::Tls), "TLS"),
    (layer_colour(Layer::Tcpip), "TCP/IP headers"),
    (ETHERNET, "Ethernet headers"),
];

fn picture(case: &HeaderCase) -> Option<Picture> {
    let groups = case.rows.iter().map(|row| group(case, row)).collect();
    let axis = "bytes for one message, both ways";
    let bars = Bars { groups, axis, unit: human::size_unit, words: human::size };
    let subtitle = format!(
        "Header profile {}, messages of {} B, in Ethernet frames; × is to a WebSocket push",
        name(case),
        human::count(case.payload_bytes)
    );
    let layers = LAYERS.into_iter().filter(|(_, name)| *name != "TLS" || is_secured(case));
    let key = layers.map(|(colour, name)| Key::Area(colour, name)).collect();
    bars.picture(title(case), subtitle, key)
}

fn group(case: &HeaderCase, row: &ContenderBytes) -> Group {
    let exchange = &row.exchange;
    let at = |level| exchange.at(level);
    let bytes = [
        exchange.payload,
        exchange.framing,
        exchange.http_bytes(),
        exchange.traffic.tls.total(),
        at(Level::Ip) - at(Level::Tcp),
        at(Level::Ethernet) - at(Level::Ip),
    ];
    #[expect(clippy::cast_precision_loss, reason = "bytes of an exchange are below 2⁵³")]
    let part = |(bytes, (colour, name)): (u64, (RGBColor, &'static str))| Part {
        name,
        length: bytes as f64,
        colour,
    };
    let parts = bytes.into_iter().zip(LAYERS).map(part).collect();
    let bytes = human::count(at(Level::Ethernet));
    let ratio = case.ratio(row, Level::Ethernet).map(times).unwrap_or_default();
    let value = format!("{bytes} B, {ratio}×");
    Group { contender: row.contender, bars: vec![Bar { parts, value, note: String::new() }] }
}

/// The same exchange by two ways of counting it.
fn title(case: &HeaderCase) -> String {
    let ratios = subject(case).and_then(|row| {
        let by = |level| case.ratio(row, level).map(times);
        Some((row.contender, by(Level::Characters)?, by(Level::Ethernet)?))
    });
    match ratios {
        Some((contender, characters, frames)) => format!(
            "{contender} to WebSocket: {characters}:1 by characters of headers, {frames}:1 in frames"
        ),
        None => "What one message takes, layer by layer".to_owned(),
    }
}
