//! The table for people: the columns and cells that terminal, Markdown and the page have in common, and
//! what is to be read below them.

use pushbench_core::feed::stamp::LatencyFrom;
use pushbench_core::scenario::Axis;
use pushbench_core::{Delivery, Figure};
use pushbench_metrics::judge::figures::Counts;
use pushbench_metrics::record::RunRecord;

use crate::human::{self, NOTHING};
use crate::notes::{Mark, Note};
use crate::rows::{Block, Reach, Row, Spread};
use crate::{browser, cost, cross, floor, life, proxy, security, settings, stamps, subject, talk};

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Contender,
    Delivered,
    Superseded,
    /// A figure's median over the trials.
    Figure(Figure),
    /// The same with where the trials put it.
    Spread(Figure),
    /// The greatest age in any trial.
    AgeMax,
    Bytes,
    Empty,
    /// The cost of a month of one client.
    Cost,
}

impl Column {
    /// The two lines of its header, where latencies are counted so.
    pub(crate) fn header(self, latency_from: LatencyFrom) -> (&'static str, &'static str) {
        match self {
            Self::Spread(Figure::LatencyP50) if latency_from == LatencyFrom::Stamp => {
                (latency_from.latency(), "p50 [low–high]")
            }
            // Whole, it would take a terminal beyond its width three times.
            Self::Figure(Figure::LatencyP95) if latency_from == LatencyFrom::Stamp => {
                ("from stamp", "p95")
            }
            Self::Figure(Figure::LatencyP99) if latency_from == LatencyFrom::Stamp => {
                ("from stamp", "p99")
            }
            Self::Figure(Figure::LatencyMax) if latency_from == LatencyFrom::Stamp => {
                ("from stamp", "max")
            }
            Self::Contender => ("transport", ""),
            Self::Delivered => ("delivered", ""),
            Self::Superseded => ("superseded", ""),
            // Of which memory it is, there is one here.
            Self::Figure(Figure::ServerRss) => ("memory", "/client"),
            Self::Figure(figure) => figure.label().split_once(' ').unwrap_or((figure.label(), "")),
            Self::Spread(figure) => (figure.label(), "[low–high]"),
            Self::AgeMax => ("age", "max"),
            Self::Bytes => ("bytes/msg", "(payload+rest)"),
            Self::Empty => ("empty", "responses"),
            Self::Cost => ("cost", "/client-month"),
        }
    }

    fn cell(self, row: &Row<'_>) -> String {
        let value = |figure: Figure| {
            let words = |value| human::quantity(figure.unit(), value);
            let bound = || row.at_least(figure).map(|least| format!("> {}", words(least)));
            row.get(figure).map(words).or_else(bound)
        };
        let Counts { audit, counters, .. } = &row.summary.counts;
        let cell = match self {
            Self::Contender => Some(row.name().to_owned()),
            _ if !row.has_figures() => None,
            Self::Delivered => Some(delivered(row)),
            Self::Superseded => Some(human::share(audit.superseded, audit.expected)),
            Self::Figure(figure) => value(figure),
            Self::Spread(Figure::LatencyP50) => latency(row).or_else(|| value(Figure::LatencyP50)),
            Self::Spread(figure) => row.spread(figure).map(spread).or_else(|| value(figure)),
            Self::AgeMax => row.age_max_us().map(human::time),
            Self::Bytes => bytes(row),
            Self::Empty => Some(human::share(counters.empty_responses, counters.requests)),
            Self::Cost => cost::cell(row),
        };
        cell.unwrap_or_else(|| NOTHING.to_owned())
    }
}

/// The columns of `block`: ages stand for latencies where messages were superseded. What would
/// take most terminals beyond their width is in the `wide` table only.
pub(crate) fn columns(block: &Block<'_>, wide: bool) -> Vec<Column> {
    let mut columns = vec![Column::Contender, Column::Delivered];
    let is_eventful = block.point.life.is_eventful();
    columns.extend(if is_eventful {
        let rest = [Figure::LatencyP99, Figure::BackP50, Figure::BackMax, Figure::OpenedPeak];
        [Column::Spread(Figure::LatencyP50)]
            .into_iter()
            .chain(rest.map(Column::Figure))
            .collect::<Vec<_>>()
    } else if block.compares_ages() {
        vec![Column::Superseded, Column::Spread(Figure::AgeMean), Column::AgeMax]
    } else {
        let p95 = wide.then_some(Figure::LatencyP95).into_iter();
        let rest = [Figure::LatencyP99, Figure::LatencyMax, Figure::AgeMean];
        let rest = p95.chain(rest).map(Column::Figure);
        [Column::Spread(Figure::LatencyP50)].into_iter().chain(rest).collect()
    });
    columns.extend((wide && !block.compares_ages()).then_some(Column::AgeMax));
    columns.push(Column::Bytes);
    columns.extend(wide.then_some(Column::Empty));
    // What is beside the server's own: of the clients, or of who stands between.
    let beside = match (wide, block.point.via.is_direct()) {
        _ if is_eventful => &[Figure::ServerPeak][..],
        (_, true) => &[Figure::LoadCpu],
        (false, false) => &[Figure::ProxyCpu],
        (true, false) => {
            &[Figure::ProxyCpu, Figure::ProxyRss, Figure::BackendWire, Figure::LoadCpu]
        }
    };
    columns.push(Column::Figure(Figure::ServerCpu));
    columns.extend(beside.iter().copied().map(Column::Figure));
    columns.push(Column::Figure(Figure::ServerRss));
    columns.extend(block.rows.iter().any(|row| row.costs.is_some()).then_some(Column::Cost));
    columns
}

