//! A message of the client's own, as a frame (RFC 6455 §5).

use pushbench_metrics::observe::ledger::Layer;
use pushbench_protocol::frame::{Opcode, push_head, push_masked};

use super::super::output::Sending;

/// Appends a text, or bytes where it is none; its head and mask are framing.
pub(super) fn push_said(text: &[u8], mask: [u8; 4], send: &mut Sending) {
    send.push(Layer::Framing, |bytes| push_head(bytes, Opcode::of(text), text.len(), mask));
    send.push(Layer::Payload, |bytes| push_masked(bytes, text, mask));
}
