//! WebSocket messages that are compressed: permessage-deflate (RFC 7692 §7).
//!
//! [`Offer`] and [`Policy`] are the two sides of the handshake, [`Compressor`] and [`Decompressor`]
//! what follows. [`crate::frame`] says which frames may be compressed.

mod agreement;
mod compressor;
mod decompressor;
mod extension;

pub use self::agreement::{Accepted, Agreement, Offer, Policy, Side};
pub use self::compressor::Compressor;
pub use self::decompressor::{Decompressor, InflateError};
pub use self::extension::ExtensionError;
