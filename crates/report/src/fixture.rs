//! Runs that never were, for tests: plausible figures through the real recorder.

pub(crate) mod life;
mod player;

use std::net::SocketAddr;
use std::time::Duration;

use pushbench_core::contender::Security;
use pushbench_core::scenario::{Objective, Point, Scenario};
use pushbench_core::security::{Agreed, Secured};
use pushbench_core::{Contender, MonoInstant, Seq};
use pushbench_metrics::judge::breakdown::Breakdown;
use pushbench_metrics::judge::models::{Check, Latency};
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_metrics::observe::ledger::{Direction, Ledger, Phase, Source, TcpipTally};
use pushbench_metrics::observe::observer::Window;
use pushbench_metrics::observe::served::{ServedBytes, ServedWay};
use pushbench_metrics::observe::stamps::{LoadStamps, Received, ServerStamps, Written};
use pushbench_metrics::record::browser::BrowserMeasured;
use pushbench_metrics::record::capacity::{
    Capacity, Limit, Over, Place, Reading, Search, Step, Verdict,
};
use pushbench_metrics::record::control::ServerMeasured;
use pushbench_metrics::record::environment::{Environment, WakeUps};
use pushbench_metrics::record::flags::Flags;
use pushbench_metrics::record::floor::FloorTrial;
use pushbench_metrics::record::warning::{Invalid, Lag, Warning};
use pushbench_metrics::record::{CpuTime, FORMAT, Resources, RunRecord, TrialId, TrialRecord};
use pushbench_protocol::headers::HeaderProfile;

use self::player::Noise;

const SECOND: u64 = 1_000_000_000;

/// Four transports, three rounds; one trial repeated, another invalid for good, some warnings.
pub(crate) fn quick() -> RunRecord {
    let mut record = run("name = \"quick\"\nclients = 40\nduration = \"4s\"\nruns = 3");
    let stalled = Invalid::MachineStalled { worst: Duration::from_millis(240), share: 0.0 };
    let again = trial_mut(&mut record, Contender::SSE, 2);
    let mut repeat = again.clone();
    again.invalid.push(stalled.clone());
    repeat.attempt = 2;
    repeat.order = 13;
    record.trials.push(repeat);
    trial_mut(&mut record, Contender::LONG_POLL, 3).invalid.push(stalled);
    for (round, p99_us) in [(1, 1_203.0), (3, 1_510.0)] {
        let trial = trial_mut(&mut record, Contender::SHORT_POLL, round);
        trial.warnings.push(Warning::PublisherLate(Lag { us: p99_us, at_p99: true }));
    }
    record
}

