//! The look of a contender: its transport has a colour and a shape of marker; its requests and its
//! coding a shade of that colour, a pattern of dashes and a part of that shape; and in TLS line and
//! marker are double.
//!
//! The colours are of Okabe and Ito's palette, and neither colour nor shape alone has to carry a
//! difference. The parts lie within each other, so that markers at one place are all seen. Another
//! stack is another row here and needs no other colour.

use plotters::style::{RGBColor, WHITE};
use pushbench_core::contender::{Coding, Security};
use pushbench_core::{Contender, Stack, Transport};

use super::style::{DASHES, Draw, Drawn, mixed, pixel};

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
#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    Whole,
    /// A line around the whole.
    Ring,
    /// A small one within the whole.
    Core,
    /// The part left of its middle.
    Left,
    /// The part right of its middle.
    Right,
}

/// A stack's row, whichever security is under it.
struct OfStack {
    stack: Stack,
    /// The colour that the transport's is mixed with, and by which share.
    shade: (RGBColor, f64),
    /// Dashes and gaps in turn, in pixels; none of a line that is drawn through.
    dashes: &'static [f64],
    part: Part,
}

const BLACK: RGBColor = RGBColor(0, 0, 0);

/// The stacks in clear; one that is not here looks like the first.
const STACKS: [OfStack; 6] = [
    OfStack { stack: Stack::PLAIN, shade: (WHITE, 0.0), dashes: &[], part: Part::Whole },
    OfStack { stack: Stack::CLOSE, shade: (WHITE, 0.4), dashes: &[18.0, 8.0], part: Part::Ring },
    OfStack {
        stack: Stack::CONDITIONAL,
        shade: (BLACK, 0.55),
        dashes: &[16.0, 7.0, 4.0, 7.0],
        part: Part::Core,
    },
    coded(Coding::Gzip, (BLACK, 0.3), &DASH_DOT_DOT, Part::Left),
    coded(Coding::Deflate, (BLACK, 0.3), &DASH_DOT_DOT, Part::Left),
    coded(Coding::DeflateTakeover, (WHITE, 0.4), &[27.0, 7.0], Part::Right),
];

const DASH_DOT: [f64; 4] = [8.0, 5.0, 2.0, 5.0];
const DASH_DOT_DOT: [f64; 6] = [16.0, 5.0, 4.0, 5.0, 4.0, 5.0];

const fn coded(
    coding: Coding,
    shade: (RGBColor, f64),
    dashes: &'static [f64],
    part: Part,
) -> OfStack {
    OfStack { stack: Stack::PLAIN.with_coding(coding), shade, dashes, part }
}

/// Radii of the parts of a marker, in pixels.
const WHOLE: f64 = 7.8;
const RING: f64 = 10.0;
const CORE: f64 = 4.2;
const HALO: f64 = 6.2;
/// That of the ring around a marker that is double.
const AROUND: f64 = 13.0;

/// The width that a double line has more, and the gap in its middle, in pixels.
const BOTH_EDGES: u32 = 4;
const GAP: u32 = 3;

/// The most that a line is wider than another of its shape, in pixels.
const WIDER: usize = 4;

fn of_stack(contender: Contender) -> &'static OfStack {
    let clear = contender.stack.with_security(Security::Clear);
    STACKS.iter().find(|row| row.stack == clear).unwrap_or(&STACKS[0])
}

fn is_double(contender: Contender) -> bool {
    contender.stack.security == Security::Tls
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
    3 + u32::try_from(alike.count().min(WIDER)).unwrap_or(0)
}

/// The contender's line through `points`.
pub(crate) fn line(
    area: &impl Draw,
    contender: Contender,
    points: Vec<(i32, i32)>,
    width: u32,
) -> Drawn {
    let stroke = |points: &[(i32, i32)], colour, width| match of_stack(contender).dashes {
        [] => area.path(points.to_vec(), colour, width),
        dashes => area.dashes(points, dashes, colour, width),
    };
    if !is_double(contender) {
        return stroke(&points, colour(contender), width);
    }
    stroke(&points, colour(contender), width + BOTH_EDGES)?;
    stroke(&points, WHITE, GAP)
}

/// The dashes of another line in the contender's colour; with dots between them in TLS, whose colour
/// is that of its twin in clear.
pub(crate) fn dashes(contender: Contender) -> &'static [f64] {
    if is_double(contender) { &DASH_DOT } else { &DASHES }
}

/// The contender's marker.
pub(crate) fn marker(area: &impl Draw, contender: Contender, (x, y): (i32, i32)) -> Drawn {
    let (_, _, corners) = TRANSPORTS[contender.transport as usize];
    let cut = |radius: f64, left: f64, right: f64| -> Vec<(i32, i32)> {
        let place = |&(dx, dy): &(f64, f64)| {
            (x + pixel(dx.clamp(-left, right) * radius), y + pixel(dy * radius))
        };
        corners.iter().map(place).collect()
    };
    let sized = |radius| cut(radius, 2.0, 2.0);
    let colour = colour(contender);
    if is_double(contender) {
        area.path(outline(&sized(AROUND)), colour, 2)?;
    }
    match of_stack(contender).part {
        Part::Whole => area.polygon(sized(WHOLE), colour),
        Part::Ring => area.path(outline(&sized(RING)), colour, 3),
        Part::Core => {
            area.polygon(sized(HALO), WHITE)?;
            area.polygon(sized(CORE), colour)
        }
        Part::Left => area.polygon(cut(WHOLE, 2.0, 0.0), colour),
        Part::Right => area.polygon(cut(WHOLE, 0.0, 2.0), colour),
    }
}

/// The line around `corners`, from the middle of an edge on, so that each corner is one.
fn outline(corners: &[(i32, i32)]) -> Vec<(i32, i32)> {
    let (first, last) = (corners[0], corners[corners.len() - 1]);
    let middle = (i32::midpoint(first.0, last.0), i32::midpoint(first.1, last.1));
    [&[middle], corners, &[middle]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transport_is_at_its_place_and_each_contender_has_its_own_look() {
        for (place, (transport, ..)) in TRANSPORTS.iter().enumerate() {
            assert_eq!(*transport as usize, place);
        }
        let looks = || Contender::all().map(|it| (colour(it), of_stack(it).dashes, is_double(it)));
        for (place, look) in looks().enumerate() {
            assert_eq!(looks().position(|it| it == look), Some(place));
        }
    }

    /// On paper without colours, and where markers stand without lines.
    #[test]
    fn contenders_of_a_transport_differ_in_dashes_and_in_marker() {
        for transport in Transport::ALL {
            let all: Vec<_> = Contender::all().filter(|it| it.transport == transport).collect();
            let line = |it| (of_stack(it).dashes, is_double(it));
            let marker = |it| (of_stack(it).part, is_double(it));
            for (place, &one) in all.iter().enumerate() {
                for &other in &all[..place] {
                    assert_ne!(line(one), line(other), "{one} {other}");
                    assert_ne!(marker(one), marker(other), "{one} {other}");
                }
            }
        }
    }

    #[test]
    fn lines_that_coincide_differ_little_in_width() {
        let all: Vec<_> = Contender::basic().collect();
        let widths: Vec<_> = all.iter().map(|contender| line_width(*contender, &all)).collect();
        assert_eq!(widths, [5, 4, 3, 3, 4, 3]);
    }
}
