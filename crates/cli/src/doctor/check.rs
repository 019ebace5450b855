//! One check of the doctor: its subject, what it is worth, what to change.

use serde::Serialize;

/// The status of a check: how far something can be done here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum CheckStatus {
    /// Nothing to change.
    Ok,
    /// It works, with the stated loss.
    Limited,
    /// It cannot be done here.
    Cannot,
}

impl CheckStatus {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Limited => "limited",
            Self::Cannot => "cannot",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Check {
    /// Its subject.
    pub(super) group: &'static str,
    pub(super) name: String,
    #[serde(rename = "verdict")]
    pub(super) status: CheckStatus,
    /// The state that was found.
    pub(super) found: String,
    /// The change to make, where there is one.
    pub(super) remedy: Option<String>,
}

impl Check {
    pub(super) fn new(
        group: &'static str,
        name: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        let (name, found) = (name.into(), found.into());
        Self { group, name, status: CheckStatus::Ok, found, remedy: None }
    }

    /// The check with its fault and remedy, where something is amiss.
    pub(super) fn unless(self, fine: bool, status: CheckStatus, remedy: impl Into<String>) -> Self {
        if fine { self } else { Self { status, remedy: Some(remedy.into()), ..self } }
    }

    pub(super) fn limited_unless(self, fine: bool, remedy: impl Into<String>) -> Self {
        self.unless(fine, CheckStatus::Limited, remedy)
    }
}
