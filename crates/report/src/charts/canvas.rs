//! The plot of a picture within a page, as SVG whose parts keep to their contender and whose values can be
//! pointed at: `<g data-contender>`, and in it an invisible place for each value.

use std::cell::{Cell, RefCell};
use std::fmt::{self, Write as _};

use plotters::style::{FontDesc, FontFamily, FontStyle, RGBColor};
use pushbench_core::Contender;
use pushbench_core::text::html as escaped;

use super::style::{Anchor, Draw, Drawn, Font, Spot, Told};

/// How far from its place a value can be pointed at.
const REACH: i32 = 13;

/// Plotters' sizes of text are from the highest to the lowest point of a font, CSS's are less.
const CSS_SIZE: f64 = 1.24;

/// An area that is drawn on as SVG.
pub(super) struct Canvas {
    size: (i32, i32),
    elements: RefCell<String>,
    /// Whose the elements are that are drawn now.
    contender: Cell<Option<Contender>>,
}

impl Canvas {
    pub(super) fn new(width: i32, height: i32) -> Self {
        let (elements, contender) = (RefCell::new(String::new()), Cell::new(None));
        Self { size: (width, height), elements, contender }
    }

    /// The drawing, under a name for readers that cannot see it; one without a name says nothing.
    pub(super) fn svg(self, name: Option<&str>) -> String {
        let (width, height) = self.size;
        let role = match name {
            Some(name) => format!("role=\"img\" aria-label=\"{}\"", escaped(name)),
            None => "aria-hidden=\"true\"".to_owned(),
        };
        let elements = self.elements.into_inner();
        format!("<svg {role} viewBox=\"0 0 {width} {height}\">\n{elements}</svg>")
    }

    fn add(&self, element: fmt::Arguments<'_>) -> Drawn {
        self.elements.borrow_mut().write_fmt(element).map_err(|error| error.to_string())
    }
}

/// A colour as attributes and [`super::dark`] have it.
pub(super) fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn corners(points: &[(i32, i32)]) -> String {
    points.iter().map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" ")
}

impl Draw for Canvas {
    fn width(&self) -> i32 {
        self.size.0
    }

    fn of(&self, contender: Contender, drawn: impl FnOnce() -> Drawn) -> Drawn {
        self.add(format_args!("<g data-contender=\"{}\">\n", escaped(contender.name())))?;
        self.contender.set(Some(contender));
        drawn()?;
        self.contender.set(None);
        self.add(format_args!("</g>\n"))
    }

    fn tell(&self, spot: Spot, told: impl FnOnce() -> Told) -> Drawn {
        let told = told();
        let (at, figure, note) = (escaped(&told.at), escaped(&told.figure), escaped(&told.note));
        let (value, name) =
            (escaped(&told.value), self.contender.get().map_or("", Contender::name));
        let place = match spot {
            Spot::At((x, y)) => format!("circle cx=\"{x}\" cy=\"{y}\" r=\"{REACH}\""),
            Spot::Over((left, top), (right, bottom)) => {
                let (width, height) = (right - left, bottom - top);
                format!("rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\"")
            }
        };
        let element = place.split(' ').next().unwrap_or_default();
        self.add(format_args!(
            "<{place} class=\"value\" data-at=\"{at}\" data-figure=\"{figure}\" \
             data-value=\"{value}\" data-note=\"{note}\"><title>{}, {at}: {figure} {value}{}{note}\
             </title></{element}>\n",
            escaped(name),
            if note.is_empty() { "" } else { "; " },
        ))
    }

    fn text(&self, text: &str, (x, y): (i32, i32), font: Font, anchor: Anchor) -> Drawn {
        let anchor = match anchor {
            Anchor::Left => "start",
            Anchor::Middle => "middle",
            Anchor::Right => "end",
        };
        let weight = if font.bold { " font-weight=\"bold\"" } else { "" };
        self.add(format_args!(
            "<text x=\"{x}\" y=\"{y}\" dy=\"0.35em\" text-anchor=\"{anchor}\" font-size=\"{:.1}\"\
             {weight} fill=\"{}\">{}</text>\n",
            font.size / CSS_SIZE,
            hex(font.colour),
            escaped(text),
        ))
    }

    fn width_of(&self, text: &str, font: Font) -> i32 {
        let style = if font.bold { FontStyle::Bold } else { FontStyle::Normal };
        let font = FontDesc::new(FontFamily::SansSerif, font.size, style);
        font.layout_box(text).map_or(0, |((left, _), (right, _))| right - left)
    }

    fn path(&self, points: Vec<(i32, i32)>, colour: RGBColor, width: u32) -> Drawn {
        let (points, colour) = (corners(&points), hex(colour));
        self.add(format_args!(
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" points=\"{points}\"/>\n"
        ))
    }

    fn rect(
        &self,
        (left, top): (i32, i32),
        (right, bottom): (i32, i32),
        colour: RGBColor,
    ) -> Drawn {
        let (width, height, colour) = (right - left, bottom - top, hex(colour));
        self.add(format_args!(
            "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" fill=\"{colour}\"/>\n"
        ))
    }

    fn polygon(&self, points: Vec<(i32, i32)>, colour: RGBColor) -> Drawn {
        let (points, colour) = (corners(&points), hex(colour));
        self.add(format_args!("<polygon points=\"{points}\" fill=\"{colour}\"/>\n"))
    }
}
