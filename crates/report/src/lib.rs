//! A run record as people and programs read it: CSV, JSON, interval logs, charts, Markdown, HTML.
//!
//! Everything here is a pure function of a [`RunRecord`], or of what `pushbench headers` found,
//! one module for each format; [`folder`] alone touches the file system. The same record always
//! gives the same bytes, which is what lets [`rebuild`] stand for the run.

pub mod advice;
pub mod bounded;
pub mod comparison;
pub mod csv;
pub mod error;
pub mod folder;
pub mod human;

mod breakdown;
mod browser;
mod capacity;
mod charts;
mod cost;
mod cross;
mod crossings;
mod failures;
mod floor;
mod grid;
mod headers;
mod history;
mod hlog;
mod html;
mod instrument;
mod life;
mod markdown;
mod notes;
mod proxy;
mod repeat;
mod rows;
mod screen;
mod security;
mod sentence;
mod settings;
mod stamps;
mod standing;
mod subject;
mod table;
mod talk;
mod terminal;
mod thresholds;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use pushbench_core::text;
use pushbench_metrics::record::RunRecord;

pub use self::capacity::capacity_tables;
pub use self::comparison::{
    comparison_csv, comparison_json, comparison_markdown, comparison_table,
};
pub use self::error::ReportError;
pub use self::failures::failures;
pub use self::folder::{RunFolder, open, rebuild};
pub use self::headers::{
    HeadersFolder, json as headers_json, sentence as headers_sentence, tables as headers_tables,
};
pub use self::history::{history_csv, history_json, history_markdown, history_table};
pub use self::markdown::markdown;
pub use self::repeat::{TRACE, runs_elsewhere};
pub use self::screen::Screen;
pub use self::sentence::{answer, is_void, sentence};
pub use self::settings::{over, talked, worded as setting_in_words};
pub use self::terminal::terminal_table;
pub use self::thresholds::threshold_lines;

/// The record as `run.json` holds it.
///
/// # Errors
///
/// [`ReportError::Encode`] where a figure cannot be written.
pub fn json(record: &RunRecord) -> Result<String, ReportError> {
    document(serde_json::to_string_pretty(record))
}

/// JSON for people and programs, which a terminal shows and does not obey.
fn document(encoded: serde_json::Result<String>) -> Result<String, ReportError> {
    let document = encoded.map_err(ReportError::Encode)?;
    Ok(match text::json(&document) {
        Cow::Borrowed(_) => document,
        Cow::Owned(safe) => safe,
    })
}
