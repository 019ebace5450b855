//! Parts of a trial's latency: the join of the stamps of server and load generator.

use pushbench_metrics::judge::breakdown::{Breakdown, Coverage};
use pushbench_metrics::observe::stamps::{LoadStamps, ServerStamps};
use pushbench_metrics::record::warning::{
    LOAD_PART, LoadPart, STAMPS_WANTED, StampsDoubt, Warning,
};

/// Joins the stamps of each process; `None` where nothing was. A server of which nothing is known is
/// not this run's, and may have another clock.
pub(crate) fn join(
    of_server: &[ServerStamps],
    of_load: &[LoadStamps],
    same_clock: bool,
) -> Option<Breakdown> {
    let breakdown = Breakdown::join(of_server, of_load, same_clock);
    (breakdown.coverage.arrivals > 0).then_some(breakdown)
}

/// Warnings of its doubts, and of what it says of the whole latency.
pub(crate) fn warnings(breakdown: &Breakdown) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let Coverage { arrivals, samples, impossible, clock_stepped, .. } = breakdown.coverage;
    warnings.extend([0.5, 0.99].into_iter().find_map(|at| load_part(breakdown, at)));
    if clock_stepped {
        warnings.push(Warning::Stamps { doubt: StampsDoubt::ClockSet });
    } else if (samples as f64) < STAMPS_WANTED * arrivals as f64 {
        warnings.push(Warning::Stamps { doubt: StampsDoubt::Missing { samples, arrivals } });
    }
    if impossible > 0 {
        warnings.push(Warning::Stamps { doubt: StampsDoubt::Contradict { samples: impossible } });
    }
    warnings
}

/// That the latency at `quantile` is mostly the load generator's own, where it is.
fn load_part(breakdown: &Breakdown, quantile: f64) -> Option<Warning> {
    let latency_us = breakdown.latency.histogram.supported_percentile_us(quantile)?;
    let without_us = breakdown.without_load.percentile_us(quantile)?;
    let at_p99 = quantile > 0.5;
    let part = LoadPart { at_p99, latency_us, without_us };
    (without_us < (1.0 - LOAD_PART) * latency_us).then_some(Warning::LoadPart(part))
}

#[cfg(test)]
mod tests {
    use pushbench_core::{MonoInstant, Seq};
    use pushbench_metrics::observe::stamps::{Received, Written};

    use super::*;

    /// A hundred messages, each due at its number times 10 µs, with the kernel's stamp and the
    /// arrival so many nanoseconds after it was due.
    fn breakdown(stamped: impl Fn(u64) -> Option<u64>, arrived: impl Fn(u64) -> u64) -> Breakdown {
        let address = "127.0.0.1:40000".parse().unwrap();
        let (mut server, mut load) = (ServerStamps::default(), LoadStamps::default());
        server.peers.push(address);
        load.connections.push((0, address));
        for n in 1..=1_000 {
            let (due, seq) = (MonoInstant(n * 10_000), Seq(n));
            server.published.push((seq, due));
            server.written.push(Written { peer: 0, first: seq, more: 0, at: due, requested: None });
            let kernel = stamped(n).map(|after| due.plus_nanos(after));
            let at = due.plus_nanos(arrived(n));
            load.received.push(Received { seq, last: seq, due, kernel, at, ..Received::default() });
        }
        Breakdown::join(&[server], &[load], true)
    }

    #[test]
    fn a_load_generator_that_is_most_of_the_latency_is_told_with_the_rest() {
        let fair = breakdown(|_| Some(600), |_| 1_000);
        assert!(warnings(&fair).is_empty(), "{:?}", warnings(&fair));
        let slow = warnings(&breakdown(|_| Some(400), |_| 1_000));
        let [Warning::LoadPart(LoadPart { at_p99: false, latency_us, without_us })] = slow[..]
        else {
            panic!("{slow:?}");
        };
        assert_eq!((latency_us, without_us), (1.0, 0.4));
        let at_times = warnings(&breakdown(|_| Some(600), |n| 1_000 * (1 + n % 50)));
        assert!(
            matches!(at_times[..], [Warning::LoadPart(LoadPart { at_p99: false, .. })]),
            "{at_times:?}"
        );
        let seldom = warnings(&breakdown(|_| Some(600), |n| if n % 50 > 0 { 900 } else { 9_000 }));
        assert!(
            matches!(seldom[..], [Warning::LoadPart(LoadPart { at_p99: true, .. })]),
            "{seldom:?}"
        );
    }

    #[test]
    fn stamps_that_are_missing_or_contradict_are_told() {
        let few = warnings(&breakdown(|n| (n % 5 > 0).then_some(600), |_| 1_000));
        let doubt = StampsDoubt::Missing { samples: 800, arrivals: 1_000 };
        assert_eq!(few, [Warning::Stamps { doubt }]);
        // Before it was sent.
        let mut stamps = breakdown(|_| Some(600), |_| 1_000);
        stamps.coverage.impossible = 3;
        let doubt = StampsDoubt::Contradict { samples: 3 };
        assert_eq!(warnings(&stamps), [Warning::Stamps { doubt }]);
        stamps.coverage.clock_stepped = true;
        assert!(warnings(&stamps).contains(&Warning::Stamps { doubt: StampsDoubt::ClockSet }));
    }

    #[test]
    fn without_stamps_there_is_no_breakdown() {
        assert_eq!(join(&[], &[LoadStamps::default()], true), None);
    }
}
