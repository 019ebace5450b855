//! The CSV files. A column that is empty was not measured; a 0 was.
//!
//! Each file stands alone: every setting that a point varies is a column of it. New columns go to
//! the end, and `docs/COLUMNS.md` says what each is.

mod breakdown;
mod models;
mod sheet;

use std::collections::BTreeMap;

use pushbench_core::Contender;
use pushbench_core::scenario::Point;
use pushbench_metrics::judge::figures::{Counts, Figure, Figures};
use pushbench_metrics::observe::ledger::{Direction, Layer, Ledger, Phase, Source, TcpipTally};
use pushbench_metrics::observe::recorder::Measured;
use pushbench_metrics::record::{RunRecord, TrialRecord};

use crate::rows::{Row, blocks};
use crate::settings;

pub use self::breakdown::BREAKDOWN_COLUMNS;
pub(crate) use self::breakdown::breakdown;
pub(crate) use self::models::models;
pub(crate) use self::sheet::Sheet;

/// The first columns of `summary.csv`, which `trials.csv` begins with too; those that came
/// later follow at the end of each.
pub const SUMMARY_COLUMNS: &str = "scenario,point,transport,clients,rate_hz,payload_bytes,\
poll_interval_ms,trials,valid,published,expected,delivered,lost,duplicated,reordered,superseded,\
latency_mean_us,latency_p50_us,latency_p50_lo_us,latency_p50_hi_us,latency_p90_us,latency_p99_us,\
latency_p999_us,latency_max_us,age_mean_us,connect_p50_us,requests,empty_responses,\
payload_bytes_per_msg,framing_bytes_per_msg,http_bytes_per_msg,tls_bytes_per_msg,\
tcpip_bytes_per_msg,wire_bytes_per_msg,server_cpu_us_per_msg,load_cpu_us_per_msg,\
server_rss_bytes_per_client,load_rss_bytes_per_client,latency_p50_min_us,latency_p50_max_us,\
clients_connected,errors,reconnects,warnings,age_max_us";

/// What `trials.csv` adds: the round, the place in the run's order, 2 for a repeat, and why it is
/// not valid.
pub const TRIAL_COLUMNS: &str = "trial,order,attempt,invalid";

/// The settings that [`SUMMARY_COLUMNS`] begin with.
const FIRST_SETTINGS: usize = 4;

/// The columns that came later to both files, at the end of each.
fn added() -> String {
    format!("late,{},trials_used", settings::columns(FIRST_SETTINGS))
}

/// The first columns of `bytes.csv`; the settings of the point follow.
pub const BYTES_COLUMNS: &str =
    "point,transport,phase,direction,layer,source,bytes,bytes_per_msg,packets,retransmitted_bytes";

/// The first columns of `series.csv`; the settings of the point follow.
pub const SERIES_COLUMNS: &str = "point,transport,trial,order,attempt,valid,second,delivered,\
latency_p50_us,latency_p99_us,latency_max_us,requests,bytes_up,bytes_down";

/// One line of `summary.csv` or `trials.csv` before it is text.
struct Line<'a> {
    point: &'a Point,
    contender: Contender,
    trials: usize,
    /// Those that its figures are of.
    used: usize,
    valid: bool,
    /// `None` where no trial measured anything.
    counts: Option<Counts>,
    figures: Figures,
    p50_interval: Option<(f64, f64)>,
    p50_range: Option<(f64, f64)>,
    warnings: String,
}

/// `summary.csv`: a line for each point and transport.
pub(crate) fn summary(record: &RunRecord) -> Vec<u8> {
    let mut sheet = Sheet::new(&[SUMMARY_COLUMNS, &added()]);
    for row in blocks(record).iter().flat_map(|block| &block.rows) {
        let summary = &row.summary;
        let line = Line {
            point: &summary.point,
            contender: summary.contender,
            trials: summary.trials as usize,
            used: row.trials.len(),
            valid: summary.valid,
            counts: row.has_figures().then_some(summary.counts),
            figures: summary.figures,
            p50_interval: summary.latency_p50_interval,
            p50_range: summary.latency_p50_range,
            warnings: warnings(&row.trials),
        };
        sheet.line(line.fields(&record.scenario.name).into_iter().chain(line.added()));
    }
    sheet.finish()
}

