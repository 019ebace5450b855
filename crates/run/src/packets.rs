//! Packets in a second that a trial puts on its link, and those that a router moves here.
//!
//! A router that has more to do than it can is late, and its trial invalid. Where that is sure
//! beforehand it is said before anything starts. It is sure where a plan has more packets than one
//! core moves when it does little else; what is below that shows in the trial.

use pushbench_core::contender::{Connection, Security};
use pushbench_core::link::Link;
use pushbench_core::scenario::Point;
use pushbench_core::units::{Rate, Span};
use pushbench_core::{Contender, Shape};
use pushbench_metrics::observe::device::RouterMeasured;
use thiserror::Error;

/// Headers of TCP and IPv4 in a segment of a connection that has timestamps, in bytes.
const HEADERS: f64 = 52.0;

/// The part of a core that the router may take: what it has before it [steps
/// back](pushbench_os::process::precedence), and of a core that it shares with the server half of that,
/// since each packet down is one that a server wrote first.
const OF_ITS_OWN: f64 = 0.8;
const OF_A_SHARED: f64 = 0.4;

/// How many packets a router moves in a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RouterSpeed {
    /// On a core that it has alone.
    pub alone: f64,
    /// On one that it shares with the server.
    pub beside_server: f64,
}

impl RouterSpeed {
    /// That many, wherever it is.
    #[must_use]
    pub const fn given(packets: f64) -> Self {
        Self { alone: packets, beside_server: packets }
    }

    /// As many as follow from what each cost a router that was tried; `None` where it moved too few for
    /// that to be told.
    #[must_use]
    pub fn of(tried: &RouterMeasured) -> Option<Self> {
        const FEW: u64 = 1_000;
        let each = tried.cpu.as_secs_f64() / tried.forwarded as f64;
        let speed = Self { alone: OF_ITS_OWN / each, beside_server: OF_A_SHARED / each };
        (tried.forwarded >= FEW && each > 0.0).then_some(speed)
    }
}

/// A trial with more packets than a router moves.
#[derive(Debug, Clone, PartialEq, Error)]
#[error(
    "cannot move the packets of {contender} with {clients} clients over a link: some {needed:.0} a second, \
     and a router moves {most:.0} here; pass at most `--clients {fit}`, or {other}; or, if it does move \
     more, `--router-packets N`"
)]
pub struct PacketsError {
    contender: Contender,
    clients: u32,
    needed: f64,
    most: f64,
    /// The clients that would do.
    fit: u32,
    /// Another setting that would.
    other: String,
}

/// Checks that a router that moves so many packets in a second moves those of `contender` at `point`,
/// of which loopback has none.
///
/// # Errors
///
/// More packets than those, with the settings that would do.
pub(crate) fn check(point: &Point, contender: Contender, most: f64) -> Result<(), PacketsError> {
    let Some(link) = &point.link else { return Ok(()) };
    let (feed, beside) = (of_the_feed(point, contender, link), beside_it(link));
    let needed = feed + beside;
    if needed <= most {
        return Ok(());
    }
    // Traffic beside the feed stays what it is.
    let share = ((most - beside) / feed).clamp(0.0, 1.0);
    Err(PacketsError {
        contender,
        clients: point.clients,
        needed,
        most,
        fit: ((f64::from(point.clients) * share) as u32).max(1),
        other: other(point, contender, share),
    })
}

/// The setting beside the number of clients that the packets hang on, and the value that would do.
fn other(point: &Point, contender: Contender, share: f64) -> String {
    if contender.shape() == Shape::Asks {
        let interval = Span(point.poll_interval.0.div_f64(share.max(1e-6)));
        return format!("a `--poll-interval` of {:.1}s", interval.0.as_secs_f64());
    }
    // To two digits, downwards.
    let hz = peak(point) * share;
    let digits = 10_f64.powf(hz.max(1e-9).log10().floor() - 1.0);
    // As text, since a multiple of a tenth has more digits than anybody wrote; 8.2 by a tenth is a hair
    // less than 82.
    let rate = format!("{:.6}", (hz / digits + 1e-9).floor() * digits)
        .parse()
        .ok()
        .and_then(Rate::from_hz);
    rate.map_or_else(|| "a lower rate".to_owned(), |rate| format!("at most `--rate {rate}`"))
}

/// Messages in a second while there are most.
fn peak(point: &Point) -> f64 {
    point.rate_hz.max(point.rate.hz())
}

/// Packets in a second of all clients' connections, in both directions.
fn of_the_feed(point: &Point, contender: Contender, link: &Link) -> f64 {
    let segments = |bytes: f64| (bytes / (f64::from(link.mtu) - HEADERS)).ceil().max(1.0);
    let trip = link.delay.each().into_iter().map(|delay| delay.0.as_secs_f64()).sum::<f64>();
    let each = match contender.shape() {
        // A segment down, and what acknowledges it.
        Shape::Streams => peak(point) * (segments(point.payload_bytes) + 1.0),
        // An answer, and the request that acknowledges it; one round trip each at the least.
        Shape::Waits => {
            let answers = peak(point).min(1.0 / trip.max(1e-6));
            answers * segments(point.payload_bytes * peak(point) / answers) + answers
        }
        Shape::Asks => {
            let polls = 1.0 / point.poll_interval.0.as_secs_f64().max(trip).max(1e-6);
            let batch = point.payload_bytes * peak(point) / polls;
            polls * (segments(batch) + 2.0 + opening(contender))
        }
    };
    f64::from(point.clients) * (each + of_talk(point, contender))
}

