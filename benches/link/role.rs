//! Roles that this program plays in processes of its own.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::num::NonZeroU64;
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use pushbench_core::MonoInstant;
use pushbench_link::cross::CONGESTION;
use pushbench_link::process;
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_os::net::namespace;
use pushbench_os::net::tcp_info::TcpInfo;
use pushbench_os::process::thread_time::ThreadTime;
use pushbench_os::time::clock;
use rustix::net::sockopt::{
    set_socket_recv_buffer_size, set_socket_recv_buffer_size_force, set_tcp_congestion,
};
use serde::{Deserialize, Serialize};

/// The variable that says which role a process has.
pub(crate) const ROLE: &str = "LINK_BENCH_ROLE";

/// How long nothing may come before a receiver ends.
const SILENCE: Duration = Duration::from_millis(1_500);

/// A role, as JSON in [`ROLE`]. All but the router live in a network, where one is given.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Role {
    /// Moves packets.
    Router,
    /// Sends datagrams of `size` bytes, `burst` at each tick, each with the instant at which it is
    /// sent.
    Send {
        network: Option<PathBuf>,
        source: SocketAddr,
        target: SocketAddr,
        tick: Duration,
        burst: u32,
        ticks: u32,
        size: usize,
    },
    /// Receives `count` datagrams, or what comes of them.
    Receive { network: Option<PathBuf>, address: SocketAddr, count: u64 },
    /// Sends as fast as TCP can for so long, to the first that connects.
    Source { network: Option<PathBuf>, address: SocketAddr, time: Duration },
    /// Connects, and reads to the end.
    Sink { network: Option<PathBuf>, target: SocketAddr },
    /// Sends as fast as TCP can to the first that connects, until that has enough.
    Pour { network: Option<PathBuf>, address: SocketAddr },
    /// Connects at the first instant, and reads until the last; says what came from the second on.
    Drink { network: Option<PathBuf>, target: SocketAddr, instants: [MonoInstant; 3] },
}

/// Datagrams that came.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Received {
    pub(crate) count: u64,
    /// From just before a datagram was sent to just after it was read.
    pub(crate) latency: LatencyHistogram,
    /// For how long the receiver was ready to run and did not.
    pub(crate) waited: Duration,
}

/// Datagrams that were sent.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Gone {
    pub(crate) took: Duration,
    /// For how long the sender was ready to run and did not.
    pub(crate) waited: Duration,
}

/// Bytes that TCP brought.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Sent {
    pub(crate) bytes: u64,
    pub(crate) time: Duration,
    /// Segments.
    pub(crate) again: u32,
}

/// A sender's view of its connection.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Look {
    pub(crate) at: MonoInstant,
    /// Segments.
    pub(crate) congestion_window: u32,
    pub(crate) slow_start_threshold: u32,
    pub(crate) again: u32,
    pub(crate) receiver_limited_us: Option<u64>,
    pub(crate) buffer_limited_us: Option<u64>,
}

/// From one look to the next.
const LOOK: Duration = Duration::from_millis(50);

/// The role of this process; `None` for the one that a person started.
pub(crate) fn wanted() -> Option<anyhow::Result<Role>> {
    let role = std::env::var(ROLE).ok()?;
    Some(serde_json::from_str(&role).context("cannot read the role"))
}

impl Role {
    pub(crate) fn play(self) -> anyhow::Result<()> {
        match self {
            Self::Router => {
                let orders = File::from(io::stdin().as_fd().try_clone_to_owned()?);
                Ok(process::play(orders, io::stdout())?)
            }
            Self::Send { network, source, target, tick, burst, ticks, size } => {
                enter(network)?;
                send(UdpSocket::bind(source)?, target, tick, (burst, ticks), size)
            }
            Self::Receive { network, address, count } => {
                enter(network)?;
                receive(&UdpSocket::bind(address)?, count)
            }
            Self::Source { network, address, time } => {
                enter(network)?;
                source(address, time)
            }
            Self::Sink { network, target } => {
                enter(network)?;
                let mut stream = TcpStream::connect(target)?;
                let mut buffer = vec![0; 1 << 18];
                while stream.read(&mut buffer)? > 0 {}
                Ok(())
            }
            Self::Pour { network, address } => {
                enter(network)?;
                pour(address)
            }
            Self::Drink { network, target, instants } => {
                enter(network)?;
                drink(target, instants)
            }
        }
    }
}

