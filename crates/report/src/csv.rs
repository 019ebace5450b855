//! The CSV files. A column that is empty was not measured; a 0 was.
//!
//! Each file stands alone: every setting that a point varies is a column of it. New columns go to
//! the end, and `docs/COLUMNS.md` says what each is.

mod breakdown;
mod models;
mod sheet;
mod summary;

use std::collections::BTreeMap;

use pushbench_core::scenario::Point;
use pushbench_metrics::observe::ledger::{Direction, Layer, Ledger, Phase, Source, TcpipTally};
use pushbench_metrics::record::RunRecord;

use crate::rows::{Row, blocks};
use crate::settings;

pub(crate) use self::breakdown::breakdown;
pub(crate) use self::models::models;
pub(crate) use self::sheet::Sheet;
pub(crate) use self::summary::{summary, trials};

/// The first columns of `bytes.csv`; the settings of the point follow.
const BYTES_COLUMNS: &str =
    "point,transport,phase,direction,layer,source,bytes,bytes_per_msg,packets,retransmitted_bytes";

/// The first columns of `series.csv`; the settings of the point follow.
const SERIES_COLUMNS: &str = "point,transport,trial,order,attempt,valid,second,delivered,\
latency_p50_us,latency_p99_us,latency_max_us,requests,bytes_up,bytes_down";

/// The point of that number.
pub(crate) fn point_of(record: &RunRecord, id: u32) -> Option<&Point> {
    record.points.iter().find(|point| point.id == id)
}

fn decimals(value: Option<f64>, places: usize) -> String {
    value.map_or_else(String::new, |value| format!("{value:.places$}"))
}

/// `bytes.csv`: the ledger, summed over the valid trials of each point and transport.
pub(crate) fn bytes(record: &RunRecord) -> Vec<u8> {
    let mut sheet = Sheet::new(&[BYTES_COLUMNS, &settings::columns(0)]);
    let blocks = blocks(record);
    for row in blocks.iter().flat_map(|block| &block.rows).filter(|row| row.has_figures()) {
        push_ledger(&mut sheet, row);
    }
    sheet.finish()
}

fn push_ledger(sheet: &mut Sheet, row: &Row<'_>) {
    let mut ledger = Ledger::default();
    row.trials.iter().for_each(|trial| ledger.merge(&trial.measured.ledger));
    let messages = messages_in_window(row, |_| true);
    for phase in Phase::ALL {
        for direction in Direction::ALL {
            for layer in Layer::AT_SOCKET {
                let bytes = ledger.phase(phase).get(direction, layer);
                let entry = Entry { phase, direction, layer, source: Source::Counted, bytes };
                entry.push(sheet, row, messages, None);
            }
            push_tcpip(sheet, row, phase, direction);
        }
    }
}

/// The lines of TCP and IP, one for each source. Each trial says which of its sources count, so
/// that one which captured packets does not hide what the kernel counted of another.
fn push_tcpip(sheet: &mut Sheet, row: &Row<'_>, phase: Phase, direction: Direction) {
    let messages = messages_in_window(row, |ledger| ledger.tcpip().next().is_some());
    let mut tallies: BTreeMap<Source, TcpipTally> = BTreeMap::new();
    let all = row.trials.iter().flat_map(|trial| trial.measured.ledger.tcpip());
    for ours in all.filter(|ours| (ours.phase, ours.direction) == (phase, direction)) {
        tallies.entry(ours.source).or_default().merge(&ours.tally);
    }
    for (source, tally) in tallies {
        let entry = Entry { phase, direction, layer: Layer::Tcpip, source, bytes: tally.bytes() };
        entry.push(sheet, row, messages, Some(&tally));
    }
}

/// The messages that the bytes of those trials of `row` whose ledger `has` them are divided by.
fn messages_in_window(row: &Row<'_>, has: impl Fn(&Ledger) -> bool) -> u64 {
    let measured = row.trials.iter().map(|trial| &trial.measured);
    let having = measured.filter(|measured| has(&measured.ledger));
    having.map(|measured| measured.counters.messages_in_window).sum()
}

/// One line of `bytes.csv` before it is text.
struct Entry {
    phase: Phase,
    direction: Direction,
    layer: Layer,
    source: Source,
    bytes: u64,
}

impl Entry {
    fn push(&self, sheet: &mut Sheet, row: &Row<'_>, messages: u64, tcpip: Option<&TcpipTally>) {
        #[expect(clippy::cast_precision_loss, reason = "counts are below 2⁵³")]
        let per_message = (self.phase == Phase::Window && messages > 0)
            .then(|| self.bytes as f64 / messages as f64);
        let count = |of: fn(&TcpipTally) -> u64| {
            tcpip.map_or_else(String::new, |tally| of(tally).to_string())
        };
        let line = [
            row.summary.point.id.to_string(),
            row.contender().to_string(),
            self.phase.name().to_owned(),
            self.direction.name().to_owned(),
            self.layer.name().to_owned(),
            self.source.name().to_owned(),
            self.bytes.to_string(),
            decimals(per_message, 2),
            count(|tally| tally.packets),
            count(|tally| tally.retransmitted_bytes),
        ];
        sheet.line(line.into_iter().chain(settings::fields(Some(&row.summary.point))));
    }
}

/// `series.csv`: a line for each second of each trial's window, invalid trials too.
pub(crate) fn series(record: &RunRecord) -> Vec<u8> {
    let mut sheet = Sheet::new(&[SERIES_COLUMNS, &settings::columns(0)]);
    for trial in &record.trials {
        let settings = settings::fields(point_of(record, trial.id.point));
        for second in trial.measured.series.rows() {
            let line = [
                trial.id.point.to_string(),
                trial.id.contender.to_string(),
                trial.id.round.to_string(),
                trial.order.to_string(),
                trial.attempt.to_string(),
                trial.is_valid().to_string(),
                second.second.to_string(),
                second.delivered.to_string(),
                decimals(second.latency_p50_us, 1),
                decimals(second.latency_p99_us, 1),
                decimals(second.latency_max_us, 1),
                second.requests.to_string(),
                second.bytes_up.to_string(),
                second.bytes_down.to_string(),
            ];
            sheet.line(line.iter().chain(&settings));
        }
    }
    sheet.finish()
}
