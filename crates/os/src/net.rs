//! The network below a socket: packets, their headers, and when they came; networks of one's own,
//! their devices, addresses and routes.

pub mod capture;
pub mod listening;
pub mod namespace;
pub mod packet_port;
pub mod route;
pub mod rx_stamp;
pub mod source;
pub mod tcp_info;
pub mod tun;