/// Packets in a second of what one client says: a segment up, and what acknowledges it; by requests, an
/// answer and what acknowledges that.
fn of_talk(point: &Point, contender: Contender) -> f64 {
    let each = if contender.transport.is_duplex() { 2.0 } else { 4.0 };
    point.talk.map_or(0.0, |talk| talk.rate.hz() * each)
}

/// Packets that open and close the connection of each poll, where it has one of its own: three and
/// three, and those of a handshake of TLS.
fn opening(contender: Contender) -> f64 {
    match (contender.stack.connection, contender.stack.security) {
        (Connection::Kept, _) => 0.0,
        (Connection::Closed, Security::Clear) => 6.0,
        (Connection::Closed, Security::Tls) => 10.0,
    }
}

/// Packets of the traffic beside the feed: whole ones at the line's rate, and an acknowledgement for
/// each second.
fn beside_it(link: &Link) -> f64 {
    let ways = [(link.load_down, link.down), (link.load_up, link.up)];
    let rates = ways.into_iter().filter(|(flows, _)| *flows > 0).filter_map(|(_, rate)| rate);
    rates.map(|rate| rate.bits() as f64 / 8.0 / f64::from(link.mtu) * 1.5).sum()
}

#[cfg(test)]
mod tests {
    use pushbench_core::scenario::Scenario;

    use super::*;

    fn points(text: &str) -> Vec<Point> {
        Scenario::parse(text).unwrap().points(None)
    }

    fn needed(text: &str, contender: Contender) -> f64 {
        let point = &points(text)[0];
        let link = point.link.as_ref().unwrap();
        of_the_feed(point, contender, link) + beside_it(link)
    }

    const FEED: &str =
        "clients = 100\nrate = \"10/s\"\npayload = \"100B\"\npoll_interval = \"500ms\"\n";

    #[test]
    fn packets_follow_from_the_transport() {
        let over = |link: &str| format!("{FEED}[link]\n{link}\n");
        let near = over("delay = 0");
        assert_eq!(needed(&near, Contender::SSE), 100.0 * 10.0 * 2.0);
        assert_eq!(needed(&near, Contender::LONG_POLL), 100.0 * 10.0 * 2.0);
        // A request, an answer, and what acknowledges that.
        assert_eq!(needed(&near, Contender::SHORT_POLL), 100.0 * 2.0 * 3.0);
        assert_eq!(needed(&near, Contender::SHORT_POLL_CLOSE), 100.0 * 2.0 * 9.0);
        // In a round trip of a second there is one poll, whatever was wished for.
        let far = over("delay = \"500ms\"");
        assert_eq!(needed(&far, Contender::SSE), 2_000.0);
        assert_eq!(needed(&far, Contender::LONG_POLL), 100.0 * 2.0);
        assert_eq!(needed(&far, Contender::SHORT_POLL), 100.0 * 3.0);
        // 12 Mbit/s are a thousand packets of 1500 bytes.
        let filled = over("scope = \"shared\"\ndown = \"12Mbit/s\"\nload_down = 2");
        assert_eq!(needed(&filled, Contender::SSE), 2_000.0 + 1_500.0);
        let large = near.replace("100B", "4000B");
        assert_eq!(needed(&large, Contender::SSE), 100.0 * 10.0 * 4.0);
    }

    #[test]
    fn what_would_do_does() {
        let text = format!("{FEED}[link]\ndelay = \"10ms\"\n");
        for (contender, needed) in [(Contender::SSE, 2_000.0), (Contender::SHORT_POLL, 600.0)] {
            let point = &points(&text)[0];
            assert_eq!(check(point, contender, needed), Ok(()));
            let error = check(point, contender, needed / 3.0).unwrap_err();
            assert_eq!(error.fit, 33);
            let fewer = points(&text.replace("clients = 100", "clients = 33"));
            assert_eq!(check(&fewer[0], contender, needed / 3.0), Ok(()));
            assert!(check(&points(FEED)[0], contender, 1.0).is_ok(), "loopback has no router");
        }
        let tenths = check(&points(&text)[0], Contender::SSE, 1_640.0).unwrap_err().to_string();
        assert!(tenths.contains("`--rate 8.2/s`"), "{tenths}");
        let told = |contender| check(&points(&text)[0], contender, 200.0).unwrap_err().to_string();
        assert!(told(Contender::SSE).contains("`--clients 10`, or at most `--rate 1/s`"));
        let polls = told(Contender::SHORT_POLL);
        assert!(polls.contains("`--clients 33`, or a `--poll-interval` of 1.5s"), "{polls}");
    }
}
