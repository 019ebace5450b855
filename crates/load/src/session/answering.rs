//! A reading that keeps each message and may answer it: of a client that is held to the standard by a
//! suite, rather than to a feed.

use std::fmt;

use pushbench_protocol::frame::Opcode;

use super::output::Output;
use super::reading::{Found, Reading, Said};

/// The most bytes of a message that is kept. Of a longer one nothing is.
const LONGEST: usize = 16 << 20;

/// The answer to a message, in a message of the same kind; `None` where there is none.
pub type Answer = Box<dyn FnMut(&[u8]) -> Option<Vec<u8>> + Send>;

/// Reads messages for who answers them.
pub(super) struct Answering {
    answer: Answer,
    kind: Opcode,
    /// The message so far; `None` where it is too long.
    message: Option<Vec<u8>>,
    said: Vec<Said>,
}

impl Answering {
    pub(super) fn new(answer: Answer) -> Self {
        Self { answer, kind: Opcode::Text, message: Some(Vec::new()), said: Vec::new() }
    }
}

impl Reading for Answering {
    const SPEAKS: bool = true;

    fn restart(&mut self) {
        self.message = Some(Vec::new());
        self.said.clear();
    }

    fn push(&mut self, piece: &[u8], _out: &mut Output) {
        let whole = self.message.take().filter(|so_far| so_far.len() + piece.len() <= LONGEST);
        self.message = whole.map(|mut message| {
            message.extend_from_slice(piece);
            message
        });
    }

    fn last(&mut self, piece: &[u8], out: &mut Output) -> Found {
        self.push(piece, out);
        let message = self.message.replace(Vec::new());
        if let Some(payload) = message.and_then(|message| (self.answer)(&message)) {
            self.said.push(Said { kind: self.kind, payload });
        }
        Ok(None)
    }

    fn is_of(&mut self, kind: Opcode) {
        self.kind = kind;
    }

    fn said(&mut self) -> Vec<Said> {
        std::mem::take(&mut self.said)
    }
}

impl fmt::Debug for Answering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.message.as_ref().map(Vec::len);
        f.debug_struct("Answering").field("bytes", &bytes).finish_non_exhaustive()
    }
}
