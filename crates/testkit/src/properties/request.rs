//! Requests that the server answers without hyper.

use std::sync::LazyLock;

use httparse::Status;
use pushbench_core::feed::FeedSpec;
use pushbench_core::feed::payload::{Payload, PayloadKind};
use pushbench_core::feed::schedule::Schedule;
use pushbench_server::{ServerConfig, taken_request};

static CONFIG: LazyLock<ServerConfig> = LazyLock::new(|| {
    let payload = Payload::Generated { kind: PayloadKind::Text, bytes: 64 };
    ServerConfig::new(FeedSpec { seed: 1, schedule: Schedule::Manual, payload })
});

/// The beginning of a connection is known from some byte on, and more bytes don't change it. A poll ends
/// where its blank line does, and says nothing of a body that could be taken for another request (RFC 9112
/// §11.2); a message has the one length that it says, in digits, and nothing else says another.
pub(super) fn holds(input: &[u8]) {
    let mut known = None;
    for end in 0..=input.len() {
        match (taken_request(&input[..end], &CONFIG), known) {
            (Status::Partial, None) => {}
            (Status::Complete(taken), None) => known = Some(taken),
            (now, Some(before)) => assert_eq!(now, Status::Complete(before), "by {end} bytes"),
        }
    }
    let Some(Some(length)) = known else { return };
    assert_eq!(taken_request(&input[..length], &CONFIG), Status::Complete(Some(length)));
    let (head, body) = input[..length].split_at(end_of_head(&input[..length]));
    let head = head.to_ascii_lowercase();
    let lines = |name: &[u8]| -> Vec<Vec<u8>> {
        let lines = head.split(|&byte| byte == b'\n');
        lines
            .filter_map(|line| line.strip_prefix(name))
            .map(|it| it.trim_ascii().to_vec())
            .collect()
    };
    assert!(lines(b"transfer-encoding:").is_empty(), "its body has two lengths");
    let lengths = lines(b"content-length:");
    if head.trim_ascii_start().starts_with(b"post ") {
        let digits = std::str::from_utf8(&lengths[0]).expect("digits");
        assert!(lengths.len() == 1 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{digits}");
        assert_eq!(digits.parse(), Ok(body.len()));
    } else {
        assert!(lengths.is_empty() && body.is_empty(), "it has a body");
    }
}

/// Where the blank line behind a head ends.
fn end_of_head(request: &[u8]) -> usize {
    let start = request.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let ends = (start..request.len())
        .find(|&at| request[at..].starts_with(b"\n\n") || request[at..].starts_with(b"\n\r\n"));
    let end = ends.expect("a blank line ends it");
    end + if request[end..].starts_with(b"\n\n") { 2 } else { 3 }
}
