//! The cells that terminal and Markdown have in common.

use pushbench_core::Link;
use pushbench_core::scenario::Point;
use pushbench_metrics::observe::ledger::Source;
use pushbench_metrics::record::headers::{
    ContenderBytes, Exchange, Head, HeaderCase, HeadersRecord, Level, OverLink, Passed, TlsBytes,
    Traffic,
};

use crate::human::{self, NOTHING};
use crate::settings;

/// The columns of what one message takes: what, and in the second line of what.
pub(super) const EXCHANGE: [(&str, &str); 8] = [
    ("transport", ""),
    ("request+response", "characters (bytes)"),
    ("added", "characters"),
    ("added", "bytes"),
    ("TCP", "payload"),
    ("IP", "packets"),
    ("Ethernet", "frames"),
    ("segments", "(pure ACKs)"),
];

/// The cells of a transport, in the order of [`EXCHANGE`].
pub(super) fn exchange(case: &HeaderCase, row: &ContenderBytes) -> Vec<String> {
    let Exchange { request, response, .. } = row.exchange;
    let mut cells = vec![row.contender.name().to_owned(), heads(request, response)];
    cells.extend(Level::ALL.map(|level| {
        let bytes = human::count(row.exchange.at(level));
        let times = case.ratio(row, level).map_or(NOTHING.to_owned(), times);
        format!("{bytes} ({times}×)")
    }));
    cells.push(segments(&row.exchange.traffic));
    cells
}

/// The columns of what a connection takes once.
pub(super) const ONCE: [(&str, &str); 5] = [
    ("transport", ""),
    ("open", "Ethernet (segments)"),
    ("first request+response", "characters (bytes)"),
    ("these", "Ethernet (segments)"),
    ("close", "Ethernet (segments)"),
];

/// The cells of a transport, in the order of [`ONCE`].
pub(super) fn once(row: &ContenderBytes) -> Vec<String> {
    let frames = |traffic: &Traffic| {
        format!("{} ({})", human::count(traffic.ethernet_bytes()), traffic.segments)
    };
    let apart = |traffic: &Option<Traffic>| traffic.as_ref().map_or("each time".to_owned(), frames);
    let Exchange { request, response, traffic, .. } = &row.subscription;
    vec![
        row.contender.name().to_owned(),
        apart(&row.open),
        heads(*request, *response),
        frames(traffic),
        apart(&row.close),
    ]
}

/// The columns of what TLS takes.
pub(super) const TLS: [(&str, &str); 8] = [
    ("TLS", ""),
    ("ClientHello", "bytes"),
    ("ServerHello", "to Finished"),
    ("client's", "Finished"),
    ("tickets", "bytes"),
    ("records", "bytes"),
    ("close_notify", "bytes"),
    ("together", "bytes"),
];

/// The cells of a transport, in the order of [`TLS`]: of the first connection's opening, and of each
/// message.
pub(super) fn tls(row: &ContenderBytes) -> [Vec<String>; 2] {
    let line = |what, tls: &TlsBytes| {
        let shown = |bytes| if bytes == 0 { NOTHING.to_owned() } else { human::count(bytes) };
        let bytes = tls.parts().into_iter().chain([tls.total()]).map(shown);
        [format!("{}, {what}", row.contender)].into_iter().chain(bytes).collect()
    };
    let first = if row.open.is_some() { "opening" } else { "first message" };
    [line(first, &row.opening().tls), line("a message", &row.exchange.traffic.tls)]
}

/// Whether a case was played in TLS.
pub(crate) fn is_secured(case: &HeaderCase) -> bool {
    case.rows.iter().any(|row| row.contender != row.in_clear())
}

fn heads(request: Head, response: Head) -> String {
    if request.bytes + response.bytes == 0 {
        return NOTHING.to_owned();
    }
    let (sent, came) = (request.characters, response.characters);
    format!("{sent}+{came} ({}+{})", request.bytes, response.bytes)
}

/// Where several segments travelled as one packet, both are told.
fn segments(traffic: &Traffic) -> String {
    let (segments, acks) = (traffic.segments, traffic.acks);
    match traffic.packets.filter(|packets| *packets != segments) {
        Some(packets) => format!("{segments} in {packets} packets ({acks})"),
        None => format!("{segments} ({acks})"),
    }
}

/// How many times: from ten on whole times, as in the published "435:1", else to a tenth.
pub(crate) fn times(ratio: f64) -> String {
    if ratio >= 10.0 || ratio == 1.0 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "no less than one"
        )]
        return human::count(ratio as u64);
    }
    format!("{ratio:.1}")
}

