use std::time::Duration;

use pushbench_core::Seq;
use pushbench_core::talk::{Pace, Pattern};
use pushbench_core::units::Rate;

use super::*;

const MS: u64 = 1_000_000;

fn window(first: u64, last: u64) -> Window {
    let (start, end) = (MonoInstant(1_000 * MS), MonoInstant(3_000 * MS));
    Window { start, end, first: Seq(first), last: Seq(last) }
}

/// Five clients in rooms of three, whose windows differ: 2, 1, 2, 1 and 2 messages.
fn recorder() -> RoomRecorder {
    let talk = Talk {
        pattern: Pattern::Chat,
        rate: Rate::from_hz(1.0).unwrap(),
        pace: Pace::Constant,
        room_size: 3,
        bytes: 20,
    };
    let mut recorder = RoomRecorder::new(talk, 0, 5, 5);
    recorder.set_window(window(1, 0));
    let windows = [window(2, 3), window(2, 2), window(3, 4), window(1, 1), window(1, 2)];
    recorder.set_speakers(&windows);
    recorder
}

fn arrival(client: u32, sender: u32, seq: u64, delay_ms: u64) -> Arrival {
    let due = MonoInstant((1_000 + 100 * seq) * MS);
    let (sender, seq, at) = (Sender(sender), Seq(seq), due.plus_nanos(delay_ms * MS));
    Arrival { client, sender, seq, due, at }
}

/// Messages of the first room in the window, in its order.
const SAID: [(u32, u64); 5] = [(0, 2), (1, 2), (0, 3), (2, 3), (2, 4)];

fn hear(recorder: &mut RoomRecorder, client: u32, said: &[(u32, u64)]) {
    for &(sender, seq) in said {
        recorder.arrived(&arrival(client, sender, seq, 5 + u64::from(client)));
    }
}

/// Each room hears itself: 5 messages to 3 members, 3 to 2.
#[test]
fn each_member_is_due_what_its_room_says_and_nothing_else() {
    let mut recorder = recorder();
    for client in 0..3 {
        assert!(!recorder.settled());
        // What was said before the window is heard too, and counts for nothing.
        hear(&mut recorder, client, &[(0, 1), (1, 1), (2, 2)]);
        hear(&mut recorder, client, &SAID);
    }
    for client in 3..5 {
        hear(&mut recorder, client, &[(3, 1), (4, 1), (4, 2)]);
    }
    assert!(recorder.settled());
    let measured = recorder.finish();
    let audit = measured.audit;
    assert_eq!((audit.published, audit.clients, audit.expected), (8, 5, 21));
    assert_eq!((audit.delivered, audit.lost, audit.due), (21, 0, Some(21)));
    assert_eq!(measured.latency.count(), 21);
    let heard = measured.heard.as_ref().unwrap();
    assert_eq!((heard.compared, heard.disordered, heard.strays), (5, 0, 0));
    // From the first hearer to the last: 2 ms in the one room, 1 ms in the other.
    assert_eq!(heard.fan_out.count(), 8);
    assert!((heard.fan_out.max_us().unwrap() / 2_000.0 - 1.0).abs() < 1e-3);
    assert!(measured.balances());
}

#[test]
fn a_room_heard_in_two_orders_is_told() {
    let mut recorder = recorder();
    hear(&mut recorder, 0, &SAID);
    let [a, b, c, d, e] = SAID;
    // Each sender's messages are in order, and those of two are not as the first hearer has them.
    hear(&mut recorder, 1, &[b, a, c, d, e]);
    hear(&mut recorder, 2, &SAID[..4]);
    let measured = recorder.finish();
    let heard = measured.heard.unwrap();
    assert_eq!((heard.compared, heard.disordered), (2, 1));
    assert_eq!((measured.audit.reordered, measured.audit.lost), (0, 7));
    assert!(measured.audit.balances());
}