/// The cells of `row`, the transport marked where `notes` speak of it.
pub(crate) fn cells(row: &Row<'_>, columns: &[Column], notes: &[Note]) -> Vec<String> {
    let mut cells: Vec<String> = columns.iter().map(|column| column.cell(row)).collect();
    let marks = marks(row, notes);
    if let Some(name) = cells.first_mut().filter(|_| !marks.is_empty()) {
        name.push(' ');
        name.push_str(&marks);
    }
    cells
}

fn marks(row: &Row<'_>, notes: &[Note]) -> String {
    let has = |mark: Mark| is_marked(row, mark, notes);
    let signs = [Mark::Invalid, Mark::Warning].into_iter().filter(|&mark| has(mark));
    signs.map(Mark::sign).collect()
}

/// Whether a note of that gravity is on the transport of `row`.
pub(crate) fn is_marked(row: &Row<'_>, mark: Mark, notes: &[Note]) -> bool {
    notes.iter().any(|note| note.mark == mark && note.contenders.contains(&row.contender()))
}

fn delivered(row: &Row<'_>) -> String {
    let audit = &row.summary.counts.audit;
    if !audit.is_numbered() {
        return human::count(audit.delivered);
    }
    let share = human::share(audit.delivered, audit.expected);
    let missing = [(audit.lost, "lost"), (audit.late, "late")];
    let missing = missing.into_iter().filter(|(count, _)| *count > 0);
    let missing: Vec<String> =
        missing.map(|(count, what)| format!("{} {what}", human::count(count))).collect();
    if missing.is_empty() { share } else { format!("{share} ({})", missing.join(", ")) }
}

/// The median latency, with what it is in doubt by most: how it spreads over the trials, or the unit of the
/// stamps that it is counted from.
fn latency(row: &Row<'_>) -> Option<String> {
    let told = row.spread(Figure::LatencyP50)?;
    match stamps::resolution(row, told.middle) {
        Some(unit) if told.high - told.low < 2.0 * unit.us => {
            Some(format!("{} ± {}", human::time(told.middle), unit.name))
        }
        _ => Some(spread(told)),
    }
}

/// `500 ms [498–503]`, the ends in the median's unit. A single trial has no ends.
fn spread(spread: Spread) -> String {
    let middle = human::time(spread.middle);
    if spread.trials == 1 {
        return middle;
    }
    let (size, _) = human::time_unit(spread.middle);
    let end = |us: f64| human::number(us / size, 3);
    format!("{middle} [{}–{}]", end(spread.low), end(spread.high))
}

/// `590 B (64+526)`, all in the unit of the whole; `590 B` where its parts are not known.
fn bytes(row: &Row<'_>) -> Option<String> {
    let whole = row.bytes()?.middle;
    let (size, unit) = human::size_unit(whole);
    let part = |bytes: f64| human::size_number(bytes, size);
    let Some(payload) = row.get(Figure::PayloadBytes) else {
        return Some(format!("{} {unit}", part(whole)));
    };
    Some(format!("{} {unit} ({}+{})", part(whole), part(payload), part(whole - payload)))
}

