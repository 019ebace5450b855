//! A client of each transport, made of libraries that neither the server nor the load generator
//! are tested with: one trait, so that one suite runs over them all.

mod compressed;
mod long_poll;
mod short_poll;
mod sse;
mod websocket;

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use pushbench_core::contender::Coding;
use pushbench_core::feed::number::NumberReader;
use pushbench_core::{Contender, Delivery, Seq, Transport};
use tokio::time::timeout;

use crate::PATIENCE;
use crate::http::{Answer, BoxError, Target};

/// A message as a client has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The number that the transport or the payload gives it; where both do, they are the same.
    pub seq: Seq,
    /// The payload.
    pub payload: Bytes,
}

/// Why there is no next message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The server said that messages after the cursor are no longer held.
    Gone {
        /// The oldest that is, as the server named it.
        oldest: Seq,
    },
    /// The server said that it ends the stream or the wait, in the way that the transport has
    /// for that; what it said.
    Stopped(String),
    /// Anything else: a connection that broke, an answer that makes no sense.
    Broken(String),
    /// Nothing came for as long as a test waits.
    Silent,
}

impl End {
    fn broken(error: impl std::fmt::Display) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<BoxError> for End {
    fn from(error: BoxError) -> Self {
        Self::Broken(format!("{error:?}"))
    }
}

/// The server's answer to a client that it does not subscribe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The status.
    pub status: u16,
    /// The words of the answer.
    pub body: String,
}

impl Refused {
    fn by(answer: &Answer) -> Self {
        Self { status: answer.status.as_u16(), body: answer.text() }
    }
}

impl From<BoxError> for Refused {
    /// A server that cannot be talked to has no status.
    fn from(error: BoxError) -> Self {
        Self { status: 0, body: format!("{error:?}") }
    }
}

/// The pending outcome of a method of a [`Reader`].
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A client that receives the feed.
pub trait Reader: Send {
    /// The next message, for as long as it takes.
    fn receive(&mut self) -> Later<'_, Result<Message, End>>;

    /// Ends the connection as a client should, which is to drop it unless the transport has a word for
    /// it, and says how that went.
    fn close(self: Box<Self>) -> Later<'static, Result<(), End>> {
        drop(self);
        Box::pin(std::future::ready(Ok(())))
    }
}

impl dyn Reader {
    /// Subscribes a client.
    ///
    /// # Errors
    ///
    /// Where the server refuses: with its status and what it says.
    pub async fn open(
        contender: Contender,
        target: Target,
        after: Option<Seq>,
        delivery: Delivery,
    ) -> Result<Box<Self>, Refused> {
        let subscription = Subscription { target, after, delivery };
        let opening = subscription.open(contender);
        timeout(PATIENCE, opening).await.unwrap_or_else(|_| {
            Err(Refused { status: 0, body: "the server does not answer".to_owned() })
        })
    }

    /// The next message, within [`PATIENCE`].
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub async fn next(&mut self) -> Result<Message, End> {
        timeout(PATIENCE, self.receive()).await.unwrap_or(Err(End::Silent))
    }

    /// The next `count` messages.
    ///
    /// # Errors
    ///
    /// Why there are fewer.
    pub async fn take(&mut self, count: usize) -> Result<Vec<Message>, End> {
        let mut messages = Vec::with_capacity(count);
        while messages.len() < count {
            messages.push(self.next().await?);
        }
        Ok(messages)
    }
}

/// Calls `$test!` for each contender, with a name for the test, `$check` and the contender.
#[macro_export]
macro_rules! each_contender {
    ($test:ident, $check:ident) => {
        $test!(short_poll, $check, pushbench_core::Contender::SHORT_POLL);
        $test!(short_poll_close, $check, pushbench_core::Contender::SHORT_POLL_CLOSE);
        $test!(short_poll_conditional, $check, pushbench_core::Contender::SHORT_POLL_CONDITIONAL);
        $test!(long_poll, $check, pushbench_core::Contender::LONG_POLL);
        $test!(sse, $check, pushbench_core::Contender::SSE);
        $test!(short_poll_gzip, $check, $crate::reader::named("short-poll+gzip"));
        $test!(long_poll_gzip, $check, $crate::reader::named("long-poll+gzip"));
        $test!(sse_gzip, $check, $crate::reader::named("sse+gzip"));
        $test!(websocket, $check, pushbench_core::Contender::WEBSOCKET);
        $test!(websocket_deflate, $check, $crate::reader::named("websocket+deflate"));
        $test!(
            websocket_deflate_takeover,
            $check,
            $crate::reader::named("websocket+deflate-takeover")
        );
    };
}

