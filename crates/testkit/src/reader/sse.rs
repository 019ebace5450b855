//! A client of an event stream.

use std::collections::VecDeque;
use std::io::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::write::GzDecoder;
use http::StatusCode;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use pushbench_core::contender::Coding;
use pushbench_core::feed::number::NumberReader;
use pushbench_core::{Contender, Seq};

use super::{End, Later, Message, Reader, Refused, Subscription, oldest_in};
use crate::events::{Event, EventParser};
use crate::http::{Answer, HttpClient, get_with, is_gzip};

pub(super) struct Sse {
    body: Incoming,
    /// Of a body in gzip.
    inflating: Option<GzDecoder<Vec<u8>>>,
    parser: EventParser,
    waiting: VecDeque<Event>,
    /// Keeps the connection's sending side as long as the stream lasts.
    _client: HttpClient,
}

impl Sse {
    /// Resumes by `Last-Event-ID`, as an `EventSource` does.
    pub(super) async fn open(
        subscription: Subscription,
        contender: Contender,
    ) -> Result<Self, Refused> {
        let mut client = HttpClient::on(subscription.target, contender.stack);
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
        let gzip = contender.stack.coding == Coding::Gzip;
        if gzip != is_gzip(&parts.headers) {
            return Err(Refused { status: 200, body: "the coding is not as asked".to_owned() });
        }
        let inflating = gzip.then(|| GzDecoder::new(Vec::new()));
        let (parser, waiting) = (EventParser::default(), VecDeque::new());
        Ok(Self { body, inflating, parser, waiting, _client: client })
    }

    /// Waits for the next piece of the stream.
    async fn read(&mut self) -> Result<(), End> {
        match self.body.frame().await {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    let text = inflate(&mut self.inflating, data).map_err(End::broken)?;
                    self.waiting.extend(self.parser.push(&text));
                }
                Ok(())
            }
            Some(Err(error)) => Err(End::broken(error)),
            None if self.inflating.as_mut().is_some_and(|it| it.try_finish().is_err()) => {
                Err(End::Broken("the body ended within its gzip member".to_owned()))
            }
            None if self.parser.is_between_events() => {
                Err(End::Stopped("the body ended".to_owned()))
            }
            None => Err(End::Broken("the body ended within an event".to_owned())),
        }
    }
}

/// A piece of the body out of its coding, as far as it can be read by now.
fn inflate(inflating: &mut Option<GzDecoder<Vec<u8>>>, data: &[u8]) -> io::Result<Vec<u8>> {
    let Some(decoder) = inflating else { return Ok(data.to_vec()) };
    decoder.write_all(data)?;
    decoder.flush()?;
    Ok(std::mem::take(decoder.get_mut()))
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
}
