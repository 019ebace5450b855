//! WebSocket: the answer to a handshake (RFC 6455 §4.2).

use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Version, header};
use hyper::body::Incoming;
use pushbench_core::deflate::DeflateSettings;
use pushbench_core::{Contender, Seq};
use pushbench_protocol::deflate::{Accepted, Agreement, Compressor, Policy};
use pushbench_protocol::headers::{self, HeaderProfile, ResponseParts};
use tungstenite::error::ProtocolError;
use tungstenite::handshake::server::create_response;

use super::row::{Answers, Endpoint, Joining, Streams};
use crate::config::ServerConfig;
use crate::http::answer::{self, Answer};
use crate::http::fields::lists;
use crate::wire::{Language, SharedCoding, Wire};

/// The feed on a WebSocket.
pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/feed/ws",
    methods: &["GET"],
    is_for_people: false,
    answers: Answers::Stream(STREAMS),
};

/// A room on a WebSocket.
pub(super) const ROOM: Endpoint = Endpoint { path: "/rooms/NAME/ws", ..ENDPOINT };

/// Each message comes back as it was.
pub(super) const ECHO: Endpoint = Endpoint {
    path: "/echo",
    answers: Answers::Stream(Streams { is_echo: true, ..STREAMS }),
    ..ENDPOINT
};

const STREAMS: Streams =
    Streams { status: StatusCode::SWITCHING_PROTOCOLS, agree, is_response: false, is_echo: false };

/// The subprotocol of a room in which text says what it is: a message, or how many are in the room.
const TAGGED: &str = "pushbench.tagged.v1";

/// Why a request for a WebSocket is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    /// It does not ask for an upgrade, or for another version: 426 tells which one
    /// (RFC 6455 §4.4, RFC 9110 §15.5.22).
    #[error("this is a WebSocket endpoint: {0}; ask with `Upgrade: websocket`, version 13")]
    Upgrade(ProtocolError),
    /// It asks for an upgrade and breaks the protocol doing so.
    #[error("the WebSocket handshake is malformed: {0}")]
    Malformed(String),
}

#[expect(clippy::result_large_err, reason = "a refusal is the answer itself")]
fn agree(
    request: &Request<Incoming>,
    config: &ServerConfig,
    Joining { cursor, is_in_room, .. }: Joining,
) -> Result<(Vec<u8>, Wire), Answer> {
    let (method, version, headers) = (request.method(), request.version(), request.headers());
    let is_tagged = is_in_room && offers(headers, TAGGED);
    // Text that is tagged is nobody else's, so that it would be compressed for each.
    let agreed = if is_tagged { Ok(None) } else { compression(headers, config) };
    let head = agreed.and_then(|accepted| {
        let agreement = accepted.as_ref().map(|accepted| accepted.agreement);
        let extensions = accepted.as_ref().map(|accepted| accepted.answer.as_str());
        let chosen = Chosen { extensions, subprotocol: is_tagged.then_some(TAGGED) };
        let head = head(method, version, headers, (&config.headers, cursor, chosen))?;
        let wire = wire(agreement, config);
        Ok((head, if is_tagged { wire.tagged() } else { wire }))
    });
    head.map_err(|refusal| match refusal {
        Refusal::Malformed(_) => answer::text(StatusCode::BAD_REQUEST, refusal),
        Refusal::Upgrade(_) => {
            let answer = answer::text(StatusCode::UPGRADE_REQUIRED, refusal);
            let answer =
                answer::with_field(answer, header::CONNECTION, HeaderValue::from_static("Upgrade"));
            let answer =
                answer::with_field(answer, header::UPGRADE, HeaderValue::from_static("websocket"));
            answer::with_field(
                answer,
                header::SEC_WEBSOCKET_VERSION,
                HeaderValue::from_static("13"),
            )
        }
    })
}

/// Whether a subprotocol is among those that the client offers (RFC 6455 §4.1, §11.3.4).
fn offers(headers: &HeaderMap, subprotocol: &str) -> bool {
    let mut lines = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    lines.any(|line| {
        line.as_bytes()
            .split(|&byte| byte == b',')
            .any(|it| it.trim_ascii() == subprotocol.as_bytes())
    })
}

/// The agreement on compressed messages, where the server has terms and the client has an offer that
/// fits them.
fn compression(headers: &HeaderMap, config: &ServerConfig) -> Result<Option<Accepted>, Refusal> {
    let Some(terms) = config.compression else { return Ok(None) };
    let malformed = |error: String| Refusal::Malformed(error);
    let fields = headers.get_all(header::SEC_WEBSOCKET_EXTENSIONS).iter();
    let offers: Vec<&str> = fields
        .map(|field| field.to_str().map_err(|error| malformed(error.to_string())))
        .collect::<Result<_, _>>()?;
    let policy = Policy { takeover: terms.takeover, window: terms.deflate.window };
    policy.choose(&offers.join(", ")).map_err(|error| malformed(error.to_string()))
}

/// The wire of a WebSocket with this agreement on compressed messages, or none.
fn wire(agreement: Option<Agreement>, config: &ServerConfig) -> Wire {
    let wire = Wire::new(Language::Frames);
    let (Some(terms), Some(Agreement { server, client })) = (config.compression, agreement) else {
        return wire;
    };
    let wire = wire.hearing(client);
    if server.takeover {
        let settings = DeflateSettings { window: server.window, ..terms.deflate };
        wire.compressing(Compressor::new(settings, true))
    } else {
        wire.sharing(SharedCoding::Deflate(server.window))
    }
}

