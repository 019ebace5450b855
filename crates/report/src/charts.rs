//! The pictures of a run, each as SVG and as PNG from the same drawing.
//!
//! A module for each kind of picture takes what it needs out of the record; [`Picture`] draws the
//! head that all have in common: the finding, the conditions, the legend.

mod age;
mod axes;
mod bars;
mod breakdown;
mod bytes;
mod course;
mod cpu;
pub(crate) mod headers;
mod latency;
pub(crate) mod look;
mod marks;
mod raster;
mod ratio;
pub(crate) mod style;
mod sweep;
mod timeline;

use std::borrow::Cow;

use plotters::backend::SVGBackend;
use plotters::drawing::IntoDrawingArea as _;
use plotters::style::{RGBColor, WHITE};
use plotters_backend::DrawingBackend;
use pushbench_core::Contender;
use pushbench_metrics::record::RunRecord;

use self::bars::Bars;
use self::ratio::Ratio;
use self::style::{Anchor, Area, DASHES, Draw as _, Drawn, FAINT, Font, INK, LABEL, TITLE, WIDTH};
use self::sweep::Sweep;
use crate::error::ReportError;
use crate::rows::{Block, Row, blocks};
use crate::settings;

/// Of a run with more points, the pictures of single points stop here; those over points go on.
const POINTS_DRAWN: usize = 8;

/// Where the text of a chart's head begins, from the left, and where it must end from the right.
const MARGIN: i32 = 20;

/// A picture with its place in the folder and how to read it.
pub(crate) struct Chart {
    /// The files' name without what says their format: `latency`, `latency-2`.
    pub(crate) name: String,
    /// One line on how to read it.
    pub(crate) caption: Cow<'static, str>,
    picture: Picture,
}

impl Chart {
    /// The title, which says what the picture shows.
    pub(crate) fn title(&self) -> &str {
        &self.picture.title
    }

    /// The picture as SVG, its texts in the viewer's own font.
    pub(crate) fn svg(&self) -> Result<String, ReportError> {
        raster::register_fonts();
        let mut text = String::new();
        {
            let area = SVGBackend::with_string(&mut text, self.picture.size()).into_drawing_area();
            self.picture.draw(&area).map_err(|problem| self.failed(problem))?;
            area.present().map_err(|error| self.failed(error.to_string()))?;
        }
        // For readers that cannot see it.
        let named =
            format!("<svg role=\"img\" aria-label=\"{}\" ", crate::html::escaped(self.title()));
        Ok(text.replacen("<svg ", &named, 1))
    }

    /// The picture as PNG, its texts in the font that this crate carries.
    pub(crate) fn png(&self) -> Result<Vec<u8>, ReportError> {
        raster::png(&self.picture).map_err(|problem| self.failed(problem))
    }

    fn failed(&self, problem: String) -> ReportError {
        ReportError::Draw(self.name.clone(), problem)
    }
}

/// The name of a block's picture `name` in a run's folder.
pub(crate) fn file_name(record: &RunRecord, block: &Block<'_>, name: &str) -> String {
    match record.points.len() {
        1 => name.to_owned(),
        _ => format!("{name}-{}", block.point.id),
    }
}

/// Whether a block has pictures of its own.
pub(crate) fn are_drawn(blocks: &[Block<'_>], block: &Block<'_>) -> bool {
    blocks.iter().take(POINTS_DRAWN).any(|drawn| drawn.point.id == block.point.id)
}

/// The pictures of a run; one that has nothing to show is left out.
pub(crate) fn charts(record: &RunRecord) -> Vec<Chart> {
    let blocks = blocks(record);
    let mut charts = Vec::new();
    for block in blocks.iter().take(POINTS_DRAWN) {
        let named = |name: &str| file_name(record, block, name);
        let conditions = settings::conditions(&record.scenario, &block.point);
        let pictures = [
            ("latency", latency::caption(block), latency::picture(block, &conditions)),
            ("breakdown", crate::breakdown::CAPTION.into(), breakdown::picture(block, &conditions)),
            ("age", age::CAPTION.into(), age::picture(block, &conditions)),
            ("bytes", bytes::caption(block).into(), bytes::picture(block, &conditions)),
            ("cpu", cpu::caption(block), cpu::picture(block, &conditions)),
            ("arrivals", course::ARRIVALS.into(), course::arrivals(block, &conditions)),
            ("openings", course::OPENINGS.into(), course::openings(block, &conditions)),
            ("cores", course::CORES.into(), course::cores(block, &conditions)),
            ("timeline", timeline::CAPTION.into(), timeline::picture(block, &conditions)),
        ];
        charts.extend(pictures.into_iter().filter_map(|(name, caption, picture)| {
            Some(Chart { name: named(name), caption, picture: picture? })
        }));
    }
    let ratios = ratio::charts(record, &blocks);
    let sweeps = sweep::charts(record, &blocks).into_iter();
    // Ages and what a client costs the server are there twice otherwise.
    let known = ratios.iter().any(|chart| chart.name == "sweep-age");
    let twice = ["sweep-latency", "sweep-client-cpu"];
    charts.extend(sweeps.filter(|chart| !known || !twice.contains(&&*chart.name)));
    charts.extend(ratios);
    charts
}

/// The colour of `contender` on every chart, as CSS has it.
pub(crate) fn colour(contender: Contender) -> String {
    let RGBColor(red, green, blue) = look::colour(contender);
    format!("#{red:02x}{green:02x}{blue:02x}")
}

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
}

