//! The delivery audit: what became of each message at each client.
//!
//! The audit is exact. For each client and sender it knows the newest message that arrived and the
//! ranges below it that did not; while messages come in order that is one comparison and no memory. A
//! gap costs 16 bytes until it is filled, which under [`Delivery::Latest`] may be never. What came
//! from one sender says nothing of what is missing from another.
//!
//! A message that a client awaits when the drain is over is lost, unless it is known to be
//! [under way](Audit::set_under_way): then it is late.

mod gaps;
mod totals;

use pushbench_core::{Delivery, Identity, Sender, Seq};

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
    /// Of each sender; none before they are known.
    windows: Vec<Window>,
    clients: usize,
    /// Those of the first sender by client, then those of the next.
    cursors: Vec<Cursor>,
    /// Cursors that are neither settled nor of an excluded client.
    unsettled: usize,
}

impl Audit {
    /// An audit of what `clients` clients, told apart by their index from 0, receive from each of
    /// `senders` senders. It has no window yet.
    #[must_use]
    pub fn new(clients: u32, senders: u32, delivery: Delivery) -> Self {
        let clients = clients as usize;
        let cursors = vec![Cursor::default(); clients * senders as usize];
        Self { delivery, windows: Vec::new(), clients, unsettled: cursors.len(), cursors }
    }

    /// Says which messages count: of each sender those of the same numbers, as
    /// [`set_windows`](Self::set_windows) does.
    pub fn set_window(&mut self, window: Window) {
        let senders = self.cursors.len().checked_div(self.clients).unwrap_or(1);
        self.set_windows(vec![window; senders]);
    }

    /// Says which messages of each sender count. Those that arrived before are taken into account,
    /// except that duplicates and overtaking among them are no longer known.
    pub fn set_windows(&mut self, windows: Vec<Window>) {
        self.unsettled = 0;
        for (window, cursors) in windows.iter().zip(self.cursors.chunks_mut(self.clients.max(1))) {
            for cursor in cursors {
                cursor.delivered = cursor.covered(window);
                cursor.settled = cursor.has_settled(window, self.delivery);
                self.unsettled += usize::from(!cursor.settled && !cursor.excluded);
            }
        }
        self.windows = windows;
    }

    /// Leaves `client` out of every figure: it was not connected at t0. To be called before the
    /// first message that is due in the window can arrive.
    ///
    /// # Panics
    ///
    /// Where there is no such client.
    pub fn exclude(&mut self, client: u32) {
        let mut unsettled = 0;
        for cursor in self.of_mut(client).filter(|cursor| !cursor.excluded) {
            cursor.excluded = true;
            unsettled += usize::from(!cursor.settled);
        }
        self.unsettled -= unsettled;
    }

    /// Whether `client` was [excluded](Self::exclude).
    ///
    /// # Panics
    ///
    /// Where there is no such client.
    #[must_use]
    pub fn excludes(&self, client: u32) -> bool {
        self.of(client).any(|cursor| cursor.excluded)
    }

    /// Takes an arrival into account and says what it amounts to.
    ///
    /// # Panics
    ///
    /// Where there is no such client or sender.
    #[inline]
    pub fn classify(&mut self, arrival: &Arrival) -> ArrivalClass {
        let index = arrival.sender.index() * self.clients + arrival.client as usize;
        let cursor = &mut self.cursors[index];
        let position = cursor.insert(arrival.seq.0);
        let window = self.windows.get(arrival.sender.index());
        let is_inside = window.is_some_and(|window| window.contains(arrival.seq));
        if is_inside {
            cursor.count(position);
        }
        let class = match position {
            Position::Held => ArrivalClass::Duplicate,
            _ if !is_inside || cursor.excluded => ArrivalClass::Outside,
            _ => ArrivalClass::New,
        };
        if !cursor.settled {
            self.settle(index);
        }
        class
    }

    /// Whether every expected client has every message of the window accounted for: under
    /// [`Delivery::Every`] it has them all, under [`Delivery::Latest`] it has the last of each sender
    /// or a newer one. `false` as long as there is no window.
    #[must_use]
    pub const fn settled(&self) -> bool {
        !self.windows.is_empty() && self.unsettled == 0
    }

    /// How many clients there are.
    #[must_use]
    pub fn clients(&self) -> u32 {
        // As many as it was made with.
        u32::try_from(self.clients).unwrap_or(u32::MAX)
    }

    /// Says that what `client` awaits was still coming when the drain ended.
    ///
    /// # Panics
    ///
    /// Where there is no such client.
    pub fn set_under_way(&mut self, client: u32) {
        self.of_mut(client).for_each(|cursor| cursor.under_way = true);
    }

