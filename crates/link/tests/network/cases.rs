//! Cases: what is to come out of a link.

use std::fs;
use std::time::Duration;

use pushbench_core::IpVersion;
use pushbench_core::link::{Link, Ways};
use pushbench_core::units::Span;
use pushbench_link::router::Side;
use pushbench_metrics::observe::device::{Backend, RouterMeasured};
use pushbench_metrics::observe::ledger::Direction;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{PidfdFlags, Signal, kill_process, pidfd_open};

use crate::rig::{NOBODY, Process, Rig, Setting, networks};

/// Every case with its name.
pub(crate) const ALL: &[(&str, fn())] = &[
    ("every_packet_passes_and_is_counted", every_packet_passes_and_is_counted),
    ("tcp_at_no_loss_sends_nothing_twice", tcp_at_no_loss_sends_nothing_twice),
    ("a_line_is_filled_at_its_rate", a_line_is_filled_at_its_rate),
    ("a_delay_each_way_is_a_round_trip_of_both", a_delay_each_way_is_a_round_trip_of_both),
    ("clients_have_addresses_of_their_own", clients_have_addresses_of_their_own),
    ("packets_that_find_no_room_are_counted", packets_that_find_no_room_are_counted),
    ("an_ordinary_user_has_a_link_too", an_ordinary_user_has_a_link_too),
    ("a_closed_device_is_named", a_closed_device_is_named),
    ("a_limit_on_user_namespaces_is_named", a_limit_on_user_namespaces_is_named),
    ("nothing_is_left_of_a_parent_that_is_killed", nothing_is_left_of_a_parent_that_is_killed),
    ("nothing_is_left_of_a_router_that_is_killed", nothing_is_left_of_a_router_that_is_killed),
];

/// Both backends, each with both versions of IP.
fn everywhere(delay: Duration) -> impl Iterator<Item = Setting> {
    let versions = [IpVersion::V4, IpVersion::V6];
    let kinds = [Backend::Tun, Backend::Veth].map(|backend| versions.map(|ip| (backend, ip)));
    kinds.into_iter().flatten().map(move |(backend, ip_version)| Setting {
        backend: Some(backend),
        link: Link { delay: Ways::both(Span(delay)), ip_version, ..Link::default() },
        ..Setting::default()
    })
}

fn told(setting: &Setting) -> String {
    let version = setting.link.ip_version.title();
    format!("{} {version}", setting.backend.map_or("auto", Backend::name))
}

/// Packets that came to the router from the server, and from the clients; none was astray.
fn came(summary: &RouterMeasured) -> [u64; 2] {
    assert_eq!(summary.link.strays, []);
    [Direction::Down, Direction::Up].map(|way| summary.link.total(way).packets())
}

/// Sends datagrams to the server and back, one after the other; the shortest round trip in ms.
fn ping(rig: &Rig, count: u32) -> f64 {
    let server = rig.play(Side::Server, &format!("echo {}", rig.server(7)));
    assert_eq!(server.line(), "listens");
    let role = format!("ping {} {} {count}", rig.client(3), rig.server(7));
    rig.play(Side::Clients, &role).line().parse().expect("a number")
}

/// A transfer's figures.
struct Transfer {
    /// The address that the server saw.
    from: String,
    /// Segments that were sent twice.
    again: u64,
    /// Segments that came before one that was sent earlier.
    overtaken: u64,
    /// How long connecting took.
    connected_ms: f64,
}

/// Has the server send bytes to a client.
fn transfer(rig: &Rig, client: u32, bytes: u64) -> Transfer {
    let server = rig.play(Side::Server, &format!("source {} {bytes}", rig.server(80)));
    assert_eq!(server.line(), "listens");
    let role = format!("sink {} {}", rig.client(client), rig.server(80));
    let (sink, source) = (rig.play(Side::Clients, &role).line(), server.line());
    let [count, connected, overtaken] = parts(&sink);
    let [from, again] = parts(&source);
    assert_eq!(count, bytes.to_string(), "all of it arrives");
    Transfer {
        from: from.to_owned(),
        again: again.parse().expect("a number"),
        overtaken: overtaken.parse().expect("a number"),
        connected_ms: connected.parse().expect("a number"),
    }
}

fn parts<const N: usize>(line: &str) -> [&str; N] {
    line.split(' ').collect::<Vec<_>>().try_into().expect("as many figures as were asked for")
}

fn every_packet_passes_and_is_counted() {
    // Two seconds are enough for a kernel that has something to say, such as to solicit a router.
    for setting in everywhere(Duration::from_millis(10)) {
        let Some(rig) = Rig::start_or_skip(&setting) else { continue };
        ping(&rig, 100);
        let summary = rig.stop();
        let told = told(&setting);
        assert_eq!(came(&summary), [100, 100], "{told}: {summary:?}");
        assert_eq!(summary.forwarded, 200, "{told}");
        assert_eq!(summary.lateness().count(), 200, "{told}");
        assert_eq!(summary.unasked_drops(), 0, "{told}: {summary:?}");
        assert_eq!(summary.server.device.received, 100, "{told}: as its device counted");
        assert_eq!(summary.clients.device.sent, 100, "{told}: as its device counted");
    }
}

