//! The server's own words on a WebSocket: pings and close frames (RFC 6455 §5.5).

use pushbench_core::Seq;
use tungstenite::protocol::frame::coding::CloseCode;

use super::conversation::Conversation;
use crate::counters::Kind;

/// Connections that are WebSockets.
pub(crate) const KIND: Kind = Kind::stream(2, "websocket");

/// The close code of a stream whose cursor fell off the ring; the reason names the oldest
/// message still held. Of the range for applications (RFC 6455 §7.4.2), after HTTP's 410.
const CLOSE_GONE: u16 = 4410;

/// A ping without payload (RFC 6455 §5.5.2).
pub(crate) const PING: &[u8] = &[0x89, 0x00];

/// Says close to a stream whose cursor fell off the ring, and which message is the oldest.
pub(crate) fn end_gone(conversation: &mut Conversation, out: &mut Vec<u8>, oldest: Seq) {
    let code = CloseCode::Library(CLOSE_GONE);
    conversation.close(code, &format!("oldest held is {oldest}"), out);
}

/// Says close since the server stops.
pub(crate) fn end(conversation: &mut Conversation, out: &mut Vec<u8>) {
    conversation.close(CloseCode::Away, "the server stops", out);
}
