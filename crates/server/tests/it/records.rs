//! The same over a channel that keeps bytes back: nothing that a client is told depends on where a
//! record ends, and a socket that is full may hold the rest of one.

#![expect(clippy::unwrap_used, reason = "a failure of the test's own means is the test's failure")]

mod access;
mod client;
mod lane;
mod lifecycle;
mod limits;
mod pages;
mod polls;
mod sse;
mod websocket;

/// Records of up to 16 KiB, opened only when they are whole.
const CHANNEL: pushbench_server::ChannelKind = pushbench_server::ChannelKind::Records;
