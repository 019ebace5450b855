//! The delivery audit: what became of each message at each client.
//!
//! The audit is exact. For each client it knows the newest message that arrived and the ranges
//! below it that did not; while messages come in order that is one comparison and no memory. A
//! gap costs 16 bytes until it is filled, which under [`Delivery::Latest`] may be never.
//!
//! A message that a client awaits when the drain is over is lost, unless it is known to be
//! [under way](Audit::set_under_way): then it is late.

mod gaps;
mod totals;

use pushbench_core::{Delivery, Seq};

pub use self::gaps::Gaps;
pub use self::totals::AuditTotals;
use crate::observe::observer::{Arrival, Observer, Window};

/// The class of an arrival: what it counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArrivalClass {
    /// The first arrival of a message due in the window, at an expected client: a sample.
    New,
    /// The message arrived at this client before, wherever it is due.
    Duplicate,
    /// The first arrival of a message that is not due in the window, or at an excluded client.
    Outside,
}

/// Follows what arrives at each client of a load process.
///
/// Messages not due in the window are not counted, but what overtook and what is newer is judged
/// by all that arrive.
#[derive(Debug, Clone)]
pub struct Audit {
    delivery: Delivery,
    window: Option<Window>,
    clients: Vec<Client>,
    /// Clients that are neither settled nor excluded.
    unsettled: usize,
}

impl Audit {
    /// An audit of `clients` clients, told apart by their index from 0. It has no window yet.
    #[must_use]
    pub fn new(clients: u32, delivery: Delivery) -> Self {
        let clients = vec![Client::default(); clients as usize];
        Self { delivery, window: None, unsettled: clients.len(), clients }
    }

    /// Says which messages count. Those that arrived before are taken into account, except that
    /// duplicates and overtaking among them are no longer known.
    pub fn set_window(&mut self, window: Window) {
        self.window = Some(window);
        self.unsettled = 0;
        for client in &mut self.clients {
            client.delivered = client.covered(&window);
            client.settled = client.has_settled(&window, self.delivery);
            self.unsettled += usize::from(!client.settled && !client.excluded);
        }
    }

    /// Leaves `client` out of every figure: it was not connected at t0. To be called before the
    /// first message that is due in the window can arrive.
    ///
    /// # Panics
    ///
    /// Where there is no such client.
    pub fn exclude(&mut self, client: u32) {
        let client = &mut self.clients[client as usize];
        if !client.excluded {
            client.excluded = true;
            self.unsettled -= usize::from(!client.settled);
        }
    }

    /// Whether `client` was [excluded](Self::exclude).
    ///
    /// # Panics
    ///
    /// Where there is no such client.
    #[must_use]
    pub fn excludes(&self, client: u32) -> bool {
        self.clients[client as usize].excluded
    }

    /// Takes an arrival into account and says what it amounts to.
    ///
    /// # Panics
    ///
    /// Where there is no such client.
    #[inline]
    pub fn classify(&mut self, arrival: &Arrival) -> ArrivalClass {
        let client = &mut self.clients[arrival.client as usize];
        let position = client.insert(arrival.seq.0);
        let inside = self.window.as_ref().filter(|window| window.contains(arrival.seq));
        if inside.is_some() {
            client.duplicated += u64::from(position == Position::Held);
            client.reordered += u64::from(position == Position::Gap);
            client.delivered += u64::from(position != Position::Held);
        }
        let class = match position {
            Position::Held => ArrivalClass::Duplicate,
            _ if inside.is_none() || client.excluded => ArrivalClass::Outside,
            _ => ArrivalClass::New,
        };
        if !client.settled {
            self.settle(arrival.client);
        }
        class
    }

    /// Whether every expected client has every message of the window accounted for: under
    /// [`Delivery::Every`] it has them all, under [`Delivery::Latest`] it has the last or a newer
    /// one. `false` as long as there is no window.
    #[must_use]
    pub const fn settled(&self) -> bool {
        self.window.is_some() && self.unsettled == 0
    }

    /// How many clients there are.
    #[must_use]
    pub fn clients(&self) -> u32 {
        // As many as it was made with.
        u32::try_from(self.clients.len()).unwrap_or(u32::MAX)
    }

    /// Says that what `client` awaits was still coming when the drain ended.
    ///
    /// # Panics
    ///
    /// Where there is no such client.
    pub fn set_under_way(&mut self, client: u32) {
        self.clients[client as usize].under_way = true;
    }

    /// Whether `client` is expected and awaits messages of the window.
    ///
    /// # Panics
    ///
    /// Where there is no such client.
    #[must_use]
    pub fn awaits(&self, client: u32) -> bool {
        let client = &self.clients[client as usize];
        let Some(window) = &self.window else { return false };
        !client.excluded && client.awaited(window) > 0
    }

    /// The newest message that `client` holds, [`Seq::NONE`] where it holds none.
    ///
    /// # Panics
    ///
    /// Where there is no such client.
    #[must_use]
    pub fn newest(&self, client: u32) -> Seq {
        Seq(self.clients[client as usize].newest)
    }

