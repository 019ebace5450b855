//! The axes of connections' life. At a point where the server stays, or clients do, they have no
//! value.

use super::{Axis, AxisUnit, Row, seconds, whole};
use crate::scenario::link::len;

pub(super) const RESTART: Row = Row {
    axis: Axis::Restart,
    key: "restart.how",
    label: "restart",
    column: "restart",
    title: "restart of the server",
    words: "server restarted ({})",
    unit: AxisUnit::Name,
    is_read_by: |_| true,
    len: |scenario| len(scenario.restart.how.as_ref()),
    choose: |scenario, at, point| scenario.restart.begin(at, point),
    value: |_| f64::NAN,
    field: |_| f64::NAN,
    text: |point| point.life.restart.map_or_else(String::new, |restart| restart.how.to_string()),
};

pub(super) const RESTART_DOWN: Row = Row {
    axis: Axis::RestartDown,
    key: "restart.down",
    label: "down",
    column: "restart_down_ms",
    title: "time without a server",
    words: "{} without a server",
    unit: AxisUnit::Micros,
    len: |scenario| scenario.restart.down.as_slice().len(),
    choose: |scenario, at, point| {
        if let Some(restart) = &mut point.life.restart {
            restart.down = scenario.restart.down.as_slice()[at];
        }
    },
    value: |point| point.life.restart.map_or(f64::NAN, |restart| seconds(restart.down) * 1e6),
    field: |point| point.life.restart.map_or(f64::NAN, |restart| seconds(restart.down) * 1e3),
    text: |point| point.life.restart.map_or_else(String::new, |restart| restart.down.to_string()),
    ..RESTART
};

pub(super) const CHURN: Row = Row {
    axis: Axis::Churn,
    key: "churn.rate",
    label: "churn",
    column: "churn_hz",
    title: "times per second that clients leave",
    words: "clients leave {}/s",
    unit: AxisUnit::PerSecond,
    len: |scenario| len(scenario.churn.rate.as_ref()),
    choose: |scenario, at, point| scenario.churn.begin(at, point),
    value: |point| point.life.churn.map_or(f64::NAN, |churn| churn.rate.hz()),
    field: |point| point.life.churn.map_or(f64::NAN, |churn| churn.rate.hz()),
    text: |point| point.life.churn.map_or_else(String::new, |churn| churn.rate.to_string()),
    ..RESTART
};

pub(super) const CHURN_BURST: Row = Row {
    axis: Axis::ChurnBurst,
    key: "churn.burst",
    label: "at-once",
    column: "churn_burst",
    title: "clients that leave at once",
    words: "{} at once",
    unit: AxisUnit::Count,
    len: |scenario| scenario.churn.burst.as_slice().len(),
    choose: |scenario, at, point| {
        if let Some(churn) = &mut point.life.churn {
            churn.burst = whole(scenario.churn.burst.as_slice()[at]);
        }
    },
    value: |point| point.life.churn.map_or(f64::NAN, |churn| f64::from(churn.burst)),
    field: |point| point.life.churn.map_or(f64::NAN, |churn| f64::from(churn.burst)),
    text: |point| point.life.churn.map_or_else(String::new, |churn| churn.burst.to_string()),
    ..RESTART
};

pub(super) const RECONNECT: Row = Row {
    axis: Axis::Reconnect,
    key: "reconnect",
    label: "reconnect",
    column: "reconnect",
    title: "pause before connecting again",
    words: "reconnecting by {}",
    len: |scenario| scenario.reconnect.as_slice().len(),
    choose: |scenario, at, point| point.life.reconnect = scenario.reconnect.as_slice()[at],
    text: |point| point.life.reconnect.to_string(),
    ..RESTART
};
