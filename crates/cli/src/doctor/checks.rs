//! Each check of the doctor: what was found, what it is worth, what to type.

use pushbench_metrics::observe::instrument::SHORTEST_STALL;
use pushbench_metrics::record::environment::Environment;
use pushbench_metrics::record::warning::{OTHERS_SHARE, STALL, STALLED_A_LITTLE};
use pushbench_os::machine::limits::{BYTES_PER_CLIENT, Limits};
use pushbench_report::human;

use super::check::{Check, CheckStatus};
use super::measure::{Measured, Quantiles};
use super::trust::{PORTS_REMEDY, TCP_REMEDY, open_files_remedy};

const TIME: &str = "time";
const MACHINE: &str = "machine";
const PACKETS: &str = "packets";
const LIMITS: &str = "limits";

/// A round trip whose median is longer hides what transports differ by, µs.
const SLOW_TRIP_US: f64 = 200.0;

/// A clock that takes longer to read than this asks the kernel for it, ns.
const SLOW_READING_NS: f64 = 250.0;

/// Open files that a thousand clients and then some need.
const FEW_FILES: u64 = 4_096;

/// Ports that an address should have for runs with ten thousands of clients.
const FEW_PORTS: u64 = 28_000;

/// A listener that queues fewer loses connections when a thousand clients connect at once.
const SHORT_BACKLOG: u32 = 1_024;

/// Memory for ten thousand clients.
const LITTLE_MEMORY: u64 = 10_000 * BYTES_PER_CLIENT;

/// All checks, in the order in which they are shown.
pub(super) fn all(environment: &Environment, measured: &Measured, allowed: &Limits) -> Vec<Check> {
    let mut checks = time(environment, measured);
    checks.extend(machine(environment, measured));
    checks.extend(packets(environment));
    checks.extend(limits(environment, allowed));
    checks.extend(measured.ciphers.checks());
    checks
}

fn time(environment: &Environment, measured: &Measured) -> Vec<Check> {
    const QUIET: &str = "leave the machine idle, and see `machine` below";
    let source = &environment.clocksource;
    let found = format!("{}, read in {:.0} ns", or_unknown(source), measured.reading_ns);
    let fast = measured.reading_ns < SLOW_READING_NS;
    let mut checks = vec![
        Check::new(TIME, "clock source", found).limited_unless(
            fast,
            "echo tsc | sudo tee /sys/devices/system/clocksource/clocksource0/current_clocksource",
        ),
        Check::new(TIME, "timer resolution", format!("{} ns", measured.resolution_ns))
            .limited_unless(
                measured.resolution_ns == 1,
                "boot with a kernel that has high-resolution timers, without `highres=off`",
            ),
    ];
    let calm = SHORTEST_STALL.as_secs_f64() * 1e6;
    for core in &measured.wake_ups {
        let found = format!("{} late", quantiles(&core.late));
        checks.push(
            Check::new(TIME, format!("wake-ups, core {}", core.core), found)
                .limited_unless(core.late.p99_us < calm, QUIET),
        );
    }
    checks.push(
        Check::new(TIME, "loopback round trip", quantiles(&measured.round_trip))
            .limited_unless(measured.round_trip.p50_us < SLOW_TRIP_US, QUIET),
    );
    checks
}

fn machine(environment: &Environment, measured: &Measured) -> Vec<Check> {
    let cores = environment.cores.unwrap_or(1);
    let physical = environment.physical_cores.unwrap_or(cores);
    let threads = match physical {
        1 if cores > 1 => ", threads of one physical core".to_owned(),
        fewer if fewer < cores => format!(", on {fewer} physical cores"),
        _ => String::new(),
    };
    let cpu = format!("{cores} × {}{threads}", or_unknown(&environment.cpu_model));
    let quota = environment.cpu_quota_millis.map(|millis| f64::from(millis) / 1e3);
    let governor = &environment.governor;
    let frequency = if governor.is_empty() { "not under this system's control" } else { governor };
    let smt = match environment.smt {
        Some(true) => "on: two of the processors share a core",
        Some(false) => "off",
        None => "not known",
    };
    let mut checks = vec![
        Check::new(MACHINE, "processors", cpu).limited_unless(
            cores >= 2 && physical >= 2,
            "use a machine with two or more cores: server and load generator take turns on one",
        ),
        Check::new(MACHINE, "processor quota", quota_in_words(quota)).limited_unless(
            quota.is_none(),
            "raise or remove the container's: `docker run --cpus`, systemd's CPUQuota, cpu.max",
        ),
        Check::new(MACHINE, "frequency governor", frequency).limited_unless(
            governor.is_empty() || governor == "performance",
            "sudo cpupower frequency-set -g performance",
        ),
        Check::new(MACHINE, "SMT", smt).limited_unless(
            environment.smt != Some(true),
            "echo off | sudo tee /sys/devices/system/cpu/smt/control",
        ),
    ];
    checks.extend(disturbances(environment, measured));
    checks
}

fn quota_in_words(quota: Option<f64>) -> String {
    quota.map_or("none".to_owned(), |cores| format!("{cores:.2} processors' time"))
}

