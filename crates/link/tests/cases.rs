//! Links as TOML: what goes into the router, and what must come out of it and when. Each file in
//! `cases/` is a case, and says by hand how its numbers come about.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use pushbench_core::MonoInstant;
use pushbench_core::instant::saturating_nanos;
use pushbench_core::link::{Cause, Link, NamedLink};
use pushbench_core::units::Span;
use pushbench_link::{Addressing, Prefix, Router, Side};
use pushbench_metrics::observe::ledger::Direction;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// A table, or the name of a link that is built in.
    link: LinkOrName,
    #[serde(default = "one")]
    clients: u32,
    #[serde(default)]
    ipv6: bool,
    packets: Vec<Group>,
    /// Packets dropped by cause; none where a cause is left out.
    #[serde(default)]
    dropped: BTreeMap<Cause, Count>,
    /// Packets of nobody.
    #[serde(default)]
    strays: u64,
    /// Packets that arrive with a later one there already.
    overtaken: Option<Count>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum LinkOrName {
    Name(String),
    Table(Box<Link>),
}

/// Packets that go in one after the other, and what must come out of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    from: From,
    /// The client that sends or receives them, from 1.
    #[serde(default = "one")]
    client: u32,
    /// When the first comes.
    at: Span,
    /// The size of each at the IP layer, headers included.
    bytes: u16,
    #[serde(default = "one")]
    count: u32,
    /// The time from one to the next.
    #[serde(default)]
    every: Span,
    /// How many arrive; all of them where it is left out.
    arrived: Option<Count>,
    /// When the first of them arrives, and when the last does.
    first: Option<Span>,
    last: Option<Span>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum From {
    Server,
    Clients,
}

/// A number, or the least and the most.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Count {
    Exactly(u64),
    Within(u64, u64),
}

impl Count {
    #[track_caller]
    fn check(self, counted: u64, what: &str) {
        let (least, most) = match self {
            Self::Exactly(number) => (number, number),
            Self::Within(least, most) => (least, most),
        };
        assert!((least..=most).contains(&counted), "{what}: {counted}, not {least} to {most}");
    }
}

const fn one() -> u32 {
    1
}

/// A packet that left the router: its group, its place in it, when.
type Left = (usize, u32, u64);

impl Case {
    fn link(&self, name: &str) -> Link {
        match &self.link {
            LinkOrName::Name(name) => NamedLink::built_in(name).expect("it is built in").link,
            LinkOrName::Table(link) => {
                link.check().unwrap_or_else(|error| panic!("{name}: {error}"));
                (**link).clone()
            }
        }
    }

    fn addressing(&self) -> Addressing {
        let (server, network, length) =
            if self.ipv6 { ("fd00::1", "fd01::", 64) } else { ("10.0.0.1", "10.1.0.0", 16) };
        let prefix = Prefix::new(network.parse().unwrap(), length).unwrap();
        Addressing { server: server.parse().unwrap(), prefix, clients: self.clients }
    }

    /// All packets in the order of time, as group and place.
    fn order(&self) -> Vec<(u64, usize, u32)> {
        let mut order = Vec::new();
        for (index, group) in self.packets.iter().enumerate() {
            let (start, every) = (saturating_nanos(group.at.0), saturating_nanos(group.every.0));
            let places = 0..group.count;
            order.extend(places.map(|place| (start + u64::from(place) * every, index, place)));
        }
        order.sort_by_key(|(at, ..)| *at);
        order
    }

    fn packet(&self, group: usize, place: u32) -> (Side, Vec<u8>) {
        let Group { from, client, bytes, .. } = self.packets[group];
        let server = self.addressing().server;
        let client = self.addressing().prefix.address(client - 1).unwrap();
        let (side, from, to) = match from {
            From::Server => (Side::Server, server, client),
            From::Clients => (Side::Clients, client, server),
        };
        (side, segment(from, to, bytes, [group as u32, place]))
    }

