//! Words by which a server explains itself to a person.

use pushbench_core::Seq;

/// How much of an explanation is worth keeping, in bytes.
const LIMIT: usize = 160;

/// The start of a text, kept while it arrives.
#[derive(Debug, Default)]
pub(super) struct Words {
    text: Vec<u8>,
    /// It is coded, and nothing to read.
    coded: bool,
}

impl Words {
    /// A text begins. One that is coded says nothing to a person.
    pub(super) fn begin(&mut self, coding: Option<&str>) {
        self.coded = coding.is_some();
        self.text.clear();
        if let Some(coding) = coding {
            self.text.extend_from_slice(format!("(words coded with {coding})").as_bytes());
        }
    }

    pub(super) fn extend(&mut self, piece: &[u8]) {
        if !self.coded {
            let room = LIMIT - self.text.len();
            self.text.extend_from_slice(&piece[..piece.len().min(room)]);
        }
    }

    pub(super) fn take(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(self).text).into_owned()
    }
}

/// The oldest message held, where a server's words name it: `"oldest":7`, `oldest is 7`.
pub(super) fn oldest_in(text: &str) -> Option<Seq> {
    let (_, behind) = text.split_once("oldest")?;
    let start = behind.find(|c: char| c.is_ascii_digit())?;
    let digits = &behind[start..];
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok().map(Seq)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_message_is_found_in_words_and_in_json() {
        assert_eq!(oldest_in("{\"oldest\":7,\"after\":2}"), Some(Seq(7)));
        assert_eq!(oldest_in("message 2 is gone; the oldest still held is 7"), Some(Seq(7)));
        assert_eq!(oldest_in("oldest 12."), Some(Seq(12)));
        assert_eq!((oldest_in("gone: 7"), oldest_in("the oldest")), (None, None));
    }
}
