//! Bodies of requests, within bounds of size, time and number.

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;

use crate::http::answer::{self, Answer};
use crate::shared::Shared;

/// Bodies received at a time, each of them in memory.
const MAX_UPLOADS: usize = 16;

/// The body, within its bounds of size and time.
pub(super) async fn receive(
    shared: &Shared,
    request: Request<Incoming>,
    most: usize,
) -> Result<Bytes, Answer> {
    let too_large = || {
        let reason = format_args!("a message's body holds at most {most} bytes");
        answer::text(StatusCode::PAYLOAD_TOO_LARGE, reason)
    };
    let stated = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if stated.and_then(|text| text.parse().ok()).is_some_and(|length: usize| length > most) {
        return Err(too_large());
    }
    if shared.uploads.get() >= MAX_UPLOADS {
        let reason = "too many messages are being published at once; try again";
        return Err(answer::text(StatusCode::SERVICE_UNAVAILABLE, reason));
    }
    let _upload = shared.uploads.while_held();
    let body = Limited::new(request.into_body(), most).collect();
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
