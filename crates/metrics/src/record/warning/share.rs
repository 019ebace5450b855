//! Shares that polling has a model of.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A share that polling has a model of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Share {
    /// Messages that a newer one superseded.
    Missed,
    /// Answers without news.
    Empty,
}

impl Share {
    /// Tells that it is not what the model has it to be.
    pub(super) fn off_model(
        self,
        f: &mut fmt::Formatter<'_>,
        measured: f64,
        expected: f64,
        p: f64,
    ) -> fmt::Result {
        let what = match self {
            Self::Missed => "of the messages were superseded",
            Self::Empty => "of the responses were empty",
        };
        let (measured, expected) = (measured * 100.0, expected * 100.0);
        write!(
            f,
            "{measured:.1} % {what}, where polling makes it {expected:.1} % (by chance p = {p:.3})"
        )
    }
}