/// Disturbances by the machine itself while it was measured.
fn disturbances(environment: &Environment, measured: &Measured) -> Vec<Check> {
    let disturbance = &measured.disturbance;
    let mut checks = Vec::new();
    let kind = match environment.hypervisor {
        Some(true) => "yes",
        Some(false) => "no",
        None => "not known",
    };
    let found = format!("{kind}; {:.1} % of the time stolen", disturbance.stolen * 100.0);
    checks.push(Check::new(MACHINE, "virtual machine", found).limited_unless(
        environment.hypervisor == Some(false) || disturbance.stolen < STALLED_A_LITTLE,
        "use a machine with processors of its own",
    ));
    let worst = disturbance.worst_stall().unwrap_or_default();
    let found = format!("the longest {}", human::time(worst.as_secs_f64() * 1e6));
    let stall = Check::new(MACHINE, "stalls", found);
    let status = if worst > STALL { CheckStatus::Cannot } else { CheckStatus::Limited };
    checks.push(stall.unless(
        worst < SHORTEST_STALL * 10,
        status,
        "repeat; if it stays, use a machine with processors of its own",
    ));
    if let Some(others) = &disturbance.others {
        let by = others.busiest.as_ref().map(|by| format!(", most of all `{}`", by.name));
        let share = others.share * 100.0;
        let found = format!("{share:.0} % of the processors{}", by.unwrap_or_default());
        checks.push(Check::new(MACHINE, "other processes", found).limited_unless(
            others.share < OTHERS_SHARE,
            "end them, or wait until they have ended",
        ));
    }
    let real_time = environment.real_time == Some(true);
    let found = if real_time { "goes before all normal threads" } else { "at normal priority" };
    checks.push(Check::new(MACHINE, "stall detection", found).limited_unless(real_time, setcap()));
    checks
}

/// Gives this very binary the privileges that it can use.
fn setcap() -> String {
    let binary = std::env::current_exe().map(|path| path.display().to_string());
    let binary = binary.unwrap_or_else(|_| "$(command -v pushbench)".to_owned());
    format!("sudo setcap cap_net_raw,cap_sys_nice+ep {binary}")
}

fn packets(environment: &Environment) -> Vec<Check> {
    let stamps = environment.receive_stamps == Some(true);
    let capture = environment.packet_capture == Some(true);
    let can = |can: bool| if can { "available" } else { "not available" };
    vec![
        Check::new(PACKETS, "receive timestamps", can(stamps)).unless(
            stamps,
            CheckStatus::Cannot,
            "use a Linux kernel with CONFIG_NETWORK_PHY_TIMESTAMPING or newer than 4.0; without, \
             latency is not split into its parts",
        ),
        Check::new(PACKETS, "packet capture", can(capture)).unless(
            capture,
            CheckStatus::Cannot,
            format!("{}; without, the kernel counts for each connection", setcap()),
        ),
    ]
}

fn limits(environment: &Environment, allowed: &Limits) -> Vec<Check> {
    let soft = environment.open_files_soft.unwrap_or(0);
    let hard = allowed.open_files;
    let open_files = match (human::limit(soft), human::limit(hard)) {
        (soft, hard) if soft == hard => format!("{hard} a process"),
        (soft, hard) => format!("{soft} a process, which a run raises to {hard} by itself"),
    };
    let ports = &allowed.local_ports;
    let port_count = u64::try_from(ports.len()).unwrap_or(0);
    let backlog = environment.somaxconn.unwrap_or(0);
    let memory = allowed.memory_bytes;
    let mut checks = vec![
        Check::new(LIMITS, "open files", open_files)
            .limited_unless(hard >= FEW_FILES, open_files_remedy(1 << 20)),
        Check::new(
            LIMITS,
            "local ports",
            format!("{} to {}: {}", ports.start(), ports.end(), human::count(port_count)),
        )
        .limited_unless(port_count >= FEW_PORTS, PORTS_REMEDY),
        Check::new(LIMITS, "listen backlog", human::count(backlog.into()))
            .limited_unless(backlog >= SHORT_BACKLOG, "sudo sysctl -w net.core.somaxconn=4096"),
        Check::new(LIMITS, "free memory", memory.map_or("not known".to_owned(), size))
            .limited_unless(
                memory.is_none_or(|bytes| bytes >= LITTLE_MEMORY),
                format!("free memory: a client takes about {} KiB", BYTES_PER_CLIENT >> 10),
            ),
    ];
    if let (Some(free), Some(most)) = (allowed.group_memory_bytes, environment.memory_limit_bytes) {
        let found = format!("{} of {} are free", size(free), size(most));
        checks.push(Check::new(LIMITS, "container memory", found).limited_unless(
            free >= LITTLE_MEMORY,
            "raise its limit: `docker run --memory`, systemd's MemoryMax, memory.max",
        ));
    }
    if let Some(most) = allowed.tcp_bytes {
        let enough = memory.is_none_or(|memory| most >= memory / 16);
        checks.push(
            Check::new(LIMITS, "TCP memory", format!("at most {} for all sockets", size(most)))
                .limited_unless(enough, TCP_REMEDY),
        );
    }
    checks
}

