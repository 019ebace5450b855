//! The axes of talk. At a point where clients only listen they have no value.

use super::{Axis, AxisUnit, Row, whole};
use crate::scenario::link::len;

pub(super) const PATTERN: Row = Row {
    axis: Axis::Talk,
    key: "talk.pattern",
    label: "talk",
    column: "talk",
    title: "talk",
    words: "{}",
    unit: AxisUnit::Name,
    is_read_by: |_| true,
    len: |scenario| len(scenario.talk.pattern.as_ref()),
    choose: |scenario, at, point| scenario.talk.begin(at, point),
    value: |_| f64::NAN,
    field: |_| f64::NAN,
    text: |point| point.talk.map_or_else(String::new, |talk| talk.pattern.to_string()),
};

pub(super) const RATE: Row = Row {
    axis: Axis::TalkRate,
    key: "talk.rate",
    label: "talk-rate",
    column: "talk_rate_hz",
    title: "messages said per second by each client",
    words: "{} said/s by each",
    unit: AxisUnit::PerSecond,
    len: |scenario| scenario.talk.rate.as_slice().len(),
    choose: |scenario, at, point| {
        if let Some(talk) = &mut point.talk {
            talk.rate = scenario.talk.rate.as_slice()[at];
        }
    },
    value: |point| point.talk.map_or(f64::NAN, |talk| talk.rate.hz()),
    field: |point| point.talk.map_or(f64::NAN, |talk| talk.rate.hz()),
    text: |point| point.talk.map_or_else(String::new, |talk| talk.rate.to_string()),
    ..PATTERN
};

pub(super) const ROOM_SIZE: Row = Row {
    axis: Axis::RoomSize,
    key: "talk.room_size",
    label: "room",
    column: "room_size",
    title: "clients in a room",
    words: "rooms of {}",
    unit: AxisUnit::Count,
    len: |scenario| scenario.talk.room_size.as_slice().len(),
    choose: |scenario, at, point| {
        if let Some(talk) = &mut point.talk {
            talk.room_size = whole(scenario.talk.room_size.as_slice()[at]);
        }
    },
    value: |point| point.talk.map_or(f64::NAN, |talk| f64::from(talk.room_size)),
    field: |point| point.talk.map_or(f64::NAN, |talk| f64::from(talk.room_size)),
    text: |point| point.talk.map_or_else(String::new, |talk| talk.room_size.to_string()),
    ..PATTERN
};
