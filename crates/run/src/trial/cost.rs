//! Costs of a trial, read from outside the processes at the window's edges.

mod processes;

use std::time::Duration;

use pushbench_metrics::record::{CpuTime, Resources};
use pushbench_os::machine::load::MachineTimes;
use pushbench_os::process::memory::socket_memory_bytes;

use self::processes::{Process, Processes};
use super::disturbance::DisturbanceWatch;

/// The processes of a trial, with their readings from before there were clients and at the window's
/// first edge.
#[derive(Debug)]
pub(super) struct CostMeter {
    servers: Processes,
    loads: Processes,
    /// The router of a link.
    router: Processes,
    /// A proxy, with all that descend from it.
    proxy: Processes,
    /// The process that gives the feed to a server that is somebody else's.
    publisher: Processes,
    /// A browser whose tabs are the clients, with all that descend from it: its cost is theirs.
    browser: Option<Processes>,
    /// Those that fill the line beside the feed, whose cost is no figure.
    cross: Vec<u32>,
    machine: Option<MachineTimes>,
}

/// The costs of a window, and the busiest process of each kind, which the sums hide.
#[derive(Debug)]
pub struct Cost {
    /// CPU time and memory of all processes.
    pub resources: Resources,
    /// CPU time for which the busiest server process had a core to itself: that of its busiest thread,
    /// where it has several, or of all for each core that they may use.
    pub busiest_server: Option<Duration>,
    /// CPU time of the busiest load process, or of a browser's busiest thread.
    pub busiest_load: Option<Duration>,
    /// Memory that clients took as they connected.
    pub connecting: Connecting,
    /// Processes of the server that ended, where what they used is not known.
    pub(crate) servers_ended: Option<u32>,
}

/// Memory that no file backs which all clients of a trial took as they connected, bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Connecting {
    /// Of the server processes; `None` where they are not this run's.
    pub server: Option<u64>,
    /// Of the load processes.
    pub load: Option<u64>,
}

impl Cost {
    /// Takes from the clients' CPU time what their browser would have used without them.
    pub(super) fn without(&mut self, empty: Option<Duration>) {
        let cpu = self.resources.load_cpu.zip(empty).map(|(cpu, empty)| cpu.less(empty));
        self.resources.load_cpu = cpu.or(self.resources.load_cpu);
    }
}

impl CostMeter {
    /// Takes the memory that the processes have before clients connect. The `servers` are this
    /// run's `own`, or run already.
    pub(super) fn new(servers: &[u32], own: bool, loads: &[u32], router: Option<u32>) -> Self {
        let servers = if own { Processes::each(servers) } else { Processes::tree(servers) };
        let (loads, router) = (Processes::each(loads), Processes::each(router.as_slice()));
        let nobody = || Processes::Each(Vec::new());
        let (proxy, publisher) = (nobody(), nobody());
        let (browser, cross) = (None, Vec::new());
        Self { servers, loads, router, proxy, publisher, browser, cross, machine: None }
    }

    /// The same with a proxy.
    pub(super) fn through(self, proxy: &[u32]) -> Self {
        Self { proxy: Processes::tree(proxy), ..self }
    }

    /// The same of clients that are tabs of a browser, which has none yet.
    pub(super) fn browsed_by(self, browser: Option<u32>) -> Self {
        Self { browser: browser.map(|pid| Processes::tree(&[pid])), ..self }
    }

    /// The same of a server that is given its messages by a process of this run.
    pub(super) fn published_by(self, publisher: u32) -> Self {
        Self { publisher: Processes::each(&[publisher]), ..self }
    }

    /// The same with processes that are the trial's too.
    pub(super) fn beside(self, cross: Vec<u32>) -> Self {
        Self { cross, ..self }
    }