fn enter(network: Option<PathBuf>) -> anyhow::Result<()> {
    rustix::thread::set_current_timer_slack(NonZeroU64::new(1))?;
    network.map_or(Ok(()), |path| namespace::enter(&path).map_err(Into::into))
}

fn send(
    socket: UdpSocket,
    target: SocketAddr,
    tick: Duration,
    (burst, ticks): (u32, u32),
    size: usize,
) -> anyhow::Result<()> {
    socket.connect(target)?;
    let mut payload = vec![0; size];
    let mut time = ThreadTime::here();
    let mut due = clock::now();
    let start = due;
    for _ in 0..ticks {
        clock::sleep_until(due);
        for _ in 0..burst {
            payload[..8].copy_from_slice(&clock::now().as_nanos().to_be_bytes());
            socket.send(&payload)?;
        }
        due = due + tick;
    }
    let took = clock::now().saturating_since(start);
    say(&Gone { took, waited: time.lap().waited })
}

fn receive(socket: &UdpSocket, count: u64) -> anyhow::Result<()> {
    // As much as the bursts of a second want; as root also beyond the system's limit.
    let room = 1 << 26;
    if set_socket_recv_buffer_size_force(socket, room).is_err() {
        set_socket_recv_buffer_size(socket, room)?;
    }
    socket.set_read_timeout(Some(SILENCE * 4))?;
    say(&"listens")?;
    let mut time = ThreadTime::here();
    let mut received = Received::default();
    let mut buffer = [0; 2048];
    while received.count < count {
        match socket.recv(&mut buffer) {
            Ok(length) if length >= 8 => {
                let stamp = buffer.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
                received.latency.record(clock::now().saturating_since(MonoInstant(stamp)));
                received.count += 1;
                if received.count == 1 {
                    socket.set_read_timeout(Some(SILENCE))?;
                }
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error.into()),
        }
    }
    received.waited = time.lap().waited;
    say(&received)
}

fn source(address: SocketAddr, time: Duration) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address)?;
    say(&"listens")?;
    let (mut stream, _) = listener.accept()?;
    let (start, block) = (clock::now(), vec![7; 1 << 18]);
    let mut bytes = 0;
    while clock::now().saturating_since(start) < time {
        stream.write_all(&block)?;
        bytes += block.len() as u64;
    }
    stream.shutdown(std::net::Shutdown::Write)?;
    // The other end closes once it has read all of it.
    stream.read_to_end(&mut Vec::new())?;
    let time = clock::now().saturating_since(start);
    say(&Sent { bytes, time, again: TcpInfo::of(stream.as_fd())?.retransmits })
}

fn pour(address: SocketAddr) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address)?;
    say(&"listens")?;
    let (mut stream, _) = listener.accept()?;
    // The machine's default may pause by itself, as BBR does each ten seconds to see the shortest delay.
    set_tcp_congestion(&stream, CONGESTION)?;
    let (block, mut looks, mut next) = (vec![7; 1 << 14], Vec::new(), clock::now());
    while stream.write_all(&block).is_ok() {
        let at = clock::now();
        if at < next {
            continue;
        }
        next = at + LOOK;
        let info = TcpInfo::of(stream.as_fd())?;
        looks.push(Look {
            at,
            congestion_window: info.congestion_window,
            slow_start_threshold: info.slow_start_threshold,
            again: info.retransmits,
            receiver_limited_us: info.receiver_limited_us,
            buffer_limited_us: info.buffer_limited_us,
        });
    }
    say(&looks)
}

fn drink(target: SocketAddr, [begin, from, until]: [MonoInstant; 3]) -> anyhow::Result<()> {
    clock::sleep_until(begin);
    let mut stream = TcpStream::connect(target)?;
    stream.set_read_timeout(Some(SILENCE * 4))?;
    let (mut buffer, mut bytes) = (vec![0; 1 << 16], 0);
    let mut now = clock::now();
    while now < until {
        let length = stream.read(&mut buffer)? as u64;
        now = clock::now();
        bytes += if now >= from && now < until { length } else { 0 };
    }
    say(&bytes)
}

fn say(what: &impl Serialize) -> anyhow::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "{}", serde_json::to_string(what)?)?;
    Ok(out.flush()?)
}
