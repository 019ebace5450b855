//! Rules by which the messages of an application are found in what it sends, and what its clients
//! say to it: the vocabulary, read and checked, without any I/O.
//!
//! What arrives is text for one chain of rules, the same on every transport: the message of a
//! WebSocket, the data of an event, the body of an answer.

mod found;
mod locator;
mod pairs;
mod pattern;
mod secret;
mod stamp;
mod text;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use self::found::Found;
pub use self::locator::{Locator, Pointer};
pub use self::pairs::{Each, Field, Reply};
pub use self::pattern::Pattern;
pub use self::secret::{HIDDEN, Secret, Secrets};
pub use self::stamp::{StampSpec, StampUnit};
pub use self::text::{CURSOR, Outside, Text, Values, Variable};

use crate::contender::Transport;

/// The rules for one application. Each is a flag of `pushbench load`, and by the same name a key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rules {
    /// The path and query at which the application is asked; `{cursor}` in it is where a poll goes
    /// on from.
    pub path: Option<Text>,
    /// The type of the server-sent events that are looked at; `None` where it is the default.
    pub event: Option<String>,
    /// Messages in what arrives: every match is one, its first group the message. `None` where all
    /// that arrives at a time is one.
    pub message: Option<Pattern>,
    /// The head of a payload; its group is that payload's length in bytes.
    pub message_len: Option<Pattern>,
    /// The messages of a WebSocket are one stream of bytes.
    pub joined: bool,
    /// Texts that may come beside messages. Where all that arrives at a time is one, these are none.
    pub ignore: Option<Pattern>,
    /// Where a message has its number.
    pub seq: Option<Locator>,
    /// Messages have no number: their arrivals alone count.
    pub no_seq: bool,
    /// Where a message has its sender's instant; `None` where it has none.
    pub stamp: Option<StampSpec>,
    /// Where a message has the name of the counter that numbered it; `None` where there is one.
    pub key: Option<Locator>,
    /// Header fields of requests.
    pub header: Vec<Field>,
    /// Subprotocols that are offered in a WebSocket's handshake (RFC 6455 §1.9).
    pub subprotocol: Vec<String>,
    /// The origin that requests say that they come from (RFC 6454 §7).
    pub origin: Option<String>,
    /// Texts that are sent once a WebSocket is open, in this order.
    pub send: Vec<Text>,
    /// Answers.
    pub reply: Vec<Reply>,
    /// Texts that are sent again and again.
    pub each: Vec<Each>,
    /// The text that must have come before a client is connected.
    pub ready: Option<Pattern>,
    /// Where the body of an answer says what the next poll goes on from.
    pub cursor: Option<Locator>,
    /// Texts that nobody is to see. They follow from the other rules.
    #[serde(skip_serializing_if = "Secrets::is_empty")]
    pub secrets: Secrets,
}

/// A rule that is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RuleError {
    /// An expression that does not compile, and why.
    #[error("`{0}` is no regular expression: {1}")]
    Pattern(String, String),
    /// An expression that is found everywhere.
    #[error("`{0}` may match nothing at all, which is everywhere; have it match a sign at least")]
    MatchesEmpty(String),
    /// An expression that nothing matches.
    #[error("`{0}` matches no text whatever")]
    MatchesNothing(String),
    /// An expression that takes too much memory.
    #[error(
        "`{0}` is too large; repeat less, or write (?-u) before it for bytes instead of letters"
    )]
    TooLarge(String),
    /// A place in a message.
    #[error(
        "`{0}` is no place in a message: /member/0/member for JSON (RFC 6901, `~1` for a slash, \
         `~0` for `~`), or re:REGEX"
    )]
    Pointer(String),
    /// An instant.
    #[error(
        "`{0}` says no instant: PLACE:UNIT, such as /at:ms or re:at=(\\d+):ns@monotonic; units are \
         s, ms, us, ns and rfc3339, clocks wall and, for a number, monotonic"
    )]
    Stamp(String),
    /// A variable that a text has and that does not exist there.
    #[error(
        "there is no variable {0} here; there are {{client}}, $1 in an answer to an expression with \
         a group, {{cursor}} in a path, and ${{NAME}} of the environment; \\{{ and \\$ are the signs \
         themselves"
    )]
    Variable(String),
    /// An escape that is none.
    #[error("`{0}` is no escape; there are \\r \\n \\t \\0 \\\\ \\{{ \\$ \\@ and \\xHH")]
    Escape(String),
    /// A variable that the environment lacks.
    #[error("${{{0}}}: no such variable is set in the environment, as text")]
    Environment(String),
    /// A file that cannot be read, and why.
    #[error("@{0}: {1}")]
    File(String, String),
    /// An answer without its sign.
    #[error("`{0}` is no answer: write REGEX=>TEXT")]
    Reply(String),
    /// A text to repeat without its pause.
    #[error("`{0}`: write TIME=>TEXT, with a time of 1ms at least")]
    Each(String),
    /// A header field; its value may be a secret.
    #[error("a header field is written as `Name: value`, without line ends or control characters")]
    Field,
    /// A header field that has another rule, or none.
    #[error("the header field {0} is not to be set here: it has a flag of its own, or follows")]
    TakenField(String),
    /// Credentials in the text of a header field, where that is kept.
    #[error(
        "the header field {0} is a secret, which no file keeps: write it with a variable of the \
         environment, such as `{0}: ${{TOKEN}}`, and set that"
    )]
    KeptCredentials(String),
    /// Rules that do not go together.
    #[error("{0}")]
    Together(&'static str),
}

