//! Header profiles: what a kind of client and server send with each request and response.
//!
//! A profile is TOML, so that users can add their own. `headers` lists are in the order and case
//! in which they are sent:
//!
//! ```toml
//! name = "mine"
//! about = "where these headers are from"
//! path = "/quotes"          # optional: where short polls go instead of pushbench's own path
//! delivery = "latest"       # optional
//! body_bytes = 21           # optional: the size of every message
//!
//! [request]                 # of polls; [request.sse], [request.websocket] where they differ
//! headers = [["Host", "{host}"], ["Accept", "*/*"]]
//!
//! [response]                # optional: `minimal`'s; again with .sse and .websocket
//! headers = [["Server", "mine/1.0"], ["Content-Length", "{content-length}"]]
//! ```
//!
//! `{host}` and `{scheme}` in a request, and `{content-length}`, `{content-type}` and `{etag}` in a response,
//! stand for what is only known when a head is sent. A list stands for itself: one for `sse` adds
//! nothing to that for polls, it replaces it. A request without `Host` begins with one, since
//! HTTP/1.1 demands it (RFC 9112 §3.2).
//!
//! A transport adds the headers without which it would not work; see [`RequestParts::own`].

mod built_in;
mod header;
mod parse;
mod render;
mod size;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::built_in::names;
pub use self::header::{Header, HeaderError, HeaderSet};
pub use self::parse::ProfileError;
pub use self::render::{Content, RequestParts, ResponseParts};
pub use self::size::HeadSize;
use pushbench_core::{Contender, Delivery, Transport};

/// The most headers of one list. A transport adds up to five, and readers stop at 64.
pub const MAX_HEADERS: usize = 48;

/// The most bytes of a profile's file.
pub const MAX_PROFILE_BYTES: u64 = 1 << 20;

/// The header fields that a kind of client and server send with each request and response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeaderProfile {
    /// The name by which scenarios and tables know it.
    pub name: String,
    /// How it was obtained, from which version, and when.
    pub about: String,
    /// Where short polls go, if not to pushbench's own path.
    pub path: Option<String>,
    /// The delivery that it implies.
    pub delivery: Option<Delivery>,
    /// The size of every message.
    pub body_bytes: Option<usize>,
    /// The client's headers.
    pub request: ByTransport,
    /// The server's headers.
    pub response: ByTransport,
}

/// A list of headers for polls, and others where streams differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByTransport {
    /// Polls, and whatever has no list of its own.
    pub poll: HeaderSet,
    /// Each stream's own, where it has one.
    #[serde(flatten)]
    pub streams: BTreeMap<Transport, Option<HeaderSet>>,
}

impl ByTransport {
    /// The list for `contender`.
    #[must_use]
    pub fn of(&self, contender: Contender) -> &HeaderSet {
        self.streams.get(&contender.transport).and_then(Option::as_ref).unwrap_or(&self.poll)
    }

    /// All lists.
    pub fn lists(&self) -> impl Iterator<Item = &HeaderSet> {
        std::iter::once(&self.poll).chain(self.streams.values().flatten())
    }

    fn lists_mut(&mut self) -> impl Iterator<Item = &mut HeaderSet> {
        std::iter::once(&mut self.poll).chain(self.streams.values_mut().flatten())
    }
}

impl HeaderProfile {
    /// The path that `contender` asks for. Only short polls go to the profile's own: a path says
    /// nothing of how to answer, and they are what published figures are about.
    #[must_use]
    pub fn path(&self, contender: Contender) -> &str {
        match &self.path {
            Some(path) if contender.shape().asks() => path,
            _ => contender.path(),
        }
    }

    /// The delivery of a request that names none: on the profile's own path, what the profile says.
    #[must_use]
    pub fn implied_delivery(&self, contender: Contender) -> Delivery {
        let own_path = self.path.is_some() && contender.shape().asks();
        self.delivery.filter(|_| own_path).unwrap_or_default()
    }

    /// The same client with cookies: the value of each request's `Cookie` has `bytes` more, and a
    /// request without one ends with one.
    ///
    /// # Errors
    ///
    /// [`HeaderError::TooLong`] where a list would exceed [`MAX_HEADER_BYTES`](pushbench_core::scenario::MAX_HEADER_BYTES).
    pub fn with_cookie_bytes(mut self, bytes: usize) -> Result<Self, HeaderError> {
        if bytes > 0 {
            self.request.lists_mut().try_for_each(|list| list.add_cookie(bytes))?;
        }
        Ok(self)
    }
}
