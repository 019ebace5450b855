//! Header profiles.

use pushbench_core::Contender;
use pushbench_core::scenario::MAX_HEADER_BYTES;
use pushbench_protocol::headers::{
    Content, HeadSize, HeaderProfile, MAX_HEADERS, RequestParts, ResponseParts,
};

use super::survives_json;

/// Lines that a transport adds.
const OWN: [(&str, &str); 2] = [("Connection", "close"), ("If-None-Match", "\"7\"")];

/// Whatever profile is read, its heads are HTTP and say what it says.
pub(super) fn holds(input: &[u8]) {
    let Some(profile) =
        std::str::from_utf8(input).ok().and_then(|text| HeaderProfile::parse(text).ok())
    else {
        return;
    };
    survives_json(&profile);
    if let Ok(longer) = profile.clone().with_cookie_bytes(400) {
        survives_json(&longer);
    }
    for contender in Contender::basic() {
        let (target, own) = (profile.path(contender), &OWN[..]);
        let request = RequestParts { target, host: "localhost:80", own };
        let mut head = Vec::new();
        profile.render_request(contender, &request, &mut head);
        assert_eq!(
            request_fields(&head, target),
            fields(&profile.request_headers(contender, &request))
        );
        is_bounded(&head);
        let media_type = "text/plain";
        for (status, content) in [
            (204, Content::None),
            (200, Content::Body { media_type, length: 7 }),
            (200, Content::Stream { media_type }),
        ] {
            let response = ResponseParts { status, content, etag: Some("\"7\""), own: &[] };
            head.clear();
            profile.render_response(contender, &response, &mut head);
            let said = fields(&profile.response_headers(contender, &response));
            assert_eq!(response_fields(&head, status), said);
            is_bounded(&head);
        }
    }
}

type Fields = Vec<(String, Vec<u8>)>;

fn fields<V: AsRef<str>>(headers: &[(&str, V)]) -> Fields {
    let field =
        |(name, value): &(&str, V)| ((*name).to_owned(), value.as_ref().as_bytes().to_vec());
    headers.iter().map(field).collect()
}

/// The fields of a request's head as httparse reads them.
fn request_fields(head: &[u8], target: &str) -> Fields {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS + 8];
    let mut request = httparse::Request::new(&mut headers);
    assert_eq!(request.parse(head), Ok(httparse::Status::Complete(head.len())));
    assert_eq!((request.method, request.path), (Some("GET"), Some(target)));
    read(request.headers)
}

fn response_fields(head: &[u8], status: u16) -> Fields {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS + 8];
    let mut response = httparse::Response::new(&mut headers);
    assert_eq!(response.parse(head), Ok(httparse::Status::Complete(head.len())));
    assert_eq!(response.code, Some(status));
    read(response.headers)
}

fn read(headers: &[httparse::Header<'_>]) -> Fields {
    headers.iter().map(|header| (header.name.to_owned(), header.value.to_vec())).collect()
}

fn is_bounded(head: &[u8]) {
    assert_eq!(HeadSize::of(head).bytes, head.len());
    assert!(head.len() <= MAX_HEADER_BYTES + 2048, "{} bytes", head.len());
}
