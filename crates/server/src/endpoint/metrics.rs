//! `GET /metrics`: the Prometheus text format, version 0.0.4.

use std::fmt::{Display, Write as _};

use http::StatusCode;

use super::row::{Answers, Endpoint, GET_OR_HEAD};
use crate::counters::ConnectionKind;
use crate::http::answer;
use crate::shared::Shared;
use crate::wire::Language;

/// The server's figures.
pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/metrics",
    methods: GET_OR_HEAD,
    is_for_people: false,
    answers: Answers::Page(|shared| answer::content(StatusCode::OK, CONTENT_TYPE, render(shared))),
};

/// The quantiles of the publisher's lag that are given.
const QUANTILES: [f64; 4] = [0.5, 0.9, 0.99, 0.999];

/// The media type of [`render`].
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Every figure as of now.
fn render(shared: &Shared) -> String {
    let mut page = Page(String::with_capacity(4096));
    messages(&mut page, shared);
    connections(&mut page, shared);
    rooms(&mut page, shared);
    requests(&mut page, shared);
    lag(&mut page, shared);
    page.0
}

struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl Display) {
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.sample(name, "", value);
    }
}

fn messages(page: &mut Page, shared: &Shared) {
    let (ring, counters) = (shared.feed.ring.borrow(), &shared.counters);
    let published = ring.newest();
    page.single("pushbench_messages_published_total", "counter", "Messages published.", published);
    page.single("pushbench_ring_messages", "gauge", "Past messages held.", ring.len());
    let help = "Bytes of past messages held, over every encoding.";
    page.single("pushbench_ring_bytes", "gauge", help, ring.bytes());
    let help = "Messages compressed: once for each coding, and for each stream that shares none.";
    let compressions = ring.codings.compressions();
    page.single("pushbench_compressions_total", "counter", help, compressions);
    let help = "Messages that a slow stream skipped under delivery=latest.";
    page.single("pushbench_superseded_total", "counter", help, counters.superseded.get());
    let help = "Streams ended because their cursor fell off the ring.";
    page.single("pushbench_overrun_total", "counter", help, counters.overrun.get());
    let help = "Streams cut because they took no byte for too long.";
    page.single("pushbench_stalled_total", "counter", help, counters.stalled.get());
}

fn connections(page: &mut Page, shared: &Shared) {
    let counters = &shared.counters;
    let help = "Connections accepted.";
    let accepted = counters.connections.get();
    page.single("pushbench_connections_accepted_total", "counter", help, accepted);
    let help = "Connections refused because there were too many.";
    let refused = counters.refused.get();
    page.single("pushbench_connections_refused_total", "counter", help, refused);
    let name = "pushbench_tls_handshakes_total";
    page.family(name, "counter", "Handshakes of TLS, by outcome.");
    let resumed = counters.resumed.get();
    page.sample(name, "{outcome=\"full\"}", counters.handshakes.get() - resumed);
    page.sample(name, "{outcome=\"resumed\"}", resumed);
    page.sample(name, "{outcome=\"failed\"}", counters.failed_handshakes.get());
    let name = "pushbench_connections_opened_total";
    page.family(name, "counter", "Connections by kind; every stream began as http.");
    for kind in kinds() {
        page.sample(name, &format!("{{kind=\"{}\"}}", kind.name), counters.opened_ever(kind));
    }
    let name = "pushbench_connections_open";
    page.family(name, "gauge", "Connections open now, by kind.");
    for kind in kinds() {
        page.sample(name, &format!("{{kind=\"{}\"}}", kind.name), counters.open_now(kind));
    }
}

fn kinds() -> impl Iterator<Item = ConnectionKind> {
    [ConnectionKind::HTTP].into_iter().chain(Language::ALL.map(ConnectionKind::of))
}

fn rooms(page: &mut Page, shared: &Shared) {
    let rooms = &shared.rooms;
    page.single("pushbench_rooms_open", "gauge", "Rooms there are now.", rooms.len());
    let help = "Rooms that clients have begun.";
    page.single("pushbench_rooms_begun_total", "counter", help, rooms.begun.get());
    let help = "Bytes of past messages that rooms hold, over every encoding.";
    page.single("pushbench_rooms_bytes", "gauge", help, rooms.bytes());
    let help = "Messages that clients have said in rooms.";
    page.single("pushbench_said_total", "counter", help, rooms.said.get());
    let help = "Messages for rooms that were not taken, and rooms that were not begun.";
    page.single("pushbench_said_refused_total", "counter", help, rooms.refused.get());
}

fn requests(page: &mut Page, shared: &Shared) {
    let waiting = shared.counters.waiting.get();
    page.single("pushbench_long_polls_waiting", "gauge", "Long polls that wait now.", waiting);
    let name = "pushbench_requests_total";
    page.family(name, "counter", "Requests answered, by endpoint and class of status.");
    for (row, endpoint) in super::all() {
        for (class, count) in (1..).zip(shared.counters.answers(row)) {
            if count > 0 {
                let labels = format!("{{endpoint=\"{}\",status=\"{class}xx\"}}", endpoint.path);
                page.sample(name, &labels, count);
            }
        }
    }
}

fn lag(page: &mut Page, shared: &Shared) {
    let lag = &shared.lag.borrow().all;
    let name = "pushbench_publish_lag_seconds";
    let help = "From a message's intended instant until it was handed to the hub.";
    page.family(name, "summary", help);
    for quantile in QUANTILES {
        if let Some(micros) = lag.percentile_us(quantile) {
            page.sample(name, &format!("{{quantile=\"{quantile}\"}}"), micros / 1e6);
        }
    }
    let count = lag.count();
    #[expect(clippy::cast_precision_loss, reason = "the mean has three digits anyway")]
    let sum = lag.mean_us().unwrap_or(0.0) / 1e6 * count as f64;
    page.sample(&format!("{name}_sum"), "", sum);
    page.sample(&format!("{name}_count"), "", count);
}
