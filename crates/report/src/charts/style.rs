//! How every chart looks: colours that colour-blind readers tell apart, sizes, text, markers.
//!
//! Transports have the colours of Okabe and Ito's palette, each with a marker of its own, so that
//! neither colour nor shape alone has to carry the difference.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::element::{Circle, PathElement, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color as _, FontDesc, FontFamily, FontStyle, RGBColor, ShapeStyle, TextStyle,
};
use plotters_backend::DrawingBackend;
use pushbench_core::{Contender, text};
use pushbench_metrics::judge::breakdown::Part;
use pushbench_metrics::observe::ledger::Layer;

/// The width of every chart, in pixels.
pub(crate) const WIDTH: i32 = 1_200;

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

/// What drawing may fail with, told in words: the backends' errors are types of their own.
pub(crate) type Drawn = Result<(), String>;

/// The same colour for the same transport, on every chart.
pub(crate) fn colour(contender: Contender) -> RGBColor {
    match contender {
        Contender::SHORT_POLL => RGBColor(0x00, 0x72, 0xb2),
        Contender::SHORT_POLL_CLOSE => RGBColor(0x56, 0xb4, 0xe9),
        Contender::SHORT_POLL_CONDITIONAL => RGBColor(0x88, 0x22, 0x55),
        Contender::LONG_POLL => RGBColor(0xe6, 0x9f, 0x00),
        Contender::SSE => RGBColor(0x00, 0x9e, 0x73),
        _ => RGBColor(0xcc, 0x79, 0xa7),
    }
}

/// Transports whose lines often coincide, in the order in which they are drawn.
const ALIKE: [&[Contender]; 2] = [
    &[Contender::SHORT_POLL, Contender::SHORT_POLL_CLOSE, Contender::SHORT_POLL_CONDITIONAL],
    &[Contender::SSE, Contender::WEBSOCKET],
];

/// The width of a transport's line among those of `all`, in pixels: a little
/// wider for each that is drawn over it and alike, so that the one below shows at the edges and
/// does not read as emphasis.
pub(crate) fn line_width(contender: Contender, all: &[Contender]) -> u32 {
    let alike = ALIKE.into_iter().find(|alike| alike.contains(&contender)).unwrap_or_default();
    let over = alike.iter().skip_while(|other| **other != contender).skip(1);
    3 + u32::try_from(over.filter(|other| all.contains(other)).count()).unwrap_or(0)
}

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
/// What Ethernet adds, where it is shown.
pub(crate) const ETHERNET: RGBColor = RGBColor(0x8c, 0x6d, 0x31);

/// `colour` mixed with white.
pub(crate) fn lighter(colour: RGBColor) -> RGBColor {
    let mix = |part: u8| u8::try_from(u16::from(part) * 2 / 5 + 153).unwrap_or(u8::MAX);
    RGBColor(mix(colour.0), mix(colour.1), mix(colour.2))
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

/// The drawing of single elements, with errors as words.
pub(crate) trait Draw {
    /// Writes `text`, its middle line at `at.1`.
    fn text(&self, text: &str, at: (i32, i32), font: Font, anchor: Anchor) -> Drawn;

    /// How wide `text` will be at most: viewers' own fonts are narrower than the one here.
    fn width_of(&self, text: &str, font: Font) -> i32;

    /// A line through `points`.
    fn path(&self, points: Vec<(i32, i32)>, colour: RGBColor, width: u32) -> Drawn;

    /// A filled rectangle.
    fn rect(&self, from: (i32, i32), to: (i32, i32), colour: RGBColor) -> Drawn;

    /// The marker of `contender`.
    fn marker(&self, contender: Contender, at: (i32, i32)) -> Drawn;

    /// A line of dashes through `points`.
    fn dashes(&self, points: &[(i32, i32)], colour: RGBColor, width: u32) -> Drawn {
        for pair in points.windows(2) {
            let [from, to] = [pair[0], pair[1]].map(|(x, y)| (f64::from(x), f64::from(y)));
            let length = (to.0 - from.0).hypot(to.1 - from.1);
            let mut done = 0.0;
            while done < length {
                let at = |distance: f64| {
                    let share = distance.min(length) / length;
                    let along = |from: f64, to: f64| pixel(from + (to - from) * share);
                    (along(from.0, to.0), along(from.1, to.1))
                };
                self.path(vec![at(done), at(done + DASH)], colour, width)?;
                done += 2.0 * DASH;
            }
        }
        Ok(())
    }

    /// Writes `text`, made smaller where it would not fit into `width`.
    fn fitted(&self, text: &str, at: (i32, i32), mut font: Font, width: i32) -> Drawn {
        while font.size > 12.0 && self.width_of(text, font) > width {
            font.size -= 1.0;
        }
        self.text(text, at, font, Anchor::Left)
    }
}

/// The length of a dash and of the gap behind it, in pixels.
const DASH: f64 = 7.0;

/// Half the extent of a marker, in pixels.
const MARKER: i32 = 7;

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

    fn marker(&self, contender: Contender, (x, y): (i32, i32)) -> Drawn {
        let style: ShapeStyle = colour(contender).filled();
        let r = MARKER;
        let corners = match contender {
            Contender::SHORT_POLL => {
                let circle = Circle::new((x, y), r + 2, style);
                return self.draw(&circle).map_err(|error| error.to_string());
            }
            Contender::SHORT_POLL_CLOSE => vec![(-r, -r), (r, -r), (0, r)],
            Contender::SHORT_POLL_CONDITIONAL => vec![(0, -r - 2), (3, 0), (0, r + 2), (-3, 0)],
            Contender::LONG_POLL => {
                vec![(-r + 1, -r + 1), (r - 1, -r + 1), (r - 1, r - 1), (-r + 1, r - 1)]
            }
            Contender::SSE => vec![(-r, r), (r, r), (0, -r)],
            _ => vec![(0, -r - 2), (r + 2, 0), (0, r + 2), (-r - 2, 0)],
        };
        let corners: Vec<_> = corners.into_iter().map(|(dx, dy)| (x + dx, y + dy)).collect();
        self.draw(&Polygon::new(corners, style)).map_err(|error| error.to_string())
    }
}
