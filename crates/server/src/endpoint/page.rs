//! The page for people: one document of parts that are files of their own, and what it may do.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use sha2::{Digest, Sha256};

use super::row::{Answers, Endpoint, GET_OR_HEAD};
use crate::http::answer::{self, Answer};
use crate::shared::Shared;

/// The page for people.
pub(super) const ENDPOINT: Endpoint =
    Endpoint { path: "/", methods: GET_OR_HEAD, is_for_people: true, answers: Answers::Page(show) };

const STYLE: &str = concat!("\n", include_str!("page/style.css"));

const SCRIPT: &str = concat!(
    "\n\"use strict\";\n",
    include_str!("page/receive.js"),
    include_str!("page/view.js"),
    include_str!("page/ticker.js"),
    include_str!("page/chat.js"),
    include_str!("page/transports.js"),
    include_str!("page/tabs.js"),
);

/// Style and script within the document, so that it is one answer.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let (head, body) = (include_str!("page/head.html"), include_str!("page/body.html"));
    format!("{head}<style>{STYLE}</style>\n{body}<script>{SCRIPT}</script>\n</html>\n")
});

/// This style and this script alone, known by their hashes (Content Security Policy Level 3 §2.3.1);
/// connections to this server alone; no text that becomes markup (`require-trusted-types-for`), so that
/// what people say in a room can be nothing but text.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
        source(STYLE),
        source(SCRIPT),
    );
    HeaderValue::try_from(policy).expect("a policy is of visible ASCII")
});

/// Content of an element, as a policy names it.
fn source(content: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(content)))
}

/// `GET /`.
fn show(_: &Shared) -> Answer {
    let page = answer::content(StatusCode::OK, "text/html; charset=utf-8", DOCUMENT.as_str());
    answer::with_field(page, CONTENT_SECURITY_POLICY, POLICY.clone())
}
