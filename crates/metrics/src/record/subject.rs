//! The server of a trial, where it is somebody else's.

use pushbench_core::subject::SubjectName;
use serde::{Deserialize, Serialize};

/// A server that the run started and did not bring, as it was in a trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectRecord {
    /// Its name.
    pub name: SubjectName,
    /// Its version, as it says itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}
