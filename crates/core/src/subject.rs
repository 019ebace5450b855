//! Subjects: servers that a run starts, its own or somebody else's, by name.
//!
//! Of somebody else's a file says which program it is, how a message is given to it, and where it offers
//! which transport. Nothing here, and nothing of the run, knows any of them.
//!
//! ```
//! use pushbench_core::subject::{Publish, Subject};
//! use pushbench_core::{Contender, Delivery};
//!
//! let subject = Subject::parse(
//!     r#"
//!     name = "mine"
//!     about = "a server of mine"
//!     publish = { post = { path = "/publish" } }
//!
//!     [transports.sse]
//!     path = "/events"
//!
//!     [program]
//!     command = ["my-server", "--port", "{port}"]
//!     "#,
//! )?;
//! let events = subject.endpoint(Contender::SSE, Delivery::Every, false);
//! assert_eq!(events.unwrap().path, "/events");
//! assert!(subject.endpoint(Contender::WEBSOCKET, Delivery::Every, false).is_none());
//! # Ok::<(), String>(())
//! ```

mod name;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

pub use self::name::{OWN, SubjectName};
use crate::checked_when_read;
use crate::contender::{Coding, Contender, Security, Stack, Transport};
use crate::delivery::Delivery;
use crate::program::{MAIN_PORT, Program};
use crate::rules::{Outside, RuleError, Rules};

/// The texts of the files that are built in.
const FILES: [&str; 8] = [
    include_str!("../../../subjects/nchan.toml"),
    include_str!("../../../subjects/node-ws.toml"),
    include_str!("../../../subjects/node-sse.toml"),
    include_str!("../../../subjects/python-sse.toml"),
    include_str!("../../../subjects/aiohttp.toml"),
    include_str!("../../../subjects/socket-io.toml"),
    include_str!("../../../subjects/nats.toml"),
    include_str!("../../../subjects/rest.toml"),
];

/// The largest file that is read as a subject's.
pub const MAX_SUBJECT_BYTES: u64 = 1 << 20;

/// The most bytes of a path, of a type of events, and of the sentence about a subject.
const MAX_TEXT: usize = 1024;

static BUILT_IN: LazyLock<Vec<(Subject, &'static str)>> = LazyLock::new(|| {
    let read = |text| (Subject::parse(text).expect("a test reads every file"), text);
    FILES.into_iter().map(read).collect()
});

/// A server that is somebody else's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Subject {
    /// The name that it has in tables and files.
    pub name: SubjectName,
    /// The program and how it is set up, in one sentence.
    pub about: String,
    /// How a message is given to it.
    pub publish: Publish,
    /// Where it offers which transport.
    pub transports: BTreeMap<Transport, Endpoint>,
    /// The program.
    pub program: Program,
}

checked_when_read!(Subject);

/// How a message is given to a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Publish {
    /// As the body of a POST.
    Post(Inlet),
    /// As a message of a WebSocket that stays open.
    Websocket(Inlet),
    /// Over a TCP connection that stays open, in what the server's own protocol puts around it.
    Tcp(Envelope),
    /// As a line on the standard input of its program.
    Stdin,
}

/// The signs of a server's own protocol around a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The port, by the name that it has among the program's.
    #[serde(default = "main_port")]
    pub port: String,
    /// The text that is said first.
    #[serde(default)]
    pub hello: String,
    /// The text before a message; `{length}` in it is the message's length in bytes.
    #[serde(default)]
    pub before: String,
    /// The text behind a message.
    #[serde(default)]
    pub after: String,
    /// The answer to a line of the server's, for each line that wants one: it asks whether this side is
    /// there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub replies: BTreeMap<String, String>,
}

/// Where a server takes messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inlet {
    /// The path.
    pub path: String,
    /// The port, by the name that it has among the program's.
    #[serde(default = "main_port")]
    pub port: String,
}

