//! The published claim and ours, line by line: bit/s for each number of clients.

use pushbench_metrics::record::headers::{
    Claim, Exchange, Level, PUBLISHED_POLL, PUBLISHED_PUSH, TOLERANCE, UseCase, WindowBytes,
};

use super::rows::times;
use crate::human;

/// Where a figure is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Published,
    Computed,
    Measured,
    /// Measured with clients of a slower pace, and told for the claim's.
    Slower,
}

impl Origin {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Computed => "computed",
            Self::Measured => "measured",
            Self::Slower => "measured slower",
        }
    }
}

/// A figure of a use case.
pub(super) struct Cell {
    pub(super) bits: f64,
    pub(super) origin: Origin,
}

/// One figure for every use case.
pub(super) struct Line {
    /// Its name in CSV files.
    pub(super) key: &'static str,
    pub(super) what: String,
    pub(super) cells: Vec<Cell>,
}

/// The lines of the table; none where the claim's poll was not played.
pub(super) fn lines(claim: &Claim) -> Vec<Line> {
    let (Some(poll), Some(push)) = (claim.poll(), claim.push()) else { return Vec::new() };
    let mut lines = of_polls(claim, &poll.exchange);
    lines.extend(of_pushes(claim, &push.exchange));
    lines
}

fn of_polls(claim: &Claim, poll: &Exchange) -> Vec<Line> {
    let http = poll.http_bytes();
    let published = format!("polling, published: {PUBLISHED_POLL} characters each");
    let sent = format!("polling, as sent: {http} bytes each");
    let ours = |key, what, bytes, bits| Line::ours(claim, key, what, bytes, |of| &of.polls, bits);
    vec![
        Line::fixed(claim, "poll_published", published, PUBLISHED_POLL, Origin::Published),
        Line::fixed(claim, "poll_bytes", sent, http, Origin::Computed),
        ours("poll_http", "polling, HTTP headers", http, WindowBytes::http_bits),
        ours("poll_ip", "polling, IP packets", poll.at(Level::Ip), WindowBytes::ip_bits),
    ]
}

fn of_pushes(claim: &Claim, push: &Exchange) -> Vec<Line> {
    let published = format!("WebSocket, published: {PUBLISHED_PUSH} bytes each");
    let ours = |key, what, bytes, bits| Line::ours(claim, key, what, bytes, |of| &of.pushes, bits);
    vec![
        Line::fixed(claim, "push_published", published, PUBLISHED_PUSH, Origin::Published),
        ours("push_framing", "WebSocket, framing", push.framing, WindowBytes::framing_bits),
        ours("push_ip", "WebSocket, IP packets", push.at(Level::Ip), WindowBytes::ip_bits),
    ]
}

impl Line {
    /// So many bytes for each client and period.
    fn fixed(claim: &Claim, key: &'static str, what: String, bytes: u64, origin: Origin) -> Self {
        let cell = |of: &UseCase| Cell { bits: claim.computed(bytes, of.clients), origin };
        Self { key, what, cells: claim.use_cases.iter().map(cell).collect() }
    }

    /// The measured bytes, or where they were not, what so many bytes are.
    fn ours(
        claim: &Claim,
        key: &'static str,
        what: &str,
        bytes: u64,
        moved: fn(&UseCase) -> &WindowBytes,
        bits: fn(&WindowBytes) -> Option<f64>,
    ) -> Self {
        let cell = |of: &UseCase| match bits(moved(of)) {
            Some(bits) if moved(of).slower() > 1 => Cell { bits, origin: Origin::Slower },
            Some(bits) => Cell { bits, origin: Origin::Measured },
            None => Cell { bits: claim.computed(bytes, of.clients), origin: Origin::Computed },
        };
        Self { key, what: what.to_owned(), cells: claim.use_cases.iter().map(cell).collect() }
    }
}

/// The header of the table.
pub(super) fn header(claim: &Claim) -> Vec<String> {
    let case = |of: &UseCase| format!("{}: {} clients", of.name, human::count(of.clients.into()));
    std::iter::once("bit/s".to_owned()).chain(claim.use_cases.iter().map(case)).collect()
}

/// The table's lines as text; the last ones are ratios.
pub(super) fn cells(claim: &Claim) -> Vec<Vec<String>> {
    let lines = lines(claim);
    let text = |line: &Line| {
        let cells = line.cells.iter();
        let cells = cells.map(|cell| format!("{} {}", rate(cell.bits), cell.origin.name()));
        std::iter::once(line.what.clone()).chain(cells).collect()
    };
    let mut rows: Vec<Vec<String>> = lines.iter().map(text).collect();
    let ratio = |what: &str, of: &str, to: &str| {
        let find = |key: &str| lines.iter().find(|line| line.key == key);
        let (of, to) = find(of).zip(find(to))?;
        let pairs = of.cells.iter().zip(&to.cells);
        let ratios = pairs.map(|(of, to)| format!("{}:1", times(of.bits / to.bits)));
        Some(std::iter::once(what.to_owned()).chain(ratios).collect::<Vec<String>>())
    };
    rows.extend(ratio("HTTP headers to framing", "poll_http", "push_framing"));
    rows.extend(ratio("in IP packets", "poll_ip", "push_ip"));
    rows
}

/// Bits in a second as published figures have it, but with prefixes of ten.
fn rate(bits: f64) -> String {
    match bits {
        1e6.. => format!("{} M", human::short_number(bits / 1e6, 4)),
        1e3.. => format!("{} k", human::short_number(bits / 1e3, 4)),
        _ => human::short_number(bits, 4),
    }
}

/// Notes on the table, and what was not run and why.
pub(super) fn notes(claim: &Claim) -> Vec<String> {
    let mut notes = vec![
        "The paper prints 6.6, 66 and 665 Mbps for polling and 0.015, 0.153 and 1.526 Mbps for \
         WebSocket: it divides by 2²⁰."
            .to_owned(),
    ];
    for of in &claim.use_cases {
        if let Some(by) = claim.deviation(of) {
            let verdict = if by.abs() <= TOLERANCE { "" } else { ", which is too much" };
            // Without the sign of a zero.
            let percent = (by * 1e4).round() / 100.0 + 0.0;
            notes.push(format!(
                "{}: headers measured over the window differ by {percent:+.2} % from those of one poll \
                 times all polls{verdict}.",
                of.name,
            ));
        }
        for (what, moved) in [("polling", &of.polls), ("WebSocket", &of.pushes)] {
            if moved.slower() > 1 {
                notes.push(format!(
                    "{}, {what}: this machine cannot run {} clients at the claim's pace; they were \
                     run {} times slower, and what moved is told so many times.",
                    of.name,
                    human::count(of.clients.into()),
                    moved.slower()
                ));
            }
            notes.extend(remarks(moved).map(|why| format!("{}, {what}: {why}.", of.name)));
        }
    }
    notes
}

fn remarks(moved: &WindowBytes) -> Box<dyn Iterator<Item = String> + '_> {
    match moved {
        WindowBytes::Computed { why } => {
            Box::new(std::iter::once(format!("computed, since {why}")))
        }
        WindowBytes::Measured { notes, valid, .. } => {
            let mark = if *valid { "" } else { "not valid: " };
            Box::new(notes.iter().map(move |note| format!("{mark}{note}")))
        }
    }
}
