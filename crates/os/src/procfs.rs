//! Reading the texts of `/proc` and `/sys`.
//!
//! They are bytes, not UTF-8: a process may call itself anything.

use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use crate::process::error::ProcessError;

/// The text of `path` without white space around it; `None` where it cannot be read.
pub(crate) fn read(path: &str) -> Option<String> {
    try_read(path).ok()
}

/// The text of `path` without white space around it.
pub(crate) fn try_read(path: impl AsRef<Path>) -> io::Result<String> {
    let bytes = fs::read(path)?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

/// The text of `/proc/PID/FILE`, wanted for `what`.
pub(crate) fn read_of_process(
    pid: u32,
    file: &str,
    what: &'static str,
) -> Result<String, ProcessError> {
    match fs::read(format!("/proc/{pid}/{file}")) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => Err(ProcessError::from_io(what, pid, hide_missing_proc(error))),
    }
}

/// Without `/proc` every process would seem to have ended.
fn hide_missing_proc(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::NotFound && fs::metadata("/proc/self").is_err() {
        return io::Error::other("/proc is not mounted");
    }
    error
}

/// The value behind `key:` at the start of a line: `VmRSS:      1024 kB`.
pub(crate) fn field<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim_end() == key).then(|| value.trim())
    })
}

/// The bytes behind `key:`, which the kernel gives in kibibytes and calls `kB`.
pub(crate) fn field_in_bytes(text: &str, key: &str) -> Option<u64> {
    let kibibytes: u64 = field(text, key)?.strip_suffix("kB")?.trim_end().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// A path of the mount table, in which blanks and backslashes stand as `\040` and `\134`
/// (getmntent(3)).
pub(crate) fn unescape(field: &str) -> String {
    let mut parts = field.split('\\');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match digits {
            Some(byte) => {
                text.push(byte.into());
                text.push_str(&part[3..]);
            }
            None => text.extend(["\\", part]),
        }
    }
    text
}

/// Nanoseconds of `ticks`, the unit of CPU times in `/proc` (usually 10 ms).
pub(crate) fn ticks_to_ns(ticks: u64) -> u64 {
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    ticks.saturating_mul(1_000_000_000 / per_second)
}

/// The same as a duration.
pub(crate) fn ticks(ticks: u64) -> Duration {
    Duration::from_nanos(ticks_to_ns(ticks))
}

/// Each process that `/proc` shows.
pub(crate) fn pids() -> impl Iterator<Item = u32> {
    let folders = fs::read_dir("/proc").into_iter().flatten().flatten();
    folders.filter_map(|folder| folder.file_name().to_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Name:\tVmRSS: x\nVmRSS:\t    1820 kB\nThreads:\t3\nVmSwap:\t12 pages\n";

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        assert_eq!(field(STATUS, "Threads"), Some("3"));
        assert_eq!(field(STATUS, "Thread"), None);
        assert_eq!(field("model name\t: AMD EPYC\n", "model name"), Some("AMD EPYC"));
    }

    #[test]
    fn kibibytes_become_bytes_and_other_units_nothing() {
        assert_eq!(field_in_bytes(STATUS, "VmRSS"), Some(1820 * 1024));
        assert_eq!(field_in_bytes(STATUS, "Threads"), None);
        assert_eq!(field_in_bytes(STATUS, "VmSwap"), None);
    }

    #[test]
    fn blanks_of_a_mount_point_are_escaped() {
        assert_eq!(unescape("/a\\040b\\134c"), "/a b\\c");
        assert_eq!(unescape("/plain\\x"), "/plain\\x");
    }

    #[test]
    fn a_tick_is_a_part_of_a_second() {
        let per_second = rustix::param::clock_ticks_per_second();
        assert_eq!(ticks_to_ns(per_second * 7), 7_000_000_000);
    }
}
