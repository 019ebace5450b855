//! Which cores a trial's processes run on, and keeping them there.
//!
//! A server and a load generator that wander over the same cores measure each other. Kept apart,
//! each has the caches and the run queue of its own core.

use std::io;

use pushbench_metrics::record::{Pinned, RouterCore};
use rustix::process::Pid;
use rustix::thread::sched_setaffinity;

use crate::process::scheduling;

/// Keeps process `pid` on `core`. Threads that it starts from now on inherit that; those that it
/// has already, other than its first, do not.
///
/// # Errors
///
/// Where there is no such process, or it may not run on that core.
pub fn pin(pid: u32, core: u32) -> io::Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::NotFound)?;
    Ok(sched_setaffinity(Some(pid), &scheduling::only(core)?)?)
}

/// Divides physical cores, each named by the logical processors that are its threads, between
/// `servers` server processes and `loads` load processes: the first for the servers, the rest for
/// the load, in proportion to their numbers and each at least one. `None` where there are fewer than
/// two processors, or nobody to be kept apart.
///
/// No physical core is on both sides, unless there is only one, and processes of a kind share one
/// only where they are more than those.
#[must_use]
pub fn divide(cores: &[Vec<u32>], servers: u32, loads: u32) -> Option<Pinned> {
    if let [only] = cores {
        let threads: Vec<Vec<u32>> = only.iter().map(|&thread| vec![thread]).collect();
        return if threads.len() < 2 { None } else { divide(&threads, servers, loads) };
    }
    let count = cores.len();
    if count < 2 || servers == 0 || loads == 0 {
        return None;
    }
    let share = f64::from(servers) / (f64::from(servers) + f64::from(loads));
    // Between 0 and the number of cores, as the share is between 0 and 1.
    let first = ((count as f64 * share).round() as usize).clamp(1, count - 1);
    let (server, load) = (threads(&cores[..first], servers), threads(&cores[first..], loads));
    Some(Pinned { server, load, ..Pinned::default() })
}

/// The same with the router of a link between them, which has the last physical core alone where there
/// are three.
///
/// Of two it shares the servers': on a thread of that core that no server has, or on the first server's.
/// A packet that a server writes is then taken by the router on the same core, at once, and what is due
/// at the clients, mostly a delay later when the servers are done, is sent while they read on the other.
/// Beside the load generator the router would hold up who reads with each packet that it sends.
#[must_use]
pub fn divide_with_router(cores: &[Vec<u32>], servers: u32, loads: u32) -> Option<Pinned> {
    if let [others @ .., last] = cores
        && others.len() >= 2
    {
        let router = RouterCore { core: *last.first()?, beside_server: false };
        return Some(Pinned { router: Some(router), ..divide(others, servers, loads)? });
    }
    let pinned = divide(cores, servers, loads)?;
    let server = *pinned.server.first()?;
    // Threads of one core alone are shared by both sides already.
    let of_server = cores.iter().find(|threads| cores.len() > 1 && threads.contains(&server));
    let free = |thread: &&u32| !pinned.server.contains(thread);
    let core = of_server.and_then(|threads| threads.iter().find(free)).copied().unwrap_or(server);
    let router = RouterCore { core, beside_server: true };
    Some(Pinned { router: Some(router), ..pinned })
}

