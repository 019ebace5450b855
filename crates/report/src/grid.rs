//! Tables in the width of a terminal: whole, with fewer columns, or a block for each row.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use pushbench_core::text;
use unicode_width::UnicodeWidthStr as _;

use crate::screen::{Paint, Screen};

/// Nothing but a line below the header.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─'));

/// Spaces between two columns.
const GAP: usize = 2;

/// A terminal that is narrower gets a block for each row.
const NARROWEST_TABLE: usize = 60;

/// The fewest columns that are worth a table: a name and what is compared.
pub(crate) const FEWEST_COLUMNS: usize = 3;

/// A cell: one line of text, and its colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    text: String,
    paint: Option<Paint>,
}

impl Cell {
    pub(crate) fn new(text: &str, paint: Option<Paint>) -> Self {
        Self { text: text::line(text).into_owned(), paint }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::new(&text, None)
    }
}

/// A table before it is laid out. The first column stands on the left and the others on the right, as numbers
/// do, but those that are said to be words.
#[derive(Debug, Clone)]
pub(crate) struct Grid {
    /// Of one line or two.
    titles: Vec<String>,
    rows: Vec<Vec<Cell>>,
    words: Vec<usize>,
}

impl Grid {
    pub(crate) fn new<T: Into<Cell>>(
        titles: impl Iterator<Item = String>,
        rows: impl Iterator<Item = Vec<T>>,
    ) -> Self {
        let titles = titles.map(|title| text::page(&title).into_owned()).collect();
        let rows = rows.map(|row| row.into_iter().map(Into::into).collect()).collect();
        Self { titles, rows, words: vec![0] }
    }

    /// The same with words in these columns too.
    pub(crate) fn with_words(mut self, columns: &[usize]) -> Self {
        self.words.extend(columns);
        self
    }

    /// Characters of a line of the whole table.
    pub(crate) fn width(&self) -> usize {
        self.width_of(&(0..self.titles.len()).collect::<Vec<_>>())
    }

