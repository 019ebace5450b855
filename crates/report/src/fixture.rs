//! Runs that never were, for tests: plausible figures through the real recorder.

use std::net::SocketAddr;
use std::time::Duration;

use pushbench_core::headers::HeaderProfile;
use pushbench_core::scenario::{Point, Scenario};
use pushbench_core::{Delivery, MonoInstant, Seq, Transport};
use pushbench_metrics::breakdown::Breakdown;
use pushbench_metrics::control::ServerMeasured;
use pushbench_metrics::environment::{Environment, WakeUps};
use pushbench_metrics::histogram::LatencyHistogram;
use pushbench_metrics::ledger::{Direction, Layer, Ledger, Phase, Source, Tally, TcpipTally};
use pushbench_metrics::models::{Check, Latency};
use pushbench_metrics::observer::{Arrival, Event, Observer as _, Window};
use pushbench_metrics::record::{CpuSpent, FORMAT, Resources, RunRecord, TrialId, TrialRecord};
use pushbench_metrics::recorder::Recorder;
use pushbench_metrics::stamps::{LoadStamps, Received, ServerStamps, Written};
use pushbench_metrics::warning::{Invalid, Lag, Warning};

const SECOND: u64 = 1_000_000_000;

/// Four transports, three rounds; one trial repeated, another invalid for good, some warnings.
pub(crate) fn quick() -> RunRecord {
    let mut record = run("name = \"quick\"\nclients = 40\nduration = \"4s\"\nruns = 3");
    let stalled = Invalid::MachineStalled { worst: Duration::from_millis(240) };
    let again = trial_mut(&mut record, Transport::Sse, 2);
    let mut repeat = again.clone();
    again.invalid.push(stalled.clone());
    repeat.attempt = 2;
    repeat.order = 13;
    record.trials.push(repeat);
    trial_mut(&mut record, Transport::LongPoll, 3).invalid.push(stalled);
    for (round, p99_us) in [(1, 1_203.0), (3, 1_510.0)] {
        let trial = trial_mut(&mut record, Transport::ShortPoll, round);
        trial.warnings.push(Warning::PublisherLate(Lag { us: p99_us, at_p99: true }));
    }
    record
}

/// All six transports, six rounds.
pub(crate) fn six() -> RunRecord {
    run(
        "name = \"ticker\"\nclients = 30\nruns = 6\nduration = \"5s\"\ntransports = [\"short-poll\", \
         \"short-poll-close\", \"short-poll-conditional\", \"long-poll\", \"sse\", \"websocket\"]",
    )
}

/// All six transports, two rounds, with stamps of what each message met on its way.
pub(crate) fn broken_down() -> RunRecord {
    let mut record = run(
        "name = \"ticker\"\nclients = 5\nruns = 2\nduration = \"1s\"\ntransports = [\"short-poll\", \
         \"short-poll-close\", \"short-poll-conditional\", \"long-poll\", \"sse\", \"websocket\"]",
    );
    for trial in &mut record.trials {
        trial.breakdown = Some(breakdown(trial.id.transport, u64::from(trial.id.round)));
    }
    record
}

/// A thousand samples of 10 µs publisher lag, 200 µs server, 5 µs network and 85 µs load generator,
/// each `round` times as long; polls wait for 1 to 1,000 ms besides.
fn breakdown(transport: Transport, round: u64) -> Breakdown {
    let address = SocketAddr::from(([127, 0, 0, 1], 40_000));
    let mut server = ServerStamps { peers: vec![address], ..ServerStamps::default() };
    let mut load = LoadStamps { connections: vec![(0, address)], ..LoadStamps::default() };
    for n in 1..=1_000 {
        let (seq, due) = (Seq(n), MonoInstant(n * SECOND));
        let after = |from: MonoInstant, us: u64| from.plus_nanos(us * 1_000 * round);
        let published = after(due, 10);
        let waited = if transport.polls_on_a_period() { n * 1_000 / round } else { 0 };
        let asked = after(published, waited);
        let written = after(asked, 200);
        let kernel = after(written, 5);
        server.published.push((seq, published));
        server.written.push(Written { peer: 0, first: seq, more: 0, at: written });
        let (kernel, at) = (Some(kernel), after(kernel, 85));
        load.received.push(Received { connection: 0, seq, last: seq, due, asked, kernel, at });
    }
    Breakdown::join(&[server], &[load], true)
}

