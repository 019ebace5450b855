use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use pushbench_core::feed::payload::{Payload, PayloadKind};
use pushbench_core::feed::schedule::Schedule;
use pushbench_core::subject::{Envelope, Inlet, Publish};
use pushbench_core::units::Rate;
use pushbench_metrics::observe::observer::Window;

use super::*;

const SIZE: usize = 64;

/// Longer than the messages of a test take to come: a server that is slow by design.
const SLOW: Duration = Duration::from_millis(300);

fn plan() -> ServerPlan {
    let schedule = Schedule::Constant { rate: Rate::from_hz(100.0).unwrap() };
    let payload = Payload::Generated { kind: PayloadKind::Text, bytes: SIZE };
    ServerPlan::new(FeedSpec { seed: 1, schedule, payload })
}

fn post(listener: &TcpListener) -> Outlet {
    let publish = Publish::Post(Inlet { path: "/in".to_owned(), port: "port".to_owned() });
    Outlet { publish, address: listener.local_addr().unwrap(), stdin: None }
}

/// Publishes ten messages to `outlet`, or as many as it takes.
fn publish(outlet: &Outlet, settle: Duration) -> Result<ServerMeasured, OutletError> {
    let publisher = Publisher::open(plan(), outlet)?;
    let orders = publisher.orders();
    let origin = clock::now() + Duration::from_millis(30);
    let window = Window {
        start: origin,
        end: origin + Duration::from_millis(125),
        first: Seq(1),
        last: Seq(10),
    };
    orders.send(ServerOrder::Start { origin }).unwrap();
    orders.send(ServerOrder::Measure { window }).unwrap();
    thread::spawn(move || {
        clock::sleep_until(window.end + settle);
        let _ = orders.send(ServerOrder::Stop);
    });
    publisher.run()
}

/// The body of the next request, as a reader that shares no code with us sees it.
fn request(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.strip_prefix("Content-Length: ") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(body)
}

/// Answers each request with `answer`, `pause` after it came, on as many connections as it takes; passes
/// their bodies on.
fn serve(
    listener: TcpListener,
    answer: &'static str,
    pause: Duration,
    ends: bool,
) -> Receiver<Vec<u8>> {
    let (sender, bodies) = channel();
    thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let mut stream = BufReader::new(stream);
            while let Some(body) = request(&mut stream) {
                let _ = sender.send(body);
                thread::sleep(pause);
                if stream.get_mut().write_all(answer.as_bytes()).is_err() || ends {
                    break;
                }
            }
        }
    });
    bodies
}

/// The numbers of the first ten bodies.
fn numbers(bodies: impl IntoIterator<Item = Vec<u8>>) -> Vec<u64> {
    let number = |body: Vec<u8>| {
        assert_eq!(body.len(), SIZE);
        std::str::from_utf8(&body[..10]).unwrap().parse().unwrap()
    };
    bodies.into_iter().take(10).map(number).collect()
}

fn all() -> Vec<u64> {
    (1..=10).collect()
}

#[test]
fn a_slow_server_makes_no_message_late_and_gets_all_in_order() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let outlet = post(&listener);
    // Each answer takes longer than from one message to the next.
    let server = serve(listener, "HTTP/1.1 204 No Content\r\n\r\n", SLOW / 10, false);
    let measured = publish(&outlet, SLOW * 2).unwrap();
    assert_eq!(measured.published, 10);
    // Who waited for answers would be late by ten times a pause with the last.
    let worst = measured.publish_lag.max_us().unwrap();
    assert!(worst < (SLOW / 2).as_secs_f64() * 1e6, "{worst} µs");
    assert_eq!(numbers(server), all());
}

#[test]
fn a_server_that_closes_behind_each_answer_is_connected_to_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let outlet = post(&listener);
    let answer = "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let server = serve(listener, answer, Duration::ZERO, true);
    publish(&outlet, Duration::ZERO).unwrap();
    assert_eq!(numbers(server), all());
}

