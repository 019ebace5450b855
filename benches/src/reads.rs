//! What a client of each transport reads from the server: a message a read, as at a pace that it
//! keeps up with.

use bytes::Bytes;
use pushbench_core::feed::message::Content;
use pushbench_core::feed::payload::{Payload, PayloadKind};
use pushbench_core::{Contender, Seq, Transport};
use pushbench_protocol::{batch, chunked, sse};
use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Data, OpCode};

/// Bytes of a message, as in most tables.
pub const PAYLOAD: usize = 64;

/// The payload of message `seq`.
#[must_use]
pub fn payload(seq: Seq) -> Bytes {
    Payload::Generated { kind: PayloadKind::Text, bytes: PAYLOAD }.render(1, seq)
}

/// The answer to the `request` that subscribes: a stream's head, or an empty poll.
#[must_use]
pub fn subscribed(contender: Contender, request: &[u8]) -> Vec<u8> {
    let head = match contender.transport {
        Transport::Websocket => {
            let text = String::from_utf8_lossy(request);
            let key = text.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
            let accept = derive_accept_key(key.unwrap_or_default().as_bytes());
            format!(
                "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
                 sec-websocket-accept: {accept}\r\netag: \"0\"\r\n\r\n"
            )
        }
        Transport::Sse => "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                           cache-control: no-store\r\nconnection: close\r\n\
                           transfer-encoding: chunked\r\netag: \"0\"\r\n\r\n"
            .to_owned(),
        _ => "HTTP/1.1 204 No Content\r\ncache-control: no-store\r\netag: \"0\"\r\n\
              date: Sat, 07 Nov 2009 00:32:46 GMT\r\n\r\n"
            .to_owned(),
    };
    head.into_bytes()
}

/// The bytes that bring message `seq`.
#[must_use]
pub fn message(contender: Contender, seq: Seq) -> Vec<u8> {
    match contender.transport {
        Transport::Websocket => frame(&payload(seq)),
        Transport::Sse => event(seq, &payload(seq)),
        _ => answer(seq, seq),
    }
}

/// A payload in an unmasked frame of text.
#[must_use]
pub fn frame(payload: &[u8]) -> Vec<u8> {
    let header = FrameHeader { opcode: OpCode::Data(Data::Text), ..FrameHeader::default() };
    let mut frame = Vec::with_capacity(payload.len() + 10);
    header.format(payload.len() as u64, &mut frame).expect("a Vec takes every byte");
    frame.extend_from_slice(payload);
    frame
}

/// A payload as an event in a chunk of its own.
#[must_use]
pub fn event(seq: Seq, payload: &[u8]) -> Vec<u8> {
    let (mut event, mut chunk) = (Vec::new(), Vec::new());
    sse::push(&mut event, seq, Content::Text, payload);
    chunked::push(&mut chunk, &event);
    chunk
}

/// An answer to a poll that brings the messages from `first` to `last`.
#[must_use]
pub fn answer(first: Seq, last: Seq) -> Vec<u8> {
    let mut body = Vec::new();
    for number in first.0..=last.0 {
        batch::push(&mut body, &payload(Seq(number)));
    }
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\ncache-control: no-store\r\n\
         etag: \"{last}\"\r\ncontent-length: {}\r\ndate: Sat, 07 Nov 2009 00:32:46 GMT\r\n\r\n",
        body.len()
    );
    answer.reserve(body.len());
    [answer.into_bytes(), body].concat()
}
