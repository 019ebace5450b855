//! The load generator against the server, both as they are, over sockets: for each transport
//! under each delivery what one says it sent is what the other says it got.
//!
//! A test is named `delivery::transport`.

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use pushbench_core::contender::{Coding, Connection};
use pushbench_core::feed::FeedSpec;
use pushbench_core::feed::message::SEQ_DIGITS;
use pushbench_core::feed::payload::{Payload, PayloadKind};
use pushbench_core::feed::schedule::{Checkpoint, Schedule, Timetable};
use pushbench_core::units::Rate;
use pushbench_core::{Contender, Delivery, MonoInstant};
use pushbench_load::{Load, OrderSender};
use pushbench_metrics::observe::attempts::Attempts;
use pushbench_metrics::observe::ledger::{Direction, Layer, Phase};
use pushbench_metrics::observe::observer::Window;
use pushbench_metrics::record::control::{
    LoadMeasured, LoadNews, LoadOrder, LoadPlan, ServerMeasured, TrialTiming,
};
use pushbench_os::time::clock;
use pushbench_testkit::PATIENCE;
use pushbench_testkit::reader::{Message, Reader};
use pushbench_testkit::started::StartedServer;

const CLIENTS: u32 = 20;
const PAYLOAD: usize = 64;
const POLL_INTERVAL: Duration = Duration::from_millis(200);
const WINDOW: Duration = Duration::from_secs(1);
/// 50 messages a second for a second.
const PUBLISHED: u64 = 50;

fn feed(seed: u64) -> FeedSpec {
    let rate = Rate::from_hz(50.0).expect("50/s is a rate");
    let payload = Payload::Generated { kind: PayloadKind::Text, bytes: PAYLOAD };
    FeedSpec { seed, schedule: Schedule::Constant { rate }, payload }
}

/// A load generator in a thread of its own.
struct RunningLoad {
    orders: OrderSender,
    news: Receiver<LoadNews>,
    thread: JoinHandle<()>,
}

impl RunningLoad {
    fn start(plan: LoadPlan) -> Self {
        let load = Load::new(plan).expect("the plan is one");
        let orders = load.orders();
        let (said, news) = channel();
        let run = move || {
            // A test that has failed does not listen any more.
            let run = load.run(|news| drop(said.send(news)));
            run.expect("the load generator goes on to its end");
        };
        Self { orders, news, thread: thread::spawn(run) }
    }

    /// The next news that is not about progress.
    fn hear(&self) -> LoadNews {
        loop {
            // A trial is as long as its drain at most, which has that much time too.
            match self.news.recv_timeout(2 * PATIENCE).expect("there is news") {
                LoadNews::Progress(_) => {}
                news => return news,
            }
        }
    }

    fn connect(&self) {
        assert_eq!(self.hear(), LoadNews::Ready);
        self.orders.send(LoadOrder::Connect);
        let LoadNews::Connected { clients, error, .. } = self.hear() else { panic!("connected") };
        assert_eq!((clients, error), (CLIENTS, None));
    }

    fn finish(self) -> LoadMeasured {
        let LoadNews::Finished(measured) = self.hear() else { panic!("the trial has an end") };
        self.thread.join().expect("the load generator does not panic");
        *measured
    }
}

/// The reports of both sides of a trial, and what the test knows itself.
struct Outcome {
    load: LoadMeasured,
    server: ServerMeasured,
    window: Window,
    /// The trial was over by then.
    over: MonoInstant,
}

fn plan(target: SocketAddr, contender: Contender, delivery: Delivery) -> LoadPlan {
    LoadPlan {
        delivery,
        poll_interval: POLL_INTERVAL,
        long_poll_timeout: Duration::from_secs(5),
        seed: 11,
        connect_timeout: PATIENCE,
        ..LoadPlan::new(target, contender, CLIENTS)
    }
}

/// When what happens, for a feed that starts now.
fn timing(feed: &FeedSpec) -> TrialTiming {
    let origin = clock::now() + Duration::from_millis(50);
    let start = origin + Duration::from_millis(300);
    let end = start + WINDOW;
    let mut table = Timetable::new(feed.schedule.clone(), feed.seed, origin);
    let (first, last) = table.between(start, end).expect("few messages are due");
    TrialTiming {
        schedule: feed.schedule.clone(),
        seed: feed.seed,
        origin,
        checkpoint: Checkpoint::START,
        warmup: origin,
        window: Window { start, end, first, last },
        // The drain ends when everything is accounted for; this is when the test gives up.
        drain_deadline: end + PATIENCE,
        stamps: None,
        halt: None,
    }
}

/// A trial, as the parent of a run drives it.
fn trial(contender: Contender, delivery: Delivery) -> Outcome {
    let feed = feed(3);
    let server = StartedServer::feed(feed.clone());
    let load = RunningLoad::start(plan(server.addr(), contender, delivery));
    load.connect();
    play(&feed, server, load)
}

/// A trial whose clients are connected.
fn play(feed: &FeedSpec, server: StartedServer, load: RunningLoad) -> Outcome {
    let timing = timing(feed);
    let window = timing.window;
    server.start_schedule_at(timing.origin);
    server.measure(window);
    load.orders.send(LoadOrder::Run(Box::new(timing)));
    let load = load.finish();
    let over = clock::now();
    Outcome { load, server: server.stop_blocking(), window, over }
}

