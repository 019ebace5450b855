//! A connection's way from accept to close: its requests, and the one that makes it a stream.

pub(crate) mod handshake;
mod head;
mod hyper;
mod polling;
mod service;
mod takeover;
pub(crate) mod task;

pub use self::head::taken_request;
