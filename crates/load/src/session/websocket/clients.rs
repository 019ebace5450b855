//! Clients of WebSockets, by what they read.

use std::sync::Arc;

use pushbench_core::feed::identity::IdentityReader;
use pushbench_metrics::record::control::LoadPlan;

use super::super::answering::{Answer, Answering};
use super::super::book::Book;
use super::super::http1::Http1;
use super::super::reading::RuleReader;
use super::super::{Make, Session};
use super::Websocket;
use super::asked::Asked;

/// Clients of the feed, or of an application that rules describe.
pub(in super::super) fn sessions(
    plan: &LoadPlan,
    identity: IdentityReader,
    book: Option<&Arc<Book>>,
) -> Make {
    let (asked, seed) = (Asked::of(plan), plan.seed);
    match book.cloned() {
        None => Box::new(move |client| {
            Box::new(Http1::new(Websocket::new(&asked, identity, seed, client)))
        }),
        Some(book) => Box::new(move |client| {
            let reading = RuleReader::new(&book, client);
            Box::new(Http1::new(Websocket::new(&asked, reading, seed, client)))
        }),
    }
}

/// A client that has an answer to messages, whatever they are.
pub(in super::super) fn answering(plan: &LoadPlan, answer: Answer) -> Box<dyn Session> {
    let reading = Answering::new(answer);
    Box::new(Http1::new(Websocket::new(&Asked::of(plan), reading, plan.seed, 0)))
}
