//! The endpoints: one row for each, in a file of its own where it is more than a line.

mod feed;
mod metrics;
mod poll;
mod publish;
pub(crate) mod row;
mod sse;
pub(crate) mod stream;
mod websocket;

use http::StatusCode;
use pushbench_core::Delivery;
use pushbench_protocol::headers::HeaderProfile;

pub(crate) use self::publish::publish;
use self::row::{Answers, Endpoint, GET_OR_HEAD};
use crate::counters::EndpointRow;
use crate::http::answer;

/// The page for people.
const PAGE: Endpoint = Endpoint {
    path: "/",
    methods: GET_OR_HEAD,
    is_for_people: true,
    answers: Answers::Page(|_| {
        let page = include_str!("endpoint/page.html");
        answer::content(StatusCode::OK, "text/html; charset=utf-8", page)
    }),
};

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
    PAGE,
    feed::ENDPOINT,
    publish::ENDPOINT,
    poll::SHORT,
    poll::LONG,
    sse::ENDPOINT,
    websocket::ENDPOINT,
    metrics::ENDPOINT,
    HEALTH,
    UNKNOWN,
];

const _: () = assert!(ENDPOINTS.len() <= EndpointRow::MOST, "the books have too few rows");

/// The endpoints and their rows of the books.
pub(crate) fn all() -> impl Iterator<Item = (EndpointRow, &'static Endpoint)> {
    ENDPOINTS.iter().enumerate().map(|(row, endpoint)| (EndpointRow(row), endpoint))
}

/// The endpoint that a path leads to, and what it implies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route {
    pub(crate) endpoint: &'static Endpoint,
    pub(crate) row: EndpointRow,
    /// The delivery where the query says nothing of it.
    pub(crate) delivery: Delivery,
}

impl Route {
    /// The profile's own path is that of short polls. The server's other endpoints stay what they
    /// are, since whoever needs them would fail without; the page at `/` gives way.
    pub(crate) fn of(path: &str, profile: &HeaderProfile) -> Self {
        let row = row_of(path);
        if ENDPOINTS[row].gives_way() && profile.path.as_deref() == Some(path) {
            return Self::to(row_of(poll::SHORT.path), poll::implied_delivery(profile));
        }
        Self::to(row, Delivery::default())
    }

    fn to(row: usize, delivery: Delivery) -> Self {
        Self { endpoint: &ENDPOINTS[row], row: EndpointRow(row), delivery }
    }
}

fn row_of(path: &str) -> usize {
    let found = ENDPOINTS.iter().position(|endpoint| endpoint.path == path);
    found.unwrap_or(ENDPOINTS.len() - 1)
}
