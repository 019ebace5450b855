//! Rooms: who is there, and saying something without a stream of one's own.

use std::cell::RefCell;

use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use http::{Request, StatusCode};
use hyper::body::Incoming;
use pushbench_core::feed::message::Content;
use pushbench_os::time::clock;

use super::body;
use super::row::{Answers, Endpoint, GET_OR_HEAD};
use crate::connection::Connection;
use crate::http::answer::{self, Answer};
use crate::http::fields::is_bytes;
use crate::rooms::refusal::RoomRefusal;
use crate::shared::Shared;

/// A room.
pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/rooms/NAME",
    methods: GET_OR_HEAD,
    is_for_people: false,
    answers: Answers::Room,
};

/// The messages said in it.
pub(super) const MESSAGES: Endpoint = Endpoint {
    path: "/rooms/NAME/messages",
    methods: &["POST"],
    is_for_people: false,
    answers: Answers::Say,
};

/// `GET /rooms/NAME`. The room begins with that, so that the id holds.
pub(crate) fn describe(shared: &Shared, name: &str, connection: &RefCell<Connection>) -> Answer {
    let now = shared.clock.get();
    match shared.rooms.enter(name, connection.borrow_mut().guest(), now) {
        Err(refusal) => refuse(&refusal),
        Ok(room) => {
            let ring = room.ring.borrow();
            let json = serde_json::json!({
                "name": name,
                "id": ring.whose.feed.to_string(),
                "connected": room.attendance.connected(),
                "oldest": ring.oldest(),
                "newest": ring.newest(),
            });
            answer::content(StatusCode::OK, answer::JSON, json.to_string())
        }
    }
}

/// `POST /rooms/NAME/messages`: the body is the next message.
pub(crate) async fn say(
    shared: &Shared,
    name: &str,
    connection: &RefCell<Connection>,
    request: Request<Incoming>,
) -> Answer {
    let content = content(request.headers());
    let said = body::receive(shared, request, shared.config.rooms.message).await;
    let payload = match said {
        Ok(payload) => payload,
        Err(refusal) => return refusal,
    };
    let mut connection = connection.borrow_mut();
    match shared.rooms.say_in(name, connection.guest(), (content, &payload), clock::now()) {
        Ok(seq) => answer::content(StatusCode::CREATED, answer::JSON, answer::number(seq)),
        Err(refusal) => refuse(&refusal),
    }
}

/// The kind of the message that a request with these headers brings.
fn content(headers: &HeaderMap) -> Content {
    let media_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    if media_type.is_some_and(is_bytes) { Content::Binary } else { Content::Text }
}

/// The refusal as an answer.
pub(super) fn refuse(refusal: &RoomRefusal) -> Answer {
    let answer = answer::text(refusal.status(), refusal);
    match refusal.retry_after() {
        Some(seconds) => answer::with_field(answer, RETRY_AFTER, HeaderValue::from(seconds)),
        None => answer,
    }
}
