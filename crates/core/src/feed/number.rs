//! The number that a message carries, read as its payload arrives, of which nothing is kept.
//!
//! It stands at the payload's start as ten digits, or is the value of the first member of a JSON
//! object (RFC 8259 §4), whatever that member is called and however the object is spaced: digits,
//! or a string of digits, leading zeros or not, from 1 to 2⁶³ − 1.

use thiserror::Error;

use crate::feed::message::{JSON_SEQ_START, SEQ_DIGITS, Seq};

/// The largest number: 2⁶³ − 1.
pub const MAX_NUMBER: u64 = i64::MAX as u64;

/// Why a message has no number.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
pub enum NumberError {
    /// There is no payload.
    #[error("it is empty")]
    Empty,
    /// The payload is of neither form.
    #[error("it begins with neither ten digits nor a JSON object")]
    Form,
    /// The object has no members.
    #[error("its JSON object has no member")]
    NoMember,
    /// The object is none, as far as it was read.
    #[error("its JSON is malformed within its first member")]
    Malformed,
    /// The payload ends too early.
    #[error("it ends within its first JSON member")]
    CutShort,
    /// The number is none that counts messages.
    #[error("its number is 0, and messages are counted from 1")]
    Zero,
    /// The number exceeds [`MAX_NUMBER`].
    #[error("its number is above 2^63 - 1")]
    TooLarge,
    /// The number is below zero.
    #[error("its first JSON member is negative, not a whole number from 1")]
    Negative,
    /// The number is written with a fraction, be it zero.
    #[error("its first JSON member has a decimal point, as in 1.0, and is not of digits alone")]
    Fraction,
    /// The number is written with an exponent.
    #[error("its first JSON member has an exponent, as in 1e3, and is not of digits alone")]
    Exponent,
    /// A string that is no number.
    #[error("its first JSON member is a string of something else than digits")]
    Text,
    /// Another kind of value: `null`, a Boolean, an array, an object.
    #[error("its first JSON member is {0}, not a number")]
    Kind(&'static str),
    /// A message in a room that was not said by a client of the trial.
    #[error("it does not begin with its sender and its number, ten digits each")]
    Said,
    /// An event whose data should be base64 (RFC 4648 §4) and is not.
    #[error("its data should be base64 and is not")]
    Base64,
}

/// Reads one payload after another for their numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct NumberReader {
    state: State,
}

#[derive(Debug, Clone, Copy, Default)]
enum State {
    /// Nothing has come yet.
    #[default]
    Start,
    /// White space before an object.
    Blank,
    /// Digits at the payload's start.
    Leading {
        number: u64,
        digits: u8,
    },
    /// Behind the object's brace.
    Object,
    /// Within the first member's name.
    Name,
    /// Behind a backslash in it.
    NameEscape,
    /// Between the name and its colon.
    Colon,
    /// Between the colon and the value.
    Value,
    /// Within a value of digits.
    Digits {
        number: u64,
    },
    /// Within a value that is a string; whether it has had a digit.
    Text {
        number: u64,
        some: bool,
    },
    /// Behind a backslash in it, and characters of the escape (RFC 8259 §7).
    TextEscape {
        number: u64,
        length: u8,
    },
    Found(u64),
    Failed(NumberError),
}

impl NumberReader {
    /// Reads a whole payload.
    ///
    /// # Errors
    ///
    /// Why it has no number.
    #[inline]
    pub fn read(payload: &[u8]) -> Result<Seq, NumberError> {
        Self::default().last(payload)
    }

    /// Takes the last piece of the payload, most often its only one; the next payload begins.
    ///
    /// # Errors
    ///
    /// Why it has no number.
    #[inline]
    pub fn last(&mut self, piece: &[u8]) -> Result<Seq, NumberError> {
        if let (State::Start, Some(number)) = (self.state, usual(piece)) {
            return Ok(Seq(number));
        }
        self.push(piece);
        self.finish()
    }

    /// Takes the next piece of the payload.
    #[inline]
    pub fn push(&mut self, piece: &[u8]) {
        if self.is_decided() {
            return;
        }
        let usual = if matches!(self.state, State::Start) { usual(piece) } else { None };
        match usual {
            Some(number) => self.state = State::Found(number),
            None => self.walk(piece),
        }
    }

    /// Gives up on the payload, whatever else comes of it.
    pub const fn fail(&mut self, error: NumberError) {
        self.state = State::Failed(error);
    }

    /// Whether the rest of the payload changes nothing.
    #[inline]
    #[must_use]
    pub const fn is_decided(&self) -> bool {
        matches!(self.state, State::Found(_) | State::Failed(_))
    }

    /// The number in the payload that ends here; the next one begins.
    ///
    /// # Errors
    ///
    /// Why it has none.
    #[inline]
    pub fn finish(&mut self) -> Result<Seq, NumberError> {
        match std::mem::take(&mut self.state) {
            State::Found(number) => Ok(Seq(number)),
            State::Failed(error) => Err(error),
            State::Start => Err(NumberError::Empty),
            State::Blank | State::Leading { .. } => Err(NumberError::Form),
            _ => Err(NumberError::CutShort),
        }
    }

