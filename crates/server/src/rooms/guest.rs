//! One client as rooms know it, from accept to close: where it is, and how much it may still say.

use std::rc::Rc;
use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_core::units::Rate;

use super::attendance::{Attendance, Present};

/// How long one that polls is in the room for which it has asked, unless it waits there.
const STAY: Duration = Duration::from_secs(10);

/// How often something may be done, on the whole and at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Allowance {
    /// Times in a second.
    pub per_second: f64,
    /// Times at once, after a while without.
    pub at_once: u32,
}

impl Allowance {
    /// This often on the whole, and twice as often as in a second at once.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "cut to what is as good as no bound"
    )]
    pub fn of(rate: Rate) -> Self {
        let per_second = rate.hz();
        Self { per_second, at_once: (2.0 * per_second).ceil() as u32 }
    }

    /// The time in which one comes back that was spent.
    fn each(self) -> Duration {
        Duration::try_from_secs_f64(1.0 / self.per_second).unwrap_or(Duration::MAX)
    }
}

/// Part of an allowance that has been spent (the generic cell rate algorithm, ITU-T I.371).
#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    /// When all of it will have come back.
    until: MonoInstant,
}

impl Spent {
    /// Spends one.
    ///
    /// # Errors
    ///
    /// The time until there is one.
    fn one(&mut self, of: Allowance, now: MonoInstant) -> Result<(), Duration> {
        let each = of.each();
        let spent = self.until.saturating_since(now);
        let most = each.saturating_mul(of.at_once.saturating_sub(1));
        if spent > most {
            return Err(spent.saturating_sub(most));
        }
        self.until = self.until.max(now) + each;
        Ok(())
    }
}

/// A client.
#[derive(Debug, Default)]
pub(crate) struct Guest {
    said: Spent,
    begun: Spent,
    present: Option<Present>,
}

impl Guest {
    /// Says one message more.
    ///
    /// # Errors
    ///
    /// The time after which it may.
    pub(crate) fn says(&mut self, allowed: Allowance, now: MonoInstant) -> Result<(), Duration> {
        self.said.one(allowed, now)
    }

    /// Begins one room more.
    ///
    /// # Errors
    ///
    /// The time after which it may.
    pub(crate) fn begins(&mut self, allowed: Allowance, now: MonoInstant) -> Result<(), Duration> {
        self.begun.one(allowed, now)
    }

    /// Is in this room and in no other.
    pub(crate) fn enters(&mut self, room: &Rc<Attendance>, now: MonoInstant) {
        match &mut self.present {
            Some(present) if present.is_in(room) => present.asks(now),
            present => *present = Some(Present::new(room, now)),
        }
    }

    /// Has waited up to now in the room where it is.
    pub(crate) fn has_waited(&mut self, now: MonoInstant) {
        if let Some(present) = &mut self.present {
            present.asks(now);
        }
    }

    /// Is in no room any more, since it has not asked for long.
    pub(crate) fn leaves_unless_it_asked(&mut self, now: MonoInstant) {
        self.present.take_if(|present| now.saturating_since(present.asked()) > STAY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_comes_back_with_time() {
        let allowed = Allowance { per_second: 10.0, at_once: 3 };
        let (mut spent, now) = (Spent::default(), MonoInstant(1_000_000_000));
        for _ in 0..3 {
            assert_eq!(spent.one(allowed, now), Ok(()));
        }
        assert_eq!(spent.one(allowed, now), Err(Duration::from_millis(100)));
        let later = now + Duration::from_millis(100);
        assert_eq!(spent.one(allowed, later), Ok(()));
        assert!(spent.one(allowed, later).is_err());
        let much_later = now + Duration::from_secs(60);
        for _ in 0..3 {
            assert_eq!(spent.one(allowed, much_later), Ok(()), "no more than at once");
        }
        assert!(spent.one(allowed, much_later).is_err());
    }
}
