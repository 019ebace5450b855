use super::*;
use crate::system::tests::machine;

const V2: &str = "25 1 0:22 / /proc rw - proc proc rw\n\
                  31 23 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";

const V1: &str = "31 23 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
                  32 23 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                  33 23 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

fn room(limit: u64, free: u64) -> Option<MemoryRoom> {
    Some(MemoryRoom { limit, free })
}

#[test]
fn in_version_2_the_least_of_all_groups_counts() {
    let base = "sys/fs/cgroup/kube.slice";
    let file = |path: &str| format!("{base}/{path}");
    let files = [
        ("proc/self/cgroup".to_owned(), "0::/kube.slice/pod/box\n"),
        ("proc/self/mountinfo".to_owned(), V2),
        (file("cpu.max"), "max 100000\n"),
        (file("pod/cpu.max"), "150000 100000\n"),
        (file("pod/box/cpu.max"), "max 100000\n"),
        (
            file("pod/cpu.stat"),
            "usage_usec 5\nnr_periods 9\nnr_throttled 4\nthrottled_usec 250000\n",
        ),
        (
            file("pod/box/cpu.stat"),
            "usage_usec 5\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0\n",
        ),
        (file("memory.max"), "max\n"),
        (file("pod/memory.max"), "1000000\n"),
        (file("pod/memory.current"), "900000\n"),
        (file("pod/memory.stat"), "anon 1\ninactive_file 200000\n"),
        (file("pod/box/memory.max"), "2000000\n"),
        (file("pod/box/memory.current"), "400000\n"),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (&**path, *text)).collect();
    let (_folder, system) = machine(&files);
    let groups = Cgroups::of_self(&system);
    assert_eq!(groups.cpu_quota(), Some(1.5));
    assert_eq!(groups.memory(), room(1_000_000, 300_000));
    let throttled = groups.throttling();
    assert_eq!(throttled.len(), 4, "its own, two above and the root");
    assert_eq!(throttled[1], Throttling { time: Duration::from_millis(250), periods: 4 });
}

#[test]
fn in_version_1_each_controller_has_its_own_tree() {
    let (_folder, system) = machine(&[
        ("proc/self/cgroup", "5:memory:/docker/7f\n3:cpu,cpuacct:/docker/7f\n0::/x\n"),
        ("proc/self/mountinfo", V1),
        ("sys/fs/cgroup/cpu,cpuacct/docker/7f/cpu.cfs_quota_us", "50000\n"),
        ("sys/fs/cgroup/cpu,cpuacct/docker/7f/cpu.cfs_period_us", "100000\n"),
        ("sys/fs/cgroup/cpu,cpuacct/docker/7f/cpu.stat", "nr_throttled 3\nthrottled_time 70000\n"),
        ("sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_quota_us", "-1\n"),
        ("sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_period_us", "100000\n"),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ("sys/fs/cgroup/memory/docker/7f/memory.limit_in_bytes", "5000\n"),
        ("sys/fs/cgroup/memory/docker/7f/memory.usage_in_bytes", "1000\n"),
        (
            "sys/fs/cgroup/memory/docker/7f/memory.stat",
            "inactive_file 9\ntotal_inactive_file 600\n",
        ),
    ]);
    let groups = Cgroups::of_self(&system);
    assert_eq!(groups.cpu_quota(), Some(0.5));
    assert_eq!(groups.memory(), room(5_000, 4_600));
    let throttled = groups.throttling();
    assert_eq!(throttled[0], Throttling { time: Duration::from_micros(70), periods: 3 });
}

/// A container that sees its own group alone, mounted as if it were the root.
#[test]
fn a_container_finds_itself_whatever_its_group_is_called_outside() {
    let mounts = V1.replace("0:27 / /sys", "0:27 /docker/7f /sys");
    let quota = |path: &str| format!("sys/fs/cgroup/cpu,cpuacct{path}/cpu.cfs_quota_us");
    let period = |path: &str| format!("sys/fs/cgroup/cpu,cpuacct{path}/cpu.cfs_period_us");
    for (membership, folder) in [
        ("3:cpu,cpuacct:/docker/7f\n", ""),
        ("3:cpu,cpuacct:/docker/7f/app\n", "/app"),
        // In a namespace of its own.
        ("3:cpu,cpuacct:/\n", ""),
        ("3:cpu,cpuacct:/../..\n", ""),
    ] {
        let (quota, period) = (quota(folder), period(folder));
        let (_folder, system) = machine(&[
            ("proc/self/cgroup", membership),
            ("proc/self/mountinfo", &mounts),
            (&quota, "25000"),
            (&period, "100000"),
        ]);
        assert_eq!(Cgroups::of_self(&system).cpu_quota(), Some(0.25), "{membership}");
    }
}

#[test]
fn a_mount_point_may_have_blanks() {
    let mounts = V2.replace("/sys/fs/cgroup", "/run/c\\040g");
    let (_folder, system) = machine(&[
        ("proc/self/cgroup", "0::/\n"),
        ("proc/self/mountinfo", &mounts),
        ("run/c g/cpu.max", "200000 100000"),
    ]);
    assert_eq!(Cgroups::of_self(&system).cpu_quota(), Some(2.0));
}

#[test]
fn without_groups_or_limits_nothing_is_bound() {
    for files in [
        &[][..],
        &[("proc/self/cgroup", "0::/\n"), ("proc/self/mountinfo", V2)],
        &[("proc/self/cgroup", "0::/\n"), ("proc/self/mountinfo", "no mounts\n")],
        &[
            ("proc/self/cgroup", "0::/\n"),
            ("proc/self/mountinfo", V2),
            ("sys/fs/cgroup/cpu.max", "50000 0"),
            ("sys/fs/cgroup/memory.max", "lots"),
        ],
    ] {
        let (_folder, system) = machine(files);
        let groups = Cgroups::of_self(&system);
        assert_eq!((groups.cpu_quota(), groups.memory()), (None, None), "{files:?}");
        assert!(groups.throttling().iter().all(|each| *each == Throttling::default()));
    }
}

/// Whatever it is in, reading it takes no privilege and panics nowhere.
#[test]
fn this_process_is_in_some_groups_or_none() {
    let groups = Cgroups::of_self(&SystemFiles::default());
    assert!(groups.cpu_quota().is_none_or(|cores| cores > 0.0));
    assert!(groups.memory().is_none_or(|room| room.free <= room.limit));
}
