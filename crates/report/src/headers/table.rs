//! The tables that `headers` prints.

use pushbench_metrics::record::headers::{HeaderCase, HeadersRecord};

use super::{claim, rows};
use crate::human;
use crate::table::{aligned, wrapped};

/// A table for each case, what a connection takes once, and the claim's where it was asked for.
#[must_use]
pub fn tables(record: &HeadersRecord) -> String {
    let mut text = String::new();
    for case in &record.cases {
        text.push_str(&heading(case));
        let lines = case.rows.iter().map(|row| rows::exchange(case, row));
        text.push_str(&aligned(two_lines(&rows::EXCHANGE), lines));
        text.push_str("\n\n");
    }
    rows::legend(record).iter().for_each(|line| text.push_str(&wrapped(line)));
    text.push('\n');
    if let Some(case) = record.cases.first() {
        let profile = rows::name(case);
        text.push_str(&wrapped(&format!("Once for each connection, with profile {profile}:")));
        text.push_str(&aligned(two_lines(&rows::ONCE), case.rows.iter().map(rows::once)));
        text.push('\n');
    }
    if let Some(case) = record.cases.first().filter(|case| rows::is_secured(case)) {
        text.push('\n');
        text.push_str(&aligned(two_lines(&rows::TLS), case.rows.iter().flat_map(rows::tls)));
        text.push('\n');
    }
    if let Some(claimed) = &record.claim {
        text.push_str("\nThe published use cases, a poll or a message a second for each client:\n");
        text.push_str(&aligned(
            claim::header(claimed).into_iter(),
            claim::cells(claimed).into_iter(),
        ));
        text.push('\n');
        claim::notes(claimed).iter().for_each(|line| text.push_str(&wrapped(line)));
    }
    text
}

fn heading(case: &HeaderCase) -> String {
    let size = human::count(case.payload_bytes);
    let line = format!(
        "{}: messages of {size} bytes, delivery {}; {}",
        rows::name(case),
        case.delivery,
        case.about
    );
    wrapped(&line)
}

fn two_lines(columns: &[(&str, &str)]) -> impl Iterator<Item = String> {
    columns.iter().map(|(first, second)| format!("{first}\n{second}").trim_end().to_owned())
}