fn quantiles(late: &Quantiles) -> String {
    let Quantiles { p50_us, p99_us, max_us } = *late;
    let [p50, p99, max] = [p50_us, p99_us, max_us].map(human::time);
    format!("p50 {p50}, p99 {p99}, max {max}")
}

fn size(bytes: u64) -> String {
    human::size(bytes as f64)
}

fn or_unknown(text: &str) -> &str {
    if text.is_empty() { "not known" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::measure::Core;

    fn good() -> (Environment, Measured, Limits) {
        let late = Quantiles { p50_us: 20.0, p99_us: 90.0, max_us: 1_200.0 };
        let environment = Environment {
            cores: Some(4),
            congestion_control: "cubic".to_owned(),
            clocksource: "tsc".to_owned(),
            open_files_soft: Some(1_024),
            somaxconn: Some(4_096),
            hypervisor: Some(false),
            governor: "performance".to_owned(),
            smt: Some(false),
            receive_stamps: Some(true),
            packet_capture: Some(true),
            real_time: Some(true),
            ..Environment::default()
        };
        let measured = Measured {
            resolution_ns: 1,
            reading_ns: 25.0,
            wake_ups: vec![Core { core: 0, late }],
            round_trip: Quantiles { p50_us: 30.0, ..late },
            wake_ups_by_fifth: vec![late],
            round_trips_by_fifth: vec![late],
            ciphers: Default::default(),
            disturbance: Default::default(),
            seconds: 5.0,
        };
        let limits = Limits {
            open_files: 1 << 20,
            local_ports: 32_768..=60_999,
            memory_bytes: None,
            group_memory_bytes: None,
            tcp_bytes: None,
            page_bytes: 4096,
            system_files: None,
            epoll_watches: None,
            tracked_connections: None,
            backlog: None,
        };
        (environment, measured, limits)
    }

    /// Names of the checks that are not fine; each must have a remedy, and no other.
    fn amiss(environment: &Environment, measured: &Measured, allowed: &Limits) -> Vec<String> {
        let checks = all(environment, measured, allowed);
        for check in &checks {
            assert_eq!(check.remedy.is_some(), check.status != CheckStatus::Ok, "{check:?}");
        }
        let amiss = checks.into_iter().filter(|check| check.status != CheckStatus::Ok);
        amiss.map(|check| check.name).collect()
    }

    #[test]
    fn a_good_machine_needs_no_remedy() {
        let (environment, measured, limits) = good();
        assert_eq!(amiss(&environment, &measured, &limits), Vec::<String>::new());
    }

    #[test]
    fn each_fault_is_found_by_itself() {
        let fault = |change: fn(&mut Environment, &mut Measured, &mut Limits)| {
            let (mut environment, mut measured, mut limits) = good();
            change(&mut environment, &mut measured, &mut limits);
            amiss(&environment, &measured, &limits).join("; ")
        };
        assert_eq!(fault(|_, m, _| m.reading_ns = 900.0), "clock source");
        assert_eq!(fault(|_, m, _| m.resolution_ns = 4_000_000), "timer resolution");
        assert_eq!(fault(|_, m, _| m.wake_ups[0].late.p99_us = 2e3), "wake-ups, core 0");
        assert_eq!(fault(|_, m, _| m.round_trip.p50_us = 900.0), "loopback round trip");
        assert_eq!(fault(|e, _, _| e.cores = Some(1)), "processors");
        assert_eq!(fault(|e, _, _| e.governor = "powersave".to_owned()), "frequency governor");
        assert_eq!(fault(|e, _, _| e.smt = Some(true)), "SMT");
        assert_eq!(fault(|e, _, _| e.receive_stamps = Some(false)), "receive timestamps");
        assert_eq!(fault(|e, _, _| e.packet_capture = Some(false)), "packet capture");
        assert_eq!(fault(|e, _, _| e.real_time = Some(false)), "stall detection");
        assert_eq!(fault(|e, _, _| e.somaxconn = Some(128)), "listen backlog");
        assert_eq!(fault(|_, _, r| r.open_files = 1_024), "open files");
        assert_eq!(fault(|_, _, r| r.local_ports = 1..=9), "local ports");
        assert_eq!(fault(|_, _, r| r.memory_bytes = Some(1 << 20)), "free memory");
        assert_eq!(fault(|e, _, _| e.physical_cores = Some(1)), "processors");
        assert_eq!(fault(|e, _, _| e.physical_cores = Some(2)), "");
        assert_eq!(fault(|e, _, _| e.cpu_quota_millis = Some(1_500)), "processor quota");
        let contained = |bytes| {
            let (mut environment, measured, mut limits) = good();
            environment.memory_limit_bytes = Some(1 << 40);
            limits.group_memory_bytes = Some(bytes);
            amiss(&environment, &measured, &limits).join("; ")
        };
        assert_eq!(contained(1 << 20), "container memory");
        assert_eq!(contained(1 << 39), "");
    }
}
