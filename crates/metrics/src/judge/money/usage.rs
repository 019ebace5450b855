//! Usage: what one client takes in a second, of all that providers charge for.

use pushbench_core::Transport;

use crate::observe::ledger::{Direction, Layer, Phase};
use crate::record::{CpuTime, TrialRecord};

/// Resources that one client takes in a second. `None` is "not measured".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// How it receives the feed.
    pub transport: Transport,
    /// Bytes from server to client: at the IP layer where [`out_is_wire`](Self::out_is_wire), else those
    /// that sockets moved.
    pub out_bytes: Option<f64>,
    /// Whether TCP and IP are in [`out_bytes`](Self::out_bytes).
    pub out_is_wire: bool,
    /// Requests.
    pub requests: f64,
    /// The size of one on average, with its answer, without TLS: of polls; of a stream's client, which
    /// says something by requests, without the answer.
    pub request_bytes: f64,
    /// Messages on its stream, both ways; polls have none.
    pub messages: f64,
    /// The size of one on average, before it is compressed.
    pub message_bytes: f64,
    /// For what part of a second it holds a stream's connection; polls hold none.
    pub connections: f64,
    /// Seconds of CPU of the server, and of a proxy before it.
    pub cpu_s: Option<f64>,
    /// Growth of their memory for it, bytes.
    pub memory_bytes: Option<f64>,
}

impl Usage {
    /// The usage in the window of `trial`; `None` where nobody was connected, or there was no window.
    #[must_use]
    pub fn of_trial(trial: &TrialRecord) -> Option<Self> {
        let clients = f64::from(trial.connected);
        let client_seconds = clients * trial.window.duration().as_secs_f64();
        if client_seconds <= 0.0 {
            return None;
        }
        let transport = trial.id.contender.transport;
        let streams = transport.shape().streams();
        let counters = &trial.measured.counters;
        let messages = if streams { messages(trial) } else { 0 };
        let size = trial.measured.ledger.phase(Phase::Window).messages();
        let (cpu, memory) = (cpu(trial), memory(trial));
        let per_second = |amount: u64| as_f64(amount) / client_seconds;
        Some(Self {
            transport,
            out_bytes: out_bytes(trial).map(per_second),
            out_is_wire: trial.measured.ledger.tcpip_bytes(Phase::Window).is_some(),
            requests: per_second(counters.requests),
            request_bytes: mean(request_bytes(trial), counters.requests),
            messages: per_second(messages),
            message_bytes: mean(size, messages),
            connections: if streams { 1.0 } else { 0.0 },
            cpu_s: cpu.map(|cpu| cpu.total.as_secs_f64() / client_seconds),
            memory_bytes: memory.map(|bytes| as_f64(bytes) / clients),
        })
    }
}

impl Usage {
    /// The usage where all that happens to a client happens `factor` times as often: what it holds, a
    /// connection and memory, and the size of things stay as they are.
    #[must_use]
    pub fn at_pace(self, factor: f64) -> Self {
        let often = |amount: Option<f64>| amount.map(|amount| amount * factor);
        Self {
            out_bytes: often(self.out_bytes),
            requests: self.requests * factor,
            messages: self.messages * factor,
            cpu_s: often(self.cpu_s),
            ..self
        }
    }
}

impl Usage {
    /// The usage with so many seconds of CPU more, or less.
    #[must_use]
    pub fn with_cpu(self, more_s: f64) -> Self {
        Self { cpu_s: self.cpu_s.map(|cpu_s| (cpu_s + more_s).max(0.0)), ..self }
    }
}

/// Messages on the streams of a trial's clients in its window, both ways.
fn messages(trial: &TrialRecord) -> u64 {
    let counters = &trial.measured.counters;
    let said = if trial.id.contender.transport.is_duplex() { counters.said } else { 0 };
    let window = trial.measured.ledger.phase(Phase::Window);
    // Where clients upload, those that arrived are the server's, which were counted when they were said.
    let hears = window.get(Direction::Down, Layer::Payload) > 0;
    said + if hears { counters.messages_in_window } else { 0 }
}

/// Bytes from server to clients in the window. A browser does not tell its own.
fn out_bytes(trial: &TrialRecord) -> Option<u64> {
    if trial.browser.is_some() {
        return None;
    }
    let ledger = &trial.measured.ledger;
    let is_ours = |phase, direction| phase == Phase::Window && direction == Direction::Down;
    let tcpip = ledger.tcpip().filter(|row| is_ours(row.phase, row.direction));
    let tcpip: u64 = tcpip.map(|row| row.tally.bytes()).sum();
    Some(ledger.phase(Phase::Window).total(Direction::Down) + tcpip)
}

/// Bytes of the window's requests, without TLS.
fn request_bytes(trial: &TrialRecord) -> u64 {
    let window = trial.measured.ledger.phase(Phase::Window);
    let streams = trial.id.contender.shape().streams();
    let ways = Direction::ALL.into_iter().filter(|way| !streams || *way == Direction::Up);
    ways.map(|way| window.total(way) - window.get(way, Layer::Tls)).sum()
}

/// The sum of the server's and of a proxy's; `None` where either was not measured.
fn cpu(trial: &TrialRecord) -> Option<CpuTime> {
    let server = trial.resources.server_cpu?;
    if trial.proxy.is_none() {
        return Some(server);
    }
    Some(server.plus(trial.resources.proxy_cpu?))
}

fn memory(trial: &TrialRecord) -> Option<u64> {
    let server = trial.resources.server_rss_growth?;
    if trial.proxy.is_none() {
        return Some(server);
    }
    Some(server + trial.resources.proxy_rss_growth?)
}

/// Nothing of nothing is nothing.
fn mean(amount: u64, count: u64) -> f64 {
    if count == 0 { 0.0 } else { as_f64(amount) / as_f64(count) }
}

#[expect(clippy::cast_precision_loss, reason = "bytes and counts are below 2⁵³")]
const fn as_f64(number: u64) -> f64 {
    number as f64
}
