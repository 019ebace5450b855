//! The settings of a point in words, and which of them a run varies.

use pushbench_core::Contender;
use pushbench_core::life::Life;
use pushbench_core::link::Scope;
use pushbench_core::scenario::{Axis, AxisUnit, Point, Scenario};
use pushbench_core::talk::{Pace, Pattern};
use pushbench_metrics::judge::sweep;

use crate::human;

/// The axes in which the points differ.
pub(crate) fn varying(points: &[Point]) -> Vec<Axis> {
    sweep::varying(&points.iter().collect::<Vec<_>>())
}

/// A value of `axis` without its unit, where that is said beside it.
pub(crate) fn number(axis: Axis, value: f64) -> String {
    match axis.unit() {
        AxisUnit::Count => human::short_number(value, 6),
        AxisUnit::PerSecond | AxisUnit::Factor => human::short_number(value, 3),
        AxisUnit::Percent => human::short_number(value, 3) + " %",
        AxisUnit::BitsPerSecond => human::bit_rate(value),
        AxisUnit::Bytes => size(value),
        AxisUnit::Micros => human::short_time(value),
        AxisUnit::Name => String::new(),
    }
}

/// A value of `axis` beside an axis of a chart.
pub(crate) fn tick(axis: Axis, value: f64) -> String {
    let unit = match axis.unit() {
        AxisUnit::PerSecond => "/s",
        AxisUnit::Factor => "×",
        AxisUnit::Count
        | AxisUnit::Bytes
        | AxisUnit::Micros
        | AxisUnit::Percent
        | AxisUnit::BitsPerSecond
        | AxisUnit::Name => "",
    };
    number(axis, value) + unit
}

/// One unit for all `values` of `axis`, where they stand along a chart.
pub(crate) fn unit(axis: Axis, values: &[f64]) -> (f64, &'static str) {
    let least = values.iter().copied().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    let middle = (least.min(most) * most).sqrt();
    match axis.unit() {
        AxisUnit::Micros => human::time_unit(middle),
        AxisUnit::Bytes if values.iter().all(|bytes| bytes % 1_024.0 == 0.0) => (1_024.0, "KiB"),
        AxisUnit::Bytes => (1.0, "B"),
        AxisUnit::BitsPerSecond => human::bit_rate_unit(middle),
        AxisUnit::PerSecond => (1.0, "/s"),
        AxisUnit::Factor => (1.0, "×"),
        AxisUnit::Percent => (1.0, "%"),
        AxisUnit::Count | AxisUnit::Name => (1.0, ""),
    }
}

/// A value of `axis`, in its unit, in words: `3.1 messages/s`.
#[must_use]
pub fn worded(axis: Axis, value: f64) -> String {
    let plural = if (value - 1.0).abs() < 1e-9 { "" } else { "s" };
    axis.words().replace("{s}", plural).replace("{}", &number(axis, value))
}

/// The value of `axis` at `point`, in words.
pub(crate) fn words(axis: Axis, point: &Point) -> String {
    let text = axis.text(point);
    // Where both directions differ there is no one number.
    if axis.unit() == AxisUnit::Name || text.contains(':') {
        return axis.words().replace("{}", &text);
    }
    worded(axis, axis.value(point))
}

/// The columns of the axes behind the `first` ones, in the order of [`Axis::ALL`]: CSV files whose
/// lines are of a point end with those that they do not begin with.
pub(crate) fn columns(first: usize) -> String {
    Axis::ALL[first..].iter().map(|axis| axis.column()).collect::<Vec<_>>().join(",")
}

/// The field of `axis` at a point; empty where `contender` does not have the setting, and where nobody
/// knows which the server has.
pub(crate) fn field(axis: Axis, point: &Point, contender: Contender) -> Option<String> {
    let has_one = axis.is_read_by(contender) && axis.is_known_at(point);
    has_one.then(|| axis.field(point))
}

/// The fields of all axes at a point; empty where it is not known, and as a [`field`] is.
pub(crate) fn fields(point: Option<&Point>, contender: Contender) -> [String; Axis::ALL.len()] {
    Axis::ALL.map(|axis| point.and_then(|it| field(axis, it, contender)).unwrap_or_default())
}

