//! The table of axes: a row for each, with all that is said of it.

use super::AxisUnit;
use super::shown::{List as _, MayBeShown as _, Shown};
use crate::contender::{Coding, Contender, Security, Shape};
use crate::scenario::{Point, Scenario};

/// An axis' row.
pub(super) struct Row {
    /// The key in a scenario.
    pub(super) key: &'static str,
    /// The name in a point's label: `poll=1s`.
    pub(super) label: &'static str,
    pub(super) column: &'static str,
    pub(super) title: &'static str,
    pub(super) words: &'static str,
    pub(super) unit: AxisUnit,
    /// Who has the setting.
    pub(super) is_read_by: fn(Contender) -> bool,
    pub(super) setting: Setting,
}

impl Row {
    pub(super) fn number(&self, point: &Point) -> f64 {
        (self.setting.shown)(point).map_or(f64::NAN, Shown::number)
    }
}

/// A setting where a scenario lists it and where a point has it.
pub(super) struct Setting {
    /// How many values a scenario lists.
    pub(super) len: fn(&Scenario) -> usize,
    /// Gives a point the value at that place of the list.
    pub(super) choose: fn(&Scenario, usize, &mut Point),
    /// The value of a point; of a link, of talk or the like `None` where there is none.
    pub(super) shown: fn(&Point) -> Option<&dyn Shown>,
}

/// The [`Setting`] of a list of the scenario: one that a point has as it is, one within what a point
/// may lack (`?`), or the one that decides whether it does.
macro_rules! setting {
    ([$($list:tt)+] => [$($value:tt)+]) => {
        Setting {
            len: |scenario| scenario.$($list)+.len(),
            choose: |scenario, at, point| scenario.$($list)+.give(at, &mut point.$($value)+),
            shown: |point| Some(&point.$($value)+),
        }
    };
    ([$($list:tt)+] => [$($whole:tt)+]? $part:ident) => {
        Setting {
            len: |scenario| scenario.$($list)+.len(),
            choose: |scenario, at, point| {
                if let Some(whole) = &mut point.$($whole)+ {
                    scenario.$($list)+.give(at, &mut whole.$part);
                }
            },
            shown: |point| point.$($whole)+.as_ref().and_then(|whole| whole.$part.shown()),
        }
    };
    ([$($list:tt)+] begins [$table:ident] $shown:expr) => {
        Setting {
            len: |scenario| scenario.$($list)+.len(),
            choose: |scenario, at, point| scenario.$table.begin(at, point),
            shown: $shown,
        }
    };
}

