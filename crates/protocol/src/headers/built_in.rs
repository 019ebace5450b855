//! The profiles that are part of pushbench.

use pushbench_core::scenario::DEFAULT_HEADERS;

use super::HeaderProfile;

/// Name and text of each, in the order in which tables list them.
const PROFILES: [(&str, &str); 5] = [
    ("minimal", include_str!("../../../../headers/minimal.toml")),
    ("kaazing-2009", include_str!("../../../../headers/kaazing-2009.toml")),
    ("curl", include_str!("../../../../headers/curl.toml")),
    ("chromium", include_str!("../../../../headers/chromium.toml")),
    ("firefox", include_str!("../../../../headers/firefox.toml")),
];

/// The names of the built-in profiles.
pub fn names() -> impl Iterator<Item = &'static str> {
    PROFILES.iter().map(|(name, _)| *name)
}

impl Default for HeaderProfile {
    fn default() -> Self {
        Self::minimal()
    }
}

impl HeaderProfile {
    /// The profile where none is named: only what HTTP/1.1 or a transport demands.
    #[must_use]
    pub fn minimal() -> Self {
        Self::built_in(DEFAULT_HEADERS).unwrap_or_else(|| unreachable!("it is in the table above"))
    }

    /// The built-in profile of that name; [`names`] lists them.
    #[must_use]
    pub fn built_in(name: &str) -> Option<Self> {
        let (_, text) = PROFILES.iter().find(|(known, _)| *known == name)?;
        Some(Self::parse(text).expect("a test parses every built-in profile"))
    }
}
