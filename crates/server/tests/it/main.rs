//! The server over real sockets, to the byte.
//!
//! Clients are plain blocking sockets whose reads time out, so a test that waits in vain fails
//! and says for what. Feeds are published by hand, so nothing depends on the clock.

#![expect(clippy::unwrap_used, reason = "a failure of the test's own means is the test's failure")]

mod access;
mod autobahn;
mod byte_count;
mod client;
mod coded;
mod echo;
mod lane;
mod lifecycle;
mod limits;
mod pages;
mod polls;
mod rooms;
mod sse;
mod uploads;
mod websocket;

/// The layer between socket and plaintext: none.
fn channel() -> pushbench_server::ChannelKind {
    pushbench_server::ChannelKind::Clear
}

/// A client's end of it.
fn secured() -> Option<rustls::ClientConnection> {
    None
}