/// The meaning of the figures of `blocks`, in lines to be read below them, each once.
pub(crate) fn legend(record: &RunRecord, blocks: &[Block<'_>]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    if !blocks.iter().flat_map(|block| &block.rows).any(Row::has_figures) {
        return lines;
    }
    for line in blocks.iter().filter_map(|block| spread_legend(block.trials_used())) {
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    if blocks.iter().any(Block::compares_ages) {
        let ages = "Some messages were superseded by newer ones, so ages are compared: how old \
                    what a client holds is.";
        lines.push(ages.to_owned());
    }
    if record.scenario.delivery == Delivery::Latest && blocks.iter().any(sends_again) {
        let again = "Payload beyond a message's size was sent again, to polls for the newest \
                     message that found the one they had.";
        lines.push(again.to_owned());
    }
    let late = |block: &Block<'_>| block.rows.iter().any(|row| row.summary.counts.audit.late > 0);
    if blocks.iter().any(late) {
        let late = "Late messages were still under way when a trial ended; a figure that they could \
                    move is told as more than (>) what it is at least.";
        lines.push(late.to_owned());
    }
    lines.extend(stamps::legend(record));
    lines.extend(link_legend(blocks));
    lines.extend(talk::legend(blocks));
    lines.extend(life::legend(blocks));
    lines.push(bytes_legend(blocks));
    lines.extend(security::of_run(record));
    lines.extend(proxy::of_run(record));
    lines.extend(subject::of_run(record));
    lines.extend(browser::of_run(record));
    let memory =
        |block: &Block<'_>| block.rows.iter().any(|row| row.get(Figure::ServerRss).is_some());
    if blocks.iter().any(memory) {
        let ring = if record.has_own_server() && record.subjects.is_empty() {
            ", the ring of messages included"
        } else {
            ""
        };
        lines.push(format!(
            "Memory per client is the server's growth divided by clients; with few clients it is \
             mostly what a process needs once{ring}."
        ));
    }
    lines.extend(cost::legend(record, blocks));
    let blank = |block: &Block<'_>| block.rows.iter().any(|row| lacks_figures(block, row));
    if blocks.iter().any(blank) {
        lines.push(format!("{NOTHING} is not measured, or not supported by enough samples."));
    }
    lines
}

/// The link, where all blocks have the same, and what links do to figures beside latency.
fn link_legend(blocks: &[Block<'_>]) -> Option<String> {
    let links: Vec<String> =
        blocks.iter().filter_map(|block| settings::over(&block.point)).collect();
    let first = links.first()?;
    let is_same = links.len() == blocks.len() && links.iter().all(|link| link == first);
    let link = if is_same { format!("The link: {first}. ") } else { String::new() };
    Some(format!(
        "{link}Over a link the kernel's work of receiving is done for the router, so CPU compares among \
         links alone, and not with loopback."
    ))
}

/// The parts of a message's bytes.
fn bytes_legend(blocks: &[Block<'_>]) -> String {
    let reach = Reach::of_run(blocks);
    let rows = blocks.iter().flat_map(|block| &block.rows);
    let tls = rows.filter_map(|row| row.get(Figure::TlsBytes)).any(|bytes| bytes > 0.0);
    let layers = match (tls, reach.is_wire()) {
        (true, true) => "framing, HTTP, TLS, TCP and IP",
        (false, true) => "framing, HTTP, TCP and IP",
        (true, false) => "framing, HTTP and TLS",
        (false, false) => "framing and HTTP",
    };
    let rest = match reach {
        Reach::Capture | Reach::Wire | Reach::Served => {
            format!(", with ACKs and {}", reach.sent_again())
        }
        Reach::Socket => "; TCP and IP not counted".to_owned(),
    };
    let (place, lacks) = (reach.place(), reach.lacks());
    format!(
        "Bytes per message are those {place}, both directions: payload + {layers}{rest}.{lacks}"
    )
}

/// Whether polls moved more payload for each message that arrived than it has: under `latest` one
/// without a condition gets the newest message whether or not it is new.
fn sends_again(block: &Block<'_>) -> bool {
    let is_known = Axis::Payload.is_known_at(&block.point);
    let rows = block.rows.iter().filter(|_| is_known);
    rows.filter(|row| row.summary.counts.counters.empty_responses > 0).any(|row| {
        let payload = row.get(Figure::PayloadBytes);
        payload.is_some_and(|bytes| bytes > block.point.payload_bytes * 1.05)
    })
}

/// The meaning of [low–high] with so many trials as were used, at the least and at most.
fn spread_legend((fewest, most): (usize, usize)) -> Option<String> {
    let trials = if fewest == most { most.to_string() } else { format!("{fewest} to {most}") };
    match (fewest, most) {
        (_, 0) => None,
        (_, 1) => {
            Some("One trial: nothing is known of the spread; use --runs 3 or more.".to_owned())
        }
        (_, 2..6) => Some(format!(
            "Medians of {trials} trials; [low–high] is their range, as a 95 % interval needs six."
        )),
        (6.., _) => Some(format!("Medians of {trials} trials; [low–high] is a 95 % interval.")),
        _ => Some(format!(
            "Medians of {trials} trials; [low–high] is a 95 % interval, and their range where \
             fewer than six could be used."
        )),
    }
}

fn lacks_figures(block: &Block<'_>, row: &Row<'_>) -> bool {
    columns(block, false).into_iter().any(|column| column.cell(row) == NOTHING)
}

/// The lines on a block below its notes.
pub(crate) fn below(record: &RunRecord, block: &Block<'_>) -> impl Iterator<Item = String> {
    let security = security::of_point(record, block.point.id);
    let costs = cost::lines(record, block);
    cross::line(block).into_iter().chain(floor::line(record, block)).chain(security).chain(costs)
}
