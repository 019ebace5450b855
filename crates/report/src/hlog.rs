//! `histograms/*.hlog`: HdrHistogram interval logs, format 1.3, that other tools open.
//!
//! A log holds one point and transport, one interval for each valid trial, in nanoseconds. Each
//! interval has a tag, so that `HistogramLogProcessor` wants `-alltags` or `-tag trial-1`.

use std::fmt::Write as _;

use pushbench_core::{MonoInstant, text};
use pushbench_metrics::record::{RunRecord, TrialRecord};

use crate::error::ReportError;
use crate::rows::{Row, blocks};

/// The divisor of interval maxima: nanoseconds to milliseconds, as tools expect.
const NANOS_PER_MILLI: f64 = 1e6;

/// The logs of a run: a file name and its text for each point and transport that has samples.
///
/// # Errors
///
/// [`ReportError::Histogram`] where the encoder refuses.
pub(crate) fn logs(record: &RunRecord) -> Result<Vec<(String, String)>, ReportError> {
    let mut logs = Vec::new();
    for block in blocks(record) {
        for row in block.rows.iter().filter(|row| row.has_figures()) {
            let name = format!("{}-{}.hlog", block.point.id, row.contender());
            logs.push((name, log(record, row)?));
        }
    }
    Ok(logs)
}

fn log(record: &RunRecord, row: &Row<'_>) -> Result<String, ReportError> {
    let started = start_seconds(record);
    let mut text = format!(
        "#[pushbench {}: {} in ns, {} at point {}]\n\
         #[Histogram log format version 1.3]\n\
         #[StartTime: {started:.3} (seconds since epoch)]\n\
         #[Times are from the run's first window on]\n\
         {}\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
        text::line(&record.version),
        row.latency_from().latency(),
        row.contender(),
        row.summary.point.id,
        late(row),
    );
    let windows = record.trials.iter().map(|trial| trial.window.start);
    let zero = windows.min().unwrap_or(MonoInstant(0));
    for trial in &row.trials {
        push_interval(&mut text, trial, zero)?;
    }
    Ok(text)
}

/// A comment where messages are missing that were still under way when a trial ended.
fn late(row: &Row<'_>) -> String {
    let audit = &row.summary.counts.audit;
    match audit.late {
        0 => String::new(),
        late => format!(
            "#[{late} of {} messages are not in here: they were still under way, and took longer]\n",
            audit.expected
        ),
    }
}

fn push_interval(
    text: &mut String,
    trial: &TrialRecord,
    zero: MonoInstant,
) -> Result<(), ReportError> {
    let latency = &trial.measured.latency;
    let Some(hdr) = latency.hdr() else { return Ok(()) };
    let encoded = latency.to_base64().map_err(|error| {
        let subject = format!("trial {} of {}", trial.id.round, trial.id.contender);
        ReportError::Histogram(subject, error.to_string())
    })?;
    let start = trial.window.start.saturating_since(zero).as_secs_f64();
    let length = trial.window.duration().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "at most an hour of ns")]
    let max = hdr.max() as f64 / NANOS_PER_MILLI;
    let _ =
        writeln!(text, "Tag=trial-{},{start:.3},{length:.3},{max:.3},{encoded}", trial.id.round);
    Ok(())
}

/// When the run began, in seconds since 1970; 0 where the record does not say so readably.
fn start_seconds(record: &RunRecord) -> f64 {
    let started = record.started.parse::<jiff::Timestamp>();
    started.map_or(0.0, |started| started.as_duration().as_secs_f64())
}
