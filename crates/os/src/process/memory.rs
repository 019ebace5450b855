//! The memory of a process, and the kernel's memory for sockets.
//!
//! The two stand apart since they belong to different owners: a connection costs its process a
//! buffer or a task, and the kernel its socket and queues, which no process is charged for.

use std::io;

use crate::process::error::ProcessError;
use crate::procfs;

const WHAT: &str = "memory";

/// Memory of a process.
///
/// The kernel counts pages for each core in batches, so a figure can be off by some hundred KiB;
/// growth per client needs many clients.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    /// Bytes resident, the code and files that are mapped included (`VmRSS`).
    pub rss_bytes: u64,
    /// Bytes resident that no file backs: heap and stacks (`RssAnon`).
    pub anonymous_bytes: u64,
}

impl Memory {
    /// Reads what process `pid` holds now, from `/proc/PID/status`.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] where there is no such process;
    /// [`io::ErrorKind::InvalidData`] where it has no memory, as one that has ended but was not
    /// yet waited for; else what the system answers.
    pub fn of(pid: u32) -> io::Result<Self> {
        let text = procfs::read_of_process(pid, "status", WHAT)?;
        let memory = parse_status(&text);
        Ok(memory.ok_or(ProcessError::Absent { what: WHAT, pid, file: "status" })?)
    }
}

/// Bytes that process `pid` holds resident and no file backs, those that it shares divided among all
/// who share them (`Pss` less `Pss_File`); `None` where it is gone, or the system does not let this
/// process read it.
///
/// Of a file, such as its code, its share falls with each process that maps it too, a load process
/// of the same binary among them.
#[must_use]
pub fn pss_bytes(pid: u32) -> Option<u64> {
    parse_rollup(&procfs::read_of_process(pid, "smaps_rollup", WHAT).ok()?)
}

/// Older kernels tell the whole alone.
fn parse_rollup(text: &str) -> Option<u64> {
    let of_files = procfs::field_in_bytes(text, "Pss_File").unwrap_or(0);
    Some(procfs::field_in_bytes(text, "Pss")?.saturating_sub(of_files))
}

/// Bytes that the kernel holds for TCP sockets, on the whole machine (`/proc/net/sockstat`).
///
/// The kernel counts pages, and those in batches. `None` where it does not tell.
#[must_use]
pub fn socket_memory_bytes() -> Option<u64> {
    let pages = parse_sockstat(&procfs::read("/proc/net/sockstat")?)?;
    pages.checked_mul(rustix::param::page_size() as u64)
}

fn parse_status(text: &str) -> Option<Memory> {
    Some(Memory {
        rss_bytes: procfs::field_in_bytes(text, "VmRSS")?,
        anonymous_bytes: procfs::field_in_bytes(text, "RssAnon")?,
    })
}

/// The pages behind `mem` in the line `TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 360`.
fn parse_sockstat(text: &str) -> Option<u64> {
    let mut words = procfs::field(text, "TCP")?.split_ascii_whitespace();
    words.find(|&word| word == "mem")?;
    words.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

    use super::*;

    #[test]
    fn what_a_process_touches_is_resident() {
        const BYTES: usize = 16 << 20;
        let pid = std::process::id();
        let before = Memory::of(pid).unwrap();
        let block = std::hint::black_box(vec![1_u8; BYTES]);
        let after = Memory::of(pid).unwrap();
        // Other tests may free what they hold meanwhile, and counts come in batches.
        let grown = after.anonymous_bytes.saturating_sub(before.anonymous_bytes);
        assert!(grown >= BYTES as u64 / 2, "{before:?} {after:?}");
        assert!(after.rss_bytes > after.anonymous_bytes);
        drop(block);
    }

    #[test]
    fn a_process_that_is_gone_says_so() {
        let mut child = Command::new("true").spawn().unwrap();
        let pid = child.id();
        let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(Pid::from_child(&child)), ended).unwrap();
        assert_eq!(Memory::of(pid).unwrap_err().kind(), io::ErrorKind::InvalidData);
        child.wait().unwrap();
        let error = Memory::of(pid).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().contains(&format!("memory of process {pid}")), "{error}");
    }

    #[test]
    fn status_is_read_by_name() {
        let text = "Name:\tpush (1) bench\nVmHWM:\t  2000 kB\nVmRSS:\t  1820 kB\nRssAnon:\t   \
                    120 kB\nRssFile:\t  1700 kB\n";
        let memory = Memory { rss_bytes: 1820 * 1024, anonymous_bytes: 120 * 1024 };
        assert_eq!(parse_status(text), Some(memory));
        assert_eq!(parse_status("Name:\tkthreadd\nThreads:\t1\n"), None);
    }

    #[test]
    fn a_share_of_files_is_no_memory_of_its_own() {
        let text = "5581-7ffe ---p 00000000 00:00 0 [rollup]\nRss:   11836 kB\nPss:   10032 kB\n\
                    Pss_Anon:    1428 kB\nPss_File:    8604 kB\n";
        assert_eq!(parse_rollup(text), Some(1428 * 1024));
        assert_eq!(parse_rollup("Rss: 9 kB\nPss: 7 kB\n"), Some(7 * 1024));
        assert_eq!(parse_rollup(""), None);
    }

    #[test]
    fn sockstat_counts_pages_of_tcp() {
        let text = "sockets: used 11\nTCP: inuse 1 orphan 0 tw 0 alloc 1 mem 360\n\
                    UDP: inuse 0 mem 7\n";
        assert_eq!(parse_sockstat(text), Some(360));
        assert_eq!(parse_sockstat("UDP: inuse 0 mem 7\n"), None);
        assert_eq!(parse_sockstat("TCP: inuse 1 mem\n"), None);
    }

    #[test]
    fn the_kernel_tells_of_its_sockets() {
        assert!(socket_memory_bytes().is_some());
    }
}
