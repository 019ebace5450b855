//! Bars from zero, a group for each transport, each with its value beside it.

use plotters::style::{RGBColor, WHITE};
use pushbench_core::{Contender, Figure};

use super::axes::{Scale, UnitOf, Words};
use super::look::{self, colour};
use super::style::{AXIS, Anchor, Draw, Drawn, Font, INK, LABEL, Spot, Told, lighter};
use super::{Key, Picture, Plot, interval};
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
    /// The unit for the longest of them.
    pub(super) unit: UnitOf,
    /// The words for the length of a part.
    pub(super) words: Words,
}

/// The bars of one transport.
pub(super) struct Group {
    pub(super) contender: Contender,
    pub(super) bars: Vec<Bar>,
}

/// A bar, of one part or several in a row.
pub(super) struct Bar {
    pub(super) parts: Vec<Part>,
    /// The text at its end.
    pub(super) value: String,
    /// Where the trials put it; empty where that is not known.
    pub(super) note: String,
}

/// A part of a bar.
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) length: f64,
    pub(super) colour: RGBColor,
}

impl Bar {
    fn length(&self) -> f64 {
        self.parts.iter().map(|part| part.length).sum()
    }

    /// The value of one of its parts, an amount of `figure`.
    fn tell(&self, part: &Part, figure: &str, words: Words) -> Told {
        let note = match self.parts.len() {
            1 => self.note.clone(),
            _ => format!("of {}", self.value),
        };
        let (at, figure) = (part.name.to_owned(), figure.to_owned());
        Told { at, figure, value: words(part.length), note }
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

    pub(super) fn draw(&self, area: &impl Draw, top: i32) -> Drawn {
        let label = Font::new(LABEL, INK);
        let names = self.groups.iter().map(|group| group.contender.name());
        let left = NAMES + names.map(|name| area.width_of(name, label)).max().unwrap_or(0) + 16;
        let bars = || self.groups.iter().flat_map(|group| &group.bars);
        let values = bars().map(|bar| area.width_of(&bar.value, label)).max().unwrap_or(0);
        let right = area.width() - 30 - values;
        let most = bars().map(Bar::length).fold(0.0, f64::max);
        let scale = Scale::from_zero(most, self.axis, self.unit);
        let bottom = top + 8 + self.groups.iter().map(Group::height).sum::<i32>();
        scale.draw_below(area, (left, right), (top, bottom))?;
        let mut y = top + 8 + GAP / 2;
        for group in &self.groups {
            let middle = y + (group.height() - GAP) / 2;
            area.of(group.contender, || {
                look::marker(area, group.contender, (MARKERS, middle))?;
                area.text(group.contender.name(), (NAMES, middle), label, Anchor::Left)?;
                let mut below = y;
                for bar in &group.bars {
                    self.draw_bar(area, bar, &scale, (left, right), below)?;
                    below += BAR;
                }
                Ok(())
            })?;
            y += group.height();
        }
        area.path(vec![(left, top), (left, bottom)], AXIS, 2)
    }

    fn draw_bar(
        &self,
        area: &impl Draw,
        bar: &Bar,
        scale: &Scale,
        (left, right): (i32, i32),
        y: i32,
    ) -> Drawn {
        let (mut done, mut x) = (0.0, left);
        for part in &bar.parts {
            done += part.length;
            let end = scale.pixel(done, left, right);
            if end > x {
                let corners = ((x, y + 2), (end, y + BAR - 2));
                area.rect(corners.0, corners.1, part.colour)?;
                // Neighbours stay apart also in black and white.
                area.path(vec![(end, y + 2), (end, y + BAR - 2)], WHITE, 1)?;
                let spot = Spot::Over(corners.0, corners.1);
                area.tell(spot, || bar.tell(part, self.axis, self.words))?;
            }
            x = end;
        }
        area.text(&bar.value, (x + 10, y + BAR / 2), Font::new(LABEL, INK), Anchor::Left)
    }
}

/// A time of a transport, µs, and where the trials put it.
pub(super) type Length = (f64, String);

/// A figure of a transport as such a time.
pub(super) fn length(row: &Row<'_>, figure: Figure) -> Option<Length> {
    let note = row.spread(figure).map(|spread| interval(&spread, human::time));
    Some((row.get(figure)?, note.unwrap_or_default()))
}

/// A picture of two times of each transport, µs, the second in a lighter colour; `None` where no
/// transport has either.
pub(super) fn of_times(
    block: &Block<'_>,
    (title, subtitle): (String, String),
    axis: &'static str,
    names: [&'static str; 2],
    times: impl Fn(&Row<'_>) -> [Option<Length>; 2],
) -> Option<Picture> {
    let group = |row: &Row<'_>| {
        let contender = row.contender();
        let colours = [colour(contender), lighter(colour(contender))];
        let bar = |((time, colour), name): ((Option<Length>, RGBColor), &'static str)| {
            let (length, note) = time?;
            let parts = vec![Part { name, length, colour }];
            Some(Bar { parts, value: human::time(length), note })
        };
        Group {
            contender,
            bars: times(row).into_iter().zip(colours).zip(names).filter_map(bar).collect(),
        }
    };
    let groups = block.rows.iter().map(group).filter(|group| !group.bars.is_empty()).collect();
    let grey = RGBColor(0x55, 0x55, 0x55);
    let keys = vec![Key::Area(grey, names[0]), Key::Area(lighter(grey), names[1])];
    Bars { groups, axis, unit: human::time_unit, words: human::time }.picture(title, subtitle, keys)
}

impl Group {
    fn height(&self) -> i32 {
        BAR * i32::try_from(self.bars.len()).unwrap_or(1) + GAP
    }
}
