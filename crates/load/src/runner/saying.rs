//! The saying of clients that speak: the last message of each that was due, and the last that was said.

use pushbench_core::talk::Talk;
use pushbench_core::{Identity, Sender, Seq};

/// The messages of this process's clients.
#[derive(Debug)]
pub(super) struct Saying {
    talk: Talk,
    /// The last message of each that was due.
    due: Vec<Seq>,
    /// The last message of each that was said.
    said: Vec<Seq>,
    /// The message that is being said.
    text: Vec<u8>,
}

impl Saying {
    pub(super) fn new(talk: Talk, clients: u32) -> Self {
        let none = vec![Seq::NONE; clients as usize];
        Self { talk, due: none.clone(), said: none, text: Vec::new() }
    }

    /// The message of a client that is due next.
    pub(super) fn next(&self, client: u32) -> Seq {
        self.due[client as usize].next()
    }

    /// A client's next message is due.
    pub(super) fn fall_due(&mut self, client: u32) {
        let due = &mut self.due[client as usize];
        *due = due.next();
    }

    /// A client has said its next message.
    pub(super) fn pass(&mut self, client: u32) {
        let said = &mut self.said[client as usize];
        *said = said.next();
    }

    /// Renders the next message of a client, which has the number `sender` among all of the trial's,
    /// where one is due that was not said.
    pub(super) fn render(&mut self, client: u32, sender: u32) -> Option<&[u8]> {
        let (due, said) = (self.due[client as usize], self.said[client as usize]);
        if said >= due {
            return None;
        }
        self.text.clear();
        let message = Identity { sender: Sender(sender), seq: said.next() };
        self.talk.push_message(message, &mut self.text);
        Some(&self.text)
    }
}
