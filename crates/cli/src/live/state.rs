//! The state of the view: what it was told, and what follows for the last second. It knows no clock.

use std::time::Duration;

use pushbench_metrics::observe::ledger::{Layer, Phase};
use pushbench_metrics::observe::so_far::SoFar;
use pushbench_metrics::record::control::Progress;
use pushbench_run::Cpu;

/// The least time between two looks of which a rate is made: of several load processes each tells when
/// its second is over.
const SECOND: Duration = Duration::from_millis(900);

/// Seconds that are kept, more than a terminal is wide.
const KEPT: usize = 1_000;

/// Something that happens in a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum News {
    /// So much of the run is done, a share of its time, and how long the rest takes.
    Left { done: f64, left: String },
    /// A trial begins.
    Trial(String),
    /// It has come to a phase.
    Phase(Phase),
    /// About once a second: what its load processes have counted.
    Progress(Progress),
    /// About once a second: what its two sides use.
    Cpu(Cpu),
}

/// The state of the view.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The name of the run's scenario.
    pub(super) name: String,
    /// The share of the run's time that is over, and how long the rest takes.
    pub(super) left: Option<(f64, String)>,
    /// The trial that runs.
    pub(super) trial: Trial,
}

/// The state of a trial.
#[derive(Debug, Default)]
pub(super) struct Trial {
    pub(super) name: String,
    pub(super) phase: Option<Phase>,
    pub(super) messages: u64,
    /// Median latency of the last second, µs.
    pub(super) latency_us: Option<f64>,
    pub(super) so_far: Option<SoFar>,
    pub(super) cpu: Cpu,
    /// Messages of each second.
    pub(super) rates: Vec<f64>,
    /// Median latencies of each second, µs.
    pub(super) latencies: Vec<Option<f64>>,
    /// Bytes of the last second, by layer in the order of [`Layer::AT_SOCKET`].
    pub(super) byte_rates: Option<[f64; Layer::AT_SOCKET.len()]>,
    /// The look that the last second began with.
    seen: Option<(Duration, Progress)>,
}

impl State {
    /// Of a run that is about to begin.
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Takes what happened `at` so long after the beginning.
    pub(super) fn take(&mut self, at: Duration, news: News) {
        match news {
            News::Left { done, left } => self.left = Some((done, left)),
            News::Trial(name) => self.trial = Trial { name, ..Trial::default() },
            News::Phase(phase) => {
                self.trial.phase = Some(phase);
                if phase == Phase::Warmup {
                    self.trial.seen = Some((at, Progress::default()));
                }
            }
            News::Progress(progress) => self.trial.progress(at, progress),
            News::Cpu(cpu) => self.trial.cpu = cpu,
        }
    }
}

impl Trial {
    fn progress(&mut self, at: Duration, progress: Progress) {
        self.messages = progress.messages;
        self.so_far = progress.so_far;
        let Some((before, seen)) = self.seen else {
            self.seen = Some((at, progress));
            return;
        };
        let elapsed = at.saturating_sub(before);
        if elapsed < SECOND {
            return;
        }
        let each_second = |count: u64| count as f64 / elapsed.as_secs_f64();
        push(&mut self.rates, each_second(progress.messages.saturating_sub(seen.messages)));
        push(&mut self.latencies, progress.latency_p50_us);
        self.latency_us = progress.latency_p50_us;
        self.byte_rates = progress.so_far.zip(seen.so_far).map(|(now, before)| {
            Layer::AT_SOCKET.map(|layer| {
                each_second(now.bytes.layer(layer).saturating_sub(before.bytes.layer(layer)))
            })
        });
        self.seen = Some((at, progress));
    }
}

fn push<T>(seconds: &mut Vec<T>, second: T) {
    if seconds.len() == KEPT {
        seconds.remove(0);
    }
    seconds.push(second);
}

#[cfg(test)]
mod tests {
    use pushbench_metrics::observe::ledger::{Direction, Tally};

    use super::*;

    fn after(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn progress(messages: u64, payload: u64, latency_p50_us: Option<f64>) -> News {
        let mut bytes = Tally::default();
        bytes.add(Direction::Down, Layer::Payload, payload);
        let so_far = Some(SoFar { bytes, ..SoFar::default() });
        News::Progress(Progress { messages, bytes: payload, latency_p50_us, so_far })
    }

    fn told(news: impl IntoIterator<Item = (u64, News)>) -> Trial {
        let mut state = State::new("quick");
        news.into_iter().for_each(|(at, news)| state.take(after(at), news));
        state.trial
    }

    #[test]
    fn a_second_is_what_came_since_the_last_over_the_time_that_it_took() {
        let trial = told([
            (500, News::Phase(Phase::Warmup)),
            (1_500, progress(100, 6_400, Some(250.0))),
            (3_500, progress(500, 32_000, None)),
        ]);
        assert_eq!((trial.messages, trial.rates), (500, vec![100.0, 200.0]));
        assert_eq!(trial.latencies, [Some(250.0), None]);
        assert_eq!(trial.byte_rates, Some([12_800.0, 0.0, 0.0, 0.0]));
    }

    /// Two load processes, each of which tells of itself each second: what the first adds is all of the
    /// last second's, and half of the messages.
    #[test]
    fn news_of_a_second_process_make_no_second_of_their_own() {
        let trial = told([
            (0, News::Phase(Phase::Warmup)),
            (1_000, progress(100, 0, None)),
            (1_010, progress(200, 0, None)),
            (2_000, progress(300, 0, None)),
            (2_010, progress(400, 0, None)),
            (3_000, progress(500, 0, None)),
        ]);
        assert_eq!((trial.messages, trial.rates), (500, vec![100.0, 200.0, 200.0]));
    }

    #[test]
    fn the_next_trial_begins_with_nothing() {
        let trial = told([
            (0, News::Phase(Phase::Warmup)),
            (1_000, progress(100, 64, Some(1.0))),
            (1_000, News::Cpu(Cpu { server: Some(0.5), load: None })),
            (1_500, News::Trial("round 1/3  sse".to_owned())),
        ]);
        assert_eq!((trial.messages, trial.so_far, trial.cpu), (0, None, Cpu::default()));
        assert!(trial.rates.is_empty() && trial.latencies.is_empty() && trial.phase.is_none());
    }

    #[test]
    fn a_day_of_seconds_takes_no_more_room_than_a_terminal_shows() {
        let seconds = (1..=3 * KEPT as u64).map(|n| (n * 1_000, progress(n * n, 0, None)));
        let trial = told(seconds);
        assert_eq!((trial.rates.len(), trial.latencies.len()), (KEPT, KEPT));
        assert_eq!(trial.rates.last(), Some(&5_999.0));
    }
}
