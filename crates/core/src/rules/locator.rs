//! Places in a message where a value is: in JSON by a pointer, in any text by an expression.

use std::fmt;
use std::str::FromStr;

use super::RuleError;
use super::pattern::Pattern;
use crate::named::as_text;

/// The start of a locator that is a regular expression.
const EXPRESSION: &str = "re:";

/// A place in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Locator {
    /// A value of a JSON text.
    Pointer(Pointer),
    /// The first group of an expression, or all that it matches where it has none.
    Expression(Pattern),
}

/// A JSON Pointer (RFC 6901): the names of members and the numbers of elements on the way to a
/// value; none of them for the whole text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pointer(Vec<String>);

impl Pointer {
    /// The steps of the way, unescaped.
    #[must_use]
    pub fn steps(&self) -> &[String] {
        &self.0
    }
}

impl FromStr for Pointer {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let steps = text.strip_prefix('/').ok_or_else(|| RuleError::Pointer(text.to_owned()))?;
        let steps = steps.split('/').map(|step| {
            // Behind each `~` a digit (RFC 6901 §3), and `~01` is `~1` and no slash (§4).
            let escapes = step.split('~').skip(1);
            if escapes.into_iter().any(|rest| !rest.starts_with(['0', '1'])) {
                return Err(RuleError::Pointer(text.to_owned()));
            }
            Ok(step.replace("~1", "/").replace("~0", "~"))
        });
        Ok(Self(steps.collect::<Result<_, _>>()?))
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|step| write!(f, "/{}", step.replace('~', "~0").replace('/', "~1")))
    }
}

impl FromStr for Locator {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        match text.strip_prefix(EXPRESSION) {
            Some(expression) => Ok(Self::Expression(expression.parse()?)),
            None => Ok(Self::Pointer(text.parse()?)),
        }
    }
}

impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pointer(pointer) => pointer.fmt(f),
            Self::Expression(pattern) => write!(f, "{EXPRESSION}{}", pattern.as_str()),
        }
    }
}

as_text!(Locator);
