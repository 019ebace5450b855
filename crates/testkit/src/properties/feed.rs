//! Descriptions of feeds.

use pushbench_core::MonoInstant;
use pushbench_core::feed::FeedDescription;
use pushbench_core::feed::schedule::Timetable;

use super::{schedule, survives_json};

/// Of whatever description is read, the instants are known from its checkpoint on.
pub(super) fn holds(input: &[u8]) {
    let Ok(feed) = serde_json::from_slice::<FeedDescription>(input) else { return };
    survives_json(&feed);
    schedule::is_consistent(&feed.schedule, feed.seed);
    let origin = feed.origin.unwrap_or(MonoInstant(0));
    let start = origin.plus_nanos(feed.checkpoint.elapsed_ns as u64);
    let end = start.plus_nanos(1_000_000);
    if end == MonoInstant(u64::MAX) {
        // No clock comes there.
        return;
    }
    let FeedDescription { schedule, seed, checkpoint, .. } = feed;
    let timetable = Timetable::starting_at(schedule, seed, origin, checkpoint, start);
    let mut timetable = timetable.expect("the checkpoint is near");
    let (first, last) = timetable.between(start, end).expect("a millisecond has few messages");
    let mut due = start;
    for seq in first.0..=last.0 {
        let next = timetable.due(pushbench_core::Seq(seq)).expect("it is due");
        assert!(due <= next && next < end, "{next:?} is not within {due:?} and {end:?}");
        due = next;
    }
}
