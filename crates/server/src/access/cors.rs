//! Response headers for pages of another origin that may read the answer (Fetch §3.2).

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HeaderMap, HeaderName, HeaderValue,
    VARY,
};

use super::Access;

/// The cursor: of the answer's own header fields the only one that a page needs.
const EXPOSED: &str = "ETag";

/// Whether a page of another origin asks, and by which rule it may. `Copy`, since a long poll
/// keeps it while it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cors(Option<u16>);

impl Cors {
    /// The answer says nothing of origins.
    pub(crate) const NONE: Self = Self(None);

    /// By the rule at this place.
    pub(super) fn by(rule: usize) -> Self {
        Self(u16::try_from(rule).ok())
    }

    pub(crate) const fn is_asked(self) -> bool {
        self.0.is_some()
    }

    /// The header fields of an answer; none where nobody needs them.
    pub(crate) fn fields(self, access: &Access) -> Vec<(HeaderName, &str)> {
        let Some(rule) = self.0.and_then(|rule| access.origins.get(usize::from(rule))) else {
            return Vec::new();
        };
        vec![
            (ACCESS_CONTROL_ALLOW_ORIGIN, rule.as_str()),
            (ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED),
            (VARY, "Origin"),
        ]
    }

    /// Adds them to an answer of hyper's.
    pub(crate) fn add_to(self, headers: &mut HeaderMap, access: &Access) {
        for (name, value) in self.fields(access) {
            let value = HeaderValue::from_str(value)
                .expect("an origin was parsed, and has no control character");
            headers.append(name, value);
        }
    }

    /// Adds them to an answer in bytes, before the empty line that ends its head.
    pub(crate) fn insert_into(self, answer: &[u8], access: &Access) -> Vec<u8> {
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 2);
        let (head, rest) = answer.split_at(end);
        let mut whole = head.to_vec();
        for (name, value) in self.fields(access) {
            whole.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        whole.extend_from_slice(rest);
        whole
    }
}

/// Requests that a page may send which asks first (Fetch §4.8): publishing with a token, and polls on a
/// condition.
pub(crate) const PREFLIGHT: [(HeaderName, &str); 3] = [
    (ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST"),
    (ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, if-none-match, last-event-id"),
    (ACCESS_CONTROL_MAX_AGE, "600"),
];
