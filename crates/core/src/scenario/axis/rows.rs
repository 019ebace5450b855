//! The table of axes: a row for each, with all that is said of it.

mod life;
mod link;
mod talk;

use super::{Axis, AxisUnit};
use crate::contender::{Coding, Contender, Security, Shape};
use crate::scenario::{Point, Scenario};
use crate::units::{ByteSize, Count, Span};

/// An axis' row: all that is said of it in one place.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) axis: Axis,
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
    /// How many values a scenario lists.
    pub(super) len: fn(&Scenario) -> usize,
    /// Gives a point the value at that place of the list.
    pub(super) choose: fn(&Scenario, usize, &mut Point),
    pub(super) value: fn(&Point) -> f64,
    pub(super) field: fn(&Point) -> f64,
    pub(super) text: fn(&Point) -> String,
}

/// The axes. The last one turns fastest from point to point.
pub(super) const TABLE: [Row; 38] = [
    Row {
        axis: Axis::Clients,
        key: "clients",
        label: "clients",
        column: "clients",
        title: "clients",
        words: "{} client{s}",
        unit: AxisUnit::Count,
        is_read_by: |_| true,
        len: |scenario| scenario.clients.as_slice().len(),
        choose: |from, at, point| point.clients = whole(from.clients.as_slice()[at]),
        value: |point| f64::from(point.clients),
        field: |point| f64::from(point.clients),
        text: |point| point.clients.to_string(),
    },
    Row {
        axis: Axis::Rate,
        key: "rate",
        label: "rate",
        column: "rate_hz",
        title: "messages per second",
        words: "{} message{s}/s",
        unit: AxisUnit::PerSecond,
        is_read_by: |_| true,
        len: |scenario| scenario.rates().as_slice().len(),
        choose: |from, at, point| point.rate = from.rates().as_slice()[at],
        value: |point| point.rate.hz(),
        // That of the long run, bursts and silences together.
        field: |point| point.rate_hz,
        text: |point| point.rate.to_string(),
    },
    Row {
        axis: Axis::Payload,
        key: "payload",
        label: "payload",
        column: "payload_bytes",
        title: "payload size",
        words: "{} payload",
        unit: AxisUnit::Bytes,
        is_read_by: |_| true,
        len: |scenario| scenario.payload.as_slice().len(),
        choose: |from, at, point| {
            point.payload_bytes = bytes(from.payload.as_slice()[at]);
        },
        value: |point| point.payload_bytes,
        field: |point| point.payload_bytes,
        text: |point| format!("{}B", point.payload_bytes),
    },
    Row {
        axis: Axis::PollInterval,
        key: "poll_interval",
        label: "poll",
        column: "poll_interval_ms",
        title: "poll interval",
        words: "polls every {}",
        unit: AxisUnit::Micros,
        is_read_by: |_| true,
        len: |scenario| scenario.poll_interval.as_slice().len(),
        choose: |from, at, point| point.poll_interval = from.poll_interval.as_slice()[at],
        value: |point| seconds(point.poll_interval) * 1e6,
        field: |point| seconds(point.poll_interval) * 1e3,
        text: |point| point.poll_interval.to_string(),
    },
    Row {
        axis: Axis::LongPollTimeout,
        key: "long_poll_timeout",
        label: "hold",
        column: "long_poll_timeout_ms",
        title: "long-poll timeout",
        words: "long polls held {}",
        unit: AxisUnit::Micros,
        is_read_by: |_| true,
        len: |scenario| scenario.long_poll_timeout.as_slice().len(),
        choose: |from, at, point| point.long_poll_timeout = from.long_poll_timeout.as_slice()[at],
        value: |point| seconds(point.long_poll_timeout) * 1e6,
        field: |point| seconds(point.long_poll_timeout) * 1e3,
        text: |point| point.long_poll_timeout.to_string(),
    },
    Row {
        axis: Axis::CookieBytes,
        key: "cookie_bytes",
        label: "cookie",
        column: "cookie_bytes",
        title: "bytes of cookies",
        words: "{} of cookies",
        unit: AxisUnit::Bytes,
        is_read_by: |_| true,
        len: |scenario| scenario.cookie_bytes.as_slice().len(),
        choose: |from, at, point| point.cookie_bytes = whole(from.cookie_bytes.as_slice()[at]),
        value: |point| f64::from(point.cookie_bytes),
        field: |point| f64::from(point.cookie_bytes),
        text: |point| format!("{}B", point.cookie_bytes),
    },
    Row {
        axis: Axis::Speed,
        key: "feed.speed",
        label: "speed",
        column: "speed",
        title: "speed of the replay",
        words: "at {}× speed",
        unit: AxisUnit::Factor,
        is_read_by: |_| true,
        len: |scenario| scenario.feed.speed.as_slice().len(),
        choose: |from, at, point| point.speed = from.feed.speed.as_slice()[at],
        value: |point| point.speed,
        field: |point| point.speed,
        text: |point| point.speed.to_string(),
    },
    TLS_GROUPS,
    Row {
        axis: Axis::TlsCertificate,
        key: "tls.certificate",
        label: "certificate",
        column: "tls_certificate",
        title: "certificate",
        words: "{} certificate",
        len: |scenario| scenario.tls.certificate.as_slice().len(),
        choose: |from, at, point| point.tls.certificate = from.tls.certificate.as_slice()[at],
        text: |point| point.tls.certificate.to_string(),
        ..TLS_GROUPS
    },
    Row {
        axis: Axis::TlsVersions,
        key: "tls.versions",
        label: "versions",
        column: "tls_versions",
        title: "versions of TLS",
        words: "TLS {}",
        len: |scenario| scenario.tls.versions.as_slice().len(),
        choose: |from, at, point| point.tls.versions = from.tls.versions.as_slice()[at].clone(),
        text: |point| point.tls.versions.to_string(),
        ..TLS_GROUPS
    },
    Row {
        axis: Axis::TlsCipher,
        key: "tls.cipher",
        label: "cipher",
        column: "tls_cipher",
        title: "cipher",
        words: "cipher {}",
        len: |scenario| scenario.tls.cipher.as_slice().len(),
        choose: |from, at, point| point.tls.cipher = from.tls.cipher.as_slice()[at],
        text: |point| point.tls.cipher.to_string(),
        ..TLS_GROUPS
    },
    Row {
        axis: Axis::TlsResumption,
        key: "tls.resumption",
        label: "resumption",
        column: "tls_resumption",
        title: "resumption of sessions",
        words: "resumption {}",
        len: |scenario| scenario.tls.resumption.as_slice().len(),
        choose: |from, at, point| point.tls.resumption = from.tls.resumption.as_slice()[at],
        text: |point| point.tls.resumption.to_string(),
        ..TLS_GROUPS
    },
    LEVEL,
    Row {
        axis: Axis::CompressionWindow,
        key: "compression.window_bits",
        label: "window",
        column: "compression_window_bits",
        title: "bits of the compressor's window",
        words: "compression window of {} bits",
        len: |scenario| scenario.compression.window_bits.as_slice().len(),
        choose: |from, at, point| {
            point.compression.window_bits = byte(from.compression.window_bits.as_slice()[at]);
        },
        value: |point| point.compression.window_bits.into(),
        field: |point| point.compression.window_bits.into(),
        text: |point| point.compression.window_bits.to_string(),
        ..LEVEL
    },
    Row {
        axis: Axis::CompressionThreshold,
        key: "compression.threshold",
        label: "compressed-from",
        column: "compression_threshold_bytes",
        title: "size from which is compressed",
        words: "compressed from {} on",
        unit: AxisUnit::Bytes,
        len: |scenario| scenario.compression.threshold.as_slice().len(),
        choose: |from, at, point| {
            point.compression.threshold = from.compression.threshold.as_slice()[at];
        },
        value: |point| bytes(point.compression.threshold),
        field: |point| bytes(point.compression.threshold),
        text: |point| format!("{}B", point.compression.threshold.0),
        ..LEVEL
    },
    link::NAME,
    link::DELAY,
    link::JITTER,
    link::LOSS,
    link::BURST,
    link::DOWN,
    link::UP,
    link::QUEUE,
    link::LOAD_DOWN,
    link::LOAD_UP,
    link::IP_VERSION,
    VIA,
    SUBJECT,
    talk::PATTERN,
    talk::RATE,
    talk::ROOM_SIZE,
    HEARTBEAT,
    life::RESTART,
    life::RESTART_DOWN,
    life::CHURN,
    life::CHURN_BURST,
    life::RECONNECT,
    CLIENT,
];

