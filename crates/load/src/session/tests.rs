//! Behaviour that all transports have in common, and tools for the tests of each of them.

mod answering;
mod rooms;
mod ruled;

use proptest::prelude::*;
use pushbench_core::feed::message::Content;
use pushbench_core::feed::stamp::Stamped;
use pushbench_core::{Contender, Delivery, Seq};
use pushbench_metrics::observe::ledger::{Direction, Layer, Tally};
use pushbench_metrics::record::control::LoadPlan;
use pushbench_protocol::headers::HeaderProfile;
use pushbench_protocol::{batch, chunked, sse};
use tungstenite::handshake::derive_accept_key;

use super::http1::Http1;
use super::long_poll::LongPoll;
use super::short_poll::ShortPoll;
use super::sse::Sse;
use super::websocket::Websocket;
use super::*;

/// A plan for one client of the first server that the standards' examples would name.
pub(crate) fn plan(contender: Contender, delivery: Delivery) -> LoadPlan {
    let target = "127.0.0.1:8080".parse().unwrap();
    LoadPlan { delivery, seed: 7, ..LoadPlan::new(target, contender, 1) }
}

pub(crate) fn session(contender: Contender, delivery: Delivery) -> Box<dyn Session> {
    Sessions::new(&plan(contender, delivery)).session(0)
}

/// The output of a session, over one call or several.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Heard {
    pub(crate) messages: Vec<u64>,
    pub(crate) received: Tally,
    pub(crate) sent: Vec<u8>,
    pub(crate) sent_tally: Tally,
    pub(crate) requests: u32,
    pub(crate) empty: u32,
    pub(crate) skipped: u32,
    pub(crate) subscribed: u32,
    pub(crate) failures: Vec<String>,
    pub(crate) other_events: Vec<String>,
    pub(crate) closing: u32,
    pub(crate) wakes: Vec<(Duration, Wake)>,
    pub(crate) stamped: Vec<Stamped>,
    pub(crate) demand: Demand,
}

impl Heard {
    /// Adds what is in `out`.
    pub(crate) fn take(&mut self, out: &mut Output) {
        self.messages.extend(out.messages.iter().map(|message| message.seq.0));
        self.stamped.append(&mut out.stamped);
        self.received.merge(&out.received);
        self.sent.extend_from_slice(out.send.bytes());
        let all = out.send.bytes().len();
        out.send.sent(all, &mut self.sent_tally);
        for note in out.notes.drain(..) {
            match note {
                Note::Request => self.requests += 1,
                Note::EmptyResponse => self.empty += 1,
                Note::StaleResponse | Note::RetryAfter(_) | Note::Reconnection(_) => {}
                Note::SkippedPoll => self.skipped += 1,
                Note::Subscribed => self.subscribed += 1,
                Note::Failed(error) => self.failures.push(error.to_string()),
                Note::OtherEvent(name) => self.other_events.push(name.into()),
                Note::Wake(time, wake) => self.wakes.push((time, wake)),
                Note::Closing => self.closing += 1,
            }
        }
        self.demand = out.demand;
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.sent).unwrap()
    }

    pub(crate) fn layers(&self) -> [u64; 3] {
        let [payload, framing, http, tls] = self.received.down;
        assert_eq!(tls, 0, "a session knows of no TLS");
        [payload, framing, http]
    }
}

/// The output of one call.
pub(crate) fn call(act: impl FnOnce(&mut Output)) -> Heard {
    let (mut out, mut heard) = (Output::default(), Heard::default());
    act(&mut out);
    heard.take(&mut out);
    heard
}

/// Feeds `wire` in pieces of `step` bytes; every byte of every piece must be accounted for.
pub(crate) fn feed(
    session: &mut dyn Session,
    wire: &[u8],
    step: usize,
) -> Result<Heard, ProtocolError> {
    let (mut out, mut heard) = (Output::default(), Heard::default());
    for piece in wire.chunks(step) {
        out.clear();
        session.receive(piece, &mut out)?;
        assert_eq!(out.received.total(Direction::Down), piece.len() as u64);
        heard.take(&mut out);
    }
    Ok(heard)
}

/// A response with a body of known length.
pub(crate) fn response(status: &str, cursor: u64, body: &[u8]) -> Vec<u8> {
    let length = if status.starts_with("204") || status.starts_with("304") {
        String::new()
    } else {
        format!("Content-Length: {}\r\n", body.len())
    };
    let head = format!("HTTP/1.1 {status}\r\nETag: \"{cursor}\"\r\n{length}\r\n");
    [head.as_bytes(), body].concat()
}