/// Powers of 1024 read best as such, so from a whole KiB on it is one.
pub(crate) fn size(bytes: f64) -> String {
    if bytes >= 1_024.0 && bytes % 1_024.0 == 0.0 && bytes < 1_048_576.0 {
        return format!("{} KiB", human::short_number(bytes / 1_024.0, 4));
    }
    human::size(bytes)
}

/// The settings that set `point` apart from the other points, in words; empty where there is no other.
pub(crate) fn heading(points: &[Point], point: &Point) -> String {
    varying(points).into_iter().map(|axis| words(axis, point)).collect::<Vec<_>>().join(", ")
}

/// All that a figure at `point` depends on, in one line.
pub(crate) fn conditions(scenario: &Scenario, point: &Point) -> String {
    let mut conditions = vec![words(Axis::Clients, point)];
    match talked(point) {
        Some(words) => conditions.push(words),
        None if Axis::Rate.is_known_at(point) => {
            conditions.push(worded(Axis::Rate, point.rate_hz));
        }
        None => {}
    }
    if Axis::Payload.is_known_at(point) {
        conditions.push(words(Axis::Payload, point));
    }
    if scenario.contenders.iter().any(|contender| contender.shape().asks()) {
        conditions.push(words(Axis::PollInterval, point));
    }
    conditions.push(format!("{} headers", scenario.headers));
    if point.cookie_bytes > 0 {
        conditions.push(words(Axis::CookieBytes, point));
    }
    if !point.via.is_direct() {
        conditions.push(words(Axis::Via, point));
    }
    if !point.subject.is_own() {
        conditions.push(words(Axis::Subject, point));
    }
    if !point.client.is_native() {
        conditions.push(words(Axis::Client, point));
    }
    conditions.extend(life(point));
    conditions.extend(link(point));
    conditions.extend(scenario.unusual_of_stack(point).map(|axis| words(axis, point)));
    conditions.join(", ")
}

/// The life of connections at `point`, in words; nothing where they stay.
fn life(point: &Point) -> Vec<String> {
    let Life { restart, churn, reconnect } = point.life;
    let of_restart = restart.map_or(&[][..], |_| &[Axis::Restart, Axis::RestartDown]);
    let of_churn = churn.map_or(&[][..], |_| &[Axis::Churn, Axis::ChurnBurst]);
    let of_pauses = if reconnect.is_usual() { &[][..] } else { &[Axis::Reconnect] };
    let axes = [of_restart, of_churn, of_pauses].concat();
    axes.into_iter().map(|axis| words(axis, point)).collect()
}

/// The way in which the clients of `point` talk; `None` where they only listen.
#[must_use]
pub fn talked(point: &Point) -> Option<String> {
    let talk = point.talk?;
    let each = human::short_number(talk.rate.hz(), 3);
    let pace = match talk.pace {
        Pace::Constant => "",
        Pace::Poisson => " on average",
    };
    let to_whom = match talk.pattern {
        Pattern::Chat => format!("to all of its room of {}", talk.room_size),
        Pattern::Echo => "and hears them back".to_owned(),
        Pattern::Upload => "to the server alone".to_owned(),
    };
    let plural = if each == "1" { "" } else { "s" };
    Some(format!("each says {each} message{plural}/s{pace} {to_whom}"))
}

/// The link at `point` in one line; `None` over loopback.
#[must_use]
pub fn over(point: &Point) -> Option<String> {
    let words = link(point);
    (!words.is_empty()).then(|| words.join(", "))
}

/// The link at `point` in words: its name, and what of it is not as by that name or by default.
fn link(point: &Point) -> Vec<String> {
    let Some(link) = &point.link else { return Vec::new() };
    let name = point.link_name.map(|_| words(Axis::LinkName, point));
    let shared = (link.scope == Scope::Shared).then(|| "a line that all share".to_owned());
    let words: Vec<String> = name
        .into_iter()
        .chain(point.unusual_of_link().map(|axis| words(axis, point)))
        .chain(shared)
        .collect();
    if words.is_empty() { vec!["over a link without delay".to_owned()] } else { words }
}
