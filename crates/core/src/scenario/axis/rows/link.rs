//! The axes of a link. At a point without one they have no value.

use super::{Axis, AxisUnit, Row, seconds};
use crate::ip::IpVersion;
use crate::link::{BurstLength, QueueLimit, Ways};
use crate::scenario::link::{LinkTable, len};
use crate::units::{BitRate, Share, Span};

pub(super) const NAME: Row = Row {
    axis: Axis::LinkName,
    key: "link.name",
    label: "link",
    column: "link",
    title: "link",
    words: "over {}",
    unit: AxisUnit::Name,
    is_read_by: |_| true,
    len: |scenario| len(scenario.link.name.as_ref()),
    choose: |scenario, at, point| scenario.link.begin(at, point),
    value: |_| f64::NAN,
    field: |_| f64::NAN,
    text: |point| match (&point.link, point.link_name) {
        (None, _) => "loopback".to_owned(),
        (Some(_), None) => "own".to_owned(),
        (Some(_), Some(name)) => name.to_string(),
    },
};

/// The row of a key of `[link]`, which is a field of the table and of each link alike.
macro_rules! row {
    ($axis:ident, $field:ident, $label:literal, $column:literal, $unit:ident, $title:literal, $words:literal) => {
        Row {
            axis: Axis::$axis,
            key: concat!("link.", stringify!($field)),
            label: $label,
            column: $column,
            title: $title,
            words: $words,
            unit: AxisUnit::$unit,
            len: |scenario| len(scenario.link.$field.as_ref()),
            choose: |scenario, at, point| {
                LinkTable::choose(scenario.link.$field.as_ref(), at, point, |link, it| {
                    link.$field = it.into();
                });
            },
            value: |point| point.link.as_ref().map_or(f64::NAN, |link| link.$field.value()),
            field: |point| point.link.as_ref().map_or(f64::NAN, |link| link.$field.in_column()),
            text: |point| point.link.as_ref().map_or_else(String::new, |link| link.$field.text()),
            ..NAME
        }
    };
}

pub(super) const DELAY: Row =
    row!(Delay, delay, "delay", "delay_ms", Micros, "one-way delay", "{} of delay each way");
pub(super) const JITTER: Row =
    row!(Jitter, jitter, "jitter", "jitter_ms", Micros, "jitter", "{} of jitter");
pub(super) const LOSS: Row =
    row!(Loss, loss, "loss", "loss_percent", Percent, "packets lost", "{} of packets lost");
pub(super) const BURST: Row = row!(
    LossBurst,
    burst,
    "burst",
    "loss_burst",
    Count,
    "packets lost in a row",
    "{} lost in a row"
);
pub(super) const DOWN: Row =
    row!(DownRate, down, "down", "down_bits_per_s", BitsPerSecond, "rate down", "{} down");
pub(super) const UP: Row =
    row!(UpRate, up, "up", "up_bits_per_s", BitsPerSecond, "rate up", "{} up");
pub(super) const QUEUE: Row =
    row!(Queue, queue, "queue", "queue", Name, "queue limit", "a queue of {}");
pub(super) const LOAD_DOWN: Row = row!(
    LoadDown,
    load_down,
    "load-down",
    "load_down",
    Count,
    "downloads beside the feed",
    "{} download{s} beside it"
);
pub(super) const LOAD_UP: Row = row!(
    LoadUp,
    load_up,
    "load-up",
    "load_up",
    Count,
    "uploads beside the feed",
    "{} upload{s} beside it"
);
pub(super) const IP_VERSION: Row =
    row!(IpVersion, ip_version, "ip", "ip_version", Name, "version of IP", "{} packets");

/// A setting of a link as an axis shows it.
trait Shown {
    /// In the axis' unit; no number where it is a name.
    fn value(&self) -> f64 {
        f64::NAN
    }

    /// In the unit of its column.
    fn in_column(&self) -> f64 {
        self.value()
    }

    /// As a scenario may spell it.
    fn text(&self) -> String;
}

/// The mean of both directions, so that a round trip is twice that.
fn mean<T: Copy>(ways: &Ways<T>, value: impl Fn(T) -> f64) -> f64 {
    f64::midpoint(value(ways.down), value(ways.up))
}

impl Shown for Ways<Span> {
    fn value(&self) -> f64 {
        mean(self, seconds) * 1e6
    }

    fn in_column(&self) -> f64 {
        mean(self, seconds) * 1e3
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

/// Those whose column has the unit of the axis.
macro_rules! shown {
    ($($type:ty: $value:expr),+) => {$(
        impl Shown for $type {
            fn value(&self) -> f64 {
                ($value)(self)
            }

            fn text(&self) -> String {
                self.to_string()
            }
        }
    )+};
}

shown! {
    Ways<Share>: |ways| mean(ways, |loss: Share| loss.0 * 100.0),
    Ways<BurstLength>: |ways| mean(ways, BurstLength::packets),
    Ways<QueueLimit>: |_| f64::NAN,
    BitRate: |rate: &BitRate| bits(*rate),
    u32: |flows: &u32| f64::from(*flows),
    IpVersion: |_| f64::NAN
}

impl<T: Shown> Shown for Option<T> {
    fn value(&self) -> f64 {
        self.as_ref().map_or(f64::NAN, T::value)
    }

    fn in_column(&self) -> f64 {
        self.as_ref().map_or(f64::NAN, T::in_column)
    }

    fn text(&self) -> String {
        self.as_ref().map_or_else(String::new, T::text)
    }
}

#[expect(clippy::cast_precision_loss, reason = "below 2⁵³")]
const fn bits(rate: BitRate) -> f64 {
    rate.bits() as f64
}
