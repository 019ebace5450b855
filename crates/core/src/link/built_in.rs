//! Links that are known by name, and whose figures somebody published.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Link, LinkError};
use crate::named::{as_text, did_you_mean};

/// Name and text of each, from the nearest to the farthest.
const LINKS: [(&str, &str); 8] = [
    ("lan", include_str!("../../../../links/lan.toml")),
    ("fibre", include_str!("../../../../links/fibre.toml")),
    ("cable", include_str!("../../../../links/cable.toml")),
    ("wifi-busy", include_str!("../../../../links/wifi-busy.toml")),
    ("4g", include_str!("../../../../links/4g.toml")),
    ("3g", include_str!("../../../../links/3g.toml")),
    ("transatlantic", include_str!("../../../../links/transatlantic.toml")),
    ("satellite-geo", include_str!("../../../../links/satellite-geo.toml")),
];

/// A link with a name, as a file in `links/` describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedLink {
    /// The name by which users ask for it.
    pub name: String,
    /// The kind of line that it stands for, in one sentence.
    pub about: String,
    /// Who published figures of such lines; comments in the file part them from what we chose.
    pub source: String,
    /// Its settings.
    pub link: Link,
}

/// The names of the links that are built in.
pub fn names() -> impl Iterator<Item = &'static str> {
    LINKS.iter().map(|(name, _)| *name)
}

impl NamedLink {
    /// Reads the TOML of a link.
    ///
    /// # Errors
    ///
    /// A sentence with the line, where the text is none or describes a link that cannot be.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// The built-in link of that name.
    ///
    /// # Errors
    ///
    /// A name that none has, with those that there are.
    pub fn built_in(name: &str) -> Result<Self, LinkError> {
        let found = LINKS.iter().find(|(known, _)| *known == name);
        let (_, text) = found.ok_or_else(|| unknown(name))?;
        Ok(Self::parse(text).expect("a test parses every built-in link"))
    }
}

/// The name of a link that is built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkName(&'static str);

impl LinkName {
    /// Its settings.
    #[must_use]
    pub fn link(self) -> Link {
        NamedLink::built_in(self.0).expect("there is one of each name").link
    }
}

impl fmt::Display for LinkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl FromStr for LinkName {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let known = names().find(|name| *name == text);
        known.map(Self).ok_or_else(|| unknown(text))
    }
}

as_text!(LinkName);

fn unknown(name: &str) -> LinkError {
    let meant = did_you_mean(name, names());
    let names = names().collect::<Vec<_>>().join(", ");
    let name = crate::checked::excerpt(name, 40);
    let problem = format!("no link is called `{name}`; there are {names}{meant}");
    LinkError { key: "link.name", problem }
}
