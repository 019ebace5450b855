//! Regular expressions in what users write.

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use serde::{Deserialize, Serialize};

use super::RuleError;

/// The most bytes that a compiled expression may take, and the cache of one that is at work: with
/// it an input takes time in proportion to its length.
const SIZE_LIMIT: usize = 4 << 20;

/// A regular expression on bytes, in the syntax of the `regex` crate. It compiles, and matches no
/// empty text: one that does would be found everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    text: String,
    groups: usize,
}

impl Pattern {
    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// One that does not compile, is too large, or may match an empty text.
    pub fn new(text: impl Into<String>) -> Result<Self, RuleError> {
        let text = text.into();
        let parsed = ParserBuilder::new().utf8(false).build().parse(&text);
        let hir = parsed.map_err(|error| malformed(&text, &error.to_string()))?;
        // `None` is an expression that matches nothing at all.
        match hir.properties().minimum_len() {
            None => return Err(RuleError::MatchesNothing(text)),
            Some(0) => return Err(RuleError::MatchesEmpty(text)),
            Some(_) => {}
        }
        let groups = compile(&text)?.captures_len() - 1;
        compile(&whole(&text))?;
        Ok(Self { text, groups })
    }

    /// The expression as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How many groups it has.
    #[must_use]
    pub const fn groups(&self) -> usize {
        self.groups
    }

    /// The expression at work.
    ///
    /// # Panics
    ///
    /// Never: it compiled when it was read.
    #[must_use]
    pub fn compile(&self) -> Regex {
        compile(&self.text).expect("it compiled when it was read")
    }

    /// The first match in `text`: its first group, or all of it where it has none.
    #[must_use]
    pub fn find<'t>(&self, text: &'t str) -> Option<&'t str> {
        let found = self.compile().captures(text.as_bytes())?;
        let part = found.get(1).or_else(|| found.get(0))?;
        text.get(part.range())
    }

    /// The expression at work on texts that it is to match from their start to their end.
    ///
    /// # Panics
    ///
    /// Never: an expression whose last line is a comment, in which the closing bracket would be, was
    /// refused when it was read.
    #[must_use]
    pub fn compile_whole(&self) -> Regex {
        compile(&whole(&self.text)).expect("it compiled when it was read")
    }
}

/// An expression that matches from a text's start to its end.
fn whole(text: &str) -> String {
    format!(r"\A(?:{text})\z")
}

fn compile(text: &str) -> Result<Regex, RuleError> {
    builder(text).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => RuleError::TooLarge(text.to_owned()),
        other => malformed(text, &other.to_string()),
    })
}

fn builder(text: &str) -> RegexBuilder {
    let mut builder = RegexBuilder::new(text);
    builder.size_limit(SIZE_LIMIT).dfa_size_limit(SIZE_LIMIT);
    builder
}

/// The last line of the parser's message says what is wrong; those before draw it.
fn malformed(text: &str, problem: &str) -> RuleError {
    let last = problem.lines().last().unwrap_or_default().trim_start_matches("error: ");
    RuleError::Pattern(text.to_owned(), last.to_owned())
}

impl TryFrom<String> for Pattern {
    type Error = RuleError;

    fn try_from(text: String) -> Result<Self, RuleError> {
        Self::new(text)
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.text
    }
}

impl std::str::FromStr for Pattern {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        Self::new(text)
    }
}
