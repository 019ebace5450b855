//! Limits of the control groups that this process is in: a container's processor time and
//! memory, in both versions of their file system.
//!
//! A group is bound by its own limits and by those of all above it, so the least counts. A process
//! may see only part of that tree, and its own place in it under another name; the mount table tells
//! how the two belong together (cgroups(7), cgroup_namespaces(7)).

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::procfs;
use crate::system::SystemFiles;

/// A limit that is none: version 1 writes the largest number of whole pages.
const UNLIMITED: u64 = 1 << 62;

/// How many groups are looked at above each other; no system nests them deeper.
const DEEPEST: usize = 64;

/// The groups of the calling process, for processor time and for memory.
#[derive(Debug, Clone)]
pub struct Cgroups {
    system: SystemFiles,
    cpu: Vec<Group>,
    memory: Vec<Group>,
}

/// A group that the process is in, by way of one below it or itself.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    folder: PathBuf,
    version: Version,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// The memory of the group that has least left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryRoom {
    /// The limit of the group, bytes.
    pub limit: u64,
    /// The room that is left, bytes, with what the kernel would give up of cached files.
    pub free: u64,
}

/// For how long a group's processes were kept from running, since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Throttling {
    /// On all processors together.
    pub time: Duration,
    /// In how many of the quota's periods.
    pub periods: u64,
}

impl Throttling {
    /// The growth since the reading `earlier`.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Self {
        Self {
            time: self.time.saturating_sub(earlier.time),
            periods: self.periods.saturating_sub(earlier.periods),
        }
    }
}

impl Cgroups {
    /// The groups that the calling process is in, as `system` shows them.
    #[must_use]
    pub fn of_self(system: &SystemFiles) -> Self {
        let (cpu, memory) = (groups(system, "cpu"), groups(system, "memory"));
        Self { system: system.clone(), cpu, memory }
    }

    /// How many processors' time the processes of the group with the least may take; `None` where
    /// there is no quota.
    #[must_use]
    pub fn cpu_quota(&self) -> Option<f64> {
        let quotas = self.cpu.iter().filter_map(|group| {
            let (quota, period) = match group.version {
                Version::One => {
                    let file = |name| self.system.read(group.folder.join(name));
                    (file("cpu.cfs_quota_us")?, file("cpu.cfs_period_us")?)
                }
                Version::Two => {
                    let text = self.system.read(group.folder.join("cpu.max"))?;
                    let (quota, period) = text.split_once(' ')?;
                    (quota.to_owned(), period.to_owned())
                }
            };
            // `max`, and -1 in version 1, are none.
            let (quota, period): (u64, u64) = (quota.parse().ok()?, period.parse().ok()?);
            (period > 0).then(|| quota as f64 / period as f64)
        });
        quotas.min_by(f64::total_cmp)
    }

    /// For how long each group was kept from running until now, its own first.
    #[must_use]
    pub fn throttling(&self) -> Vec<Throttling> {
        let read = |group: &Group| {
            let text = self.system.read(group.folder.join("cpu.stat")).unwrap_or_default();
            let time = match group.version {
                Version::One => entry(&text, "throttled_time").map(Duration::from_nanos),
                Version::Two => entry(&text, "throttled_usec").map(Duration::from_micros),
            };
            let periods = entry(&text, "nr_throttled").unwrap_or_default();
            Throttling { time: time.unwrap_or_default(), periods }
        };
        self.cpu.iter().map(read).collect()
    }

    /// The memory of the group that has least left; `None` where none has a limit.
    #[must_use]
    pub fn memory(&self) -> Option<MemoryRoom> {
        let rooms = self.memory.iter().filter_map(|group| self.room(group));
        rooms.min_by_key(|room| room.free)
    }

    fn room(&self, group: &Group) -> Option<MemoryRoom> {
        let (limit, usage, cached) = match group.version {
            Version::One => {
                ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            }
            Version::Two => ("memory.max", "memory.current", "inactive_file"),
        };
        let file = |name| self.system.read(group.folder.join(name));
        let limit: u64 = file(limit)?.parse().ok()?;
        if limit >= UNLIMITED {
            return None;
        }
        let usage: u64 = file(usage).and_then(|text| text.parse().ok()).unwrap_or(0);
        let stat = file("memory.stat").unwrap_or_default();
        let cached = entry(&stat, cached).unwrap_or(0);
        let free = limit.saturating_sub(usage.saturating_sub(cached));
        Some(MemoryRoom { limit, free })
    }
}

/// The number behind `key ` at the start of a line.
fn entry(text: &str, key: &str) -> Option<u64> {
    text.lines()
        .find_map(|line| line.split_once(' ').filter(|(name, _)| *name == key)?.1.parse().ok())
}

/// The groups that bind the process by `controller`: its own, and those above as far as can be seen.
fn groups(system: &SystemFiles, controller: &str) -> Vec<Group> {
    let memberships = system.read("proc/self/cgroup").unwrap_or_default();
    let mounts = system.read("proc/self/mountinfo").unwrap_or_default();
    let found = [Version::One, Version::Two].into_iter().find_map(|version| {
        let path = membership(&memberships, version, controller)?;
        let (shown, at) = mount(&mounts, version, controller)?;
        Some((version, path, shown, at))
    });
    let Some((version, path, shown, at)) = found else { return Vec::new() };
    // A path outside of what is shown is that of a process beyond this namespace.
    let below = Path::new(path).strip_prefix(&shown).unwrap_or(Path::new(""));
    let inside = !below.components().any(|part| part == std::path::Component::ParentDir);
    let below = if inside { below } else { Path::new("") };
    let group = |below: &Path| Group { folder: at.join(below), version };
    below.ancestors().take(DEEPEST).map(group).collect()
}

/// The path of the process's group in the line `ID:CONTROLLERS:PATH` of its hierarchy.
fn membership<'a>(text: &'a str, version: Version, controller: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (id, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let is_it = match version {
            Version::One => controllers.split(',').any(|name| name == controller),
            Version::Two => id == "0" && controllers.is_empty(),
        };
        is_it.then_some(path)
    })
}

/// The part of the hierarchy that is mounted, and where: the fields 4 and 5 of its line in
/// `mountinfo` (proc_pid_mountinfo(5)).
fn mount(text: &str, version: Version, controller: &str) -> Option<(PathBuf, PathBuf)> {
    text.lines().find_map(|line| {
        let (mount, file_system) = line.split_once(" - ")?;
        let mut fields = file_system.split(' ');
        let (kind, options) = (fields.next()?, fields.nth(1).unwrap_or_default());
        let is_it = match version {
            Version::One => kind == "cgroup" && options.split(',').any(|name| name == controller),
            Version::Two => kind == "cgroup2",
        };
        let mut fields =
            mount.split(' ').skip(3).map(|field| PathBuf::from(procfs::unescape(field)));
        is_it.then(|| fields.next().zip(fields.next()))?
    })
}

#[cfg(test)]
mod tests;
