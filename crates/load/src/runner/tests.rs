//! The runner over real sockets, against servers that follow a script.

mod drain;
mod refusals;
mod server;
mod stamps;
mod standards;
mod tcpip;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use pushbench_core::feed::schedule::{Checkpoint, Schedule, Timetable};
use pushbench_core::units::Rate;
use pushbench_core::{Contender, Delivery, Seq};
use pushbench_metrics::observe::ledger::{Direction, Layer, Phase};
use pushbench_metrics::observe::observer::Window;
use pushbench_metrics::record::control::{
    LoadMeasured, LoadNews, LoadOrder, LoadPlan, TrialTiming,
};
use pushbench_os::time::clock;

use self::server::{Shared, cursor, polls, request, start, websocket};
use super::course::LINGER;
use crate::session::tests::{frame, plan as session_plan, upgrade};
use crate::{Load, OrderSender};

fn plan(target: SocketAddr, contender: Contender, clients: u32) -> LoadPlan {
    let poll_interval = Duration::from_millis(100);
    let plan = session_plan(contender, Delivery::Every);
    LoadPlan { target, clients, total_clients: clients, poll_interval, ..plan }
}

/// A load process in a thread of its own.
struct Running {
    orders: OrderSender,
    news: Receiver<LoadNews>,
}

impl Running {
    fn start(plan: LoadPlan) -> Self {
        let load = Load::new(plan).unwrap();
        let (orders, (sender, news)) = (load.orders(), channel());
        thread::spawn(move || {
            load.run(|news| drop(sender.send(news))).unwrap();
        });
        let running = Self { orders, news };
        assert_eq!(running.next(), LoadNews::Ready);
        running
    }

    fn next(&self) -> LoadNews {
        self.news.recv_timeout(Duration::from_secs(20)).expect("the load process says something")
    }

    fn connect(&self) -> (u32, Option<String>) {
        self.orders.send(LoadOrder::Connect);
        match self.next() {
            LoadNews::Connected { clients, error, .. } => (clients, error),
            other => panic!("{other:?}"),
        }
    }

    /// A window of half a second that begins a quarter after the feed.
    fn run(&self, shared: &Shared, drain: Duration) -> LoadMeasured {
        let origin = clock::now() + Duration::from_millis(20);
        let start = origin + Duration::from_millis(250);
        let end = start + Duration::from_millis(500);
        let schedule = Schedule::Constant { rate: Rate::from_hz(server::RATE).unwrap() };
        let mut table = Timetable::new(schedule.clone(), 1, origin);
        let (first, last) = table.between(start, end).unwrap();
        let window = Window { start, end, first, last };
        assert_eq!(window.len(), 50);
        shared.origin.set(origin).unwrap();
        let (warmup, drain_deadline) = (origin, end + drain);
        self.orders.send(LoadOrder::Run(Box::new(TrialTiming {
            schedule,
            seed: 1,
            origin,
            checkpoint: Checkpoint::START,
            warmup,
            window,
            drain_deadline,
            stamps: None,
            halt: None,
        })));
        loop {
            match self.next() {
                LoadNews::Progress(_) => {}
                LoadNews::Finished(measured) => return *measured,
                other => panic!("{other:?}"),
            }
        }
    }
}

/// Connects all clients and runs a trial.
fn trial(plan: LoadPlan, shared: &Shared, drain: Duration) -> LoadMeasured {
    let clients = plan.clients;
    let load = failing_trial(plan, shared, drain);
    assert_eq!(load.connected_at_start, clients);
    load
}

/// The same where clients may be lost before the window.
fn failing_trial(plan: LoadPlan, shared: &Shared, drain: Duration) -> LoadMeasured {
    let (running, clients) = (Running::start(plan.clone()), plan.clients);
    assert_eq!(running.connect(), (clients, None));
    let load = running.run(shared, drain);
    assert!(load.measured.balances(), "{load:?}");
    load
}

const LONG: Duration = Duration::from_secs(15);
const SHORT: Duration = Duration::from_millis(300);

#[test]
fn what_a_server_loses_doubles_and_mixes_up_is_what_the_audit_says() {
    let (target, shared) = start(|_, stream, shared| {
        websocket(stream, shared, |seq| {
            Some(match seq {
                40 | 60 => vec![],
                45 => vec![45, 45],
                50 => vec![51, 50],
                51 => vec![],
                seq => vec![seq],
            })
        });
    });
    let load = trial(plan(target, Contender::WEBSOCKET, 3), &shared, SHORT);
    let audit = load.measured.audit;
    assert_eq!((audit.expected, audit.delivered, audit.lost), (150, 144, 6));
    assert_eq!((audit.duplicated, audit.reordered, audit.superseded), (3, 3, 0));
    assert!(!load.drained);
    assert_eq!(load.measured.counters.errors, 0);
}

