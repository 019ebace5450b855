//! Money: what a month of one client costs, item by item.
//!
//! A [`Usage`] is what one client takes in a second, as it was measured in a trial's window, or put
//! together from other figures; [`bill`] multiplies it by a [`Price`]. A month is [`MONTH_S`] seconds, all
//! of which go as that one: what is charged once, such as opening a connection, is not in it.

mod usage;

use pushbench_core::price::{Metered, Price, Tariff};
use pushbench_core::{Transport, with_names};

pub use self::usage::Usage;

/// The seconds of a month: 730 hours, a twelfth of a year, as price lists have it.
pub const MONTH_S: f64 = 730.0 * 3600.0;

with_names! {
    /// The things that money is taken for.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Entry {
        /// Bytes from server to clients.
        Egress = "egress",
        /// Requests, each as many as its size is units.
        Requests = "requests",
        /// Messages on streams, each as many as its size is units.
        Messages = "messages",
        /// The time for which a stream's connection is open.
        Connections = "connections",
        /// CPU time of the server, and of a proxy before it.
        Cpu = "cpu",
        /// Memory of both.
        Memory = "memory",
    }
}

/// A line of a bill.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Item {
    /// The thing that it is for.
    pub entry: Entry,
    /// The price.
    pub tariff: Tariff,
    /// How many of the tariff's units a client takes in a month.
    pub units: f64,
    /// The money for them, in the currency of the tariff.
    pub amount: f64,
}

/// The cost of a month of one client.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cost {
    /// Its parts, in the order of [`Entry::ALL`]; what has no price is not in it.
    pub items: Vec<Item>,
}

impl Cost {
    /// The sum of its items.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.items.iter().map(|item| item.amount).sum()
    }
}

/// Why a contender's cost is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unpriced {
    /// The offer does not carry its transport.
    #[error("it carries no {}", .0.name())]
    NotCarried(Transport),
    /// It has a price for what was not measured.
    #[error("its {} was not measured", .0.name())]
    NotMeasured(Entry),
}

/// The cost of a month of a client that takes `usage` each second.
///
/// # Errors
///
/// [`Unpriced`], where the offer does not carry the transport or something that it charges for was not
/// measured.
pub fn bill(usage: &Usage, price: &Price) -> Result<Cost, Unpriced> {
    if !price.carries(usage.transport) {
        return Err(Unpriced::NotCarried(usage.transport));
    }
    let counted = |metered: Option<Metered>, number: f64, bytes: f64| {
        metered.map(|it| (it.price, Some(number * it.size.counted(bytes))))
    };
    let plain = |tariff: Option<Tariff>, quantity| Some((tariff?, quantity));
    let each = [
        plain(price.egress, usage.out_bytes),
        counted(price.requests, usage.requests, usage.request_bytes),
        counted(price.messages, usage.messages, usage.message_bytes),
        plain(price.connections, Some(usage.connections)),
        plain(price.cpu, usage.cpu_s),
        plain(price.memory, usage.memory_bytes),
    ];
    let mut cost = Cost::default();
    for (entry, charged) in Entry::ALL.into_iter().zip(each) {
        let Some((tariff, per_second)) = charged else { continue };
        let month = per_second.ok_or(Unpriced::NotMeasured(entry))? * MONTH_S;
        let (units, amount) = (tariff.units(month), tariff.of(month));
        cost.items.push(Item { entry, tariff, units, amount });
    }
    Ok(cost)
}

#[cfg(test)]
mod tests;
