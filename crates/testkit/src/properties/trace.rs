//! Traces.

use pushbench_core::feed::message::SEQ_DIGITS;
use pushbench_core::feed::payload::MAX_PAYLOAD;
use pushbench_core::feed::schedule::{MAX_OFFSET_NS, Schedule};
use pushbench_core::feed::trace::Trace;

use super::schedule;

/// Whatever trace is read is sorted, its payloads fit a message, and it can be replayed.
pub(super) fn holds(input: &[u8]) {
    let Some(trace) = std::str::from_utf8(input).ok().and_then(|text| Trace::parse(text).ok())
    else {
        return;
    };
    let Trace { offsets_ns, payloads } = &trace;
    assert!(!offsets_ns.is_empty() && offsets_ns.len() == payloads.len());
    assert!(offsets_ns.is_sorted() && offsets_ns.iter().all(|&offset| offset <= MAX_OFFSET_NS));
    assert!(payloads.iter().all(|payload| payload.len() + SEQ_DIGITS <= MAX_PAYLOAD));
    assert_eq!(&reread(payloads), payloads);
    let replay = Schedule::Replay { speed: 1.0, offsets_ns: offsets_ns.as_slice().into() };
    if replay.check().is_ok() {
        schedule::is_consistent(&replay, 1);
    }
}

/// The payloads of a trace that is written with these.
fn reread(payloads: &[String]) -> Vec<String> {
    let mut text = "offset_ms,payload\n".to_owned();
    for payload in payloads {
        text.push_str(&format!("0,\"{}\"\n", payload.replace('"', "\"\"")));
    }
    Trace::parse(&text).expect("what was read can be written").payloads
}