/// The type of the axes and their rows: unit, readers and [`setting!`], then key, label, column,
/// title and words.
macro_rules! axes {
    ($(
        $(#[$doc:meta])+
        $axis:ident: $unit:ident of $readers:ident, $setting:tt,
        $key:literal, $label:literal, $column:literal, $title:literal, $words:literal;
    )+) => {
        /// A setting that may have a list of values.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Axis {
            $($(#[$doc])+ $axis,)+
        }

        impl Axis {
            /// All, in the order of columns and labels; the last one turns fastest from point to
            /// point.
            pub const ALL: [Self; TABLE.len()] = [$(Self::$axis),+];
        }

        pub(super) const TABLE: &[Row] = &[$(Row {
            key: $key,
            label: $label,
            column: $column,
            title: $title,
            words: $words,
            unit: AxisUnit::$unit,
            is_read_by: $readers,
            setting: setting! $setting,
        }),+];
    };
}

axes! {
    /// Subscribers.
    Clients: Count of all, ([clients] => [clients]),
        "clients", "clients", "clients", "clients", "{} client{s}";
    /// Messages in a unit of time.
    Rate: PerSecond of all, ([rates()] => [rate]),
        "rate", "rate", "rate_hz", "messages per second", "{} message{s}/s";
    /// Size of a payload.
    Payload: Bytes of all, ([payload] => [payload_bytes]),
        "payload", "payload", "payload_bytes", "payload size", "{} payload";
    /// The period of short polls.
    PollInterval: Micros of all, ([poll_interval] => [poll_interval]),
        "poll_interval", "poll", "poll_interval_ms", "poll interval", "polls every {}";
    /// How long the server is asked to hold a long poll.
    LongPollTimeout: Micros of all, ([long_poll_timeout] => [long_poll_timeout]),
        "long_poll_timeout", "hold", "long_poll_timeout_ms",
        "long-poll timeout", "long polls held {}";
    /// Bytes of cookies beside the header profile's.
    CookieBytes: Bytes of all, ([cookie_bytes] => [cookie_bytes]),
        "cookie_bytes", "cookie", "cookie_bytes", "bytes of cookies", "{} of cookies";
    /// How many times faster than recorded.
    Speed: Factor of all, ([feed.speed] => [speed]),
        "feed.speed", "speed", "speed", "speed of the replay", "at {}× speed";
    /// Groups of TLS.
    TlsGroups: Name of tls, ([tls.groups] => [tls.groups]),
        "tls.groups", "groups", "tls_groups", "groups of TLS", "{} key exchange";
    /// The key of the server's certificate.
    TlsCertificate: Name of tls, ([tls.certificate] => [tls.certificate]),
        "tls.certificate", "certificate", "tls_certificate", "certificate", "{} certificate";
    /// Versions of TLS.
    TlsVersions: Name of tls, ([tls.versions] => [tls.versions]),
        "tls.versions", "versions", "tls_versions", "versions of TLS", "TLS {}";
    /// The cipher of TLS.
    TlsCipher: Name of tls, ([tls.cipher] => [tls.cipher]),
        "tls.cipher", "cipher", "tls_cipher", "cipher", "cipher {}";
    /// Whether sessions of TLS are resumed.
    TlsResumption: Name of tls, ([tls.resumption] => [tls.resumption]),
        "tls.resumption", "resumption", "tls_resumption", "resumption of sessions", "resumption {}";
    /// How hard a compressor tries.
    CompressionLevel: Count of coded, ([compression.level] => [compression.level]),
        "compression.level", "level", "compression_level",
        "level of compression", "compression level {}";
    /// How far it looks back.
    CompressionWindow: Count of coded, ([compression.window_bits] => [compression.window_bits]),
        "compression.window_bits", "window", "compression_window_bits",
        "bits of the compressor's window", "compression window of {} bits";
    /// The size from which it is used.
    CompressionThreshold: Bytes of coded, ([compression.threshold] => [compression.threshold]),
        "compression.threshold", "compressed-from", "compression_threshold_bytes",
        "size from which is compressed", "compressed from {} on";
    /// The name of the link.
    LinkName: Name of all, ([link.name] begins [link] link_name),
        "link.name", "link", "link", "link", "over {}";
    /// How long a packet is under way in one direction.
    Delay: Micros of all, ([link.delay] => [link]? delay),
        "link.delay", "delay", "delay_ms", "one-way delay", "{} of delay each way";
    /// By how much that may differ.
    Jitter: Micros of all, ([link.jitter] => [link]? jitter),
        "link.jitter", "jitter", "jitter_ms", "jitter", "{} of jitter";
    /// The share of packets that are lost.
    Loss: Percent of all, ([link.loss] => [link]? loss),
        "link.loss", "loss", "loss_percent", "packets lost", "{} of packets lost";
    /// How many are lost in a row.
    LossBurst: Count of all, ([link.burst] => [link]? burst),
        "link.burst", "burst", "loss_burst", "packets lost in a row", "{} lost in a row";
    /// The rate of a line from server to client.
    DownRate: BitsPerSecond of all, ([link.down] => [link]? down),
        "link.down", "down", "down_bits_per_s", "rate down", "{} down";
    /// The rate of a line from client to server.
    UpRate: BitsPerSecond of all, ([link.up] => [link]? up),
        "link.up", "up", "up_bits_per_s", "rate up", "{} up";
    /// How much may wait in front of a line.
    Queue: Name of all, ([link.queue] => [link]? queue),
        "link.queue", "queue", "queue", "queue limit", "a queue of {}";
    /// Connections beside the feed that fill the line from server to client.
    LoadDown: Count of all, ([link.load_down] => [link]? load_down),
        "link.load_down", "load-down", "load_down",
        "downloads beside the feed", "{} download{s} beside it";
    /// Connections beside the feed that fill the line from client to server.
    LoadUp: Count of all, ([link.load_up] => [link]? load_up),
        "link.load_up", "load-up", "load_up", "uploads beside the feed", "{} upload{s} beside it";
    /// The version of IP over a link.
    IpVersion: Name of all, ([link.ip_version] => [link]? ip_version),
        "link.ip_version", "ip", "ip_version", "version of IP", "{} packets";
    /// The way that clients take to the server.
    Via: Name of all, ([via] => [via]),
        "via", "via", "via", "way to the server", "via {}";
    /// The server.
    Subject: Name of all, ([subject] => [subject]),
        "subject", "subject", "subject", "server", "server {}";
    /// Who hears what a client says.
    Talk: Name of all, ([talk.pattern] begins [talk] |point| Some(&point.talk.as_ref()?.pattern)),
        "talk.pattern", "talk", "talk", "talk", "{}";
    /// Messages that each client says in a unit of time.
    TalkRate: PerSecond of all, ([talk.rate] => [talk]? rate),
        "talk.rate", "talk-rate", "talk_rate_hz",
        "messages said per second by each client", "{} said/s by each";
    /// Clients in a room.
    RoomSize: Count of all, ([talk.room_size] => [talk]? room_size),
        "talk.room_size", "room", "room_size", "clients in a room", "rooms of {}";
    /// The silence after which a server shows streams that it is there.
    Heartbeat: Micros of streams, ([heartbeat] => [heartbeat]),
        "heartbeat", "heartbeat", "heartbeat_ms",
        "silence before a heartbeat", "a heartbeat after {}";
    /// How the server goes within the window, and another comes in its place.
    Restart: Name of all,
        ([restart.how] begins [restart] |point| Some(&point.life.restart.as_ref()?.how)),
        "restart.how", "restart", "restart", "restart of the server", "server restarted ({})";
    /// How long nobody listens then.
    RestartDown: Micros of all, ([restart.down] => [life.restart]? down),
        "restart.down", "down", "restart_down_ms", "time without a server", "{} without a server";
    /// How often clients leave, and others come in their place.
    Churn: PerSecond of all,
        ([churn.rate] begins [churn] |point| Some(&point.life.churn.as_ref()?.rate)),
        "churn.rate", "churn", "churn_hz",
        "times per second that clients leave", "clients leave {}/s";
    /// How many leave at once.
    ChurnBurst: Count of all, ([churn.burst] => [life.churn]? burst),
        "churn.burst", "at-once", "churn_burst", "clients that leave at once", "{} at once";
    /// How long clients wait before they connect again.
    Reconnect: Name of all, ([reconnect] => [life.reconnect]),
        "reconnect", "reconnect", "reconnect",
        "pause before connecting again", "reconnecting by {}";
    /// The program that plays the clients.
    Client: Name of all, ([client] => [client]),
        "client", "client", "client", "clients' program", "{} as client";
}

const fn all(_: Contender) -> bool {
    true
}

fn tls(contender: Contender) -> bool {
    contender.stack.security == Security::Tls
}

fn coded(contender: Contender) -> bool {
    contender.stack.coding != Coding::None
}

fn streams(contender: Contender) -> bool {
    contender.shape() == Shape::Streams
}

fn link_name(point: &Point) -> Option<&dyn Shown> {
    Some(match (&point.link, &point.link_name) {
        (None, _) => &"loopback",
        (Some(_), None) => &"own",
        (Some(_), Some(name)) => name,
    })
}
