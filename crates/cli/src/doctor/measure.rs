//! The doctor's measurements: wake-ups on each core and round trips over loopback, in turns.
//!
//! In fifths, so that what the machine does differently from one to the next shows: that is the
//! doubt about any two trials that run one after the other.

use std::io;
use std::time::Duration;

use pushbench_metrics::observe::disturbance::{CoreWatch, Disturbance};
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_os::machine::round_trip::PingPong;
use pushbench_os::process::scheduling;
use pushbench_os::time::canary::{Canaries, Canary};
use pushbench_os::time::clock;
use pushbench_run::trial::DisturbanceWatch;
use serde::Serialize;

use super::ciphers::Ciphers;

/// Parts of the measurement.
pub(super) const FIFTHS: u32 = 5;

/// Readings from which the cost of one is told.
const READINGS: u32 = 10_000;

/// Median, 99th percentile and maximum, µs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(super) struct Quantiles {
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    pub(super) max_us: f64,
}

impl Quantiles {
    fn of(histogram: &LatencyHistogram) -> Self {
        // What was watched for no time at all was not late.
        let us = |quantile| histogram.percentile_us(quantile).unwrap_or_default();
        Self { p50_us: us(0.5), p99_us: us(0.99), max_us: us(1.0) }
    }
}

/// The wake-ups of one core.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Core {
    pub(super) core: u32,
    pub(super) late: Quantiles,
}

/// All that was measured.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Measured {
    /// The step that the monotonic clock says it makes, ns.
    pub(super) resolution_ns: u64,
    /// The cost of a reading, ns.
    pub(super) reading_ns: f64,
    /// How late a normal thread woke, on each core.
    pub(super) wake_ups: Vec<Core>,
    /// The round trip of 64 bytes.
    pub(super) round_trip: Quantiles,
    /// Wake-ups of all cores, in each fifth.
    pub(super) wake_ups_by_fifth: Vec<Quantiles>,
    /// Round trips in each fifth.
    pub(super) round_trips_by_fifth: Vec<Quantiles>,
    /// The ciphers of TLS.
    pub(super) ciphers: Ciphers,
    /// Disturbances by the machine and by others meanwhile.
    pub(super) disturbance: Disturbance,
    /// How long all that took, s.
    pub(super) seconds: f64,
}

/// Measures for `length`; `step` is called after each fifth.
pub(super) fn measure(length: Duration, step: impl Fn()) -> io::Result<Measured> {
    let mut watch_over = DisturbanceWatch::start(Some(vec![std::process::id()]), clock::now());
    watch_over.begin();
    let start = clock::now();
    let mut pair = PingPong::new()?;
    let (mut cores, mut trips) = (Vec::new(), LatencyHistogram::default());
    let (mut wake_ups_by_fifth, mut round_trips_by_fifth) = (Vec::new(), Vec::new());
    for _ in 0..FIFTHS {
        let half = length / FIFTHS / 2;
        let watches = watch(half)?;
        let mut all = LatencyHistogram::default();
        watches.iter().for_each(|core| all.merge(&core.lateness));
        wake_ups_by_fifth.push(Quantiles::of(&all));
        add(&mut cores, watches);
        let some = pair.play(half)?;
        round_trips_by_fifth.push(Quantiles::of(&some));
        trips.merge(&some);
        step();
    }
    let wake_ups = |core: &CoreWatch| Core { core: core.core, late: Quantiles::of(&core.lateness) };
    Ok(Measured {
        resolution_ns: u64::try_from(clock::resolution().as_nanos()).unwrap_or(u64::MAX),
        reading_ns: reading_ns(),
        wake_ups: cores.iter().map(wake_ups).collect(),
        round_trip: Quantiles::of(&trips),
        wake_ups_by_fifth,
        round_trips_by_fifth,
        seconds: clock::now().saturating_since(start).as_secs_f64(),
        disturbance: watch_over.end(),
        ciphers: Ciphers::measure()?,
    })
}

fn watch(length: Duration) -> io::Result<Vec<CoreWatch>> {
    let begin = clock::now();
    let canaries = Canaries::start(Canary::Jitter, &scheduling::cores(), begin)?;
    clock::sleep_until(begin + length);
    Ok(canaries.stop().cores)
}

/// Adds what was seen in one fifth to what was seen before, core by core.
fn add(cores: &mut Vec<CoreWatch>, watches: Vec<CoreWatch>) {
    for watch in watches {
        match cores.iter_mut().find(|core| core.core == watch.core) {
            Some(core) => core.lateness.merge(&watch.lateness),
            None => cores.push(watch),
        }
    }
}

/// The cost of a reading of the clock on average.
fn reading_ns() -> f64 {
    let start = clock::now();
    let last = (0..READINGS).fold(start, |_, _| clock::now());
    last.saturating_since(start).as_secs_f64() * 1e9 / f64::from(READINGS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fifth_and_each_core_is_measured() {
        let steps = std::cell::Cell::new(0);
        let length = Duration::from_millis(50);
        let measured = measure(length, || steps.set(steps.get() + 1)).unwrap();
        assert_eq!(steps.get(), FIFTHS);
        assert_eq!(measured.wake_ups.len(), scheduling::cores().len());
        assert_eq!(measured.wake_ups_by_fifth.len(), FIFTHS as usize);
        assert!(measured.seconds >= length.as_secs_f64());
        let Quantiles { p50_us, p99_us, max_us } = measured.round_trip;
        assert!(0.0 < p50_us && p50_us <= p99_us && p99_us <= max_us);
        assert!(measured.reading_ns > 0.0);
    }
}
