//! The table of a run on a terminal: in its width, the columns that matter most first.

use pushbench_core::client::ClientKind;
use pushbench_core::feed::stamp::LatencyFrom;
use pushbench_core::scenario::Point;
use pushbench_core::{Contender, Figure};
use pushbench_metrics::record::RunRecord;

use crate::grid::{Cell, FEWEST_COLUMNS, Grid, in_one_line};
use crate::human;
use crate::instrument;
use crate::notes::{self, Mark, Note};
use crate::rows::{Block, Row, beside, blocks};
use crate::screen::{Paint, Screen};
use crate::settings;
use crate::standing::{misses_messages, paints};
use crate::table::{self, Column};

/// The columns in the order in which they give way where a terminal is too narrow for all: what is about the
/// instrument, extremes, and what others imply go first. The name and what transports are compared by
/// stay.
const GIVE_WAY: [Column; 16] = [
    Column::Empty,
    Column::Figure(Figure::LoadCpu),
    Column::Figure(Figure::LatencyMax),
    Column::AgeMax,
    Column::Figure(Figure::ServerRss),
    Column::Figure(Figure::AgeMean),
    Column::Figure(Figure::OpenedPeak),
    Column::Figure(Figure::BackP50),
    Column::Figure(Figure::ServerPeak),
    Column::Figure(Figure::ProxyCpu),
    Column::Superseded,
    Column::Figure(Figure::LatencyP99),
    Column::Figure(Figure::ServerCpu),
    Column::Figure(Figure::BackMax),
    Column::Bytes,
    Column::Delivered,
];

/// A block of the run with its table, or several that differ in who plays the clients alone: their rows stand
/// side by side.
struct Part<'a> {
    blocks: Vec<&'a Block<'a>>,
    heading: String,
    /// Those of each block.
    notes: Vec<Vec<Note>>,
    columns: Vec<Column>,
    grid: Grid,
}

/// The table of a run in the width of `screen`: a block for each point with its notes, and what the
/// figures mean below. Every point has the same columns.
#[must_use]
pub fn terminal_table(record: &RunRecord, screen: Screen) -> String {
    let blocks = blocks(record);
    let parts: Vec<Part<'_>> =
        beside(&blocks).into_iter().map(|blocks| Part::of(record, blocks)).collect();
    let gone = too_much(&parts, screen);
    let mut text = String::new();
    for part in &parts {
        if !part.heading.is_empty() {
            text.push_str(&screen.wrapped(&part.heading));
        }
        text.push_str(&format!("{}\n", part.shown(gone.as_deref(), screen)));
        for (block, notes) in part.blocks.iter().zip(&part.notes) {
            let below: Vec<String> = table::below(record, block).collect();
            if part.blocks.len() > 1 && !(notes.is_empty() && below.is_empty()) {
                text.push_str(&screen.wrapped(&format!("With {} clients:", block.point.client)));
            }
            notes.iter().for_each(|note| text.push_str(&shown_note(note, screen)));
            below.iter().for_each(|line| text.push_str(&screen.wrapped(line)));
        }
        text.push('\n');
    }
    let legend = table::legend(record, &blocks).into_iter();
    let left_out = gone.and_then(|gone| left_out(&parts, &gone, screen));
    let instrument = [instrument::lags(record), instrument::layout(record)].into_iter().flatten();
    let lines = legend.chain(left_out).chain(instrument).chain(notes::partial(record));
    lines.for_each(|line| text.push_str(&screen.wrapped(&line)));
    text
}

