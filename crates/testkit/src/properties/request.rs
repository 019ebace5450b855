//! Requests that the server answers without hyper.

use std::sync::LazyLock;

use httparse::Status;
use pushbench_core::feed::FeedSpec;
use pushbench_core::feed::payload::{Payload, PayloadKind};
use pushbench_core::feed::schedule::Schedule;
use pushbench_server::{ServerConfig, poll_head};

static CONFIG: LazyLock<ServerConfig> = LazyLock::new(|| {
    let payload = Payload::Generated { kind: PayloadKind::Text, bytes: 64 };
    ServerConfig::new(FeedSpec { seed: 1, schedule: Schedule::Manual, payload })
});

/// The beginning of a connection is known from some byte on, and more bytes don't change it: a
/// poll ends where its blank line does, and says nothing of a body that could be taken for another
/// request (RFC 9112 §11.2).
pub(super) fn holds(input: &[u8]) {
    let mut known = None;
    for end in 0..=input.len() {
        match (poll_head(&input[..end], &CONFIG), known) {
            (Status::Partial, None) => {}
            (Status::Complete(poll), None) => known = Some(poll),
            (now, Some(before)) => assert_eq!(now, Status::Complete(before), "by {end} bytes"),
        }
    }
    let Some(Some(length)) = known else { return };
    assert_eq!(poll_head(&input[..length], &CONFIG), Status::Complete(Some(length)));
    let head = input[..length].to_ascii_lowercase();
    assert!(head.ends_with(b"\n\n") || head.ends_with(b"\n\r\n"), "no blank line ends it");
    for field in [&b"\ncontent-length:"[..], b"\ntransfer-encoding:"] {
        assert!(!head.windows(field.len()).any(|part| part == field), "it has a body");
    }
}