    fn width_of(&self, columns: &[usize]) -> usize {
        let widest = |&column: &usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            let lines = self.titles[column].lines().chain(cells.map(|cell| cell.text.as_str()));
            lines.map(|line| line.width()).max().unwrap_or(0)
        };
        let gaps = GAP * columns.len().saturating_sub(1);
        columns.iter().map(widest).sum::<usize>() + gaps
    }

    /// The columns that have to go for the table to be no wider than `width`, those of the lowest
    /// `rank` first and of several the last; `None` where too few would be left.
    pub(crate) fn too_much(
        &self,
        width: usize,
        rank: impl Fn(usize) -> usize,
    ) -> Option<Vec<usize>> {
        let mut left: Vec<usize> = (0..self.titles.len()).collect();
        let mut gone = Vec::new();
        while self.width_of(&left) > width {
            if left.len() <= FEWEST_COLUMNS {
                return None;
            }
            let at = (0..left.len()).rev().min_by_key(|&at| rank(left[at]))?;
            gone.push(left.remove(at));
        }
        (width >= NARROWEST_TABLE).then_some(gone)
    }

    /// The same without some columns.
    pub(crate) fn without(&self, columns: &[usize]) -> Self {
        let stays = |column: &usize| !columns.contains(column);
        let left: Vec<usize> = (0..self.titles.len()).filter(stays).collect();
        let of_row = |row: &Vec<Cell>| left.iter().map(|&column| row[column].clone()).collect();
        Self {
            titles: left.iter().map(|&column| self.titles[column].clone()).collect(),
            rows: self.rows.iter().map(of_row).collect(),
            words: (0..left.len()).filter(|&at| self.words.contains(&left[at])).collect(),
        }
    }

    /// The table, or where it is too wide, a block for each row; without a line feed at its end.
    pub(crate) fn shown(&self, screen: Screen) -> String {
        if screen.width() < NARROWEST_TABLE || self.width() > screen.width() {
            return self.in_blocks(screen);
        }
        let (mut table, last) = (Table::new(), self.titles.len().saturating_sub(1));
        table.load_style(STYLE).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(&self.titles);
        table.add_rows(self.rows.iter().map(|row| row.iter().map(|cell| &cell.text)));
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, if index == last { 0 } else { GAP as u16 }));
            if !self.words.contains(&index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let head = table.lines().count() - self.rows.len();
        let paints = (0..head).map(|_| None).chain(self.rows.iter().map(Some));
        let lines = table.lines().zip(paints).map(|(line, row)| {
            let line = line.trim_end();
            row.map_or_else(|| line.to_owned(), |row| painted(line, row, screen))
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// A block for each row, under its first cell: a line for each of the others, behind its title.
    pub(crate) fn in_blocks(&self, screen: Screen) -> String {
        let titles: Vec<String> = self.titles.iter().map(|title| in_one_line(title)).collect();
        let widest = titles.iter().skip(1).map(|title| title.width()).max().unwrap_or(0);
        let mut text = String::new();
        for row in &self.rows {
            let (name, others) = row.split_first().expect("a row has a name");
            text.push_str(&painted(
                &screen.wrapped(&name.text),
                std::slice::from_ref(name),
                screen,
            ));
            let told = titles.iter().skip(1).zip(others);
            for (title, cell) in told.filter(|(_, cell)| !cell.text.is_empty()) {
                let start = format!("  {title:widest$}{:GAP$}", "");
                let line = screen.beside(&start, 4, &cell.text);
                let (start, value) = line.split_at(start.len().min(line.len()));
                text.push_str(start);
                text.push_str(&painted(value, std::slice::from_ref(cell), screen));
            }
        }
        text.truncate(text.trim_end().len());
        text
    }
}

/// A title of two lines in one: `latency p99`, `memory/client`.
pub(crate) fn in_one_line(title: &str) -> String {
    match title.split_once('\n') {
        Some((first, second)) if second.starts_with('/') => format!("{first}{second}"),
        Some((first, second)) => format!("{first} {second}"),
        None => title.to_owned(),
    }
}

/// `line`, in which the cells of `row` stand in their order, with those in colour that have one.
fn painted(line: &str, row: &[Cell], screen: Screen) -> String {
    let (mut text, mut rest) = (String::new(), line);
    for cell in row.iter().filter(|cell| !cell.text.is_empty()) {
        let Some(at) = rest.find(&cell.text) else { continue };
        let (before, behind) = (&rest[..at], &rest[at + cell.text.len()..]);
        text.push_str(before);
        text.push_str(&screen.painted(cell.paint, &cell.text));
        rest = behind;
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Grid {
        let titles = ["name", "one\nmore", "two", "memory\n/client"].map(str::to_owned).into_iter();
        let row = |cells: [&str; 4]| {
            let paint = |text: &&str| (*text == "7").then_some(Paint::Best);
            cells.iter().map(|text| Cell::new(text, paint(text))).collect::<Vec<_>>()
        };
        let rows = [row(["a", "7", "7", "17 B"]), row(["b", "17", "", &"8".repeat(50)])];
        Grid::new(titles, rows.into_iter())
    }

    #[test]
    fn the_columns_of_the_lowest_rank_go_first() {
        let grid = grid();
        assert_eq!(grid.width(), 4 + 2 + 4 + 2 + 3 + 2 + 50);
        assert_eq!(grid.too_much(67, |column| 9 - column), Some(vec![]));
        assert_eq!(grid.too_much(66, |column| 9 - column), Some(vec![3]));
        assert_eq!(grid.too_much(66, |_| 0), Some(vec![3]), "of several the last");
        assert_eq!(grid.too_much(62, |column| [9, 1, 0, 2][column]), Some(vec![2]));
        assert_eq!(grid.too_much(59, |column| 9 - column), None, "so narrow is no table");
        let wide = grid.without(&[1]);
        assert_eq!(wide.too_much(60, |column| 9 - column), None, "two columns say nothing");
        assert_eq!(grid.without(&[3]).width(), 15);
    }

    /// Colours take no room, and a cell is not mistaken for the end of the one before it.
    #[test]
    fn colours_shift_no_column() {
        let strip = |text: &str| {
            ["\u{1b}[32m", "\u{1b}[0m"]
                .iter()
                .fold(text.to_owned(), |text, code| text.replace(code, ""))
        };
        let grid = grid();
        for width in [50, 60, 80] {
            let plain = grid.shown(Screen::new(width, false));
            let painted = grid.shown(Screen::new(width, true));
            assert_eq!(strip(&painted), plain);
            assert_eq!(painted.matches("\u{1b}[32m7\u{1b}[0m").count(), 2, "{painted}");
        }
    }

    #[test]
    fn a_row_that_does_not_fit_is_a_block() {
        let expected = format!(
            "a\n  one more       7\n  two            7\n  memory/client  17 B\nb\n  one more       17\n  \
             memory/client  {}",
            "8".repeat(50)
        );
        assert_eq!(grid().shown(Screen::new(60, false)), expected);
    }
}
