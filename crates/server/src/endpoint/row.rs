//! A row of the table of endpoints: where, by which methods, and how it answers.

use http::{Request, StatusCode};
use hyper::body::Incoming;
use pushbench_core::Seq;

use crate::config::ServerConfig;
use crate::http::answer::Answer;
use crate::shared::Shared;
use crate::wire::Wire;

/// The methods where there is a page to be had without waiting.
pub(super) const GET_OR_HEAD: &[&str] = &["GET", "HEAD"];

#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) path: &'static str,
    /// None where each gets the same.
    pub(crate) methods: &'static [&'static str],
    /// The page of any site may lead there.
    pub(crate) is_for_people: bool,
    pub(crate) answers: Answers,
}

/// Ways to answer.
#[derive(Debug)]
pub(crate) enum Answers {
    /// With messages that are there or, where it waits, come before long.
    Poll { waits: bool },
    /// With messages as they come.
    Stream(Streams),
    /// With a page of now.
    Page(fn(&Shared) -> Answer),
    /// With the number of the message that the request brings.
    Publish,
    /// With who is in a room, and what of it is held.
    Room,
    /// With the number of the message that the request brings to a room.
    Say,
    /// With what there is elsewhere.
    Unknown,
}

/// Agrees with a request on how a stream is to be: the response head that begins it, and its wire. Or
/// a refusal.
type Agree = fn(&Request<Incoming>, &ServerConfig, Joining) -> Result<(Vec<u8>, Wire), Answer>;

/// A stream that is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Joining {
    /// The message before the first that it is to bring.
    pub(crate) cursor: Seq,
    /// Whether it is of a room, and not of the feed.
    pub(crate) is_in_room: bool,
    /// Whether it is to tell how many are in the room, as far as the query says so.
    pub(crate) presence: bool,
}

/// How a connection becomes a stream.
#[derive(Debug)]
pub(crate) struct Streams {
    /// The status of the response that begins it.
    pub(crate) status: StatusCode,
    pub(crate) agree: Agree,
    /// It is a response like others: a page of another origin is told that it may read it, and one
    /// that resumes says where it was (`Last-Event-ID`), and in its query what it wants to be told.
    pub(crate) is_response: bool,
    /// Its client hears itself, and nobody else.
    pub(crate) is_echo: bool,
}

impl Endpoint {
    /// Whether requests by this method have an answer of their own.
    #[inline]
    pub(crate) fn takes(&self, method: &str) -> bool {
        self.methods.is_empty() || self.methods.contains(&method)
    }

    /// Whether a header profile may put polls in its place.
    pub(super) const fn gives_way(&self) -> bool {
        let is_free = matches!(self.answers, Answers::Unknown | Answers::Poll { waits: false });
        is_free || self.is_for_people
    }
}
