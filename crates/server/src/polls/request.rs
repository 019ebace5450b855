//! A request for messages that are there, or that come before long.

use std::borrow::Cow;

use pushbench_protocol::http::ContentCoding;

use crate::access::Cors;
use crate::config::ServerConfig;
use crate::counters::EndpointRow;
use crate::query::{Query, QueryError};

/// Whether a connection outlives a response (RFC 9112 §9.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Persistence {
    /// It does, as HTTP/1.1 has it.
    Kept,
    /// It does, since an HTTP/1.0 client has asked for that and is to be told so.
    KeptAsAsked,
    /// It does not.
    Closes,
}

#[derive(Debug)]
pub(crate) struct PollRequest<'a> {
    pub(crate) endpoint: EndpointRow,
    /// Whether it waits where there is nothing.
    pub(crate) waits: bool,
    pub(crate) query: Result<Query, QueryError>,
    /// Whether only the head of the response is wanted.
    pub(crate) head_only: bool,
    pub(crate) persistence: Persistence,
    /// The `If-None-Match`, all of its lines.
    pub(crate) condition: Option<Cow<'a, [u8]>>,
    /// The `Accept-Encoding`, all of its lines.
    pub(crate) accepted: Option<Cow<'a, [u8]>>,
    /// Whether a page of another origin asks, which may.
    pub(crate) cors: Cors,
}

impl PollRequest<'_> {
    /// The coding of a body that is worth one: what the client takes, where the server has any.
    pub(crate) fn coding(&self, config: &ServerConfig) -> ContentCoding {
        match &self.accepted {
            Some(accepted) if config.compression.is_some() => ContentCoding::choose(accepted),
            _ => ContentCoding::Identity,
        }
    }
}