impl Rules {
    /// Checks what single rules cannot: whether they go with each other, and with the transport.
    ///
    /// # Errors
    ///
    /// The first that do not.
    pub fn check(&self, transport: Transport) -> Result<(), RuleError> {
        let is_websocket = transport == Transport::Websocket;
        let polls = transport.shape().asks() || transport.shape().waits();
        let speaks = !(self.send.is_empty() && self.reply.is_empty() && self.each.is_empty());
        let finds = self.message.is_some() || self.message_len.is_some();
        let path_has_cursor = self.path.as_ref().is_some_and(|path| path.has(Variable::Cursor));
        let wrong = [
            (
                self.seq.is_some() == self.no_seq,
                "say where messages have their number with --seq, or --no-seq if they have none",
            ),
            (
                self.key.is_some() && self.no_seq,
                "--key names counters, which --no-seq says that there are none of",
            ),
            (speaks && !is_websocket, "--send, --reply and --each go with `-t websocket` alone"),
            (
                (self.joined || !self.subprotocol.is_empty()) && !is_websocket,
                "--joined and --subprotocol go with `-t websocket` alone",
            ),
            (self.ready.is_some() && polls, "--ready goes with `-t websocket` or `-t sse`"),
            (
                self.joined && !finds,
                "--joined needs --message or --message-len: a stream has no messages of its own",
            ),
            (
                self.message_len.as_ref().is_some_and(|len| len.groups() == 0),
                "--message-len needs a group, such as (\\d+), that is the length",
            ),
            (
                self.cursor.is_some() != path_has_cursor,
                "--cursor says what {cursor} in --path is: one needs the other",
            ),
            (
                self.cursor.is_some() && transport != Transport::LongPoll,
                "--cursor goes with `-t long-poll` alone",
            ),
            (
                self.event.is_some() && transport != Transport::Sse,
                "--event is a type of server-sent events: it goes with `-t sse` alone",
            ),
        ];
        if let Some((_, why)) = wrong.iter().find(|(is_wrong, _)| *is_wrong) {
            return Err(RuleError::Together(why));
        }
        self.check_texts()
    }

    fn check_texts(&self) -> Result<(), RuleError> {
        self.send.iter().try_for_each(|text| text.check(&[Variable::Client], None))?;
        self.path.iter().try_for_each(|path| path.check(&[Variable::Cursor], None))?;
        let is_token = |text: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() && !",;\"".contains(c))
        };
        if !self.subprotocol.iter().all(|name| is_token(name)) {
            return Err(RuleError::Together("--subprotocol is a name without blanks and commas"));
        }
        let mut expressions: Vec<&str> = self.reply.iter().map(|reply| reply.to.as_str()).collect();
        expressions.sort_unstable();
        if expressions.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(RuleError::Together(
                "two --reply have the same REGEX, of which only the first would answer: leave one out",
            ));
        }
        if !self.origin.iter().all(|origin| origin.chars().all(|c| c.is_ascii_graphic())) {
            return Err(RuleError::Together("--origin is written like https://app.example"));
        }
        Ok(())
    }

    /// The path, once that is resolved; `{cursor}` stays in it.
    #[must_use]
    pub fn plain_path(&self) -> Option<String> {
        self.path.as_ref()?.plain()
    }

    /// Replaces in all texts what is known outside only, and learns what is secret.
    ///
    /// # Errors
    ///
    /// What is not there, or is no value of a header field or a path.
    pub fn resolve(&mut self, outside: &dyn Outside) -> Result<(), RuleError> {
        let secrets = &mut self.secrets;
        let texts = self.send.iter_mut();
        let texts = texts.chain(self.reply.iter_mut().map(|reply| &mut reply.text));
        let texts = texts.chain(self.each.iter_mut().map(|each| &mut each.text));
        let values = self.header.iter_mut().map(|field| &mut field.value);
        for text in texts.chain(values).chain(&mut self.path) {
            text.resolve(outside, secrets)?;
        }
        for field in &self.header {
            secrets.add_field(&field.name, &field.value()?);
        }
        if let Some(path) = &self.path {
            let path = path.plain();
            secrets.add_url(&path.ok_or(RuleError::Together("--path is text in Unicode"))?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
