//! Age of information: how old what a client holds is, averaged over time.
//!
//! The age at an instant is that instant minus the intended publish instant of the newest
//! message that the client holds, whoever published it. It grows with time and falls when a newer message arrives, a
//! saw-tooth whose area is known exactly from the arrivals.
//!
//! Source: S. Kaul, R. Yates and M. Gruteser, "Real-time status: How often should one update?",
//! IEEE INFOCOM 2012.

use pushbench_core::MonoInstant;
use serde::{Deserialize, Serialize};

use crate::observe::observer::{Arrival, Finding, Observer, Window};

/// Integrates the age of what each client of a load process holds.
///
/// A client that holds nothing when the window starts is observed from its first arrival on.
#[derive(Debug, Clone)]
pub struct Age {
    window: Option<(u64, u64)>,
    clients: Vec<Client>,
}

impl Age {
    /// For `clients` clients, told apart by their index from 0. It has no window yet.
    #[must_use]
    pub fn new(clients: u32) -> Self {
        Self { window: None, clients: vec![Client::default(); clients as usize] }
    }

    /// Says between which instants ages count. To be called before the window starts: what
    /// arrived before says only what a client holds.
    pub fn set_window(&mut self, window: &Window) {
        let (start, end) = (window.start.0, window.end.0.max(window.start.0));
        self.window = Some((start, end));
        for held in self.clients.iter_mut().filter_map(|client| client.held.as_mut()) {
            held.until = held.until.clamp(start, end);
        }
    }

    /// When the newest message that `client` holds arrived, clamped to the window; `None` where it
    /// holds none.
    #[must_use]
    pub fn held_since(&self, client: u32) -> Option<MonoInstant> {
        let held = self.clients.get(client as usize)?.held?;
        Some(MonoInstant(held.until))
    }

    /// A message that was due at `due` came to `client`: when the newest one before was due and came, if
    /// there was one.
    #[inline]
    pub fn took(&mut self, client: u32, due: MonoInstant, at: MonoInstant) -> Option<Before> {
        let client = &mut self.clients[client as usize];
        let (due, mut at) = (due.0, at.0);
        let before = client.held;
        if before.is_none_or(|held| due > held.due) {
            if let Some((start, end)) = self.window {
                at = at.clamp(start, end);
                client.advance(at);
            }
            client.held = Some(Held { due, until: at });
        }
        before.map(|held| Before { due: MonoInstant(held.due), came: MonoInstant(held.until) })
    }

    /// The ages of the clients that `is_expected` names, up to the window's end.
    #[must_use]
    pub fn finish(&self, is_expected: impl Fn(u32) -> bool) -> AgeTotals {
        let mut totals = AgeTotals::default();
        let Some((_, end)) = self.window else { return totals };
        for (_, client) in (0..).zip(&self.clients).filter(|&(index, _)| is_expected(index)) {
            let mut client = client.clone();
            client.advance(end);
            // Twice the area in ns², so that halves of odd numbers stay whole until here.
            totals.integral_s2 += client.doubled_area as f64 / 2e18;
            totals.observed_ns += client.observed;
            totals.max_ns = totals.max_ns.max(client.oldest);
        }
        totals
    }
}

impl Observer for Age {
    #[inline]
    fn arrived(&mut self, arrival: &Arrival) {
        self.took(arrival.client, arrival.due, arrival.at);
    }

    fn found(&mut self, finding: &Finding) {
        if let Some(due) = finding.due {
            self.took(finding.client, due, finding.at);
        }
    }
}

/// The newest message that a client had before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Before {
    /// Its intended publish instant.
    pub due: MonoInstant,
    /// When it arrived, clamped to the window.
    pub came: MonoInstant,
}

/// The newest message at a client.
#[derive(Debug, Clone, Copy)]
struct Held {
    /// Its intended publish instant.
    due: u64,
    /// The instant up to which its age is integrated.
    until: u64,
}

#[derive(Debug, Clone, Default)]
struct Client {
    held: Option<Held>,
    doubled_area: u128,
    observed: u64,
    oldest: u64,
}

impl Client {
    /// Integrates the age of what is held up to `at`.
    #[inline]
    fn advance(&mut self, at: u64) {
        let Some(held) = self.held.as_mut().filter(|held| held.until < at) else { return };
        // A message in hand before its instant, which only clocks that disagree can show, has no
        // age until then.
        let begin = u128::from(held.until.saturating_sub(held.due));
        let end = at.saturating_sub(held.due);
        self.doubled_area += u128::from(end) * u128::from(end) - begin * begin;
        self.observed += at - held.until;
        self.oldest = self.oldest.max(end);
        held.until = at;
    }
}

/// Ages, summed over clients and time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct AgeTotals {
    /// The integral of the age over time, in seconds × seconds, to the 16 digits of a float.
    pub integral_s2: f64,
    /// The time over which it was taken, summed over clients, in nanoseconds.
    pub observed_ns: u64,
    /// The greatest age, in nanoseconds.
    pub max_ns: u64,
}

impl AgeTotals {
    /// Adds the figures of another load process of the same trial.
    pub fn merge(&mut self, other: &Self) {
        self.integral_s2 += other.integral_s2;
        self.observed_ns += other.observed_ns;
        self.max_ns = self.max_ns.max(other.max_ns);
    }