    #[cold]
    fn walk(&mut self, piece: &[u8]) {
        for &byte in piece {
            self.state = self.state.after(byte);
            if self.is_decided() {
                return;
            }
        }
    }
}

/// The number in a payload as pushbench writes it, where all of it is in one piece: looked for
/// first, since almost every message is so.
// In each session that is built of it: a call costs a fifth of what it does.
#[inline(always)]
fn usual(piece: &[u8]) -> Option<u64> {
    let digits: &[u8; SEQ_DIGITS] = match piece.strip_prefix(JSON_SEQ_START.as_bytes()) {
        Some(value) => {
            let (digits, behind) = value.split_first_chunk()?;
            // A longer string is another number.
            if behind.first() != Some(&b'"') {
                return None;
            }
            digits
        }
        None => piece.first_chunk()?,
    };
    let mut number = 0;
    for &digit in digits {
        let value = digit.wrapping_sub(b'0');
        if value > 9 {
            return None;
        }
        number = number * 10 + u64::from(value);
    }
    (number > 0).then_some(number)
}

impl State {
    fn after(self, byte: u8) -> Self {
        let blank = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        match self {
            Self::Start if byte.is_ascii_digit() => {
                Self::Leading { number: more(0, byte), digits: 1 }
            }
            Self::Start | Self::Blank if blank => Self::Blank,
            Self::Start | Self::Blank if byte == b'{' => Self::Object,
            Self::Leading { number, digits } if byte.is_ascii_digit() => {
                let (number, digits) = (more(number, byte), digits + 1);
                if usize::from(digits) == SEQ_DIGITS {
                    return Self::whole(number);
                }
                Self::Leading { number, digits }
            }
            Self::Start | Self::Blank | Self::Leading { .. } => Self::Failed(NumberError::Form),
            Self::Object | Self::Colon | Self::Value if blank => self,
            Self::Object if byte == b'"' => Self::Name,
            Self::Object if byte == b'}' => Self::Failed(NumberError::NoMember),
            Self::Name if byte == b'"' => Self::Colon,
            Self::Name if byte == b'\\' => Self::NameEscape,
            Self::Name | Self::NameEscape => Self::Name,
            Self::Colon if byte == b':' => Self::Value,
            Self::Object | Self::Colon => Self::Failed(NumberError::Malformed),
            Self::Value => Self::value(byte),
            Self::Digits { number } => Self::digits(number, byte, blank),
            Self::Text { number, some } => Self::text(number, some, byte),
            Self::TextEscape { number, length } => Self::escape(number, length, byte),
            Self::Found(_) | Self::Failed(_) => self,
        }
    }

    /// The first character of the value.
    fn value(byte: u8) -> Self {
        let error = match byte {
            b'0'..=b'9' => return Self::Digits { number: more(0, byte) },
            b'"' => return Self::Text { number: 0, some: false },
            b'-' => NumberError::Negative,
            b'n' => NumberError::Kind("null"),
            b't' | b'f' => NumberError::Kind("a Boolean"),
            b'[' => NumberError::Kind("an array"),
            b'{' => NumberError::Kind("an object"),
            _ => NumberError::Malformed,
        };
        Self::Failed(error)
    }

    fn digits(number: u64, byte: u8, blank: bool) -> Self {
        match byte {
            b'0'..=b'9' => Self::Digits { number: more(number, byte) },
            b',' | b'}' => Self::whole(number),
            _ if blank => Self::whole(number),
            b'.' => Self::Failed(NumberError::Fraction),
            b'e' | b'E' => Self::Failed(NumberError::Exponent),
            _ => Self::Failed(NumberError::Malformed),
        }
    }

    fn text(number: u64, some: bool, byte: u8) -> Self {
        match byte {
            b'0'..=b'9' => Self::Text { number: more(number, byte), some: true },
            b'"' if some => Self::whole(number),
            b'\\' => Self::TextEscape { number, length: 0 },
            b'-' if !some => Self::Failed(NumberError::Negative),
            _ => Self::Failed(NumberError::Text),
        }
    }

    /// A digit may be written as `\u0030` to `\u0039`.
    fn escape(number: u64, length: u8, byte: u8) -> Self {
        match (length, byte) {
            (0, b'u') | (1 | 2, b'0') | (3, b'3') => {
                Self::TextEscape { number, length: length + 1 }
            }
            (4, b'0'..=b'9') => Self::Text { number: more(number, byte), some: true },
            _ => Self::Failed(NumberError::Text),
        }
    }

    const fn whole(number: u64) -> Self {
        match number {
            0 => Self::Failed(NumberError::Zero),
            1..=MAX_NUMBER => Self::Found(number),
            _ => Self::Failed(NumberError::TooLarge),
        }
    }
}

/// The number with one more digit, or the largest there is, which is too large.
const fn more(number: u64, digit: u8) -> u64 {
    number.saturating_mul(10).saturating_add((digit - b'0') as u64)
}

#[cfg(test)]
mod tests;
