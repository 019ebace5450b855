//! The text of a request of which little varies.

use std::io::Write as _;

use pushbench_core::Seq;
use pushbench_core::rules::CURSOR;

/// A request of which only the cursor and a field vary, or the body.
///
/// Prepared once for all clients, so that rendering one is a few copies.
#[derive(Debug)]
pub struct RequestTemplate {
    /// Method, path, and whatever stands in the query at all times.
    start: String,
    /// Behind the target: version, and the fixed fields. The blank line is not part of it.
    end: String,
    has_query: bool,
}

impl RequestTemplate {
    /// A request for `path`, with `query` (`name=value`, joined by `&`, or empty) and `fields`.
    pub fn new<V: AsRef<str>>(
        path: &str,
        query: &str,
        fields: impl IntoIterator<Item = (impl AsRef<str>, V)>,
    ) -> Self {
        let mark = if query.is_empty() { "" } else { "?" };
        let mut end = String::from(" HTTP/1.1\r\n");
        for (name, value) in fields {
            end.extend([name.as_ref(), ": ", value.as_ref(), "\r\n"]);
        }
        Self { start: format!("GET {path}{mark}{query}"), end, has_query: !query.is_empty() }
    }

    /// A request that brings a body to `path` (RFC 9110 §9.3.3).
    pub fn posting<V: AsRef<str>>(
        path: &str,
        fields: impl IntoIterator<Item = (impl AsRef<str>, V)>,
    ) -> Self {
        let Self { end, .. } = Self::new(path, "", fields);
        Self { start: format!("POST {path}"), end, has_query: false }
    }

    /// Appends the head of a request with a body of `length` bytes.
    pub fn render_with_body(&self, out: &mut Vec<u8>, length: usize) {
        self.render(out, None, Some(("Content-Length", length.to_string().as_bytes())));
    }

    /// Appends the request, with `after` in its query where there is a cursor, and one more field
    /// where there is one.
    pub fn render(&self, out: &mut Vec<u8>, after: Option<Seq>, field: Option<(&str, &[u8])>) {
        out.extend_from_slice(self.start.as_bytes());
        if let Some(after) = after {
            // Writing to a Vec cannot fail.
            let _ = write!(out, "{}after={after}", self.mark());
        }
        self.render_end(out, field);
    }

    fn render_end(&self, out: &mut Vec<u8>, field: Option<(&str, &[u8])>) {
        out.extend_from_slice(self.end.as_bytes());
        if let Some((name, value)) = field {
            for part in [name.as_bytes(), b": ", value, b"\r\n"] {
                out.extend_from_slice(part);
            }
        }
        out.extend_from_slice(b"\r\n");
    }

    /// Appends the request with `place` wherever its target has `{cursor}`, percent-encoded (RFC 3986
    /// §2.1), and one more field where there is one.
    pub fn render_at(&self, out: &mut Vec<u8>, place: &[u8], field: Option<(&str, &[u8])>) {
        let mut encoded = String::new();
        for &byte in place {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        }
        let start = self.start.replace(CURSOR, &encoded);
        out.extend_from_slice(start.as_bytes());
        self.render_end(out, field);
    }

    /// Method and target, for a person to read.
    #[must_use]
    pub fn describe(&self, after: Option<Seq>) -> String {
        let start = &self.start;
        after.map_or_else(|| start.clone(), |seq| format!("{start}{}after={seq}", self.mark()))
    }

    const fn mark(&self) -> char {
        if self.has_query { '&' } else { '?' }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(
        request: &RequestTemplate,
        after: Option<Seq>,
        field: Option<(&str, &[u8])>,
    ) -> String {
        let mut out = Vec::new();
        request.render(&mut out, after, field);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_request_is_as_short_as_it_can_be() {
        let request = RequestTemplate::new("/feed/poll", "", [("Host", "127.0.0.1:80")]);
        assert_eq!(
            render(&request, None, None),
            "GET /feed/poll HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n"
        );
        assert_eq!(
            render(&request, Some(Seq(5)), None),
            "GET /feed/poll?after=5 HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n"
        );

        let request = RequestTemplate::new("/feed/poll", "a=b", [("Host", "[::1]:80"), ("X", "y")]);
        assert_eq!(
            render(&request, Some(Seq(7)), Some(("Z", b"z"))),
            "GET /feed/poll?a=b&after=7 HTTP/1.1\r\nHost: [::1]:80\r\nX: y\r\nZ: z\r\n\r\n"
        );
        assert_eq!(request.describe(Some(Seq(7))), "GET /feed/poll?a=b&after=7");
    }
}
