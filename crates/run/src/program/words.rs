//! The last words of a program: the end of what it prints, for whoever has to find out why it failed.

use std::collections::VecDeque;
use std::fmt;

use pushbench_core::text;

/// How many lines are kept, and how much of each.
const LINES: usize = 12;
const LENGTH: usize = 300;

/// The last lines that a program printed, on either of its outputs.
#[derive(Debug, Default)]
pub(super) struct LastWords(VecDeque<String>);

impl LastWords {
    pub(super) fn hear(&mut self, line: &str) {
        if line.trim().is_empty() || is_frame(line) {
            return;
        }
        if self.0.len() == LINES {
            self.0.pop_front();
        }
        let kept: String = line.trim_end().chars().take(LENGTH).collect();
        self.0.push_back(text::line(&kept).into_owned());
    }
}

impl fmt::Display for LastWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("it said nothing");
        }
        // The last is most often the reason, as below a traceback.
        let mut lines = self.0.iter().map(String::as_str);
        let last = lines.next_back().unwrap_or_default();
        write!(f, "its last words: {last}")?;
        let before: Vec<&str> = lines.collect();
        if before.is_empty() { Ok(()) } else { write!(f, " (before that: {})", before.join(" / ")) }
    }
}

/// Whether a line is a call on the stack below an error, of which there are many, as Node.js prints them after
/// the error itself.
fn is_frame(line: &str) -> bool {
    line.starts_with(char::is_whitespace) && line.trim_start().starts_with("at ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_and_nothing_that_a_terminal_obeys() {
        let mut words = LastWords::default();
        assert_eq!(words.to_string(), "it said nothing");
        for line in 0..20 {
            words.hear(&format!("line {line}\u{1b}[2J"));
            words.hear("  ");
        }
        let told = words.to_string();
        assert_eq!(told.split(" / ").count(), LINES - 1);
        assert!(told.starts_with("its last words: line 19"), "{told}");
        assert!(told.contains("(before that: line 8") && !told.contains("line 7"), "{told}");
        assert!(!told.contains('\u{1b}'), "{told:?}");
    }

    /// An error of Node.js 20, whose reason stands above the stack.
    #[test]
    fn a_reason_is_not_pushed_out_by_the_stack_below_it() {
        let mut words = LastWords::default();
        words.hear("Error: Cannot find module 'ws'");
        for call in 0..20 {
            words.hear(&format!("    at Module._load (node:internal/modules:{call}:1)"));
        }
        words.hear("at the end");
        let told = words.to_string();
        assert_eq!(
            told,
            "its last words: at the end (before that: Error: Cannot find module 'ws')"
        );
    }
}
