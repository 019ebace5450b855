//! Lines of a legend, within a picture and beside one.

use plotters::style::RGBColor;
use pushbench_core::Contender;

use super::canvas::Canvas;
use super::style::{Anchor, DASHES, Draw, Drawn, FAINT, Font, INK, LABEL, MARGIN, WIDTH};
use super::{look, marks};

/// The length of a key's sample, and the height of the largest marker.
const SAMPLE: i32 = 44;
const MARKER: i32 = 36;

/// A line of the legend.
pub(crate) enum Key {
    /// A transport: its colour and marker.
    Contender(Contender),
    /// A filled area.
    Area(RGBColor, &'static str),
    /// A thin line of dashes.
    Dashes(&'static str),
    /// A thin line.
    Thin(&'static str),
    /// The marks of crossings.
    Crossings,
}

impl Key {
    fn name(&self) -> &'static str {
        match self {
            Self::Contender(contender) => contender.name(),
            Self::Area(_, name) | Self::Dashes(name) | Self::Thin(name) => name,
            Self::Crossings => marks::KEY,
        }
    }

    /// Draws its sample, from its left end on.
    fn draw(&self, area: &impl Draw, (x, y): (i32, i32)) -> Drawn {
        match self {
            Self::Contender(contender) => {
                look::line(area, *contender, vec![(x, y), (x + SAMPLE, y)], 4)?;
                look::marker(area, *contender, (x + SAMPLE / 2, y))
            }
            Self::Area(colour, _) => area.rect((x + 12, y - 10), (x + SAMPLE, y + 10), *colour),
            Self::Crossings => marks::draw_key(area, (x, y), SAMPLE),
            Self::Thin(_) => area.path(vec![(x, y), (x + SAMPLE, y)], FAINT, 1),
            Self::Dashes(_) => area.dashes(&[(x, y), (x + SAMPLE, y)], &DASHES, FAINT, 2),
        }
    }

    /// The sample alone, and of what it is.
    pub(super) fn drawn(&self) -> Result<DrawnKey, String> {
        let canvas = Canvas::new(SAMPLE + 4, MARKER);
        self.draw(&canvas, (2, MARKER / 2))?;
        let contender = match self {
            Self::Contender(contender) => Some(*contender),
            _ => None,
        };
        Ok(DrawnKey { svg: canvas.svg(None), name: self.name(), contender })
    }
}

/// A line of the legend in a page.
pub(crate) struct DrawnKey {
    pub(crate) svg: String,
    pub(crate) name: &'static str,
    /// The contender whose it is.
    pub(crate) contender: Option<Contender>,
}

/// The marker of `contender` alone.
pub(crate) fn marker(contender: Contender) -> String {
    let canvas = Canvas::new(MARKER, MARKER);
    let drawn = look::marker(&canvas, contender, (MARKER / 2, MARKER / 2));
    drawn.map_or_else(|_| String::new(), |()| canvas.svg(None))
}

/// Draws the legend in as many lines as it takes, and says where it ends.
pub(super) fn draw_all(keys: &[Key], area: &impl Draw, top: i32) -> Result<i32, String> {
    // The largest markers of two lines do not meet.
    const LINE: i32 = 38;
    let font = Font::new(LABEL, INK);
    let (mut x, mut y) = (MARGIN, top);
    for key in keys {
        let width = SAMPLE + 10 + area.width_of(key.name(), font) + 26;
        if x > MARGIN && x + width > WIDTH - MARGIN {
            (x, y) = (MARGIN, y + LINE);
        }
        key.draw(area, (x, y))?;
        area.text(key.name(), (x + SAMPLE + 10, y), font, Anchor::Left)?;
        x += width;
    }
    Ok(if keys.is_empty() { top - 20 } else { y + 24 })
}
