//! The opening of a stream, whichever it is.

use std::cell::RefCell;
use std::rc::Rc;

use http::header::RETRY_AFTER;
use http::{HeaderValue, Request, StatusCode};
use hyper::body::{Body as _, Incoming};
use pushbench_core::Delivery;

use super::room::refuse;
use super::row::{Joining, Streams};
use crate::access::Cors;
use crate::connection::Connection;
use crate::http::answer::{self, Answer};
use crate::query::{Keys, Query, QueryError};
use crate::rooms::key::RoomKey;
use crate::rooms::room::{Room, RoomKind};
use crate::shared::Shared;
use crate::stream::Opening;

/// The request header with which a browser's `EventSource` resumes (WHATWG HTML §9.2.3).
const LAST_EVENT_ID: &str = "last-event-id";

/// The stream that a request opens, and the room that it is of, as one of this connection or another's.
#[expect(clippy::result_large_err, reason = "a refusal is the answer itself")]
pub(crate) fn open(
    shared: &Shared,
    (streams, room): (&Streams, Option<&str>),
    request: &Request<Incoming>,
    cors: Cors,
    connection: &RefCell<Connection>,
) -> Result<(Rc<Room>, Opening), Answer> {
    if shared.stopping.get() {
        // Another may take its place (RFC 9110 §10.2.3).
        let refusal = answer::text(StatusCode::SERVICE_UNAVAILABLE, "the server stops");
        return Err(answer::with_field(refusal, RETRY_AFTER, HeaderValue::from_static("1")));
    }
    if !request.body().is_end_stream() {
        let reason = "a request that opens a stream has no body";
        return Err(answer::text(StatusCode::BAD_REQUEST, reason));
    }
    let query = query(streams, room.is_some(), request)
        .map_err(|error: QueryError| answer::text(StatusCode::BAD_REQUEST, error))?;
    let room = match room {
        Some(name) => {
            let (mut connection, now) = (connection.borrow_mut(), shared.clock.get());
            let entered = shared.rooms.enter(name, connection.guest(), now);
            entered.map_err(|refusal| refuse(&refusal))?
        }
        None if streams.is_echo => shared.rooms.get(RoomKey::ECHO),
        None => Rc::clone(&shared.feed),
    };
    let opening = opening(shared, &room, streams, request, &query)?;
    let head = if streams.is_response && cors.is_asked() {
        cors.insert_into(&opening.head, &shared.config.access)
    } else {
        opening.head
    };
    Ok((room, Opening { head, ..opening }))
}

#[expect(clippy::result_large_err, reason = "a refusal is the answer itself")]
fn opening(
    shared: &Shared,
    room: &Room,
    streams: &Streams,
    request: &Request<Incoming>,
    query: &Query,
) -> Result<Opening, Answer> {
    let ring = room.ring.borrow();
    let subscribed = ring.subscribe(query.after, query.delivery);
    // A request that is malformed is told so, whatever its cursor.
    let cursor = subscribed.unwrap_or_default();
    let is_in_room = matches!(room.kind, RoomKind::Named(_));
    let joining = Joining { cursor, is_in_room, presence: query.presence };
    let (head, wire) = (streams.agree)(request, &shared.config, joining)?;
    let of_feed = query.check_feed(&ring);
    of_feed.map_err(|other| answer::gone(other.to_json()))?;
    let cursor = subscribed.map_err(|gone| answer::gone(gone.to_json()))?;
    Ok(Opening { head, wire, delivery: query.delivery, cursor })
}

fn query(
    streams: &Streams,
    is_in_room: bool,
    request: &Request<Incoming>,
) -> Result<Query, QueryError> {
    let keys = if streams.is_response && is_in_room { Keys::Presence } else { Keys::Common };
    let mut query = Query::parse(request.uri().query(), keys, Delivery::default())?;
    if let (true, Some(id)) = (streams.is_response, request.headers().get(LAST_EVENT_ID)) {
        query.resume_after(id.as_bytes())?;
    }
    Ok(query)
}
