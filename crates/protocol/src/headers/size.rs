//! How large a head is, by two ways of counting.

use std::ops::{Add, AddAssign};

/// The size of a head, be it rendered or received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HeadSize {
    /// The first line and the headers.
    pub lines: usize,
    /// Their bytes without line ends: how published figures were counted.
    pub characters: usize,
    /// Bytes sent: with line ends and the blank line.
    pub bytes: usize,
}

impl HeadSize {
    /// The size of the head that `bytes` begins with, up to its blank line, or of the lines so far
    /// where that is missing. A character is a byte.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut size = Self::default();
        for line in line_lengths(bytes) {
            size.lines += 1;
            size.characters += line;
        }
        let used = size.characters + size.lines * LINE_END.len();
        let blank = bytes.get(used..).is_some_and(|rest| rest.starts_with(LINE_END));
        size.bytes = used.min(bytes.len()) + if blank { LINE_END.len() } else { 0 };
        size
    }
}

const LINE_END: &[u8] = b"\r\n";

/// The characters of each line of the head that `bytes` begins with.
pub(super) fn line_lengths(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let end = rest.windows(LINE_END.len()).position(|pair| pair == LINE_END);
        let length = end.unwrap_or(rest.len());
        rest = rest.get(length + LINE_END.len()..).unwrap_or_default();
        (length > 0).then_some(length)
    })
}

impl Add for HeadSize {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl AddAssign for HeadSize {
    fn add_assign(&mut self, other: Self) {
        self.lines += other.lines;
        self.characters += other.characters;
        self.bytes += other.bytes;
    }
}
