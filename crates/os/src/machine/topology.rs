//! Which logical processors are threads of one physical core.
//!
//! Two threads of a core share its execution units and its first caches: what runs on one slows the
//! other down by a third or so. A server and a load generator there are not kept apart, whatever
//! their processors' numbers are.

use std::collections::BTreeSet;

use crate::system::SystemFiles;

/// Logical processors `cores`, grouped by the physical core that they are threads of, in the order
/// of each one's first.
///
/// One of which the kernel tells nothing is taken for a core of its own. Threads that are offline,
/// or not among `cores`, are left out.
#[must_use]
pub fn physical_cores(system: &SystemFiles, cores: &[u32]) -> Vec<Vec<u32>> {
    let mut groups: Vec<Vec<u32>> = Vec::new();
    for &core in cores {
        if groups.iter().any(|group| group.contains(&core)) {
            continue;
        }
        let siblings = siblings(system, core);
        let known = |other: &u32| groups.iter().any(|group| group.contains(other));
        let here = cores.iter().copied();
        let here = here.filter(|other| *other == core || siblings.contains(other));
        let group = here.filter(|other| !known(other)).collect();
        groups.push(group);
    }
    groups
}

/// The threads of the core that `core` is one of; none where the kernel does not tell.
fn siblings(system: &SystemFiles, core: u32) -> BTreeSet<u32> {
    let folder = format!("sys/devices/system/cpu/cpu{core}/topology");
    let list = system
        .read(format!("{folder}/thread_siblings_list"))
        .or_else(|| system.read(format!("{folder}/core_cpus_list")));
    list.as_deref().map(parse_list).unwrap_or_default()
}

/// Reads `0-2,7` (Documentation/admin-guide/cputopology.rst). What is no list is none, and no range
/// is longer than a machine is large.
fn parse_list(text: &str) -> BTreeSet<u32> {
    const MOST: u32 = 1 << 16;
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        (last < MOST).then_some(first..=last)
    };
    text.split(',').filter_map(range).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::tests::machine;

    /// A machine whose processors have these siblings.
    fn with(siblings: &[(u32, &str)]) -> (tempfile::TempDir, SystemFiles) {
        let path = |core| format!("sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list");
        let files: Vec<(String, &str)> =
            siblings.iter().map(|&(core, list)| (path(core), list)).collect();
        let files: Vec<(&str, &str)> = files.iter().map(|(path, list)| (&**path, *list)).collect();
        machine(&files)
    }

    #[test]
    fn threads_of_a_core_are_one_group() {
        // As Linux numbers them on most machines: first one thread of each core, then the others.
        let (_folder, split) = with(&[(0, "0,2\n"), (1, "1,3\n"), (2, "0,2\n"), (3, "1,3\n")]);
        assert_eq!(physical_cores(&split, &[0, 1, 2, 3]), [[0, 2], [1, 3]]);
        // As on most virtual machines of a cloud.
        let (_folder, paired) = with(&[(0, "0-1"), (1, "0-1"), (2, "2-3"), (3, "2-3")]);
        assert_eq!(physical_cores(&paired, &[0, 1, 2, 3]), [[0, 1], [2, 3]]);
        assert_eq!(physical_cores(&paired, &[1, 2]), [[1], [2]], "only those that may be used");
    }

    #[test]
    fn the_newer_name_of_the_list_does_too() {
        let path = "sys/devices/system/cpu/cpu0/topology/core_cpus_list";
        let (_folder, system) = machine(&[(path, "0-1")]);
        assert_eq!(physical_cores(&system, &[0, 1]), [[0, 1]]);
    }

    #[test]
    fn where_nothing_is_told_each_is_a_core() {
        let (_folder, silent) = machine(&[]);
        assert_eq!(physical_cores(&silent, &[0, 5]), [[0], [5]]);
        // An offline thread has no folder, and is not among those that may be used.
        let (_folder, offline) = with(&[(0, "0"), (2, "2")]);
        assert_eq!(physical_cores(&offline, &[0, 2]), [[0], [2]]);
        assert!(physical_cores(&silent, &[]).is_empty());
    }

    #[test]
    fn no_text_is_taken_for_more_than_a_machine() {
        assert_eq!(parse_list("0-4294967295"), BTreeSet::new());
        assert_eq!(parse_list("x,3, 7-8\n"), BTreeSet::from([3, 7, 8]));
        assert_eq!(parse_list("9-7"), BTreeSet::new());
    }
}