#[test]
fn a_message_of_another_room_is_a_stray_and_a_client_that_is_left_out_is_not_waited_for() {
    let mut recorder = recorder();
    recorder.exclude(2);
    hear(&mut recorder, 0, &[(4, 1)]);
    hear(&mut recorder, 0, &SAID);
    hear(&mut recorder, 1, &SAID);
    hear(&mut recorder, 1, &SAID[..1]);
    let measured = recorder.finish();
    let (audit, heard) = (measured.audit, measured.heard.unwrap());
    assert_eq!((heard.strays, heard.fan_out.count()), (1, 5));
    assert_eq!((audit.clients, audit.expected, audit.delivered), (4, 16, 10));
    assert_eq!((audit.duplicated, audit.lost), (1, 6));
    assert!(audit.balances());
}

/// The rooms of two processes add up to those of one.
#[test]
fn processes_that_share_the_rooms_measure_what_one_would() {
    let talk = recorder().talk;
    let windows = [window(2, 3), window(2, 2), window(3, 4), window(1, 1), window(1, 2)];
    let mut merged: Option<Measured> = None;
    for (first, clients) in [(0, 3), (3, 2)] {
        let mut part = RoomRecorder::new(talk, first, clients, 5);
        part.set_window(window(1, 0));
        part.set_speakers(&windows);
        for client in 0..clients {
            let said: &[(u32, u64)] = if first == 0 { &SAID } else { &[(3, 1), (4, 1), (4, 2)] };
            hear(&mut part, client, said);
        }
        let measured = part.finish();
        match &mut merged {
            Some(merged) => merged.merge(&measured),
            None => merged = Some(measured),
        }
    }
    let merged = merged.unwrap();
    assert_eq!(
        (merged.audit.published, merged.audit.expected, merged.audit.delivered),
        (8, 21, 21)
    );
    assert!(merged.balances());
}

/// A message that is still on its way as the drain ends is late, by the instant when it was to be said.
#[test]
fn what_is_under_way_at_the_end_is_late() {
    let mut recorder = recorder();
    for client in 0..2 {
        hear(&mut recorder, client, &SAID);
    }
    hear(&mut recorder, 2, &SAID[..4]);
    let end = MonoInstant(5_000 * MS);
    let coming = |client| Coming { last: None, under_way: client == 2 };
    let due = |message: Identity| {
        assert_eq!((message.sender, message.seq), (Sender(2), Seq(4)));
        Some(MonoInstant(2_500 * MS))
    };
    recorder.end_drain(end, &coming, &due);
    let measured = recorder.finish();
    assert_eq!((measured.audit.late, measured.late.count()), (1, 1));
    let bound = Duration::from_secs_f64(measured.late.max_us().unwrap() / 1e6);
    assert!(bound.abs_diff(Duration::from_millis(2_500)) < Duration::from_millis(5));
    // Nobody of the second room heard anything.
    assert_eq!(measured.silence.unwrap().clients, 2);
}

/// Clients upload to two servers, each of which hears its own: together they are due what all say.
#[test]
fn what_servers_hear_is_the_audit_of_clients_that_hear_nothing() {
    let talk = Talk { pattern: Pattern::Upload, room_size: 1, ..recorder().talk };
    let windows = [window(2, 3), window(2, 2), window(3, 4)];
    let begin = |mut recorder: RoomRecorder| {
        recorder.set_window(window(1, 0));
        recorder.set_speakers(&windows);
        recorder
    };
    let mut clients = begin(RoomRecorder::new(talk, 0, 3, 3));
    assert!(clients.settled(), "they wait for nothing");
    clients.end_drain(MonoInstant(4_000 * MS), &|_| unreachable!(), &|_| unreachable!());
    let mut measured = clients.finish();
    assert_eq!((measured.audit.published, measured.audit.expected), (5, 0));
    assert!(measured.balances());

    let mut servers = [(); 2].map(|()| begin(RoomRecorder::of_server(talk, 3)));
    hear(&mut servers[0], 0, &[(0, 1), (0, 2), (0, 2), (0, 3)]);
    hear(&mut servers[1], 2, &[(2, 4), (2, 3)]);
    let [mut heard, other] = servers.map(|mut server| server.finish());
    heard.merge(&other);
    measured.hear_at_servers(&heard);
    let audit = measured.audit;
    assert_eq!((audit.expected, audit.delivered, audit.lost), (5, 4, 1));
    assert_eq!((audit.duplicated, audit.reordered), (1, 1));
    assert!(measured.balances());
    assert_eq!(measured.latency.count(), 4);
}
