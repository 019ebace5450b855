//! Proxies that may stand between clients and server, by name: real ones, each with a configuration that
//! says the least that it has to.
//!
//! A file in `proxies/` describes each. Those of its lines that a feed needs and the program does not do by
//! itself are marked, and without them it is the same proxy by default: `nginx` and `nginx-default`.
//!
//! ```
//! use pushbench_core::proxy::{ProxyName, Via};
//!
//! let by_default: ProxyName = "haproxy-default".parse()?;
//! assert_eq!(by_default.missing_lines(), ["option http-no-delay"]);
//! assert_eq!("direct".parse(), Ok(Via::Direct));
//! # Ok::<(), String>(())
//! ```

mod via;

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::Deserialize;

pub use self::via::Via;
use crate::contender::Security;
use crate::named::{as_text, did_you_mean};
use crate::program::Program;

/// The texts of the files.
const FILES: [&str; 4] = [
    include_str!("../../../proxies/nginx.toml"),
    include_str!("../../../proxies/haproxy.toml"),
    include_str!("../../../proxies/apache.toml"),
    include_str!("../../../proxies/caddy.toml"),
];

/// The ending of the name of one that lacks the lines of the remedy.
const BY_DEFAULT: &str = "-default";

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProxyFile {
    /// The name by which users ask for it.
    name: String,
    /// The program and how it is set up, in one sentence.
    about: String,
    /// The program, marks in its files.
    program: Program,
}

/// The mark at the beginning of a line of a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// Needs of feeds that the program does not meet by itself.
    Remedy,
    /// It stands where connections of clients are secured like this.
    Security(Security),
}

const MARKS: [(&str, Mark); 3] = [
    ("@remedy", Mark::Remedy),
    ("@tls", Mark::Security(Security::Tls)),
    ("@clear", Mark::Security(Security::Clear)),
];

/// A line without its mark, and the mark.
fn unmarked(line: &str) -> (&str, Option<Mark>) {
    let marked = |&(text, mark): &(&str, Mark)| Some((line.strip_prefix(text)?, Some(mark)));
    MARKS.iter().find_map(marked).unwrap_or((line, None))
}

/// A proxy that has a name.
#[derive(Debug)]
struct Proxy {
    name: String,
    file: ProxyFile,
    /// Whether it lacks the lines of the remedy.
    by_default: bool,
    /// The remedy for a fault of it, in one sentence.
    remedy: String,
}

static PROXIES: LazyLock<Vec<Proxy>> =
    LazyLock::new(|| FILES.into_iter().flat_map(named).collect());

/// The proxies of a file: the one that feeds need, and where that takes more than the program does by
/// itself, the other.
fn named(text: &str) -> Vec<Proxy> {
    let file: ProxyFile = toml::from_str(text).expect("a test reads every file");
    let lines = file.marked_lines();
    let quoted: Vec<String> = lines.iter().map(|line| format!("`{line}`")).collect();
    let remedy = format!("add to its configuration {}", quoted.join(", "));
    let other = (!lines.is_empty()).then(|| Proxy {
        name: format!("{}{BY_DEFAULT}", file.name),
        file: file.clone(),
        by_default: true,
        remedy,
    });
    let remedy = "see its configuration in the record, and its documentation".to_owned();
    let proxy = Proxy { name: file.name.clone(), file, by_default: false, remedy };
    std::iter::once(proxy).chain(other).collect()
}

impl ProxyFile {
    /// The lines of the remedy.
    fn marked_lines(&self) -> Vec<&str> {
        let lines = self.program.files.values().flat_map(|text| text.lines()).map(unmarked);
        lines.filter(|(_, mark)| *mark == Some(Mark::Remedy)).map(|(line, _)| line.trim()).collect()
    }
}

/// The name of a proxy.
#[derive(Clone, Copy)]
pub struct ProxyName(&'static Proxy);

impl ProxyName {
    /// All, in the order of the files, each before the same by default.
    pub fn all() -> impl Iterator<Item = Self> {
        PROXIES.iter().map(Self)
    }

    /// The name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        &self.0.name
    }

    /// The name of the program, however it is set up.
    #[must_use]
    pub fn program_name(self) -> &'static str {
        &self.0.file.name
    }

    /// The program and how it is set up, in one sentence.
    #[must_use]
    pub fn about(self) -> &'static str {
        &self.0.file.about
    }

    /// The program, as it is for clients whose connections are secured like this.
    #[must_use]
    pub fn program(self, security: Security) -> Program {
        let stays = |mark: Option<Mark>| match mark {
            None => true,
            Some(Mark::Remedy) => !self.0.by_default,
            Some(Mark::Security(wanted)) => wanted == security,
        };
        let mut program = self.0.file.program.clone();
        for text in program.files.values_mut() {
            let lines = text.lines().map(unmarked).filter(|(_, mark)| stays(*mark));
            *text = lines.map(|(line, _)| format!("{line}\n")).collect();
        }
        program
    }

    /// The lines of its configuration that it lacks; none where it is not the one by default.
    #[must_use]
    pub fn missing_lines(self) -> Vec<&'static str> {
        if self.0.by_default { self.0.file.marked_lines() } else { Vec::new() }
    }

    /// The remedy for a fault of it, in one sentence: the lines that it lacks.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        &self.0.remedy
    }
}

impl fmt::Debug for ProxyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProxyName").field(&self.0.name).finish()
    }
}

impl PartialEq for ProxyName {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for ProxyName {}

impl fmt::Display for ProxyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.name)
    }
}

impl FromStr for ProxyName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::all().find(|name| name.as_str() == text).ok_or_else(|| {
            let names: Vec<&str> = Self::all().map(Self::as_str).collect();
            let meant = did_you_mean(text, names.iter().copied());
            let text = crate::checked::excerpt(text, 40);
            format!("no proxy is called `{text}`; there are {}{meant}", names.join(", "))
        })
    }
}

as_text!(ProxyName);

#[cfg(test)]
mod tests;
