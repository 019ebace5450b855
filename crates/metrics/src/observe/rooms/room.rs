//! One room: its audit, the order in which each member heard it, and messages on their way to its last
//! hearer.

use std::collections::HashMap;
use std::ops::Range;
use std::time::Duration;

use pushbench_core::{Delivery, Identity, MonoInstant, Sender, Seq, random};

use crate::observe::audit::{ArrivalClass, Audit, AuditTotals};
use crate::observe::heard::Heard;
use crate::observe::observer::{Arrival, Window};

/// The stream of random numbers that orders are digested with.
const ORDER_STREAM: u64 = 302;

/// One room, as far as one load process plays it. Its members are told apart by their places in it,
/// hearers by their places among those that are here.
#[derive(Debug, Clone)]
pub(super) struct Room {
    /// The numbers of its members among all of the trial's clients.
    members: Range<u32>,
    /// Those of them that are here.
    here: Range<u32>,
    audit: Audit,
    /// Hearers that count.
    hearers: u32,
    /// Messages due in the window, of all members.
    due: u64,
    orders: Vec<Order>,
    /// Messages that some have heard, and not all.
    spreading: HashMap<(u32, Seq), Spreading>,
}

/// The order in which a hearer got the window's messages.
#[derive(Debug, Clone, Copy, Default)]
struct Order {
    digest: u64,
    heard: u64,
}

/// A message on its way to its last hearer.
#[derive(Debug, Clone, Copy)]
struct Spreading {
    first: MonoInstant,
    hearers: u32,
}

impl Room {
    /// The room of these members, in the process that plays these clients.
    pub(super) fn new(members: Range<u32>, clients: &Range<u32>) -> Self {
        let here = members.start.max(clients.start)..members.end.min(clients.end);
        let (senders, hearers) = (members.len() as u32, here.len() as u32);
        Self {
            audit: Audit::new(hearers, senders, Delivery::Every),
            hearers,
            due: 0,
            orders: vec![Order::default(); here.len()],
            spreading: HashMap::new(),
            members,
            here,
        }
    }

    /// The number of its first member that is here.
    pub(super) const fn first_here(&self) -> u32 {
        self.here.start
    }

    /// The place of a member; `None` of somebody else.
    pub(super) fn member(&self, sender: Sender) -> Option<u32> {
        self.members.contains(&sender.0).then(|| sender.0 - self.members.start)
    }

    /// Says which messages of its members count, of the windows of all of the trial's clients.
    pub(super) fn set_speakers(&mut self, windows: &[Window]) {
        let members = self.members.start as usize..self.members.end as usize;
        let windows = windows.get(members).unwrap_or_default();
        self.due = windows.iter().map(Window::len).sum();
        self.audit.set_windows(windows.to_vec());
    }

    pub(super) fn exclude(&mut self, hearer: u32) {
        self.hearers -= u32::from(!self.audit.excludes(hearer));
        self.audit.exclude(hearer);
    }

    pub(super) fn excludes(&self, hearer: u32) -> bool {
        self.audit.excludes(hearer)
    }

    pub(super) const fn settled(&self) -> bool {
        self.audit.settled()
    }

    #[inline]
    pub(super) fn classify(&mut self, arrival: &Arrival) -> ArrivalClass {
        self.audit.classify(arrival)
    }

    /// A hearer that counts got a message of the window for the first time; from the first hearer until
    /// now where it was the last.
    pub(super) fn heard(&mut self, arrival: &Arrival) -> Option<Duration> {
        let order = &mut self.orders[arrival.client as usize];
        let sender = u64::from(arrival.sender.0);
        order.digest = random::bits(order.digest, ORDER_STREAM ^ sender << 32, arrival.seq.0);
        order.heard += 1;
        let key = (arrival.sender.0, arrival.seq);
        let first = Spreading { first: arrival.at, hearers: 0 };
        let spreading = self.spreading.entry(key).or_insert(first);
        spreading.hearers += 1;
        if spreading.hearers < self.hearers {
            return None;
        }
        let first = spreading.first;
        self.spreading.remove(&key);
        Some(arrival.at.saturating_since(first))
    }

    /// Hearers that await messages of the window.
    pub(super) fn awaiting(&self) -> Vec<u32> {
        (0..self.audit.clients()).filter(|&hearer| self.audit.awaits(hearer)).collect()
    }

    pub(super) fn set_under_way(&mut self, hearer: u32) {
        self.audit.set_under_way(hearer);
    }

    pub(super) fn newest(&self, hearer: u32) -> Seq {
        self.audit.newest(hearer)
    }

    /// The window's messages that were still under way when the drain ended, and to how many.
    pub(super) fn late(&self) -> impl Iterator<Item = (Identity, u64)> {
        self.audit.late().map(|(Identity { sender, seq }, hearers)| {
            (Identity { sender: Sender(self.members.start + sender.0), seq }, hearers)
        })
    }

    pub(super) fn totals(&self) -> AuditTotals {
        AuditTotals { due: Some(self.due * u64::from(self.hearers)), ..self.audit.finish() }
    }

    /// Compares the orders of those who heard all.
    pub(super) fn compare(&self, heard: &mut Heard) {
        let mut whole = self.orders.iter().filter(|order| order.heard == self.due && self.due > 0);
        let Some(first) = whole.next() else { return };
        heard.compared += 1;
        for order in whole {
            heard.compared += 1;
            heard.disordered += u64::from(order.digest != first.digest);
        }
    }
}
