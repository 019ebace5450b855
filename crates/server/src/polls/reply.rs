//! Responses to polls as bytes: the head and the body behind it, for one write.
//!
//! Clients that poll in step get the same bytes, so those that were made last are kept, for each
//! kind of answer. Where another is needed, the same memory is used again, unless a socket that
//! was full still has a part of it to take.

use std::rc::Rc;

use http::StatusCode;
use pushbench_core::feed::message;
use pushbench_core::{Delivery, Seq};
use pushbench_protocol::batch::{self, MAX_BATCH};
use pushbench_protocol::headers::HeaderProfile;
use pushbench_protocol::http::ContentCoding;

use super::gzip::GzipBodies;
use super::request::Persistence;
use super::template::{Outline, Template};
use crate::access::Cors;
use crate::feed_id::FeedId;
use crate::http::fields::lists;
use crate::query::names_cursor;
use crate::ring::{Entry, Gone, Ring};
use crate::rooms::key::RoomKey;
use crate::view::View;

/// Memory that a kept answer may hold on to once it is replaced.
const KEPT_BYTES: usize = 64 << 10;

/// Messages that there are for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Messages after a cursor, up to the newest or as many as a batch holds.
    Batch { after: Seq, newest: Seq },
    /// The newest message.
    Newest(Seq),
    /// Nothing after this cursor.
    Nothing(Seq),
}

impl Found {
    /// The newest message, whoever has seen it; nothing before the first.
    pub(super) fn newest(ring: &Ring) -> Self {
        if ring.last().is_some() { Self::Newest(ring.newest()) } else { Self::Nothing(Seq::NONE) }
    }

    /// The messages after `cursor`.
    ///
    /// # Errors
    ///
    /// [`Gone`] under `every`, where part of it is no longer held.
    pub(super) fn after(ring: &Ring, cursor: Seq, delivery: Delivery) -> Result<Self, Gone> {
        let newest = ring.newest();
        if newest <= cursor {
            return Ok(Self::Nothing(cursor));
        }
        match delivery {
            Delivery::Latest => Ok(Self::Newest(newest)),
            Delivery::Every if ring.holds_after(cursor) => {
                Ok(Self::Batch { after: cursor, newest })
            }
            Delivery::Every => Err(Gone { after: cursor, oldest: ring.oldest() }),
        }
    }

    /// The bytes of the body and the newest message that it has: the client's cursor from now on.
    pub(super) fn extent(self, ring: &Ring) -> (usize, Seq) {
        match self {
            Self::Batch { after, .. } => batch_extent(ring, after),
            Self::Newest(seq) => (ring.last().map_or(0, |entry| entry.payload().len()), seq),
            Self::Nothing(seq) => (0, seq),
        }
    }

    /// The message before the first that it has; `None` where it has none.
    const fn before(self) -> Option<Seq> {
        match self {
            Self::Batch { after, .. } => Some(after),
            Self::Newest(seq) => Some(Seq(seq.0.saturating_sub(1))),
            Self::Nothing(_) => None,
        }
    }

    /// Appends the body, up to its newest message.
    pub(super) fn push_to(self, bytes: &mut Vec<u8>, last: Seq, ring: &Ring) {
        match self {
            Self::Batch { after, .. } => {
                for entry in ring.after(after).take_while(|entry| entry.seq() <= last) {
                    batch::push(bytes, entry.payload());
                }
            }
            Self::Newest(_) => bytes.extend(ring.last().map_or(&[][..], |entry| entry.payload())),
            Self::Nothing(_) => {}
        }
    }

    const fn slot(self) -> usize {
        match self {
            Self::Batch { .. } => 0,
            Self::Newest(_) => 1,
            Self::Nothing(_) => 2,
        }
    }
}

/// The kinds of what is found.
const SLOTS: usize = 3;