    /// Whether `client` is expected and awaits messages of the window.
    ///
    /// # Panics
    ///
    /// Where there is no such client.
    #[must_use]
    pub fn awaits(&self, client: u32) -> bool {
        let mut cursors = self.of(client).zip(&self.windows);
        cursors.any(|(cursor, window)| !cursor.excluded && cursor.awaited(window) > 0)
    }

    /// The greatest number that `client` holds of any sender, [`Seq::NONE`] where it holds none.
    ///
    /// # Panics
    ///
    /// Where there is no such client.
    #[must_use]
    pub fn newest(&self, client: u32) -> Seq {
        Seq(self.of(client).map(|cursor| cursor.newest).max().unwrap_or(0))
    }

    /// The greatest number that `client` holds of the first sender.
    ///
    /// # Panics
    ///
    /// Where there is no such client.
    #[inline]
    #[must_use]
    pub fn newest_of_first(&self, client: u32) -> Seq {
        Seq(self.cursors[client as usize].newest)
    }

    /// The cursors of a client, one for each sender.
    fn of(&self, client: u32) -> impl Iterator<Item = &Cursor> + Clone {
        self.cursors[client as usize..].iter().step_by(self.clients)
    }

    fn of_mut(&mut self, client: u32) -> impl Iterator<Item = &mut Cursor> {
        self.cursors[client as usize..].iter_mut().step_by(self.clients)
    }

    /// The window's messages that were still under way when the drain ended, and to how many
    /// clients: what counts as late.
    pub fn late(&self) -> impl Iterator<Item = (Identity, u64)> {
        let senders = self.cursors.chunks(self.clients.max(1)).zip(&self.windows);
        (0..).map(Sender).zip(senders).flat_map(|(sender, (cursors, window))| {
            let late = late_of(cursors, window);
            late.map(move |(seq, clients)| (Identity { sender, seq }, clients))
        })
    }

    /// The outcome for the clients that nobody excluded.
    ///
    /// A message that a client did not receive counts as lost; where a newer one did arrive,
    /// under [`Delivery::Latest`] as superseded; where none did but it was
    /// [under way](Self::set_under_way), as late. All zero where no window was set.
    #[must_use]
    pub fn finish(&self) -> AuditTotals {
        if self.windows.is_empty() {
            return AuditTotals::default();
        }
        let published = self.windows.iter().map(Window::len).sum();
        let mut totals = AuditTotals { published, ..AuditTotals::default() };
        for client in (0..self.clients()).filter(|&client| !self.excludes(client)) {
            totals.add(self.of(client).zip(&self.windows), self.delivery);
        }
        totals
    }

    #[inline]
    fn settle(&mut self, index: usize) {
        let Some(window) = self.windows.get(index / self.clients) else { return };
        let cursor = &mut self.cursors[index];
        // The cheap test comes first: it fails for all but the window's last messages.
        if cursor.newest >= window.last.0 && cursor.has_settled(window, self.delivery) {
            cursor.settled = true;
            self.unsettled -= usize::from(!cursor.excluded);
        }
    }
}

/// Late messages of one sender, each with the number of clients that it is late to.
fn late_of(cursors: &[Cursor], window: &Window) -> impl Iterator<Item = (Seq, u64)> + use<> {
    let awaiting = cursors.iter().filter(|cursor| cursor.under_way && !cursor.excluded);
    let mut newest: Vec<u64> = awaiting.map(|cursor| cursor.newest).collect();
    newest.sort_unstable();
    let last = window.last.0;
    let first = newest.first().map_or(u64::MAX, |&least| least.saturating_add(1));
    let first = first.max(window.first.0);
    let mut behind = 0;
    (first..=last).map(move |seq| {
        while newest.get(behind).is_some_and(|&newest| newest < seq) {
            behind += 1;
        }
        (Seq(seq), behind as u64)
    })
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

/// One sender's messages at one client.
#[derive(Debug, Clone, Default)]
struct Cursor {
    /// The largest sequence number that arrived, 0 before the first.
    newest: u64,
    /// Numbers that did not arrive below `newest`: disjoint, in rising order.
    gaps: Vec<Gap>,
    /// Different messages of the window that arrived.
    delivered: u64,
    duplicated: u64,
    reordered: u64,
    settled: bool,
    /// The client is left out.
    excluded: bool,
    /// Messages that the client awaits were still coming when the drain ended.
    under_way: bool,
}

impl Cursor {
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

    /// Counts a message of the window by its position.
    #[inline]
    fn count(&mut self, position: Position) {
        match position {
            Position::Newest => self.delivered += 1,
            Position::Gap => {
                self.delivered += 1;
                self.reordered += 1;
            }
            Position::Held => self.duplicated += 1,
        }
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
    fn gaps_in(&self, window: &Window) -> impl Iterator<Item = Gap> + use<'_> {
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
