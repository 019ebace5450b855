//! Clients that upload: what they say goes to the server alone, which tells how much of it came.

use std::time::Duration;

use pushbench_core::talk::{Pace, Pattern, Talk};
use pushbench_core::units::Rate;
use pushbench_core::{Identity, MonoInstant, Sender, Seq};
use pushbench_metrics::observe::observer::Window;
use pushbench_metrics::observe::speakers::Speakers;
use pushbench_metrics::record::control::{ServerOrder, Talkers};
use pushbench_os::time::clock;
use pushbench_server::{RoomLimits, ServerConfig};

use crate::client::{Client, Running, manual};
use crate::rooms::enter;
use crate::websocket::{frame, next};

const TALK: Talk = Talk {
    pattern: Pattern::Upload,
    rate: Rate::ONE,
    pace: Pace::Constant,
    room_size: 1,
    bytes: 30,
};

/// A server whose three clients have spoken for a minute, and the messages of ten seconds of it that
/// count: those of each client.
fn server() -> (Running, Vec<Window>) {
    let config = ServerConfig { uploads: Some(Talkers { talk: TALK, clients: 3 }), ..manual() };
    let server = Running::with(config);
    let origin = MonoInstant(clock::now().0 - 60_000_000_000);
    let (start, end) = (origin + Duration::from_secs(10), origin + Duration::from_secs(20));
    let window = Window { start, end, first: Seq(1), last: Seq::NONE };
    server.handle.order(ServerOrder::Start { origin });
    server.handle.order(ServerOrder::Measure { window });
    let mut speakers = Speakers::new(&TALK, 1, 3, origin, end).unwrap();
    (server, speakers.windows(&window).unwrap())
}

fn message(sender: u32, seq: u64) -> Vec<u8> {
    let mut text = Vec::new();
    TALK.push_message(Identity { sender: Sender(sender), seq: Seq(seq) }, &mut text);
    text
}

fn post(client: &mut Client, body: &[u8]) -> u16 {
    let length = body.len();
    client.send(format!(
        "POST /rooms/room-0/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
    ));
    client.send(body);
    client.response().status
}

#[test]
fn the_server_alone_hears_what_is_uploaded_and_tells_lost_from_twice_and_from_strange() {
    let (server, windows) = server();
    let mut hearer = enter(&server, "/rooms/room-0/ws");
    let mut speaker = enter(&server, "/rooms/room-0/ws");
    // All of the window, and what was said before and behind it.
    for seq in windows[0].first.0 - 1..=windows[0].last.0 + 1 {
        speaker.send(frame(0x81, &message(0, seq)));
    }
    speaker.send(frame(0x81, b"no sender, no number"));
    speaker.send(frame(0x82, &message(9, 1)));
    speaker.send(frame(0x89, b"all read?"));
    assert_eq!(next(&mut speaker), (0x8a, b"all read?".to_vec()));
    let mut poster = server.connect();
    let first = windows[1].first.0;
    for seq in [first, first + 2, first + 1, first + 2] {
        assert_eq!(post(&mut poster, &message(1, seq)), 201);
    }
    // Whoever is in that room has heard nothing of it.
    hearer.send(frame(0x89, b"nothing?"));
    assert_eq!(next(&mut hearer), (0x8a, b"nothing?".to_vec()));

    let heard = server.stop().heard.expect("it counts what is uploaded");
    let audit = heard.audit;
    assert_eq!(windows.iter().map(Window::len).sum::<u64>(), audit.published);
    assert_eq!(audit.delivered, windows[0].len() + 3);
    assert_eq!((audit.duplicated, audit.reordered), (1, 1));
    assert_eq!(audit.lost, windows[1].len() - 3 + windows[2].len());
    assert_eq!(heard.latency.count(), audit.delivered);
    assert_eq!(heard.heard.map(|it| it.strays), Some(2));
}

/// Bounds of a server for all the world are not those of one that is to be measured.
#[test]
fn a_room_bears_the_talk_that_a_trial_has_planned() {
    let talk = Talk { pattern: Pattern::Chat, bytes: 100_000, ..TALK };
    let talkers = Talkers { talk, clients: 20_000 };
    assert_eq!(RoomLimits::bearing(talkers).rooms, 20_000);
    let config = ServerConfig { rooms: RoomLimits::bearing(talkers), ..manual() };
    let server = Running::with(config);
    let mut client = enter(&server, "/rooms/a/ws");
    for seq in 1..=1_000 {
        client.send(frame(0x81, &message(0, seq)));
        assert_eq!(next(&mut client), (0x81, message(0, seq)));
    }
    let long = vec![b'x'; 100_000];
    assert_eq!(post(&mut server.connect(), &long), 201);
}