/// The columns that have to go for each part to fit; `None` where they are too many for one of them, so that
/// a block for each contender is better.
fn too_much(parts: &[Part<'_>], screen: Screen) -> Option<Vec<Column>> {
    let mut gone = Vec::new();
    for part in parts {
        for at in part.grid.too_much(screen.width(), |at| part.rank(at))? {
            if !gone.contains(&part.columns[at]) {
                gone.push(part.columns[at]);
            }
        }
    }
    let are_left = |part: &Part<'_>| part.columns.iter().filter(|it| !gone.contains(it)).count();
    parts.iter().all(|part| are_left(part) >= FEWEST_COLUMNS).then_some(gone)
}

/// The columns that are not shown, and where they are.
fn left_out(parts: &[Part<'_>], gone: &[Column], screen: Screen) -> Option<String> {
    let first = parts.first().filter(|_| !gone.is_empty())?;
    let from = first.blocks[0].latency_from();
    let names = gone.iter().map(|column| match column {
        Column::Delivered if parts.iter().all(Part::is_whole) => "delivered (100 %)".to_owned(),
        column => in_one_line(&title(*column, from)),
    });
    let widest = parts.iter().map(|part| part.grid.width()).max().unwrap_or(0);
    Some(format!(
        "Not shown in {} columns: {}; a terminal of {widest} shows all, and so do summary.csv and report.html.",
        screen.width(),
        human::list(&names.collect::<Vec<_>>())
    ))
}

fn title(column: Column, from: LatencyFrom) -> String {
    let (first, second) = column.header(from);
    format!("{first}\n{second}").trim_end().to_owned()
}

impl<'a> Part<'a> {
    fn of(record: &RunRecord, blocks: Vec<&'a Block<'a>>) -> Self {
        let notes = |block: &&Block<'_>| notes::notes(record, block.point.id);
        let notes: Vec<Vec<Note>> = blocks.iter().map(notes).collect();
        let columns = table::columns(blocks[0], false);
        let from = blocks[0].latency_from();
        let titles = columns.iter().map(|column| title(*column, from));
        let each = blocks.iter().zip(&notes);
        let mut rows: Vec<(Contender, Vec<Cell>)> =
            each.flat_map(|(block, notes)| rows(block, notes, &columns)).collect();
        // In the order of contenders, and of each as the points come.
        rows.sort_by_key(|(contender, _)| Contender::all().position(|it| it == *contender));
        let grid = Grid::new(titles, rows.into_iter().map(|(_, cells)| cells));
        let heading = heading(record, &blocks);
        Self { blocks, heading, notes, columns, grid }
    }

    fn rows(&self) -> impl Iterator<Item = &Row<'a>> {
        self.blocks.iter().flat_map(|block| &block.rows)
    }

    /// Whether every message came to everybody.
    fn is_whole(&self) -> bool {
        let rows = self.rows().filter(|row| row.has_figures());
        rows.map(|row| &row.summary.counts.audit)
            .all(|audit| audit.is_numbered() && audit.delivered == audit.expected)
    }

    /// When the column of the grid gives way: later if greater.
    fn rank(&self, at: usize) -> usize {
        let place = |column| GIVE_WAY.iter().position(|other| *other == column);
        let column = match self.columns[at] {
            // What says the same in each row is worth less.
            Column::Delivered if self.is_whole() => Column::Figure(Figure::AgeMean),
            column => column,
        };
        place(column).unwrap_or(GIVE_WAY.len())
    }

    fn shown(&self, gone: Option<&[Column]>, screen: Screen) -> String {
        let Some(gone) = gone else { return self.grid.in_blocks(screen) };
        let columns = (0..self.columns.len()).filter(|&at| gone.contains(&self.columns[at]));
        self.grid.without(&columns.collect::<Vec<_>>()).shown(screen)
    }
}

/// The settings that set the points of `blocks` apart from others, without who plays the clients where they
/// are several.
fn heading(record: &RunRecord, blocks: &[&Block<'_>]) -> String {
    let [first, _, ..] = blocks else { return blocks[0].heading.clone() };
    let native = |point: &Point| Point { client: ClientKind::Native, ..point.clone() };
    let points: Vec<Point> = record.points.iter().map(native).collect();
    settings::heading(&points, &native(&first.point))
}

/// The cells of each row of a block.
fn rows(block: &Block<'_>, notes: &[Note], columns: &[Column]) -> Vec<(Contender, Vec<Cell>)> {
    let colours: Vec<Vec<Option<Paint>>> =
        columns.iter().map(|column| colours(*column, block, notes)).collect();
    let row = |(at, row): (usize, &Row<'_>)| {
        let texts = table::cells(row, columns, notes);
        let painted = texts.iter().zip(&colours);
        let cells = painted.map(|(text, colours)| Cell::new(text, colours[at])).collect();
        (row.contender(), cells)
    };
    block.rows.iter().enumerate().map(row).collect()
}

/// The colour of each row's cell in `column`.
fn colours(column: Column, block: &Block<'_>, notes: &[Note]) -> Vec<Option<Paint>> {
    let rows = block.rows.iter();
    match column {
        Column::Contender => {
            let is_invalid = |row| table::is_marked(row, Mark::Invalid, notes);
            rows.map(|row| is_invalid(row).then_some(Paint::Invalid)).collect()
        }
        Column::Delivered => rows.map(|row| misses_messages(row).then_some(Paint::Worst)).collect(),
        Column::Figure(figure) | Column::Spread(figure) => paints(block, figure),
        Column::Bytes if block.reach.is_wire() => paints(block, Figure::WireBytes),
        _ => rows.map(|_| None).collect(),
    }
}

/// A note with its sign, which has the colour of the rows that it is about.
fn shown_note(note: &Note, screen: Screen) -> String {
    let sign = note.mark.sign();
    let wrapped = screen.wrapped(&format!("{sign} {note}"));
    let paint = (note.mark == Mark::Invalid).then_some(Paint::Invalid);
    match wrapped.strip_prefix(sign) {
        Some(rest) => format!("{}{rest}", screen.painted(paint, sign)),
        None => wrapped,
    }
}
