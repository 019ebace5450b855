//! Processor time of the threads of other processes: whether one of them had a core to itself.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::process::scheduling;

/// Processor time of each thread of some processes until a moment, by its number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThreadTimes(BTreeMap<u32, Duration>);

impl ThreadTimes {
    /// The living threads of the processes `pids`: some five microseconds for each. Those of which the
    /// kernel does not tell are not among them.
    #[must_use]
    pub fn of(pids: &[u32]) -> Self {
        Self(pids.iter().flat_map(|&pid| scheduling::threads(pid)).collect())
    }

    /// Processor time since the reading `earlier` of the thread that used most; `None` where no thread is
    /// known. What a thread used that has ended is not known.
    #[must_use]
    pub fn busiest_since(&self, earlier: &Self) -> Option<Duration> {
        let since = |(thread, now): (&u32, &Duration)| {
            now.saturating_sub(earlier.0.get(thread).copied().unwrap_or_default())
        };
        self.0.iter().map(since).max()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;
    use crate::process::thread_time::ThreadTime;

    /// Computes until this thread has run for `time`.
    fn burn(time: Duration) {
        let mut clock = ThreadTime::here();
        let mut burnt = Duration::ZERO;
        while burnt < time {
            burnt += clock.lap().cpu;
        }
    }

    /// Two threads that use as much as one could alone are not one that does.
    #[test]
    fn the_busiest_thread_is_not_the_sum_of_all() {
        const EACH: Duration = Duration::from_millis(60);
        let before = ThreadTimes::of(&[std::process::id()]);
        // Whoever has ended is not known any more.
        let (done, read) = (Barrier::new(3), Barrier::new(3));
        let busiest = thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    burn(EACH);
                    done.wait();
                    read.wait();
                });
            }
            done.wait();
            let busiest = ThreadTimes::of(&[std::process::id()]).busiest_since(&before);
            read.wait();
            busiest.unwrap()
        });
        assert!(busiest >= EACH, "{busiest:?}");
        let alone = ThreadTimes(BTreeMap::from([(1, EACH), (2, EACH * 3)]));
        let later = ThreadTimes(BTreeMap::from([(1, EACH * 2), (2, EACH * 3), (3, EACH / 2)]));
        assert_eq!(later.busiest_since(&alone), Some(EACH));
    }

    #[test]
    fn of_nobody_nothing_is_known() {
        let nobody = ThreadTimes::of(&[]);
        assert_eq!(nobody.busiest_since(&nobody), None);
    }
}
