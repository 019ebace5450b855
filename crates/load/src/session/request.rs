//! The request for a feed, which all clients of a load process share.

use pushbench_core::contender::Coding;
use pushbench_core::rules::{CURSOR, Rules};
use pushbench_core::units::ByteSize;
use pushbench_core::{Contender, Delivery, Seq};
use pushbench_metrics::record::control::{LoadPlan, Subject};
use pushbench_protocol::headers::{HeaderProfile, RequestParts};
use pushbench_protocol::http::{ContentCoding, RequestTemplate, ResponseHead};

use super::decoding::{ACCEPT_GZIP, Decoder, Given};
use super::error::ProtocolError;

/// A request for the feed of a plan, as its transport asks for it.
#[derive(Debug)]
pub(super) struct FeedRequest {
    template: RequestTemplate,
    /// The server is none of ours.
    foreign: bool,
    /// It knows our cursors.
    has_cursor: bool,
    /// The name of the header profile.
    profile: String,
    /// The profile offers to take coded answers (RFC 9110 §12.5.3).
    takes_coded: bool,
    /// The size from which an answer is to come in gzip, where it is asked for.
    gzip: Option<ByteSize>,
    /// Its path says where a poll goes on.
    names_place: bool,
    /// Whose secrets are not shown.
    subject: Subject,
}

impl FeedRequest {
    /// The plan's request, with `query` (`name=value` each), the fields of its profile, and `own`:
    /// those that the transport cannot do without. The delivery is named where it is not what the
    /// path implies.
    pub(super) fn new(plan: &LoadPlan, query: &[&str], own: &[(&str, &str)]) -> Self {
        let (profile, foreign) = (&plan.headers, plan.subject.is_foreign());
        let delivery = delivery(plan);
        let query: Vec<&str> =
            delivery.iter().map(String::as_str).chain(query.to_owned()).collect();
        let query = if plan.subject.has_cursor() { query.join("&") } else { String::new() };
        let room = plan.subject.room.as_ref().map(|room| room.path(plan.contender.transport));
        let path = plan.subject.path.as_deref().or(room.as_deref());
        let path = path.unwrap_or(profile.path(plan.contender));
        let host = plan.subject.host.clone().unwrap_or_else(|| plan.target.to_string());
        // The template has the target.
        let mut own = own.to_owned();
        let (of_rules, subprotocols) = plan.subject.rules.as_ref().map(fields).unwrap_or_default();
        own.extend(of_rules.iter().map(|(name, value)| (*name, &**value)));
        own.extend(subprotocols.as_deref().map(|names| ("Sec-WebSocket-Protocol", names)));
        let gzip = plan.contender.stack.coding == Coding::Gzip;
        if gzip && !takes_gzip(profile, plan.contender) {
            own.push(ACCEPT_GZIP);
        }
        let parts = RequestParts { target: "", host: &host, own: &own };
        let fields = profile.request_headers(plan.contender, &parts);
        let takes_coded = fields.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("Accept-Encoding") && value != "identity"
        });
        Self {
            template: RequestTemplate::new(
                &format!("{}{path}", plan.subject.prefix),
                &query,
                fields,
            ),
            foreign,
            has_cursor: plan.subject.has_cursor(),
            profile: profile.name.clone(),
            takes_coded,
            gzip: gzip.then_some(plan.compression_threshold),
            names_place: plan.subject.rules.is_some() && path.contains(CURSOR),
            subject: plan.subject.clone(),
        }
    }

    /// Whether the server is none of ours.
    pub(super) const fn is_foreign(&self) -> bool {
        self.foreign
    }

    /// This request with a cursor, where the client has one and the server knows it.
    pub(super) fn after(&self, cursor: Option<Seq>) -> RequestTarget<'_> {
        RequestTarget { request: self, after: cursor.filter(|_| self.has_cursor), place: &[] }
    }

    /// This request, from a place that an answer named; empty before the first.
    pub(super) const fn at<'a>(&'a self, place: &'a [u8]) -> RequestTarget<'a> {
        RequestTarget { request: self, after: None, place }
    }
}