#[test]
fn the_drain_ends_when_nothing_is_missing() {
    let (target, shared) = start(|_, stream, shared| websocket(stream, shared, |n| Some(vec![n])));
    let started = Instant::now();
    let load = trial(plan(target, Contender::WEBSOCKET, 5), &shared, LONG);
    assert!(load.drained && started.elapsed() < Duration::from_secs(5), "{load:?}");
    // Who reads the cost of the window at its end is given the time to.
    let end = *shared.origin.wait() + Duration::from_millis(750);
    assert!(load.closing >= end + LINGER, "{} {end}", load.closing);
    let measured = &load.measured;
    assert_eq!((measured.audit.delivered, measured.connect.count()), (250, 5));
    assert_eq!(measured.latency.count(), 250);
    let window = measured.ledger.phase(Phase::Window);
    let messages = measured.counters.messages_in_window;
    assert_eq!(window.get(Direction::Down, Layer::Payload), messages * 64);
    assert_eq!(window.get(Direction::Down, Layer::Framing), messages * 2);
    assert_eq!(window.layer(Layer::Http), 0);
    // A close frame: two bytes of header, four of mask, the code.
    let close = measured.ledger.phase(Phase::Close);
    assert_eq!(close.get(Direction::Up, Layer::Framing), 5 * 8);
    assert!(load.loop_lag.count() >= 3 && load.errors.is_empty(), "{load:?}");
}

#[test]
fn a_client_that_is_cut_off_comes_back_where_it_was() {
    for contender in [Contender::WEBSOCKET, Contender::SHORT_POLL] {
        let (target, shared) = start(move |number, stream, shared| match contender {
            Contender::WEBSOCKET => {
                websocket(stream, shared, |n| (number > 0 || n < 40).then(|| vec![n]));
            }
            _ => polls(stream, shared, Duration::ZERO, if number == 0 { 4 } else { 1_000 }),
        });
        let load = trial(plan(target, contender, 1), &shared, LONG);
        let counters = load.measured.counters;
        assert_eq!((counters.connections_lost, counters.reconnects), (1, 1), "{load:?}");
        assert_eq!((load.measured.audit.delivered, load.measured.audit.lost), (50, 0));
        assert_eq!(load.measured.audit.duplicated, 0);
        let closed = format!("client 0: {target} closed the connection");
        assert_eq!(load.errors, [closed]);
        let requests = shared.requests.lock().unwrap();
        assert!(requests.iter().any(|line| line.contains("after=")), "{requests:?}");
    }
}

#[test]
fn polls_keep_their_period() {
    let (target, shared) = start(|_, s, shared| polls(s, shared, Duration::ZERO, 10_000));
    let load = trial(plan(target, Contender::SHORT_POLL, 20), &shared, LONG);
    let counters = load.measured.counters;
    // Five periods of twenty clients; a tick at an edge of the window may be late by a moment.
    assert!((98..=102).contains(&counters.requests), "{counters:?}");
    assert_eq!((counters.skipped_polls, counters.errors, counters.reconnects), (0, 0, 0));
    assert_eq!(load.measured.audit.delivered, 20 * 50);
    // Uniform on the period: half of it on average.
    let mean = load.measured.latency.mean_us().unwrap();
    assert!((35_000.0..70_000.0).contains(&mean), "{mean} µs");
}

#[test]
fn polls_that_find_one_outstanding_are_skipped_and_counted() {
    let slow = Duration::from_millis(150);
    let (target, shared) = start(move |_, stream, shared| polls(stream, shared, slow, 10_000));
    let load = trial(plan(target, Contender::SHORT_POLL, 2), &shared, LONG);
    let counters = load.measured.counters;
    assert!(counters.skipped_polls >= 2 && counters.requests >= 2, "{counters:?}");
    assert_eq!(load.measured.audit.delivered, 100);
}

#[test]
fn connections_that_are_meant_to_close_are_no_losses() {
    let (target, shared) = start(|_, stream, shared| polls(stream, shared, Duration::ZERO, 1));
    let load = trial(plan(target, Contender::SHORT_POLL_CLOSE, 4), &shared, LONG);
    let counters = load.measured.counters;
    assert_eq!((counters.connections_lost, counters.reconnects, counters.errors), (0, 0, 0));
    assert!((18..=22).contains(&counters.requests), "{counters:?}");
    assert_eq!(load.measured.audit.delivered, 200);
    assert!(load.errors.is_empty(), "{:?}", load.errors);
}

