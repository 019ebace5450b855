//! Response heads that are rendered once: only the digits of a length and a tag are filled in.

use pushbench_core::{Contender, Seq};
use pushbench_protocol::headers::{Content, HeaderProfile, ResponseParts};
use pushbench_protocol::http::ContentCoding;

use crate::http::fields::{coding_fields, entity_tag};

/// Stands for the cursor. No header of a profile can have it.
const CURSOR_MARK: &str = "\u{1}";

/// A figure that is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fill {
    Length,
    Cursor,
}

/// The parts of a head that are not filled in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outline<'a> {
    pub(super) status: u16,
    /// The media type of the body, where there is one.
    pub(super) media_type: Option<&'a str>,
    /// Whether the cursor is said even where the profile has no place for it.
    pub(super) tagged: bool,
    /// The coding of the body, where there is one, else of the one that the client has.
    pub(super) coding: ContentCoding,
    /// Whether the coding was the client's to choose.
    pub(super) negotiated: bool,
    /// A `Connection` that is said whatever the profile has.
    pub(super) connection: Option<&'a str>,
}

/// A head with places for digits.
#[derive(Debug)]
pub(super) struct Template {
    /// Bytes, and what follows them.
    pieces: Vec<(Box<[u8]>, Fill)>,
    rest: Box<[u8]>,
}

impl Template {
    /// The profile's head of a response to a poll.
    pub(super) fn new(profile: &HeaderProfile, outline: Outline<'_>) -> Self {
        let length = mark(profile);
        let tag = entity_tag(CURSOR_MARK, outline.coding);
        let mut own = Vec::with_capacity(4);
        own.extend(outline.connection.map(|value| ("connection", value)));
        let has_body = outline.media_type.is_some();
        own.extend(coding_fields(outline.coding, has_body, outline.negotiated));
        if outline.tagged {
            own.push(("etag", &tag));
        }
        let content = match outline.media_type {
            Some(media_type) => Content::Body { media_type, length },
            None => Content::None,
        };
        let status = outline.status;
        let parts = ResponseParts { status, content, etag: Some(&tag), own: &own };
        let mut head = Vec::new();
        profile.render_response(Contender::SHORT_POLL, &parts, &mut head);
        Self::cut(&head, length.to_string().as_bytes())
    }

    fn cut(mut head: &[u8], length: &[u8]) -> Self {
        let mut pieces = Vec::new();
        let marks = [(length, Fill::Length), (CURSOR_MARK.as_bytes(), Fill::Cursor)];
        while let Some((start, mark, fill)) = marks
            .iter()
            .filter_map(|&(mark, fill)| Some((find(head, mark)?, mark, fill)))
            .min_by_key(|&(start, ..)| start)
        {
            pieces.push((head[..start].into(), fill));
            head = &head[start + mark.len()..];
        }
        Self { pieces, rest: head.into() }
    }

    /// Appends the head, filled in.
    pub(super) fn render(&self, out: &mut Vec<u8>, length: usize, cursor: Seq) {
        let mut digits = itoa::Buffer::new();
        for (bytes, fill) in &self.pieces {
            out.extend_from_slice(bytes);
            let digits = match fill {
                Fill::Length => digits.format(length),
                Fill::Cursor => digits.format(cursor.0),
            };
            out.extend_from_slice(digits.as_bytes());
        }
        out.extend_from_slice(&self.rest);
    }
}

/// A length whose digits stand nowhere in the profile.
fn mark(profile: &HeaderProfile) -> usize {
    let unused = |mark: &usize| {
        let digits = mark.to_string();
        profile.response.poll.iter().all(|header| !header.value().contains(&digits))
    };
    // Headers are fewer than the numbers tried.
    (0..=usize::MAX).rev().find(unused).unwrap_or(usize::MAX)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference is what the profile itself renders.
    #[test]
    fn a_template_is_what_the_profile_renders() {
        let odd = format!(
            "name = 'odd'\n[request]\nheaders = []\n[response]\nheaders = [['A', 'x{{etag}}y'], \
             ['B', '{{content-length}}{{etag}}'], ['C', '{}'], ['Connection', 'Keep-Alive']]",
            usize::MAX
        );
        let mut profiles: Vec<_> =
            pushbench_protocol::headers::names().filter_map(HeaderProfile::built_in).collect();
        profiles.push(HeaderProfile::parse(&odd).unwrap());
        for profile in &profiles {
            for (status, media_type) in [(200, Some("text/plain")), (204, None), (304, None)] {
                for connection in [None, Some("close"), Some("keep-alive")] {
                    for tagged in [false, true] {
                        for coding in [ContentCoding::Identity, ContentCoding::Gzip] {
                            let plain = Outline {
                                status,
                                media_type,
                                tagged,
                                coding,
                                negotiated: coding == ContentCoding::Gzip,
                                connection,
                            };
                            check(profile, plain);
                        }
                    }
                }
            }
        }
    }

    fn check(profile: &HeaderProfile, outline: Outline<'_>) {
        let template = Template::new(profile, outline);
        for (length, cursor) in [(1, 1), (64, 0), (1 << 20, u64::MAX)] {
            let coded = outline.coding == ContentCoding::Gzip;
            let tag = if coded { format!("W/\"{cursor}\"") } else { format!("\"{cursor}\"") };
            let mut own = Vec::new();
            own.extend(outline.connection.map(|value| ("connection", value)));
            if coded && outline.media_type.is_some() {
                own.push(("content-encoding", "gzip"));
            }
            if coded {
                own.push(("vary", "accept-encoding"));
            }
            if outline.tagged {
                own.push(("etag", tag.as_str()));
            }
            let content = outline
                .media_type
                .map_or(Content::None, |media_type| Content::Body { media_type, length });
            let parts =
                ResponseParts { status: outline.status, content, etag: Some(&tag), own: &own };
            let (mut expected, mut filled) = (Vec::new(), Vec::new());
            profile.render_response(Contender::SHORT_POLL, &parts, &mut expected);
            template.render(&mut filled, length, Seq(cursor));
            let text = |bytes| String::from_utf8(bytes).unwrap();
            assert_eq!(text(filled), text(expected), "{} {outline:?}", profile.name);
        }
    }
}
