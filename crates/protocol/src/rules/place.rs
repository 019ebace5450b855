//! Values at places in messages.

use std::borrow::Cow;

use pushbench_core::rules::{Locator, Pointer};
use regex::bytes::Regex;

use super::json::{self, Scalar};

/// A locator that is ready to be used.
#[derive(Debug)]
pub(super) enum Place {
    Pointer(Pointer),
    Expression(Regex),
}

impl Place {
    pub(super) fn new(locator: &Locator) -> Self {
        match locator {
            Locator::Pointer(pointer) => Self::Pointer(pointer.clone()),
            Locator::Expression(pattern) => Self::Expression(pattern.compile()),
        }
    }

    /// The value as it is written, without quotes.
    pub(super) fn raw<'a>(&self, message: &'a [u8]) -> Option<&'a [u8]> {
        match self {
            Self::Pointer(pointer) => json::find(message, pointer.steps()).map(Scalar::raw),
            Self::Expression(regex) => first_group(regex, message),
        }
    }

    /// The value as a text.
    pub(super) fn text<'a>(&self, message: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        match self {
            Self::Pointer(pointer) => json::find(message, pointer.steps()).map(Scalar::text),
            Self::Expression(regex) => first_group(regex, message).map(Cow::Borrowed),
        }
    }
}

/// The first group of a match, or all of it where the expression has none.
fn first_group<'a>(regex: &Regex, text: &'a [u8]) -> Option<&'a [u8]> {
    if regex.captures_len() == 1 {
        return regex.find(text).map(|found| found.as_bytes());
    }
    regex.captures(text)?.get(1).map(|group| group.as_bytes())
}