/// A batch holds at most a mebibyte, but at least one message.
fn batch_extent(ring: &Ring, after: Seq) -> (usize, Seq) {
    let (mut len, mut cursor) = (0, after);
    for entry in ring.after(after) {
        let more = batch::encoded_len(entry.payload().len());
        if cursor != after && len + more > MAX_BATCH {
            break;
        }
        (len, cursor) = (len + more, entry.seq());
    }
    (len, cursor)
}

/// How a client wants its answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) head_only: bool,
    pub(super) persistence: Persistence,
    pub(super) condition: Option<&'a [u8]>,
    /// The coding of a body that is worth one.
    pub(super) coding: ContentCoding,
    /// Whether a page of another origin asks.
    pub(super) cors: Cors,
}

/// An answer but for its digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Form {
    status: Status,
    persistence: Persistence,
    /// The tag is said even where the profile has no place for it. Polls work without where a
    /// message, which carries its number, is in the body; asking on a condition is about tags
    /// (RFC 9110 §15.4.5), and without a message there is nothing else to go on from.
    tagged: bool,
    /// Of the body, or of the one that a client has whose condition says so.
    coding: ContentCoding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Messages(message::Content),
    Nothing,
    Unchanged,
}

impl Status {
    const fn code(self) -> StatusCode {
        match self {
            Self::Messages(_) => StatusCode::OK,
            Self::Nothing => StatusCode::NO_CONTENT,
            Self::Unchanged => StatusCode::NOT_MODIFIED,
        }
    }
}

/// An answer that may be sent again.
#[derive(Debug)]
struct Kept {
    feed: FeedId,
    found: Found,
    form: Form,
    bytes: Rc<Vec<u8>>,
    head: usize,
    /// The newest message that it covers.
    last: Seq,
}

/// Bytes to be sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reply<'a> {
    pub(super) status: StatusCode,
    pub(super) bytes: &'a Rc<Vec<u8>>,
    /// How many of them, from the start.
    pub(super) len: usize,
    /// The messages in them: those after the first up to the second.
    pub(super) holds: Option<(Seq, Seq)>,
}

/// Makes answers, and keeps those that were made last.
#[derive(Debug, Default)]
pub(super) struct Replies {
    templates: Vec<(Form, Template)>,
    /// By kind and coding, which clients ask for in turns.
    kept: [[Option<Kept>; SLOTS]; 2],
    /// Made once a client asks for it.
    gzip: Option<GzipBodies>,
}

impl Replies {
    /// 200 with messages, 204 without, and 304 in place of either where the client says that it
    /// has what the response would cover (RFC 9110 §13.1.2).
    pub(super) fn reply(&mut self, found: Found, terms: Terms<'_>, view: View<'_>) -> Reply<'_> {
        let form = form(found, terms, view);
        let Self { templates, kept, gzip } = self;
        let slot = &mut kept[form.coding as usize][found.slot()];
        let before = slot.take();
        let kept = match before {
            Some(kept)
                if kept.found == found
                    && kept.form == form
                    && kept.feed == view.ring.whose.feed =>
            {
                kept
            }
            before => {
                let template = template(templates, form, view);
                let memory = before.map(|kept| kept.bytes);
                make(found, form, template, memory, view, gzip)
            }
        };
        let Kept { bytes, head, last, .. } = slot.insert(kept);
        let len = if terms.head_only { *head } else { bytes.len() };
        let whole = matches!(form.status, Status::Messages(_)) && !terms.head_only;
        let holds = found.before().filter(|_| whole).map(|before| (before, *last));
        Reply { status: form.status.code(), bytes, len, holds }
    }
}

fn form(found: Found, terms: Terms<'_>, view: View<'_>) -> Form {
    let unchanged =
        terms.condition.is_some_and(|list| names_cursor(list, found.extent(view.ring).1));
    let status = match found {
        _ if unchanged => Status::Unchanged,
        Found::Nothing(_) => Status::Nothing,
        Found::Batch { after, .. } => Status::Messages(batch_content(after, view)),
        Found::Newest(_) => Status::Messages(
            view.ring
                .last()
                .map_or_else(|| view.config.feed.payload.content(), |entry| entry.content()),
        ),
    };
    let tagged = terms.condition.is_some() || !matches!(status, Status::Messages(_));
    let coding = if is_worth_coding(found, view) { terms.coding } else { ContentCoding::Identity };
    Form { status, persistence: terms.persistence, tagged, coding }
}