#[test]
fn what_a_server_answers_in_the_wrong_is_told() {
    for (answer, pause, ends, told) in [
        (
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
            Duration::ZERO,
            false,
            "POST /in was answered 403",
        ),
        ("who is there?\r\n\r\n", Duration::ZERO, false, "POST /in: "),
        // Others have come meanwhile.
        ("HTTP/1.0 200 OK\r\n\r\n", SLOW, true, "was closed with"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let outlet = post(&listener);
        serve(listener, answer, pause, ends);
        let error = publish(&outlet, SLOW * 2).unwrap_err().to_string();
        assert!(error.contains(told), "{answer}: {error}");
    }
}

#[test]
fn a_websocket_gets_each_message_as_text_and_its_questions_answered() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let publish_at = Publish::Websocket(Inlet { path: "/in".to_owned(), port: "port".to_owned() });
    let outlet = Outlet { publish: publish_at, ..post(&listener) };
    let server = thread::spawn(move || {
        let mut socket = tungstenite::accept(listener.accept().unwrap().0).unwrap();
        socket.send(tungstenite::Message::Ping(b"there?".as_slice().into())).unwrap();
        let (mut bodies, mut pongs) = (Vec::new(), 0);
        while let Ok(message) = socket.read() {
            match message {
                tungstenite::Message::Text(text) => bodies.push(text.as_bytes().to_vec()),
                tungstenite::Message::Pong(payload) => {
                    pongs += u32::from(&payload[..] == b"there?")
                }
                other => panic!("{other:?}"),
            }
        }
        (bodies, pongs)
    });
    let measured = publish(&outlet, Duration::ZERO).unwrap();
    assert_eq!(measured.published, 10);
    let (bodies, pongs) = server.join().unwrap();
    assert_eq!((numbers(bodies), pongs), (all(), 1));
}

#[test]
fn nobody_who_listens_is_told() {
    let outlet = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        post(&listener)
    };
    let error = Publisher::open(plan(), &outlet).unwrap_err().to_string();
    assert!(error.contains("cannot connect to publish"), "{error}");
}

/// The way in which NATS takes messages: a line with their length before each.
#[test]
fn a_message_travels_in_the_signs_of_a_servers_own_protocol() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let envelope = Envelope {
        port: "port".to_owned(),
        hello: "HELLO\r\n".to_owned(),
        before: "PUB feed {length}\r\n".to_owned(),
        after: "\r\n".to_owned(),
        replies: [("PING".to_owned(), "PONG\r\n".to_owned())].into(),
    };
    let address = listener.local_addr().unwrap();
    let outlet = Outlet { publish: Publish::Tcp(envelope), address, stdin: None };
    let heard = thread::spawn(move || {
        let mut all = Vec::new();
        let mut socket = listener.accept().unwrap().0;
        // In two pieces, and something else before it.
        socket.write_all(b"INFO {}\r\nPI").unwrap();
        socket.write_all(b"NG\r\n").unwrap();
        socket.read_to_end(&mut all).unwrap();
        String::from_utf8(all).unwrap()
    });
    let measured = publish(&outlet, Duration::from_millis(50)).unwrap();
    assert_eq!(measured.published, 10);
    let heard = heard.join().unwrap();
    let (hello, messages) = heard.split_once("\r\n").unwrap();
    assert_eq!(hello, "HELLO");
    let all = messages.split_terminator("\r\n");
    assert_eq!(all.clone().filter(|line| *line == "PONG").count(), 1, "{heard}");
    let lines: Vec<&str> = all.filter(|line| *line != "PONG").collect();
    assert!(lines.len() >= 20, "{heard}");
    for (number, pair) in (1..).zip(lines.chunks(2)) {
        assert_eq!(pair[0], format!("PUB feed {SIZE}"));
        assert!(pair[1].starts_with(&format!("{number:010}")) && pair[1].len() == SIZE, "{pair:?}");
    }
}