fn tcp_at_no_loss_sends_nothing_twice() {
    for setting in everywhere(Duration::ZERO).chain(everywhere(Duration::from_millis(20))) {
        let told = format!("{}, delay {:?}", told(&setting), setting.link.delay);
        let Some((transfer, summary)) = undisturbed(&setting, 1 << 26) else { continue };
        assert_eq!(transfer.again, 0, "{told}: segments sent twice, {summary:?}");
        let again = summary.link.total(Direction::Down).retransmitted_segments;
        assert_eq!(again, 0, "{told}: segments that the router saw twice");
    }
}

/// Transfers during which nothing was lost or overtaken, until there is one in which the router was
/// not kept from its core for so long that a kernel took packets for lost. A tail loss probe goes out
/// after two round trips and two ticks of the kernel's clock (RFC 8985 §7.2), and a router's queue is
/// a few ms long.
fn undisturbed(setting: &Setting, bytes: u64) -> Option<(Transfer, RouterMeasured)> {
    for _ in 0..8 {
        let rig = Rig::start_or_skip(setting)?;
        let transfer = transfer(&rig, 5, bytes);
        let summary = rig.stop();
        let [down, up] = came(&summary);
        assert_eq!(summary.unasked_drops(), 0, "{summary:?}");
        assert_eq!(summary.forwarded + summary.waiting, down + up);
        // No segment is larger than a packet, so that no offload was at work.
        assert!(down >= bytes / 1448, "{down}");
        if transfer.again == 0 || summary.longest_wait < Duration::from_millis(4) {
            assert_eq!(transfer.overtaken, 0, "{summary:?}");
            return Some((transfer, summary));
        }
    }
    eprintln!("skipped: this machine is too busy for a router");
    None
}

/// A packet of 1,500 bytes carries 1,448 of a stream. A transfer that fills the queue loses packets, and
/// fills it again: all but a few of those bytes are new ones.
fn a_line_is_filled_at_its_rate() {
    const SECONDS: u64 = 20;
    let mut transfers = Vec::new();
    for megabits in [1_u32, 10, 100] {
        let delay = Ways::both(Span(Duration::from_millis(50)));
        let down = format!("{megabits}Mbit/s").parse().expect("a rate");
        // The queue is 200 ms long where nothing else is said.
        let link = Link { delay, down: Some(down), ..Link::default() };
        let Some(rig) = Rig::start_or_skip(&Setting { link, ..Setting::default() }) else { return };
        let server = rig.play(Side::Server, &format!("pour {}", rig.server(80)));
        assert_eq!(server.line(), "listens");
        let role = format!("drink {} {} {SECONDS}", rig.client(1), rig.server(80));
        let client = rig.play(Side::Clients, &role);
        transfers.push((megabits, rig, server, client));
    }
    for (megabits, rig, _server, client) in transfers {
        let measured: f64 = client.line().parse().expect("a number");
        let ideal = f64::from(megabits) * 1e6 / 8.0 * 1448.0 / 1500.0;
        let share = measured / ideal;
        eprintln!("{megabits} Mbit/s: {:.2} % of what the line carries", share * 100.0);
        let summary = rig.stop();
        assert!(share < 1.01, "{megabits} Mbit/s: {share}");
        // What TCP leaves idle while it mends its first losses is its own; a machine that is busy adds
        // to it. A rate of other than IP bytes would show above.
        assert!(share > 0.9, "{megabits} Mbit/s: {share}, {summary:?}");
        assert_eq!(summary.unasked_drops(), 0, "{megabits} Mbit/s");
    }
}

fn a_delay_each_way_is_a_round_trip_of_both() {
    for setting in everywhere(Duration::from_millis(50)) {
        let Some(rig) = Rig::start_or_skip(&setting) else { continue };
        let shortest = ping(&rig, 3);
        assert!(shortest >= 100.0, "{}: {shortest} ms", told(&setting));
        let connected = transfer(&rig, 0, 1).connected_ms;
        assert!(connected >= 100.0, "{}: {connected} ms to connect", told(&setting));
        assert_eq!(rig.stop().unasked_drops(), 0);
    }
}

fn clients_have_addresses_of_their_own() {
    for setting in everywhere(Duration::ZERO) {
        let Some(rig) = Rig::start_or_skip(&setting) else { continue };
        for client in [0, 1, 255, 99_999] {
            let from = transfer(&rig, client, 1).from;
            assert_eq!(from, rig.client(client).to_string(), "{}", told(&setting));
        }
    }
}

