//! A picture as PNG: drawn at twice its size and averaged, so that edges are smooth.

use plotters::backend::BitMapBackend;
use plotters::drawing::IntoDrawingArea as _;
use plotters::style::{
    FontDesc, FontStyle, RGBAColor, ShapeStyle, TextStyle, WHITE, register_font,
};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
};
use std::sync::Once;

use super::Picture;

/// How many pixels are drawn for one that is kept, in each direction; [`averaged`] relies on it.
const FACTOR: i32 = 2;

const REGULAR: &[u8] = include_bytes!("../../assets/DejaVuSans.ttf");
const BOLD: &[u8] = include_bytes!("../../assets/DejaVuSans-Bold.ttf");

/// Makes the fonts known to the drawing library, which also measures texts for SVG with them.
pub(crate) fn register_fonts() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for (style, font) in [(FontStyle::Normal, REGULAR), (FontStyle::Bold, BOLD)] {
            assert!(register_font("sans-serif", style, font).is_ok(), "assets/ holds fonts");
        }
    });
}

/// Draws `picture` and encodes it.
pub(crate) fn png(picture: &Picture) -> Result<Vec<u8>, String> {
    register_fonts();
    let (width, height) = picture.size();
    let large = (width * FACTOR.unsigned_abs(), height * FACTOR.unsigned_abs());
    let mut pixels = vec![u8::MAX; large.0 as usize * large.1 as usize * 3];
    {
        let backend = Enlarged(BitMapBackend::with_buffer(&mut pixels, large));
        let area = backend.into_drawing_area();
        area.fill(&WHITE).map_err(|error| error.to_string())?;
        picture.draw(&area)?;
        area.present().map_err(|error| error.to_string())?;
    }
    encode(&averaged(&pixels, large.0 as usize), width, height).map_err(|error| error.to_string())
}

fn encode(pixels: &[u8], width: u32, height: u32) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(pixels)?;
    Ok(bytes)
}

/// Each two by two pixels, a million in a chart, as one of their average colour: with no call for each.
fn averaged(pixels: &[u8], width: usize) -> Vec<u8> {
    let row = width * 3;
    let mut small = vec![0; pixels.len() / 4];
    for (rows, small) in pixels.chunks_exact(row * 2).zip(small.chunks_exact_mut(row / 2)) {
        let (mut from, mut to) = (0, 0);
        while to < small.len() {
            let above = rows[from] as u16 + rows[from + 3] as u16;
            let below = rows[row + from] as u16 + rows[row + from + 3] as u16;
            small[to] = ((above + below) / 4) as u8;
            to += 1;
            from += if to.is_multiple_of(3) { 4 } else { 1 };
        }
    }
    small
}

/// A bitmap that takes coordinates of a smaller one.
struct Enlarged<'a>(BitMapBackend<'a>);

type Failed<'a> = DrawingErrorKind<<BitMapBackend<'a> as DrawingBackend>::ErrorType>;

fn large((x, y): BackendCoord) -> BackendCoord {
    (x * FACTOR, y * FACTOR)
}

fn thick(style: &impl BackendStyle) -> ShapeStyle {
    let BackendColor { alpha, rgb: (r, g, b) } = style.color();
    let stroke_width = style.stroke_width() * FACTOR.unsigned_abs();
    ShapeStyle { color: RGBAColor(r, g, b, alpha), filled: true, stroke_width }
}

impl<'a> DrawingBackend for Enlarged<'a> {
    type ErrorType = <BitMapBackend<'a> as DrawingBackend>::ErrorType;

    fn get_size(&self) -> (u32, u32) {
        let (width, height) = self.0.get_size();
        (width / FACTOR.unsigned_abs(), height / FACTOR.unsigned_abs())
    }

    fn ensure_prepared(&mut self) -> Result<(), Failed<'a>> {
        self.0.ensure_prepared()
    }

    fn present(&mut self) -> Result<(), Failed<'a>> {
        self.0.present()
    }

    fn draw_pixel(&mut self, at: BackendCoord, color: BackendColor) -> Result<(), Failed<'a>> {
        let (x, y) = large(at);
        for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            self.0.draw_pixel((x + dx, y + dy), color)?;
        }
        Ok(())
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Result<(), Failed<'a>> {
        self.0.draw_line(large(from), large(to), &thick(style))
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Result<(), Failed<'a>> {
        self.0.draw_rect(large(from), large(to), &thick(style), fill)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Result<(), Failed<'a>> {
        self.0.draw_path(path.into_iter().map(large), &thick(style))
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Result<(), Failed<'a>> {
        self.0.draw_circle(large(center), radius * FACTOR.unsigned_abs(), &thick(style), fill)
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &S,
    ) -> Result<(), Failed<'a>> {
        self.0.fill_polygon(corners.into_iter().map(large), &thick(style))
    }

    /// Plotters sets text of registered fonts too high, by a ninth of its size.
    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        at: BackendCoord,
    ) -> Result<(), Failed<'a>> {
        let size = style.size() * f64::from(FACTOR);
        let font = FontDesc::new(style.family(), size, style.style());
        let style = TextStyle { font, color: style.color(), pos: style.anchor() };
        let (x, y) = large(at);
        self.0.draw_text(text, &style, (x, y + super::style::pixel(size / 9.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pixel_is_the_mean_of_the_four_that_were_drawn_for_it() {
        let (width, height) = (72, 4);
        let mut pixels = vec![u8::MAX; width * height * 3];
        for (at, byte) in pixels.iter_mut().enumerate() {
            if at % (width * 3) > 100 {
                *byte = (at * 37 % 256) as u8;
            }
        }
        let small = averaged(&pixels, width);
        assert_eq!(small.len(), pixels.len() / 4);
        let drawn = |x: usize, y: usize, channel| u16::from(pixels[(y * width + x) * 3 + channel]);
        for (at, mean) in small.iter().enumerate() {
            let (x, y, channel) = (at / 3 % (width / 2) * 2, at / 3 / (width / 2) * 2, at % 3);
            let above = drawn(x, y, channel) + drawn(x + 1, y, channel);
            let below = drawn(x, y + 1, channel) + drawn(x + 1, y + 1, channel);
            assert_eq!(u16::from(*mean), (above + below) / 4, "byte {at}");
        }
    }
}
