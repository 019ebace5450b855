//! The tables that `headers` prints.

use pushbench_metrics::record::headers::{HeaderCase, HeadersRecord};

use super::{claim, rows};
use crate::grid::Grid;
use crate::human;
use crate::screen::Screen;

/// A table for each case, what a connection takes once, and the claim's where it was asked for.
#[must_use]
pub fn tables(record: &HeadersRecord, screen: Screen) -> String {
    let wrapped = |line: &str| screen.wrapped(line);
    let mut text = String::new();
    for case in &record.cases {
        text.push_str(&wrapped(&heading(case)));
        let lines = case.rows.iter().map(|row| rows::exchange(case, row));
        text.push_str(&Grid::new(two_lines(&rows::EXCHANGE), lines).shown(screen));
        text.push_str("\n\n");
    }
    rows::legend(record).iter().for_each(|line| text.push_str(&wrapped(line)));
    text.push('\n');
    if let Some(case) = record.cases.first() {
        let profile = rows::name(case);
        text.push_str(&wrapped(&format!("Once for each connection, with profile {profile}:")));
        text.push_str(
            &Grid::new(two_lines(&rows::ONCE), case.rows.iter().map(rows::once)).shown(screen),
        );
        text.push('\n');
    }
    if let Some(case) = record.cases.first().filter(|case| rows::is_secured(case)) {
        text.push('\n');
        text.push_str(
            &Grid::new(two_lines(&rows::TLS), case.rows.iter().flat_map(rows::tls)).shown(screen),
        );
        text.push('\n');
    }
    if let Some(claimed) = &record.claim {
        let of_claim = "The published use cases, a poll or a message a second for each client:";
        text.push_str(&format!("\n{}", wrapped(of_claim)));
        text.push_str(
            &Grid::new(claim::header(claimed).into_iter(), claim::cells(claimed).into_iter())
                .shown(screen),
        );
        text.push('\n');
        claim::notes(claimed).iter().for_each(|line| text.push_str(&wrapped(line)));
    }
    text
}

fn heading(case: &HeaderCase) -> String {
    let size = human::count(case.payload_bytes);
    format!(
        "{}: messages of {size} bytes, delivery {}; {}",
        rows::name(case),
        case.delivery,
        case.about
    )
}

fn two_lines(columns: &[(&str, &str)]) -> impl Iterator<Item = String> {
    columns.iter().map(|(first, second)| format!("{first}\n{second}").trim_end().to_owned())
}