/// One trial of each transport with tabs of a browser for clients, and so many bytes above TCP and of TCP
/// and IP for each message.
pub(crate) fn browsed(socket_bytes: u64, header_bytes: u64) -> RunRecord {
    let mut record = run("name = \"tabs\"\nclient = \"chromium\"\nclients = 4\nruns = 1");
    for trial in &mut record.trials {
        let messages = trial.measured.counters.messages_in_window;
        let tcpip = TcpipTally { header_bytes: header_bytes * messages, ..TcpipTally::default() };
        let down = ServedWay { socket_bytes: socket_bytes * messages, tcpip };
        let served = ServedBytes { down, ..ServedBytes::default() };
        trial.server.get_or_insert_default().served = Some(served);
        trial.browser = Some(BrowserMeasured::default());
        trial.measured.ledger = Ledger::default();
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

/// A stream in clear, in TLS, with each coding and with both, and a poll for a foil.
pub(crate) fn stacks() -> RunRecord {
    run("name = \"stacks\"\nclients = 30\nruns = 3\nduration = \"2s\"\npayload = \"1KiB\"\n\
         transports = [\"websocket\", \"websocket+tls\", \"websocket+deflate\", \
         \"websocket+deflate-takeover\", \"websocket+tls+deflate-takeover\", \
         \"short-poll-close+tls\"]\n[tls]\ncertificate = [\"p256\", \"rsa-2048\"]\n\
         [compression]\nlevel = 9")
}

/// All six transports, two rounds, with stamps of what each message met on its way.
pub(crate) fn broken_down() -> RunRecord {
    let mut record = run(
        "name = \"ticker\"\nclients = 5\nruns = 2\nduration = \"1s\"\ntransports = [\"short-poll\", \
         \"short-poll-close\", \"short-poll-conditional\", \"long-poll\", \"sse\", \"websocket\"]",
    );
    stamp(&mut record);
    record
}

/// The run of a scenario, given as TOML, with such stamps and the floor of each point.
pub(crate) fn broken_down_run(toml: &str) -> RunRecord {
    let mut record = run(toml);
    stamp(&mut record);
    add_floors(&mut record);
    record
}

fn stamp(record: &mut RunRecord) {
    for trial in &mut record.trials {
        trial.breakdown = Some(breakdown(trial.id.contender, u64::from(trial.id.round)));
    }
}

/// A thousand samples of 10 µs publisher lag, 200 µs server, 5 µs network and 85 µs load generator,
/// each `round` times as long; polls wait for 1 to 1,000 ms besides.
fn breakdown(contender: Contender, round: u64) -> Breakdown {
    let address = SocketAddr::from(([127, 0, 0, 1], 40_000));
    let mut server = ServerStamps { peers: vec![address], ..ServerStamps::default() };
    let mut load = LoadStamps { connections: vec![(0, address)], ..LoadStamps::default() };
    for n in 1..=1_000 {
        let (seq, due) = (Seq(n), MonoInstant(n * SECOND));
        let after = |from: MonoInstant, us: u64| from.plus_nanos(us * 1_000 * round);
        let published = after(due, 10);
        let waited = if contender.shape().asks() { n * 1_000 / round } else { 0 };
        let asked = after(published, waited);
        let written = after(asked, 200);
        let kernel = after(written, 5);
        server.published.push((seq, published));
        server.written.push(Written { peer: 0, first: seq, more: 0, at: written, requested: None });
        let (kernel, at) = (Some(kernel), after(kernel, 85));
        load.received.push(Received { connection: 0, seq, last: seq, due, asked, kernel, at });
    }
    Breakdown::join(&[server], &[load], true)
}

/// Points that differ in clients, four of them.
pub(crate) fn sweep() -> RunRecord {
    run("name = \"sweep\"\nclients = [5, 10, 20, 40]\nduration = \"2s\"\nruns = 3")
}

/// Points that differ in clients, with the same work for all of them together, and the floor of it.
pub(crate) fn scale() -> RunRecord {
    let mut record = run("name = \"scale\"\nclients = [5, 10, 20, 40]\ntotal_rate = 1000\n\
         duration = \"2s\"\nruns = 3\nfloor = true");
    add_floors(&mut record);
    record
}

/// Three trials of bare loops at each point.
fn add_floors(record: &mut RunRecord) {
    let cpu = |micros| CpuTime { total: Duration::from_micros(micros), ..CpuTime::default() };
    let points = record.points.iter().map(|point| point.id);
    let each = points.flat_map(|point| (1..=3).map(move |round| (point, round)));
    let floor = |(point, round): (u32, u32)| FloorTrial {
        point,
        round,
        invalid: Vec::new(),
        messages: 2_000,
        server_cpu: Some(cpu(u64::from(9_000 + 100 * round + 500 * point))),
        load_cpu: Some(cpu(u64::from(7_000 + 100 * round))),
    };
    record.floors = each.map(floor).collect();
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

/// `record` as of a run that captured its packets.
pub(crate) fn captured(mut record: RunRecord) -> RunRecord {
    let tally = TcpipTally { packets: 7, header_bytes: 364, retransmitted_bytes: 12 };
    for trial in &mut record.trials {
        let ledger = &mut trial.measured.ledger;
        ledger.add_tcpip(Phase::Window, Direction::Down, Source::Captured, &tally);
    }
    record
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
            for &contender in &scenario.contenders {
                let order = u32::try_from(trials.len() + 1).unwrap();
                let id = TrialId { point: point.id, contender, round };
                trials.push(trial(&scenario, point, id, order));
            }
        }
    }
    RunRecord {
        format: FORMAT,
        version: "0.1.0".to_owned(),
        started: "2026-01-31T12:00:00Z".to_owned(),
        command_line: ["pushbench", "run", "quick"].map(str::to_owned).to_vec(),
        flags: Flags::default(),
        environment: environment(),
        scenario,
        headers: HeaderProfile::minimal(),
        subjects: Vec::new(),
        price: None,
        points,
        trials,
        floors: Vec::new(),
        partial: false,
        thresholds: Vec::new(),
        capacity: None,
        advice: None,
    }
}

/// A search for the most clients of two transports, of which one has no capacity.
pub(crate) fn capacity() -> RunRecord {
    let mut record = run("clients = [1, 2, 4]\nduration = \"1s\"\nruns = 1\n\
         transports = [\"short-poll\", \"websocket\"]");
    let objective: Objective = "latency.p99 < 20ms".parse().unwrap();
    let principle = Limit::new(Place::Principle, "it polls each 1s");
    let full = Limit::new(Place::ServerCpu, "it used 97 % of a core");
    let step = |load: f64, holds, limit: Option<&Limit>, median| Step {
        load,
        point: load as u32 / 2 + 1,
        trials: 4,
        met: if holds { 4 } else { 0 },
        holds: Some(holds),
        limit: limit.cloned(),
        readings: vec![Reading { objective: objective.clone(), median }],
    };
    let polls = vec![step(1.0, false, Some(&principle), Some(990_000.0))];
    let streams = vec![
        step(1.0, true, None, Some(300.0)),
        step(2.0, true, None, Some(900.0)),
        step(4.0, false, Some(&full), None),
    ];
    let misses = Verdict::Misses { least: 1.0, limit: principle.clone() };
    let within = Verdict::Within { holds: 2.0, fails: 4.0, limit: full.clone() };
    let search = |contender, verdict, steps| Search { contender, verdict, steps };
    record.capacity = Some(Capacity {
        over: Over::Clients,
        objectives: vec![objective.clone()],
        least: 1.0,
        most: 1e6,
        within: 0.1,
        searches: vec![
            search(Contender::SHORT_POLL, misses, polls),
            search(Contender::WEBSOCKET, within, streams),
        ],
    });
    record
}

/// The first attempt of a trial, at the first point.
pub(crate) fn trial_mut(record: &mut RunRecord, of: Contender, round: u32) -> &mut TrialRecord {
    let ours = |trial: &&mut TrialRecord| trial.id.contender == of && trial.id.round == round;
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
        congestion_control: "cubic".to_owned(),
        clocksource: "tsc".to_owned(),
        boot_id: "5d3e…".to_owned(),
        hypervisor: Some(true),
        governor: "performance".to_owned(),
        smt: Some(false),
        physical_cores: Some(2),
        cpu_quota_millis: None,
        memory_limit_bytes: None,
        receive_stamps: Some(true),
        packet_capture: Some(false),
        real_time: Some(true),
        wake_ups: Some(WakeUps { p50_ns: 21_000, max_ns: 1_400_000 }),
    }
}

