//! The look of a contender: its transport has a colour and a shape of marker; its stack a shade of
//! that colour, a pattern of dashes and a part of that shape.
//!
//! The colours are of Okabe and Ito's palette, and neither colour nor shape alone has to carry a
//! difference. The parts lie within each other, so that markers at one place are all seen. Another
//! stack is another row here and needs no other colour.

use plotters::style::{RGBColor, WHITE};
use plotters_backend::DrawingBackend;
use pushbench_core::{Contender, Stack, Transport};

use super::style::{Area, Draw as _, Drawn, mixed, pixel};

/// The corners of a marker, from its middle, for a radius of 1.
type Corners = &'static [(f64, f64)];

/// The colour and the marker of each transport.
const TRANSPORTS: [(Transport, RGBColor, Corners); Transport::ALL.len()] = [
    (Transport::ShortPoll, RGBColor(0x00, 0x72, 0xb2), &OCTAGON),
    (Transport::LongPoll, RGBColor(0xe6, 0x9f, 0x00), &SQUARE),
    (Transport::Sse, RGBColor(0x00, 0x9e, 0x73), &TRIANGLE),
    (Transport::Websocket, RGBColor(0xcc, 0x79, 0xa7), &DIAMOND),
];

const OCTAGON: [(f64, f64); 8] = [
    (-0.45, -1.1),
    (0.45, -1.1),
    (1.1, -0.45),
    (1.1, 0.45),
    (0.45, 1.1),
    (-0.45, 1.1),
    (-1.1, 0.45),
    (-1.1, -0.45),
];
const SQUARE: [(f64, f64); 4] = [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)];
const TRIANGLE: [(f64, f64); 3] = [(-1.0, 1.0), (1.0, 1.0), (0.0, -1.0)];
const DIAMOND: [(f64, f64); 4] = [(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)];

/// The part of a marker that is drawn.
#[derive(Debug, Clone, Copy)]
enum Part {
    Whole,
    /// A line around the whole.
    Ring,
    /// A small one within the whole.
    Core,
}

/// A stack's row.
struct OfStack {
    stack: Stack,
    /// The colour that the transport's is mixed with, and by which share.
    shade: (RGBColor, f64),
    /// Dashes and gaps in turn, in pixels; none of a line that is drawn through.
    dashes: &'static [f64],
    part: Part,
}

const BLACK: RGBColor = RGBColor(0, 0, 0);

/// The stacks; one that is not here looks like the first.
const STACKS: [OfStack; 3] = [
    OfStack { stack: Stack::PLAIN, shade: (WHITE, 0.0), dashes: &[], part: Part::Whole },
    OfStack { stack: Stack::CLOSE, shade: (WHITE, 0.4), dashes: &[18.0, 8.0], part: Part::Ring },
    OfStack {
        stack: Stack::CONDITIONAL,
        shade: (BLACK, 0.55),
        dashes: &[16.0, 7.0, 4.0, 7.0],
        part: Part::Core,
    },
];

/// Radii of the parts of a marker, in pixels.
const WHOLE: f64 = 7.8;
const RING: f64 = 10.0;
const CORE: f64 = 4.2;
const HALO: f64 = 6.2;

fn of_stack(contender: Contender) -> &'static OfStack {
    STACKS.iter().find(|row| row.stack == contender.stack).unwrap_or(&STACKS[0])
}

/// The same colour for the same contender, on every chart.
pub(crate) fn colour(contender: Contender) -> RGBColor {
    let (_, colour, _) = TRANSPORTS[contender.transport as usize];
    let (with, share) = of_stack(contender).shade;
    mixed(colour, with, share)
}

/// The width of a contender's line among those of `all`, in pixels: a little wider for each that
/// is drawn over it and of the same shape, so that the one below shows at the edges and does not
/// read as emphasis. Lines of one shape often coincide.
pub(crate) fn line_width(contender: Contender, all: &[Contender]) -> u32 {
    let over = Contender::all().skip_while(|other| *other != contender).skip(1);
    let alike = over.filter(|other| other.shape() == contender.shape() && all.contains(other));
    3 + u32::try_from(alike.count()).unwrap_or(0)
}

/// The contender's line through `points`.
pub(crate) fn line<DB: DrawingBackend>(
    area: &Area<DB>,
    contender: Contender,
    points: Vec<(i32, i32)>,
    width: u32,
) -> Drawn {
    match of_stack(contender).dashes {
        [] => area.path(points, colour(contender), width),
        dashes => area.dashes(&points, dashes, colour(contender), width),
    }
}

/// The contender's marker.
pub(crate) fn marker<DB: DrawingBackend>(
    area: &Area<DB>,
    contender: Contender,
    (x, y): (i32, i32),
) -> Drawn {
    let (_, _, corners) = TRANSPORTS[contender.transport as usize];
    let sized = |radius: f64| -> Vec<(i32, i32)> {
        corners.iter().map(|(dx, dy)| (x + pixel(dx * radius), y + pixel(dy * radius))).collect()
    };
    let colour = colour(contender);
    match of_stack(contender).part {
        Part::Whole => area.polygon(sized(WHOLE), colour),
        Part::Ring => {
            // From the middle of an edge around to it, so that each corner is one.
            let corners = sized(RING);
            let (first, last) = (corners[0], corners[corners.len() - 1]);
            let middle = (i32::midpoint(first.0, last.0), i32::midpoint(first.1, last.1));
            let around = [middle].into_iter().chain(corners).chain([middle]);
            area.path(around.collect(), colour, 3)
        }
        Part::Core => {
            area.polygon(sized(HALO), WHITE)?;
            area.polygon(sized(CORE), colour)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transport_is_at_its_place_and_each_contender_has_its_own_look() {
        for (place, (transport, ..)) in TRANSPORTS.iter().enumerate() {
            assert_eq!(*transport as usize, place);
        }
        let looks = || Contender::all().map(|it| (colour(it), of_stack(it).dashes));
        for (place, (shade, dashes)) in looks().enumerate() {
            let alike = |(other, others): &(RGBColor, _)| *other == shade && *others == dashes;
            assert_eq!(looks().position(|it| alike(&it)), Some(place));
        }
        let listed = |it: Contender| STACKS.iter().any(|row| row.stack == it.stack);
        assert!(Contender::all().all(listed), "a stack looks like another");
    }

    #[test]
    fn lines_that_coincide_differ_little_in_width() {
        let all: Vec<_> = Contender::all().collect();
        let widths: Vec<_> = all.iter().map(|contender| line_width(*contender, &all)).collect();
        assert_eq!(widths, [5, 4, 3, 3, 4, 3]);
    }
}
