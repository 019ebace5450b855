use std::net::Ipv6Addr;
use std::ops::RangeInclusive;

use proptest::prelude::*;

use super::*;

const PORTS: RangeInclusive<u16> = 32_768..=60_999;

fn limits(open_files: u64) -> Limits {
    Limits {
        open_files,
        local_ports: PORTS,
        memory_bytes: None,
        group_memory_bytes: None,
        tcp_bytes: None,
        page_bytes: 4096,
        system_files: None,
        epoll_watches: None,
        tracked_connections: None,
        backlog: None,
    }
}

fn room(demand: &Demand, limits: &Limits) -> (u32, u32, u32) {
    let room = fit(demand, limits).unwrap();
    (room.server_processes, room.load_processes, room.sources)
}

fn refusal(demand: &Demand, limits: &Limits) -> String {
    fit(demand, limits).unwrap_err().to_string()
}

#[test]
fn one_process_of_each_kind_as_long_as_it_fits() {
    let limits = limits(20_000);
    assert_eq!(room(&Demand::own(1), &limits), (1, 1, 1));
    assert_eq!(room(&Demand::own(12_000), &limits), (1, 1, 1));
    assert_eq!(room(&Demand::own(19_936), &limits), (1, 1, 2));
    assert_eq!(room(&Demand::own(19_937), &limits), (2, 2, 1));
    assert_eq!(room(&Demand::own(100_000), &limits), (6, 6, 2));
}

#[test]
fn beyond_half_of_an_addresses_ports_there_are_more_addresses() {
    assert_eq!(room(&Demand::own(12_704), &limits(1 << 20)), (1, 1, 1));
    assert_eq!(room(&Demand::own(12_705), &limits(1 << 20)), (1, 1, 2));
    assert_eq!(room(&Demand::own(100_000), &limits(1 << 20)), (1, 1, 8));
    // 500 connections a second wait for a minute each.
    let churning = Demand { opened_each_s: 500, ..Demand::own(500) };
    assert_eq!(room(&churning, &limits(1 << 20)), (1, 1, 3));
}

#[test]
fn what_the_user_wants_holds() {
    let limits = limits(20_000);
    let wants = |servers, loads| Demand {
        server_processes: servers,
        load_processes: loads,
        ..Demand::own(1_000)
    };
    assert_eq!(room(&wants(None, Some(3)), &limits), (1, 3, 1));
    assert_eq!(room(&wants(Some(2), None), &limits), (2, 2, 1));
    assert_eq!(room(&wants(Some(2), Some(4)), &limits), (2, 4, 1));
    // Three processes are needed for each kind, and four load processes share four servers.
    let many = Demand { load_processes: Some(4), ..Demand::own(50_000) };
    assert_eq!(room(&many, &limits), (4, 4, 1));
    assert_eq!(
        refusal(&wants(Some(2), Some(3)), &limits),
        "3 load processes cannot share 2 server processes evenly; pass `--load-processes 4`"
    );
}

#[test]
fn a_server_that_runs_already_is_one() {
    let limits = limits(20_000);
    let foreign = Demand { own_server: false, server_processes: Some(4), ..Demand::own(30_000) };
    assert_eq!(room(&foreign, &limits), (1, 2, 3));
    let far = Demand { target: IpAddr::from([192, 0, 2, 1]), ..foreign };
    assert_eq!(
        refusal(&far, &limits),
        "cannot open 30000 connections from one address: 192.0.2.1 is reached from one address, \
         and the local port range 32768-60999 has 28232 ports; widen \
         net.ipv4.ip_local_port_range or pass `--clients 28000`"
    );
    let six = Demand { target: Ipv6Addr::LOCALHOST.into(), ..foreign };
    let error = refusal(&six, &limits);
    assert!(error.contains("::1 is the only IPv6 loopback address"), "{error}");
    assert_eq!(room(&Demand { clients: 28_000, ..six }, &limits), (1, 2, 1));
}

#[test]
fn too_many_files_say_what_to_change() {
    let one = Demand { load_processes: Some(1), ..Demand::own(25_000) };
    assert_eq!(
        refusal(&one, &limits(20_000)),
        "cannot open 25000 connections: the limit of open files is 20000; raise it with \
         `ulimit -n` or pass `--clients 19000`"
    );
    let one = Demand { clients: 19_990, ..one };
    assert_eq!(
        refusal(&one, &limits(20_000)),
        "cannot open 19990 connections: the limit of open files is 20000, and 64 are needed \
         besides; raise it with `ulimit -n` or pass `--clients 19000`"
    );
    assert_eq!(
        refusal(&Demand::own(900_000), &limits(1_024)),
        "cannot open 900000 connections: the limit of open files is 1024 in each of 64 \
         processes; raise it with `ulimit -n` or pass `--clients 61000`"
    );
}

#[test]
fn the_scarcest_thing_bounds_the_clients() {
    let most = |limits: &Limits| most_clients(&Demand::own(1), limits);
    let files = limits(20_064);
    assert_eq!(most(&files), (64 * 20_000, Bound::OpenFiles));
    let memory = Limits { memory_bytes: Some(BYTES_PER_CLIENT * 300_000), ..files };
    assert_eq!(most(&memory), (300_000, Bound::Memory));
    let few = Limits { system_files: Some(1_300), ..memory };
    assert_eq!(most(&few), (150, Bound::MachineFiles));
    assert_eq!(most(&limits(10)), (0, Bound::OpenFiles));
    let far = Demand { target: IpAddr::from([192, 0, 2, 1]), own_server: false, ..Demand::own(1) };
    assert_eq!(most_clients(&far, &few).1, Bound::MachineFiles);
    assert_eq!(most_clients(&far, &limits(1 << 20)), (28_232, Bound::LocalPorts));
}