/// The silence after which a server shows streams that it is there; without one there is no value.
const HEARTBEAT: Row = Row {
    axis: Axis::Heartbeat,
    key: "heartbeat",
    label: "heartbeat",
    column: "heartbeat_ms",
    title: "silence before a heartbeat",
    words: "a heartbeat after {}",
    unit: AxisUnit::Micros,
    is_read_by: |contender| contender.shape() == Shape::Streams,
    len: |scenario| scenario.heartbeat.as_slice().len(),
    choose: |from, at, point| point.heartbeat = from.heartbeat.as_slice()[at],
    value: |point| seconds(point.heartbeat) * 1e6,
    field: |point| {
        if point.heartbeat.0.is_zero() { f64::NAN } else { seconds(point.heartbeat) * 1e3 }
    },
    text: |point| point.heartbeat.to_string(),
};

/// The way to the server.
const VIA: Row = Row {
    axis: Axis::Via,
    key: "via",
    label: "via",
    column: "via",
    title: "way to the server",
    words: "via {}",
    unit: AxisUnit::Name,
    is_read_by: |_| true,
    len: |scenario| scenario.via.as_slice().len(),
    choose: |from, at, point| point.via = from.via.as_slice()[at],
    value: |_| f64::NAN,
    field: |_| f64::NAN,
    text: |point| point.via.to_string(),
};

