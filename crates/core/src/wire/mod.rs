//! Wire formats that both ends of a connection must agree on: writers, and readers that take
//! their input in whatever pieces it arrives in and keep none of it.

pub mod batch;
pub mod chunked;
pub mod sse;
pub mod utf8;
