//! Scales with ticks in human units, and the frame that curves are drawn in.

use std::ops::RangeInclusive;

use pushbench_metrics::judge::crossing::scale::Scale as Spacing;

use super::style::{AXIS, Anchor, Draw, Drawn, FAINT, Font, GRID, TICK, pixel};
use crate::human;

/// With fewer decades than this, a logarithmic axis has ticks at 2 and 5 too.
const FEW_DECADES: f64 = 2.6;

/// The largest number of nines of a percentile axis: 99.9999 %.
const MOST_NINES: f64 = 6.0;

/// The range of an axis, from the least above zero to the most: what is beyond is put at its end,
/// so that an axis has few ticks whatever its values are.
const SHOWN: RangeInclusive<f64> = 1e-9..=1e18;

/// The digits of a tick that count: all of a whole number of bytes.
const TICK_DIGITS: i32 = 7;

/// Ticks of an axis from zero at most.
const MOST_TICKS: u32 = 20;

/// A unit that a quantity may be told in: its size, and its name.
pub(crate) type Unit = (f64, &'static str);

/// The unit that a value is told best in.
pub(crate) type UnitOf = fn(f64) -> Unit;

/// A value in words.
pub(crate) type Words = fn(f64) -> String;

/// No unit: a number.
pub(crate) const NUMBER: Unit = (1.0, "");

/// Parts of a whole.
pub(crate) const PER_CENT: Unit = (0.01, "%");

/// The words of an axis' ticks, all in one unit.
pub(crate) fn in_unit((size, name): Unit, value: f64) -> String {
    let number = human::short_number(value / size, TICK_DIGITS);
    // As people write it: `5/s`, `2×`, and `5 ms`.
    let space = if name.starts_with(char::is_alphabetic) || name == "%" { " " } else { "" };
    format!("{number}{space}{name}")
}

/// How values become places along an axis.
#[derive(Debug, Clone)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    logarithmic: bool,
    ticks: Vec<(f64, String)>,
    title: String,
}

impl Scale {
    /// A logarithmic axis of positive values, from and to a 1, 2 or 5, in the unit that suits its
    /// middle.
    pub(crate) fn logarithmic(
        values: impl Iterator<Item = f64>,
        title: &str,
        unit_of: UnitOf,
    ) -> Self {
        let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
        for value in values.filter(|value| *value > 0.0).map(shown) {
            (least, most) = (least.min(value), most.max(value));
        }
        if least > most {
            (least, most) = (1.0, 10.0);
        }
        let low = steps(least).rfind(|step| *step <= least * 0.97).unwrap_or(least);
        let high = steps(most).find(|step| *step >= most * 1.03).unwrap_or(most);
        let few = (high / low).log10() < FEW_DECADES;
        let ones: &[f64] = if few { &[1.0, 2.0, 5.0] } else { &[1.0] };
        #[expect(clippy::cast_possible_truncation, reason = "decades of what is shown are few")]
        let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
        let ticks = decades.flat_map(|decade| {
            let ten = 10_f64.powi(decade);
            ones.iter().map(move |one| one * ten)
        });
        let inside = ticks.filter(|tick| (low * 0.999..=high * 1.001).contains(tick));
        let unit = unit_of((low * high).sqrt());
        let ticks = inside.map(|tick| (tick, in_unit(unit, tick))).collect();
        let title = format!("{title} (logarithmic)");
        Self { low, high, logarithmic: true, ticks, title }
    }

    /// A logarithmic axis of times in microseconds.
    pub(crate) fn time(values: impl Iterator<Item = f64>, title: &str) -> Self {
        Self::logarithmic(values.map(|us| us.max(0.1)), title, human::time_unit)
    }

    /// Percentiles by their number of nines, `-log10(1 - q)`, up to `nines`.
    pub(crate) fn percentiles(nines: f64) -> Self {
        let high = nines.clamp(1.0, MOST_NINES);
        let ticks = [
            (0.0, "0 %"),
            (std::f64::consts::LOG10_2, "50 %"),
            (1.0, "90 %"),
            (2.0, "99 %"),
            (3.0, "99.9 %"),
            (4.0, "99.99 %"),
            (5.0, "99.999 %"),
            (6.0, "99.9999 %"),
        ];
        let ticks = ticks.into_iter().filter(|(at, _)| *at <= high);
        Self {
            low: 0.0,
            high,
            logarithmic: false,
            ticks: ticks.map(|(at, text)| (at, text.to_owned())).collect(),
            title: "share of messages that were at least as fast".to_owned(),
        }
    }

