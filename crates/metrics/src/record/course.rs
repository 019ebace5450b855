//! The server's course through a window in which connections end because that was asked for.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The most samples of a course: those of a window of an hour.
const MOST_SAMPLES: usize = 40_000;

/// The server's course through a window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerCourse {
    /// CPU time of its processes, read about each tenth of a second.
    pub cpu: Vec<CpuSample>,
    /// Where it went and another came in its place, when that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restarted: Option<Restarted>,
}

/// CPU time that the server had spent by an instant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CpuSample {
    /// The instant, from the window's start.
    pub at: Duration,
    /// CPU time since the window's start, over all of its processes and those that have gone.
    pub spent: Duration,
}

/// A restart of the server, from the window's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restarted {
    /// When it was killed or told to go.
    pub halted: Duration,
    /// When it had ended.
    pub gone: Duration,
    /// When its successor listened.
    pub back: Duration,
}

impl Restarted {
    /// How long nobody was there to answer: from its order to go, or its end by force, until its
    /// successor listened.
    #[must_use]
    pub const fn without_server(self) -> Duration {
        self.back.saturating_sub(self.halted)
    }
}

impl ServerCourse {
    /// The CPU time spent from each sample to the next, as cores: (from, to, cores).
    pub fn cores(&self) -> impl Iterator<Item = (Duration, Duration, f64)> + '_ {
        let samples = &self.cpu[..self.cpu.len().min(MOST_SAMPLES)];
        samples.windows(2).filter_map(|pair| {
            let [from, to] = pair else { return None };
            let took = to.at.checked_sub(from.at).filter(|took| !took.is_zero())?;
            let spent = to.spent.saturating_sub(from.spent);
            Some((from.at, to.at, spent.as_secs_f64() / took.as_secs_f64()))
        })
    }

    /// The cores that it was busy with at an instant from the window's start.
    #[must_use]
    pub fn cores_at(&self, at: Duration) -> Option<f64> {
        self.cores().find(|(from, to, _)| (*from..*to).contains(&at)).map(|(_, _, cores)| cores)
    }

    /// The most cores that it was busy with, from one sample to the next that is at least half of a
    /// tenth of a second later; `None` where nothing is known.
    #[must_use]
    pub fn busiest(&self) -> Option<f64> {
        let least = super::super::observe::away::TENTH / 2;
        let long = self.cores().filter(|(from, to, _)| to.saturating_sub(*from) >= least);
        long.map(|(_, _, cores)| cores).reduce(f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_tenth_is_told_and_a_moment_is_none() {
        let sample = |at, spent| CpuSample {
            at: Duration::from_millis(at),
            spent: Duration::from_millis(spent),
        };
        let cpu = [(0, 0), (100, 10), (200, 60), (201, 61), (300, 70)];
        let cpu = cpu.into_iter().map(|(at, spent)| sample(at, spent)).collect();
        let course = ServerCourse { cpu, restarted: None };
        assert!((course.busiest().unwrap() - 0.5).abs() < 1e-9);
        assert_eq!(course.cores().count(), 4);
        assert_eq!(ServerCourse::default().busiest(), None);
    }

    #[test]
    fn nobody_is_there_from_the_order_to_go_until_the_next_listens() {
        let ms = Duration::from_millis;
        let restarted = Restarted { halted: ms(2_000), gone: ms(2_010), back: ms(2_550) };
        assert_eq!(restarted.without_server(), ms(550));
    }
}
