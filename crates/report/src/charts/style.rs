//! The style of every chart: sizes, colours of what is no contender, and the drawing of text,
//! lines and areas.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::element::{PathElement, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color as _, FontDesc, FontFamily, FontStyle, RGBColor, TextStyle, WHITE};
use plotters_backend::DrawingBackend;
use pushbench_core::{Contender, text};
use pushbench_metrics::judge::breakdown::Part;
use pushbench_metrics::observe::ledger::Layer;

/// The width of every chart, in pixels.
pub(crate) const WIDTH: i32 = 1_200;

/// Where the text of a chart's head begins, from the left, and where it must end from the right.
pub(crate) const MARGIN: i32 = 20;

/// Sizes of text, in pixels from its highest to its lowest point.
pub(crate) const TITLE: f64 = 33.0;
pub(crate) const LABEL: f64 = 23.0;
pub(crate) const TICK: f64 = 21.0;

pub(crate) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
pub(crate) const FAINT: RGBColor = RGBColor(0x5a, 0x5a, 0x5a);
pub(crate) const GRID: RGBColor = RGBColor(0xe2, 0xe2, 0xe2);
pub(crate) const AXIS: RGBColor = RGBColor(0x88, 0x88, 0x88);

/// The area that a chart is drawn on.
pub(crate) type Area<DB> = DrawingArea<DB, Shift>;

/// The outcome of drawing, a fault told in words: the backends' errors are types of their own.
pub(crate) type Drawn = Result<(), String>;

/// Layers have colours that no transport has, and that differ in lightness too.
pub(crate) const fn layer_colour(layer: Layer) -> RGBColor {
    match layer {
        Layer::Payload => RGBColor(0x3f, 0x3f, 0x3f),
        Layer::Framing => RGBColor(0xd5, 0x5e, 0x00),
        Layer::Http => RGBColor(0xb8, 0xb8, 0xb8),
        Layer::Tls => RGBColor(0x6a, 0x51, 0xa3),
        Layer::Tcpip => RGBColor(0xf0, 0xe4, 0x42),
    }
}

/// Parts of a latency have colours of their own too; what a transport or its server is the cause
/// of is darker than what the instrument is.
pub(crate) const fn part_colour(part: Part) -> RGBColor {
    match part {
        Part::Publisher => RGBColor(0xd5, 0x5e, 0x00),
        Part::Poll => RGBColor(0xb8, 0xb8, 0xb8),
        Part::Server => RGBColor(0x3f, 0x3f, 0x3f),
        Part::Network => RGBColor(0x6a, 0x51, 0xa3),
        Part::Load => RGBColor(0xf0, 0xe4, 0x42),
    }
}
/// The colour of what Ethernet adds, where it is shown.
pub(crate) const ETHERNET: RGBColor = RGBColor(0x8c, 0x6d, 0x31);

pub(crate) fn mixed(colour: RGBColor, other: RGBColor, share: f64) -> RGBColor {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "both are bytes")]
    let mix = |one: u8, two: u8| (f64::from(one) * (1.0 - share) + f64::from(two) * share) as u8;
    RGBColor(mix(colour.0, other.0), mix(colour.1, other.1), mix(colour.2, other.2))
}

/// `colour` mixed with white.
pub(crate) fn lighter(colour: RGBColor) -> RGBColor {
    mixed(colour, WHITE, 0.6)
}

/// Where a text stands relative to its position.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Anchor {
    Left,
    Middle,
    Right,
}

/// A text's looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Font {
    pub(crate) size: f64,
    pub(crate) colour: RGBColor,
    pub(crate) bold: bool,
}

impl Font {
    pub(crate) const fn new(size: f64, colour: RGBColor) -> Self {
        Self { size, colour, bold: false }
    }

    fn style(self, anchor: Anchor) -> TextStyle<'static> {
        let style = if self.bold { FontStyle::Bold } else { FontStyle::Normal };
        let horizontal = match anchor {
            Anchor::Left => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::Right => HPos::Right,
        };
        TextStyle {
            font: FontDesc::new(FontFamily::SansSerif, self.size, style),
            color: self.colour.to_backend_color(),
            pos: Pos::new(horizontal, VPos::Center),
        }
    }
}

/// A place of a picture that shows one value.
pub(crate) enum Spot {
    At((i32, i32)),
    /// A rectangle, by two of its corners.
    Over((i32, i32), (i32, i32)),
}

/// A value that a picture shows, in words.
pub(crate) struct Told {
    /// Its place along the axis: `p99`, `40 clients`; empty where there is none.
    pub(crate) at: String,
    /// The quantity.
    pub(crate) figure: String,
    /// With its unit.
    pub(crate) value: String,
    /// Its interval, or over what it is; empty where there is no more to say.
    pub(crate) note: String,
}

/// The drawing of single elements, with errors as words.
pub(crate) trait Draw {
    /// The width of the whole.
    fn width(&self) -> i32 {
        WIDTH
    }

    /// Draws what is of `contender`: where it can be told from the rest, it is kept together.
    fn of(&self, _contender: Contender, drawn: impl FnOnce() -> Drawn) -> Drawn {
        drawn()
    }

