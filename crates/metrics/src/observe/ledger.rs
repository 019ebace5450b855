//! The byte ledger: who sent how many bytes of what, when.
//!
//! A figure like "bytes per message" hides which bytes. The ledger keeps them apart by phase,
//! direction and layer, so that every sum can be taken and each can be checked against what the
//! socket moved.

use serde::{Deserialize, Serialize};

/// The part of a trial in which something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Opening connections, up to the last client's subscription.
    Connect,
    /// The feed runs, nothing is measured yet.
    Warmup,
    /// The measured part.
    Window,
    /// Waiting for what was due in the window.
    Drain,
    /// Closing connections.
    Close,
}

impl Phase {
    /// All phases, in their order.
    pub const ALL: [Self; 5] =
        [Self::Connect, Self::Warmup, Self::Window, Self::Drain, Self::Close];

    /// The name that CSV files use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Warmup => "warmup",
            Self::Window => "window",
            Self::Drain => "drain",
            Self::Close => "close",
        }
    }
}

/// Which way bytes went, seen from the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From client to server.
    Up,
    /// From server to client.
    Down,
}

impl Direction {
    /// Both directions.
    pub const ALL: [Self; 2] = [Self::Up, Self::Down];

    /// The name that CSV files use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// The layer that bytes belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// The messages themselves, as they travel: compressed where they are.
    Payload,
    /// WebSocket headers and masks, SSE fields and base64's excess, chunk sizes, batch separators.
    Framing,
    /// Request lines, status lines and headers.
    Http,
    /// Bytes that TLS adds; 0 on a connection without it.
    Tls,
    /// Headers of TCP and IP of every segment, and what was sent again.
    Tcpip,
}

impl Layer {
    /// The layers that are counted at the socket, from the innermost out.
    pub const AT_SOCKET: [Self; 4] = [Self::Payload, Self::Framing, Self::Http, Self::Tls];

    /// All layers, from the innermost out.
    pub const ALL: [Self; 5] = [Self::Payload, Self::Framing, Self::Http, Self::Tls, Self::Tcpip];

    /// The name that CSV files use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Payload => "payload",
            Self::Framing => "framing",
            Self::Http => "http",
            Self::Tls => "tls",
            Self::Tcpip => "tcpip",
        }
    }
}

/// Where a row's number comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Counted at the socket, from the bytes read and written.
    Counted,
    /// The kernel's own count for the connection (`TCP_INFO`).
    Kernel,
    /// Packets seen on the wire.
    Captured,
    /// Worked out: segments that nobody could count any more, such as the last FIN.
    Modelled,
}

impl Source {
    /// The name that CSV files use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counted => "counted",
            Self::Kernel => "kernel",
            Self::Captured => "captured",
            Self::Modelled => "modelled",
        }
    }
}

/// Bytes by direction and layer at the socket: what one read or write, or one phase, amounts to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// From client to server, by layer in the order of [`Layer::AT_SOCKET`].
    pub up: [u64; Layer::AT_SOCKET.len()],
    /// From server to client, by layer in the order of [`Layer::AT_SOCKET`].
    pub down: [u64; Layer::AT_SOCKET.len()],
    /// Bytes that compression has taken off the messages; negative where it has made them larger.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub saved: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
const fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl Tally {
    /// Adds `bytes` of `layer` in `direction`; [`Layer::Tcpip`] is not at the socket.
    pub const fn add(&mut self, direction: Direction, layer: Layer, bytes: u64) {
        match direction {
            Direction::Up => self.up[layer as usize] += bytes,
            Direction::Down => self.down[layer as usize] += bytes,
        }
    }

    /// The bytes of `layer` in `direction`.
    #[must_use]
    pub const fn get(&self, direction: Direction, layer: Layer) -> u64 {
        match direction {
            Direction::Up => self.up[layer as usize],
            Direction::Down => self.down[layer as usize],
        }
    }

    /// The bytes of `layer`, both ways.
    #[must_use]
    pub const fn layer(&self, layer: Layer) -> u64 {
        self.up[layer as usize] + self.down[layer as usize]
    }

    /// The bytes of the messages before any was compressed, both ways.
    #[must_use]
    pub const fn messages(&self) -> u64 {
        self.layer(Layer::Payload).saturating_add_signed(self.saved)
    }

    /// All bytes in `direction`.
    #[must_use]
    pub fn total(&self, direction: Direction) -> u64 {
        match direction {
            Direction::Up => self.up.iter().sum(),
            Direction::Down => self.down.iter().sum(),
        }
    }

    /// Adds each figure of `other` to its own.
    pub fn merge(&mut self, other: &Self) {
        for layer in 0..Layer::AT_SOCKET.len() {
            self.up[layer] += other.up[layer];
            self.down[layer] += other.down[layer];
        }
        self.saved += other.saved;
    }
}

/// A trial's bytes by phase, direction and layer, and what the sockets moved beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    phases: [Tally; Phase::ALL.len()],
    /// Bytes that the sockets wrote, counted apart from the sessions' own account.
    pub socket_up: u64,
    /// Bytes that the sockets read.
    pub socket_down: u64,
    /// Bytes of TCP and IP; empty where nobody counted.
    tcpip: Vec<TcpipRow>,
}

