use proptest::prelude::*;

use super::*;

fn at(nanos: u64) -> MonoInstant {
    MonoInstant(nanos)
}

/// All that is due at `now`, as (due, bytes).
fn drain(schedule: &mut Schedule<()>, now: u64) -> Vec<(u64, Vec<u8>)> {
    let mut drained = Vec::new();
    while let Some(taken) = schedule.pop(at(now)) {
        drained.push((taken.due.0, schedule.bytes(&taken).to_vec()));
        schedule.release(taken);
    }
    drained
}

#[test]
fn packets_leave_when_they_are_due_and_not_before() {
    let mut schedule = Schedule::new(1 << 20);
    for (due, byte) in [(30, 3), (10, 1), (20, 2)] {
        assert!(schedule.push(at(due), (), &[byte]));
    }
    assert_eq!(schedule.next_due(), Some(at(10)));
    assert!(schedule.pop(at(9)).is_none());
    assert_eq!(drain(&mut schedule, 20), [(10, vec![1]), (20, vec![2])]);
    assert_eq!((schedule.next_due(), schedule.len()), (Some(at(30)), 1));
    assert_eq!(drain(&mut schedule, 99), [(30, vec![3])]);
    assert_eq!((schedule.next_due(), schedule.is_empty()), (None, true));
}

#[test]
fn a_packet_keeps_its_bytes_until_it_is_given_back() {
    let mut schedule = Schedule::new(1 << 20);
    assert!(schedule.push(at(1), (), b"first"));
    let first = schedule.pop(at(1)).unwrap();
    assert!(schedule.push(at(2), (), b"other"));
    assert_eq!(schedule.bytes(&first), b"first");
    schedule.release(first);
    assert!(schedule.push(at(3), (), b"third"));
    assert_eq!(drain(&mut schedule, 3), [(2, b"other".to_vec()), (3, b"third".to_vec())]);
}

/// Whoever fills the memory is told, and may go on once there is room.
#[test]
fn memory_has_a_limit() {
    let mut schedule = Schedule::new(1 << 20);
    let held = (0..10_000).take_while(|_| schedule.push(at(1), (), &[7; 1500])).count();
    // A mebibyte in places of 2 KiB.
    assert_eq!(held, 512);
    assert!(!schedule.push(at(1), (), &[0; 70_000]), "no IP packet is as large");
    assert_eq!(drain(&mut schedule, 1).len(), 512);
    assert!(schedule.push(at(1), (), &[7; 1500]));
}

proptest! {
    /// Against a sorted list: by instant, and as they came where instants are the same. Places of some
    /// sizes are taken again by then, in another order.
    #[test]
    fn packets_leave_in_order(packets in prop::collection::vec((0_u64..50, 1_usize..600), 0..200)) {
        let mut schedule = Schedule::new(1 << 24);
        let before = [200, 1, 300, 2].map(|size| schedule.push(at(60), (), &vec![0; size]));
        prop_assert_eq!(before, [true; 4]);
        prop_assert_eq!(drain(&mut schedule, 60).len(), 4);
        let mut expected = Vec::new();
        for (number, (due, size)) in packets.into_iter().enumerate() {
            let packet = vec![number as u8; size];
            prop_assert!(schedule.push(at(due), (), &packet));
            expected.push((due, packet));
        }
        expected.sort_by_key(|(due, _)| *due);
        let mut left = drain(&mut schedule, 25);
        prop_assert!(left.iter().all(|(due, _)| *due <= 25));
        left.extend(drain(&mut schedule, 50));
        prop_assert_eq!(left, expected);
    }
}
