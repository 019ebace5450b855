//! Run records.

use pushbench_metrics::record::{RunRecord, numbers};

use super::survives_json;

/// Whatever record is read is reported on, in bounded space.
pub(super) fn holds(input: &[u8]) {
    let Some(record) = read(input) else { return };
    survives_json(&record);
    assert!(
        pushbench_report::terminal_table(&record, pushbench_report::Screen::NONE).len() < 1 << 20
    );
    assert!(pushbench_report::sentence(&record).len() < 1 << 16);
    assert!(pushbench_report::markdown(&record).len() < 1 << 21);
}

/// The record, held to what a run can come to.
fn read(input: &[u8]) -> Option<RunRecord> {
    numbers::check(&mut serde_json::Deserializer::from_slice(input)).ok()?;
    serde_json::from_slice::<RunRecord>(input).ok().filter(|record| record.check().is_ok())
}