    /// Notes the value that is shown at a place, where readers can point at one.
    fn tell(&self, _spot: Spot, _told: impl FnOnce() -> Told) -> Drawn {
        Ok(())
    }

    /// Writes `text`, its middle line at `at.1`.
    fn text(&self, text: &str, at: (i32, i32), font: Font, anchor: Anchor) -> Drawn;

    /// How wide `text` will be at most: viewers' own fonts are narrower than the one here.
    fn width_of(&self, text: &str, font: Font) -> i32;

    /// A line through `points`.
    fn path(&self, points: Vec<(i32, i32)>, colour: RGBColor, width: u32) -> Drawn;

    /// A filled rectangle.
    fn rect(&self, from: (i32, i32), to: (i32, i32), colour: RGBColor) -> Drawn;

    /// A filled polygon.
    fn polygon(&self, corners: Vec<(i32, i32)>, colour: RGBColor) -> Drawn;

    /// A line of dashes through `points`: lengths of dashes and of the gaps behind them, in turn.
    fn dashes(
        &self,
        points: &[(i32, i32)],
        pattern: &[f64],
        colour: RGBColor,
        width: u32,
    ) -> Drawn {
        let dashes = dashed(points, pattern);
        dashes.into_iter().try_for_each(|dash| self.path(dash, colour, width))
    }

    /// Writes `text`, made smaller where it would not fit into `width`.
    fn fitted(&self, text: &str, at: (i32, i32), mut font: Font, width: i32) -> Drawn {
        while font.size > 12.0 && self.width_of(text, font) > width {
            font.size -= 1.0;
        }
        self.text(text, at, font, Anchor::Left)
    }
}

/// The dashes of a line that is no contender's, in pixels.
pub(crate) const DASHES: [f64; 2] = [7.0, 7.0];

/// The dashes of a line through `points`, measured along it.
fn dashed(points: &[(i32, i32)], pattern: &[f64]) -> Vec<Vec<(i32, i32)>> {
    let mut turns = pattern.iter().copied().zip([true, false].into_iter().cycle()).cycle();
    let Some((mut left, mut drawn)) = turns.next() else { return Vec::new() };
    let (mut dashes, mut dash) = (Vec::new(), Vec::from_iter(points.first().copied()));
    for pair in points.windows(2) {
        let [from, to] = [pair[0], pair[1]].map(|(x, y)| (f64::from(x), f64::from(y)));
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let along = |done: f64| {
            let share = done / length;
            let at = |from: f64, to: f64| pixel(from + (to - from) * share);
            (at(from.0, to.0), at(from.1, to.1))
        };
        let mut done = 0.0;
        while length - done > left {
            done += left;
            dash.push(along(done));
            let ended = std::mem::replace(&mut dash, vec![along(done)]);
            dashes.extend(drawn.then_some(ended));
            (left, drawn) = turns.next().unwrap_or((f64::INFINITY, true));
        }
        left -= length - done;
        dash.push(pair[1]);
    }
    dashes.extend((drawn && dash.len() > 1).then_some(dash));
    dashes
}

#[expect(clippy::cast_possible_truncation, reason = "pixels of a chart")]
pub(crate) fn pixel(at: f64) -> i32 {
    at.round() as i32
}

impl<DB: DrawingBackend> Draw for Area<DB> {
    fn text(&self, text: &str, at: (i32, i32), font: Font, anchor: Anchor) -> Drawn {
        let text = Text::new(text::line(text).into_owned(), at, font.style(anchor));
        self.draw(&text).map_err(|error| error.to_string())
    }

    fn width_of(&self, text: &str, font: Font) -> i32 {
        let size = self.estimate_text_size(text, &font.style(Anchor::Left));
        size.map_or(0, |(width, _)| i32::try_from(width).unwrap_or(i32::MAX))
    }

    fn path(&self, points: Vec<(i32, i32)>, colour: RGBColor, width: u32) -> Drawn {
        let path = PathElement::new(points, colour.stroke_width(width));
        self.draw(&path).map_err(|error| error.to_string())
    }

    fn rect(&self, from: (i32, i32), to: (i32, i32), colour: RGBColor) -> Drawn {
        let rect = Rectangle::new([from, to], colour.filled());
        self.draw(&rect).map_err(|error| error.to_string())
    }

    fn polygon(&self, corners: Vec<(i32, i32)>, colour: RGBColor) -> Drawn {
        self.draw(&Polygon::new(corners, colour.filled())).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_go_on_around_corners() {
        let line = [(0, 0), (10, 0), (10, 10)];
        let expected: [&[(i32, i32)]; 2] = [&[(0, 0), (7, 0)], &[(10, 4), (10, 10)]];
        assert_eq!(dashed(&line, &[7.0, 7.0]), expected);
        assert_eq!(dashed(&[(0, 0), (2, 0), (4, 0)], &[7.0, 7.0]), [[(0, 0), (2, 0), (4, 0)]]);
        assert!(dashed(&[], &[7.0, 7.0]).is_empty());
    }
}
