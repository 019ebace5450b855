//! Short and long polls.

use std::time::Duration;

use http::header::IF_NONE_MATCH;
use http::{HeaderMap, StatusCode};
use pushbench_core::{Delivery, Seq};
use tokio::time::{Instant, timeout_at};

use super::answer::{self, Answer};
use super::query::{Query, names_cursor};
use crate::connection::ConnectionState;
use crate::hub;
use crate::shared::Shared;

/// Everything after the cursor, or the newest value.
///
/// Under `latest` and without a cursor that is the newest message again and again, as naive
/// polling has it.
pub(crate) fn short(
    shared: &Shared,
    connection: &ConnectionState,
    query: &Query,
    headers: &HeaderMap,
) -> Answer {
    let mut hub = shared.hub.borrow_mut();
    let found = match (query.after, query.delivery) {
        (None, Delivery::Latest) => Ok(hub.newest()),
        (after, delivery) => {
            let cursor = after.unwrap_or(hub.ring().newest());
            hub.poll(cursor, delivery)
        }
    };
    respond(connection, query, found, headers)
}

/// The same as soon as there is something, or nothing once the time is over (RFC 6202 §2).
pub(crate) async fn long(
    shared: &Shared,
    connection: &ConnectionState,
    query: &Query,
    headers: &HeaderMap,
) -> Answer {
    let cursor = match shared.hub.borrow().subscribe(query.after, query.delivery) {
        Ok(cursor) => cursor,
        Err(gone) => return answer::gone(gone),
    };
    let found = wait(shared, cursor, query.delivery, query.timeout).await;
    respond(connection, query, found, headers)
}

async fn wait(
    shared: &Shared,
    cursor: Seq,
    delivery: Delivery,
    timeout: Duration,
) -> Result<hub::Answer, hub::Gone> {
    let deadline = Instant::now() + timeout;
    let _waiting = shared.counters.waiting.while_held();
    loop {
        // Before the look, lest a message between the two be missed.
        let news = shared.news.notified();
        let found = shared.hub.borrow_mut().poll(cursor, delivery)?;
        if found.body.is_some() || timeout.is_zero() || shared.stopping.get() {
            return Ok(found);
        }
        if timeout_at(deadline, news).await.is_err() {
            return Ok(found);
        }
    }
}

/// A poll's response: 200 with messages, 204 without, and 304 in place of either where the
/// client says that it has what the response would cover (RFC 9110 §13.1.2).
fn respond(
    connection: &ConnectionState,
    query: &Query,
    found: Result<hub::Answer, hub::Gone>,
    headers: &HeaderMap,
) -> Answer {
    let found = match found {
        Ok(found) => found,
        Err(gone) => return answer::gone(gone),
    };
    let conditions = headers.get_all(IF_NONE_MATCH);
    if conditions.iter().any(|list| names_cursor(list.as_bytes(), found.cursor)) {
        return answer::empty_at(StatusCode::NOT_MODIFIED, found.cursor);
    }
    match found.body {
        Some((kind, body)) => {
            let after = match query.delivery {
                Delivery::Every => query.after.unwrap_or(found.cursor),
                Delivery::Latest => Seq(found.cursor.0.saturating_sub(1)),
            };
            connection.fetches(after, found.cursor);
            answer::messages(found.cursor, kind, body)
        }
        None => answer::empty_at(StatusCode::NO_CONTENT, found.cursor),
    }
}
