//! The axes of a link. At a point without one they have no value.

use std::fmt::Display;

use super::{Axis, AxisUnit, Row, seconds};
use crate::link::{Link, Ways};
use crate::scenario::Point;
use crate::scenario::link::{LinkTable, len};
use crate::units::Span;

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

pub(super) const DELAY: Row = Row {
    axis: Axis::Delay,
    key: "link.delay",
    label: "delay",
    column: "delay_ms",
    title: "one-way delay",
    words: "{} of delay each way",
    unit: AxisUnit::Micros,
    len: |scenario| len(scenario.link.delay.as_ref()),
    choose: |scenario, at, point| {
        LinkTable::choose(scenario.link.delay.as_ref(), at, point, |link, it| link.delay = it);
    },
    value: |point| of(point, |link| mean_seconds(link.delay) * 1e6),
    field: |point| of(point, |link| mean_seconds(link.delay) * 1e3),
    text: |point| text(point, |link| link.delay),
    ..NAME
};

pub(super) const JITTER: Row = Row {
    axis: Axis::Jitter,
    key: "link.jitter",
    label: "jitter",
    column: "jitter_ms",
    title: "jitter",
    words: "{} of jitter",
    len: |scenario| len(scenario.link.jitter.as_ref()),
    choose: |scenario, at, point| {
        LinkTable::choose(scenario.link.jitter.as_ref(), at, point, |link, it| link.jitter = it);
    },
    value: |point| of(point, |link| mean_seconds(link.jitter) * 1e6),
    field: |point| of(point, |link| mean_seconds(link.jitter) * 1e3),
    text: |point| text(point, |link| link.jitter),
    ..DELAY
};

pub(super) const LOSS: Row = Row {
    axis: Axis::Loss,
    key: "link.loss",
    label: "loss",
    column: "loss_percent",
    title: "packets lost",
    words: "{} of packets lost",
    unit: AxisUnit::Percent,
    len: |scenario| len(scenario.link.loss.as_ref()),
    choose: |scenario, at, point| {
        LinkTable::choose(scenario.link.loss.as_ref(), at, point, |link, it| link.loss = it);
    },
    value: |point| of(point, |link| mean(link.loss, |loss| loss.0 * 100.0)),
    field: |point| of(point, |link| mean(link.loss, |loss| loss.0 * 100.0)),
    text: |point| text(point, |link| link.loss),
    ..NAME
};

pub(super) const BURST: Row = Row {
    axis: Axis::LossBurst,
    key: "link.burst",
    label: "burst",
    column: "loss_burst",
    title: "packets lost in a row",
    words: "{} lost in a row",
    unit: AxisUnit::Count,
    len: |scenario| len(scenario.link.burst.as_ref()),
    choose: |scenario, at, point| {
        LinkTable::choose(scenario.link.burst.as_ref(), at, point, |link, it| {
            link.burst = Some(it)
        });
    },
    value: |point| maybe(point, |link| Some(mean(link.burst?, |burst| burst.packets()))),
    field: |point| maybe(point, |link| Some(mean(link.burst?, |burst| burst.packets()))),
    text: |point| maybe_text(point, |link| link.burst),
    ..NAME
};

pub(super) const DOWN: Row = Row {
    axis: Axis::DownRate,
    key: "link.down",
    label: "down",
    column: "down_bits_per_s",
    title: "rate down",
    words: "{} down",
    unit: AxisUnit::BitsPerSecond,
    len: |scenario| len(scenario.link.down.as_ref()),
    choose: |scenario, at, point| {
        LinkTable::choose(scenario.link.down.as_ref(), at, point, |link, it| link.down = Some(it));
    },
    value: |point| maybe(point, |link| link.down.map(bits)),
    field: |point| maybe(point, |link| link.down.map(bits)),
    text: |point| maybe_text(point, |link| link.down),
    ..NAME
};

pub(super) const UP: Row = Row {
    axis: Axis::UpRate,
    key: "link.up",
    label: "up",
    column: "up_bits_per_s",
    title: "rate up",
    words: "{} up",
    len: |scenario| len(scenario.link.up.as_ref()),
    choose: |scenario, at, point| {
        LinkTable::choose(scenario.link.up.as_ref(), at, point, |link, it| link.up = Some(it));
    },
    value: |point| maybe(point, |link| link.up.map(bits)),
    field: |point| maybe(point, |link| link.up.map(bits)),
    text: |point| maybe_text(point, |link| link.up),
    ..DOWN
};

pub(super) const QUEUE: Row = Row {
    axis: Axis::Queue,
    key: "link.queue",
    label: "queue",
    column: "queue",
    title: "queue limit",
    words: "a queue of {}",
    len: |scenario| len(scenario.link.queue.as_ref()),
    choose: |scenario, at, point| {
        LinkTable::choose(scenario.link.queue.as_ref(), at, point, |link, it| link.queue = it);
    },
    text: |point| text(point, |link| link.queue),
    ..NAME
};

pub(super) const LOAD_DOWN: Row = Row {
    axis: Axis::LoadDown,
    key: "link.load_down",
    label: "load-down",
    column: "load_down",
    title: "downloads beside the feed",
    words: "{} download{s} beside it",
    unit: AxisUnit::Count,
    len: |scenario| len(scenario.link.load_down.as_ref()),
    choose: |scenario, at, point| {
        LinkTable::choose(scenario.link.load_down.as_ref(), at, point, |link, it| {
            link.load_down = it;
        });
    },
    value: |point| of(point, |link| link.load_down.into()),
    field: |point| of(point, |link| link.load_down.into()),
    text: |point| text(point, |link| link.load_down),
    ..NAME
};

pub(super) const LOAD_UP: Row = Row {
    axis: Axis::LoadUp,
    key: "link.load_up",
    label: "load-up",
    column: "load_up",
    title: "uploads beside the feed",
    words: "{} upload{s} beside it",
    len: |scenario| len(scenario.link.load_up.as_ref()),
    choose: |scenario, at, point| {
        LinkTable::choose(scenario.link.load_up.as_ref(), at, point, |link, it| link.load_up = it);
    },
    value: |point| of(point, |link| link.load_up.into()),
    field: |point| of(point, |link| link.load_up.into()),
    text: |point| text(point, |link| link.load_up),
    ..LOAD_DOWN
};

fn of(point: &Point, value: impl FnOnce(&Link) -> f64) -> f64 {
    maybe(point, |link| Some(value(link)))
}

fn maybe(point: &Point, value: impl FnOnce(&Link) -> Option<f64>) -> f64 {
    point.link.as_ref().and_then(value).unwrap_or(f64::NAN)
}

fn text<T: Display>(point: &Point, value: impl FnOnce(&Link) -> T) -> String {
    maybe_text(point, |link| Some(value(link)))
}

fn maybe_text<T: Display>(point: &Point, value: impl FnOnce(&Link) -> Option<T>) -> String {
    point.link.as_ref().and_then(value).map_or_else(String::new, |it| it.to_string())
}

/// The mean of both directions, so that a round trip is twice that.
fn mean<T>(ways: Ways<T>, value: impl Fn(T) -> f64) -> f64 {
    f64::midpoint(value(ways.down), value(ways.up))
}

fn mean_seconds(ways: Ways<Span>) -> f64 {
    mean(ways, seconds)
}

#[expect(clippy::cast_precision_loss, reason = "below 2⁵³")]
const fn bits(rate: crate::units::BitRate) -> f64 {
    rate.bits() as f64
}