    /// The window's messages that were still under way when the drain ended, and to how many
    /// clients: what counts as late.
    pub fn late(&self) -> impl Iterator<Item = (Seq, u64)> {
        let window = self.window;
        let awaiting = self.clients.iter().filter(|client| client.under_way && !client.excluded);
        let mut newest: Vec<u64> = awaiting.map(|client| client.newest).collect();
        newest.sort_unstable();
        let last = window.map_or(0, |window| window.last.0);
        let first = newest.first().map_or(u64::MAX, |&least| least.saturating_add(1));
        let first = first.max(window.map_or(1, |window| window.first.0));
        let mut behind = 0;
        (first..=last).map(move |seq| {
            while newest.get(behind).is_some_and(|&newest| newest < seq) {
                behind += 1;
            }
            (Seq(seq), behind as u64)
        })
    }

    /// The outcome for the clients that nobody excluded.
    ///
    /// A message that a client did not receive counts as lost; where a newer one did arrive,
    /// under [`Delivery::Latest`] as superseded; where none did but it was
    /// [under way](Self::set_under_way), as late. All zero where no window was set.
    #[must_use]
    pub fn finish(&self) -> AuditTotals {
        let Some(window) = &self.window else { return AuditTotals::default() };
        let mut totals = AuditTotals { published: window.len(), ..AuditTotals::default() };
        for client in self.clients.iter().filter(|client| !client.excluded) {
            totals.add(client, window, self.delivery);
        }
        totals
    }

    #[inline]
    fn settle(&mut self, client: u32) {
        let Some(window) = &self.window else { return };
        let client = &mut self.clients[client as usize];
        // The cheap test comes first: it fails for all but the window's last messages.
        if client.newest >= window.last.0 && client.has_settled(window, self.delivery) {
            client.settled = true;
            self.unsettled -= usize::from(!client.excluded);
        }
    }
}

impl Observer for Audit {
    #[inline]
    fn arrived(&mut self, arrival: &Arrival) {
        self.classify(arrival);
    }
}

/// Where an arriving message belongs among those that came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    /// Newer than all.
    Newest,
    /// Older than the newest, and missing until now.
    Gap,
    /// It is here already.
    Held,
}

/// Sequence numbers that did not arrive, both ends included.
#[derive(Debug, Clone, Copy)]
struct Gap {
    first: u64,
    last: u64,
}

#[derive(Debug, Clone, Default)]
struct Client {
    /// The largest sequence number that arrived, 0 before the first.
    newest: u64,
    /// Numbers that did not arrive below `newest`: disjoint, in rising order.
    gaps: Vec<Gap>,
    /// Different messages of the window that arrived.
    delivered: u64,
    duplicated: u64,
    reordered: u64,
    settled: bool,
    excluded: bool,
    /// The message that it awaits was still coming when the drain ended.
    under_way: bool,
}

impl Client {
    /// Inserts `seq` among what arrived.
    #[inline]
    fn insert(&mut self, seq: u64) -> Position {
        if seq <= self.newest {
            return self.fill(seq);
        }
        if seq - self.newest > 1 {
            self.gaps.push(Gap { first: self.newest + 1, last: seq - 1 });
        }
        self.newest = seq;
        Position::Newest
    }

    /// Takes `seq` out of the gap that holds it, if one does.
    #[cold]
    fn fill(&mut self, seq: u64) -> Position {
        let index = self.gaps.partition_point(|gap| gap.last < seq);
        let Some(gap) = self.gaps.get_mut(index).filter(|gap| gap.first <= seq) else {
            return Position::Held;
        };
        let Gap { first, last } = *gap;
        match (first == seq, last == seq) {
            (true, true) => drop(self.gaps.remove(index)),
            (true, false) => gap.first = seq + 1,
            (false, true) => gap.last = seq - 1,
            (false, false) => {
                gap.last = seq - 1;
                self.gaps.insert(index + 1, Gap { first: seq + 1, last });
            }
        }
        Position::Gap
    }

    /// The parts of gaps that lie in the window, in rising order.
    fn gaps_in(&self, window: &Window) -> impl Iterator<Item = Gap> {
        let (first, last) = (window.first.0, window.last.0);
        let start = self.gaps.partition_point(|gap| gap.last < first);
        let gaps = self.gaps[start..].iter().take_while(move |gap| gap.first <= last);
        let parts =
            gaps.map(move |gap| Gap { first: gap.first.max(first), last: gap.last.min(last) });
        // A window without a message has an end before its beginning.
        parts.filter(|gap| gap.first <= gap.last)
    }

    /// How many messages of the window lie in gaps: missing, though a newer one arrived.
    fn overtaken(&self, window: &Window) -> u64 {
        self.gaps_in(window).map(|gap| gap.last - gap.first + 1).sum()
    }

    /// How many messages of the window are newer than all that arrived.
    fn awaited(&self, window: &Window) -> u64 {
        let first = Seq(window.first.0.max(self.newest + 1));
        Window { first, ..*window }.len()
    }

    /// How many different messages of the window arrived, from the gaps.
    fn covered(&self, window: &Window) -> u64 {
        window.len() - self.overtaken(window) - self.awaited(window)
    }

    fn has_settled(&self, window: &Window, delivery: Delivery) -> bool {
        let caught_up = self.awaited(window) == 0;
        match delivery {
            Delivery::Every => caught_up && self.overtaken(window) == 0,
            Delivery::Latest => caught_up,
        }
    }
}

#[cfg(test)]
mod tests;