    /// Reads the memory that all clients took as they connected.
    pub(super) fn connected(&self) -> Connecting {
        let growth = |side: &Processes| side.growth(|memory| memory.anonymous_bytes);
        // Contexts of compression, which the process that drives a browser has none of.
        let load = if self.browser.is_some() { None } else { growth(&self.loads) };
        Connecting { server: growth(&self.servers), load }
    }

    /// Reads the server's clocks where its clients begin to rest.
    pub(super) fn rest(&mut self) {
        self.servers.start();
    }

    /// CPU time that the server took since then; `None` where it is not known.
    pub(super) fn rested(&mut self) -> Option<CpuTime> {
        self.servers.spent().total
    }

    /// The processes of the trial, this one among them.
    pub(super) fn pids(&self) -> Vec<u32> {
        let Self { servers, loads, router, proxy, publisher, cross, .. } = self;
        let sides = [servers, loads, router, proxy, publisher].map(Processes::pids);
        let browser = self.browser.as_ref().map(Processes::pids).unwrap_or_default();
        [sides.concat(), browser, cross.clone(), vec![std::process::id()]].concat()
    }

    /// Reads the clocks at t0.
    pub(super) fn start(&mut self) {
        self.servers.start();
        self.loads.start();
        self.browser.iter_mut().for_each(Processes::start);
        self.router.start();
        self.proxy.start();
        self.publisher.start();
        self.machine = MachineTimes::read().ok();
        self.servers.start_threads();
        self.browser.iter_mut().for_each(Processes::start_threads);
    }

    /// Keeps what the server has spent, before it ends.
    pub(super) fn server_goes(&mut self) {
        if let Processes::Each(servers) = &mut self.servers {
            servers.iter_mut().for_each(Process::goes);
        }
    }

    /// Others have come in the servers' places, with these ids.
    pub(super) fn server_comes(&mut self, pids: &[u32]) {
        if let Processes::Each(servers) = &mut self.servers {
            servers.iter_mut().zip(pids).for_each(|(server, pid)| server.comes(*pid));
        }
    }

    /// CPU time that the server has spent since t0, of its own processes.
    pub(super) fn server_spent(&self) -> Option<Duration> {
        let Processes::Each(servers) = &self.servers else { return None };
        let spent = |server: &Process| server.spent().or(server.known).map(|spent| spent.total);
        servers.iter().map(spent).sum()
    }

