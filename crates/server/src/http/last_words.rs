//! Responses after which a connection ends, to clients whose request was not read.

use http::StatusCode;

/// Told to a client whose request does not arrive (RFC 9110 §15.5.9).
pub(crate) fn too_slow() -> Vec<u8> {
    response(StatusCode::REQUEST_TIMEOUT, "")
}

/// Told to a connection too many (RFC 9110 §15.6.4).
pub(crate) fn too_many() -> Vec<u8> {
    response(StatusCode::SERVICE_UNAVAILABLE, "too many connections; the server is at limit")
}

/// Told to whoever speaks HTTP without TLS to a server that has it (RFC 9110 §15.5.1).
pub(crate) fn not_in_clear() -> Vec<u8> {
    let reason = "this port speaks TLS; ask for https:// or wss:// of it";
    response(StatusCode::BAD_REQUEST, reason)
}

fn response(status: StatusCode, reason: &str) -> Vec<u8> {
    let media_type = if reason.is_empty() { "" } else { "content-type: text/plain\r\n" };
    let length = reason.len();
    let response = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\n{media_type}content-length: {length}\r\n\r\n{reason}"
    );
    response.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_words_are_whole_responses() {
        for (response, expected) in [
            (
                too_slow(),
                "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
            ),
            (
                too_many(),
                "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-type: text/plain\r\n\
                 content-length: 44\r\n\r\ntoo many connections; the server is at limit",
            ),
        ] {
            assert_eq!(String::from_utf8(response).unwrap(), expected);
        }
    }
}