/// `trials.csv`: a line for each trial in the order in which they ran, invalid ones too.
pub(crate) fn trials(record: &RunRecord) -> Vec<u8> {
    let mut sheet = Sheet::new(&[SUMMARY_COLUMNS, TRIAL_COLUMNS, &added()]);
    for trial in &record.trials {
        let Some(point) = point_of(record, trial.id.point) else { continue };
        let figures = Figures::of_trial(trial);
        let p50 = figures.get(Figure::LatencyP50);
        // A trial whose load process died has measured nothing; the zeros in it are no counts.
        let measured = trial.measured != Measured::default();
        let line = Line {
            point,
            contender: trial.id.contender,
            trials: 1,
            used: usize::from(trial.is_valid()),
            valid: trial.is_valid(),
            counts: measured.then(|| Counts::of_trial(trial)),
            figures,
            p50_interval: None,
            p50_range: p50.zip(p50),
            warnings: warnings(&[trial]),
        };
        let mut fields = line.fields(&record.scenario.name);
        let reasons: Vec<String> = trial.invalid.iter().map(ToString::to_string).collect();
        fields.extend([trial.id.round, trial.order, trial.attempt].map(|n| n.to_string()));
        fields.push(reasons.join("; "));
        fields.extend(line.added());
        sheet.line(fields);
    }
    sheet.finish()
}

/// The point of that number.
pub(crate) fn point_of(record: &RunRecord, id: u32) -> Option<&Point> {
    record.points.iter().find(|point| point.id == id)
}

/// The warnings of `trials`, each text once.
fn warnings(trials: &[&TrialRecord]) -> String {
    let mut texts: Vec<String> = Vec::new();
    for warning in trials.iter().flat_map(|trial| &trial.warnings) {
        let text = warning.to_string();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts.join("; ")
}

impl Line<'_> {
    /// The fields in the order of [`SUMMARY_COLUMNS`].
    fn fields(&self, scenario: &str) -> Vec<String> {
        let (point, contender) = (self.point.id.to_string(), self.contender.to_string());
        let mut fields = vec![scenario.to_owned(), point, contender];
        fields.extend(settings::fields(Some(self.point)).into_iter().take(FIRST_SETTINGS));
        fields.extend([self.trials.to_string(), self.valid.to_string()]);
        let count = |of: fn(&Counts) -> u64| self.counts.as_ref().map(of);
        let counts = |of: &[fn(&Counts) -> u64]| -> Vec<String> {
            of.iter().map(|&of| count(of).map_or_else(String::new, |n| n.to_string())).collect()
        };
        fields.extend(counts(&[
            |counts| counts.published,
            |counts| counts.expected,
            |counts| counts.delivered,
            |counts| counts.lost,
            |counts| counts.duplicated,
            |counts| counts.reordered,
            |counts| counts.superseded,
        ]));
        fields.extend(self.times());
        fields.extend(counts(&[|counts| counts.requests, |counts| counts.empty_responses]));
        fields.extend(self.costs());
        fields.extend(ends(self.p50_range));
        fields.extend(counts(&[
            |counts| counts.connected,
            |counts| counts.errors,
            |counts| counts.reconnects,
        ]));
        fields.push(self.warnings.clone());
        fields.push(decimals(self.figures.get(Figure::AgeMax), 1));
        fields
    }

    /// The fields in the order of [`added`].
    fn added(&self) -> impl Iterator<Item = String> {
        let settings = settings::fields(Some(self.point)).into_iter().skip(FIRST_SETTINGS);
        let late = self.counts.map_or_else(String::new, |counts| counts.late.to_string());
        std::iter::once(late).chain(settings).chain([self.used.to_string()])
    }

    fn times(&self) -> Vec<String> {
        let figure = |figure| decimals(self.figures.get(figure), 1);
        let mut fields = vec![figure(Figure::LatencyMean), figure(Figure::LatencyP50)];
        fields.extend(ends(self.p50_interval));
        fields.extend(
            [
                Figure::LatencyP90,
                Figure::LatencyP99,
                Figure::LatencyP999,
                Figure::LatencyMax,
                Figure::AgeMean,
                Figure::ConnectP50,
            ]
            .map(figure),
        );
        fields
    }

    fn costs(&self) -> Vec<String> {
        let figures = [
            (Figure::PayloadBytes, 2),
            (Figure::FramingBytes, 2),
            (Figure::HttpBytes, 2),
            (Figure::TlsBytes, 2),
            (Figure::TcpipBytes, 2),
            (Figure::WireBytes, 2),
            (Figure::ServerCpu, 3),
            (Figure::LoadCpu, 3),
            (Figure::ServerRss, 0),
            (Figure::LoadRss, 0),
        ];
        figures.map(|(figure, places)| decimals(self.figures.get(figure), places)).to_vec()
    }
}

fn ends(ends: Option<(f64, f64)>) -> [String; 2] {
    [decimals(ends.map(|ends| ends.0), 1), decimals(ends.map(|ends| ends.1), 1)]
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
