//! What a connection answers, at once or once there is something.

use std::rc::Rc;

use http::StatusCode;
use pushbench_core::{Contender, Delivery, MonoInstant, Seq};
use pushbench_os::time::clock;
use pushbench_protocol::headers::{Content, ResponseParts};

use super::{Client, Doing};
use crate::access::Cors;
use crate::counters::Endpoint;
use crate::http::answer;
use crate::hub::Gone;
use crate::polls::Desk;
use crate::polls::reply::{Found, Reply, Terms, connection};
use crate::polls::request::{Ask, Persistence};
use crate::query::Query;
use crate::stream::Surroundings;

/// A long poll that waits.
#[derive(Debug)]
pub(super) struct Wait {
    pub(super) cursor: Seq,
    delivery: Delivery,
    persistence: Persistence,
    cors: Cors,
    deadline: MonoInstant,
    condition: Option<Box<[u8]>>,
}

impl Client {
    /// Answers a poll, or has it wait.
    pub(in crate::polls) fn answer(
        &mut self,
        ask: &Ask<'_>,
        desk: &mut Desk,
        with: Surroundings<'_>,
    ) {
        let closes = desk.stopping || desk.always_closes;
        let persistence = if closes { Persistence::Closes } else { ask.persistence };
        let (head_only, cors) = (ask.head_only, ask.cors);
        let terms = Terms { head_only, persistence, condition: ask.condition.as_deref(), cors };
        self.doing = Doing::Idle(with.now);
        let query = match &ask.query {
            Ok(query) => query,
            Err(error) => {
                let (media_type, body) = (answer::TEXT, answer::sentence(error));
                let status = StatusCode::BAD_REQUEST;
                return self.refuse(ask.endpoint, status, media_type, &body, terms, with);
            }
        };
        if let Err(other) = query.check_feed(with.feed, with.ring) {
            let (status, body) = (StatusCode::GONE, other.to_json());
            return self.refuse(ask.endpoint, status, answer::JSON, &body, terms, with);
        }
        let found = match (ask.endpoint, query.after, query.delivery) {
            // Without a cursor that is the newest message again and again, as naive polling
            // has it.
            (Endpoint::Poll, None, Delivery::Latest) => Ok(Found::newest(with.ring)),
            (_, after, delivery) => {
                let cursor = after.unwrap_or(with.ring.newest());
                Found::after(with.ring, cursor, delivery)
            }
        };
        match found {
            Ok(Found::Nothing(cursor))
                if ask.endpoint == Endpoint::LongPoll
                    && !query.timeout.is_zero()
                    && !desk.stopping =>
            {
                self.wait(cursor, query, terms, desk, with);
            }
            found => self.respond(ask.endpoint, found, terms, desk, with),
        }
    }

    /// Waits for what comes after `cursor` (RFC 6202 §2).
    fn wait(
        &mut self,
        cursor: Seq,
        query: &Query,
        terms: Terms<'_>,
        desk: &mut Desk,
        with: Surroundings<'_>,
    ) {
        let deadline = clock::now() + query.timeout;
        desk.wait_until(deadline);
        with.counters.waiting.up();
        self.doing = Doing::Waiting(Wait {
            cursor,
            delivery: query.delivery,
            persistence: terms.persistence,
            cors: terms.cors,
            deadline,
            condition: terms.condition.map(Into::into),
        });
    }

    fn respond(
        &mut self,
        endpoint: Endpoint,
        found: Result<Found, Gone>,
        terms: Terms<'_>,
        desk: &mut Desk,
        with: Surroundings<'_>,
    ) {
        match found {
            Ok(found) => {
                let reply = desk.replies.reply(found, terms, with);
                self.send(endpoint, reply, (terms.persistence, terms.cors), with);
            }
            Err(gone) => {
                let (status, body) = (StatusCode::GONE, gone.to_json());
                self.refuse(endpoint, status, answer::JSON, &body, terms, with);
            }
        }
    }

    /// An answer that is none of a poll's own; nothing that has to be fast.
    fn refuse(
        &mut self,
        endpoint: Endpoint,
        status: StatusCode,
        media_type: &str,
        body: &str,
        terms: Terms<'_>,
        with: Surroundings<'_>,
    ) {
        let content = Content::Body { media_type, length: body.len() };
        let own = connection(terms.persistence).map(|value| ("connection", value));
        let own = own.as_slice();
        let parts = ResponseParts { status: status.as_u16(), content, etag: None, own };
        let mut bytes = Vec::new();
        with.config.headers.render_response(Contender::SHORT_POLL, &parts, &mut bytes);
        if !terms.head_only {
            bytes.extend_from_slice(body.as_bytes());
        }
        let (len, bytes) = (bytes.len(), Rc::new(bytes));
        let reply = Reply { status, bytes: &bytes, len, holds: None };
        self.send(endpoint, reply, (terms.persistence, terms.cors), with);
    }

    /// Answers a long poll that waits for what is there now.
    pub(in crate::polls) fn news(&mut self, desk: &mut Desk, with: Surroundings<'_>) {
        let Doing::Waiting(wait) = &self.doing else { return };
        let found = Found::after(with.ring, wait.cursor, wait.delivery);
        if !matches!(found, Ok(Found::Nothing(_))) {
            self.end_wait(found, desk, with);
        }
    }

    /// When the time of a long poll is over that waits.
    pub(in crate::polls) fn deadline(&self) -> Option<MonoInstant> {
        if let Doing::Waiting(wait) = &self.doing { Some(wait.deadline) } else { None }
    }

    /// Answers a long poll whose time is over.
    pub(in crate::polls) fn expire(&mut self, desk: &mut Desk, with: Surroundings<'_>) {
        match &self.doing {
            Doing::Waiting(wait) if wait.deadline <= with.now => {
                let found = Found::Nothing(wait.cursor);
                self.end_wait(Ok(found), desk, with);
            }
            _ => {}
        }
    }

    pub(super) fn end_wait(
        &mut self,
        found: Result<Found, Gone>,
        desk: &mut Desk,
        with: Surroundings<'_>,
    ) {
        let Some(wait) = self.leave_wait(with) else { return };
        let persistence = if desk.stopping { Persistence::Closes } else { wait.persistence };
        let condition = wait.condition.as_deref();
        let terms = Terms { head_only: false, persistence, condition, cors: wait.cors };
        self.respond(Endpoint::LongPoll, found, terms, desk, with);
        if !self.unread.is_empty() {
            self.wake();
        }
    }

    pub(super) fn leave_wait(&mut self, with: Surroundings<'_>) -> Option<Wait> {
        match std::mem::replace(&mut self.doing, Doing::Idle(with.now)) {
            Doing::Waiting(wait) => {
                with.counters.waiting.down();
                Some(wait)
            }
            doing => {
                self.doing = doing;
                None
            }
        }
    }
}
