//! The query of a request: which keys an endpoint knows, and what their values mean.

use std::time::Duration;

use pushbench_core::delivery::UnknownDelivery;
use pushbench_core::units::{Span, UnitError};
use pushbench_core::{Delivery, Seq};

use crate::feed_id::{FeedId, OtherFeed};
use crate::ring::Ring;

/// How long a long poll is held where it does not say.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a long poll is held at most.
pub(crate) const MAX_TIMEOUT: Duration = Duration::from_secs(300);

/// The messages that a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Query {
    /// The last message it has; `None` is "from now on".
    pub(crate) after: Option<Seq>,
    pub(crate) delivery: Delivery,
    pub(crate) timeout: Duration,
    /// The feed that `after` is a message of; `None` where the client does not say.
    pub(crate) feed: Option<FeedId>,
    /// Whether it wants to be told how many are in the room.
    pub(crate) presence: bool,
}

/// Keys that only some endpoints know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    /// Those of all.
    Common,
    /// Beside them `timeout`.
    Waiting,
    /// Beside them `presence`.
    Presence,
}

/// A query that is not understood, with what is accepted.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum QueryError {
    #[error("`after` is `{0}`, but must be a message's number: decimal digits, from 0")]
    After(String),
    #[error("`Last-Event-ID` is `{0}`, but must be a message's number: decimal digits, from 0")]
    LastEventId(String),
    #[error("`delivery`: {0}")]
    Delivery(#[from] UnknownDelivery),
    #[error("`timeout`: {0}")]
    Timeout(#[from] UnitError),
    #[error("`timeout` is {0}, but a long poll is held for at most {max}", max = Span(MAX_TIMEOUT))]
    TooLong(Span),
    #[error("`feed` is `{0}`, but must be the `id` that GET /feed says: 16 hexadecimal digits")]
    Feed(String),
    #[error("`presence` is `{0}`, but must be 0 or 1")]
    Presence(String),
    #[error("unknown query key `{key}`; accepted are {}", accepted(*.keys))]
    Unknown { key: String, keys: Keys },
    #[error("the query key `{0}` stands twice")]
    Twice(String),
}

impl Query {
    /// Reads a query of the endpoint's `keys`, and has `delivery` where it says none.
    ///
    /// # Errors
    ///
    /// The first key or value that is not understood.
    pub(crate) fn parse(
        query: Option<&str>,
        keys: Keys,
        delivery: Delivery,
    ) -> Result<Self, QueryError> {
        let (mut after, mut said, mut held, mut feed) = (None, None, None, None);
        let mut told = None;
        let mut rest = query;
        while let Some(text) = rest {
            let pair;
            (pair, rest) = cut(text, b'&');
            let (key, value) = cut(pair, b'=');
            let value = value.unwrap_or("");
            match key {
                "after" => once(&mut after, key, || seq(value, QueryError::After))?,
                "delivery" => once(&mut said, key, || Ok(value.parse()?))?,
                "timeout" if keys == Keys::Waiting => once(&mut held, key, || timeout(value))?,
                "feed" => once(&mut feed, key, || feed_id(value))?,
                "presence" if keys == Keys::Presence => once(&mut told, key, || presence(value))?,
                _ if pair.is_empty() => {}
                _ => return Err(QueryError::Unknown { key: key.to_owned(), keys }),
            }
        }
        let (delivery, timeout) = (said.unwrap_or(delivery), held.unwrap_or(DEFAULT_TIMEOUT));
        Ok(Self { after, delivery, timeout, feed, presence: told.unwrap_or(false) })
    }

    /// That a cursor is of the feed or room whose messages are in `ring`.
    ///
    /// # Errors
    ///
    /// Where the client says that it is of another one.
    pub(crate) fn check_feed(&self, ring: &Ring) -> Result<(), OtherFeed> {
        let feed = ring.whose.feed;
        match self.feed.filter(|&asked| asked != feed) {
            Some(asked) => {
                Err(OtherFeed { asked, feed, oldest: ring.oldest(), newest: ring.newest() })
            }
            None => Ok(()),
        }
    }

    /// A browser that reconnects sends the first request's query again, and beside it the last
    /// event that it has had, so that is the later word.
    ///
    /// # Errors
    ///
    /// Where the id is not a message's number.
    pub(crate) fn resume_after(&mut self, last_event_id: &[u8]) -> Result<(), QueryError> {
        let text = String::from_utf8_lossy(last_event_id);
        self.after = Some(seq(&text, QueryError::LastEventId)?);
        Ok(())
    }
}

const fn accepted(keys: Keys) -> &'static str {
    match keys {
        Keys::Common => "`after`, `delivery`, `feed`",
        Keys::Waiting => "`after`, `delivery`, `timeout`, `feed`",
        Keys::Presence => "`after`, `delivery`, `feed`, `presence`",
    }
}

