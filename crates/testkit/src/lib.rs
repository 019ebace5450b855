//! For tests only: what the other crates' tests have in common.
//!
//! - [`clock::ManualClock`] stands still until it is told to move;
//! - [`started::StartedServer`] is a real server on a loopback port, in a thread of its own;
//! - [`reader`] receives the feed by each transport through client libraries that share no code
//!   with the server or the load generator: hyper's client, tokio-tungstenite, and parsers of
//!   batches and event streams that are written here again. The conformance suite in `tests/`
//!   runs over it;
//! - [`tls_relay::TlsRelay`] counts the records of TLS that pass through it;
//! - [`properties`] hold of every reader of foreign bytes, whatever the bytes are. The fuzz targets
//!   in `fuzz/` look for bytes of which they do not.
//!
//! Nothing here waits for luck: what has to happen is awaited, and [`PATIENCE`] only says when
//! a test gives up.

use std::time::Duration;

pub mod clock;
pub mod events;
pub mod http;
pub mod payload;
pub mod properties;
pub mod reader;
pub mod started;
pub mod tls_relay;

/// How long a test waits for what must happen before it fails. Far more than it takes, so that
/// a busy machine fails nothing.
pub const PATIENCE: Duration = Duration::from_secs(30);