impl Outcome {
    /// The checks of every delivery.
    fn check(&self, contender: Contender) {
        let (measured, counters) = (&self.load.measured, &self.load.measured.counters);
        assert_eq!(self.window.len(), PUBLISHED);
        assert_eq!(self.server.published, PUBLISHED);
        assert_eq!(self.server.publish_lag.count(), PUBLISHED);
        assert_eq!(self.load.errors, [""; 0]);
        assert_eq!(self.load.attempts, Attempts::default(), "nobody is refused or let go too soon");
        assert_eq!((counters.errors, counters.connections_lost, counters.reconnects), (0, 0, 0));
        assert_eq!(self.load.connected_at_start, CLIENTS);
        assert_eq!(measured.connect.count(), u64::from(CLIENTS));
        assert!(self.load.drained, "{:?}", measured.audit);

        let audit = &measured.audit;
        assert_eq!((audit.published, audit.clients), (PUBLISHED, u64::from(CLIENTS)));
        assert!(audit.balances(), "{audit:?}");
        assert_eq!((audit.lost, audit.duplicated, audit.reordered), (0, 0, 0));
        assert_eq!(measured.latency.count(), audit.delivered);
        assert!(measured.ledger.balances(), "{:?}", measured.ledger);
        assert!(measured.balances());
        self.check_bytes(contender);
        self.check_times();
        let connections = self.server.connections;
        match contender.stack.connection {
            Connection::Closed => assert!(connections > u64::from(CLIENTS)),
            Connection::Kept => assert_eq!(connections, u64::from(CLIENTS)),
        }
    }

    /// Payload is counted wherever a message arrives, and nothing else is payload.
    fn check_bytes(&self, contender: Contender) {
        let ledger = &self.load.measured.ledger;
        let tallies = Phase::ALL.map(|phase| *ledger.phase(phase));
        let down = |layer| tallies.iter().map(|tally| tally.get(Direction::Down, layer)).sum();
        let up = |layer| tallies.iter().map(|tally| tally.get(Direction::Up, layer)).sum();
        let (payload, framing, http): (u64, u64, u64) =
            (down(Layer::Payload), down(Layer::Framing), down(Layer::Http));
        let messages: u64 = tallies.iter().map(|tally| tally.messages()).sum();
        assert!(messages >= self.load.measured.audit.delivered * PAYLOAD as u64);
        if contender.stack.coding == Coding::None {
            assert_eq!(messages, payload);
        }
        assert!(http > 0);
        // Under `latest` a poll's body is the message and nothing beside it.
        let bare = framing == 0 && !contender.shape().streams();
        assert!(framing > 0 || bare);
        let (payload, http): (u64, u64) = (up(Layer::Payload), up(Layer::Http));
        assert_eq!(payload, 0, "clients send no message");
        assert!(http > 0);
    }

    /// No message came before it was due, or after the end; how late it may be depends on the
    /// machine, and no test on that.
    fn check_times(&self) {
        let latency = &self.load.measured.latency;
        let longest = self.over.saturating_since(self.window.start).as_secs_f64() * 1e6;
        let max = latency.max_us().expect("something was delivered");
        // A histogram of three digits may round up by a thousandth.
        assert!(max <= longest * 1.001, "{max} µs of at most {longest}");
        let lag = self.server.publish_lag.max_us().expect("something was published");
        assert!(lag <= longest * 1.001, "{lag} µs of at most {longest}");
    }
}

fn check_every(contender: Contender) {
    let outcome = trial(contender, Delivery::Every);
    outcome.check(contender);
    let audit = &outcome.load.measured.audit;
    assert_eq!((audit.delivered, audit.superseded), (audit.expected, 0));
    assert_eq!((outcome.server.superseded, outcome.server.overrun), (0, 0));
}

fn check_latest(contender: Contender) {
    let outcome = trial(contender, Delivery::Latest);
    outcome.check(contender);
    let (audit, age) = (&outcome.load.measured.audit, &outcome.load.measured.age);
    assert_eq!(audit.delivered + audit.superseded, audit.expected);
    assert!(age.mean_us().is_some(), "the age of information is what is compared");
    if contender.shape().asks() {
        // One message a poll: at 50/s and five polls a second most are superseded.
        assert!(audit.superseded > 0, "{audit:?}");
    }
}

macro_rules! case {
    ($name:ident, $check:ident, $contender:expr) => {
        #[test]
        fn $name() {
            super::$check($contender);
        }
    };
}

macro_rules! over_all_transports {
    ($($delivery:ident => $check:ident),+ $(,)?) => {$(
        mod $delivery {
            pushbench_testkit::each_contender!(case, $check);
        }
    )+};
}

// Behind the macros, which they use.
mod refusals;
mod tls;

over_all_transports!(
    every => check_every,
    latest => check_latest,
);

/// The first messages of a server of this seed, received by `contender`.
async fn first_messages(seed: u64, contender: Contender) -> Vec<Message> {
    let server = StartedServer::feed(feed(seed));
    let opened = <dyn Reader>::open(contender, server.target(), None, Delivery::Every).await;
    let mut reader = opened.expect("the server subscribes it");
    server.start_schedule();
    let messages = reader.take(30).await.expect("the messages come");
    reader.close().await.expect("the connection ends as it should");
    messages
}

#[tokio::test]
async fn the_same_seed_gives_the_same_messages() {
    let messages = first_messages(5, Contender::WEBSOCKET).await;
    assert_eq!(first_messages(5, Contender::LONG_POLL).await, messages);
    let others = first_messages(6, Contender::WEBSOCKET).await;
    // Behind the number, which is the same.
    let texts = |messages: &[Message]| -> Vec<_> {
        messages.iter().map(|message| message.payload.slice(SEQ_DIGITS..)).collect()
    };
    assert!(texts(&messages).iter().zip(texts(&others)).all(|(one, other)| *one != other));
}