/// A logical processor for each of `processes`, as far as there are: the first thread of each core,
/// then the second.
fn threads(cores: &[Vec<u32>], processes: u32) -> Vec<u32> {
    let most = cores.iter().map(Vec::len).max().unwrap_or(0);
    let nth = |index: usize| cores.iter().filter_map(move |core| core.get(index).copied());
    // More of them than processes would only be named in vain.
    (0..most).flat_map(nth).take(processes as usize).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same where no core has two threads.
    fn divided(cores: &[u32], servers: u32, loads: u32) -> Option<(Vec<u32>, Vec<u32>)> {
        let cores: Vec<Vec<u32>> = cores.iter().map(|&core| vec![core]).collect();
        divide(&cores, servers, loads).map(|pinned| (pinned.server, pinned.load))
    }

    #[test]
    fn two_cores_are_one_for_each_side() {
        assert_eq!(divided(&[0, 1], 1, 1), Some((vec![0], vec![1])));
        assert_eq!(divided(&[2, 5], 6, 6), Some((vec![2], vec![5])));
    }

    #[test]
    fn one_core_is_shared_by_all() {
        assert_eq!(divided(&[3], 1, 1), None);
        assert_eq!(divided(&[], 1, 1), None);
    }

    #[test]
    fn more_processes_of_a_kind_have_more_cores() {
        let cores: Vec<u32> = (0..8).collect();
        assert_eq!(divided(&cores, 1, 1), Some((vec![0], vec![4])));
        assert_eq!(divided(&cores, 1, 3), Some((vec![0], vec![2, 3, 4])));
        assert_eq!(divided(&cores, 6, 6), Some((vec![0, 1, 2, 3], vec![4, 5, 6, 7])));
    }

    /// Two threads of a core are not two cores.
    #[test]
    fn server_and_load_are_on_different_physical_cores() {
        let cores = [vec![0, 2], vec![1, 3]];
        let pinned = |servers, loads| divide(&cores, servers, loads).unwrap();
        assert_eq!(pinned(1, 1), Pinned { server: vec![0], load: vec![1], ..Pinned::default() });
        // The third process of a kind has a thread to itself before it has to share one.
        assert_eq!(
            pinned(2, 2),
            Pinned { server: vec![0, 2], load: vec![1, 3], ..Pinned::default() }
        );
        assert_eq!(pinned(1, 9), Pinned { server: vec![0], load: vec![1, 3], ..Pinned::default() });
        let many = [vec![0, 1], vec![2, 3], vec![4, 5], vec![6, 7]];
        let pinned = divide(&many, 1, 3).unwrap();
        assert_eq!(pinned, Pinned { server: vec![0], load: vec![2, 4, 6], ..Pinned::default() });
    }

    #[test]
    fn of_one_core_there_are_only_the_threads() {
        let threads = Pinned { server: vec![4], load: vec![5], ..Pinned::default() };
        assert_eq!(divide(&[vec![4, 5]], 1, 1), Some(threads));
        assert_eq!(divide(&[vec![4]], 1, 1), None);
    }

    #[test]
    fn a_router_has_a_core_of_its_own_of_three_and_shares_the_servers_of_two() {
        let placed = |cores: &[&[u32]], servers, loads| {
            let cores: Vec<Vec<u32>> = cores.iter().map(|core| core.to_vec()).collect();
            let Pinned { server, load, router, .. } = divide_with_router(&cores, servers, loads)?;
            let RouterCore { core, beside_server } = router.unwrap();
            Some((server, load, core, beside_server))
        };
        assert_eq!(placed(&[&[0], &[1]], 1, 1), Some((vec![0], vec![1], 0, true)));
        assert_eq!(placed(&[&[0], &[1], &[2]], 1, 1), Some((vec![0], vec![1], 2, false)));
        // Four processors of two cores: a thread of the server's, where one is free.
        let two = [&[0, 2][..], &[1, 3]];
        assert_eq!(placed(&two, 1, 1), Some((vec![0], vec![1], 2, true)));
        assert_eq!(placed(&two, 2, 1), Some((vec![0, 2], vec![1], 0, true)));
        // One core with two threads: both sides are on it anyway.
        assert_eq!(placed(&[&[4, 5]], 1, 1), Some((vec![4], vec![5], 4, true)));
        assert_eq!(placed(&[&[4]], 1, 1), None);
        let eight: [&[u32]; 8] = [&[0], &[1], &[2], &[3], &[4], &[5], &[6], &[7]];
        let (server, load, core, _) = placed(&eight, 6, 6).unwrap();
        assert_eq!((server.len(), load.len(), core), (4, 3, 7));
        assert!(server.iter().all(|core| !load.contains(core)));
    }

    proptest! {
        #[test]
        fn no_core_is_on_both_sides(count in 2_u32..300, servers in 1_u32..70, loads in 1_u32..70) {
            let cores: Vec<u32> = (0..count).map(|core| core * 2).collect();
            let (server, load) = divided(&cores, servers, loads).unwrap();
            prop_assert!(!server.is_empty() && !load.is_empty());
            prop_assert!(server.iter().all(|core| cores.contains(core) && !load.contains(core)));
            prop_assert!(load.iter().all(|core| cores.contains(core)));
        }
    }

    #[test]
    fn a_child_stays_where_it_is_put() {
        let cores = scheduling::cores();
        let Some(&core) = cores.last() else { panic!("this test runs on no core") };
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let pinned = pin(child.id(), core);
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
        pinned.unwrap();
        let status = status.unwrap();
        let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        assert_eq!(list.map(str::trim), Some(core.to_string().as_str()));
    }

    #[test]
    fn nobody_is_put_on_a_core_that_cannot_be() {
        assert!(pin(std::process::id(), u32::MAX).is_err());
        assert!(pin(u32::MAX, 0).is_err());
    }
}
