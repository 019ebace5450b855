//! Schedules.

use pushbench_core::Seq;
use pushbench_core::feed::schedule::{Checkpoint, Schedule};

use super::survives_json;

/// Messages that are looked at.
const FIRST: usize = 40;

pub(super) fn holds(input: &[u8]) {
    let Ok(schedule) = serde_json::from_slice::<Schedule>(input) else { return };
    survives_json(&schedule);
    is_consistent(&schedule, 1);
}

/// The instants of a schedule ascend, and are the same whichever way one comes to them.
pub(super) fn is_consistent(schedule: &Schedule, seed: u64) {
    let offsets: Vec<u64> = schedule.offsets(seed).take(FIRST).collect();
    assert!(offsets.is_sorted(), "{offsets:?}");
    // Others have none only where the first would come after the clock's end.
    assert!(offsets.is_empty() || *schedule != Schedule::Manual);
    let mut walked = schedule.offsets(seed);
    for (index, &offset) in offsets.iter().enumerate() {
        let from = walked.checkpoint();
        assert_eq!(schedule.offsets_from(seed, from).next(), Some(offset));
        assert_eq!(walked.next(), Some(offset));
        let seq = Seq(index as u64 + 1);
        assert_eq!(schedule.offset_of(seed, Checkpoint::START, seq), Ok(Some(offset)));
        let place = schedule.seek(seed, Checkpoint::START, offset).expect("it is near").passed;
        let before = offsets.partition_point(|&other| other < offset);
        assert_eq!(place, before as u64, "in front of the first message due at {offset}");
    }
    // However far away, and at once.
    let _ = schedule.offset_of(seed, Checkpoint::START, Seq(u64::MAX));
    let _ = schedule.offset_of(seed, Checkpoint::START, Seq(1 << 53));
}
