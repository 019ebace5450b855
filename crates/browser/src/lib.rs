//! A browser as a load process: its tabs receive the feed, and what they note is recorded as the load
//! generator's own clients are.
//!
//! The browser runs already; this drives it over its DevTools protocol, which is silent within the
//! window. Each tab loads `/client` from the server under test and keeps instants by its own clock, which
//! round trips before and after put on the machine's.

mod clock;
mod devtools;
mod error;
mod noted;
mod part;
mod replay;
mod tab;

pub use self::error::BrowserError;
pub use self::part::play;