/// Points that differ in clients, four of them.
pub(crate) fn sweep() -> RunRecord {
    run("name = \"sweep\"\nclients = [5, 10, 20, 40]\nduration = \"2s\"\nruns = 3")
}

/// Points that differ in clients, with the same work for all of them together.
pub(crate) fn scale() -> RunRecord {
    run(
        "name = \"scale\"\nclients = [5, 10, 20, 40]\ntotal_rate = 1000\nduration = \"2s\"\nruns = 3",
    )
}

/// Messages supersede each other.
pub(crate) fn latest() -> RunRecord {
    run("name = \"latest\"\nclients = 20\nduration = \"4s\"\nruns = 3\ndelivery = \"latest\"")
}

/// Polls from a tenth of the publish interval to ten times of it, of the newest message.
pub(crate) fn ratios() -> RunRecord {
    run("name = \"ratios\"\nclients = 10\nrate = \"5/s\"\nduration = \"4s\"\nruns = 2\n\
         delivery = \"latest\"\ntransports = [\"short-poll\", \"websocket\"]\n\
         poll_interval = [\"20ms\", \"200ms\", \"2s\"]")
}

/// Points that differ in payload size, over all that a chart has to show.
pub(crate) fn payloads() -> RunRecord {
    run("name = \"payloads\"\nclients = 5\nduration = \"2s\"\nruns = 3\n\
         payload = [\"10B\", \"100B\", \"1KiB\", \"10KiB\", \"64KiB\"]\n[feed]\npayload = \"text\"")
}

/// `record` as of a kernel that does not count what TCP and IP add.
pub(crate) fn without_tcpip(mut record: RunRecord) -> RunRecord {
    for trial in &mut record.trials {
        without_tcpip_of(trial);
    }
    record
}

/// Takes what TCP and IP added from one trial.
pub(crate) fn without_tcpip_of(trial: &mut TrialRecord) {
    let full = &trial.measured.ledger;
    let mut ledger = Ledger::default();
    Phase::ALL.into_iter().for_each(|phase| ledger.add(phase, full.phase(phase)));
    (ledger.socket_up, ledger.socket_down) = (full.socket_up, full.socket_down);
    trial.measured.ledger = ledger;
}

/// The run of a scenario, given as TOML.
pub(crate) fn run(toml: &str) -> RunRecord {
    let scenario = Scenario::parse(toml).unwrap();
    let points = scenario.points(None);
    let mut trials = Vec::new();
    for point in &points {
        for round in 1..=scenario.runs {
            for &transport in &scenario.transports {
                let order = u32::try_from(trials.len() + 1).unwrap();
                let id = TrialId { point: point.id, transport, round };
                trials.push(trial(&scenario, point, id, order));
            }
        }
    }
    RunRecord {
        format: FORMAT,
        version: "0.1.0".to_owned(),
        started: "2026-01-31T12:00:00Z".to_owned(),
        command_line: ["pushbench", "run", "quick"].map(str::to_owned).to_vec(),
        environment: environment(),
        scenario,
        headers: HeaderProfile::minimal(),
        points,
        trials,
        partial: false,
    }
}

/// The first attempt of a trial, at the first point.
pub(crate) fn trial_mut(record: &mut RunRecord, of: Transport, round: u32) -> &mut TrialRecord {
    let ours = |trial: &&mut TrialRecord| trial.id.transport == of && trial.id.round == round;
    record.trials.iter_mut().find(ours).unwrap()
}

