//! Questions at a terminal, for what flags do not say: asked again until the answer can be.

use std::fmt::Display;
use std::io::{BufRead, Write};
use std::str::FromStr;

use anyhow::anyhow;

use crate::exit::Failure;

/// One thing to know about the workload.
pub(super) struct Question<T> {
    /// The flag that says it.
    pub(super) flag: &'static str,
    pub(super) words: &'static str,
    pub(super) example: &'static str,
    /// Whether a value can be.
    pub(super) is_possible: fn(&T) -> bool,
    /// The values that can be.
    pub(super) range: &'static str,
}

/// Whoever is asked, and whether that happened.
pub(super) struct Questions<I, O> {
    /// `None` where nobody can answer.
    pub(super) input: Option<I>,
    pub(super) output: O,
    pub(super) asked: bool,
}

impl<I: BufRead, O: Write> Questions<I, O> {
    /// The flag's value, or the answer to the question.
    pub(super) fn value<T>(&mut self, flag: Option<T>, question: &Question<T>) -> Result<T, Failure>
    where
        T: FromStr<Err: Display>,
    {
        let Question { flag: name, words, example, is_possible, range } = *question;
        let refusal = || format!("{name}: {range}, such as {example}");
        if let Some(value) = flag {
            return if is_possible(&value) {
                Ok(value)
            } else {
                Err(Failure::usage(anyhow!(refusal())))
            };
        }
        if self.input.is_none() {
            return Err(Failure::usage(anyhow!(
                "{name} is missing; pass it, such as `{name} {example}`"
            )));
        }
        loop {
            let Some(answer) = self.answer(&format!("{words} [such as {example}] ")) else {
                return Err(Failure::usage(anyhow!("{name} is missing; pass it, or answer")));
            };
            let refused = match answer.parse::<T>() {
                _ if answer.is_empty() => format!("type a value, such as {example}"),
                Ok(value) if is_possible(&value) => return Ok(value),
                Ok(_) => format!("{range}, such as {example}"),
                Err(error) => error.to_string(),
            };
            // Whoever closed standard error sees no question, and may answer all the same.
            let _ = writeln!(self.output, "  {refused}");
        }
    }

    /// The flag's value, or where other things were asked the answer, for which nothing stands for
    /// `usual`, or that.
    pub(super) fn value_or<T>(&mut self, flag: Option<T>, words: &str, usual: T) -> T
    where
        T: FromStr<Err: Display> + Display,
    {
        if let Some(value) = flag {
            return value;
        }
        while self.asked {
            let answer = self.answer(&format!("{words} [{usual}] "));
            let Some(answer) = answer.filter(|answer| !answer.is_empty()) else { break };
            match answer.parse() {
                Ok(value) => return value,
                Err(error) => {
                    // As above.
                    let _ = writeln!(self.output, "  {error}");
                }
            }
        }
        usual
    }

    /// A line that is typed; `None` where nothing more comes.
    fn answer(&mut self, words: &str) -> Option<String> {
        self.asked = true;
        // As above.
        let _ = write!(self.output, "{words}");
        let _ = self.output.flush();
        let mut line = String::new();
        let read = self.input.as_mut()?.read_line(&mut line);
        if !matches!(read, Ok(bytes) if bytes > 0) {
            let _ = writeln!(self.output);
            return None;
        }
        Some(line.trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use pushbench_core::Delivery;
    use pushbench_core::units::Count;

    use super::*;

    const CLIENTS: Question<Count> = Question {
        flag: "--clients",
        words: "How many clients?",
        example: "5k",
        is_possible: |count| count.0 > 0,
        range: "from 1 on",
    };

    fn typed(lines: &str) -> Questions<&[u8], Vec<u8>> {
        Questions { input: Some(lines.as_bytes()), output: Vec::new(), asked: false }
    }

    fn said(questions: &Questions<&[u8], Vec<u8>>) -> String {
        String::from_utf8(questions.output.clone()).unwrap()
    }

    #[test]
    fn an_answer_that_cannot_be_is_refused_at_once_and_asked_for_again() {
        let mut questions = typed("\nmany\n0\n2k\n");
        let clients = questions.value(None, &CLIENTS).unwrap();
        assert_eq!(clients.0, 2_000);
        let said = said(&questions);
        assert_eq!(said.matches("How many clients? [such as 5k] ").count(), 4, "{said}");
        for part in ["type a value, such as 5k", "`many` is not a count", "from 1 on, such as 5k"] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }

    #[test]
    fn a_flag_is_not_asked_for_and_keeps_to_the_same_range() {
        let mut questions = typed("9\n");
        assert_eq!(questions.value(Some(Count(7)), &CLIENTS).unwrap().0, 7);
        let Err(Failure::Usage(error)) = questions.value(Some(Count(0)), &CLIENTS) else {
            panic!()
        };
        assert_eq!(error.to_string(), "--clients: from 1 on, such as 5k");
        assert_eq!(said(&questions), "");
    }

    #[test]
    fn who_answers_nothing_is_told_the_flag() {
        let Err(Failure::Usage(error)) = typed("").value(None, &CLIENTS) else { panic!() };
        assert_eq!(error.to_string(), "--clients is missing; pass it, or answer");
    }

    #[test]
    fn what_has_a_usual_value_is_asked_only_along_with_the_rest() {
        let delivery = |questions: &mut Questions<&[u8], Vec<u8>>, flag| {
            questions.value_or(flag, "Each, or the newest?", Delivery::Every)
        };
        assert_eq!(delivery(&mut typed("latest\n"), None), Delivery::Every, "nothing was asked");
        for (line, told) in [
            ("latest\n", Delivery::Latest),
            ("newest\nlatest\n", Delivery::Latest),
            ("\n", Delivery::Every),
            ("", Delivery::Every),
        ] {
            let mut questions = typed(line);
            questions.asked = true;
            assert_eq!(delivery(&mut questions, None), told, "{line}");
        }
        let mut questions = typed("every\n");
        questions.asked = true;
        assert_eq!(delivery(&mut questions, Some(Delivery::Latest)), Delivery::Latest);
    }
}