    /// The mean age in microseconds, over clients and time. `None` where no client ever held
    /// anything.
    #[must_use]
    pub fn mean_us(&self) -> Option<f64> {
        let observed_s = self.observed_ns as f64 / 1e9;
        (self.observed_ns > 0).then(|| self.integral_s2 / observed_s * 1e6)
    }

    /// The greatest age in microseconds. `None` where no client ever held anything.
    #[must_use]
    pub fn max_us(&self) -> Option<f64> {
        (self.observed_ns > 0).then(|| self.max_ns as f64 / 1e3)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pushbench_core::{Sender, Seq};

    use super::*;

    const MS: u64 = 1_000_000;

    fn window(start: u64, end: u64) -> Window {
        Window { start: MonoInstant(start), end: MonoInstant(end), first: Seq(1), last: Seq(1) }
    }

    /// The totals of one client at which a message due at `.0` arrives at `.1`.
    fn totals(window: &Window, arrivals: &[(u64, u64)]) -> AgeTotals {
        let mut age = Age::new(1);
        age.set_window(window);
        for &(due, at) in arrivals {
            let (due, at, sender) = (MonoInstant(due), MonoInstant(at), Sender::FEED);
            age.arrived(&Arrival { client: 0, sender, seq: Seq(due.0), due, at });
        }
        age.finish(|_| true)
    }

    fn assert_near(got: Option<f64>, expected: f64) {
        let got = got.unwrap();
        assert!((got / expected - 1.0).abs() < 1e-9, "{got} is not {expected}");
    }

    /// Derived: a message each T, in hand d later, is d to T + d old: T/2 + d on average.
    #[test]
    fn a_pushed_feed_is_half_a_period_and_the_delay_old() {
        let (period, delay) = (100 * MS, 7 * MS);
        let feed: Vec<_> = (0..50).map(|n| (n * period, n * period + delay)).collect();
        let totals = totals(&window(10 * period, 40 * period), &feed);
        assert_near(totals.mean_us(), 57_000.0);
        assert_near(totals.max_us(), 107_000.0);
        assert_eq!(totals.observed_ns, 30 * period);
    }

    /// Derived: polls each P of a feed each T, evenly out of step with it, see (T + P)/2 + d.
    #[test]
    fn a_polled_feed_adds_half_the_interval() {
        let (period, interval, delay) = (100 * MS, 70 * MS, 3 * MS);
        let polls = (0..800).map(|n| n * interval);
        let feed: Vec<_> = polls.map(|at| (at / period * period, at + delay)).collect();
        // The phases between polls and messages are multiples of 10 ms: half a step from even.
        let totals = totals(&window(7 * period, 77 * 7 * period), &feed);
        assert_near(totals.mean_us(), (100_000.0 + 70_000.0) / 2.0 + 3_000.0 - 5_000.0);
    }

    #[test]
    fn a_client_without_messages_is_not_observed() {
        let window = window(1_000, 2_000);
        assert_eq!(totals(&window, &[]).mean_us(), None);
        let late = totals(&window, &[(1_400, 1_500)]);
        assert_eq!((late.observed_ns, late.max_ns), (500, 600));
        assert_near(late.mean_us(), 0.35);
    }

    #[test]
    fn older_messages_and_other_times_change_nothing() {
        let window = window(1_000, 2_000);
        let plain = totals(&window, &[(900, 950), (1_200, 1_300)]);
        let noisy = [(800, 940), (900, 950), (1_200, 1_300), (1_100, 1_400), (1_900, 2_500)];
        assert_eq!(totals(&window, &noisy), plain);

        let mut age = Age::new(1);
        let (due, at) = (MonoInstant(900), MonoInstant(950));
        age.arrived(&Arrival { client: 0, sender: Sender::FEED, seq: Seq(1), due, at });
        age.set_window(&window);
        assert_eq!(age.finish(|_| true).observed_ns, 1_000);
        assert_eq!(age.finish(|_| false), AgeTotals::default());
    }

    proptest! {
        /// Against the sum of the age at each nanosecond's middle, which is the same area.
        #[test]
        fn the_integral_is_the_area(
            mut arrivals in prop::collection::vec((0_u64..150, 0_u64..40), 0..20)
        ) {
            for arrival in &mut arrivals {
                arrival.1 += arrival.0;
            }
            arrivals.sort_unstable_by_key(|&(_, at)| at);
            let (mut doubled, mut observed, mut oldest) = (0, 0, 0);
            for now in 50_u64..120 {
                let held = arrivals.iter().filter(|&&(_, at)| at <= now).map(|&(due, _)| due).max();
                let Some(due) = held else { continue };
                doubled += 2 * (now - due) + 1;
                observed += 1;
                oldest = oldest.max(now + 1 - due);
            }
            let totals = totals(&window(50, 120), &arrivals);
            prop_assert!((totals.integral_s2 * 2e18 - doubled as f64).abs() < 1e-6);
            prop_assert_eq!((totals.observed_ns, totals.max_ns), (observed, oldest));
        }
    }
}