fn environment() -> Environment {
    Environment {
        kernel: "6.1.0-18-amd64".to_owned(),
        architecture: "x86_64".to_owned(),
        cpu_model: "AMD EPYC 7B13".to_owned(),
        cores: Some(2),
        memory_bytes: Some(8 << 30),
        open_files_soft: Some(1_024),
        open_files_hard: Some(u64::MAX),
        local_ports: Some((32_768, 60_999)),
        somaxconn: Some(4_096),
        clocksource: "tsc".to_owned(),
        boot_id: "5d3e…".to_owned(),
        hypervisor: Some(true),
        governor: "performance".to_owned(),
        smt: Some(false),
        receive_stamps: Some(true),
        packet_capture: Some(false),
        real_time: Some(true),
        wake_ups: Some(WakeUps { p50_ns: 21_000, max_ns: 1_400_000 }),
    }
}

/// A generator that is good enough here and gives the same numbers for ever.
struct Noise(u64);

impl Noise {
    /// On (0, 1).
    fn uniform(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// About a log-normal around `middle`, with a longer tail.
    fn delay_us(&mut self, middle: f64) -> f64 {
        let normal = (0..6).map(|_| self.uniform()).sum::<f64>() - 3.0;
        let tail = if self.uniform() < 0.01 { 4.0 / self.uniform() } else { 1.0 };
        middle * (normal * 0.5).exp() * tail.min(60.0)
    }
}

fn trial(scenario: &Scenario, point: &Point, id: TrialId, order: u32) -> TrialRecord {
    let seed = u64::from(order) * 7_919 + u64::from(point.id);
    let mut noise = Noise(seed);
    noise.uniform();
    let drift = 1.0 + 0.1 * noise.uniform();
    let period = (1e9 / point.rate_hz) as u64;
    let start = 1_000 * SECOND + u64::from(order) * 20 * SECOND;
    let end = start + scenario.duration.0.as_nanos() as u64;
    let per_second = point.rate_hz as u64;
    let first = 2 * per_second + 1;
    let count = (end - start) / period;
    let window = Window {
        start: MonoInstant(start),
        end: MonoInstant(end),
        first: Seq(first),
        last: Seq(first + count - 1),
    };
    let mut recorder = Recorder::new(point.clients, scenario.delivery);
    let mut own = Noise(seed ^ 0x55);
    let tcpip = Ledger::default();
    let mut player =
        Player { point, id, window, period, drift, noise, recorder: &mut recorder, tcpip };
    player.connect();
    player.recorder.set_window(window);
    for client in 0..point.clients {
        player.client(client, scenario.delivery);
    }
    player.close();
    let tcpip = player.tcpip;
    let mut measured = recorder.finish(|_| true);
    measured.ledger.merge(&tcpip);
    let messages = measured.counters.messages_in_window;
    TrialRecord {
        id,
        order,
        attempt: 1,
        invalid: Vec::new(),
        warnings: Vec::new(),
        window,
        connected: point.clients,
        measured,
        loop_lag: lag(&mut own, 40.0),
        server: Some(ServerMeasured {
            published: count,
            publish_lag: lag(&mut own, 60.0),
            ..ServerMeasured::default()
        }),
        breakdown: None,
        resources: resources(id.transport, messages, drift, point.clients),
        errors: Vec::new(),
        check: check(point, id.transport),
    }
}

/// What the noise above is around.
fn check(point: &Point, transport: Transport) -> Check {
    let poll_us = point.poll_interval.0.as_secs_f64() * 1e6;
    let latency = if transport.polls_on_a_period() {
        Latency::short_poll(poll_us, 420.0)
    } else {
        Latency::stream(point.clients, 4.0, 300.0)
    };
    Check { latency: Some(latency), ..Check::default() }
}

fn lag(noise: &mut Noise, middle_us: f64) -> LatencyHistogram {
    let mut lag = LatencyHistogram::default();
    (0..500).for_each(|_| lag.record_ns((noise.delay_us(middle_us) * 1e3) as u64));
    lag
}

fn resources(transport: Transport, messages: u64, drift: f64, clients: u32) -> Resources {
    let us = match transport {
        Transport::ShortPoll => 11.0,
        Transport::ShortPollClose => 38.0,
        Transport::ShortPollConditional => 12.0,
        Transport::LongPoll => 27.0,
        Transport::Sse => 4.1,
        Transport::Websocket => 3.9,
    };
    let spent = |factor: f64| {
        let total = Duration::from_nanos((us * drift * factor * 1e3 * messages as f64) as u64);
        Some(CpuSpent { total, user: total / 2, system: total / 2 })
    };
    Resources {
        server_cpu: spent(1.0),
        load_cpu: spent(1.4),
        server_rss_growth: Some(u64::from(clients) * 9_300),
        load_rss_growth: Some(u64::from(clients) * 12_400),
        canary_worst: Some(Duration::from_micros(900)),
        disturbance: None,
        load_processes: 1,
        server_processes: 1,
        source_addresses: 1,
        pinned: None,
        ..Resources::default()
    }
}

/// Plays the clients of one trial.
struct Player<'a> {
    point: &'a Point,
    id: TrialId,
    window: Window,
    period: u64,
    drift: f64,
    noise: Noise,
    recorder: &'a mut Recorder,
    /// What TCP and IP add, and nothing else.
    tcpip: Ledger,
}