    fn play(&self, router: &mut Router) -> Vec<Left> {
        let mut left = Vec::new();
        for (at, group, place) in self.order() {
            leave(router, at, self.ipv6, &mut left);
            let (side, packet) = self.packet(group, place);
            router.packet(MonoInstant(at), side, &packet);
        }
        leave(router, u64::MAX, self.ipv6, &mut left);
        left
    }

    fn check(&self, router: &Router, left: &[Left], name: &str) {
        for (index, group) in self.packets.iter().enumerate() {
            let name = format!("{name}, packets {}", index + 1);
            let arrivals: Vec<_> = left.iter().filter(|(of, ..)| *of == index).collect();
            let all = Count::Exactly(group.count.into());
            group.arrived.unwrap_or(all).check(arrivals.len() as u64, &name);
            let instant = |at: Option<&&Left>| at.map(|(.., at)| *at);
            for (expected, at) in [(group.first, arrivals.first()), (group.last, arrivals.last())] {
                let expected = expected.map(|span| saturating_nanos(span.0));
                assert!(expected.is_none() || expected == instant(at), "{name}: {at:?} ns");
            }
        }
        let counts = router.counts(MonoInstant(u64::MAX));
        let [up, down] = Direction::ALL.map(|direction| counts.total(direction));
        for cause in Cause::ALL {
            let dropped = up.dropped(cause).packets + down.dropped(cause).packets;
            let expected = self.dropped.get(&cause).copied().unwrap_or(Count::Exactly(0));
            expected.check(dropped, &format!("{name}, dropped for {cause}"));
        }
        let strays = counts.strays.iter().map(|stray| stray.count.packets).sum::<u64>();
        assert_eq!(strays + counts.more_strays.packets, self.strays, "{name}, strays");
        if let Some(expected) = self.overtaken {
            expected.check(overtaken(left), &format!("{name}, overtaken"));
        }
    }
}

/// Lets all leave that is due by `until`, each at the instant at which it is.
fn leave(router: &mut Router, until: u64, ipv6: bool, left: &mut Vec<Left>) {
    while let Some(now) = router.next_due().filter(|due| due.0 <= until) {
        let due = router.take_due(now).expect("one is due");
        let tcp = if ipv6 { 40 } else { 20 };
        let number = |at: usize| *router.bytes(&due)[tcp + at..].first_chunk().unwrap();
        let [group, place] = [4, 8].map(|at| u32::from_be_bytes(number(at)));
        left.push((group as usize, place, now.0));
        router.sent(due, now);
    }
}

/// How many packets of a group left behind one that had come after them.
fn overtaken(left: &[Left]) -> u64 {
    let mut newest = BTreeMap::new();
    let is_overtaken = |(group, place, _): &&Left| {
        let newest = newest.entry(*group).or_insert(0);
        *newest = (*newest).max(*place);
        place < newest
    };
    left.iter().filter(is_overtaken).count() as u64
}

/// A segment of TCP with two numbers in it.
fn segment(from: IpAddr, to: IpAddr, bytes: u16, numbers: [u32; 2]) -> Vec<u8> {
    let mut packet = match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let [high, low] = bytes.to_be_bytes();
            let head = [0x45, 0, high, low, 0, 1, 0x40, 0, 64, 6, 0, 0];
            [&head[..], &from.octets(), &to.octets()].concat()
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let [high, low] = (bytes - 40).to_be_bytes();
            [&[0x60, 0, 0, 0, high, low, 6, 64][..], &from.octets(), &to.octets()].concat()
        }
        _ => unreachable!("both are of one version"),
    };
    packet.extend([0x9c, 0x40, 0, 80]);
    packet.extend(numbers.map(u32::to_be_bytes).concat());
    packet.extend([0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0]);
    packet.resize(bytes.into(), b'x');
    packet
}

#[test]
fn what_goes_in_comes_out_as_the_case_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut played = 0;
    for entry in folder.read_dir().expect("the cases stand beside this file") {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let case: Case = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut router = Router::new(&case.link(&name), case.addressing(), 1);
        let left = case.play(&mut router);
        case.check(&router, &left, &name);
        played += 1;
    }
    assert!(played >= 14, "{played} cases");
}
