use serde::de::Error as _;

use super::*;
use crate::units::ByteSize;

fn read(toml: &str) -> Result<Link, String> {
    let link = toml::Deserializer::parse(toml).map_err(toml::de::Error::custom);
    link.and_then(<Link as Deserialize>::deserialize).map_err(|error| error.to_string())
}

fn millis(millis: u64) -> Span {
    Span(Duration::from_millis(millis))
}

#[test]
fn deadlines_grow_with_delays_queues_and_loss() {
    let grace = |text: &str| toml::from_str::<Link>(text).unwrap().grace();
    assert_eq!(grace(""), Duration::ZERO);
    assert_eq!(grace("delay = { down = \"40ms\", up = \"10ms\" }"), Duration::from_millis(200));
    assert_eq!(grace("loss = { down = \"0%\", up = \"1%\" }"), Duration::from_secs(10));
    // 1 Mbit/s sends 125,000 bytes a second, and only the way down has a rate.
    let queue = "down = \"1Mbit/s\"\nqueue = \"12.5KB\"";
    assert_eq!(grace(queue), Duration::from_millis(400));
    // Cross traffic has the queue drop packets.
    let load = format!("{queue}\nscope = \"shared\"\nload_down = 1");
    assert_eq!(grace(&load), Duration::from_millis(10_400));
}

#[test]
fn an_empty_table_passes_packets_on_untouched() {
    let link = read("").unwrap();
    assert_eq!(link, Link::default());
    assert_eq!((link.delay, link.loss), (Ways::both(Span::default()), Ways::both(Share(0.0))));
    assert_eq!((link.down, link.up, link.mtu, link.scope), (None, None, 1500, Scope::Client));
}

#[test]
fn what_is_given_once_holds_both_ways_and_a_table_parts_them() {
    let link = read(
        "delay = \"40ms\"\njitter = { down = \"5ms\", up = \"1ms\" }\nloss = \"0.1%\"\nburst = 4\n\
         down = \"10Mbit/s\"\nqueue = { down = \"200ms\", up = \"64KiB\" }\nip_version = \"ipv6\"\n\
         mtu = 1280\nscope = \"shared\"\nreorder = true\nload_down = 2",
    );
    let expected = Link {
        delay: Ways::both(millis(40)),
        jitter: Ways { down: millis(5), up: millis(1) },
        loss: Ways::both(Share(0.001)),
        burst: BurstLength::of(4.0).map(Ways::both),
        down: BitRate::from_bits(10_000_000),
        up: None,
        queue: Ways {
            down: QueueLimit::Time(millis(200)),
            up: QueueLimit::Bytes(ByteSize(64 << 10)),
        },
        ip_version: IpVersion::V6,
        mtu: 1280,
        scope: Scope::Shared,
        reorder: true,
        load_down: 2,
        load_up: 0,
    };
    assert_eq!(link, Ok(expected));
    // As one text, as a flag has it.
    assert_eq!(read("delay = \"40ms:60ms\"").unwrap().delay.to_string(), "40ms:60ms");
    assert_eq!("1%".parse::<Ways<Share>>().unwrap(), Ways::both(Share(0.01)));
}

/// A record is lossless: what is written reads back as the same link.
#[test]
fn a_link_reads_back_as_written() {
    let texts = [
        "",
        "loss = 0.07",
        "loss = \"33.333333%\"",
        "delay = \"1s\"\njitter = { down = \"1234567ns\", up = \"0s\" }\nreorder = true",
        "loss = { down = \"12.5%\", up = \"0.0001%\" }\nburst = { down = 2.5, up = 10 }",
        "up = \"768kbit/s\"\nqueue = { down = \"1500B\", up = \"1m\" }",
    ];
    for text in texts {
        let link = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let json = serde_json::to_string(&link).unwrap();
        assert_eq!(serde_json::from_str::<Link>(&json).unwrap(), link, "{json}");
        let toml = toml::to_string(&link).unwrap();
        assert_eq!(read(&toml).as_ref(), Ok(&link), "{toml}");
    }
}