/// The header fields that rules set, and the subprotocols that they offer.
fn fields(rules: &Rules) -> (Vec<(&str, String)>, Option<String>) {
    // Values were checked when the rules were resolved.
    let fields = rules.header.iter().filter_map(|it| Some((it.name.as_str(), it.value().ok()?)));
    let mut fields: Vec<(&str, String)> = fields.collect();
    fields.extend(rules.origin.iter().map(|origin| ("Origin", origin.clone())));
    (fields, (!rules.subprotocol.is_empty()).then(|| rules.subprotocol.join(", ")))
}

/// Whether a profile's requests ask for gzip already, as browsers' do. They are left as they are.
fn takes_gzip(profile: &HeaderProfile, contender: Contender) -> bool {
    let fields =
        profile.request_headers(contender, &RequestParts { target: "", host: "", own: &[] });
    let accepted = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(ACCEPT_GZIP.0));
    let accepted: Vec<&str> = accepted.map(|(_, value)| &**value).collect();
    ContentCoding::choose(accepted.join(", ").as_bytes()) == ContentCoding::Gzip
}

/// The delivery as a query names it, unless it is what the plan's path implies.
fn delivery(plan: &LoadPlan) -> Option<String> {
    let implied: Delivery = plan.headers.implied_delivery(plan.contender);
    (plan.delivery != implied).then(|| format!("delivery={}", plan.delivery))
}

/// The target of a request (RFC 9112 §3.2): method, path and query, with the cursor of one client.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestTarget<'a> {
    request: &'a FeedRequest,
    after: Option<Seq>,
    /// Where a poll goes on that has its cursor from an answer's body.
    place: &'a [u8],
}

impl RequestTarget<'_> {
    /// Appends the request as HTTP/1.1 has it.
    pub(super) fn render(&self, out: &mut Vec<u8>, field: Option<(&str, &[u8])>) {
        if self.request.names_place {
            self.request.template.render_at(out, self.place, field);
        } else {
            self.request.template.render(out, self.after, field);
        }
    }

    /// Method and target, for a person to read.
    pub(super) fn describe(&self) -> String {
        self.request.subject.hide(self.request.template.describe(self.after))
    }

    /// Whether the server is none of ours.
    pub(super) const fn is_foreign(&self) -> bool {
        self.request.foreign
    }

    /// Where a stream begins that was answered with `head`. A server that knows no cursor of ours need
    /// not say.
    pub(super) fn start_of(&self, head: &ResponseHead) -> Option<Seq> {
        head.cursor.or((!self.request.has_cursor).then_some(Seq::NONE))
    }

    /// The decoder of the body of an answer that brings the feed; `None` where that can be read as it
    /// is.
    ///
    /// # Errors
    ///
    /// An answer in a coding that nobody asked for, or in none although one was asked for.
    pub(super) fn decoder(
        &self,
        head: &ResponseHead,
        is_stream: bool,
    ) -> Result<Option<Decoder>, ProtocolError> {
        let coding = head.coding.as_deref().unwrap_or_default();
        let Some(threshold) = self.request.gzip else {
            return if coding.is_empty() { Ok(None) } else { Err(self.encoded(coding)) };
        };
        match Given::of(head, threshold) {
            Given::Coded => Ok(Some(Decoder::new(is_stream))),
            Given::Small => Ok(None),
            Given::Plain => Err(ProtocolError::Uncoded { request: self.describe(), is_stream }),
            Given::Other => Err(self.encoded(coding)),
        }
    }

    /// The refusal of an answer that would have to be decoded before its messages could be read.
    fn encoded(&self, coding: &str) -> ProtocolError {
        ProtocolError::Encoded {
            request: self.describe(),
            coding: coding.to_owned(),
            profile: self.request.profile.clone(),
            offered: self.request.takes_coded,
        }
    }
}

#[cfg(test)]
mod tests;
