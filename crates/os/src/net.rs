//! What crosses the network below a socket, and when it came.

pub mod capture;
pub mod rx_stamp;
pub mod source;
pub mod tcp_info;
