//! The delivery audit of senders whose schedule is not known: which numbers came to which client.
//!
//! A message belongs to the window if its stamp lies in it, or where it has none, if it arrived in
//! it. What a client ought to have is what any client got, so the audit of one load process ends in
//! observations ([`Seen`]), and `settle` makes totals of those of all processes.

use std::collections::HashMap;
use std::time::Duration;

use pushbench_core::MonoInstant;

use super::counter::Counter;
use super::cursor::Cursor;
use crate::observe::audit::ArrivalClass;
use crate::observe::observer::{Finding, Window};
use crate::observe::seen::{CounterSeen, End, Restarts, Seen};
use crate::observe::silence::Coming;

/// Follows what the clients of a load process receive.
#[derive(Debug, Clone)]
pub(super) struct StampAudit {
    window: Option<Window>,
    clients: Vec<Client>,
    /// By sender.
    counters: Vec<Counter>,
    /// By sender, then by client.
    cursors: Vec<Vec<Cursor>>,
    unnumbered: u64,
    unnumbered_sampled: u64,
    instants: Vec<u64>,
    /// Clients that may still get something of the window.
    waiting: usize,
    drained: MonoInstant,
}

#[derive(Debug, Clone, Copy, Default)]
struct Client {
    /// Left out: it was not connected at t0.
    excluded: bool,
    /// It has something of the window's end or later: what it lacks will not come in order.
    past: bool,
    /// It has no connection.
    away: bool,
    under_way: bool,
    /// When the last of what was sent came.
    fed: MonoInstant,
}

impl Client {
    const fn waits(&self) -> bool {
        !self.excluded && !self.past && !self.away
    }
}

impl StampAudit {
    pub(super) fn new(clients: u32) -> Self {
        let clients = vec![Client::default(); clients as usize];
        Self {
            window: None,
            waiting: clients.len(),
            clients,
            counters: Vec::new(),
            cursors: Vec::new(),
            unnumbered: 0,
            unnumbered_sampled: 0,
            instants: Vec::new(),
            drained: MonoInstant::default(),
        }
    }

    pub(super) const fn set_window(&mut self, window: Window) {
        self.window = Some(window);
    }

    pub(super) fn excludes(&self, client: u32) -> bool {
        self.clients[client as usize].excluded
    }

    /// Leaves `client` out of every figure. What it had is taken back.
    pub(super) fn exclude(&mut self, client: u32) {
        for (counter, cursors) in self.counters.iter_mut().zip(&self.cursors) {
            let held = cursors[client as usize].held.iter();
            held.for_each(|place| counter.number(place).tally.got -= 1);
        }
        self.change(client, |client| client.excluded = true);
    }

    /// Says whether `client` has a connection.
    pub(super) fn set_away(&mut self, client: u32, away: bool) {
        self.change(client, |client| client.away = away);
    }

    /// Whether each client that is connected has something of after the window.
    pub(super) const fn settled(&self) -> bool {
        self.window.is_some() && self.waiting == 0
    }

    fn change(&mut self, client: u32, change: impl FnOnce(&mut Client)) {
        let client = &mut self.clients[client as usize];
        let before = usize::from(client.waits());
        change(client);
        self.waiting = self.waiting - before + usize::from(client.waits());
    }

    /// Takes a message into account and says what it amounts to.
    pub(super) fn classify(&mut self, finding: &Finding) -> ArrivalClass {
        let instant = finding.instant();
        let Some(window) = self.window else { return ArrivalClass::Outside };
        let client = &mut self.clients[finding.client as usize];
        client.fed = finding.at;
        if instant >= window.end && !client.past {
            self.change(finding.client, |client| client.past = true);
        }
        let inside = window.spans(instant);
        match finding.seq {
            Some(seq) => self.numbered(finding, seq.0, inside),
            None if inside => self.without_number(finding),
            None => ArrivalClass::Outside,
        }
    }