impl Player<'_> {
    fn moved(&mut self, phase: Phase, at: u64, parts: &[(Direction, Layer, u64)]) {
        let mut tally = Tally::default();
        parts.iter().for_each(|&(direction, layer, bytes)| tally.add(direction, layer, bytes));
        self.recorder.sockets_moved(tally.total(Direction::Up), tally.total(Direction::Down));
        self.recorder.moved(phase, MonoInstant(at), &tally);
        // A stream's message and its ACK; a request, its response and the ACK of that; of a
        // connection for each poll also SYN, SYN and ACK, ACK, and three packets to close it.
        let (up, down) = match self.id.transport {
            Transport::Sse | Transport::Websocket => (1, 1),
            Transport::ShortPollClose => (4, 3),
            _ => (2, 1),
        };
        self.packets(phase, Direction::Up, Source::Kernel, up);
        self.packets(phase, Direction::Down, Source::Kernel, down);
        if self.id.transport == Transport::ShortPollClose {
            self.packets(phase, Direction::Up, Source::Modelled, 1);
        }
    }

    fn packets(&mut self, phase: Phase, direction: Direction, source: Source, packets: u64) {
        let header_bytes = 52 * packets;
        let tally = TcpipTally { packets, header_bytes, retransmitted_bytes: 0 };
        self.tcpip.add_tcpip(phase, direction, source, &tally);
    }

    /// What nobody could count any more; and in the first round a response was sent again.
    fn close(&mut self) {
        let clients = u64::from(self.point.clients);
        self.packets(Phase::Close, Direction::Up, Source::Modelled, 2 * clients);
        self.packets(Phase::Close, Direction::Down, Source::Modelled, clients);
        if self.id.round == 1 {
            let tally = TcpipTally { packets: 1, header_bytes: 52, retransmitted_bytes: 148 };
            self.tcpip.add_tcpip(Phase::Window, Direction::Down, Source::Kernel, &tally);
        }
    }

    fn connect(&mut self) {
        let at = self.window.start.0 - 2 * SECOND;
        for client in 0..self.point.clients {
            let took = Duration::from_nanos((self.noise.delay_us(300.0) * 1e3) as u64);
            let event = Event::Connected { client, took };
            self.recorder.happened(Phase::Connect, MonoInstant(at), &event);
            let parts = [(Direction::Up, Layer::Http, 160), (Direction::Down, Layer::Http, 129)];
            self.moved(Phase::Connect, at, &parts);
        }
    }

    /// When message `n` of the window, which may lie before or after it, is due.
    fn due(&self, n: i64) -> u64 {
        self.window.start.0.wrapping_add_signed(n * self.period.cast_signed())
    }

    fn client(&mut self, client: u32, delivery: Delivery) {
        let transport = self.id.transport;
        let before = -((SECOND / self.period) as i64);
        let count = self.window.len() as i64 + (SECOND / self.period) as i64;
        if transport.polls_on_a_period() {
            return self.polls(client, delivery, before..count);
        }
        let middle = match transport {
            Transport::LongPoll => 620.0,
            Transport::Sse => 405.0,
            _ => 395.0,
        };
        let mut last = 0;
        for n in before..count {
            let delay = (self.noise.delay_us(middle * self.drift) * 1e3) as u64;
            let at = (self.due(n) + delay).max(last + 1);
            last = at;
            self.arrived(client, n, at);
            self.moved(self.phase(at), at, &self.cost(1));
            if transport == Transport::LongPoll {
                self.recorder.happened(self.phase(at), MonoInstant(at), &Event::Request { client });
            }
        }
    }

    fn polls(&mut self, client: u32, delivery: Delivery, messages: std::ops::Range<i64>) {
        let interval = self.point.poll_interval.0.as_nanos() as u64;
        let phase = (interval as f64 * self.noise.uniform()) as u64;
        let mut next = messages.start;
        let mut tick = self.window.start.0 - SECOND + phase;
        while tick < self.window.end.0 + SECOND {
            let at = tick + (self.noise.delay_us(420.0) * 1e3) as u64;
            let due_by = |n: i64| self.due(n) <= tick;
            let new = (next..messages.end).take_while(|&n| due_by(n)).count() as i64;
            let skip = if delivery == Delivery::Latest { (new - 1).max(0) } else { 0 };
            for n in next + skip..next + new {
                self.arrived(client, n, at);
            }
            next += new;
            self.moved(self.phase(at), at, &self.cost((new - skip) as u64));
            self.recorder.happened(self.phase(at), MonoInstant(at), &Event::Request { client });
            if new == 0 {
                self.recorder.happened(
                    self.phase(at),
                    MonoInstant(at),
                    &Event::EmptyResponse { client },
                );
            }
            tick += interval;
        }
    }

    fn phase(&self, at: u64) -> Phase {
        match at {
            _ if at < self.window.start.0 => Phase::Warmup,
            _ if at < self.window.end.0 => Phase::Window,
            _ => Phase::Drain,
        }
    }

    /// What a response with `messages`, or a message of a stream, moves.
    fn cost(&self, messages: u64) -> Vec<(Direction, Layer, u64)> {
        let payload = self.point.payload_bytes as u64 * messages;
        let (up, framing, http) = match self.id.transport {
            Transport::ShortPoll | Transport::LongPoll => (157, 3 * messages, 148),
            Transport::ShortPollClose => (176, 3 * messages, 167),
            Transport::ShortPollConditional => (189, 3 * messages, 160),
            Transport::Sse => (0, 24 * messages, 0),
            Transport::Websocket => (0, 2 * messages, 0),
        };
        vec![
            (Direction::Up, Layer::Http, up),
            (Direction::Down, Layer::Payload, payload),
            (Direction::Down, Layer::Framing, framing),
            (Direction::Down, Layer::Http, http),
        ]
    }

    fn arrived(&mut self, client: u32, n: i64, at: u64) {
        let seq = Seq(self.window.first.0.wrapping_add_signed(n));
        let due = MonoInstant(self.due(n));
        self.recorder.arrived(&Arrival { client, seq, due, at: MonoInstant(at) });
    }
}
