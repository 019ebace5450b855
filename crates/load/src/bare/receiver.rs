//! The least that a receiver of a stream can do: wait, read, count bytes.

use pushbench_core::message::Content;
use pushbench_core::payload::{Payload, PayloadKind};
use pushbench_core::units::ByteSize;
use pushbench_core::wire::{chunked, sse};
use pushbench_core::{Seq, Transport};
use pushbench_metrics::control::{LoadPlan, TrialTiming};

use super::sockets::{self, Sockets};

/// Receives messages of `payload` bytes until the window is over.
pub(super) fn play(payload: ByteSize) -> anyhow::Result<()> {
    let bytes = usize::try_from(payload.0)?;
    let payload = Payload::Generated { kind: PayloadKind::Text, bytes };
    let mean = |plan: &LoadPlan, timing: &TrialTiming, _: &mut Sockets| {
        Ok(bytes_per_message(plan, timing, &payload))
    };
    sockets::play(sockets::subscribe, mean, read, |mean, bytes, measured| {
        measured.counters.messages_in_window = (bytes as f64 / mean).round() as u64;
    })
}

fn read(_: &mut f64, sockets: &mut Sockets, index: usize) -> anyhow::Result<u64> {
    let mut total = 0;
    loop {
        let length = sockets.read(index, 0)?;
        total += length as u64;
        // A read that leaves room in the buffer has emptied the socket.
        if length < sockets.buffer.len() {
            return Ok(total);
        }
    }
}

/// Mean length on the wire of the messages that are due in the window.
fn bytes_per_message(plan: &LoadPlan, timing: &TrialTiming, payload: &Payload) -> f64 {
    let (mut total, mut event) = (0, Vec::new());
    for number in timing.window.first.0..=timing.window.last.0 {
        let seq = Seq(number);
        let payload = payload.render(timing.seed, seq);
        event.clear();
        if plan.transport == Transport::Sse {
            let mut inner = Vec::new();
            sse::push(&mut inner, seq, Content::Text, &payload);
            chunked::push(&mut event, &inner);
        } else {
            event = super::writer::frame(&payload);
        }
        total += event.len();
    }
    total as f64 / timing.window.len() as f64
}
