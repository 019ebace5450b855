//! Bounds of what the doctor would trust: the smallest difference of latencies, the largest number
//! of clients.

use pushbench_metrics::judge::stats;
use pushbench_os::machine::limits::{
    BYTES_PER_CLIENT, Bound, Demand, EXTRA_FDS, Limits, MAX_PROCESSES, most_clients,
};
use serde::Serialize;

use super::measure::{Measured, Quantiles};

/// How the smallest difference comes about, in a line.
pub(super) const FORMULA: &str = "the most by which wake-ups moved from one fifth of the \
                                  measurement to another, and the same of round trips, added up";

/// The limits of what can be trusted here.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Trust {
    /// Two medians that differ by less do not differ, µs.
    pub(super) median_us: f64,
    /// Two 99th percentiles that differ by less do not differ, µs.
    pub(super) p99_us: f64,
    /// How these two come about.
    formula: &'static str,
    /// Clients, over as many processes and loopback addresses as it takes.
    pub(super) clients: u64,
    /// The limit that allows no more.
    pub(super) bound_by: &'static str,
    /// The change to make for more.
    pub(super) remedy: String,
}

impl Trust {
    /// Draws it from what was measured and what there is.
    pub(super) fn of(measured: &Measured, limits: &Limits) -> Self {
        let (clients, bound) = most_clients(&Demand::own(0), limits);
        let (bound_by, remedy) = limit(bound, limits, clients);
        Self {
            median_us: doubt(measured, |fifth| fifth.p50_us),
            p99_us: doubt(measured, |fifth| fifth.p99_us),
            formula: FORMULA,
            clients,
            bound_by,
            remedy,
        }
    }
}

/// By how much a figure of one and the same thing moves by itself, µs; at least a clock's step.
fn doubt(measured: &Measured, figure: impl Fn(&Quantiles) -> f64) -> f64 {
    let moved = |fifths: &[Quantiles]| {
        let figures: Vec<f64> = fifths.iter().map(&figure).collect();
        stats::range(&figures).map_or(0.0, |(least, most)| most - least)
    };
    let moved = moved(&measured.wake_ups_by_fifth) + moved(&measured.round_trips_by_fifth);
    moved.max(measured.resolution_ns as f64 / 1e3)
}

/// The name of a limit, and how to raise it above what binds `clients`.
fn limit(bound: Bound, limits: &Limits, clients: u64) -> (&'static str, String) {
    let twice = clients.saturating_mul(2).max(1_000);
    match bound {
        Bound::OpenFiles => {
            let files = twice.div_ceil(MAX_PROCESSES) + EXTRA_FDS;
            ("open files of a process", open_files_remedy(files))
        }
        Bound::MachineFiles => {
            let more = limits.system_files.unwrap_or(0).saturating_mul(2).max(100_000);
            ("open files of the machine", format!("sudo sysctl -w fs.file-max={more}"))
        }
        Bound::LocalPorts => ("local ports of an address", PORTS_REMEDY.to_owned()),
        Bound::Memory => {
            let each = BYTES_PER_CLIENT >> 10;
            ("memory", format!("free memory: each client takes about {each} KiB"))
        }
        Bound::GroupMemory => {
            let more = limits.group_memory_bytes.unwrap_or(0).saturating_mul(2).max(1 << 30);
            let remedy = format!("raise memory.max to {} MiB (`docker run --memory`)", more >> 20);
            ("memory of this container (cgroup)", remedy)
        }
        Bound::TcpBuffers => ("memory of TCP sockets", TCP_REMEDY.to_owned()),
        Bound::EpollWatches => {
            let remedy = format!("sudo sysctl -w fs.epoll.max_user_watches={}", twice * 2);
            ("epoll watches", remedy)
        }
        Bound::TrackedConnections => {
            let remedy = format!("sudo sysctl -w net.netfilter.nf_conntrack_max={twice}");
            ("connections that the packet filter follows", remedy)
        }
    }
}

/// Widens the range of local ports to what there is above the privileged ones.
pub(super) const PORTS_REMEDY: &str = "sudo sysctl -w net.ipv4.ip_local_port_range='1024 65535'";

/// Lets all TCP sockets together take 2 GiB.
pub(super) const TCP_REMEDY: &str = "sudo sysctl -w net.ipv4.tcp_mem='262144 349525 524288'";

/// Raises the hard limit of open files, which takes a privilege.
pub(super) fn open_files_remedy(files: u64) -> String {
    format!("sudo prlimit --pid $$ --nofile={files}:{files}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fifth(p50_us: f64, p99_us: f64) -> Quantiles {
        Quantiles { p50_us, p99_us, max_us: p99_us }
    }

    fn measured(wake_ups: Vec<Quantiles>, trips: Vec<Quantiles>) -> Measured {
        Measured {
            resolution_ns: 1,
            reading_ns: 20.0,
            wake_ups: Vec::new(),
            round_trip: Quantiles::default(),
            wake_ups_by_fifth: wake_ups,
            round_trips_by_fifth: trips,
            ciphers: Default::default(),
            disturbance: Default::default(),
            seconds: 5.0,
        }
    }

    #[test]
    fn what_moves_by_itself_is_no_difference() {
        let measured = measured(
            vec![fifth(20.0, 90.0), fifth(24.0, 300.0), fifth(21.0, 80.0)],
            vec![fifth(30.0, 50.0), fifth(31.5, 60.0)],
        );
        let trust = Trust::of(&measured, &Limits::read());
        assert!((trust.median_us - 5.5).abs() < 1e-9, "{trust:?}");
        assert!((trust.p99_us - 230.0).abs() < 1e-9, "{trust:?}");
    }

    #[test]
    fn a_machine_that_never_moves_is_trusted_to_its_clocks_step() {
        let mut still = measured(vec![fifth(20.0, 20.0); 5], vec![fifth(9.0, 9.0); 5]);
        still.resolution_ns = 4_000_000;
        assert_eq!(Trust::of(&still, &Limits::read()).median_us, 4_000.0);
    }

    #[test]
    fn each_bound_has_a_remedy() {
        let limits = Limits::read();
        let bounds = [
            Bound::OpenFiles,
            Bound::MachineFiles,
            Bound::LocalPorts,
            Bound::Memory,
            Bound::GroupMemory,
            Bound::TcpBuffers,
            Bound::EpollWatches,
            Bound::TrackedConnections,
        ];
        for bound in bounds {
            assert!(!limit(bound, &limits, 20_000).1.is_empty());
        }
        // Twice as many clients over 64 processes.
        assert!(limit(Bound::OpenFiles, &limits, 20_000).1.ends_with("--nofile=689:689"));
    }
}