    fn numbered(&mut self, finding: &Finding, seq: u64, inside: bool) -> ArrivalClass {
        let sender = finding.sender.index();
        if sender >= self.counters.len() {
            self.counters.resize_with(sender + 1, Counter::default);
            let clients = self.clients.len();
            self.cursors.resize_with(sender + 1, || vec![Cursor::default(); clients]);
        }
        let (counter, client) = (&mut self.counters[sender], finding.client as usize);
        let instant = finding.instant().0;
        let place = counter.place(seq, instant);
        let cursor = &mut self.cursors[sender][client];
        let (is_new, is_behind) = (cursor.held.insert(place), cursor.is_behind(seq));
        cursor.step(seq, finding.due);
        let outside = if is_new { ArrivalClass::Outside } else { ArrivalClass::Duplicate };
        if self.clients[client].excluded {
            return outside;
        }
        let number = counter.number(place);
        if inside {
            number.set_inside(instant);
        }
        if !is_new {
            number.tally.repeats += 1;
            return outside;
        }
        number.tally.got += 1;
        number.tally.behind += u32::from(is_behind);
        number.tally.sampled += u32::from(inside && finding.due.is_some());
        if inside { ArrivalClass::New } else { outside }
    }

    fn without_number(&mut self, finding: &Finding) -> ArrivalClass {
        if self.clients[finding.client as usize].excluded {
            return ArrivalClass::Outside;
        }
        self.unnumbered += 1;
        let Some(due) = finding.due else { return ArrivalClass::New };
        self.unnumbered_sampled += 1;
        match self.instants.last() {
            Some(&last) if due.0 <= last => {
                if let Err(at) = self.instants.binary_search(&due.0) {
                    self.instants.insert(at, due.0);
                }
            }
            _ => self.instants.push(due.0),
        }
        ArrivalClass::New
    }

    /// The drain is over, at `end`: `coming` says of clients that wait what still comes to them.
    pub(super) fn end_drain(&mut self, end: MonoInstant, coming: &dyn Fn(u32) -> Coming) {
        self.drained = end;
        let waiting = (0..).zip(&mut self.clients).filter(|(_, client)| !client.past);
        for (number, client) in waiting {
            let coming = coming(number);
            client.under_way = coming.under_way;
            client.fed = coming.last.unwrap_or(client.fed);
        }
    }

    /// The observations, without names.
    pub(super) fn finish(&mut self) -> Seen {
        let cursors = std::mem::take(&mut self.cursors);
        let counters = std::mem::take(&mut self.counters);
        let counters = counters.iter().zip(&cursors).map(|(counter, cursors)| CounterSeen {
            name: String::new(),
            runs: counter.runs(),
            ends: self.ends(cursors),
            restarts: cursors.iter().fold(None, |mut all, cursor| {
                Restarts::merge(&mut all, cursor.restarts());
                all
            }),
        });
        Seen {
            clients: self.counted().count() as u64,
            counters: counters.collect(),
            without: self.ends(&[]),
            unnumbered: self.unnumbered,
            unnumbered_sampled: self.unnumbered_sampled,
            instants: std::mem::take(&mut self.instants),
            ..Seen::default()
        }
    }

    fn counted(&self) -> impl Iterator<Item = (usize, &Client)> {
        self.clients.iter().enumerate().filter(|(_, client)| !client.excluded)
    }

    /// How far clients came, those that came equally far together: nowhere, where they have no
    /// cursors.
    fn ends(&self, cursors: &[Cursor]) -> Vec<End> {
        let start = self.window.map_or(MonoInstant::default(), |window| window.start);
        let mut ends: HashMap<(Option<u64>, bool), End> = HashMap::new();
        for (index, client) in self.counted() {
            let newest = cursors.get(index).and_then(|cursor| cursor.newest);
            let under_way = client.under_way;
            let (drained, fed) = (self.drained, Duration::ZERO);
            let end = End { newest, under_way, clients: 0, drained, fed };
            let end = ends.entry((newest, under_way)).or_insert(end);
            end.clients += 1;
            end.fed = end.fed.max(client.fed.saturating_since(start));
        }
        let mut ends: Vec<End> = ends.into_values().collect();
        ends.sort_unstable_by_key(|end| (end.newest, end.under_way));
        ends
    }
}
