//! A client of long polls, played over the very instants at which a trial's messages were due.
//!
//! A round trip that is longer than the gap between messages makes a beat of both: of messages each
//! 50 ms and a round trip of 101 ms, each answer leaves 1 ms later after the newest than the one before.
//! A short trial sees a part of the beat only, which no law tells.

use super::law::Dues;

/// The means that a client of long polls has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Held {
    /// Of its latencies.
    pub latency_us: f64,
    /// Of its age of information, over the window.
    pub age_us: f64,
}

/// When a client is at the server.
#[derive(Debug, Clone, Copy)]
struct Polling {
    round_trip: f64,
    /// When its next request is there.
    asked: f64,
    /// Whether a message waits for it.
    waits: bool,
}

impl Polling {
    /// When a message that is due at `due` is answered, in the order in which they are.
    fn answered(&mut self, due: f64) -> f64 {
        if self.waits && due >= self.asked {
            self.asked += self.round_trip;
            self.waits = false;
        }
        if due < self.asked {
            self.waits = true;
            return self.asked;
        }
        self.asked = due + self.round_trip;
        due
    }
}

impl Dues {
    /// The means of a client that waits as the first message is due, has each answer `delay_us` after it
    /// left, and whose next request is at the server `round_trip_us` after that; `None` where no message
    /// is due in the window.
    #[must_use]
    pub fn held(&self, delay_us: f64, round_trip_us: f64) -> Option<Held> {
        let mut polling = Polling { round_trip: round_trip_us * 1e3, asked: 0.0, waits: false };
        let arrive = |&due: &u64| (due as f64, polling.answered(due as f64) + delay_us * 1e3);
        let arrivals: Vec<(f64, f64)> = self.instants().iter().map(arrive).collect();
        let window = self.window();
        let (start, end) = (window.start.0 as f64, window.end.0 as f64);
        let inside = arrivals.iter().filter(|(due, _)| (start..end).contains(due));
        let (count, sum) =
            inside.fold((0_u32, 0.0), |(count, sum), (due, at)| (count + 1, sum + at - due));
        let latency_us = (count > 0).then(|| sum / f64::from(count) / 1e3)?;
        let (mut area, mut observed) = (0.0, 0.0);
        let ends = arrivals.iter().skip(1).map(|(_, at)| *at).chain([end]);
        for (&(due, at), until) in arrivals.iter().zip(ends) {
            let (from, until) = (at.max(start), until.min(end));
            if until > from {
                observed += until - from;
                area += (until - from) * (f64::midpoint(from, until) - due);
            }
        }
        let age_us = if observed > 0.0 { area / observed / 1e3 } else { latency_us };
        Some(Held { latency_us, age_us })
    }
}

#[cfg(test)]
mod tests {
    use pushbench_core::feed::schedule::{Checkpoint, Schedule};
    use pushbench_core::units::Rate;
    use pushbench_core::{MonoInstant, Seq};

    use super::*;
    use crate::judge::models::{Latency, Law};
    use crate::observe::observer::Window;

    const SECOND: u64 = 1_000_000_000;

    fn dues(schedule: &Schedule, seconds: u64) -> Dues {
        let (start, end) = (MonoInstant(2 * SECOND), MonoInstant((2 + seconds) * SECOND));
        let window = Window { start, end, first: Seq(1), last: Seq(1) };
        Dues::new((schedule, 5, MonoInstant(SECOND)), Checkpoint::START, window, SECOND).unwrap()
    }

    fn constant(hz: f64) -> Schedule {
        Schedule::Constant { rate: Rate::from_hz(hz).unwrap() }
    }

    #[test]
    fn messages_that_never_meet_have_the_delay_alone() {
        let held = dues(&constant(4.0), 8).held(50e3, 100e3).unwrap();
        assert!((held.latency_us - 50e3).abs() < 1e-3, "{held:?}");
        assert!((held.age_us - 175e3).abs() < 1.0, "{held:?}");
    }

    /// Messages 50 ms apart, a round trip of 101 ms: an answer at 0, then at 101 with those of 50 and
    /// 100, then at 202 with those of 150 and 200.
    #[test]
    fn a_beat_of_gap_and_round_trip_is_followed_from_its_begin() {
        let dues = dues(&constant(20.0), 1);
        let held = dues.held(50e3, 101e3).unwrap();
        // Half of the messages wait for 50 ms more than the others, and each answer in the window, the
        // tenth to the nineteenth, comes 1 ms later than the one before.
        assert!((held.latency_us - (50e3 + 25e3 + 14.5e3)).abs() < 2e3, "{held:?}");
        let law = Law::Constant { gap_us: 50e3 };
        let even = Latency::long_poll(law, 1, 0.0, 50e3, 101e3).mean_us();
        assert!((even - held.latency_us).abs() > 8e3, "the law knows no beat: {even}");
    }

    #[test]
    fn a_long_poisson_feed_comes_to_its_law() {
        let schedule = Schedule::Poisson { rate: Rate::from_hz(20.0).unwrap() };
        let held = dues(&schedule, 4_000).held(50e3, 100e3).unwrap();
        let law = Latency::long_poll(Law::of(&schedule).unwrap(), 1, 0.0, 50e3, 100e3);
        assert!((held.latency_us / law.mean_us() - 1.0).abs() < 0.01, "{held:?}");
    }
}
