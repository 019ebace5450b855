//! The codecs of both ends of a connection, as pure functions over bytes: no I/O, no clock.
//!
//! Readers take their input in whatever pieces it arrives in and keep none of it; writers append to
//! a buffer that the caller owns. [`headers`] are the header profiles: what a kind of client and
//! server send with each request and response.

pub mod batch;
pub mod chunked;
pub mod contexts;
pub mod deflate;
pub mod frame;
pub mod gzip;
pub mod headers;
pub mod http;
pub mod ip;
mod malformed;
pub mod rules;
pub mod sse;
pub mod utf8;
pub mod websocket;
mod zlib;

pub use self::malformed::Malformed;