/// The name of a case: `chromium`, `chromium + 400 bytes of cookies`.
pub(crate) fn name(case: &HeaderCase) -> String {
    match case.cookie_bytes {
        0 => case.profile.clone(),
        bytes => format!("{} + {} bytes of cookies", case.profile, human::count(bytes)),
    }
}

/// The meaning of the figures, to be read below them.
pub(super) fn legend(record: &HeadersRecord) -> Vec<String> {
    let mut lines = vec![
        "Each line is one message on a connection in use. Added characters are those of the \
         request's and response's heads without line ends, the published way, and framing; added \
         bytes have line ends too. TCP, IP and Ethernet hold all of the exchange, the message and \
         ACKs included, both ways; a frame is its IP packet and 14 bytes. × is how many times a \
         WebSocket push of the same message."
            .to_owned(),
    ];
    lines.push(match (&record.link, record.source) {
        (Some(link), _) => over_link(record, link),
        (None, Source::Captured) => "Packets: captured on loopback.".to_owned(),
        _ => "Segments: counted by the kernel for each connection (TCP_INFO), since capturing \
              packets was not allowed."
            .to_owned(),
    });
    let long_polls =
        record.cases.iter().flat_map(|case| &case.rows).any(|row| row.contender.shape().waits());
    lines.extend(long_polls.then(|| {
        "A long poll's answer and the next request are one exchange; its first request asks where \
         the feed stands, and the one that waits is counted with it."
            .to_owned()
    }));
    lines.extend(record.cases.iter().any(is_secured).then(|| {
        "In TLS 1.3: TCP's payload holds what TLS adds to heads, framing and message.".to_owned()
    }));
    lines.extend(extra_acks(record));
    lines.extend(packets(record));
    lines
}

/// The link, and what its router saw of all cases beside what was counted.
fn over_link(record: &HeadersRecord, link: &Link) -> String {
    let point = Point { link: Some(link.clone()), ..Point::numbered(1) };
    let mut sum = OverLink::default();
    for over in record.cases.iter().filter_map(|case| case.over_link) {
        sum.merge(&over);
    }
    let passed = |passed: Passed| {
        let [packets, bytes] = [passed.packets, passed.ip_bytes].map(human::count);
        format!("{packets} packets of {bytes} bytes")
    };
    let kernel = if sum.router == sum.kernel { "the same".to_owned() } else { passed(sum.kernel) };
    format!(
        "Segments: counted by the kernel for each connection (TCP_INFO), {}, each at most {} bytes as an IP \
         packet. In all the link's router saw {}, and the kernel counted {kernel}; {} segments were sent \
         again, {} packets dropped.",
        settings::over(&point).unwrap_or_default(),
        human::count(link.mtu.into()),
        passed(sum.router),
        human::count(sum.sent_again),
        human::count(sum.dropped),
    )
}

/// ACKs beyond those of the usual exchange.
fn extra_acks(record: &HeadersRecord) -> Option<String> {
    let rows = || record.cases.iter().flat_map(|case| &case.rows);
    let played: u64 = rows().map(|row| u64::from(row.exchanges)).sum();
    let unusual: u64 = rows().map(|row| u64::from(row.exchanges - row.usual)).sum();
    let extra: u64 = rows().map(|row| row.extra_acks).sum();
    if played == 0 {
        return None;
    }
    if unusual == 0 {
        return Some(format!("All {} exchanges played came out as shown.", human::count(played)));
    }
    Some(format!(
        "The usual exchange of each transport is shown; of {} played, {} came out otherwise, with \
         {} in all beyond those shown (66 bytes each in an Ethernet frame over IPv4).",
        human::count(played),
        human::count(unusual),
        human::plural(usize::try_from(extra).unwrap_or(usize::MAX), "pure ACK"),
    ))
}

/// Said where a capture and the kernel would not count the same.
fn packets(record: &HeadersRecord) -> Option<String> {
    let differs = |traffic: &Traffic| traffic.packets.is_some_and(|n| n != traffic.segments);
    let rows = record.cases.iter().flat_map(|case| &case.rows);
    rows.map(|row| &row.exchange.traffic).any(differs).then(|| {
        "Some packets were several segments of TCP, left for a network card to cut: bytes are \
         those of the segments, each with headers of its own, as the kernel counts them and a \
         wire carries them; a capture file shows fewer headers."
            .to_owned()
    })
}
