//! Describes the machine for the run record.

use std::time::Duration;

use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_metrics::record::environment::{Environment, WakeUps};

use crate::machine::abilities;
use crate::machine::cgroup::Cgroups;
use crate::machine::limits;
use crate::machine::topology;
use crate::process::scheduling;
use crate::procfs;
use crate::system::SystemFiles;
use crate::time::canary::{Canaries, Canary};
use crate::time::clock;

/// For how long wake-ups are watched.
const LOOK: Duration = Duration::from_millis(100);

/// A description of this machine and this process's limits, now, found out in some 100 ms.
///
/// Never fails: what cannot be read stays empty.
#[must_use]
pub fn read() -> Environment {
    of(&SystemFiles::default())
}

/// The same of the machine that `system` is of; what only the running kernel tells is its own.
#[must_use]
pub fn of(system: &SystemFiles) -> Environment {
    let uname = rustix::system::uname();
    let cpuinfo = system.read("proc/cpuinfo").unwrap_or_default();
    let open_files = limits::open_files();
    let physical = topology::physical_cores(system, &scheduling::cores());
    let groups = Cgroups::of_self(system);
    Environment {
        kernel: uname.release().to_string_lossy().into_owned(),
        architecture: uname.machine().to_string_lossy().into_owned(),
        cpu_model: cpu_model(&cpuinfo),
        cores: std::thread::available_parallelism().ok().and_then(|n| n.get().try_into().ok()),
        memory_bytes: limits::meminfo_bytes(system, "MemTotal"),
        open_files_soft: Some(open_files.soft),
        open_files_hard: Some(open_files.hard),
        local_ports: limits::read_local_ports(system).map(|ports| (*ports.start(), *ports.end())),
        somaxconn: system.read("proc/sys/net/core/somaxconn").and_then(|n| n.parse().ok()),
        congestion_control: system.read(CONGESTION_CONTROL).unwrap_or_default(),
        clocksource: system.read(CLOCKSOURCE).unwrap_or_default(),
        boot_id: clock::boot_id(),
        hypervisor: hypervisor(&cpuinfo),
        governor: system.read(GOVERNOR).unwrap_or_default(),
        smt: scheduling::threads_share_cores(system),
        physical_cores: physical.len().try_into().ok(),
        cpu_quota_millis: groups.cpu_quota().map(|cores| (cores * 1e3).round() as u32),
        memory_limit_bytes: groups.memory().map(|room| room.limit),
        receive_stamps: Some(abilities::receive_stamps()),
        packet_capture: Some(abilities::packet_capture().is_ok()),
        real_time: Some(abilities::real_time()),
        wake_ups: wake_ups(),
    }
}

const GOVERNOR: &str = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor";

fn wake_ups() -> Option<WakeUps> {
    let begin = clock::now();
    let canaries = Canaries::start(Canary::Jitter, &scheduling::cores(), begin).ok()?;
    clock::sleep_until(begin + LOOK);
    let mut lateness = LatencyHistogram::default();
    canaries.stop().cores.iter().for_each(|core| lateness.merge(&core.lateness));
    // Microseconds of at most an hour.
    let nanos = |us: f64| (us * 1e3) as u64;
    let (p50, max) = (lateness.percentile_us(0.5)?, lateness.max_us()?);
    Some(WakeUps { p50_ns: nanos(p50), max_ns: nanos(max) })
}

const CONGESTION_CONTROL: &str = "/proc/sys/net/ipv4/tcp_congestion_control";
const CLOCKSOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";

/// The processor's name in `/proc/cpuinfo`. Some ARM kernels name only the board or the chip,
/// some nothing.
fn cpu_model(cpuinfo: &str) -> String {
    let keys = ["model name", "Model", "Hardware"];
    keys.iter().find_map(|key| procfs::field(cpuinfo, key)).unwrap_or_default().to_owned()
}

/// x86 processors have a flag for it; others don't say.
fn hypervisor(cpuinfo: &str) -> Option<bool> {
    let flags = procfs::field(cpuinfo, "flags")?;
    Some(flags.split_ascii_whitespace().any(|flag| flag == "hypervisor"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const X86: &str = "processor\t: 0\nmodel\t\t: 17\nmodel name\t: AMD EPYC 7B13\n\
                       flags\t\t: fpu vme hypervisor lahf_lm\n\nprocessor\t: 1\n";
    const ARM: &str = "processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd\n";

    #[test]
    fn cpuinfo_of_x86_tells_model_and_hypervisor() {
        assert_eq!(cpu_model(X86), "AMD EPYC 7B13");
        assert_eq!(hypervisor(X86), Some(true));
        assert_eq!(hypervisor(&X86.replace("hypervisor ", "")), Some(false));
    }

    #[test]
    fn cpuinfo_of_arm_tells_neither() {
        assert_eq!(cpu_model(ARM), "");
        assert_eq!(hypervisor(ARM), None);
    }

    #[test]
    fn this_machine_is_known() {
        let environment = read();
        assert!(!environment.kernel.is_empty());
        assert_eq!(environment.architecture, std::env::consts::ARCH);
        assert!(environment.cores >= Some(1));
        assert!(environment.physical_cores >= Some(1));
        assert!(environment.memory_bytes > Some(0));
        assert!(environment.open_files_soft <= environment.open_files_hard);
        assert_eq!(environment.boot_id, clock::boot_id());
        let wake_ups = environment.wake_ups.unwrap();
        assert!(wake_ups.p50_ns <= wake_ups.max_ns);
    }
}
