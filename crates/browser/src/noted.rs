//! The notes that a tab's script hands over, in milliseconds of its clock.

use serde::Deserialize;

/// The notes of a tab.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Noted {
    /// When each message came.
    pub(crate) at: Vec<f64>,
    /// Which it was.
    pub(crate) numbers: Vec<u64>,
    /// When requests were sent.
    pub(crate) requests: Vec<f64>,
    /// When answers came without a message.
    pub(crate) empty: Vec<f64>,
    /// When polls were left out, one being outstanding.
    pub(crate) skipped: Vec<f64>,
    /// When a stream broke.
    pub(crate) lost: Vec<f64>,
    /// When something failed.
    pub(crate) errors: Vec<f64>,
    /// The first failures.
    pub(crate) words: Vec<String>,
    /// How often the tab was out of sight.
    pub(crate) hidden: u32,
    /// When it was subscribed; `None` where it never was.
    pub(crate) opened: Option<f64>,
    /// When it asked to be.
    pub(crate) asked: Option<f64>,
}