/// The contender of this name.
///
/// # Panics
///
/// Where there is none.
#[must_use]
pub fn named(name: &str) -> Contender {
    name.parse().expect("there is a contender of that name")
}

/// Subscribes a client of one transport.
type Open = fn(Subscription, Contender) -> Later<'static, Result<Box<dyn Reader>, Refused>>;

/// The readers.
const READERS: [(Transport, Open); Transport::ALL.len()] = [
    (Transport::ShortPoll, |it, contender| boxed(short_poll::ShortPoll::open(it, contender))),
    (Transport::LongPoll, |it, contender| boxed(long_poll::LongPoll::open(it, contender))),
    (Transport::Sse, |it, contender| boxed(sse::Sse::open(it, contender))),
    (Transport::Websocket, |it, contender| match contender.stack.coding {
        Coding::None => boxed(websocket::Websocket::open(it)),
        _ => boxed(compressed::Compressed::open(it, contender)),
    }),
];

fn boxed<R: Reader + 'static>(
    opening: impl Future<Output = Result<R, Refused>> + Send + 'static,
) -> Later<'static, Result<Box<dyn Reader>, Refused>> {
    Box::pin(async { Ok(Box::new(opening.await?) as Box<dyn Reader>) })
}

/// The subscription that a client asks for.
#[derive(Debug, Clone, Copy)]
struct Subscription {
    target: Target,
    after: Option<Seq>,
    delivery: Delivery,
}

impl Subscription {
    async fn open(self, contender: Contender) -> Result<Box<dyn Reader>, Refused> {
        let row = READERS.iter().find(|(transport, _)| *transport == contender.transport);
        let (_, open) = row.expect("each transport has a reader");
        open(self, contender).await
    }

    /// The path and query for `contender`, from `after` on.
    fn path(&self, contender: Contender, after: Option<Seq>) -> String {
        let (path, delivery) = (contender.path(), self.delivery);
        match after {
            Some(after) => format!("{path}?delivery={delivery}&after={after}"),
            None => format!("{path}?delivery={delivery}"),
        }
    }
}

/// The messages of a poll's answer.
///
/// The format is parsed here again, apart from `protocol::batch`.
fn messages(answer: &Answer, delivery: Delivery) -> Result<Vec<Message>, End> {
    let payloads = match delivery {
        Delivery::Latest => vec![answer.body.clone()],
        Delivery::Every => batch(&answer.body)?,
    };
    let messages: Vec<Message> = payloads.into_iter().map(numbered).collect::<Result<_, _>>()?;
    let newest = messages.last().map(|message| message.seq);
    if newest.is_none() || newest != answer.etag() {
        let tag = answer.etag();
        return Err(End::Broken(format!("the body ends with {newest:?}, its ETag says {tag:?}")));
    }
    Ok(messages)
}

fn batch(body: &Bytes) -> Result<Vec<Bytes>, End> {
    let (mut payloads, mut at) = (Vec::new(), 0);
    while at < body.len() {
        let line = body[at..].iter().position(|&byte| byte == b'\n');
        let digits = line.and_then(|length| std::str::from_utf8(&body[at..at + length]).ok());
        let length = digits.and_then(|digits| digits.parse::<usize>().ok());
        let (Some(line), Some(length)) = (line, length) else {
            return Err(End::Broken(format!("no length stands at byte {at} of a batch")));
        };
        let start = at + line + 1;
        if start + length > body.len() {
            return Err(End::Broken(format!("a batch of {} bytes is cut short", body.len())));
        }
        payloads.push(body.slice(start..start + length));
        at = start + length;
    }
    Ok(payloads)
}

/// A message whose number only its payload tells.
fn numbered(payload: Bytes) -> Result<Message, End> {
    match NumberReader::read(&payload).ok() {
        Some(seq) => Ok(Message { seq, payload }),
        None => Err(End::Broken("a payload carries no number".to_owned())),
    }
}

/// The oldest message held, as the JSON of a 410 or of a `gone` event names it.
fn oldest_in(json: &[u8]) -> Option<Seq> {
    let value: serde_json::Value = serde_json::from_slice(json).ok()?;
    value.get("oldest")?.as_u64().map(Seq)
}

/// The end that a poll's 410 stands for.
fn gone(answer: &Answer) -> End {
    match oldest_in(&answer.body) {
        Some(oldest) => End::Gone { oldest },
        None => End::Broken(format!("a 410 names no oldest message: {}", answer.text())),
    }
}
