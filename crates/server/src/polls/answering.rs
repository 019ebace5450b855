//! Answers to polls, at once or once there is something.

use std::rc::Rc;

use http::StatusCode;
use pushbench_core::{Contender, Delivery, MonoInstant};
use pushbench_os::time::clock;
use pushbench_protocol::headers::{Content, ResponseParts};

use super::common::PollsCommon;
use super::poller::{Poller, Wait};
use super::reply::{Found, Reply, Terms, connection};
use super::request::{Persistence, PollRequest};
use crate::connection::ConnectionState;
use crate::counters::EndpointRow;
use crate::http::answer;
use crate::query::Query;
use crate::ring::{Gone, Ring};
use crate::view::View;

/// The messages that a poll gets, as they are now.
fn found(waits: bool, query: &Query, ring: &Ring) -> Result<Found, Gone> {
    match (waits, query.after, query.delivery) {
        // Without a cursor that is the newest message again and again, as naive polling has it.
        (false, None, Delivery::Latest) => Ok(Found::newest(ring)),
        (_, after, delivery) => Found::after(ring, after.unwrap_or(ring.newest()), delivery),
    }
}

impl Poller {
    /// Answers a poll, or has it wait.
    pub(crate) fn answer(
        &mut self,
        request: &PollRequest<'_>,
        common: &mut PollsCommon,
        view: View<'_>,
    ) {
        let closes = common.stopping || common.always_closes;
        let persistence = if closes { Persistence::Closes } else { request.persistence };
        let (head_only, cors) = (request.head_only, request.cors);
        let (condition, coding) = (request.condition.as_deref(), request.coding(view.config));
        let terms = Terms { head_only, persistence, condition, coding, cors };
        self.connection.enter(ConnectionState::Idle, view.now);
        let query = match &request.query {
            Ok(query) => query,
            Err(error) => {
                let (media_type, body) = (answer::TEXT, answer::sentence(error));
                let status = StatusCode::BAD_REQUEST;
                return self.refuse(request.endpoint, status, media_type, &body, terms, view);
            }
        };
        if let Err(other) = query.check_feed(view.feed, view.ring) {
            let (status, body) = (StatusCode::GONE, other.to_json());
            return self.refuse(request.endpoint, status, answer::JSON, &body, terms, view);
        }
        match found(request.waits, query, view.ring) {
            Ok(Found::Nothing(cursor))
                if request.waits && !query.timeout.is_zero() && !common.stopping =>
            {
                let wait = Wait {
                    endpoint: request.endpoint,
                    cursor,
                    delivery: query.delivery,
                    persistence,
                    coding,
                    cors,
                    deadline: clock::now() + query.timeout,
                    condition: terms.condition.map(Into::into),
                };
                self.begin_wait(wait, common, view);
            }
            found => self.respond(request.endpoint, found, terms, common, view),
        }
    }

    /// Waits for what comes after a cursor (RFC 6202 §2).
    fn begin_wait(&mut self, wait: Wait, common: &mut PollsCommon, view: View<'_>) {
        common.wait_until(wait.deadline);
        view.counters.waiting.up();
        self.wait = Some(wait);
        self.connection.enter(ConnectionState::Waiting, view.now);
    }

    fn respond(
        &mut self,
        endpoint: EndpointRow,
        found: Result<Found, Gone>,
        terms: Terms<'_>,
        common: &mut PollsCommon,
        view: View<'_>,
    ) {
        match found {
            Ok(found) => {
                let reply = common.replies.reply(found, terms, view);
                self.send(endpoint, reply, (terms.persistence, terms.cors), view);
            }
            Err(gone) => {
                let (status, body) = (StatusCode::GONE, gone.to_json());
                self.refuse(endpoint, status, answer::JSON, &body, terms, view);
            }
        }
    }

    /// An answer that is none of a poll's own; nothing that has to be fast.
    fn refuse(
        &mut self,
        endpoint: EndpointRow,
        status: StatusCode,
        media_type: &str,
        body: &str,
        terms: Terms<'_>,
        view: View<'_>,
    ) {
        let content = Content::Body { media_type, length: body.len() };
        let own = connection(terms.persistence).map(|value| ("connection", value));
        let own = own.as_slice();
        let parts = ResponseParts { status: status.as_u16(), content, etag: None, own };
        let mut bytes = Vec::new();
        view.config.headers.render_response(Contender::SHORT_POLL, &parts, &mut bytes);
        if !terms.head_only {
            bytes.extend_from_slice(body.as_bytes());
        }
        let (len, bytes) = (bytes.len(), Rc::new(bytes));
        let reply = Reply { status, bytes: &bytes, len, holds: None };
        self.send(endpoint, reply, (terms.persistence, terms.cors), view);
    }

    /// Answers a long poll that waits with what is there now.
    pub(super) fn end_wait_with_news(&mut self, common: &mut PollsCommon, view: View<'_>) {
        let Some(wait) = &self.wait else { return };
        let found = Found::after(view.ring, wait.cursor, wait.delivery);
        if !matches!(found, Ok(Found::Nothing(_))) {
            self.end_wait(found, common, view);
        }
    }

    /// When the time of a long poll is over that waits.
    pub(super) fn deadline(&self) -> Option<MonoInstant> {
        self.wait.as_ref().map(|wait| wait.deadline)
    }

    /// Answers a long poll whose time is over.
    pub(super) fn expire(&mut self, common: &mut PollsCommon, view: View<'_>) {
        if self.deadline().is_some_and(|deadline| deadline <= view.now) {
            self.end_wait_with_nothing(common, view);
        }
    }

    /// Answers a long poll that waits, and closes the connection once everything is sent.
    pub(super) fn stop(&mut self, common: &mut PollsCommon, view: View<'_>) {
        self.end_wait_with_nothing(common, view);
        self.end(view);
    }

    fn end_wait_with_nothing(&mut self, common: &mut PollsCommon, view: View<'_>) {
        let Some(wait) = &self.wait else { return };
        let found = Found::Nothing(wait.cursor);
        self.end_wait(Ok(found), common, view);
    }

    fn end_wait(&mut self, found: Result<Found, Gone>, common: &mut PollsCommon, view: View<'_>) {
        let Some(wait) = self.leave_wait(view) else { return };
        let persistence = if common.stopping { Persistence::Closes } else { wait.persistence };
        let condition = wait.condition.as_deref();
        let Wait { coding, cors, .. } = wait;
        let terms = Terms { head_only: false, persistence, condition, coding, cors };
        self.respond(wait.endpoint, found, terms, common, view);
        if !self.unread.is_empty() {
            self.connection.wake();
        }
    }
}
