//! Publishing by hand.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderValue, WWW_AUTHENTICATE};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use pushbench_core::feed::message::SEQ_DIGITS;
use pushbench_core::feed::payload::MAX_PAYLOAD;
use pushbench_core::feed::schedule::Schedule;

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

/// Bodies received at a time, each of them in memory.
const MAX_UPLOADS: usize = 16;

/// `POST /feed/publish`: the body, behind its number, becomes the next message.
pub(crate) async fn publish(shared: &Shared, request: Request<Incoming>) -> Answer {
    let published = async {
        refuse_schedule(shared)?;
        authorise(shared, request.headers())?;
        let body = receive(shared, request).await?;
        if body.is_empty() {
            return Err(answer::text(
                StatusCode::BAD_REQUEST,
                "the body is the message, and there is none; send at least one byte",
            ));
        }
        Ok(shared.publish(&body))
    };
    match published.await {
        Ok(seq) => {
            let json = format!("{{\"seq\":{seq}}}");
            answer::content(StatusCode::CREATED, answer::JSON, json)
        }
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

/// The body, within its bounds of size and time.
async fn receive(shared: &Shared, request: Request<Incoming>) -> Result<Bytes, Answer> {
    let too_large = || {
        let reason = format_args!("a message's body holds at most {MAX_BODY} bytes");
        answer::text(StatusCode::PAYLOAD_TOO_LARGE, reason)
    };
    let stated = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if stated.and_then(|text| text.parse().ok()).is_some_and(|length: usize| length > MAX_BODY) {
        return Err(too_large());
    }
    if shared.uploads.get() >= MAX_UPLOADS {
        let reason = "too many messages are being published at once; try again";
        return Err(answer::text(StatusCode::SERVICE_UNAVAILABLE, reason));
    }
    let _upload = shared.uploads.while_held();
    let body = Limited::new(request.into_body(), MAX_BODY).collect();
    match tokio::time::timeout(shared.config.request_timeout, body).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(error)) => {
            let reason = format_args!("the body cannot be read: {error}");
            Err(answer::text(StatusCode::BAD_REQUEST, reason))
        }
        Err(_) => Err(answer::text(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time")),
    }
}
