//! Bars from zero, a group for each transport, each with its value beside it.

use plotters::style::{RGBColor, WHITE};
use plotters_backend::DrawingBackend;
use pushbench_core::Contender;

use super::axes::Scale;
use super::look::{self, colour};
use super::style::{
    AXIS, Anchor, Area, Draw as _, Drawn, FAINT, Font, GRID, INK, LABEL, TICK, WIDTH, lighter,
};
use super::{Key, Picture, Plot};
use crate::human;
use crate::rows::{Block, Row};

/// The height of a bar, of the gap between groups, and of what is below the bars, in pixels.
const BAR: i32 = 34;
const GAP: i32 = 26;
const BELOW: i32 = 80;

/// The height of what is above the bars, in pixels: the head with a line of legend.
const ABOVE: i32 = 150;

/// Where the middles of markers and the transports' names begin, in pixels from the left.
const MARKERS: i32 = 36;
const NAMES: i32 = 64;

/// Groups of bars.
pub(super) struct Bars {
    pub(super) groups: Vec<Group>,
    /// The title of the axis: what the bars' length means, with its unit.
    pub(super) axis: &'static str,
    /// The unit that ticks are round in.
    pub(super) unit: f64,
    pub(super) tick: fn(f64) -> String,
}

/// The bars of one transport.
pub(super) struct Group {
    pub(super) contender: Contender,
    pub(super) bars: Vec<Bar>,
}

/// A bar, of one part or several in a row.
pub(super) struct Bar {
    pub(super) parts: Vec<(f64, RGBColor)>,
    /// The text at its end.
    pub(super) value: String,
}

impl Bar {
    fn length(&self) -> f64 {
        self.parts.iter().map(|part| part.0).sum()
    }
}

impl Bars {
    /// The picture of them with one line of legend; `None` where there are none.
    pub(super) fn picture(
        self,
        title: String,
        subtitle: String,
        keys: Vec<Key>,
    ) -> Option<Picture> {
        let groups = self.groups.iter().map(Group::height).sum::<i32>();
        let height = ABOVE + groups + BELOW;
        (groups > 0).then_some(Picture { title, subtitle, keys, height, plot: Plot::Bars(self) })
    }

    pub(super) fn draw<DB: DrawingBackend>(&self, area: &Area<DB>, top: i32) -> Drawn {
        let label = Font::new(LABEL, INK);
        let names = self.groups.iter().map(|group| group.contender.name());
        let left = NAMES + names.map(|name| area.width_of(name, label)).max().unwrap_or(0) + 16;
        let bars = || self.groups.iter().flat_map(|group| &group.bars);
        let values = bars().map(|bar| area.width_of(&bar.value, label)).max().unwrap_or(0);
        let right = WIDTH - 30 - values;
        let most = bars().map(Bar::length).fold(0.0, f64::max);
        let scale = Scale::from_zero(most, self.unit, self.axis, self.tick);
        let bottom = top + 8 + self.groups.iter().map(Group::height).sum::<i32>();
        self.draw_axis(area, &scale, (left, right), (top, bottom))?;
        let mut y = top + 8 + GAP / 2;
        for group in &self.groups {
            let middle = y + (group.height() - GAP) / 2;
            look::marker(area, group.contender, (MARKERS, middle))?;
            area.text(group.contender.name(), (NAMES, middle), label, Anchor::Left)?;
            for bar in &group.bars {
                draw_bar(area, bar, &scale, (left, right), y)?;
                y += BAR;
            }
            y += GAP;
        }
        area.path(vec![(left, top), (left, bottom)], AXIS, 2)
    }

    fn draw_axis<DB: DrawingBackend>(
        &self,
        area: &Area<DB>,
        scale: &Scale,
        (left, right): (i32, i32),
        (top, bottom): (i32, i32),
    ) -> Drawn {
        let font = Font::new(TICK, FAINT);
        for (value, text) in scale.ticks() {
            let x = scale.pixel(*value, left, right);
            area.path(vec![(x, top), (x, bottom)], GRID, 1)?;
            area.text(text, (x, bottom + 20), font, Anchor::Middle)?;
        }
        let middle = i32::midpoint(left, right);
        area.text(scale.title(), (middle, bottom + 52), font, Anchor::Middle)
    }
}

/// A picture of two times of each transport, µs, the second in a lighter colour; `None` where no
/// transport has either.
pub(super) fn of_times(
    block: &Block<'_>,
    (title, subtitle): (String, String),
    axis: &'static str,
    names: [&'static str; 2],
    times: impl Fn(&Row<'_>) -> [Option<f64>; 2],
) -> Option<Picture> {
    let group = |row: &Row<'_>| {
        let contender = row.contender();
        let colours = [colour(contender), lighter(colour(contender))];
        let known = times(row).into_iter().zip(colours);
        let known = known.filter_map(|(us, colour)| Some((us?, colour)));
        let bar = |(us, colour)| Bar { parts: vec![(us, colour)], value: human::time(us) };
        Group { contender, bars: known.map(bar).collect() }
    };
    let groups = block.rows.iter().map(group).filter(|group| !group.bars.is_empty()).collect();
    let grey = RGBColor(0x55, 0x55, 0x55);
    let keys = vec![Key::Area(grey, names[0]), Key::Area(lighter(grey), names[1])];
    Bars { groups, axis, unit: 1.0, tick: human::short_time }.picture(title, subtitle, keys)
}

impl Group {
    fn height(&self) -> i32 {
        BAR * i32::try_from(self.bars.len()).unwrap_or(1) + GAP
    }
}

fn draw_bar<DB: DrawingBackend>(
    area: &Area<DB>,
    bar: &Bar,
    scale: &Scale,
    (left, right): (i32, i32),
    y: i32,
) -> Drawn {
    let (mut done, mut x) = (0.0, left);
    for &(length, colour) in &bar.parts {
        done += length;
        let end = scale.pixel(done, left, right);
        if end > x {
            area.rect((x, y + 2), (end, y + BAR - 2), colour)?;
            // Neighbours stay apart also in black and white.
            area.path(vec![(end, y + 2), (end, y + BAR - 2)], WHITE, 1)?;
        }
        x = end;
    }
    area.text(&bar.value, (x + 10, y + BAR / 2), Font::new(LABEL, INK), Anchor::Left)
}
