//! Answers to polls, at once or once there is something.

use std::rc::Rc;

use http::StatusCode;
use pushbench_core::{Contender, Delivery, MonoInstant, Seq};
use pushbench_os::time::clock;
use pushbench_protocol::headers::{Content, ResponseParts};

use super::common::PollsCommon;
use super::poller::{Poller, Wait};
use super::reply::{Found, Reply, Terms, connection};
use super::request::{Persistence, PollRequest};
use crate::access::Cors;
use crate::connection::ConnectionState;
use crate::counters::EndpointRow;
use crate::http::answer;
use crate::query::Query;
use crate::ring::{Gone, Ring};
use crate::rooms::refusal::RoomRefusal;
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
    /// Answers a poll, or has it wait, of the connection of this number.
    pub(crate) fn answer(
        &mut self,
        request: &PollRequest<'_>,
        connection: u32,
        common: &mut PollsCommon,
        view: View<'_>,
    ) {
        let persistence = common.persistence(request.persistence);
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
        if let Err(other) = query.check_feed(view.ring) {
            let (status, body) = (StatusCode::GONE, other.to_json());
            return self.refuse(request.endpoint, status, answer::JSON, &body, terms, view);
        }
        match found(request.waits, query, view.ring) {
            Ok(Found::Nothing(cursor))
                if request.waits && !query.timeout.is_zero() && !common.stopping =>
            {
                let wait = Wait {
                    room: view.ring.whose.room,
                    connection,
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
        common.waiting.add(wait.room, wait.connection);
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

    /// Answers a request whose room is not to be had, or whose message is not taken.
    pub(crate) fn refuse_room(
        &mut self,
        endpoint: EndpointRow,
        refusal: &RoomRefusal,
        (persistence, head_only, cors): (Persistence, bool, Cors),
        view: View<'_>,
    ) {
        self.connection.enter(ConnectionState::Idle, view.now);
        let after = refusal.retry_after().map(|seconds| seconds.to_string());
        let mut own = Vec::with_capacity(2);
        own.extend(connection(persistence).map(|value| ("connection", value)));
        own.extend(after.as_deref().map(|seconds| ("retry-after", seconds)));
        let (status, body) = (refusal.status(), answer::sentence(refusal));
        let content = Content::Body { media_type: answer::TEXT, length: body.len() };
        let parts = ResponseParts { status: status.as_u16(), content, etag: None, own: &own };
        let mut bytes = Vec::new();
        view.config.headers.render_response(Contender::SHORT_POLL, &parts, &mut bytes);
        if !head_only {
            bytes.extend_from_slice(body.as_bytes());
        }
        let (len, bytes) = (bytes.len(), Rc::new(bytes));
        let reply = Reply { status, bytes: &bytes, len, holds: None };
        self.send(endpoint, reply, (persistence, cors), view);
    }

    /// Tells a client that its message has this number.
    pub(crate) fn confirm(
        &mut self,
        endpoint: EndpointRow,
        seq: Seq,
        (persistence, cors): (Persistence, Cors),
        common: &mut PollsCommon,
        view: View<'_>,
    ) {
        self.connection.enter(ConnectionState::Idle, view.now);
        let reply = common.receipts.reply(seq, persistence, view.config);
        self.send(endpoint, reply, (persistence, cors), view);
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

    /// Answers a long poll that waits with what is there now; whether there is something.
    pub(super) fn end_wait_with_news(&mut self, common: &mut PollsCommon, view: View<'_>) -> bool {
        let Some(wait) = &self.wait else { return true };
        let found = Found::after(view.ring, wait.cursor, wait.delivery);
        let ends = !matches!(found, Ok(Found::Nothing(_)));
        if ends {
            self.end_wait(found, common, view);
        }
        ends
    }

    /// When the time of a long poll is over that waits.
    pub(super) fn deadline(&self) -> Option<MonoInstant> {
        self.wait.as_ref().map(|wait| wait.deadline)
    }

    /// Answers a long poll that waits, since its time or the server's is over.
    pub(super) fn end_wait_with_nothing(&mut self, common: &mut PollsCommon, view: View<'_>) {
        let Some(wait) = &self.wait else { return };
        let found = Found::Nothing(wait.cursor);
        self.end_wait(Ok(found), common, view);
    }

    fn end_wait(&mut self, found: Result<Found, Gone>, common: &mut PollsCommon, view: View<'_>) {
        let Some(wait) = self.leave_wait(common, view) else { return };
        let persistence = if common.stopping { Persistence::Closes } else { wait.persistence };
        let condition = wait.condition.as_deref();
        let Wait { coding, cors, .. } = wait;
        let terms = Terms { head_only: false, persistence, condition, coding, cors };
        self.respond(wait.endpoint, found, terms, common, view);
        if !self.unread.is_empty() {
            self.connection.take_turns();
        }
    }
}