#[test]
fn what_cannot_be_emulated_is_refused_by_its_key_with_a_remedy() {
    for (text, part) in [
        ("delay = \"10.5s\"", "link.delay: 10500ms is too long; at most 10s can be emulated"),
        ("delay = \"10\"\njitter = \"11s\"", "link.jitter: 11s to either side of a delay of 10s"),
        ("delay = { down = \"1ms\", up = \"9ms\" }\njitter = \"5ms\"", "make it at most the delay"),
        ("loss = \"100%\"", "link.loss: of 100% nothing would arrive; it must be below 100%"),
        ("loss = { down = 0, up = 1 }", "it must be below 100%"),
        ("loss = 5", "without `%` it is at most 1"),
        ("down = \"0Mbit/s\"", "`0Mbit/s` is not a bit rate: it must be above zero"),
        ("up = \"999bit/s\"", "link.up: 999bit/s is not within 1kbit/s and 100Gbit/s"),
        ("down = 10", "a unit is missing; write it like `10Mbit/s`"),
        ("down = \"1Mbit/s\"\nqueue = \"61s\"", "link.queue: 61s is too much; at most 1m or 1GiB"),
        ("down = \"1Mbit/s\"\nqueue = \"2GiB\"", "link.queue: 2GiB is too much"),
        ("down = \"1Mbit/s\"\nqueue = 200", "is not a queue limit: a unit is missing; write it"),
        ("down = \"1Mbit/s\"\nqueue = \"64KB/s\"", "is not a queue limit: `KB/s` is not one of"),
        ("queue = \"64KiB\"", "link.queue: nothing waits in front of a line without a rate; set"),
        ("mtu = 575", "link.mtu: 575 bytes are too few; IPv4 needs links of at least 576"),
        ("mtu = 70000", "invalid value: integer `70000`, expected u16"),
        ("burst = 3", "link.burst: nothing is lost; set `loss`, or leave it out"),
        ("loss = \"1%\"\nburst = 0.5", "is not a mean burst length: it is not within 1 and 10000"),
        (
            "loss = \"1%\"\nburst = \"4 packets\"",
            "it is not a number of packets; write it like `4`",
        ),
        (
            "loss = \"80%\"\nburst = 3.9",
            "link.burst: a loss of 80% comes at least 4 packets in a row",
        ),
        ("reorder = true", "link.reorder: nothing overtakes where all delays are the same; set"),
        (
            "load_down = 1",
            "link.load_down: nothing fills a line without a rate; set `down`, or leave",
        ),
        (
            "down = \"1Mbit/s\"\nload_up = 1",
            "link.load_up: nothing fills a line without a rate; set `up`",
        ),
        (
            "down = \"1Mbit/s\"\nload_down = 1",
            "link.load_down: it takes a line that all share; set `scope = \"shared\"`",
        ),
        ("load_up = 65", "link.load_up: 65 connections are too many; at most 64 fill a line"),
        ("load_down = -1", "invalid value: integer `-1`, expected u32"),
        ("latency = \"5ms\"", "unknown field `latency`"),
        ("delay = { down = \"5ms\" }", "missing field `up`"),
        ("delay = { down = \"5ms\", up = \"5ms\", both = 1 }", "unknown field `both`"),
        ("delay = [1]", "a value with its unit, or `{ down = …, up = … }`"),
        ("scope = \"room\"", "expected `client` or `shared`"),
    ] {
        let error = read(text).expect_err(text);
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn in_ipv6_a_link_passes_1280_bytes() {
    assert_eq!(read("mtu = 1279").unwrap().ip_version, IpVersion::V4);
    let error = read("mtu = 1279\nip_version = \"ipv6\"").unwrap_err();
    let told = "link.mtu: 1279 bytes are too few; IPv6 needs links of at least 1280";
    assert!(error.contains(told), "{error}");
    assert!(read("mtu = 1280\nip_version = \"ipv6\"").is_ok());
    let error = read("ip_version = \"v6\"").unwrap_err();
    assert!(error.contains("expected `ipv4` or `ipv6`"), "{error}");
}

#[test]
fn what_is_built_in_says_where_it_comes_from_and_can_be_emulated() {
    for name in names() {
        let named = NamedLink::built_in(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(named.name, name);
        assert!(named.source.len() > 10 && named.about.len() > 10, "{name} has no source");
        assert_ne!(named.link, Link::default(), "{name} does nothing");
        let over_ipv6 = Link { ip_version: IpVersion::V6, ..named.link };
        assert_eq!(over_ipv6.check(), Ok(()), "{name}");
    }
    let phone = NamedLink::built_in("3g").unwrap().link;
    assert_eq!(phone.down, BitRate::from_bits(1_600_000));
    let error = NamedLink::built_in("5g").unwrap_err().to_string();
    assert!(error.contains("`5g`; there are lan, fibre, cable, wifi-busy, 4g, 3g"), "{error}");
}