/// Where a server offers a transport.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// The path and query.
    pub path: String,
    /// The type of the server-sent events that are the feed's; `None` where it is the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// The promise of it: every message, or the newest.
    #[serde(default, skip_serializing_if = "is_every")]
    pub delivery: Delivery,
    /// How messages, and their numbers, are found in what comes, and what clients say; `None` where each
    /// text that comes is a message as it was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Rules>,
}

const NO_PUBLISH: &str = "publish is missing: it says how a message is given to the server; one that makes its \
                          own messages is measured where it runs, by `pushbench load`";

const NO_STAMP: &str = "the feed says when each message was due; leave stamp out";

/// The world as a subject's file sees it: it is the same everywhere, reads no other file, and keeps no
/// secret, but may name variables that have one.
pub struct Variables<F>(pub F);

impl<F: Fn(&str) -> Option<String>> Outside for Variables<F> {
    fn variable(&self, name: &str) -> Option<String> {
        self.0(name)
    }

    fn file(&self, _path: &str) -> Result<Vec<u8>, String> {
        Err("a subject's file reads no others".to_owned())
    }
}

fn is_every(delivery: &Delivery) -> bool {
    *delivery == Delivery::Every
}

fn main_port() -> String {
    MAIN_PORT.to_owned()
}

impl Publish {
    /// The port at which messages are taken, by the name that it has among the program's; `None` where no
    /// socket takes any.
    #[must_use]
    pub fn port(&self) -> Option<&str> {
        match self {
            Self::Post(inlet) | Self::Websocket(inlet) => Some(&inlet.port),
            Self::Tcp(envelope) => Some(&envelope.port),
            Self::Stdin => None,
        }
    }
}

impl Subject {
    /// All that are built in.
    pub fn built_in() -> impl Iterator<Item = &'static Self> {
        BUILT_IN.iter().map(|(subject, _)| subject)
    }

    /// The text of the file that is built in under that name.
    #[must_use]
    pub fn text(name: &str) -> Option<&'static str> {
        BUILT_IN.iter().find(|(subject, _)| subject.name.as_str() == name).map(|(_, text)| *text)
    }

    /// Reads the TOML of a subject.
    ///
    /// # Errors
    ///
    /// A sentence, with the line where the text is no description of one.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error: toml::de::Error| match error.message() {
            "missing field `publish`" => NO_PUBLISH.to_owned(),
            _ => error.to_string().trim_end().to_owned(),
        })
    }

    /// Where it offers what `contender` needs, with that promise; `None` where it does not. A proxy in
    /// front of it ends the TLS that it does not speak itself.
    #[must_use]
    pub fn endpoint(
        &self,
        contender: Contender,
        delivery: Delivery,
        is_behind_proxy: bool,
    ) -> Option<&Endpoint> {
        let Contender { transport, stack } = contender;
        let is_plain = stack.basic() == Stack::PLAIN && stack.coding == Coding::None;
        let is_clear = stack.security == Security::Clear || is_behind_proxy;
        let offered = self.transports.get(&transport)?;
        (is_plain && is_clear && offered.delivery == delivery).then_some(offered)
    }

    /// Checks that its rules can be used with the values of these variables.
    ///
    /// # Errors
    ///
    /// The first that cannot, and why: a variable that is not set.
    pub fn check_variables(&self, variables: &dyn Outside) -> Result<(), String> {
        self.transports.iter().try_for_each(|(transport, endpoint)| {
            let rules = endpoint.rules(*transport, variables);
            rules.map(|_| ()).map_err(|error| rules_error(*transport, &error))
        })
    }

    /// Checks what a file is not to say, though older runs have subjects that do: credentials, which
    /// whoever has a run's record could read, and a stamp, as the feed says when each message was due.
    ///
    /// # Errors
    ///
    /// The first, and what to write.
    pub fn check_file(&self) -> Result<(), String> {
        self.transports.iter().try_for_each(|(transport, endpoint)| {
            let Some(rules) = &endpoint.rules else { return Ok(()) };
            let kept = rules.header.iter().find(|field| field.keeps_credentials());
            let kept = kept.map(|field| RuleError::KeptCredentials(field.name.clone()));
            let stamp = rules.stamp.as_ref().map(|_| RuleError::Together(NO_STAMP));
            kept.or(stamp).map_or(Ok(()), |error| Err(rules_error(*transport, &error)))
        })
    }

    /// Checks what the types of its parts cannot.
    ///
    /// # Errors
    ///
    /// The first key with a value that cannot be, and why.
    pub fn check(&self) -> Result<(), String> {
        if self.name.is_own() || !self.name.is_plain() {
            return Err(format!(
                "name: it has 1 to 64 letters, digits, `-` or `_`, and is not `{OWN}`"
            ));
        }
        check_line("about", &self.about)?;
        if self.transports.is_empty() {
            return Err("transports: there has to be one at least".to_owned());
        }
        for (transport, endpoint) in &self.transports {
            endpoint.check(*transport)?;
        }
        if let Publish::Post(inlet) | Publish::Websocket(inlet) = &self.publish {
            check_path("publish", &inlet.path)?;
        }
        match self.publish.port() {
            Some(port) if !self.program.ports.contains_key(port) => {
                Err(format!("publish: the program has no port `{port}`"))
            }
            _ => Ok(()),
        }
    }
}

