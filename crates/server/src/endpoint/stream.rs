//! The opening of a stream, whichever it is.

use http::{Request, StatusCode};
use hyper::body::{Body as _, Incoming};
use pushbench_core::Delivery;

use super::row::Streams;
use crate::access::Cors;
use crate::http::answer::{self, Answer};
use crate::query::{Query, QueryError};
use crate::shared::Shared;
use crate::stream::Opening;

/// The request header with which a browser's `EventSource` resumes (WHATWG HTML §9.2.3).
const LAST_EVENT_ID: &str = "last-event-id";

/// The stream that a request opens.
///
/// # Errors
///
/// The answer that refuses it.
#[expect(clippy::result_large_err, reason = "a refusal is the answer itself")]
pub(crate) fn open(
    shared: &Shared,
    streams: &Streams,
    request: &Request<Incoming>,
    cors: Cors,
) -> Result<Opening, Answer> {
    if shared.stopping.get() {
        return Err(answer::text(StatusCode::SERVICE_UNAVAILABLE, "the server stops"));
    }
    if !request.body().is_end_stream() {
        let reason = "a request that opens a stream has no body";
        return Err(answer::text(StatusCode::BAD_REQUEST, reason));
    }
    let query = query(streams, request)
        .map_err(|error: QueryError| answer::text(StatusCode::BAD_REQUEST, error))?;
    let ring = shared.ring.borrow();
    let subscribed = ring.subscribe(query.after, query.delivery);
    // A request that is malformed is told so, whatever its cursor.
    let cursor = subscribed.unwrap_or_default();
    let (head, wire) = (streams.agree)(request, &shared.config, cursor)?;
    let of_feed = query.check_feed(shared.feed_id, &ring);
    of_feed.map_err(|other| answer::gone(other.to_json()))?;
    let cursor = subscribed.map_err(|gone| answer::gone(gone.to_json()))?;
    let head = if streams.is_response && cors.is_asked() {
        cors.insert_into(&head, &shared.config.access)
    } else {
        head
    };
    Ok(Opening { head, wire, delivery: query.delivery, cursor })
}

fn query(streams: &Streams, request: &Request<Incoming>) -> Result<Query, QueryError> {
    let mut query = Query::parse(request.uri().query(), false, Delivery::default())?;
    if let (true, Some(id)) = (streams.is_response, request.headers().get(LAST_EVENT_ID)) {
        query.resume_after(id.as_bytes())?;
    }
    Ok(query)
}
