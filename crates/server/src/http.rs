//! Requests that are hyper's and their answers: which endpoint, which method, and what each says.

pub(crate) mod answer;
mod feed;

use std::convert::Infallible;
use std::rc::Rc;

use http::header::{ALLOW, CONNECTION, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{Method, Request, StatusCode, Version};
use hyper::body::{Body as _, Incoming};
use pushbench_core::{Delivery, Seq};
use pushbench_protocol::headers::HeaderProfile;

use self::answer::Answer;
use crate::access::{self, Access, Asked, Claims, Cors, PREFLIGHT};
use crate::connection::{Answering, ConnectionState, Takeover};
use crate::counters::Endpoint;
use crate::metrics_text;
use crate::polls::{Meant, read_by_hyper};
use crate::query::{Query, QueryError, STREAM_KEYS};
use crate::shared::Shared;
use crate::stream::websocket::Refusal;
use crate::stream::{Wire, sse, websocket};

/// The page for people.
const PAGE: &str = include_str!("page.html");

/// The request header with which a browser's `EventSource` resumes (WHATWG HTML §9.2.3).
const LAST_EVENT_ID: &str = "last-event-id";

/// Answers a request, or leaves a takeover and never does.
pub(crate) async fn handle(
    shared: Rc<Shared>,
    connection: Rc<ConnectionState>,
    is_loopback: bool,
    request: Request<Incoming>,
) -> Result<Answer, Infallible> {
    let answering = Answering::new(&connection, &shared);
    let meant = Meant::by(request.uri().path(), &shared.config.headers);
    let access = &shared.config.access;
    let judged = judge(access, &request, meant.endpoint, is_loopback);
    let cors = judged.as_ref().copied().unwrap_or(Cors::NONE);
    let mut answer = match judged {
        Err(refusal) => answer::text(refusal.status(), refusal),
        Ok(_) if cors.is_asked() && request.method() == Method::OPTIONS => preflight(),
        Ok(_) => serve(&shared, &connection, request, (meant, cors)).await,
    };
    cors.add_to(answer.headers_mut(), access);
    shared.counters.answered(meant.endpoint, answer.status());
    drop(answering);
    Ok(answer)
}

/// Whether a request is let in, as [`Access::judge`] says.
fn judge(
    access: &Access,
    request: &Request<Incoming>,
    endpoint: Endpoint,
    is_loopback: bool,
) -> Result<Cors, access::Refusal> {
    let mut claims = Claims::default();
    for (name, value) in request.headers() {
        claims.take(name.as_str(), value.as_bytes());
    }
    let authority = request.uri().authority().map(|authority| authority.as_str().as_bytes());
    let asked = Asked { endpoint, version: request.version(), authority, is_loopback };
    access.judge(&claims, asked)
}

/// What a page of another origin may send (Fetch §3.2.2).
fn preflight() -> Answer {
    let mut answer = answer::empty(StatusCode::NO_CONTENT);
    for (name, value) in PREFLIGHT {
        answer = answer::with_field(answer, name, value);
    }
    answer
}

/// Answers a request that is let in, or leaves a takeover and never does.
async fn serve(
    shared: &Shared,
    connection: &ConnectionState,
    request: Request<Incoming>,
    (meant, cors): (Meant, Cors),
) -> Answer {
    let endpoint = meant.endpoint;
    match endpoint {
        _ if meant.is_poll(request.method().as_str()) && request.body().is_end_stream() => {
            connection.take_over(Takeover::Poll(read_by_hyper(&request, meant, cors)));
            std::future::pending().await
        }
        Endpoint::Sse | Endpoint::Websocket => {
            match open_stream(shared, endpoint, &request, cors) {
                Ok(takeover) => {
                    let status = match endpoint {
                        Endpoint::Sse => StatusCode::OK,
                        _ => StatusCode::SWITCHING_PROTOCOLS,
                    };
                    shared.counters.answered(endpoint, status);
                    connection.take_over(takeover);
                    std::future::pending().await
                }
                Err(refusal) => refusal,
            }
        }
        _ => answer(shared, endpoint, request).await,
    }
}

async fn answer(shared: &Shared, endpoint: Endpoint, request: Request<Incoming>) -> Answer {
    if let Err(refusal) = check_method(endpoint, request.method()) {
        return refusal;
    }
    match endpoint {
        Endpoint::Poll | Endpoint::LongPoll => {
            answer::text(StatusCode::BAD_REQUEST, "a request for a poll has no body")
        }
        Endpoint::Feed => feed::describe(shared),
        Endpoint::Publish => feed::publish(shared, request).await,
        Endpoint::Metrics => {
            let page = metrics_text::render(shared);
            answer::content(StatusCode::OK, metrics_text::CONTENT_TYPE, page)
        }
        Endpoint::Health => answer::text(StatusCode::OK, "ok"),
        Endpoint::Page => answer::content(StatusCode::OK, "text/html; charset=utf-8", PAGE),
        Endpoint::Sse | Endpoint::Websocket | Endpoint::Unknown => not_found(),
    }
}

fn bad_request(error: &QueryError) -> Answer {
    answer::text(StatusCode::BAD_REQUEST, error)
}

fn not_found() -> Answer {
    let known = Endpoint::ALL.into_iter().filter(|&endpoint| endpoint != Endpoint::Unknown);
    let list: Vec<&str> = known.map(Endpoint::path).collect();
    let reason = format_args!("there is nothing here; the endpoints are {}", list.join(", "));
    answer::text(StatusCode::NOT_FOUND, reason)
}

/// The method that the endpoint takes; HEAD where there is a page to be had without waiting.
#[expect(clippy::result_large_err, reason = "a refusal is the answer itself")]
fn check_method(endpoint: Endpoint, method: &Method) -> Result<(), Answer> {
    let allowed = match endpoint {
        Endpoint::Publish => "POST",
        Endpoint::LongPoll | Endpoint::Sse | Endpoint::Websocket => "GET",
        Endpoint::Unknown => return Ok(()),
        _ => "GET, HEAD",
    };
    if allowed.split(", ").any(|name| name == method.as_str()) {
        return Ok(());
    }
    let reason = format_args!("{} takes {allowed}, not {method}", endpoint.path());
    let refusal = answer::text(StatusCode::METHOD_NOT_ALLOWED, reason);
    Err(answer::with_field(refusal, ALLOW, allowed))
}

/// What a request for a stream becomes.
#[expect(clippy::result_large_err, reason = "a refusal is the answer itself")]
fn open_stream(
    shared: &Shared,
    endpoint: Endpoint,
    request: &Request<Incoming>,
    cors: Cors,
) -> Result<Takeover, Answer> {
    check_method(endpoint, request.method())?;
    if shared.stopping.get() {
        return Err(answer::text(StatusCode::SERVICE_UNAVAILABLE, "the server stops"));
    }
    if !request.body().is_end_stream() {
        let reason = "a request that opens a stream has no body";
        return Err(answer::text(StatusCode::BAD_REQUEST, reason));
    }
    let mut query = Query::parse(request.uri().query(), STREAM_KEYS, Delivery::default())
        .map_err(|error| bad_request(&error))?;
    if let (Endpoint::Sse, Some(id)) = (endpoint, request.headers().get(LAST_EVENT_ID)) {
        query.resume_after(id.as_bytes()).map_err(|error| bad_request(&error))?;
    }
    let profile = &shared.config.headers;
    let head_for = |cursor| match endpoint {
        Endpoint::Sse => sse_head(request, profile, cursor),
        _ => websocket_head(request, profile, cursor),
    };
    let subscribed = shared.hub.borrow().subscribe(query.after, query.delivery);
    // A request that is malformed is told so, whatever its cursor.
    let head = head_for(subscribed.unwrap_or_default())?;
    let of_feed = query.check_feed(shared.feed_id, &shared.hub.borrow().ring);
    of_feed.map_err(|other| answer::gone(other.to_json()))?;
    let cursor = subscribed.map_err(|gone| answer::gone(gone.to_json()))?;
    // A page reads what an event stream says; a WebSocket is open to it once it is let in.
    let head = match endpoint {
        Endpoint::Sse if cors.is_asked() => cors.insert_into(&head, &shared.config.access),
        _ => head,
    };
    let wire = match endpoint {
        Endpoint::Sse => Wire::Sse,
        _ => Wire::Websocket(None),
    };
    Ok(Takeover::Stream { head, wire, delivery: query.delivery, cursor })
}

/// An HTTP/1.0 client knows no chunks, and so no end of a stream (RFC 9112 §7.1).
#[expect(clippy::result_large_err, reason = "a refusal is the answer itself")]
fn sse_head(
    request: &Request<Incoming>,
    profile: &HeaderProfile,
    cursor: Seq,
) -> Result<Vec<u8>, Answer> {
    if request.version() >= Version::HTTP_11 {
        return Ok(sse::head(profile, cursor));
    }
    let reason = "an event stream needs HTTP/1.1";
    Err(answer::text(StatusCode::HTTP_VERSION_NOT_SUPPORTED, reason))
}

#[expect(clippy::result_large_err, reason = "a refusal is the answer itself")]
fn websocket_head(
    request: &Request<Incoming>,
    profile: &HeaderProfile,
    cursor: Seq,
) -> Result<Vec<u8>, Answer> {
    let (method, version, headers) = (request.method(), request.version(), request.headers());
    websocket::head(method, version, headers, (profile, cursor)).map_err(|refusal| match refusal {
        Refusal::Malformed(_) => answer::text(StatusCode::BAD_REQUEST, refusal),
        Refusal::Upgrade(_) => {
            let answer = answer::text(StatusCode::UPGRADE_REQUIRED, refusal);
            let answer = answer::with_field(answer, CONNECTION, "Upgrade");
            let answer = answer::with_field(answer, UPGRADE, "websocket");
            answer::with_field(answer, SEC_WEBSOCKET_VERSION, "13")
        }
    })
}
