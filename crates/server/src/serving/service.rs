//! Requests that hyper has read and their answers.

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

use http::header::{ALLOW, HeaderValue};
use http::{Method, Request, StatusCode};
use hyper::body::{Body as _, Incoming};

use super::head::read_by_hyper;
use super::takeover::{Exchange, Takeover};
use crate::access::{self, Access, Asked, Claims, Cors, PREFLIGHT};
use crate::connection::{Connection, ConnectionState};
use crate::endpoint::row::{Answers, Endpoint};
use crate::endpoint::{self, Route, publish, stream};
use crate::http::answer::{self, Answer};
use crate::shared::Shared;

/// Answers a request, or leaves a takeover and never does.
pub(super) async fn handle(
    shared: Rc<Shared>,
    exchange: Rc<Exchange>,
    request: Request<Incoming>,
) -> Result<Answer, Infallible> {
    let answering = Answering::new(&exchange, &shared);
    let uri = request.uri().clone();
    let route = Route::of(uri.path(), &shared.config.headers);
    let access = &shared.config.access;
    let is_loopback = exchange.connection.borrow().is_loopback();
    let admitted = admit(access, &request, route.endpoint, is_loopback);
    let cors = admitted.as_ref().copied().unwrap_or(Cors::NONE);
    let mut answer = match admitted {
        Err(refusal) => answer::text(refusal.status(), refusal),
        Ok(_) if cors.is_asked() && request.method() == Method::OPTIONS => preflight(),
        Ok(_) => match serve(&shared, &exchange.connection, request, (route, cors)).await {
            Served::Answer(answer) => answer,
            Served::Takeover(takeover) => {
                exchange.take_over(takeover);
                std::future::pending().await
            }
        },
    };
    cors.add_to(answer.headers_mut(), access);
    shared.counters.answered(route.row, answer.status());
    drop(answering);
    Ok(answer)
}

/// Marks a request as being answered for as long as it lives.
struct Answering<'a> {
    exchange: &'a Exchange,
    shared: &'a Shared,
}

impl<'a> Answering<'a> {
    fn new(exchange: &'a Exchange, shared: &'a Shared) -> Self {
        exchange.connection.borrow_mut().enter(ConnectionState::Answering, shared.clock.get());
        Self { exchange, shared }
    }
}

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        let now = self.shared.clock.get();
        self.exchange.connection.borrow_mut().enter(ConnectionState::Idle, now);
    }
}

/// Whether a request is let in, as [`Access::admit`] says.
fn admit(
    access: &Access,
    request: &Request<Incoming>,
    endpoint: &Endpoint,
    is_loopback: bool,
) -> Result<Cors, access::Refusal> {
    let mut claims = Claims::default();
    for (name, value) in request.headers() {
        claims.take(name.as_str(), value.as_bytes());
    }
    let authority = request.uri().authority().map(|authority| authority.as_str().as_bytes());
    let (is_for_people, version) = (endpoint.is_for_people, request.version());
    access.admit(&claims, Asked { is_for_people, version, authority, is_loopback })
}

/// Permissions of a page of another origin (Fetch §3.2.2).
fn preflight() -> Answer {
    let mut answer = answer::empty(StatusCode::NO_CONTENT);
    for (name, value) in PREFLIGHT {
        answer = answer::with_field(answer, name, HeaderValue::from_static(value));
    }
    answer
}

/// An answer, or a takeover in its place.
enum Served {
    Answer(Answer),
    Takeover(Takeover),
}

/// Answers a request that is let in.
async fn serve(
    shared: &Shared,
    connection: &RefCell<Connection>,
    request: Request<Incoming>,
    (route, cors): (Route<'_>, Cors),
) -> Served {
    let Route { endpoint, row, .. } = route;
    // A path within no room leads to none of the endpoints that need one.
    let room = route.room.unwrap_or_default();
    if !endpoint.takes(request.method().as_str()) {
        return Served::Answer(other_method(endpoint, request.method()));
    }
    let answer = match &endpoint.answers {
        Answers::Poll { waits } if request.body().is_end_stream() => {
            let poll = read_by_hyper(&request, (route, *waits), cors);
            return Served::Takeover(Takeover::Poll(poll, route.room.map(Into::into)));
        }
        Answers::Poll { .. } => {
            answer::text(StatusCode::BAD_REQUEST, "a request for a poll has no body")
        }
        Answers::Stream(streams) => {
            let which = (streams, route.room);
            match stream::open(shared, which, &request, cors, connection) {
                Ok((room, opening)) => {
                    shared.counters.answered(row, streams.status);
                    return Served::Takeover(Takeover::Stream(room, opening));
                }
                Err(refusal) => refusal,
            }
        }
        Answers::Page(page) => page(shared),
        Answers::Publish => publish(shared, request).await,
        Answers::Room => endpoint::describe(shared, room, connection),
        Answers::Say => endpoint::say(shared, room, connection, request).await,
        Answers::Unknown => not_found(),
    };
    Served::Answer(answer)
}

fn not_found() -> Answer {
    let known = endpoint::all().filter(|(_, known)| !matches!(known.answers, Answers::Unknown));
    let list: Vec<&str> = known.map(|(_, known)| known.path).collect();
    let reason = format_args!("there is nothing here; the endpoints are {}", list.join(", "));
    answer::text(StatusCode::NOT_FOUND, reason)
}

fn other_method(endpoint: &Endpoint, method: &Method) -> Answer {
    let allowed = endpoint.methods.join(", ");
    let reason = format_args!("{} takes {allowed}, not {method}", endpoint.path);
    let refusal = answer::text(StatusCode::METHOD_NOT_ALLOWED, reason);
    let allowed = HeaderValue::from_str(&allowed).expect("methods are visible ASCII");
    answer::with_field(refusal, ALLOW, allowed)
}
