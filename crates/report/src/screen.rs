//! A terminal, as far as text has to know it: how wide it is, and whether it shows colours.

use std::fmt::Write as _;

use pushbench_core::text;
use unicode_width::UnicodeWidthStr as _;

/// The most characters of a line of text: longer ones are read badly, however wide the terminal is.
const LONGEST_LINE: usize = 110;

/// The least width that text keeps to.
const NARROWEST: usize = 40;

/// Units, which a line does not begin with where their number ends the one before.
const UNITS: [&str; 13] = [
    "%", "µs", "ms", "s", "B", "bytes", "KiB", "MiB", "GiB", "kbit/s", "Mbit/s", "Gbit/s", "cores",
];

/// A place where people read text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    width: usize,
    coloured: bool,
}

/// A meaning that a colour has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    /// The best, or better.
    Best,
    /// The worst, or worse.
    Worst,
    /// Trials are left out.
    Invalid,
    /// Nothing to look at.
    Faint,
}

impl Paint {
    /// The parameter of the escape sequence that begins it (ECMA-48 §8.3.117).
    const fn code(self) -> u8 {
        match self {
            Self::Best => 32,
            Self::Worst => 31,
            Self::Invalid => 33,
            Self::Faint => 2,
        }
    }
}

impl Screen {
    /// A file or another program: a width that most people's terminals and editors have, and no
    /// colours.
    pub const NONE: Self = Self { width: 120, coloured: false };

    /// A terminal of that many characters to the line.
    #[must_use]
    pub const fn new(width: usize, coloured: bool) -> Self {
        Self { width: if width < NARROWEST { NARROWEST } else { width }, coloured }
    }

    /// The same with or without colours.
    #[must_use]
    pub const fn with_colours(self, coloured: bool) -> Self {
        Self { coloured, ..self }
    }

    /// Characters of a line.
    pub(crate) const fn width(self) -> usize {
        self.width
    }

    /// `line` in lines that fit, broken between words, the later ones indented.
    #[must_use]
    pub fn wrapped(self, line: &str) -> String {
        self.beside("", 2, line)
    }

    /// `line` behind `start`, in lines that fit, broken between words, though not between a number and its
    /// unit, the later ones indented by `indent`. A word that is longer than a line is left whole.
    #[must_use]
    pub fn beside(self, start: &str, indent: usize, line: &str) -> String {
        let most = self.width.min(LONGEST_LINE);
        let (mut text, mut width) = (text::line(start).into_owned(), start.width());
        let mut is_begun = false;
        for word in unbroken(&text::line(line)) {
            let length = word.width();
            if is_begun && width + 1 + length > most {
                let _ = write!(text, "\n{:indent$}", "");
                width = indent;
            } else if is_begun {
                text.push(' ');
                width += 1;
            }
            is_begun = true;
            text.push_str(&word);
            width += length;
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    }

    /// `text` in the colour of `paint`, where it has one and the terminal shows colours.
    pub(crate) fn painted(self, paint: Option<Paint>, text: &str) -> String {
        match paint.filter(|_| self.coloured) {
            Some(paint) => format!("\u{1b}[{}m{text}\u{1b}[0m", paint.code()),
            None => text.to_owned(),
        }
    }
}

/// The words of a line, a number and its unit as one.
pub(crate) fn unbroken(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in line.split(' ') {
        let unit = word.trim_end_matches(['.', ',', ';', ':', ')', ']']);
        match words.last_mut().filter(|last| last.ends_with(|end: char| end.is_ascii_digit())) {
            Some(number) if UNITS.contains(&unit) => {
                number.push(' ');
                number.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_broken_between_words_and_a_word_is_left_whole() {
        let screen = Screen::new(40, false);
        let long = "a".repeat(60);
        assert_eq!(
            screen.wrapped(&format!("one two three four five six seven eight nine {long} ten")),
            format!("one two three four five six seven eight\n  nine\n  {long}\n  ten\n")
        );
        assert_eq!(
            screen.beside("quick   ", 8, "a question that is longer than what is left"),
            "quick   a question that is longer than\n        what is left\n"
        );
        assert_eq!(Screen::new(3, false), screen, "nothing can be read on three characters");
    }

    #[test]
    fn a_number_and_its_unit_stay_on_one_line() {
        assert_eq!(
            Screen::new(40, false).wrapped("long-poll took at the median, it is 6.5 ms, or more"),
            "long-poll took at the median, it is\n  6.5 ms, or more\n"
        );
    }

    #[test]
    fn characters_count_as_wide_as_they_are_shown() {
        let wide = "語".repeat(15);
        assert_eq!(
            Screen::new(40, false).wrapped(&format!("{wide} {wide}")),
            format!("{wide}\n  {wide}\n")
        );
    }

    proptest! {
        #[test]
        fn no_word_is_lost_or_broken(words in "[a-zµ–]{1,12}( [a-zµ–]{1,12}){0,30}", width in 40_usize..130) {
            let text = Screen::new(width, false).wrapped(&words);
            prop_assert!(text.lines().all(|line| line.width() <= width));
            let (there, given): (Vec<_>, Vec<_>) =
                (text.split_whitespace().collect(), words.split_whitespace().collect());
            prop_assert_eq!(there, given);
        }
    }
}
