//! Publishing by hand.

use http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use http::{HeaderMap, Request, StatusCode};
use hyper::body::Incoming;
use pushbench_core::feed::message::SEQ_DIGITS;
use pushbench_core::feed::payload::MAX_PAYLOAD;
use pushbench_core::feed::schedule::Schedule;

use super::body;
use super::row::{Answers, Endpoint};
use crate::http::answer::{self, Answer};
use crate::shared::Shared;

/// Publishing by hand.
pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/feed/publish",
    methods: &["POST"],
    is_for_people: false,
    answers: Answers::Publish,
};

/// The largest body of a message: its number takes the rest.
const MAX_BODY: usize = MAX_PAYLOAD - SEQ_DIGITS;

/// `POST /feed/publish`: the body, behind its number, becomes the next message.
pub(crate) async fn publish(shared: &Shared, request: Request<Incoming>) -> Answer {
    let published = async {
        refuse_schedule(shared)?;
        authorise(shared, request.headers())?;
        let body = body::receive(shared, request, MAX_BODY).await?;
        if body.is_empty() {
            return Err(answer::text(
                StatusCode::BAD_REQUEST,
                "the body is the message, and there is none; send at least one byte",
            ));
        }
        Ok(shared.publish(&body))
    };
    match published.await {
        Ok(seq) => answer::content(StatusCode::CREATED, answer::JSON, answer::number(seq)),
        Err(refusal) => refusal,
    }
}

#[expect(clippy::result_large_err, reason = "a refusal is the answer itself")]
fn refuse_schedule(shared: &Shared) -> Result<(), Answer> {
    match &shared.config.feed.schedule {
        Schedule::Manual => Ok(()),
        schedule => Err(answer::text(
            StatusCode::CONFLICT,
            format_args!(
                "this feed is published by its schedule ({}); publishing by hand needs a feed \
                 without one",
                schedule.name()
            ),
        )),
    }
}

/// On a loopback address anybody may publish, unless a token was asked for.
#[expect(clippy::result_large_err, reason = "a refusal is the answer itself")]
fn authorise(shared: &Shared, headers: &HeaderMap) -> Result<(), Answer> {
    let Some(token) = &shared.config.publish_token else {
        if shared.address.ip().is_loopback() {
            return Ok(());
        }
        let reason = format_args!(
            "publishing is off: this server listens on {}, which others can reach, and was \
             started without a token for publishing",
            shared.address
        );
        return Err(answer::text(StatusCode::FORBIDDEN, reason));
    };
    let given = headers.get(AUTHORIZATION).map_or(&b""[..], |value| value.as_bytes());
    if token.is_carried_by(given) {
        return Ok(());
    }
    let reason = "publishing needs the server's token: `Authorization: Bearer TOKEN`";
    let refusal = answer::text(StatusCode::UNAUTHORIZED, reason);
    Err(answer::with_field(refusal, WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")))
}