fn packets_that_find_no_room_are_counted() {
    const SENT: u64 = 3_000;
    for setting in
        everywhere(Duration::ZERO).filter(|setting| setting.link.ip_version == IpVersion::V4)
    {
        let Some(rig) = Rig::start_or_skip(&Setting { queue: 20, ..setting.clone() }) else {
            continue;
        };
        let idle = rig.play(Side::Server, &format!("idle {}", rig.server(9)));
        assert_eq!(idle.line(), "listens");
        kill_process(rig.router.pid(), Signal::STOP).expect("it runs");
        let role = format!("burst {} {} {SENT}", rig.client(2), rig.server(9));
        assert_eq!(rig.play(Side::Clients, &role).line(), "sent");
        kill_process(rig.router.pid(), Signal::CONT).expect("it stands still");
        // What waited is ahead of what comes later.
        let late = rig.play(Side::Server, &format!("count {} 1", rig.server(10)));
        assert_eq!(late.line(), "listens");
        let role = format!("burst {} {} 1", rig.client(2), rig.server(10));
        assert_eq!(rig.play(Side::Clients, &role).line(), "sent");
        assert_eq!(late.line(), "all");
        let summary = rig.stop();
        let (told, lost) = (told(&setting), summary.clients.lost());
        assert!(lost > SENT / 2, "{told}: {lost} lost");
        assert_eq!(came(&summary)[1] + lost, SENT + 1, "{told}: {summary:?}");
        assert_eq!(summary.unasked_drops(), lost, "{told}");
    }
}

fn an_ordinary_user_has_a_link_too() {
    let setting = Setting { user: other_user(), ..Setting::default() };
    let Some(rig) = Rig::start_or_skip(&setting) else { return };
    ping(&rig, 10);
    assert_eq!(rig.stop().unasked_drops(), 0);
    let Some((transfer, summary)) = undisturbed(&setting, 1 << 24) else { return };
    assert_eq!(transfer.again, 0, "{summary:?}");
}

/// Nobody, where this process may become somebody else; else it is an ordinary user itself.
fn other_user() -> Option<u32> {
    rustix::process::geteuid().is_root().then_some(NOBODY)
}

fn a_closed_device_is_named() {
    let setting = Setting { backend: Some(Backend::Tun), user: other_user(), ..Setting::default() };
    let Err(reason) = Rig::start(&setting) else {
        return eprintln!("skipped: /dev/net/tun is open to all");
    };
    assert!(reason.contains("all else works without a link"), "{reason}");
    if !reason.contains("user namespace") {
        assert!(reason.starts_with("cannot open /dev/net/tun"), "{reason}");
    }
}

fn a_limit_on_user_namespaces_is_named() {
    let reason =
        Process::start("refused", None, other_user()).expect("the program is there").line();
    if reason.starts_with("skipped") {
        return eprintln!("{reason}");
    }
    let told = "cannot make a user namespace: user.max_user_namespaces allows no more";
    assert!(reason.starts_with(told), "{reason}");
    assert!(reason.contains("sysctl -w user.max_user_namespaces="), "{reason}");
}

/// Starts a link in another process: its parent, then router, server and client, and the numbers of
/// the networks.
fn by_another() -> Option<(Process, Vec<i32>, Vec<u64>)> {
    let parent = Process::start("parent", None, None).expect("the program is there");
    let said = parent.line();
    if said.starts_with("skipped") {
        eprintln!("{said}");
        return None;
    }
    let numbers: Vec<u64> = said.split(' ').map(|n| n.parse().expect("a number")).collect();
    let (pids, inodes) = numbers.split_at(3);
    let here = networks();
    assert!(inodes.iter().all(|inode| here.contains(inode)), "somebody is in both networks");
    Some((parent, pids.iter().map(|&pid| pid as i32).collect(), inodes.to_vec()))
}

/// Waits until a process has ended, by itself or by now.
fn gone(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).expect("no process is 0");
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    let patience = Timespec { tv_sec: 20, tv_nsec: 0 };
    let mut fds = [PollFd::new(&process, PollFlags::IN)];
    assert_eq!(
        poll(&mut fds, Some(&patience)).expect("it can be waited for"),
        1,
        "{pid:?} lives on"
    );
}

fn here() -> [String; 2] {
    let devices = fs::read_to_string("/proc/net/dev").expect("/proc is mounted");
    let devices = devices.lines().filter_map(|line| Some(line.split_once(':')?.0.to_owned()));
    let named = fs::read_dir("/run/netns").into_iter().flatten().flatten();
    [devices.collect(), named.map(|entry| format!("{:?} ", entry.file_name())).collect()]
}

fn nothing_is_left_of_a_parent_that_is_killed() {
    let before = here();
    let Some((mut parent, pids, inodes)) = by_another() else { return };
    parent.child.kill().expect("it runs");
    parent.child.wait().expect("it was started");
    pids.into_iter().for_each(gone);
    assert!(!networks().iter().any(|inode| inodes.contains(inode)), "a network is left");
    assert_eq!(here(), before, "devices and named networks");
}

fn nothing_is_left_of_a_router_that_is_killed() {
    let before = here();
    let Some((parent, pids, inodes)) = by_another() else { return };
    let router = rustix::process::Pid::from_raw(pids[0]).expect("no process is 0");
    kill_process(router, Signal::KILL).expect("it runs");
    gone(pids[0]);
    // The others end with their parent, and not before: they have nobody to talk to.
    assert!(networks().iter().any(|inode| inodes.contains(inode)));
    drop(parent);
    pids.into_iter().for_each(gone);
    assert!(!networks().iter().any(|inode| inodes.contains(inode)), "a network is left");
    assert_eq!(here(), before, "devices and named networks");
}
