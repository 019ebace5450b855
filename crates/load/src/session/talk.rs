//! Texts of a client of an application: what it sends once its connection is open, again and again,
//! and in answer.

use pushbench_core::rules::{Rules, Text, Values};

use super::output::{Note, Output, Wake};

/// The texts that one client has to send.
#[derive(Debug, Default)]
pub(super) struct Talk {
    /// To be sent now, in order.
    pub(super) texts: Vec<Vec<u8>>,
    /// Tells this connection from those before.
    connection: u32,
}

impl Talk {
    /// The connection has ended, or another begins.
    pub(super) fn restart(&mut self) {
        *self = Self { connection: self.connection.wrapping_add(1), ..Self::default() };
    }

    /// The connection of this client is open.
    pub(super) fn opened(&mut self, rules: &Rules, client: u32, out: &mut Output) {
        self.texts.extend(rules.send.iter().map(|text| rendered(text, client)));
        for which in 0..rules.each.len() {
            self.wait(which, rules, out);
        }
    }

    /// A pause is over; whether it is one of this connection's.
    pub(super) fn woken(
        &mut self,
        wake: Wake,
        rules: &Rules,
        client: u32,
        out: &mut Output,
    ) -> bool {
        let each = rules.each.get(wake.which).filter(|_| wake.connection == self.connection);
        let Some(each) = each else { return false };
        self.texts.push(rendered(&each.text, client));
        self.wait(wake.which, rules, out);
        true
    }

    fn wait(&self, which: usize, rules: &Rules, out: &mut Output) {
        let wake = Wake { which, connection: self.connection };
        out.note(Note::Wake(rules.each[which].pause.0, wake));
    }
}

fn rendered(text: &Text, client: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    text.render(&Values { client, ..Values::default() }, &mut bytes);
    bytes
}