/// Bytes that TCP and IP added to what the sockets moved, at the IP layer: no Ethernet headers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TcpipTally {
    /// Segments, or packets where they were captured.
    pub packets: u64,
    /// Headers of TCP and IP.
    pub header_bytes: u64,
    /// Data that was sent again, headers left out.
    pub retransmitted_bytes: u64,
}

impl TcpipTally {
    /// The bytes of the layer: headers, and what was sent again.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.header_bytes + self.retransmitted_bytes
    }

    /// Adds each figure of `other` to its own.
    pub const fn merge(&mut self, other: &Self) {
        self.packets += other.packets;
        self.header_bytes += other.header_bytes;
        self.retransmitted_bytes += other.retransmitted_bytes;
    }
}

/// A row of the ledger's TCP and IP part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TcpipRow {
    /// When.
    pub phase: Phase,
    /// Which way.
    pub direction: Direction,
    /// Who counted.
    pub source: Source,
    /// The count.
    pub tally: TcpipTally,
}

impl Ledger {
    /// The tally of `phase`.
    #[must_use]
    pub const fn phase(&self, phase: Phase) -> &Tally {
        &self.phases[phase as usize]
    }

    /// The tally of all phases.
    #[must_use]
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        self.phases.iter().for_each(|phase| total.merge(phase));
        total
    }

    /// Adds `tally` to `phase`.
    pub fn add(&mut self, phase: Phase, tally: &Tally) {
        self.phases[phase as usize].merge(tally);
    }

    /// Adds what TCP and IP added in `phase`, on the word of `source`.
    pub fn add_tcpip(
        &mut self,
        phase: Phase,
        direction: Direction,
        source: Source,
        tally: &TcpipTally,
    ) {
        // In order, so that it does not matter which process or phase was counted first.
        let place = |row: &TcpipRow| (row.phase, row.direction, row.source);
        match self.tcpip.binary_search_by_key(&(phase, direction, source), place) {
            Ok(row) => self.tcpip[row].tally.merge(tally),
            Err(row) => {
                let tally = *tally;
                self.tcpip.insert(row, TcpipRow { phase, direction, source, tally });
            }
        }
    }

    /// Bytes of TCP and IP, row by row. Where packets were captured, those are all the rows:
    /// what the kernel counted of the same connections would count them twice.
    pub fn tcpip(&self) -> impl Iterator<Item = &TcpipRow> {
        let captured = self.tcpip.iter().any(|row| row.source == Source::Captured);
        self.tcpip.iter().filter(move |row| !captured || row.source == Source::Captured)
    }

    /// Bytes of TCP and IP in `phase`, both ways and from all sources; `None` where nobody
    /// counted.
    #[must_use]
    pub fn tcpip_bytes(&self, phase: Phase) -> Option<u64> {
        if self.tcpip.is_empty() {
            return None;
        }
        Some(self.tcpip().filter(|row| row.phase == phase).map(|row| row.tally.bytes()).sum())
    }

    /// Adds each figure of `other` to its own.
    pub fn merge(&mut self, other: &Self) {
        for row in &other.tcpip {
            self.add_tcpip(row.phase, row.direction, row.source, &row.tally);
        }
        for (own, theirs) in self.phases.iter_mut().zip(&other.phases) {
            own.merge(theirs);
        }
        self.socket_up += other.socket_up;
        self.socket_down += other.socket_down;
    }

    /// Whether the layers sum to what the sockets moved, in each direction.
    #[must_use]
    pub fn balances(&self) -> bool {
        let total = self.total();
        total.total(Direction::Up) == self.socket_up
            && total.total(Direction::Down) == self.socket_down
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_that_no_layer_claims_unbalances_the_ledger() {
        let mut ledger = Ledger::default();
        let mut tally = Tally::default();
        tally.add(Direction::Down, Layer::Framing, 2);
        tally.add(Direction::Down, Layer::Payload, 64);
        ledger.add(Phase::Window, &tally);
        ledger.socket_down = 66;
        assert!(ledger.balances());
        ledger.socket_down += 1;
        assert!(!ledger.balances());
    }

    #[test]
    fn captured_packets_stand_in_place_of_the_kernels_count() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.tcpip_bytes(Phase::Window), None);
        let tally = TcpipTally { packets: 2, header_bytes: 104, retransmitted_bytes: 6 };
        let mut add = |source| ledger.add_tcpip(Phase::Window, Direction::Down, source, &tally);
        add(Source::Kernel);
        add(Source::Kernel);
        add(Source::Modelled);
        let twice = ledger.clone();
        assert_eq!(ledger.tcpip_bytes(Phase::Window), Some(330));
        assert_eq!(ledger.tcpip_bytes(Phase::Close), Some(0));
        ledger.merge(&twice);
        assert_eq!(ledger.tcpip_bytes(Phase::Window), Some(660));
        ledger.add_tcpip(Phase::Window, Direction::Down, Source::Captured, &tally);
        assert_eq!(ledger.tcpip_bytes(Phase::Window), Some(110));
    }

    #[test]
    fn merging_adds_phase_by_phase() {
        let mut tally = Tally::default();
        tally.add(Direction::Up, Layer::Http, 100);
        let mut one = Ledger::default();
        one.add(Phase::Connect, &tally);
        let mut two = Ledger::default();
        two.add(Phase::Window, &tally);
        one.merge(&two);
        assert_eq!(one.phase(Phase::Connect).get(Direction::Up, Layer::Http), 100);
        assert_eq!(one.phase(Phase::Window).layer(Layer::Http), 100);
    }
}
