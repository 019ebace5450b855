//! Advice that a run's trials were of, as its command said it.

use serde::{Deserialize, Serialize};

/// An answer to "which one?", with all that it rests on, in words. What it is put together of stands in
/// the trials; `advice.json` has it as numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdviceGiven {
    /// The contender to take, with the reason and the margin; or why none is named.
    pub answer: String,
    /// Things that would change it, each with its interval.
    pub turns: Vec<String>,
    /// Titles of the table's columns, the first of which is empty.
    pub titles: Vec<String>,
    /// A row for each contender: its name, whether it is fresh enough, and what it costs.
    pub rows: Vec<Vec<String>>,
    /// Remarks to the table: of how many rounds, composed of what, checked by what.
    pub remarks: Vec<String>,
    /// Things that are in no figure of it.
    pub not_measured: Vec<String>,
}