    /// From zero to a little more than `most`, with four to eight ticks that are round in the unit.
    pub(crate) fn from_zero(most: f64, title: &str, unit_of: impl Fn(f64) -> Unit) -> Self {
        let most = if most > 0.0 { shown(most) } else { 1.0 };
        let unit = unit_of(most);
        let units = most / unit.0;
        let step = steps(units / 5.0).find(|step| *step >= units / 8.0).unwrap_or(units) * unit.0;
        let count = (most / step).ceil();
        let places = (0..MOST_TICKS).map(f64::from).take_while(|at| *at <= count);
        let ticks = places.map(|at| (at * step, in_unit(unit, at * step))).collect();
        Self { low: 0.0, high: most, logarithmic: false, ticks, title: title.to_owned() }
    }

    /// An axis of a few given values, on the scale on which a sweep over them is interpolated.
    pub(crate) fn of_values(values: &[f64], title: &str, unit: Unit) -> Self {
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(0.0, f64::max);
        let logarithmic = Spacing::of(values) == Spacing::Logarithmic;
        let (low, high) = if logarithmic {
            (least / 1.1, most * 1.1)
        } else {
            let margin = ((most - least) * 0.04).max(most * 1e-3);
            (least - margin, most + margin)
        };
        let ticks = values.iter().map(|&value| (value, in_unit(unit, value))).collect();
        Self { low, high, logarithmic, ticks, title: title.to_owned() }
    }

    /// How far along the axis `value` is, from 0 to 1.
    fn share(&self, value: f64) -> f64 {
        let place = |value: f64| if self.logarithmic { value.max(1e-9).ln() } else { value };
        let (low, high) = (place(self.low), place(self.high));
        ((place(value) - low) / (high - low)).clamp(0.0, 1.0)
    }

    /// The pixel of `value` between `from` and `to`.
    pub(crate) fn pixel(&self, value: f64, from: i32, to: i32) -> i32 {
        pixel(f64::from(from) + f64::from(to - from) * self.share(value))
    }

    pub(crate) fn ticks(&self) -> impl Iterator<Item = &(f64, String)> {
        let (low, high) = (self.low, self.high);
        let inside = move |tick: &&(f64, String)| tick.0 >= low * 0.999 && tick.0 <= high * 1.001;
        self.ticks.iter().filter(inside)
    }

    /// Draws it below a plot: a line of the grid for each tick and its text, as far as it has room,
    /// and the title.
    pub(crate) fn draw_below(
        &self,
        area: &impl Draw,
        (left, right): (i32, i32),
        (top, bottom): (i32, i32),
    ) -> Drawn {
        let font = Font::new(TICK, FAINT);
        let mut free = i32::MIN;
        for (value, text) in self.ticks() {
            let x = self.pixel(*value, left, right);
            area.path(vec![(x, top), (x, bottom)], GRID, 1)?;
            let half = area.width_of(text, font) / 2;
            if x - half >= free {
                area.text(text, (x, bottom + 20), font, Anchor::Middle)?;
                free = x + half + 14;
            }
        }
        let middle = i32::midpoint(left, right);
        area.text(&self.title, (middle, bottom + 52), font, Anchor::Middle)
    }
}

/// A value as far as an axis reaches.
const fn shown(value: f64) -> f64 {
    value.clamp(*SHOWN.start(), *SHOWN.end())
}

/// 1, 2, 5, 10, 20, … from two decades below `near` to two above, rising.
fn steps(near: f64) -> impl DoubleEndedIterator<Item = f64> {
    let decade = near.log10().floor();
    let decades = (-2..=2).map(move |n| 10_f64.powf(decade + f64::from(n)));
    decades.flat_map(|ten| [ten, ten * 2.0, ten * 5.0])
}

