//! The network below a socket: packets, their headers, and when they came.

pub mod capture;
pub mod rx_stamp;
pub mod source;
pub mod tcp_info;
