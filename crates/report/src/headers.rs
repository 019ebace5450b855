//! Findings of `pushbench headers`, as people and programs read them: a function of a
//! [`HeadersRecord`], one module for each format.

mod claim;
mod csv;
pub(crate) mod folder;
mod html;
mod markdown;
pub(crate) mod rows;
pub(crate) mod sentence;
mod table;
#[cfg(test)]
mod tests;

use pushbench_metrics::record::headers::HeadersRecord;

pub use self::folder::HeadersFolder;
pub use self::sentence::sentence;
pub use self::table::tables;
use crate::error::ReportError;

/// The record as `headers.json` holds it.
///
/// # Errors
///
/// [`ReportError::Encode`] where a figure cannot be written.
pub fn json(record: &HeadersRecord) -> Result<String, ReportError> {
    crate::document(serde_json::to_string_pretty(record))
}
