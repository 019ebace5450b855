//! The machine that a run was measured on.
//!
//! Figures from two machines, or from one machine under two kernels, are not comparable as they
//! stand; a run record therefore says where it comes from. This is only the description: what
//! fills it in asks the operating system and so lives elsewhere.

use serde::{Deserialize, Serialize};

/// Facts about a machine and the limits that a process has on it.
///
/// A field that could not be found out is empty or `None`, never a guess; one that an older
/// record lacks reads as such.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Environment {
    /// The kernel's release, as `uname -r` prints it.
    pub kernel: String,
    /// The processor architecture, as `uname -m` prints it.
    pub architecture: String,
    /// The processor's marketing name.
    pub cpu_model: String,
    /// Logical processors that the process may use: its affinity and its cgroup's quota count.
    pub cores: Option<u32>,
    /// Memory of the machine, in bytes.
    pub memory_bytes: Option<u64>,
    /// File descriptors that the process may open now; `u64::MAX` is unlimited.
    pub open_files_soft: Option<u64>,
    /// The most that the process may raise the soft limit to; `u64::MAX` is unlimited.
    pub open_files_hard: Option<u64>,
    /// First and last port that the kernel gives to outgoing connections, both included.
    pub local_ports: Option<(u16, u16)>,
    /// Longest queue of connections that a listener has not accepted yet
    /// (`net.core.somaxconn`).
    pub somaxconn: Option<u32>,
    /// The congestion control of TCP that connections have which ask for none
    /// (`net.ipv4.tcp_congestion_control`), such as `cubic`; empty where that is not known.
    #[serde(default)]
    pub congestion_control: String,
    /// The source that the kernel reads time from, such as `tsc`. Some sources need a system call
    /// for each reading, which makes every timestamp dearer.
    pub clocksource: String,
    /// Differs after each boot; monotonic instants compare only where it is the same.
    pub boot_id: String,
    /// Whether the machine is a virtual one, as its processor tells (x86 only).
    pub hypervisor: Option<bool>,
    /// How the kernel chooses the processor's frequency, such as `performance`; empty where it
    /// does not, as on most virtual machines.
    pub governor: String,
    /// Whether two logical processors share a core (SMT).
    pub smt: Option<bool>,
    /// Physical cores that the process may use; threads of one count once.
    pub physical_cores: Option<u32>,
    /// How much processor time its control group may take, thousandths of one processor; `None`
    /// where it has no quota.
    pub cpu_quota_millis: Option<u32>,
    /// How much memory its control group may hold, bytes; `None` where it has no limit.
    pub memory_limit_bytes: Option<u64>,
    /// Whether the kernel stamps what TCP receives over loopback.
    pub receive_stamps: Option<bool>,
    /// Whether packets can be captured.
    pub packet_capture: Option<bool>,
    /// Whether a thread may go before all normal ones, as the canary wants to.
    pub real_time: Option<bool>,
    /// How late normal threads woke, each millisecond for a tenth of a second on each core, when
    /// the run began.
    pub wake_ups: Option<WakeUps>,
}

/// How late threads woke, in nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WakeUps {
    /// Half of them by no more.
    pub p50_ns: u64,
    /// The latest.
    pub max_ns: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_with_fewer_fields_still_reads() {
        let read: Environment = serde_json::from_str(r#"{"kernel":"6.1.0"}"#).unwrap();
        assert_eq!(read, Environment { kernel: "6.1.0".to_owned(), ..Environment::default() });
    }

    #[test]
    fn json_round_trips() {
        let environment = Environment {
            local_ports: Some((32_768, 60_999)),
            open_files_hard: Some(u64::MAX),
            hypervisor: Some(true),
            ..Environment::default()
        };
        let text = serde_json::to_string(&environment).unwrap();
        assert_eq!(serde_json::from_str::<Environment>(&text).unwrap(), environment);
    }
}
