//! The server under test: one feed, rooms, and one endpoint for each transport.
//!
//! Everything runs on one thread: the publisher walks the schedule and hands messages to the
//! feed, which keeps them in a bounded ring already encoded, and writes to the streams and the long
//! polls that wait in one loop. A room is the same with its clients for publishers (`rooms`). Polls are parsed and answered without hyper (`polls`), and all else
//! by it; a request that opens a stream leaves hyper for the hub (`serving`).
//!
//! ```text
//! schedule -> publisher -> ring -+-> fan-out loop -> sse, websocket sockets, waiting long polls
//!                                +-> short polls
//! ```
//!
//! [`bare`] is the least that a server can do, to know what this one adds.
//!
//! ```no_run
//! use pushbench_core::feed::FeedSpec;
//! use pushbench_core::feed::payload::{Payload, PayloadKind};
//! use pushbench_core::feed::schedule::Schedule;
//! use pushbench_server::{Server, ServerConfig};
//!
//! let payload = Payload::Generated { kind: PayloadKind::Text, bytes: 64 };
//! let feed = FeedSpec { seed: 1, schedule: Schedule::Manual, payload };
//! let server = Server::bind("127.0.0.1:0".parse()?, ServerConfig::new(feed))?;
//! let handle = server.handle();
//! let running = std::thread::spawn(move || server.run());
//! handle.stop();
//! let measured = running.join();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod accept;
pub mod access;
pub mod bare;
mod byte_count;
mod channel;
mod checkpoints;
mod config;
mod connection;
mod counters;
mod endpoint;
mod feed_id;
mod http;
mod hub;
pub mod outlet;
mod pace;
mod polls;
mod publish_token;
mod publisher;
mod query;
mod ring;
mod rooms;
mod rounds;
mod server;
mod serving;
mod shared;
mod stamps;
mod stream;
mod turn;
mod view;
mod window_bytes;
mod wire;

pub use access::Access;
pub use channel::ChannelKind;
pub use config::{RingLimits, RoomLimits, ServerConfig};
pub use publish_token::{NoToken, PublishToken};
pub use rooms::guest::Allowance;
pub use server::{Server, ServerError, ServerHandle};
#[doc(hidden)]
pub use serving::taken_request;
