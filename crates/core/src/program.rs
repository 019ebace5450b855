//! Programs of somebody else's: what a run is told of one that it starts and ends, as TOML.
//!
//! ```
//! use pushbench_core::program::Program;
//!
//! let program = Program::parse(
//!     r#"
//!     command = ["python3", "-m", "http.server", "--bind", "{host}", "{port}"]
//!     ready = { get = { path = "/", status = 200 } }
//!     version = { command = ["python3", "--version"], regex = "Python ([0-9.]+)" }
//!     needs = [{ command = "python3", package = "python3", hint = "apt install python3" }]
//!     "#,
//! )?;
//! assert_eq!(program.needs[0].hint, "apt install python3");
//!
//! let error = Program::parse("command = [\"server\", \"{prot}\"]").unwrap_err();
//! assert!(error.contains("there is no variable `{prot}`"), "{error}");
//! # Ok::<(), String>(())
//! ```

mod template;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::template::{Values, fill, variables};
use crate::checked_when_read;
pub use crate::rules::Pattern;
use crate::units::Span;

/// The port that clients connect to, which every program has.
pub const MAIN_PORT: &str = "port";

/// The variables that a run may give a value to beside the program's ports, and the meaning of each.
pub const VARIABLES: [(&str, &str); 8] = [
    ("host", "the address that it is to listen on"),
    ("address", "that address with the main port, IPv6 in brackets"),
    ("dir", "a fresh folder of its own, which holds its files and is removed behind it"),
    ("backend", "address and port of the server that it stands in front of"),
    ("cert", "a file with its certificate, in PEM"),
    ("key", "a file with the key of that"),
    ("workers", "how many cores it is kept on"),
    ("connections", "how many connections it may have at once, those of both sides together"),
];

/// The longest that a program may take to be ready, or to end.
const LONGEST: Duration = Duration::from_secs(600);

/// A program that a run starts and ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Program {
    /// The program and its arguments. It stays in the foreground.
    pub command: Vec<String>,
    /// Environment variables that it has beside those of the run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// Files that are written into its folder, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// The ports that it listens on, by the names of their variables; 0 is one that is free.
    #[serde(default = "any_port")]
    pub ports: BTreeMap<String, u16>,
    /// How it shows that it takes connections.
    #[serde(default)]
    pub ready: Ready,
    /// How long that may take.
    #[serde(default = "ready_within")]
    pub ready_within: Span,
    /// How long it may take to end once it is asked to.
    #[serde(default = "stop_within")]
    pub stop_within: Span,
    /// How its version is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionQuery>,
    /// The commands that have to be installed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Need>,
}

checked_when_read!(Program);

/// How a program shows that it is ready.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Ready {
    /// Its main port takes a connection.
    #[default]
    Connect,
    /// It answers a GET, in clear, with that status.
    Get {
        /// The path.
        path: String,
        /// The status.
        status: u16,
    },
    /// It prints a line that matches.
    Line(Pattern),
}

/// How a program's version is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionQuery {
    /// The command that prints it.
    pub command: Vec<String>,
    /// The words of it that tell; the version is the first group, or all of it.
    pub regex: Pattern,
}

/// A command that has to be installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// Its name.
    pub command: String,
    /// The package that brings it.
    pub package: String,
    /// The line to type where it is missing.
    pub hint: String,
    /// A command that fails where something beside it is missing, such as a module.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probe: Vec<String>,
}

fn any_port() -> BTreeMap<String, u16> {
    BTreeMap::from([(MAIN_PORT.to_owned(), 0)])
}

const fn ready_within() -> Span {
    Span(Duration::from_secs(10))
}

const fn stop_within() -> Span {
    Span(Duration::from_secs(2))
}

impl Program {
    /// Reads the TOML of a program.
    ///
    /// # Errors
    ///
    /// A sentence, with the line where the text is no description of one.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())
    }

    /// Checks what the types of its parts cannot.
    ///
    /// # Errors
    ///
    /// The first key with a value that cannot be, and why.
    pub fn check(&self) -> Result<(), String> {
        if self.command.first().is_none_or(String::is_empty) {
            return Err("command: it names no program".to_owned());
        }
        if !self.ports.contains_key(MAIN_PORT) {
            return Err(format!(
                "ports: there has to be a `{MAIN_PORT}`, which clients connect to"
            ));
        }
        if let Some(name) = self.ports.keys().find(|name| !template::is_name(name)) {
            return Err(format!("ports: `{name}` is no name of a variable; use a to z and _"));
        }
        let is_plain =
            |name: &String| !name.is_empty() && !name.contains('/') && !name.starts_with('.');
        if let Some(name) = self.files.keys().find(|name| !is_plain(name)) {
            return Err(format!("files: `{name}` is no name of a file in the program's folder"));
        }
        for (key, span) in [("ready_within", self.ready_within), ("stop_within", self.stop_within)]
        {
            if span.0.is_zero() || span.0 > LONGEST {
                return Err(format!("{key}: {span} is not within 1ns and 10m"));
            }
        }
        if self.version.as_ref().is_some_and(|version| version.command.is_empty()) {
            return Err("version.command: it names no program".to_owned());
        }
        self.templates().try_for_each(|(key, text)| self.check_variables(key, text))
    }

    /// Whether it can know where clients connect to: it is told its main port, or that is the one that its
    /// file says.
    #[must_use]
    pub fn knows_its_port(&self) -> bool {
        let tells = |name: &str| name == MAIN_PORT || name == "address";
        self.ports.get(MAIN_PORT).is_some_and(|port| *port > 0)
            || self.templates().any(|(_, text)| variables(text).into_iter().any(tells))
    }

    /// The texts in which variables may stand, and the key of each.
    fn templates(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let command = self.command.iter().map(|text| ("command", text));
        let environment = self.environment.values().map(|text| ("environment", text));
        let files = self.files.values().map(|text| ("files", text));
        command.chain(environment).chain(files).map(|(key, text)| (key, text.as_str()))
    }

    fn check_variables(&self, key: &str, text: &str) -> Result<(), String> {
        let is_known = |name: &str| {
            self.ports.contains_key(name) || VARIABLES.iter().any(|(known, _)| *known == name)
        };
        let Some(name) = variables(text).into_iter().find(|name| !is_known(name)) else {
            return Ok(());
        };
        let ports = self.ports.keys().map(String::as_str);
        let known: Vec<&str> = ports.chain(VARIABLES.map(|(known, _)| known)).collect();
        Err(format!(
            "{key}: there is no variable `{{{name}}}`; there are {}. `{{{{{name}}}}}` is the text itself",
            known.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests;