fn trial(scenario: &Scenario, point: &Point, id: TrialId, order: u32) -> TrialRecord {
    let seed = u64::from(order) * 7_919 + u64::from(point.id);
    let mut noise = Noise(seed);
    noise.uniform();
    let drift = 1.0 + 0.1 * noise.uniform();
    let start = 1_000 * SECOND + u64::from(order) * 20 * SECOND;
    let end = start + scenario.duration.0.as_nanos() as u64;
    let per_second = point.rate_hz as u64;
    let first = 2 * per_second + 1;
    let count = (end - start) / player::period(point);
    let window = Window {
        start: MonoInstant(start),
        end: MonoInstant(end),
        first: Seq(first),
        last: Seq(first + count - 1),
    };
    let mut own = Noise(seed ^ 0x55);
    let measured = player::play(point, id, window, scenario.delivery, noise, drift);
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
        secured: secured(point, id.contender),
        server: Some(ServerMeasured {
            published: count,
            publish_lag: lag(&mut own, 60.0),
            ..ServerMeasured::default()
        }),
        router: None,
        cross: None,
        proxy: None,
        subject: None,
        browser: None,
        course: None,
        breakdown: None,
        latency_from: Default::default(),
        stamp_offset: None,
        resources: resources(id.contender, messages, drift, point.clients),
        errors: Vec::new(),
        check: check(point, id.contender),
    }
}

/// The model that the noise is around.
fn check(point: &Point, contender: Contender) -> Check {
    let poll_us = point.poll_interval.0.as_secs_f64() * 1e6;
    let latency = if contender.shape().asks() {
        Latency::short_poll(poll_us, 420.0)
    } else {
        Latency::stream(point.clients, 4.0, 300.0)
    };
    Check { latency: Some(latency), ..Check::default() }
}

/// The security of connections with the settings of a point.
fn secured(point: &Point, contender: Contender) -> Option<Secured> {
    let agreed = Agreed {
        version: "1.3".to_owned(),
        cipher: "TLS_AES_256_GCM_SHA384".to_owned(),
        group: "X25519MLKEM768".to_owned(),
        certificate: point.tls.certificate.to_string(),
    };
    (contender.stack.security == Security::Tls).then_some(Secured { agreed, verified: true })
}

fn lag(noise: &mut Noise, middle_us: f64) -> LatencyHistogram {
    let mut lag = LatencyHistogram::default();
    (0..500).for_each(|_| lag.record_ns((noise.delay_us(middle_us) * 1e3) as u64));
    lag
}

fn resources(contender: Contender, messages: u64, drift: f64, clients: u32) -> Resources {
    let basic = Contender { stack: contender.stack.basic(), ..contender };
    let is_secured = contender.stack.security == Security::Tls;
    let us = match basic {
        Contender::SHORT_POLL => 11.0,
        Contender::SHORT_POLL_CLOSE => 38.0,
        Contender::SHORT_POLL_CONDITIONAL => 12.0,
        Contender::LONG_POLL => 27.0,
        Contender::SSE => 4.1,
        _ => 3.9,
    };
    let us = if is_secured { us + 0.9 } else { us };
    let memory = if is_secured { 17_300 } else { 9_300 };
    let spent = |factor: f64| {
        let total = Duration::from_nanos((us * drift * factor * 1e3 * messages as f64) as u64);
        Some(CpuTime { total, user: total / 2, system: total / 2 })
    };
    Resources {
        server_cpu: spent(1.0),
        load_cpu: spent(1.4),
        server_rss_growth: Some(u64::from(clients) * memory),
        load_rss_growth: Some(u64::from(clients) * 12_400),
        canary_worst: Some(Duration::from_micros(900)),
        disturbance: None,
        load_processes: 1,
        server_processes: 1,
        source_addresses: 1,
        pinned: None,
        proxy_cpu: None,
        proxy_rss_growth: None,
        ..Resources::default()
    }
}