/// Text where the feed is text, or all that a room's batch may have is.
fn batch_content(after: Seq, view: View<'_>) -> message::Content {
    if view.ring.whose.room == RoomKey::FEED {
        return view.config.feed.payload.content();
    }
    let is_text = |entry: &Entry| entry.content() == message::Content::Text;
    let all = view.ring.after(after).all(is_text);
    if all { message::Content::Text } else { message::Content::Binary }
}

/// Whether there is a body, of the size from which one is compressed.
fn is_worth_coding(found: Found, view: View<'_>) -> bool {
    let threshold = view.config.compression.map(|terms| terms.threshold.0);
    let is_large = |threshold| found.extent(view.ring).0 as u64 >= threshold;
    !matches!(found, Found::Nothing(_)) && threshold.is_some_and(is_large)
}

fn template<'a>(
    templates: &'a mut Vec<(Form, Template)>,
    form: Form,
    view: View<'_>,
) -> &'a Template {
    let index = templates.iter().position(|&(known, _)| known == form).unwrap_or_else(|| {
        let media_type = match form.status {
            // Text where the feed is text, so that a browser shows it.
            Status::Messages(message::Content::Text) => Some("text/plain"),
            Status::Messages(message::Content::Binary) => Some("application/octet-stream"),
            Status::Nothing | Status::Unchanged => None,
        };
        let outline = Outline {
            status: form.status.code().as_u16(),
            media_type,
            tagged: form.tagged,
            coding: form.coding,
            negotiated: view.config.compression.is_some() && form.status != Status::Nothing,
            connection: connection(form.persistence),
        };
        templates.push((form, Template::new(&view.config.headers, outline)));
        templates.len() - 1
    });
    &templates[index].1
}

fn make(
    found: Found,
    form: Form,
    template: &Template,
    memory: Option<Rc<Vec<u8>>>,
    view: View<'_>,
    gzip: &mut Option<GzipBodies>,
) -> Kept {
    let mut memory = memory.unwrap_or_default();
    if Rc::get_mut(&mut memory).is_none_or(|bytes| bytes.capacity() > KEPT_BYTES) {
        memory = Rc::default();
    }
    let bytes = Rc::get_mut(&mut memory).expect("nobody else has it");
    bytes.clear();
    let (length, cursor) = found.extent(view.ring);
    let has_body = matches!(form.status, Status::Messages(_));
    let coded = (has_body && form.coding == ContentCoding::Gzip).then(|| {
        let bodies = gzip.get_or_insert_with(|| GzipBodies::new(view.config));
        bodies.get(found, view.ring)
    });
    template.render(bytes, coded.map_or(length, <[u8]>::len), cursor);
    let head = bytes.len();
    match coded {
        Some(coded) => bytes.extend_from_slice(coded),
        None if has_body => {
            bytes.reserve(length);
            found.push_to(bytes, cursor, view.ring);
        }
        None => {}
    }
    Kept { feed: view.ring.whose.feed, found, form, bytes: memory, head, last: cursor }
}

/// The `Connection` that is said.
pub(super) const fn connection(persistence: Persistence) -> Option<&'static str> {
    match persistence {
        Persistence::Kept => None,
        Persistence::KeptAsAsked => Some("keep-alive"),
        Persistence::Closes => Some("close"),
    }
}

/// Whether every response of this profile says that it is the last.
pub(super) fn always_closes(profile: &HeaderProfile) -> bool {
    let says = profile.response.poll.get("Connection");
    says.is_some_and(|header| lists(header.value().as_bytes(), b"close"))
}