/// The server.
const SUBJECT: Row = Row {
    axis: Axis::Subject,
    key: "subject",
    label: "subject",
    column: "subject",
    title: "server",
    words: "server {}",
    unit: AxisUnit::Name,
    is_read_by: |_| true,
    len: |scenario| scenario.subject.as_slice().len(),
    choose: |from, at, point| point.subject = from.subject.as_slice()[at].clone(),
    value: |_| f64::NAN,
    field: |_| f64::NAN,
    text: |point| point.subject.to_string(),
};

/// The program that plays the clients.
const CLIENT: Row = Row {
    axis: Axis::Client,
    key: "client",
    label: "client",
    column: "client",
    title: "clients' program",
    words: "{} as client",
    unit: AxisUnit::Name,
    is_read_by: |_| true,
    len: |scenario| scenario.client.as_slice().len(),
    choose: |from, at, point| point.client = from.client.as_slice()[at],
    value: |_| f64::NAN,
    field: |_| f64::NAN,
    text: |point| point.client.to_string(),
};

/// The first row of the contenders in TLS.
const TLS_GROUPS: Row = Row {
    axis: Axis::TlsGroups,
    key: "tls.groups",
    label: "groups",
    column: "tls_groups",
    title: "groups of TLS",
    words: "{} key exchange",
    unit: AxisUnit::Name,
    is_read_by: |contender| contender.stack.security == Security::Tls,
    len: |scenario| scenario.tls.groups.as_slice().len(),
    choose: |from, at, point| point.tls.groups = from.tls.groups.as_slice()[at].clone(),
    value: |_| f64::NAN,
    field: |_| f64::NAN,
    text: |point| point.tls.groups.to_string(),
};

/// The first row of the contenders with a coding.
const LEVEL: Row = Row {
    axis: Axis::CompressionLevel,
    key: "compression.level",
    label: "level",
    column: "compression_level",
    title: "level of compression",
    words: "compression level {}",
    unit: AxisUnit::Count,
    is_read_by: |contender| contender.stack.coding != Coding::None,
    len: |scenario| scenario.compression.level.as_slice().len(),
    choose: |from, at, point| {
        point.compression.level = byte(from.compression.level.as_slice()[at]);
    },
    value: |point| point.compression.level.into(),
    field: |point| point.compression.level.into(),
    text: |point| point.compression.level.to_string(),
};

fn byte(count: Count) -> u8 {
    u8::try_from(count.0).unwrap_or(u8::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "at most 1 MiB")]
fn bytes(size: ByteSize) -> f64 {
    size.0 as f64
}

fn whole(count: Count) -> u32 {
    u32::try_from(count.0).unwrap_or(u32::MAX)
}

fn seconds(span: Span) -> f64 {
    span.0.as_secs_f64()
}
