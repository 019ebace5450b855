//! The page of a browser that is measured: one client of the feed, which notes when each message is in
//! its hands.
//!
//! It is cross-origin isolated, so that `performance.now()` steps by 5 µs and not by 100 (High Resolution
//! Time §10.1; HTML §7.1.3).

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http::header::{CONTENT_SECURITY_POLICY, HeaderName, HeaderValue};
use sha2::{Digest, Sha256};

use super::row::{Answers, Endpoint, GET_OR_HEAD};
use crate::http::answer::{self, Answer};
use crate::shared::Shared;

/// The page of a browser that is measured.
pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/client",
    methods: GET_OR_HEAD,
    is_for_people: false,
    answers: Answers::Page(show),
};

const SCRIPT: &str = concat!("\n\"use strict\";\n", include_str!("client/feed.js"));

/// No icon, which a browser would ask for otherwise.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<link rel=\"icon\" \
         href=\"data:,\">\n<title>pushbench: a client</title>\n<script>{SCRIPT}</script>\n</html>\n"
    )
});

/// This script alone, known by its hash (Content Security Policy Level 3 §2.3.1), and connections to
/// this server.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(SCRIPT));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{hash}'; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("a policy is of visible ASCII")
});

/// The fields that isolate a page from those of other origins (HTML §7.1.3, §7.1.4).
const ISOLATION: [(&str, &str); 2] = [
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
];

/// `GET /client`.
fn show(_: &Shared) -> Answer {
    let page = answer::content(StatusCode::OK, "text/html; charset=utf-8", DOCUMENT.as_str());
    let page = answer::with_field(page, CONTENT_SECURITY_POLICY, POLICY.clone());
    ISOLATION.into_iter().fold(page, |page, (name, value)| {
        let (name, value) = (HeaderName::from_static(name), HeaderValue::from_static(value));
        answer::with_field(page, name, value)
    })
}