/// Text before and behind the first `separator`; the whole, and nothing, where there is none.
///
/// A search for one byte, whose setting up would cost more than it saves in so short a text as
/// this of each poll.
#[inline]
pub(crate) fn cut(text: &str, separator: u8) -> (&str, Option<&str>) {
    match text.bytes().position(|byte| byte == separator) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// Keeps the value of a key that may stand once.
fn once<T>(
    kept: &mut Option<T>,
    key: &str,
    value: impl FnOnce() -> Result<T, QueryError>,
) -> Result<(), QueryError> {
    if kept.is_some() {
        return Err(QueryError::Twice(key.to_owned()));
    }
    *kept = Some(value()?);
    Ok(())
}

/// Decimal digits only: `parse` alone would take a `+`.
fn seq(text: &str, error: fn(String) -> QueryError) -> Result<Seq, QueryError> {
    let number = if text.starts_with('+') { None } else { text.parse().ok() };
    number.map(Seq).ok_or_else(|| error(text.to_owned()))
}

fn feed_id(text: &str) -> Result<FeedId, QueryError> {
    text.parse().map_err(|()| QueryError::Feed(text.to_owned()))
}

fn presence(text: &str) -> Result<bool, QueryError> {
    match text {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(QueryError::Presence(text.to_owned())),
    }
}

fn timeout(text: &str) -> Result<Duration, QueryError> {
    let span: Span = text.parse()?;
    if span.0 > MAX_TIMEOUT { Err(QueryError::TooLong(span)) } else { Ok(span.0) }
}

/// Whether an `If-None-Match` names `"<cursor>"` (RFC 9110 §13.1.2, compared weakly).
pub(crate) fn names_cursor(if_none_match: &[u8], cursor: Seq) -> bool {
    let mut digits = itoa::Buffer::new();
    let digits = digits.format(cursor.0).as_bytes();
    if_none_match.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).any(|tag| {
        let opaque = tag.strip_prefix(b"W/").unwrap_or(tag);
        let bare = opaque.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
        tag == b"*" || bare == Some(digits)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_reads_as_documented() {
        let every = Delivery::Every;
        let query = Query::parse(None, Keys::Common, every).unwrap();
        assert_eq!((query.after, query.delivery), (None, every));
        assert_eq!(query.timeout, DEFAULT_TIMEOUT);
        let query = Query::parse(Some("after=17&delivery=latest&timeout=2s"), Keys::Waiting, every)
            .unwrap();
        assert_eq!((query.after, query.delivery), (Some(Seq(17)), Delivery::Latest));
        assert_eq!(query.timeout, Duration::from_secs(2));
    }

    #[test]
    fn what_is_not_understood_is_named_with_what_is_accepted() {
        for (query, parts) in [
            ("after=", &["`after`", "decimal digits"][..]),
            ("after=+5", &["`+5`", "decimal digits"]),
            ("after=99999999999999999999", &["decimal digits"]),
            ("delivery=all", &["`all`", "`every` or `latest`"]),
            ("timeout=10x", &["`timeout`", "`10s`"]),
            ("timeout=301s", &["301s", "5m"]),
            ("feed=1", &["`feed`", "16 hexadecimal digits"]),
            ("since=1", &["`since`", "`after`, `delivery`, `timeout`"]),
            ("after=1&after=2", &["`after` stands twice"]),
            ("&=1&", &["``", "`after`"]),
        ] {
            let parsed = Query::parse(Some(query), Keys::Waiting, Delivery::Every);
            let error = parsed.unwrap_err().to_string();
            assert!(parts.iter().all(|part| error.contains(part)), "{query}: {error}");
        }
        assert!(Query::parse(Some("timeout=1s"), Keys::Common, Delivery::Every).is_err());
        let presence = |query| Query::parse(Some(query), Keys::Presence, Delivery::Every);
        assert!(presence("presence=1").unwrap().presence && !presence("").unwrap().presence);
        assert!(presence("presence=yes").is_err() && presence("timeout=1s").is_err());
    }

    #[test]
    fn the_last_event_wins_over_the_query() {
        let mut query = Query::parse(Some("after=3"), Keys::Common, Delivery::Every).unwrap();
        query.resume_after(b"8").unwrap();
        assert_eq!(query.after, Some(Seq(8)));
        assert!(query.resume_after(b"x").is_err());
    }

    #[test]
    fn an_etag_is_found_in_a_list() {
        for (list, found) in [
            ("\"7\"", true),
            ("W/\"7\"", true),
            ("\"1\", \"7\"", true),
            ("*", true),
            ("\"77\"", false),
            ("7", false),
            ("\"07\"", false),
            ("", false),
        ] {
            assert_eq!(names_cursor(list.as_bytes(), Seq(7)), found, "{list}");
        }
    }
}
