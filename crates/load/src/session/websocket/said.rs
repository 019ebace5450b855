//! A text of the client's own, as a frame (RFC 6455 §5).

use pushbench_metrics::observe::ledger::Layer;
use pushbench_protocol::frame::{push_masked, push_message_head};

use super::super::output::Sending;

/// Appends a text; its head and mask are framing.
pub(super) fn push_said(text: &[u8], mask: [u8; 4], send: &mut Sending) {
    send.push(Layer::Framing, |bytes| push_message_head(bytes, text, mask));
    send.push(Layer::Payload, |bytes| push_masked(bytes, text, mask));
}