    /// Reads them again at t1, and the memory; then ends the `watch` over the window.
    ///
    /// These come first: a window that has nothing outstanding is closed, reported and over within
    /// milliseconds, and to end the watch takes as long.
    pub(super) fn finish(mut self, connecting: Connecting, watch: DisturbanceWatch) -> Cost {
        let clients = self.browser.as_mut().unwrap_or(&mut self.loads);
        let (servers, loads) = (self.servers.spent(), clients.spent());
        let router_cpu = self.router.spent().total;
        let proxy_cpu = self.proxy.spent().total;
        let publisher_cpu = self.publisher.spent().total;
        let machine = MachineTimes::read().ok().zip(self.machine);
        let (busiest_server, busiest_load) = {
            // Tabs that have no core to themselves are a browser's as users have it.
            let clients = self.browser.as_ref().unwrap_or(&self.loads);
            (self.servers.fullest(&servers), clients.busiest(&loads))
        };
        let (server_rss_growth, load_rss_growth) =
            (self.servers.rss_growth(), self.browser.as_ref().unwrap_or(&self.loads).rss_growth());
        let proxy_rss_growth = self.proxy.rss_growth();
        let machine = machine.map(|(now, before)| now.saturating_since(before));
        let nanos = |read: fn(&MachineTimes) -> u64| machine.as_ref().map(read);
        let disturbance = watch.end();
        let resources = Resources {
            server_cpu: servers.total,
            load_cpu: loads.total,
            router_cpu,
            proxy_cpu,
            publisher_cpu,
            server_rss_growth,
            load_rss_growth,
            proxy_rss_growth,
            socket_memory: socket_memory_bytes(),
            softirq: nanos(|times| times.softirq_ns).map(Duration::from_nanos),
            steal: nanos(|times| times.steal_ns).map(Duration::from_nanos),
            canary_worst: disturbance.worst_stall(),
            disturbance: Some(disturbance),
            load_processes: u32::try_from(self.loads.pids().len()).unwrap_or(u32::MAX),
            // How it was laid out, and how its processes kept time, the trial knows.
            ..Resources::default()
        };
        Cost { resources, busiest_server, busiest_load, servers_ended: servers.ended, connecting }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::thread;

    use pushbench_os::process::process_tree::ProcessTree;
    use pushbench_os::process::scheduling;
    use pushbench_os::process::thread_time::ThreadTime;
    use pushbench_os::time::clock;

    use super::*;

    /// Work behind the window's end is none of its cost, however long it takes to
    /// end the watch: canaries end with their next wake-up, here a second later.
    #[test]
    fn cost_is_read_before_the_watch_is_ended() {
        const LATER: Duration = Duration::from_secs(1);
        let mut spinner = Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        let mut meter = CostMeter::new(&[spinner.id()], true, &[], None);
        let end = clock::now() + LATER;
        let mut watch = DisturbanceWatch::start(Some(meter.pids()), end);
        meter.start();
        watch.begin();
        let cost = meter.finish(Connecting::default(), watch);
        assert!(clock::now() >= end, "the watch ended before its canaries woke");
        spinner.kill().unwrap();
        spinner.wait().unwrap();
        let cpu = cost.resources.server_cpu.unwrap().total;
        assert!(cpu < LATER / 2, "{cpu:?} of a window that ended at once");
    }

    /// Two threads that use a core and a half together are not one that has no room.
    #[test]
    fn a_process_of_many_threads_is_as_busy_as_its_busiest() {
        const EACH: Duration = Duration::from_millis(80);
        let me = [std::process::id()];
        let mut meter = CostMeter::new(&me, false, &[], None);
        let mut watch = DisturbanceWatch::start(Some(meter.pids()), clock::now());
        let begun = clock::now();
        meter.start();
        watch.begin();
        let burn = || {
            let mut time = ThreadTime::here();
            let mut left = EACH;
            while !left.is_zero() {
                left = left.saturating_sub(time.lap().cpu);
            }
        };
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(burn);
            }
            burn();
            let cost = meter.finish(Connecting::default(), watch);
            let took = clock::now().saturating_since(begun);
            let busiest = cost.busiest_server.unwrap();
            assert!(busiest >= EACH && busiest <= took, "{busiest:?} in {took:?}");
        });
    }

    /// Two that share the only core that they may use are busy with it half of the time each.
    #[test]
    fn those_that_share_their_only_core_have_none_left() {
        const COUNT: &str = "count() { i=0; while [ $i -lt 700000 ]; do i=$((i+1)); done; }; \
                             (count) & (count) & wait";
        let core = scheduling::cores()[0].to_string();
        let mut pair =
            Command::new("taskset").args(["-c", &core, "sh", "-c", COUNT]).spawn().unwrap();
        let pid = pair.id();
        let has_begun = || ProcessTree::of(&[pid]).is_ok_and(|tree| tree.pids().len() == 3);
        while !has_begun() {
            thread::sleep(Duration::from_millis(1));
            assert!(pair.try_wait().unwrap().is_none(), "they ended before they were seen");
        }
        let mut meter = CostMeter::new(&[pair.id()], false, &[], None);
        let mut watch = DisturbanceWatch::start(Some(meter.pids()), clock::now());
        meter.start();
        watch.begin();
        thread::sleep(Duration::from_millis(200));
        let cost = meter.finish(Connecting::default(), watch);
        pair.wait().unwrap();
        let all = cost.resources.server_cpu.unwrap().total;
        assert!(!all.is_zero());
        assert_eq!(cost.busiest_server, Some(all));
    }
}