#[test]
fn a_server_that_dies_leaves_a_ledger_that_balances() {
    let (target, shared) = start(|number, mut stream, shared| {
        if number > 0 {
            return websocket(stream, shared, |n| Some(vec![n]));
        }
        // Pings without end, whose pongs nobody reads: at last neither side can write.
        let asked = request(&mut stream, shared).unwrap();
        stream.write_all(&upgrade(&asked, cursor(&asked, shared))).unwrap();
        shared.origin.wait();
        stream.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
        let pings = frame(0x89, &[b'?'; 125]).repeat(1_000);
        let mut written = 0;
        while written < 64 << 20 {
            match stream.write(&pings) {
                Ok(bytes) => written += bytes,
                Err(_) => break,
            }
        }
    });
    let load = trial(plan(target, Contender::WEBSOCKET, 1), &shared, LONG);
    assert!(load.measured.counters.connections_lost == 1, "{load:?}");
    let phases = Phase::ALL.map(|phase| load.measured.ledger.phase(phase).layer(Layer::Framing));
    assert!(phases.iter().sum::<u64>() > 1 << 20, "{phases:?}");
}

#[test]
fn a_refused_connection_is_told() {
    let target = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut plan = plan(target, Contender::SSE, 3);
    (plan.connect_timeout, plan.first_client) = (Duration::from_millis(150), 100);
    let (clients, error) = Running::start(plan).connect();
    assert_eq!(clients, 0);
    let text = error.unwrap();
    let told = format!("cannot connect to {target}: connection refused; is a server listening");
    assert!(text.starts_with("client 10") && text.contains(&told), "{text}");
}

#[test]
fn clients_that_never_subscribe_are_left_out() {
    let (target, shared) = start(|number, mut stream, shared| match number {
        0 => drop(stream.read(&mut [0; 1024]).and_then(|_| stream.read(&mut [0; 1024]))),
        _ => websocket(stream, shared, |n| Some(vec![n])),
    });
    let mut plan = plan(target, Contender::WEBSOCKET, 3);
    plan.connect_timeout = Duration::from_millis(400);
    let running = Running::start(plan);
    let (clients, error) = running.connect();
    assert_eq!((clients, error.unwrap().contains("not subscribed at")), (2, true));
    let load = running.run(&shared, LONG);
    assert!(load.drained && load.measured.balances(), "{load:?}");
    assert_eq!((load.connected_at_start, load.measured.audit.expected), (2, 100));
}

#[test]
fn a_server_that_is_none_of_ours_is_refused() {
    let (target, _) = start(|_, mut stream, shared| {
        let _ = request(&mut stream, shared);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
        let _ = stream.read(&mut [0; 64]);
    });
    let mut plan = plan(target, Contender::SHORT_POLL, 1);
    plan.connect_timeout = Duration::from_millis(100);
    let (clients, error) = Running::start(plan).connect();
    assert_eq!(clients, 0);
    assert!(error.as_ref().unwrap().contains("is it a pushbench server?"), "{error:?}");
}

#[test]
fn an_order_to_stop_is_followed_at_once() {
    let (target, _) = start(|_, stream, shared| websocket(stream, shared, |n| Some(vec![n])));
    let running = Running::start(plan(target, Contender::WEBSOCKET, 2));
    running.connect();
    let started = Instant::now();
    running.orders.send(LoadOrder::Stop);
    assert!(running.news.recv_timeout(Duration::from_secs(5)).is_err(), "nothing more is said");
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[test]
fn orders_out_of_turn_are_refused() {
    let load = Load::new(plan("127.0.0.1:9".parse().unwrap(), Contender::SSE, 1)).unwrap();
    let orders = load.orders();
    let window = Window { start: clock::now(), end: clock::now(), first: Seq(1), last: Seq::NONE };
    let now = clock::now();
    orders.send(LoadOrder::Run(Box::new(TrialTiming {
        schedule: Schedule::Manual,
        seed: 1,
        origin: now,
        checkpoint: Checkpoint::START,
        warmup: now,
        window,
        drain_deadline: now,
        stamps: None,
        halt: None,
    })));
    let error = load.run(|_| {}).unwrap_err().to_string();
    assert!(error.contains("`run` came out of turn"), "{error}");
}

#[test]
fn a_plan_without_clients_is_refused() {
    let error = Load::new(plan("127.0.0.1:9".parse().unwrap(), Contender::SSE, 0)).unwrap_err();
    assert!(error.to_string().contains("at least one"), "{error}");
}
