//! Server-sent events whose type is none of the feed's, counted by type.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Types that are told apart; a server may make up as many as it likes.
const NAMES: usize = 8;

/// How many such events came, by type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherEvents {
    /// The first types that came, each with its events.
    types: Vec<(String, u64)>,
    /// Events of further types.
    more: u64,
}

impl OtherEvents {
    /// Counts an event of the type `name`.
    pub fn count(&mut self, name: &str) {
        self.add(name, 1);
    }

    fn add(&mut self, name: &str, events: u64) {
        if let Some((_, count)) = self.types.iter_mut().find(|(known, _)| known == name) {
            *count += events;
        } else if self.types.len() < NAMES {
            self.types.push((name.to_owned(), events));
        } else {
            self.more += events;
        }
    }

    /// Adds those of another load process of the same trial.
    pub fn merge(&mut self, other: &Self) {
        other.types.iter().for_each(|(name, events)| self.add(name, *events));
        self.more += other.more;
    }

    /// Whether there were none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.types.is_empty()
    }

    /// How many there were of all types.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.types.iter().map(|(_, events)| events).sum::<u64>() + self.more
    }
}

/// `12 of type `price`, 3 of type `ping``.
impl fmt::Display for OtherEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, events)) in self.types.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{events} of type `{name}`")?;
        }
        if self.more > 0 {
            write!(f, ", {} of further types", self.more)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_counted_by_type_and_types_are_bounded() {
        let mut events = OtherEvents::default();
        assert!(events.is_empty());
        ["price", "ping", "price"].iter().for_each(|name| events.count(name));
        assert_eq!(events.to_string(), "2 of type `price`, 1 of type `ping`");
        let mut other = OtherEvents::default();
        (0..20).for_each(|number| other.count(&format!("t{number}")));
        other.count("ping");
        events.merge(&other);
        assert_eq!(events.total(), 24);
        assert!(events.to_string().ends_with(", 15 of further types"), "{events}");
    }
}
