//! The pictures of a run, each as SVG and as PNG from the same drawing.
//!
//! A module for each kind of picture takes what it needs out of the record; [`Picture`] draws the
//! head that all have in common: the finding, the conditions, the legend. In a page the head is text and
//! the plot alone is drawn, with the values that readers may point at.

mod age;
mod axes;
mod bars;
mod breakdown;
mod bytes;
mod canvas;
mod course;
mod cpu;
pub(crate) mod dark;
pub(crate) mod headers;
mod key;
mod latency;
mod line;
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
use plotters::style::WHITE;
use pushbench_core::{Contender, text};
use pushbench_metrics::record::RunRecord;

use self::bars::Bars;
use self::canvas::Canvas;
pub(crate) use self::key::marker;
use self::key::{DrawnKey, Key};
use self::line::{Line, lines, values};
use self::ratio::Ratio;
use self::style::{Draw, Drawn, FAINT, Font, INK, LABEL, MARGIN, TITLE, WIDTH};
use self::sweep::Sweep;
use crate::error::ReportError;
use crate::rows::{Block, Row, Spread, blocks};
use crate::settings;

/// Of a run with more points, the pictures of single points stop here; those over points go on.
const POINTS_DRAWN: usize = 8;

/// The height of a head with a line of legend, which a page shows as text.
const HEAD: i32 = 142;

/// The width of a plot in a page, so that its texts can be read where it is half as wide.
const PAGE_WIDTH: i32 = 720;

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
        let mut drawn = String::new();
        {
            let area = SVGBackend::with_string(&mut drawn, self.picture.size()).into_drawing_area();
            area.fill(&WHITE).map_err(|error| self.failed(error.to_string()))?;
            self.picture.draw(&area).map_err(|problem| self.failed(problem))?;
            area.present().map_err(|error| self.failed(error.to_string()))?;
        }
        // For readers that cannot see it.
        let named = format!("<svg role=\"img\" aria-label=\"{}\" ", text::html(self.title()));
        Ok(drawn.replacen("<svg ", &named, 1))
    }

    /// The picture as PNG, its texts in the font that this crate carries.
    pub(crate) fn png(&self) -> Result<Vec<u8>, ReportError> {
        raster::png(&self.picture).map_err(|problem| self.failed(problem))
    }

    /// The picture as it stands in a page.
    pub(crate) fn figure(&self) -> Result<Figure<'_>, ReportError> {
        raster::register_fonts();
        self.picture.figure().map_err(|problem| self.failed(problem))
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
    let drawn = blocks.iter().take(POINTS_DRAWN);
    let mut charts: Vec<Chart> = drawn.flat_map(|block| of_point(record, block)).collect();
    charts.extend(over_points(record, &blocks));
    charts
}

/// The pictures of one point.
pub(crate) fn of_point(record: &RunRecord, block: &Block<'_>) -> Vec<Chart> {
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
    let chart = |(name, caption, picture): (&str, Cow<'static, str>, Option<Picture>)| {
        Some(Chart { name: file_name(record, block, name), caption, picture: picture? })
    };
    pictures.into_iter().filter_map(chart).collect()
}

/// The pictures over what a run varies.
pub(crate) fn over_points(record: &RunRecord, blocks: &[Block<'_>]) -> Vec<Chart> {
    let ratios = ratio::charts(record, blocks);
    let sweeps = sweep::charts(record, blocks).into_iter();
    // Ages and what a client costs the server are there twice otherwise.
    let known = ratios.iter().any(|chart| chart.name == "sweep-age");
    let twice = ["sweep-latency", "sweep-client-cpu"];
    sweeps.filter(|chart| !known || !twice.contains(&&*chart.name)).chain(ratios).collect()
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

impl Plot {
    fn draw(&self, area: &impl Draw, top: i32, height: i32) -> Drawn {
        match self {
            Self::Latency(curves) => curves.draw(area, top, height),
            Self::Bars(bars) => bars.draw(area, top),
            Self::Timeline(lines) => lines.draw(area, top, height),
            Self::Course(lines) => lines.draw(area, top, height),
            Self::Sweep(sweep) => sweep.draw(area, top, height),
            Self::Ratio(ratio) => ratio.draw(area, top, height),
        }
    }
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

/// A picture in a page: its head as text, its plot as SVG.
pub(crate) struct Figure<'a> {
    pub(crate) title: &'a str,
    pub(crate) subtitle: &'a str,
    pub(crate) keys: Vec<DrawnKey>,
    pub(crate) svg: String,
}

impl Picture {
    /// Its width and height in pixels.
    pub(crate) const fn size(&self) -> (u32, u32) {
        (WIDTH.unsigned_abs(), self.height.unsigned_abs())
    }

    /// Draws it on any backend.
    fn draw(&self, area: &impl Draw) -> Drawn {
        let room = WIDTH - 2 * MARGIN;
        let title = Font { bold: true, ..Font::new(TITLE, INK) };
        area.fitted(&self.title, (MARGIN, 34), title, room)?;
        area.fitted(&self.subtitle, (MARGIN, 74), Font::new(LABEL, FAINT), room)?;
        let top = key::draw_all(&self.keys, area, 116)?;
        self.plot.draw(area, top, self.height)
    }

    /// The head as text, and the plot alone.
    fn figure(&self) -> Result<Figure<'_>, String> {
        let below = self.height - HEAD;
        let height = match &self.plot {
            Plot::Bars(_) => below,
            _ => below * 3 / 4,
        };
        let canvas = Canvas::new(PAGE_WIDTH, height);
        self.plot.draw(&canvas, 0, height)?;
        let keys = self.keys.iter().map(|key| key.drawn()).collect::<Result<_, _>>()?;
        let (title, subtitle) = (self.title.as_str(), self.subtitle.as_str());
        Ok(Figure { title, subtitle, keys, svg: canvas.svg(Some(title)) })
    }
}

/// Where the trials put a figure, in words.
fn interval(spread: &Spread, words: impl Fn(f64) -> String) -> String {
    let ends = || format!("{} to {}", words(spread.low), words(spread.high));
    match spread.trials {
        1 => "one trial, so nothing is known of the spread".to_owned(),
        trials @ 2..6 => format!("range of {trials} trials: {}", ends()),
        trials => format!("95 % interval over {trials} trials: {}", ends()),
    }
}

/// The transports of `block` that `shown` has something of.
fn keys(block: &Block<'_>, shown: impl Fn(Contender) -> bool) -> Vec<Key> {
    let contenders = block.rows.iter().map(Row::contender);
    contenders.filter(|&contender| shown(contender)).map(Key::Contender).collect()
}