#[test]
fn where_no_client_fits_none_is_suggested() {
    assert_eq!(
        refusal(&Demand::own(1), &limits(16)),
        "cannot open 1 connections: the limit of open files is 16, and 64 are needed besides; \
         raise it with `ulimit -n`"
    );
}

/// A change that makes a limit tight, and a part of the refusal.
type Case = (fn(&mut Limits), &'static str);

#[test]
fn what_the_machine_shares_is_told_with_its_arithmetic() {
    let limits = |change: fn(&mut Limits)| {
        let mut limits = limits(20_000);
        change(&mut limits);
        limits
    };
    let cases: [Case; 6] = [
        (
            |limits| limits.memory_bytes = Some(1 << 30),
            "they need 3125 MiB of memory and 1024 are free",
        ),
        (
            |limits| limits.group_memory_bytes = Some(256 << 20),
            "they need 3125 MiB of this container's memory (cgroup) and 256 are free; raise its \
             limit: `docker run --memory`, systemd's MemoryMax, memory.max or pass \
             `--clients 8100`",
        ),
        (
            |limits| limits.tcp_bytes = Some(1 << 28),
            "they need 782 MiB of TCP buffers and 256 are free; raise net.ipv4.tcp_mem or pass \
             `--clients 32000`",
        ),
        (
            |limits| limits.system_files = Some(100_000),
            "they need 200000 open files in the whole system and 99000 are free; raise \
             fs.file-max or pass `--clients 49000`",
        ),
        (
            |limits| limits.epoll_watches = Some(50_000),
            "they need 200000 epoll watches and 50000 are free; raise \
             fs.epoll.max_user_watches or pass `--clients 25000`",
        ),
        (
            |limits| limits.tracked_connections = Some(65_536),
            "they need 100000 tracked connections and 65536 are free; raise \
             net.netfilter.nf_conntrack_max or pass `--clients 65000`",
        ),
    ];
    for (change, part) in cases {
        let error = refusal(&Demand::own(100_000), &limits(change));
        assert!(error.contains(part), "{error}\nlacks: {part}");
    }
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0_u64..200_000, any::<u64>()]
}

prop_compose! {
    fn any_limits()(
        open_files in number(),
        (low, high) in any::<(u16, u16)>(),
        shared in prop::array::uniform6(prop::option::of(number())),
    ) -> Limits {
        let [memory_bytes, group_memory_bytes, tcp_bytes, ..] = shared;
        let [.., system_files, epoll_watches, tracked_connections] = shared;
        Limits {
            local_ports: low..=high,
            memory_bytes,
            group_memory_bytes,
            tcp_bytes,
            system_files,
            epoll_watches,
            tracked_connections,
            ..limits(open_files)
        }
    }
}

prop_compose! {
    fn any_demand()(
        clients in 1_u64..2_000_000,
        opened_each_s in 0_u64..20_000,
        target in prop_oneof![
            Just(IpAddr::from([127, 0, 0, 1])),
            Just(IpAddr::from([192, 0, 2, 1])),
            Just(IpAddr::from(Ipv6Addr::LOCALHOST)),
        ],
        own_server in any::<bool>(),
        server_processes in prop::option::of(1_u64..=64),
        load_processes in prop::option::of(1_u64..=64),
    ) -> Demand {
        Demand {
            opened_each_s,
            target,
            own_server,
            server_processes,
            load_processes,
            ..Demand::own(clients)
        }
    }
}

proptest! {
    #[test]
    fn what_is_suggested_passes(demand in any_demand(), limits in any_limits()) {
        let suggestion = match fit(&demand, &limits) {
            Err(LimitError::OpenFiles { suggestion, .. }
            | LimitError::LocalPorts { suggestion, .. }
            | LimitError::Shared { suggestion, .. }) => suggestion,
            Ok(_) | Err(LimitError::Uneven { .. }) => return Ok(()),
        };
        let Some(suggested) = suggestion else { return Ok(()) };
        prop_assert!(0 < suggested && suggested < demand.clients);
        let demand = Demand { clients: suggested, ..demand };
        prop_assert!(fit(&demand, &limits).is_ok());
    }

    #[test]
    fn what_passes_fits_into_each_process(demand in any_demand(), limits in any_limits()) {
        let Ok(room) = fit(&demand, &limits) else { return Ok(()) };
        let (servers, loads) = (u64::from(room.server_processes), u64::from(room.load_processes));
        prop_assert!(loads.is_multiple_of(servers));
        prop_assert!(demand.clients.div_ceil(loads) + EXTRA_FDS <= limits.open_files);
        if demand.own_server {
            prop_assert!(demand.clients.div_ceil(servers) + EXTRA_FDS <= limits.open_files);
        }
        // Each connection of a server has a port of its own on one of the addresses.
        let ports = limits.local_ports.len() as u64 * u64::from(room.sources);
        prop_assert!(demand.clients.div_ceil(servers) <= ports);
    }

    #[test]
    fn rounding_keeps_two_digits(number in any::<u64>()) {
        let rounded = round_down(number);
        prop_assert!(rounded <= number);
        prop_assert!(number - rounded <= number / 10);
    }
}