/// The rectangle that curves are drawn in, with both its scales.
pub(crate) struct Frame {
    pub(crate) x: Scale,
    pub(crate) y: Scale,
    left: i32,
    right: i32,
    top: i32,
    bottom: i32,
}

impl Frame {
    /// A frame below `top` in a chart of a width and a height.
    pub(crate) fn new(x: Scale, y: Scale, top: i32, (width, height): (i32, i32)) -> Self {
        Self { x, y, left: 120, right: width - 50, top: top + 34, bottom: height - 78 }
    }

    /// The place of a value.
    pub(crate) fn at(&self, x: f64, y: f64) -> (i32, i32) {
        (self.x.pixel(x, self.left, self.right), self.y.pixel(y, self.bottom, self.top))
    }

    /// The pixel of the horizontal axis.
    pub(crate) const fn bottom(&self) -> i32 {
        self.bottom
    }

    /// Grid, axes, ticks and the axes' titles.
    pub(crate) fn draw(&self, area: &impl Draw) -> Drawn {
        let font = Font::new(TICK, FAINT);
        for (value, text) in self.y.ticks() {
            let y = self.y.pixel(*value, self.bottom, self.top);
            area.path(vec![(self.left, y), (self.right, y)], GRID, 1)?;
            area.text(text, (self.left - 12, y), font, Anchor::Right)?;
        }
        self.x.draw_below(area, (self.left, self.right), (self.top, self.bottom))?;
        area.path(vec![(self.left, self.bottom), (self.right, self.bottom)], AXIS, 2)?;
        area.text(&self.y.title, (20, self.top - 24), font, Anchor::Left)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_values() -> impl Strategy<Value = Vec<f64>> {
        let odd = prop::sample::select(vec![
            0.0,
            -1.0,
            5e-324,
            1e-300,
            1e308,
            f64::MAX,
            f64::MIN,
            f64::INFINITY,
            f64::NAN,
        ]);
        prop::collection::vec(prop_oneof![odd, any::<f64>(), 1e-3..1e6], 0..5)
    }

    #[test]
    fn an_axis_has_one_unit() {
        let words = |scale: &Scale| -> Vec<String> {
            scale.ticks().map(|(_, text)| text.clone()).collect()
        };
        // Microseconds to seconds: as the middle is told best.
        let times = Scale::time([90.0, 1.5e6].into_iter(), "");
        assert_eq!(words(&times), ["0.1 ms", "1 ms", "10 ms", "100 ms", "1,000 ms"]);
        let bytes = Scale::logarithmic([90.0, 70_000.0].into_iter(), "", human::decimal_unit);
        assert_eq!(words(&bytes), ["100 B", "1,000 B", "10,000 B", "100,000 B"]);
        let bars = Scale::from_zero(2_100.0, "", human::time_unit);
        assert_eq!(words(&bars), ["0 ms", "0.5 ms", "1 ms", "1.5 ms", "2 ms"]);
        assert_eq!(in_unit((1.0, "/s"), 5.0), "5/s");
        assert_eq!(in_unit(PER_CENT, 0.25), "25 %");
    }

    proptest! {
        #[test]
        fn axes_have_few_ticks_and_places_whatever_is_drawn(
            values in any_values(), size in prop::sample::select(vec![1.0, 1e3, 1e6]),
        ) {
            let most = values.iter().copied().fold(0.0, f64::max);
            let scales = [
                Scale::logarithmic(values.iter().copied(), "", human::decimal_unit),
                Scale::time(values.iter().copied(), ""),
                Scale::from_zero(most, "", |_| (size, "x")),
                Scale::of_values(&values, "", (size, "x")),
                Scale::percentiles(most),
            ];
            for scale in scales {
                prop_assert!(scale.ticks.len() <= 60, "{:?}", scale);
                prop_assert!(scale.ticks.iter().all(|(_, text)| text.len() < 500), "{:?}", scale);
                for value in &values {
                    prop_assert!((0..=100).contains(&scale.pixel(*value, 0, 100)), "{:?}", scale);
                }
            }
        }
    }
}
