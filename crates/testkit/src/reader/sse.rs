//! A client of an event stream.

use std::collections::VecDeque;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use pushbench_core::feed::number::NumberReader;
use pushbench_core::{Contender, Seq};

use super::{End, Later, Message, Reader, Refused, Subscription, oldest_in};
use crate::events::{Event, EventParser};
use crate::http::{Answer, HttpClient, get_with};

pub(super) struct Sse {
    body: Incoming,
    parser: EventParser,
    waiting: VecDeque<Event>,
    /// Keeps the connection's sending side as long as the stream lasts.
    _client: HttpClient,
}

impl Sse {
    /// Resumes by `Last-Event-ID`, as an `EventSource` does.
    pub(super) async fn open(subscription: Subscription) -> Result<Self, Refused> {
        let mut client = HttpClient::keeping(subscription.target);
        let path = subscription.path(Contender::SSE, None);
        let name = http::HeaderName::from_static("last-event-id");
        let mut request = get_with(&path, http::header::ACCEPT, "text/event-stream")?;
        if let Some(after) = subscription.after {
            request.headers_mut().insert(name, http::HeaderValue::from(after.0));
        }
        let (parts, body) = client.open(request).await?.into_parts();
        if parts.status != StatusCode::OK {
            let body = body.collect().await.map_err(|error| Refused {
                status: parts.status.as_u16(),
                body: format!("a body that breaks off: {error}"),
            })?;
            let (status, headers) = (parts.status, parts.headers);
            return Err(Refused::by(&Answer { status, headers, body: body.to_bytes() }));
        }
        let kind = parts.headers.get(http::header::CONTENT_TYPE);
        if kind.is_none_or(|kind| !kind.as_bytes().starts_with(b"text/event-stream")) {
            return Err(Refused { status: 200, body: format!("of type {kind:?}") });
        }
        let (parser, waiting) = (EventParser::default(), VecDeque::new());
        Ok(Self { body, parser, waiting, _client: client })
    }

    /// Waits for the next piece of the stream.
    async fn read(&mut self) -> Result<(), End> {
        match self.body.frame().await {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    self.waiting.extend(self.parser.push(data));
                }
                Ok(())
            }
            Some(Err(error)) => Err(End::broken(error)),
            None if self.parser.is_between_events() => {
                Err(End::Stopped("the body ended".to_owned()))
            }
            None => Err(End::Broken("the body ended within an event".to_owned())),
        }
    }
}

/// The message that an event is.
fn message(event: Event) -> Result<Message, End> {
    let payload = match event.kind.as_str() {
        "" => event.data,
        "binary" => STANDARD.decode(&event.data).map_err(End::broken)?,
        "gone" => {
            return Err(match oldest_in(&event.data) {
                Some(oldest) => End::Gone { oldest },
                None => End::Broken("a gone event names no oldest message".to_owned()),
            });
        }
        kind => return Err(End::Broken(format!("an event of type {kind:?}"))),
    };
    let seq = event.id.parse().map(Seq).map_err(End::broken)?;
    if NumberReader::read(&payload) != Ok(seq) {
        return Err(End::Broken(format!("the event {seq} carries another number in its payload")));
    }
    Ok(Message { seq, payload: payload.into() })
}

impl Reader for Sse {
    fn receive(&mut self) -> Later<'_, Result<Message, End>> {
        Box::pin(async {
            loop {
                if let Some(event) = self.waiting.pop_front() {
                    return message(event);
                }
                self.read().await?;
            }
        })
    }

    fn close(self: Box<Self>) -> Later<'static, Result<(), End>> {
        Box::pin(async move {
            drop(self);
            Ok(())
        })
    }
}
