//! The endpoints: one row for each, in a file of its own where it is more than a line.

mod body;
mod client;
mod feed;
mod metrics;
mod page;
mod poll;
mod publish;
mod room;
pub(crate) mod row;
mod sse;
pub(crate) mod stream;
mod websocket;

use http::StatusCode;
use pushbench_core::Delivery;
use pushbench_protocol::headers::HeaderProfile;

pub(crate) use self::publish::publish;
pub(crate) use self::room::{describe, say};
use self::row::{Answers, Endpoint, GET_OR_HEAD};
use crate::counters::EndpointRow;
use crate::http::answer;
use crate::rooms::is_name;

/// Tells that the server is there.
const HEALTH: Endpoint = Endpoint {
    path: "/healthz",
    methods: GET_OR_HEAD,
    is_for_people: false,
    answers: Answers::Page(|_| answer::text(StatusCode::OK, "ok")),
};

/// Stands for all paths that are none.
const UNKNOWN: Endpoint =
    Endpoint { path: "other", methods: &[], is_for_people: false, answers: Answers::Unknown };

/// The endpoints, in the order of the books; last the one that stands for paths that are none.
static ENDPOINTS: &[Endpoint] = &[
    page::ENDPOINT,
    feed::ENDPOINT,
    publish::ENDPOINT,
    poll::SHORT,
    poll::LONG,
    sse::ENDPOINT,
    websocket::ENDPOINT,
    metrics::ENDPOINT,
    HEALTH,
    client::ENDPOINT,
    websocket::ECHO,
    room::ENDPOINT,
    room::MESSAGES,
    poll::ROOM_SHORT,
    poll::ROOM_LONG,
    sse::ROOM,
    websocket::ROOM,
    UNKNOWN,
];

const _: () = assert!(ENDPOINTS.len() <= EndpointRow::MOST, "the books have too few rows");

/// The endpoints and their rows of the books.
pub(crate) fn all() -> impl Iterator<Item = (EndpointRow, &'static Endpoint)> {
    ENDPOINTS.iter().enumerate().map(|(row, endpoint)| (row_at(row), endpoint))
}

/// The endpoint that a path leads to, and what it implies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route<'a> {
    pub(crate) endpoint: &'static Endpoint,
    pub(crate) row: EndpointRow,
    /// The delivery where the query says nothing of it.
    pub(crate) delivery: Delivery,
    /// The name of the room that it is about.
    pub(crate) room: Option<&'a str>,
}

impl<'a> Route<'a> {
    /// The profile's own path is that of short polls. The server's other endpoints stay what they
    /// are, since whoever needs them would fail without; the page at `/` gives way.
    pub(crate) fn of(path: &'a str, profile: &HeaderProfile) -> Self {
        let (row, room) = row_of(path).map_or_else(|| in_room(path), |row| (row, None));
        if ENDPOINTS[row].gives_way() && profile.path.as_deref() == Some(path) {
            let (row, delivery) = (row_of(poll::SHORT.path), poll::implied_delivery(profile));
            return Self { delivery, ..Self::to(row.unwrap_or(NOWHERE), None) };
        }
        Self::to(row, room)
    }

    fn to(row: usize, room: Option<&'a str>) -> Self {
        let (endpoint, delivery) = (&ENDPOINTS[row], Delivery::default());
        Self { endpoint, row: row_at(row), delivery, room }
    }
}

/// The row of paths that are none.
const NOWHERE: usize = ENDPOINTS.len() - 1;

fn row_of(path: &str) -> Option<usize> {
    ENDPOINTS.iter().position(|endpoint| endpoint.path == path)
}

/// The row of a path within a room, and the room's name.
fn in_room(path: &str) -> (usize, Option<&str>) {
    let nowhere = (NOWHERE, None);
    let Some(rest) = path.strip_prefix(ROOMS) else { return nowhere };
    let (name, behind) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if !is_name(name) {
        return nowhere;
    }
    let is_it = |endpoint: &Endpoint| {
        endpoint.path.strip_prefix(ROOM).is_some_and(|wanted| wanted == behind)
    };
    let row = ENDPOINTS.iter().position(is_it);
    row.map_or(nowhere, |row| (row, Some(name)))
}

/// The beginning of paths within rooms, and the same with what stands for any name.
const ROOMS: &str = "/rooms/";
const ROOM: &str = "/rooms/NAME";

fn row_at(place: usize) -> EndpointRow {
    EndpointRow(u8::try_from(place).expect("the books have fewer rows"))
}
