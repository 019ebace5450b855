//! Header fields and their values.

use std::fmt::Display;

use pushbench_protocol::http::ContentCoding;

/// Whether a comma-separated list names `token`.
pub(crate) fn lists(list: &[u8], token: &[u8]) -> bool {
    list.split(|&byte| byte == b',').any(|item| item.trim_ascii().eq_ignore_ascii_case(token))
}

/// Whether a media type is that of bytes and nothing more (RFC 9110 §8.3.1, RFC 2046 §4.5.1).
pub(crate) fn is_bytes(media_type: &[u8]) -> bool {
    let essence = media_type.split(|&byte| byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/octet-stream")
}

/// The entity tag of a cursor. A body that is coded differs in its bytes from one that is not and
/// stands for the same, so that the tag of one of the two has to be weak (RFC 9110 §8.8.3.3).
pub(crate) fn entity_tag(cursor: impl Display, coding: ContentCoding) -> String {
    match coding {
        ContentCoding::Identity => format!("\"{cursor}\""),
        ContentCoding::Gzip => format!("W/\"{cursor}\""),
    }
}

/// The fields that tell of a body's coding (RFC 9110 §8.4, §12.5.5).
pub(crate) fn coding_fields<'a>(
    coding: ContentCoding,
    has_body: bool,
    negotiated: bool,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let coded = has_body && coding == ContentCoding::Gzip;
    let vary = negotiated.then_some(("vary", "accept-encoding"));
    coded.then_some(("content-encoding", "gzip")).into_iter().chain(vary)
}