impl Endpoint {
    /// Its rules, ready for use with the values of these variables; `None` where it has none.
    ///
    /// # Errors
    ///
    /// Rules that do not go with each other or with the transport, that give messages no number, or that
    /// name a variable that is not set.
    pub fn rules(
        &self,
        transport: Transport,
        variables: &dyn Outside,
    ) -> Result<Option<Rules>, RuleError> {
        let Some(mut rules) = self.rules.clone() else { return Ok(None) };
        if rules.path.is_some() || rules.event.is_some() {
            return Err(RuleError::Together(
                "path and event stand beside the rules, not among them",
            ));
        }
        // It may say where a poll goes on, and holds no secret.
        let with_path = Rules { path: Some(self.path.parse()?), ..rules.clone() };
        with_path.check(transport)?;
        if rules.seq.is_none() {
            return Err(RuleError::Together("say where messages have their number with seq"));
        }
        rules.resolve(variables)?;
        Ok(Some(rules))
    }

    fn check(&self, transport: Transport) -> Result<(), String> {
        let key = format!("transports.{}", transport.name());
        if transport.shape().asks() && self.rules.is_none() {
            return Err(format!(
                "{key}: say by what an answer that is new is told from one that is not: \
                 rules = {{ seq = 're:(\\d{{10}})' }}, or where else a message has its number"
            ));
        }
        let finds_several = self.rules.as_ref().is_some_and(|rules| rules.message.is_some());
        if transport.shape().asks() && self.delivery == Delivery::Every && !finds_several {
            return Err(format!(
                "{key}: an answer that is one message can promise the newest alone: write \
                 delivery = \"latest\", or have rules find several with message"
            ));
        }
        check_path(&key, &self.path)?;
        // Whatever the variables are.
        let some = Variables(|_: &str| Some("x".to_owned()));
        self.rules(transport, &some).map_err(|error| rules_error(transport, &error))?;
        match &self.event {
            Some(_) if !transport.has_event_types() => Err(format!(
                "{key}: `event` is a type of server-sent events, and goes with sse alone"
            )),
            Some(event) => check_line(&key, event),
            None => Ok(()),
        }
    }
}

fn rules_error(transport: Transport, error: &RuleError) -> String {
    format!("transports.{}.rules: {error}", transport.name())
}

fn check_path(key: &str, path: &str) -> Result<(), String> {
    let is_plain = path.starts_with('/') && path.chars().all(|c| c.is_ascii_graphic() && c != '#');
    if is_plain && path.len() <= MAX_TEXT {
        return Ok(());
    }
    Err(format!("{key}: a path begins with `/` and has no blanks and no `#`"))
}

fn check_line(key: &str, text: &str) -> Result<(), String> {
    if (1..=MAX_TEXT).contains(&text.len()) && !text.contains(char::is_control) {
        return Ok(());
    }
    Err(format!("{key}: it is one line of 1 to {MAX_TEXT} bytes"))
}

#[cfg(test)]
mod tests;