/// The drawing below the head.
enum Plot {
    Latency(latency::Curves),
    Bars(Bars),
    Timeline(timeline::Lines),
    Course(course::Lines),
    Sweep(Sweep),
    Ratio(Ratio),
}

/// A picture, ready to be drawn.
pub(crate) struct Picture {
    /// A finding where there is one, else what is shown.
    title: String,
    /// Quantity and conditions.
    subtitle: String,
    keys: Vec<Key>,
    height: i32,
    plot: Plot,
}

impl Picture {
    /// Its width and height in pixels.
    pub(crate) const fn size(&self) -> (u32, u32) {
        (WIDTH.unsigned_abs(), self.height.unsigned_abs())
    }

    /// Draws it on any backend.
    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>) -> Drawn {
        area.fill(&WHITE).map_err(|error| error.to_string())?;
        let room = WIDTH - 2 * MARGIN;
        let title = Font { bold: true, ..Font::new(TITLE, INK) };
        area.fitted(&self.title, (MARGIN, 34), title, room)?;
        area.fitted(&self.subtitle, (MARGIN, 74), Font::new(LABEL, FAINT), room)?;
        let top = self.draw_keys(area, 116)?;
        match &self.plot {
            Plot::Latency(curves) => curves.draw(area, top, self.height),
            Plot::Bars(bars) => bars.draw(area, top),
            Plot::Timeline(lines) => lines.draw(area, top, self.height),
            Plot::Course(lines) => lines.draw(area, top, self.height),
            Plot::Sweep(sweep) => sweep.draw(area, top, self.height),
            Plot::Ratio(ratio) => ratio.draw(area, top, self.height),
        }
    }

    /// Draws the legend in as many lines as it takes, and says where it ends.
    fn draw_keys<DB: DrawingBackend>(&self, area: &Area<DB>, top: i32) -> Result<i32, String> {
        const SAMPLE: i32 = 44;
        // The largest markers of two lines do not meet.
        const LINE: i32 = 38;
        let font = Font::new(LABEL, INK);
        let (mut x, mut y) = (MARGIN, top);
        for key in &self.keys {
            let width = SAMPLE + 10 + area.width_of(key.name(), font) + 26;
            if x > MARGIN && x + width > WIDTH - MARGIN {
                (x, y) = (MARGIN, y + LINE);
            }
            match key {
                Key::Contender(contender) => {
                    let line = vec![(x, y), (x + SAMPLE, y)];
                    look::line(area, *contender, line, 4)?;
                    look::marker(area, *contender, (x + SAMPLE / 2, y))?;
                }
                Key::Area(colour, _) => {
                    area.rect((x + 12, y - 10), (x + SAMPLE, y + 10), *colour)?
                }
                Key::Crossings => marks::draw_key(area, (x, y), SAMPLE)?,
                Key::Thin(_) => area.path(vec![(x, y), (x + SAMPLE, y)], FAINT, 1)?,
                Key::Dashes(_) => area.dashes(&[(x, y), (x + SAMPLE, y)], &DASHES, FAINT, 2)?,
            }
            area.text(key.name(), (x + SAMPLE + 10, y), font, Anchor::Left)?;
            x += width;
        }
        Ok(if self.keys.is_empty() { top - 20 } else { y + 24 })
    }
}

/// A transport's points over an axis, from the left on.
struct Line<T> {
    contender: Contender,
    /// Broken where it has no figure at a point that was played: between the two beside that nothing
    /// was measured.
    stretches: Vec<Vec<(f64, T)>>,
}

impl<T> Line<T> {
    fn points(&self) -> impl Iterator<Item = &(f64, T)> {
        self.stretches.iter().flatten()
    }
}

/// The transports' lines over the axis whose values `at` tells, of what `value` finds.
fn lines<'a, T>(
    blocks: impl Iterator<Item = &'a Block<'a>>,
    at: impl Fn(&Block<'a>) -> f64,
    value: impl Fn(&Row<'a>) -> Option<T>,
) -> Vec<Line<T>> {
    let mut blocks: Vec<&Block<'_>> = blocks.collect();
    blocks.sort_by(|one, two| at(one).total_cmp(&at(two)));
    let line = |contender: Contender| {
        let of = |block: &&'a Block<'a>| {
            let row = block.rows.iter().find(|row| row.contender() == contender);
            Some((at(block), value(row?)?))
        };
        let points: Vec<Option<(f64, T)>> = blocks.iter().map(of).collect();
        let stretches = stretches(points);
        (!stretches.is_empty()).then_some(Line { contender, stretches })
    };
    Contender::all().filter_map(line).collect()
}

/// What stands together, without what is missing.
fn stretches<T>(points: Vec<Option<T>>) -> Vec<Vec<T>> {
    let mut stretches = vec![Vec::new()];
    for point in points {
        match point {
            Some(point) => stretches.last_mut().expect("there is one at first").push(point),
            None => stretches.push(Vec::new()),
        }
    }
    stretches.retain(|stretch| !stretch.is_empty());
    stretches
}

/// The values of an axis that any of `points` has, each once and rising.
fn values(points: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = points.collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}

/// The transports of `block` that `shown` has something of.
fn keys(block: &Block<'_>, shown: impl Fn(Contender) -> bool) -> Vec<Key> {
    let contenders = block.rows.iter().map(Row::contender);
    contenders.filter(|&contender| shown(contender)).map(Key::Contender).collect()
}