/// Offers of a client that the server has chosen (RFC 6455 §4.2.2).
#[derive(Debug, Clone, Copy, Default)]
struct Chosen<'a> {
    extensions: Option<&'a str>,
    subprotocol: Option<&'a str>,
}

/// The head that accepts a handshake: the profile's, with what the protocol demands, with the cursor
/// that the stream continues from, and with what was `chosen`.
fn head(
    method: &Method,
    version: Version,
    headers: &HeaderMap,
    (profile, cursor, chosen): (&HeaderProfile, Seq, Chosen<'_>),
) -> Result<Vec<u8>, Refusal> {
    let mut request = Request::new(());
    *request.method_mut() = method.clone();
    *request.version_mut() = version;
    *request.headers_mut() = as_single_lines(headers)?;
    let response = create_response(&request).map_err(refusal)?;
    let mut own = Vec::with_capacity(6);
    for (name, value) in response.headers() {
        let value = value.to_str().map_err(|error| Refusal::Malformed(error.to_string()))?;
        own.push((name.as_str(), value));
    }
    let Chosen { extensions, subprotocol } = chosen;
    own.extend(extensions.map(|value| (header::SEC_WEBSOCKET_EXTENSIONS.as_str(), value)));
    own.extend(subprotocol.map(|value| (header::SEC_WEBSOCKET_PROTOCOL.as_str(), value)));
    let tag = format!("\"{cursor}\"");
    own.push((header::ETAG.as_str(), &tag));
    let content = headers::Content::None;
    let parts = ResponseParts { status: 101, content, etag: Some(&tag), own: &own };
    let mut head = Vec::new();
    profile.render_response(Contender::WEBSOCKET, &parts, &mut head);
    Ok(head)
}

/// The header fields as the handshake's reader wants them: `Connection` and `Upgrade` are lists, of
/// any length and over any number of lines (RFC 9110 §5.3, §7.6.1, §7.8), of which it is told the
/// one item that counts; key and version stand once (RFC 6455 §11.3.1, §11.3.5).
fn as_single_lines(headers: &HeaderMap) -> Result<HeaderMap, Refusal> {
    for name in [header::SEC_WEBSOCKET_KEY, header::SEC_WEBSOCKET_VERSION] {
        if headers.get_all(&name).iter().count() > 1 {
            return Err(Refusal::Malformed(format!("`{name}` stands more than once")));
        }
    }
    let mut single = headers.clone();
    for (name, item) in [(header::CONNECTION, "upgrade"), (header::UPGRADE, "websocket")] {
        if headers.get_all(&name).iter().any(|list| lists(list.as_bytes(), item.as_bytes())) {
            single.insert(name, HeaderValue::from_static(item));
        }
    }
    Ok(single)
}

fn refusal(error: tungstenite::Error) -> Refusal {
    match error {
        tungstenite::Error::Protocol(
            error @ (ProtocolError::MissingConnectionUpgradeHeader
            | ProtocolError::MissingUpgradeWebSocketHeader
            | ProtocolError::MissingSecWebSocketVersionHeader
            | ProtocolError::WrongHttpVersion),
        ) => Refusal::Upgrade(error),
        error => Refusal::Malformed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handshake() -> HeaderMap {
        [
            ("host", "server.example.com"),
            ("upgrade", "websocket"),
            ("connection", "Upgrade"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("sec-websocket-version", "13"),
        ]
        .into_iter()
        .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
        .collect()
    }

    /// The example of RFC 6455 §1.3.
    #[test]
    fn the_standards_key_is_accepted_as_it_says() {
        let answer = (&HeaderProfile::minimal(), Seq(5), Chosen::default());
        let head = head(&Method::GET, Version::HTTP_11, &handshake(), answer).unwrap();
        let expected = "HTTP/1.1 101 Switching Protocols\r\netag: \"5\"\r\n\
                        connection: Upgrade\r\nupgrade: websocket\r\n\
                        sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        assert_eq!(String::from_utf8(head).unwrap(), expected);
    }

    #[test]
    fn a_request_that_is_no_upgrade_is_told_apart_from_a_malformed_one() {
        let refused = |name: &str, value: Option<&'static str>| {
            let mut headers = handshake();
            headers.remove(name);
            if let Some(value) = value {
                headers.insert(
                    name.parse::<header::HeaderName>().unwrap(),
                    HeaderValue::from_static(value),
                );
            }
            let answer = (&HeaderProfile::minimal(), Seq(0), Chosen::default());
            head(&Method::GET, Version::HTTP_11, &headers, answer).unwrap_err()
        };
        for (name, value) in [
            ("upgrade", None),
            ("upgrade", Some("h2c")),
            ("connection", Some("close")),
            ("sec-websocket-version", Some("8")),
        ] {
            assert!(matches!(refused(name, value), Refusal::Upgrade(_)), "{name}");
        }
        for (name, value) in [("sec-websocket-key", None), ("sec-websocket-key", Some("short"))] {
            assert!(matches!(refused(name, value), Refusal::Malformed(_)), "{name}");
        }
    }
}