/// A payload of `size` bytes that carries `seq`.
pub(crate) fn payload(seq: u64, size: usize) -> Vec<u8> {
    let mut payload = Seq(seq).digits().to_vec();
    payload.resize(size.max(10), b'x');
    payload
}

/// An unmasked frame, as a server sends it.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..126 => frame.push(length as u8),
        length @ 126..65_536 => {
            frame.push(126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            frame.push(127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame
}

/// The head that accepts the WebSocket handshake in `request`.
pub(crate) fn upgrade(request: &str, cursor: u64) -> Vec<u8> {
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
    let accept = derive_accept_key(key.as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {accept}\r\nETag: \"{cursor}\"\r\n\r\n"
    )
    .into_bytes()
}

/// Messages 1, 2 … of `sizes`, as a client of `contender` receives them behind `request`, and the
/// layers that it has to attribute their bytes to.
fn messages(
    contender: Contender,
    content: Content,
    sizes: &[usize],
    request: &str,
) -> (Vec<u8>, [u64; 3]) {
    let payloads: Vec<_> = sizes.iter().zip(1..).map(|(&size, seq)| payload(seq, size)).collect();
    let total: usize = payloads.iter().map(Vec::len).sum();
    let newest = payloads.len() as u64;
    let mut body = Vec::new();
    let head = match contender {
        Contender::WEBSOCKET => {
            let opcode = if content == Content::Text { 0x81 } else { 0x82 };
            payloads.iter().for_each(|payload| body.extend(frame(opcode, payload)));
            upgrade(request, 0)
        }
        Contender::SSE => {
            for (payload, seq) in payloads.iter().zip(1..) {
                let mut event = Vec::new();
                sse::push(&mut event, Seq(seq), content, payload);
                chunked::push(&mut body, &event);
            }
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\
                        Transfer-Encoding: chunked\r\nETag: \"0\"\r\n\r\n";
            head.as_bytes().to_vec()
        }
        _ => {
            payloads.iter().for_each(|payload| batch::push(&mut body, payload));
            let whole = response("200 OK", newest, &body);
            whole[..whole.len() - body.len()].to_vec()
        }
    };
    let layers = [total as u64, (body.len() - total) as u64, head.len() as u64];
    ([head, body].concat(), layers)
}

fn contenders() -> impl Strategy<Value = Contender> {
    prop::sample::select(Contender::basic().collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn every_byte_is_attributed_however_the_stream_is_cut(
        contender in contenders(),
        binary: bool,
        sizes in prop::collection::vec(10_usize..300, 1..6),
        step in 1_usize..80,
    ) {
        let content = if binary { Content::Binary } else { Content::Text };
        let mut session = session(contender, Delivery::Every);
        let asked = call(|out| session.opened(out));
        prop_assert_eq!(asked.sent_tally.get(Direction::Up, Layer::Http), asked.sent.len() as u64);
        let (wire, layers) = messages(contender, content, &sizes, asked.text());
        let heard = feed(&mut *session, &wire, step).unwrap();
        prop_assert_eq!(&heard.messages, &(1..=sizes.len() as u64).collect::<Vec<_>>());
        prop_assert_eq!(heard.layers(), layers);
        prop_assert_eq!(heard.subscribed, 1);
    }
}

#[test]
fn one_cut_anywhere_changes_nothing() {
    for contender in Contender::basic() {
        for content in [Content::Text, Content::Binary] {
            let request = call(|out| session(contender, Delivery::Every).opened(out));
            let (wire, layers) = messages(contender, content, &[10, 64, 130], request.text());
            for cut in 0..wire.len() {
                let mut session = session(contender, Delivery::Every);
                call(|out| session.opened(out));
                let mut heard = feed(&mut *session, &wire[..cut], wire.len()).unwrap();
                let rest = feed(&mut *session, &wire[cut..], wire.len()).unwrap();
                heard.messages.extend(rest.messages);
                heard.received.merge(&rest.received);
                assert_eq!(heard.messages, [1, 2, 3], "{contender} cut at {cut}");
                assert_eq!(heard.layers(), layers, "{contender} cut at {cut}");
            }
        }
    }
}

#[test]
fn an_answer_that_is_not_http_says_what_was_asked() {
    for contender in Contender::basic() {
        let mut session = session(contender, Delivery::Every);
        call(|out| session.opened(out));
        let error = feed(&mut *session, b"SSH-2.0-OpenSSH_9.2\r\n", 64).unwrap_err().to_string();
        assert!(error.starts_with("the answer to GET /feed/"), "{error}");
    }
}

#[test]
fn a_refusal_is_quoted() {
    let wire = response("500 Internal Server Error", 0, b"out of cheese\n");
    for contender in Contender::basic() {
        for step in [1, 1000] {
            let mut session = session(contender, Delivery::Every);
            call(|out| session.opened(out));
            let error = feed(&mut *session, &wire, step).unwrap_err().to_string();
            assert!(
                error.starts_with("the server answered 500 Internal Server Error to GET /feed/")
                    && error.ends_with(": out of cheese"),
                "{error}"
            );
        }
    }
}

#[test]
fn a_cursor_that_is_gone_is_said_and_the_oldest_comes_next() {
    for contender in Contender::basic() {
        let mut session = session(contender, Delivery::Every);
        let asked = call(|out| session.opened(out));
        let (wire, _) = messages(contender, Content::Text, &[10], asked.text());
        feed(&mut *session, &wire, wire.len()).unwrap();
        call(|out| _ = session.closed(out));
        let mut again = call(|out| session.opened(out));
        if contender.shape().asks() && again.requests == 0 {
            again = call(|out| session.tick(out));
        }
        assert!(again.text().contains("after=1 "), "{contender}: {}", again.text());

        let gone = response("410 Gone", 9, b"{\"oldest\":40,\"after\":1}");
        let error = match feed(&mut *session, &gone, 1000) {
            Ok(heard) => heard.failures.concat(),
            Err(error) => error.to_string(),
        };
        let start = "the server no longer holds the messages after 1 (asked for by GET /feed/";
        assert!(error.starts_with(start) && error.contains("the oldest being 40"), "{error}");

        call(|out| _ = session.closed(out));
        let mut last = call(|out| session.opened(out));
        if last.requests == 0 {
            last = call(|out| session.tick(out));
        }
        assert!(last.text().contains("after=39 "), "{contender}: {}", last.text());
    }
}

/// Nothing in it can be read, and to count its messages as lost would be false.
#[test]
fn a_coded_answer_is_refused_by_name() {
    let foreign = |contender| {
        let mut plan = plan(contender, Delivery::Every);
        plan.subject.path = Some("/feed/x".to_owned());
        plan
    };
    let plans = Contender::basic().map(|contender| plan(contender, Delivery::Every));
    for mut plan in
        plans.into_iter().chain([foreign(Contender::LONG_POLL), foreign(Contender::SSE)])
    {
        if plan.contender == Contender::WEBSOCKET {
            continue;
        }
        for (profile, remedy) in
            [("chromium", "use --headers minimal"), ("minimal", "switch compression off")]
        {
            plan.headers = HeaderProfile::built_in(profile).unwrap();
            let mut session = Sessions::new(&plan).session(0);
            call(|out| session.opened(out));
            let wire = b"HTTP/1.1 200 OK\r\nETag: \"4\"\r\nContent-Type: text/event-stream\r\n\
                Content-Encoding: gzip\r\nContent-Length: 9\r\n\r\n\x1f\x8b\x08......";
            let error = feed(&mut *session, wire, 1000).unwrap_err();
            assert!(matches!(error, ProtocolError::Encoded { .. }), "{error}");
            let said = error.to_string();
            for part in ["gzip", "GET /feed/", profile, remedy] {
                assert!(said.contains(part), "{}: {said}", plan.contender);
            }
        }
    }
}

#[test]
fn a_refusal_that_is_coded_is_told_by_its_status() {
    let wire = b"HTTP/1.1 503 Service Unavailable\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\n\xff\xfe\xfd";
    for contender in Contender::basic() {
        let mut session = session(contender, Delivery::Every);
        call(|out| session.opened(out));
        let error = feed(&mut *session, wire, 1).unwrap_err().to_string();
        assert!(error.contains("503") && error.ends_with(": (words coded with br)"), "{error}");
    }
}

#[test]
fn a_session_is_small() {
    for (size, most) in [
        (size_of::<Http1<ShortPoll>>(), 320),
        (size_of::<Http1<LongPoll>>(), 320),
        (size_of::<Http1<Sse<IdentityReader>>>(), 320),
        (size_of::<Http1<Websocket<IdentityReader>>>(), 192),
    ] {
        assert!(size <= most, "{size}");
    }
}
