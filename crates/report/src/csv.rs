//! The CSV files. A column that is empty was not measured; a 0 was.
//!
//! Each file stands alone: every setting that a point varies is a column of it. New columns go to
//! the end, and `docs/COLUMNS.md` says what each is.

mod latency;
mod summary;

use std::collections::BTreeMap;

use ::csv::Writer;
use pushbench_core::scenario::Point;
use pushbench_core::text;
use pushbench_metrics::observe::away::TENTH;
use pushbench_metrics::observe::ledger::{Direction, Layer, Ledger, Phase, Source, TcpipTally};
use pushbench_metrics::record::{RunRecord, TrialRecord};

use crate::rows::{Row, blocks};
use crate::settings;

pub(crate) use self::latency::{breakdown, models};
pub use self::summary::summary;
pub(crate) use self::summary::trials;

/// The columns of `bytes.csv` behind those of a point's transport.
const BYTES: &str = "phase,direction,layer,source,bytes,bytes_per_msg,packets,retransmitted_bytes";

/// The columns of `series.csv` behind those of a trial.
const SERIES: &str = "second,delivered,latency_p50_us,latency_p99_us,latency_max_us,requests,\
bytes_up,bytes_down";

/// The columns of `life.csv` behind those of a trial.
const LIFE: &str = "at_s,arrived,opened,failed,server_cores";

/// Lines of fields below a header, each with all of its columns. Each cell is data to a
/// spreadsheet, whoever wrote its text.
pub(crate) struct Sheet(Writer<Vec<u8>>);

impl Sheet {
    pub(crate) fn new(columns: &[&str]) -> Self {
        let mut sheet = Self(Writer::from_writer(Vec::new()));
        sheet.line(columns.iter().flat_map(|columns| columns.split(',')));
        sheet
    }

    /// A sheet for [`of_row`](Self::of_row).
    pub(crate) fn of_rows(columns: &str) -> Self {
        Self::new(&["point,transport", columns, &settings::columns(0)])
    }

    /// A sheet for [`of_trial`](Self::of_trial).
    fn of_trials(columns: &str) -> Self {
        Self::new(&["point,transport,trial,order,attempt,valid", columns, &settings::columns(0)])
    }

    pub(crate) fn line(&mut self, fields: impl IntoIterator<Item = impl AsRef<str>>) {
        let fields = fields.into_iter().map(|field| text::csv(field.as_ref()).into_owned());
        self.0.write_record(fields).expect("a Vec takes it all, and each line has each column");
    }

    /// Adds a line on a point's transport, between their names and the point's settings.
    pub(crate) fn of_row(&mut self, row: &Row<'_>, fields: impl IntoIterator<Item = String>) {
        let point = &row.summary.point;
        let names = [point.id.to_string(), row.contender().to_string()];
        self.line(
            names.into_iter().chain(fields).chain(settings::fields(Some(point), row.contender())),
        );
    }

    /// Adds a line on a trial, between what tells it apart and the settings of its point.
    fn of_trial(
        &mut self,
        record: &RunRecord,
        trial: &TrialRecord,
        fields: impl IntoIterator<Item = String>,
    ) {
        let names = [
            trial.id.point.to_string(),
            trial.id.contender.to_string(),
            trial.id.round.to_string(),
            trial.order.to_string(),
            trial.attempt.to_string(),
            trial.is_valid().to_string(),
        ];
        let settings = settings::fields(point_of(record, trial.id.point), trial.id.contender);
        self.line(names.into_iter().chain(fields).chain(settings));
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0.into_inner().expect("a Vec takes it all")
    }
}

/// The point of that number.
pub(crate) fn point_of(record: &RunRecord, id: u32) -> Option<&Point> {
    record.points.iter().find(|point| point.id == id)
}

fn decimals(value: Option<f64>, places: usize) -> String {
    value.map_or_else(String::new, |value| format!("{value:.places$}"))
}

/// `bytes.csv`: the ledger, summed over the valid trials of each point and transport.
pub(crate) fn bytes(record: &RunRecord) -> Vec<u8> {
    let mut sheet = Sheet::of_rows(BYTES);
    let blocks = blocks(record);
    for row in blocks.iter().flat_map(|block| &block.rows).filter(|row| row.has_figures()) {
        push_ledger(&mut sheet, row);
    }
    sheet.finish()
}

fn push_ledger(sheet: &mut Sheet, row: &Row<'_>) {
    // Of a browser's bytes nothing is known, which is not to say that there were none.
    if row.trials.iter().any(|trial| trial.browser.is_some()) {
        return;
    }
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
        let fields = [
            self.phase.name().to_owned(),
            self.direction.name().to_owned(),
            self.layer.name().to_owned(),
            self.source.name().to_owned(),
            self.bytes.to_string(),
            decimals(per_message, 2),
            count(|tally| tally.packets),
            count(|tally| tally.retransmitted_bytes),
        ];
        sheet.of_row(row, fields);
    }
}

/// `life.csv`: a line for each tenth of a second of each trial's window, and of its drain, in which
/// connections ended because that was asked for; invalid trials too.
pub(crate) fn life(record: &RunRecord) -> Vec<u8> {
    let mut sheet = Sheet::of_trials(LIFE);
    for trial in &record.trials {
        let tenths = trial.measured.away.iter().flat_map(|away| &away.tenths);
        for (index, tenth) in tenths.enumerate() {
            let at = TENTH * u32::try_from(index).unwrap_or(u32::MAX);
            let middle = at + TENTH / 2;
            let cores = trial.course.as_ref().and_then(|course| course.cores_at(middle));
            let fields = [
                format!("{:.1}", at.as_secs_f64()),
                tenth.arrived.to_string(),
                tenth.opened.to_string(),
                tenth.failed.to_string(),
                decimals(cores, 3),
            ];
            sheet.of_trial(record, trial, fields);
        }
    }
    sheet.finish()
}

/// `series.csv`: a line for each second of each trial's window, invalid trials too.
pub(crate) fn series(record: &RunRecord) -> Vec<u8> {
    let mut sheet = Sheet::of_trials(SERIES);
    for trial in &record.trials {
        for second in trial.measured.series.rows() {
            let fields = [
                second.second.to_string(),
                second.delivered.to_string(),
                decimals(second.latency_p50_us, 1),
                decimals(second.latency_p99_us, 1),
                decimals(second.latency_max_us, 1),
                second.requests.to_string(),
                second.bytes_up.to_string(),
                second.bytes_down.to_string(),
            ];
            sheet.of_trial(record, trial, fields);
        }
    }
    sheet.finish()
}
